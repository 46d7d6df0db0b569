"""``monitor init``: a commented configuration from a look at the log's table and at the reference."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from monitor.config.building import inferred_source
from monitor.config.explaining import is_options, without_none
from monitor.config.extensions import Extensions, discover
from monitor.config.interpolation import escape
from monitor.config.models import Config, Labels, Model
from monitor.core.ports import TableFacts
from monitor.options import described, display, format_duration, url_password_spans

URL_VARIABLE = "LEEWAY_LOGS_URL"  # stands in the draft for a URL with a password

_WIDTH = 110  # of comments
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*(:///?[A-Za-z0-9_./-]+)?")
_RESERVED = frozenset(
    {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)  # for one version of YAML or another

_HEAD = """\
What Leeway watches, and whom it tells. Lines behind '#' show what else may be said, with its default. \
docs/configuration.md explains every key.
'monitor config check --connect' looks for mistakes, 'monitor check' judges the latest window, \
'monitor run' goes on doing so."""


def quoted(text: str) -> str:
    """Return a text as a YAML scalar that is read back as exactly this text."""
    text = escape(text)
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def comment(text: str, indent: int = 0) -> str:
    """Return a text as lines of a comment; whatever it holds, nothing of it leaves the comment."""
    lines = [
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line.strip())
        for line in text.split("\n")
    ]
    width = _WIDTH - indent - 2
    wrapped = [part for line in lines for part in textwrap.wrap(" ".join(line.split()), width, break_on_hyphens=False)]
    return "".join(f"{' ' * indent}# {part}\n" for part in wrapped)


def draft(
    *,
    logs_url: str,
    time: str,
    reference_file: str,
    facts: TableFacts,
    reference_columns: Mapping[str, str],
    model: str,
    table: str | None = None,
    timezone: str | None = None,
    id: str | None = None,  # noqa: A002  # the key's name in the configuration
    score: str | None = None,
    prediction: str | None = None,
    version: str | None = None,
    labels: Labels | None = None,
    extensions: Extensions | None = None,
) -> str:
    """Return a configuration as text.

    Parameters
    ----------
    logs_url : SQLAlchemy URL of the database, or a path of files. A URL with a password is left to the environment.
    time, timezone, id, table : where the log's event time and row id are, and the zone of times that name none.
    reference_file : Parquet or CSV file of the reference.
    facts : what the source found out about the log.
    reference_columns : column name to type of the reference.
    model : name of the model.
    score, prediction, version : columns of the log with the model's answer and version.
    labels : where the truth arrives.
    extensions : what can be named; everything installed where None.
    """
    found = extensions or discover()
    place = {"url": logs_url, "table": table} if "://" in logs_url else {"path": logs_url}
    logs = {
        key: value
        for key, value in {**place, "time": time, "timezone": timezone, "id": id}.items()
        if value is not None
    }
    columns = {"score": score, "prediction": prediction, "version": version}
    parts = [
        comment(_HEAD),
        "\nstore: sqlite:///monitor.db\n",
        _commented(Config, 0, skip={"store", "models", "notifiers"}),
        f"\nmodels:\n  {quoted(model)}:\n",
        _logs(logs, facts, found),
        f"\n    reference:\n      file: {quoted(reference_file)}\n",
        _commented(Model.model_fields["reference"].annotation, 6, skip={"file"}, only={"version", "time"}),
        _columns(facts, reference_columns, {time, id, version} - {None}),
        "".join(f"    {key}: {quoted(name)}\n" for key, name in columns.items() if name is not None),
        _labels(labels),
        "\n    checks: auto\n",
        *_sections({key for key, given in (("labels", labels), ("version", version)) if given is not None}),
        "\nnotifiers:\n  log: stdout\n",
        comment('team: {slack: {token: "${SLACK_TOKEN}", channel: "#ml-alerts"}}', 2),
    ]
    return "".join(parts)


def _logs(logs: Mapping[str, str], facts: TableFacts, found: Extensions) -> str:
    text = "    logs:\n"
    for key, value in logs.items():
        if key == "url" and url_password_spans(value):
            text += comment(f"The URL holds a password, so it is read from the environment: set {URL_VARIABLE}.", 6)
            text += f'      url: "${{{URL_VARIABLE}}}"\n'
        else:
            text += f"      {key}: {quoted(value)}\n"
    name = inferred_source(logs, found.sources)
    if name is not None:
        text += _commented(found.sources[name], 6, skip=set(logs))
    return text + "".join(comment(f"Note: {warning}", 6) for warning in facts.warnings)


def _columns(facts: TableFacts, reference_columns: Mapping[str, str], known: Iterable[str | None]) -> str:
    """Return which columns are watched: what the reference has and the log lacks would be missing in every window."""
    absent = [name for name in reference_columns if name not in facts.columns and name not in set(known)]
    new = [name for name in facts.columns if name not in reference_columns and name not in set(known)]
    shared = len(reference_columns.keys() & facts.columns.keys() - set(known))
    text = "\n" + comment(f"Watched: the {shared} columns that both the reference and the log have.", 4)
    if not shared:
        text += comment("Note: so there is nothing to compare; do the two come from the same model?", 4)
    if new:
        text += comment(f"Not watched, since the reference lacks them: {', '.join(map(quoted, new))}.", 4)
    if not absent:
        return text + "".join(
            ["    # columns:\n", _commented(Model.model_fields["columns"].annotation, 4, deeper=True)]
        )
    text += "    columns:\n      exclude:  # the reference has these, the log does not\n"
    text += "".join(f"        - {quoted(name)}\n" for name in absent)
    return text + _commented(Model.model_fields["columns"].annotation, 6, skip={"exclude"})


def _labels(labels: Labels | None) -> str:
    if labels is None:
        return ""
    given = {name: value for name, value in labels.model_dump().items() if value is not None}
    return "\n    labels:\n" + "".join(f"      {name}: {quoted(value)}\n" for name, value in given.items())


def _sections(given: set[str]) -> Iterator[str]:
    """Yield what is all defaults, behind '#'."""
    done = {"logs", "reference", "columns", "score", "prediction", "checks"} | given
    for name, field in described(Model).items():
        if name in done:
            continue
        inner = without_none(field.annotation)
        if is_options(inner):
            yield f"\n{comment(field.description or '', 4)}    # {name}:\n{_commented(inner, 4, deeper=True)}"
        else:
            yield "\n" + _line(name, field, " " * 4)


def _commented(
    options: Any, indent: int, *, skip: Iterable[str] = (), only: Iterable[str] | None = None, deeper: bool = False
) -> str:
    """Return every field behind '#', with its default and meaning; ``deeper`` below a key that is behind '#' too."""
    options = without_none(options)
    assert is_options(options)
    return "".join(
        _line(name, field, " " * indent, "  " if deeper else "")
        for name, field in described(options).items()
        if name not in set(skip) and (only is None or name in set(only))
    )


def _line(name: str, field: FieldInfo, indent: str, inner: str = "") -> str:
    meaning = " ".join((field.description or "").split()).replace("``", "`")
    return f"{indent}# {inner}{name}: {_default(field)}  # {meaning}\n"


def _default(field: FieldInfo) -> str:
    value = None if field.is_required() else field.get_default(call_default_factory=True)
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, SecretStr):
        return display(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list | dict):
        return "{}" if isinstance(value, dict) else "[]"
    return "…" if value is None else str(value)
