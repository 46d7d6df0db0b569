"""Frozen dataclasses as JSON text and back: how findings, incidents and notices are kept in one column."""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def dump(value: object) -> str:
    """Return a dataclass as JSON."""
    kind: Any = type(value)
    return _adapter(kind).dump_json(value).decode()


def load(cls: type[T], text: str) -> T:
    """Return the dataclass that :func:`dump` wrote."""
    kind: Any = cls
    loaded: T = _adapter(kind).validate_json(text)
    return loaded
