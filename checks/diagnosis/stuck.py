"""One value only, where the reference varies."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from checks.category_shares import UNSAMPLED, shares
from checks.diagnosing import Explanation
from checks.profile import Column, Kind
from checks.wording import number_text

CHANCE = 1e-6  # probability under the reference below which equal values are no coincidence


@dataclass(frozen=True)
class Stuck:
    """Every row holds the same value: a sensor, a cache or a default that never changes."""

    title: ClassVar[str] = "stuck at one value"
    # The age of a fixed date still changes with every event, so a datetime cannot be seen to stick.
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "categorical", "boolean", "text"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 30

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by one value, if so many equal draws from the reference would be a miracle."""
        profile = current.profile
        value = _only_value(current)
        if value is None or not reference.profile.present:
            return None
        place = int(profile.counts.argmax())
        usual = float(reference.profile.counts[place]) / reference.profile.present
        if usual > 0 and profile.present * log(usual) > log(CHANCE):
            return None
        if profile.present < 3:  # two rows with an unusual value are two rows
            return None
        unit = " characters" if current.bins.kind == "text" else ""
        return Explanation(f"{value}{unit} in all {profile.present:,} rows with a value, the reference varies", 0.95)


def _only_value(column: Column) -> str | None:
    profile = column.profile
    found = shares(column)
    if found is not None:
        values = list(found.every)
        return (
            f"'{values[0]}'"
            if len(values) == 1 and values[0] in column.bins.values + tuple(found.unseen) and values[0] != UNSAMPLED
            else None
        )
    if profile.low is None or profile.low != profile.high or profile.infinite:
        return None
    return number_text(profile.low)
