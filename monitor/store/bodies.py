"""Frozen dataclasses as JSON text and back: how findings, incidents and notices are kept in one column."""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from monitor.core.errors import UnavailableError

T = TypeVar("T")


class DamagedRowError(UnavailableError, ValueError):
    """A row of the store is not what this release wrote: another one did, or somebody has changed it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the store holds a row that is damaged ({reason}); restore the store from a backup, or remove the row"
        )


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def dump(value: object) -> str:
    """Return a dataclass as JSON."""
    kind: Any = type(value)
    return _adapter(kind).dump_json(value).decode()


def load(cls: type[T], text: str) -> T:
    """Return the dataclass that :func:`dump` wrote.

    Raises
    ------
    DamagedRowError
        When it is another text.
    """
    kind: Any = cls
    try:
        loaded: T = _adapter(kind).validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, found["loc"]))
        raise DamagedRowError(f"{getattr(cls, '__name__', cls)}: {place} {found['msg']}") from error
    return loaded
