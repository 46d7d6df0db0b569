"""Typed options: the base of everything that the configuration describes, and the value types that recur in it.

An extension (source, notifier, trigger) is one class whose fields are its options. Paths and SQLite files are taken
relative to the folder of the configuration, which validation passes as ``context={"folder": Path}``.
"""

import ast
import inspect
import re
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SPELLED = {"sec": "s", "min": "m", "hr": "h", "hour": "h", "day": "d", "week": "w", "wk": "w"}
_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|credential|authorization|api_?key|access_?key|private|odbc_connect|signature"
    r"|(?<![a-z])(auth|sig|sas|ticket)(?![a-z])",
    re.IGNORECASE,
)
_URL = re.compile(r"[A-Za-z][\w+.-]*://")
_USER = re.compile(r"://[^:@\s\"']*:")
_ANY_USER = re.compile(r"://[^:@]*:")
_RUN = re.compile(r"\S*")
_PARAMETER = re.compile(r"[?&;]([^=&;?@\s\"']+)=")
_VALUE = re.compile(r"[^&\s]*[^&\s\"',;.)\]}]")
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}

LONGEST_WORDS = 200  # characters of what is read by patterns whose time grows faster than the text

HIDDEN = "********"  # what stands in the place of a secret, whatever its length


class Options(BaseModel):
    """Frozen options; an unknown key is an error.

    What a field means is the text below it, as Pydantic's ``use_attribute_docstrings`` has it, but read where it is
    asked for: to read all of them takes a quarter of the time that ``config check`` takes.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the JSON schema with the fields' meanings."""
        found = handler(schema)
        properties = handler.resolve_ref_schema(found).get("properties", {})
        for name, field in described(cls).items():
            if field.description and name in properties:
                properties[name]["description"] = field.description
        return found


@cache
def described(options: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a class of options, with what they mean as their description."""
    meanings: dict[str, str] = {}
    for base in reversed([base for base in options.__mro__ if issubclass(base, Options)]):
        try:
            body = ast.parse(dedent(inspect.getsource(base))).body[0]
        except (OSError, SyntaxError):  # no source, or another release's since this process began
            continue
        assert isinstance(body, ast.ClassDef)
        for declared, text in pairwise(body.body):
            match declared, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                    meanings[name] = inspect.cleandoc(meaning)
    for name, field in options.model_fields.items():
        field.description = field.description or meanings.get(name)
    return options.model_fields


def parse_duration(value: object) -> object:
    """Read ``15m``, ``1d`` or ``1d 12h`` as a timedelta.

    Raises
    ------
    ValueError
        For any other text, a bare number, or a duration that is longer than a timedelta can be.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and len(value) > LONGEST_WORDS:
        raise ValueError(f"a text of {len(value):,} characters is no duration; write one such as 15m, 6h, 1d or 2w")
    matches = _DURATION.findall(value) if isinstance(value, str) else []
    if not matches or _DURATION.sub("", str(value)).strip():
        advice = meant_duration(value) or "a number and a unit, such as 15m, 6h, 1d or 2w"
        raise ValueError(f"{value!r} is no duration; write {advice}")
    try:
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in matches), timedelta())
    except OverflowError as error:
        raise ValueError(f"{value!r} is too long for a duration") from error


def meant_duration(value: object) -> str | None:
    """Return what somebody who wrote ``1 day``, ``2 Hours`` or ``3600`` probably meant."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return f"the unit too, such as {value}s, {value}m or {value}h"
    written = re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", value) if isinstance(value, str) else []
    units = [
        next((unit for long, unit in _SPELLED.items() if word.lower().startswith(long)), word.lower())
        for _, word in written
    ]
    if not written or not all(unit in _UNITS for unit in units):
        return None
    return " ".join(number + unit for (number, _), unit in zip(written, units, strict=True))


def format_duration(value: timedelta) -> str:
    """Return a duration as the configuration writes it."""
    seconds = value.total_seconds()
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def _refuse_number(value: object) -> object:
    """Refuse what would be taken for seconds since 1970, such as a year."""
    if isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9.]+\s*", value)):
        raise ValueError("must name a day in full, such as 2026-01-31, or a time, such as 2026-01-31T00:00:00Z")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone; write a name such as UTC or Europe/Berlin") from error
    return value


def _folder(info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", ".")).absolute()


def resolve_path(value: str, info: ValidationInfo) -> str:
    """Return a path from the configuration's folder; an address stays as it is."""
    return value if "://" in value else str(_folder(info) / from_home(value))


