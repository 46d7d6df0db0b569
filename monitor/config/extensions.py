"""What can be named in a configuration: the checks, sources, notifiers and triggers that are found in their folders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import SecretStr

from checks.catalogue import Entry, catalogue, module_class, modules_of
from monitor.config.masking import Keys
from monitor.config.models import Config
from monitor.options import Options

Classes = Mapping[str, type[Options]]


@dataclass(frozen=True)
class Extensions:
    """Every extension by the name that stands in a configuration: the name of its file."""

    sources: Classes
    notifiers: Classes
    triggers: Classes
    checks: Mapping[str, Entry]

    def classes(self) -> Iterator[type[Options]]:
        """Yield every class of options beyond those of :mod:`monitor.config.models`."""
        for kind in (self.sources, self.notifiers, self.triggers):
            yield from kind.values()

    def _all_classes(self) -> Iterator[type[Options]]:
        top: list[type[Options]] = [Config, *self.classes()]
        for options in top:
            yield options
            yield from nested(options)

    def keys(self) -> Keys:
        """Return which keys hold secrets and which do not, at any depth."""
        named = [
            (name, _holds_secret(field.annotation))
            for part in self._all_classes()
            for name, field in part.model_fields.items()
        ]
        secret = frozenset(name for name, holds in named if holds)
        parameters = {name for entry in self.checks.values() for name in entry.parameters}
        return Keys(secret, frozenset({"source", *parameters, *(name for name, _ in named)}) - secret)


def nested(options: type[Options]) -> Iterator[type[Options]]:
    """Yield the classes of options that the fields of a class lead to, each once, depth first."""
    seen = {options}
    waiting = [field.annotation for field in reversed(options.model_fields.values())]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, Options):
            if kind not in seen:
                seen.add(kind)
                yield kind
                waiting.extend(field.annotation for field in reversed(kind.model_fields.values()))
        else:
            waiting.extend(reversed(get_args(kind)))


def _holds_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        return True
    return any(_holds_secret(part) for part in get_args(annotation))


def name_of(kind: Mapping[str, type], extension: object) -> str:
    """Return the name under which the class of an extension is known."""
    return next((name for name, known in kind.items() if known is type(extension)), type(extension).__name__)


def first_line(documented: type) -> str:
    """Return the first line of a class's docstring: what ``monitor list`` shows."""
    return (documented.__doc__ or "").strip().partition("\n")[0]


@cache
def discover() -> Extensions:
    """Return the extensions that are installed. A new file in a folder is enough to be among them."""
    kinds = ("sources", "notifiers", "triggers")
    found: dict[str, dict[str, Any]] = {
        kind: {name: module_class(f"monitor.{kind}.{name}") for name in modules_of(f"monitor.{kind}")} for kind in kinds
    }
    return Extensions(found["sources"], found["notifiers"], found["triggers"], catalogue())
