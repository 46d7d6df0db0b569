"""Shares of categories by name, read back from a profile: listed, other known, and sampled unseen values."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt

from checks.profile import Column

OTHER = "\0other"  # no value of a log is read as this
UNSAMPLED = "\0unseen"


@dataclass(frozen=True, slots=True)
class CategoryShares:
    """Shares of the readable rows.

    Parameters
    ----------
    known : by the reference's listed values, and under ``OTHER`` its further ones.
    unseen : by value that the reference does not know, as far as they were sampled; the rest under ``UNSAMPLED``.
    """

    known: Mapping[str, float]
    unseen: Mapping[str, float]

    @property
    def every(self) -> Mapping[str, float]:
        """All shares; they sum to 1."""
        return {**self.known, **self.unseen}

    @property
    def unseen_share(self) -> float:
        """Share of rows with a value that the reference does not know."""
        return sum(self.unseen.values())


def shares(column: Column) -> CategoryShares | None:
    """Return a categorical column's shares; None for other kinds or without readable rows."""
    profile = column.profile
    if not column.bins.categorical or not profile.present:
        return None
    rows = profile.present
    counts = dict(zip((*column.bins.values, OTHER), profile.counts[:-1].tolist(), strict=True))
    sampled = dict(profile.unseen.top(profile.unseen.size))
    rest = int(profile.counts[-1]) - sum(sampled.values())
    unseen = {value: count / rows for value, count in sampled.items()}
    if rest > 0:
        unseen[UNSAMPLED] = rest / rows
    return CategoryShares({value: count / rows for value, count in counts.items() if count}, unseen)


def normalised(value: str) -> str:
    """Return what is left of a value when case, blanks, punctuation, width and leading zeros are forgotten."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", value).casefold() if sign.isalnum())
    if plain.isdigit():
        plain = plain.lstrip("0") or "0"
    return plain or value


def folded(found: CategoryShares, column: Column) -> dict[str, float]:
    """Return shares by normalised value; spellings of the reference's further values fall under ``OTHER``."""
    listed = {normalised(value) for value in column.bins.values}
    others = {normalised(value) for value in column.bins.others} - listed
    totals: dict[str, float] = {}
    for value, share in found.every.items():
        key = value if value in (OTHER, UNSAMPLED) else normalised(value)
        key = OTHER if key in others else key
        totals[key] = totals.get(key, 0.0) + share
    return totals


def variation(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Return the total variation distance, in [0, 1]."""
    return sum(abs(before.get(key, 0.0) - after.get(key, 0.0)) for key in before.keys() | after.keys()) / 2


def noise(before: Mapping[str, float], rows: float) -> float:
    """Return the total variation that sampling alone hardly exceeds.

    Its expectation, from the normal approximation of each share, and a margin of McDiarmid's inequality, which bounds
    the chance by 32% and is generous: it ignores that a share's noise is small where the share is.
    """
    expected = sum(sqrt(share * (1 - share) / rows) for share in before.values()) * sqrt(2 / pi) / 2
    return expected + 0.75 / sqrt(rows)
