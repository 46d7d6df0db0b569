"""The page on the configuration, written from the code that reads it: ``python -m monitor.config.documenting``."""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from checks.catalogue import Entry, measures_columns
from checks.profile import KINDS
from monitor.config.explaining import without_none
from monitor.config.extensions import Classes, Extensions, discover, first_line, nested
from monitor.config.models import Config, Model, PlannedCheck
from monitor.config.planning import AUTO, OF_THE_PLAN, by_default
from monitor.config.references import Reference
from monitor.options import Options, described, display, format_duration
from monitor.rates import Rate

_INTRODUCTION = """\
# Configuration

Everything that `config.yaml` may say. This page is written by `make docs` from the code that reads the file.

`monitor config check` names every mistake with its line and a remedy, `monitor config show` prints the configuration in
effect, `monitor config schema` a JSON schema for editors, and `monitor init` writes a first file for a table of yours.

- **Durations** are numbers with a unit, `s`, `m`, `h`, `d` or `w`: `15m`, `6h`, `1d 12h`.
- **Rates** say how many in how long: `1 per 30d`, `0.5 per 1w`. A plain number is so many in 30 days.
- **Paths** and SQLite files are relative to the folder of `config.yaml`.
- **Values from outside**: `${NAME}` is an environment variable, `${NAME:-default}` has a default for one that is
  missing or empty, `${file:/run/secrets/token}` is the content of a file. `$${` stands for `${` itself.
- **Secrets** belong into the environment or into files; wherever the configuration is shown they are hidden.
- The file is YAML 1.2: `on`, `no` and `2013-02-01` are texts. Anchors, aliases and `<<` work, tags do not.
"""

_CHECKS = """\
## Checks

`checks: auto`, the default, takes for every column the checks that are marked *auto* for its kind. A list says more:

```yaml
checks:
  - auto                                        # begin with these
  - ks                                          # one check, as it is
  - psi: {threshold: 0.2, columns: [age, fare]} # one check with parameters
  - null_rate: {tolerance: 0.02}                # other parameters for a check that auto took
  - freshness: off                              # auto without this one
```

An entry without `columns` replaces what `auto` took under its name; one with `columns` counts for these columns only.
Every check also takes these two, but for those that look at whole windows, which take no `columns`:

| parameter | is | means |
|---|---|---|
"""


def reference(extensions: Extensions | None = None) -> str:
    """Return the page as Markdown."""
    found = extensions or discover()
    parts = [_INTRODUCTION, *_sections(), "## Sources\n\n" + _meaning(Model, "logs")]
    parts += _kind(found.sources, "logs")
    parts.append(_CHECKS + "".join(_row(name, described(PlannedCheck)[name], default=False) for name in OF_THE_PLAN))
    parts += [_check(entry) for entry in found.checks.values()]
    parts.append(
        f"## Notifiers\n\n{_meaning(Config, 'notifiers')} A name alone, such as `log: stdout`, takes no options."
    )
    parts += _kind(found.notifiers, "notifiers.NAME")
    parts.append("## Triggers\n\nWhat `retrain.trigger` runs.")
    parts += _kind(found.triggers, "models.NAME.retrain.trigger")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _sections() -> Iterator[str]:
    yield f"## The whole file\n\n{_table(Config)}"
    for name, field in Config.model_fields.items():
        yield from _section(name, _inner(field))
    yield f"## models.NAME\n\n{first_line(Model)}\n\n{_table(Model)}"
    for name, field in Model.model_fields.items():
        if name != "checks":  # they have a chapter of their own
            yield from _section(f"models.NAME.{name}", _inner(field))


def _section(path: str, kind: Any) -> Iterator[str]:
    if not (inspect.isclass(kind) and issubclass(kind, Options)):
        return
    meaning = first_line(kind).replace("``", "`")
    yield f"### {path}\n\n{meaning}\n\n{_table(kind)}"
    for name, field in kind.model_fields.items():
        yield from _section(f"{path}.{name}", _inner(field))