def from_home(path: str) -> Path:
    """Return a path whose ``~`` stands for a home; of an unknown user it stands for itself, as in a shell."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _resolve_url(value: SecretStr, info: ValidationInfo) -> SecretStr:
    url = value.get_secret_value()
    scheme, colon, rest = url.partition("://")
    if not colon:
        raise ValueError(
            "a database is named by an SQLAlchemy URL, such as sqlite:///logs.db or postgresql+psycopg://…"
        )
    if scheme in _DRIVERS:  # what hosting services hand out names no driver, or one that is not installed
        return SecretStr(f"{_DRIVERS[scheme]}://{rest}")
    match = re.fullmatch(r"(sqlite(?:\+\w+)?|duckdb):///(?!/|:memory:|file:)([^?]+)(\?.*)?", url)
    if match:
        scheme, path, query = match.groups()
        return SecretStr(f"{scheme}:///{_folder(info) / path}{query or ''}")
    return value


def reveal(secret: SecretStr | None) -> str | None:
    """Return a secret's text, for the one call that needs it."""
    return secret.get_secret_value() if secret is not None else None


def is_secret_name(name: str) -> bool:
    """Return whether a key's name says that its value is a secret."""
    return bool(_SECRET_NAME.search(name))


def password_spans(text: str) -> list[tuple[int, int]]:
    """Return where the passwords of URLs stand in a text, those in query parameters too: starts and ends, ascending.

    A URL among other words ends at a blank. It takes time in proportion to the text, whatever that holds.
    """
    spans, place = [], 0
    while (user := _USER.search(text, place)) is not None:
        run = _RUN.match(text, user.end())
        assert run is not None  # it matches nothing, too
        end = text.rfind("@", *run.span())
        if end > user.end():
            spans.append((user.end(), end))
        place = run.end()
    place = 0
    for parameter in _PARAMETER.finditer(text):
        hidden = parameter.end() >= place and is_secret_name(parameter[1])
        if hidden and (value := _VALUE.match(text, parameter.end())) is not None:
            spans.append(value.span())
            place = value.end()
    return apart(spans)


def url_password_spans(url: str) -> list[tuple[int, int]]:
    """Return where the passwords of a URL stand that is all of a text: they may hold blanks and quotes."""
    spans = []
    user, at = _ANY_USER.search(url), url.rfind("@")
    if user is not None and at > user.end():
        spans.append((user.end(), at))
    place = url.find("?") + 1
    for part in url[place:].split("&") if place else ():
        name, equals, _ = part.partition("=")
        if is_secret_name(name) and len(part) > len(name + equals):
            spans.append((place + len(name + equals), place + len(part)))
        place += len(part) + 1
    return apart([*spans, *password_spans(url)])


def apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that overlap as one: hidden one by one, the inner would move the outer's end."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def hide_passwords(text: str) -> str:
    """Return a text with the passwords of every URL in it hidden."""
    return hide_spans(text, password_spans(text))


def hide_url_passwords(url: str) -> str:
    """Return a URL, or any other text, with the passwords in it hidden."""
    return hide_spans(url, url_password_spans(url)) if _URL.match(url) else hide_passwords(url)


def hide_spans(text: str, spans: list[tuple[int, int]]) -> str:
    """Return a text with parts of it hidden; the spans are ascending and apart."""
    parts, place = [], 0
    for start, end in spans:
        parts += [text[place:start], HIDDEN]
        place = end
    return "".join([*parts, text[place:]])


def display(secret: SecretStr) -> str:
    """Return what people may see of a secret: of a database's URL all but the password, of anything else nothing."""
    text = secret.get_secret_value()
    return hide_url_passwords(text) if re.match(r"(?!https?:)[a-z][\w+.-]*://", text) else HIDDEN


_text_schema: dict[str, Any] = {"type": "string"}

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({**_text_schema, "pattern": r"^(\d+(\.\d+)?\s*[smhdw]\s*)+$", "examples": ["15m", "1d"]}),
]
"""A span of time, such as ``15m``, ``6h`` or ``1d``."""

Moment = Annotated[datetime, BeforeValidator(_refuse_number)]
"""A moment, with or without a zone; a day alone is the midnight that it begins with."""

Day = Annotated[date, BeforeValidator(_refuse_number)]
"""A day of the calendar."""

TimeZone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone."""

FilePath = Annotated[str, AfterValidator(resolve_path)]
"""A path, relative to the configuration's folder."""

DatabaseUrl = Annotated[SecretStr, AfterValidator(_resolve_url), WithJsonSchema(_text_schema)]
"""An SQLAlchemy URL. Secret, since it may hold a password."""
