"""A column that has stopped moving."""

from dataclasses import dataclass
from math import exp, log1p, sqrt
from typing import ClassVar

import numpy as np

from checks.comparing import FEWEST_ROWS, refusal
from checks.measurement import Inconclusive, Measurement, symmetric
from checks.profile import KINDS, Bins, Column, ColumnProfile, Kind
from checks.wording import number_text, share_text


@dataclass(frozen=True)
class Constant:
    """Constant: every present row holds one value, where the reference varied.

    Statistic: 1 where the column is stuck, else 0. Stuck means that lowest and highest value are the same, or that
    all rows fall on one category. The effect is the share of reference rows that held something else (for numbers:
    that lay in another bin), 0 where the column is not stuck or did not vary in the reference. The p-value is the
    chance that as many independent rows of the reference would all fall there by themselves; it is 1 where the column
    varies, hence conservative.

    Sees stuck sensors, defaults written for everything, a forgotten refresh. Does not see a value that is merely
    frequent: the drift checks do.

    Parameters
    ----------
    tolerance : share of the reference's rows elsewhere, 0 to 1. 0.5: a column that held this value half of the time
        anyway may well hold it for a whole small window.

    Configuration
    -------------
    ::

        - constant: {tolerance: 0.5}

    References
    ----------
    Schelter et al. 2018, *Automating large-scale data quality verification*, PVLDB 11.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    unit: ClassVar[str] = "share of the reference elsewhere"
    fatal: ClassVar[bool] = True

    tolerance: float = 0.5

    def unmoved(self, bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> bool:
        """Return whether there is more than one value."""
        if min(reference.present, current.present) < FEWEST_ROWS or not (bins.categorical or bins.edges):
            return False
        return int(np.count_nonzero(current.counts)) > 1 if bins.categorical else current.low != current.high

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        rows, known = current.profile.present, reference.profile.present
        if not _stuck(current):
            stderr = 1 / (rows + known)  # one row more on the other side
            words = "more than one value"
            return Measurement(0.0, 0.0, stderr, (0.0, stderr), rows, known, pvalue=1.0, words=words)
        place = int(np.argmax(current.profile.counts))
        away = 0 if _stuck(reference) else known - int(reference.profile.counts[place])
        effect = away / known
        smooth = (away + 0.5) / (known + 1)
        stderr = sqrt(smooth * (1 - smooth) / known)
        words = f"always {_name(current, place)}; {share_text(effect)} of the reference is elsewhere"
        return Measurement(
            1.0,
            effect,
            stderr,
            symmetric(effect, stderr),
            rows,
            known,
            pvalue=exp(rows * log1p(-smooth)) if away else 1.0,
            words=words,
        )


def _stuck(column: Column) -> bool:
    profile = column.profile
    if not column.bins.categorical:
        return profile.infinite == 0 and profile.low is not None and profile.low == profile.high
    values = int((profile.counts > 0).sum())
    several = profile.counts[-2] > 0 or len(profile.unseen.counts) > 1  # bins that may hold more than one value
    return values == 1 and not several


def _name(column: Column, place: int) -> str:
    if not column.bins.categorical:
        assert column.profile.low is not None
        return number_text(column.profile.low)
    if place < len(column.bins.values):
        return f"'{column.bins.values[place]}'"
    return ", ".join(f"'{value}'" for value, _ in column.profile.unseen.top(1)) or "one unseen value"
