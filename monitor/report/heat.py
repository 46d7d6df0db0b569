"""The map of columns by windows: one strip a column, drawn with a few bytes a cell.

Where nothing breaches, the shade says how much evidence had gathered; the colour of a breach says how large the change
was in that window. A mark in the cell says the verdict again, so that nothing rests on colour alone.
"""

from html import escape
from itertools import groupby

from monitor.core.finding import Verdict
from monitor.core.wording import plural, printable
from monitor.report.digest import Cell, ColumnDigest
from monitor.report.words import evidence_text, times_text

# Upper bounds; beyond the last lies the strongest shade. Evidence is a share of what an alarm costs: it grows by
# factors, and 1% is what calm windows gather. A breach's effect is in tolerances: with the default of 0.05 standard
# deviations, the bounds are Cohen's small, medium and very large effect.
CALM_LEVELS = (0.01, 0.1)
BREACH_LEVELS = (4.0, 10.0, 24.0)
LEGEND = (
    ("no breach, evidence", (("n0", "up to 1% of an alarm"), ("n1", "1% to 10%"), ("n2", "over 10%"))),
    ("breach, tolerances", (("h0", "up to 4"), ("h1", "4 to 10"), ("h2", "10 to 24"), ("h3", "over 24"))),
)
_MARKS = {Verdict.BREACH: "b", Verdict.FAILED: "f", Verdict.INCONCLUSIVE: "i"}
_HEIGHT = 20  # of a strip; cells are ten wide, and the strip is stretched to its place


def strip(one: ColumnDigest) -> str:
    """Return one column's strip as SVG: a path for each colour, in which neighbours of one colour are one stroke."""
    paths: dict[str, list[str]] = {}
    place = 0
    for level, run in groupby(one.cells, key=_level):
        length = sum(1 for _ in run)
        if level is not None:
            paths.setdefault(level, []).append(f"M{place * 10} 10h{length * 10}")
        place += length
    for index, cell in enumerate(one.cells):
        if cell is not None and (mark := _MARKS.get(cell.verdict)):
            paths.setdefault(mark, []).append(_mark(mark, index * 10 + 5))
    drawn = "".join(f'<path class="{name}" d="{"".join(parts)}"/>' for name, parts in sorted(paths.items(), key=_last))
    width = max(1, len(one.cells)) * 10
    return (
        f'<svg class="strip" viewBox="0 0 {width} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(in_words(one))}">{drawn}</svg>'
    )


def _last(item: tuple[str, list[str]]) -> bool:
    return item[0] in _MARKS.values()  # marks lie on the colours


def _mark(mark: str, x: int) -> str:
    if mark == "b":
        return f"M{x} 10h0"
    return f"M{x - 2} 10h4" if mark == "i" else f"M{x - 2} 6l4 8m0-8l-4 8"


def _level(cell: Cell | None) -> str | None:
    if cell is None or (cell.ratio is None and cell.evidence is None):
        return None
    if cell.verdict is Verdict.BREACH:
        return f"h{sum((cell.ratio or 0.0) > bound for bound in BREACH_LEVELS)}"
    return f"n{sum((cell.evidence or 0.0) > bound for bound in CALM_LEVELS)}"


def in_words(one: ColumnDigest) -> str:
    """Return a strip in a sentence, for those who cannot see it."""
    seen = [cell for cell in one.cells if cell is not None]
    count = {verdict: sum(cell.verdict is verdict for cell in seen) for verdict in _MARKS}
    parts = [f"breach in {count[Verdict.BREACH]} of {plural(len(seen), 'window')}"]
    if one.breaches:
        parts.append(f"largest effect {times_text(one.peak)} times the tolerance")
    elif one.evidence is not None:
        parts.append(f"evidence at most {evidence_text(one.evidence)} of what an alarm costs")
    if count[Verdict.INCONCLUSIVE]:
        parts.append(f"inconclusive in {count[Verdict.INCONCLUSIVE]}")
    if count[Verdict.FAILED]:
        parts.append(f"failed in {count[Verdict.FAILED]}")
    return f"{printable(one.name or 'whole table')}: {', '.join(parts)}"


def ticks(count: int, most: int = 5) -> list[int]:
    """Return the places of at most ``most`` windows to label, evenly spread, the first and last among them."""
    if count <= most:
        return list(range(count))
    return [round(step * (count - 1) / (most - 1)) for step in range(most)]
