"""Values outside of the range of the reference."""

from dataclasses import dataclass, replace
from typing import ClassVar

from checks.components import Component, angle, share
from checks.measurement import Inconclusive, Measurement
from checks.native import Native, shares
from checks.profile import Column, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.wording import number_text, share_text


@dataclass(frozen=True)
class OutOfRange:
    """Out of range: the share of rows far outside of the reference's range.

    Far is beyond the outermost edges of the bins: one and a half times the width of the reference's central 99% away
    from it (Tukey's rule for outliers, on a range instead of the quartiles). A value just above the reference's maximum
    does not count: the reference is one draw, and the next season exceeds it as a matter of course. Infinities lie
    there too and count; ``non_finite`` counts them alone.

    Statistic: the share of rows beyond the outermost edges. The effect is its rise over the reference's own share;
    standard error with half a row added on both sides, p-value of equal shares (mid-p).

    Sees impossible values, changes of unit, sentinels far away. Does not see values in a gap inside the range, nor
    values near it: ``outlier_rate`` counts those.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.01: gross errors in one row of a hundred distort what a model sees.

    Configuration
    -------------
    ::

        - out_of_range: {tolerance: 0.001}

    References
    ----------
    Tukey 1977, *Exploratory Data Analysis*; Breck et al. 2019, *Data validation for machine learning*, SysML.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.001

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        known, seen = reference.profile, current.profile
        if (refused := without_rows(known.finite, seen.present)) is not None:
            return refused
        if not reference.bins.edges:
            return Inconclusive("the reference has no range", rows=seen.present, reference_rows=known.present)
        found = Proportion(int(seen.counts[0] + seen.counts[-1]), seen.present)
        words = []
        if seen.counts[0] and seen.low is not None and known.low is not None and seen.low < known.low:
            words.append(f"lowest {number_text(known.low)} to {number_text(seen.low)}")
        if seen.counts[-1] and seen.high is not None and known.high is not None and seen.high > known.high:
            words.append(f"highest {number_text(known.high)} to {number_text(seen.high)}")
        if seen.infinite:
            words.append("infinite values")
        said = "; ".join([*words, f"{share_text(found.share)} of rows there"]) if found.count else "within the range"
        return compare(Proportion(int(known.counts[0] + known.counts[-1]), known.present), found, said, upwards=True)

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        bins, profile = reference.bins, reference.profile
        if not bins.edges:
            return ()
        known = float(profile.counts[0] + profile.counts[-1]) / max(1, profile.present)
        far = share(bins, "far values", [0, bins.size - 1], angle(known, self.tolerance), tail=True)
        return (replace(far, rises=True),)

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        del component  # there is one
        return shares(
            "share of far values",
            reference,
            current,
            lambda side: (float(side.counts[0] + side.counts[-1]), side.present),
        )
