"""Values outside of the range of the reference."""

from dataclasses import dataclass
from typing import ClassVar

from checks.measurement import Inconclusive, Measurement
from checks.outskirts import above, below
from checks.profile import Column, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.wording import number_text, share_text


@dataclass(frozen=True)
class OutOfRange:
    """Out of range: the share of rows below the reference's minimum or above its maximum.

    Bins do not know where in them a value lies, so what is counted is this. A side counts only where the current
    extreme lies beyond the reference's extreme. There, rows beyond the reference's central 99% on that side count,
    less the share which the reference itself has there. So a single value just outside moves nothing, a range that
    was never seen counts in full. Infinities lie in the open tails and count on a side that counts; ``non_finite``
    counts them alone.

    Statistic: the share of rows in the outskirts of the sides that count. The effect is its rise over the reference's
    share; standard error with half a row added on both sides, p-value of equal shares (mid-p).

    Sees impossible values, changes of unit, sentinels at the edge. Does not see values in a gap inside the range.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.01: as many as the outskirts of the reference hold by construction.

    Configuration
    -------------
    ::

        - out_of_range: {tolerance: 0.01}

    References
    ----------
    Breck et al. 2019, *Data validation for machine learning*, SysML.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.01

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        known, seen = reference.profile, current.profile
        if (refused := without_rows(known.finite, seen.present)) is not None:
            return refused
        before, after, words = 0, 0, []
        if seen.low is not None and known.low is not None and seen.low < known.low:
            before, after = before + below(reference), after + below(current)
            words.append(f"lowest {number_text(known.low)} to {number_text(seen.low)}")
        if seen.high is not None and known.high is not None and seen.high > known.high:
            before, after = before + above(reference), after + above(current)
            words.append(f"highest {number_text(known.high)} to {number_text(seen.high)}")
        found = Proportion(after, seen.present)
        said = "; ".join([*words, f"{share_text(found.share)} of rows there"]) if words else "within the range"
        return compare(Proportion(before, known.present), found, said, upwards=True)
