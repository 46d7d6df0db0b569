"""Rates, such as ``1 per 30d``: how the configuration says how often something may happen."""

import re
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from monitor.options import LONGEST_WORDS, format_duration, meant_duration, parse_duration

_RATE = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*per\s+(.+)", re.DOTALL)


@dataclass(frozen=True)
class Rate:
    """How many of something are expected in how long; its text is read back as the same rate.

    Parameters
    ----------
    count : how many; may be a fraction.
    per : in how long.

    Raises
    ------
    ValueError
        For a rate that is not positive, or too large or too small to count with.
    """

    count: float
    per: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        if not self.count > 0 or self.per <= timedelta():
            raise ValueError("a rate must be more than 0: who may never be wrong can never speak")
        if not 0 < self.per_30_days < inf:
            raise ValueError("a rate must be a number that can be counted with, such as 1 per 30d")

    @property
    def per_30_days(self) -> float:
        """How many in 30 days."""
        return self.count * (timedelta(days=30) / self.per)

    def __str__(self) -> str:
        count = int(self.count) if float(self.count).is_integer() else self.count
        return f"{count} per {format_duration(self.per)}"


def parse_rate(value: object) -> Rate:
    """Read ``1 per 30d``, or a plain number as so many in 30 days.

    Raises
    ------
    ValueError
        For anything else, or for a rate that is not positive.
    """
    if isinstance(value, Rate):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Rate(_count(value))
    if isinstance(value, str) and len(value) > LONGEST_WORDS:
        raise ValueError(f"a text of {len(value):,} characters is no rate; write one such as 1 per 30d")
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no rate; write how many in how long, such as 1 per 30d")
    count, span = match.groups()
    try:
        per = parse_duration(span)
    except ValueError as error:
        meant = meant_duration(span if span[0].isdigit() else f"1 {span}")
        advice = meant if meant and meant != span else "30d"
        raise ValueError(f"{value!r} is no rate; write {count} per {advice}") from error
    assert isinstance(per, timedelta)
    return Rate(_count(count), per)


def _count(value: float | str) -> float:
    try:
        return float(value)
    except OverflowError:  # an int beyond every float
        return inf


RateText = Annotated[
    Rate,
    PlainValidator(parse_rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "string",
                    "pattern": r"^\s*[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*per\s+(\d+(\.\d+)?\s*[smhdw]\s*)+$",
                },
                {"type": "number", "exclusiveMinimum": 0},
            ],
            "examples": ["1 per 30d"],
        }
    ),
]
"""A rate, such as ``1 per 30d``; a plain number is so many in 30 days."""
