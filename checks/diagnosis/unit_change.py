"""The same quantity in another unit."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, Affine, Fit, fit
from checks.profile import Column, Kind
from checks.quantiles import TIMES, moved
from checks.wording import number_text

SLACK = 0.08  # a window's own variation on top of the exact factor; neighbouring factors are 15% apart or more
POPULATION = 3.0  # below this factor a changed world could do the same

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
        tried = [(conversion, words, fit(reference, current, conversion, SLACK)) for conversion, words in UNITS]
        fits = [(found, conversion, words) for conversion, words, found in tried if found is not None and found.holds]
        if not fits:
            return None
        found, conversion, words = min(fits, key=lambda item: item[0].strain)
        return Explanation(f"{words}: {moved(reference, current)}", _confidence(conversion, found))


def _confidence(conversion: Affine, found: Fit) -> float:
    factor = max(conversion.scale, 1 / conversion.scale)
    return (0.95 if factor > POPULATION or conversion.shift else 0.85) * found.trust
