"""What pydantic found, in plain sentences: what is allowed and what to do, never the value itself."""

import re
from collections.abc import Collection, Iterable
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, get_args

from pydantic_core import ErrorDetails

from monitor.options import Options, described, format_duration

_SHOWN = 12  # names listed in one sentence

_SENTENCES = {
    "string_type": "must be a text; put it in quotes if it looks like a number or a list",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of at most 18 digits",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping, such as {key: value}",
    "model_type": "must be a mapping, such as {key: value}",
    "model_attributes_type": "must be a mapping, such as {key: value}",
    "tuple_type": "must be a list, such as [first, second]",
    "list_type": "must be a list, such as [first, second]",
    "set_type": "must be a list, such as [first, second]",
    "frozen_set_type": "must be a list, such as [first, second]",
    "datetime_type": "must be a time, such as 2026-01-31T00:00:00Z",
    "datetime_parsing": "must be a time, such as 2026-01-31T00:00:00Z",
    "datetime_from_date_parsing": "must be a time, such as 2026-01-31T00:00:00Z",
    "date_type": "must be a day, such as 2026-12-24",
    "date_parsing": "must be a day, such as 2026-12-24",
    "date_from_datetime_parsing": "must be a day, such as 2026-12-24",
    "date_from_datetime_inexact": "must be a day without a time, such as 2026-12-24",
    "none_required": "must be empty",
}
_BOUNDS = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "too_short": ("min_length", "must hold at least {}"),
    "too_long": ("max_length", "must hold at most {}"),
    "string_too_short": ("min_length", "must be a text of at least {} characters"),
    "string_too_long": ("max_length", "must be a text of at most {} characters"),
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that somebody probably meant, None where no name is near."""
    by_folded = {candidate.casefold().replace("-", "_"): candidate for candidate in known}
    found = get_close_matches(name.casefold().replace("-", "_"), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def suggestion(name: str, known: Collection[str], listed: str = "known are") -> str:
    """Return the end of a sentence about an unknown name: the nearest one, or a list of those that exist."""
    near = nearest(name, known)
    if near is not None:
        return f"; did you mean {near!r}?"
    names = sorted(known)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; {listed} {', '.join(names[:_SHOWN])}{more}" if names else "; there are none"


def sentence(error: ErrorDetails, value: object = None) -> str:
    """Return what is wrong with a value, to be read after its path.

    Parameters
    ----------
    error : as pydantic reports it.
    value : what the document holds there; used to find a near choice only.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return words.format(_bound(context[name]))
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        near = nearest(value, choices) if isinstance(value, str) else None
        return f"must be one of {', '.join(choices)}" + (f"; did you mean {near!r}?" if near else "")
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    return error["msg"].replace("Input should", "must").replace("Value should", "must")


def _bound(bound: object) -> object:
    """Return a bound as the configuration writes it; pydantic hands over some durations as their repr."""
    if isinstance(bound, str) and bound.startswith("datetime.timedelta("):
        bound = timedelta(**{unit: float(number) for unit, number in re.findall(r"(\w+)=(-?[\d.]+)", bound)})
    if isinstance(bound, float) and bound.is_integer():
        return int(bound)
    return format_duration(bound) if isinstance(bound, timedelta) else bound


def options_at(options: type[Options], location: Iterable[str | int]) -> type[Options] | None:
    """Return the class of options that a location in the fields of ``options`` leads to; None where none does."""
    kind: Any = options
    for step in location:
        kind = without_none(kind)
        if is_options(kind):
            field = kind.model_fields.get(step)
            kind = field.annotation if field is not None else None
        else:
            kind = next((part for part in reversed(get_args(kind)) if part is not Ellipsis), None)
    kind = without_none(kind)
    return kind if is_options(kind) else None


def without_none(annotation: Any) -> Any:
    """Return the type that an optional one wraps, any other as it is."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return parts[0] if type(None) in get_args(annotation) and len(parts) == 1 else annotation


def is_options(kind: Any) -> bool:
    """Return whether something is a class of options."""
    return isinstance(kind, type) and issubclass(kind, Options)


def unknown_key(name: str, options: type[Options], owner: str = "", word: str = "key") -> str:
    """Return what is wrong with a key that a class of options does not have."""
    subject = f"{owner} has no {word} {name!r}" if owner else f"has no {word} {name!r}"
    known = tuple(options.model_fields)
    if nearest(name, known) is None:
        for section, field in options.model_fields.items():
            inner = without_none(field.annotation)
            if is_options(inner) and name in inner.model_fields:
                return f"{subject}; {name!r} belongs under {section!r}"
    return subject + suggestion(name, known, "it has")


def missing_key(name: str, options: type[Options] | None, owner: str = "") -> str:
    """Return what is wrong where a required key is not there, with what the key means."""
    field = described(options).get(name) if options else None
    meaning = f": {field.description}" if field is not None and field.description else ""
    return f"{owner + ' ' if owner else ''}needs {name!r}{meaning.rstrip('.')}"