def _inner(field: FieldInfo) -> Any:
    """Return the type of a field, or of the items of its list."""
    kind = without_none(field.annotation)
    return get_args(kind)[0] if get_origin(kind) is tuple else kind


def _kind(kind: Classes, path: str) -> Iterator[str]:
    for name, options in kind.items():
        text = (inspect.getdoc(options) or "").replace("``", "`")
        yield f"### {name}\n\n{text}\n\n{_table(options) if options.model_fields else 'It takes no options.'}"
        for part in nested(options):
            yield f"#### {path}.{name}: {_spoken(part.__name__)}\n\n{first_line(part)}\n\n{_table(part)}"


def _spoken(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name.lstrip("_")).lower()


def _meaning(options: type[Options], name: str) -> str:
    return _flat(described(options)[name].description or "")


def _table(options: type[Options]) -> str:
    rows = "".join(_row(name, field) for name, field in described(options).items())
    return f"| key | is | default | means |\n|---|---|---|---|\n{rows}"


def _row(name: str, field: FieldInfo, *, default: bool = True) -> str:
    cells = [f"`{name}`", _with_bounds(field), _default(field), _flat(field.description or "")]
    return f"| {' | '.join(cells if default else [cells[0], cells[1], cells[3]])} |\n"


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


def _with_bounds(field: FieldInfo) -> str:
    return ", ".join([_words(field.annotation), *_bounds(field.metadata)])


def _bounds(metadata: Iterable[Any]) -> list[str]:
    bounds = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    parts = [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else (item,))]
    return [
        f"{words} {_shown(getattr(item, name))}"
        for item in parts
        for name, words in bounds.items()
        if getattr(item, name, None) is not None
    ]


_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time",
    date: "day",
    Rate: "rate",
    timedelta: "duration",
    SecretStr: "secret text",
    PlannedCheck: "checks",
    Reference: "text or section",
}


def _words(annotation: Any) -> str:
    """Return a type in words."""
    kind, origin, arguments = annotation, get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ", ".join([_words(arguments[0]), *_bounds(arguments[1:])])
    if origin is Literal:
        return " \\| ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_words(part) for part in arguments if part is not type(None))
    if origin in (tuple, list, set, frozenset):
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"mapping of names to {_words(arguments[1])}"
    return _WORDS.get(kind, "section")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field is Model.model_fields["checks"]:
        return f"`{AUTO}`"
    return _shown(field.get_default(call_default_factory=True))


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return f"`{display(value)}`"
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float | str | Rate):
        return f"`{value}`" if value != "" else ""
    return ""


def _check(entry: Entry) -> str:
    text = inspect.getdoc(entry.check) or ""
    parameters, example = _docstring_section(text, "Parameters"), _docstring_section(text, "Configuration")
    facts = [f"Effect in {entry.check.unit}." if entry.check.unit else "", _applies(entry)]
    example = inspect.cleandoc(example.replace("::", "", 1)).strip()
    return "\n\n".join(
        part
        for part in (
            f"### {entry.name}",
            entry.summary.replace("``", "`"),
            " ".join(fact for fact in facts if fact),
            _list(parameters),
            f"```yaml\n{example}\n```" if example else "",
        )
        if part
    )


def _applies(entry: Entry) -> str:
    if not measures_columns(entry.check()):
        return "Looks at whole windows" + ("; *auto*." if by_default(entry) else ".")
    kinds, taken = (getattr(entry.check, name) for name in ("kinds", "default_for"))
    said = ", ".join(f"{kind} (*auto*)" if kind in taken else kind for kind in KINDS if kind in kinds)
    return f"Kinds of column: {said}."


def _docstring_section(text: str, title: str) -> str:
    """Return the text below a title of a numpy-style docstring, up to the next title."""
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n-{{3,}}\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1].rstrip() if match else ""


def _list(parameters: str) -> str:
    """Return numpy-style parameters as a Markdown list."""
    items = re.split(r"\n(?=\S)", parameters) if parameters else []
    return "\n".join(
        f"- `{name.strip()}`: {_flat(meaning)}" for name, _, meaning in (item.partition(":") for item in items)
    )


if __name__ == "__main__":
    sys.stdout.write(reference())
