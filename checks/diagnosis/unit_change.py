"""The same quantity in another unit."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, Affine, Fit, affine, fit
from checks.parts import filled_bins, without_zeros
from checks.profile import Column, Kind
from checks.quantiles import TIMES, median, moments, moved
from checks.wording import number_text

SLACK = 0.08  # a window's own variation on top of the exact factor; neighbouring factors are 15% apart or more
LARGE = 10.0  # factors from here on are recognised through a drift of the population
IMPOSSIBLE = 10.0  # so many spreads no population moves its mean
DRIFT, SPREAD_DRIFT = 2.5, 1.5  # spreads by which the mean, and factor by which the spread, may drift besides
FEWEST_BINS = 4  # of the reference; with fewer any two-point distribution is another's multiple
ZEROS = 0.25  # by how much the share of zeros may differ; a factor leaves it alone
HOTTEST = 500.0  # median of what may be a temperature, in any unit
POPULATION = 3.0  # below this factor a changed world could do the same
# so such a factor must fit closely: on the unbroken days of three real logs its strain was hardly ever lower
CLOSE = 0.3
FEWEST_ROWS = 250  # nor can fewer rows tell a table's factor from any other

_PAIRS = (
    (1.609344, "miles", "kilometres"),
    (1 / 0.45359237, "kilograms", "pounds"),
    (1 / 0.3048, "metres", "feet"),
    (2.54, "inches", "centimetres"),
    (24, "days", "hours"),
    (60, "hours", "minutes, or minutes seconds"),
    (3600, "hours", "seconds"),
)
_POWERS = (
    (10, "ten times larger", "ten times smaller"),
    (100, "fractions became percents, or units hundredths", "percents became fractions, or hundredths units"),
    (1e3, "units became thousandths", "thousandths became units"),
    (1e6, "units became millionths", "millionths became units"),
    (1e9, "units became billionths", "billionths became units"),
)
_REVERSED = {"minutes, or minutes seconds": ("minutes became hours, or seconds minutes")}
_TEMPERATURES = (
    (Affine(1.8, 32.0), "Celsius became Fahrenheit"),
    (Affine(1 / 1.8, -32 / 1.8), "Fahrenheit became Celsius"),
    (Affine(1.0, 273.15), "Celsius became kelvin"),
    (Affine(1.0, -273.15), "kelvin became Celsius"),
)


def _table() -> tuple[tuple[Affine, str], ...]:
    rows: list[tuple[Affine, str]] = []
    for factor, one, other in _PAIRS:
        rows.append((Affine(factor, 0.0), f"{one} became {other} ({TIMES} {factor:.4g})"))
        back = _REVERSED.get(other, f"{other} became {one}")
        rows.append((Affine(1 / factor, 0.0), f"{back} ({TIMES} {1 / factor:.4g})"))
    for factor, larger, smaller in _POWERS:
        rows.append((Affine(factor, 0.0), f"{larger} ({TIMES} {number_text(factor)})"))
        rows.append((Affine(1 / factor, 0.0), f"{smaller} (÷ {number_text(factor)})"))
    return (*rows, *_TEMPERATURES)


UNITS = _table()


@dataclass(frozen=True)
class UnitChange:
    """Every value was multiplied by a factor between two common units, or converted between temperatures."""

    title: ClassVar[str] = "changed unit"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 100

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by the conversion that predicts the current rows best, if the reference as it is does not."""
        same = fit(reference, current, IDENTITY, SLACK)
        if same is None or same.holds:
            return None
        was, now = without_zeros(reference), without_zeros(current)
        zeros = 1 - was.profile.present / reference.profile.present
        others = now.profile.present / current.profile.present
        if filled_bins(was) < FEWEST_BINS or not others or abs(1 - others - zeros) > ZEROS:
            return None
        tried = [(conversion, words, _fit(was, now, conversion)) for conversion, words in UNITS]
        fits = [(found, conversion, words) for conversion, words, found in tried if found is not None]
        if not fits:
            return None
        found, conversion, words = min(fits, key=lambda item: item[0].strain)
        small = _factor(conversion) < POPULATION and not conversion.shift
        if small and (found.strain > CLOSE or now.profile.present < FEWEST_ROWS or _share(was, now)):
            return None
        shifted = affine(was, now, SLACK, scale=1.0)
        if not conversion.shift and shifted is not None and shifted[1].strain <= found.strain:
            return None
        sure = 0.95 if _factor(conversion) > POPULATION or conversion.shift else 0.85
        return Explanation(f"{words}: {moved(reference, current)}", sure * found.trust)


def _share(reference: Column, current: Column) -> bool:
    """Whether both sides keep within 0 and 1, as scores and shares do, which have no unit."""
    return all(
        side.profile.low is not None
        and side.profile.high is not None
        and side.profile.low >= 0
        and side.profile.high <= 1
        for side in (reference, current)
    )


def _factor(conversion: Affine) -> float:
    return max(conversion.scale, 1 / conversion.scale)


def _fit(reference: Column, current: Column, conversion: Affine) -> Fit | None:
    """Return the fit if the conversion holds, or is so large that a drift of the population cannot hide it."""
    if conversion.shift and ((middle := median(reference)) is None or abs(middle) > HOTTEST):
        return None
    found = fit(reference, current, conversion, SLACK)
    if found is None or found.holds:
        return found
    return found if _drifted(reference, current, conversion) else None


def _drifted(reference: Column, current: Column, conversion: Affine) -> bool:
    """Whether the move is too large for a population and the conversion leaves one that a population can make."""
    before, after = moments(reference), moments(current)
    if before is None or after is None or not before[1] or not after[1]:
        return False
    if _factor(conversion) < LARGE and abs(after[0] - before[0]) < IMPOSSIBLE * before[1]:
        return False
    spread = conversion.scale * before[1]
    rest = abs(after[0] - (conversion.scale * before[0] + conversion.shift)) / spread
    return rest < DRIFT and abs(log(after[1] / spread)) < log(SPREAD_DRIFT)
