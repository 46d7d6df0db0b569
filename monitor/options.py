"""Typed options: the base of everything that the configuration describes, and the value types that recur in it.

An extension (source, notifier, trigger) is one class whose fields are its options. Paths and SQLite files are taken relative
to the folder of the configuration, which validation passes as ``context={"folder": Path}``.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


class Options(BaseModel):
    """Frozen options; an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


def parse_duration(value: object) -> object:
    """Read ``15m``, ``1d`` or ``1d 12h`` as a timedelta.

    Raises
    ------
    ValueError
        For any other text, a bare number, or a duration that is not positive.
    """
    if isinstance(value, timedelta):
        return value
    matches = _DURATION.findall(value) if isinstance(value, str) else []
    if not matches or _DURATION.sub("", str(value)).strip():
        raise ValueError(f"{value!r} is no duration; write a number and a unit, such as 15m, 6h, 1d or 2w")
    return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in matches), timedelta())


def format_duration(value: timedelta) -> str:
    """Return a duration as the configuration writes it."""
    seconds = value.total_seconds()
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone; write a name such as UTC or Europe/Berlin") from error
    return value


def _folder(info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", "."))


def _resolve_path(value: str, info: ValidationInfo) -> str:
    return value if "://" in value else str(_folder(info) / Path(value).expanduser())


def _resolve_url(value: SecretStr, info: ValidationInfo) -> SecretStr:
    url = value.get_secret_value()
    if "://" not in url and not url.startswith("sqlite:"):
        raise ValueError(
            "a database is named by an SQLAlchemy URL, such as sqlite:///logs.db or postgresql+psycopg://…"
        )
    match = re.fullmatch(r"(sqlite(?:\+\w+)?|duckdb):///(?!/|:memory:)([^?]+)(\?.*)?", url)
    if match:
        scheme, path, query = match.groups()
        return SecretStr(f"{scheme}:///{_folder(info).absolute() / path}{query or ''}")
    return value


def reveal(secret: SecretStr | None) -> str | None:
    """Return a secret's text, for the one call that needs it."""
    return secret.get_secret_value() if secret is not None else None


_text_schema: dict[str, Any] = {"type": "string"}

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({**_text_schema, "pattern": r"^(\d+(\.\d+)?\s*[smhdw]\s*)+$", "examples": ["15m", "1d"]}),
]
"""A span of time, such as ``15m``, ``6h`` or ``1d``."""

TimeZone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone."""

FilePath = Annotated[str, AfterValidator(_resolve_path)]
"""A path, relative to the configuration's folder."""

DatabaseUrl = Annotated[SecretStr, AfterValidator(_resolve_url), WithJsonSchema(_text_schema)]
"""An SQLAlchemy URL. Secret, since it may hold a password."""
