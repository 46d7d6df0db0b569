"""The report's small charts as SVG: coloured by the page's style, so they are light or dark as the page is."""

from collections.abc import Callable, Sequence
from html import escape

from checks.profile import Kind
from checks.wording import share_text
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.window import Window
from monitor.core.wording import plural, printable
from monitor.report.digest import judged
from monitor.report.distribution import Floats, Histogram
from monitor.report.words import DAYS_FROM, effect_text, round_steps, value_text

Fan = tuple[float, float, float]  # 5th, 50th and 95th percentile

WIDTH, HEIGHT = 460, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 14, 24  # margins around the plot
_TAIL = 40  # width of the bar for what lies beyond the drawn range
_TAIL_SHOWN = 0.01  # share beyond the range from which it gets a bar
_REACH = 1.06  # air above the highest value


def svg(body: str, label: str) -> str:
    """Wrap a chart's body; ``label`` is what a screen reader says."""
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{body}</svg>'


def words(x: float, y: float, text: str, anchor: str = "") -> str:
    """Return a label; ``anchor`` is m for the middle, e for the end."""
    name = f' class="{anchor}"' if anchor else ""
    return f'<text{name} x="{x:.5g}" y="{y:.5g}">{escape(text)}</text>'


def histogram_svg(name: str, kind: Kind, shown: Histogram, sides: tuple[str, str]) -> str:
    """Draw the reference as an area and the current rows as an outline; tails beyond the range as bars at the ends."""
    tails = [max(pair) >= _TAIL_SHOWN for pair in (shown.below, shown.above)]
    left, right = LEFT + _TAIL * tails[0], WIDTH - RIGHT - _TAIL * tails[1]
    # A tail is a share over no particular width: it is written, and must not flatten the histogram beside it.
    peak = float(max(shown.reference.max(), shown.current.max())) or 1.0
    scale = (HEIGHT - TOP - BOTTOM) / (peak * _REACH)
    base = HEIGHT - BOTTOM
    ends = ((tails[0], shown.below, float(LEFT), "less"), (tails[1], shown.above, right, "more"))
    low, high = float(shown.edges[0]), float(shown.edges[-1])
    parts = [f'<path class="axis" d="M{LEFT} {base}H{WIDTH - RIGHT}"/>']
    for css, side in (("ref", shown.reference), ("cur", shown.current)):
        if side.any():
            parts.append(f'<path class="{css}" d="{_steps(side, left, right, base, scale)}"/>')
    parts += [_tail(pair, x, base, scale, peak, name) for there, pair, x, name in ends if there]
    for tick in _ticks(low, high, kind):
        x = left + (right - left) * (tick - low) / ((high - low) or 1)
        parts.append(words(x, HEIGHT - 7, value_text(tick, kind), "m"))
    parts.append(words(LEFT - 6, base - peak * scale + 4, share_text(peak), "e"))
    parts.append(f'<path class="grid" d="M{LEFT} {base - peak * scale:.4g}H{WIDTH - RIGHT}"/>')
    label = f"Histogram of {printable(name)}: {sides[0]} as an area, {sides[1]} as an outline; quantiles in the table"
    return svg("".join(parts), label)


def _ticks(low: float, high: float, kind: Kind, most: int = 5) -> list[float]:
    """Return round values; ages are round in the unit in which they are written."""
    unit = 24.0 if kind == "datetime" and max(abs(low), abs(high)) >= DAYS_FROM else 1.0
    return [unit * tick for tick in round_steps(low / unit, high / unit, most)]


def _tail(pair: tuple[float, float], x: float, base: float, scale: float, peak: float, name: str) -> str:
    """Draw the shares beyond one end as bars of at most the histogram's height, the current share written above."""
    heights = [min(share, peak) * scale for share in pair]
    bars = "".join(
        f'<path class="{css}" d="M{x + 6:.5g} {base}v{-height:.4g}h{_TAIL - 12}V{base}"/>'
        for css, height in zip(("ref", "cur"), heights, strict=True)
        if height
    )
    middle = x + _TAIL / 2
    above = words(middle, base - max(heights) - 4, share_text(pair[1]), "m") if pair[1] else ""
    return bars + above + words(middle, HEIGHT - 7, name, "m")


def _steps(side: Floats, left: float, right: float, base: float, scale: float) -> str:
    width = (right - left) / len(side)
    path = [f"M{left:.5g} {base}"]
    previous = None
    for index, share in enumerate(side):
        y = f"{base - share * scale:.4g}"
        if y != previous:
            path.append(f"{'' if index == 0 else f'H{left + index * width:.5g}'}V{y}")
        previous = y
    return "".join(path) + f"H{right:.5g}V{base}"


def effect_svg(findings: Sequence[Finding], span: Window) -> str:
    """Draw one check's effect in every window, with its interval and the tolerance as a band; breaches as diamonds.

    Of a check with a user's own threshold the statistic is drawn, which the threshold is about.
    """
    shown = [finding for finding in findings if judged(finding) is not None]
    if not shown:
        return ""
    name, unit = printable(shown[0].column or "the whole table"), shown[0].unit
    tolerance = max((finding.threshold or 0.0 for finding in shown), default=0.0)
    effects = [judged(finding) or 0.0 for finding in shown]
    ends = [finding.effect_ci[1] for finding in shown if finding.effect_ci and finding.rule is not Rule.THRESHOLD]
    high = max([*effects, tolerance, 0.0])
    high = min(max([high, *ends]), 1.5 * high) * _REACH or 1.0  # wide intervals may leave the picture
    low = min([*effects, 0.0]) * _REACH
    low = min(low, -tolerance * _REACH) if low < 0 else 0.0
    base, room = HEIGHT - BOTTOM, HEIGHT - TOP - BOTTOM

    def y(effect: float) -> float:
        return base - room * (min(max(effect, low), high) - low) / (high - low)

    parts = [
        f'<path class="band" d="M{LEFT} {y(tolerance):.4g}H{WIDTH - RIGHT}V{y(max(-tolerance, low)):.4g}H{LEFT}z"/>',
        *(
            f'<path class="limit" d="M{LEFT} {y(end):.4g}H{WIDTH - RIGHT}"/>'
            for end in (tolerance, -tolerance)
            if end >= low
        ),
        f'<path class="axis" d="M{LEFT} {y(0):.4g}H{WIDTH - RIGHT}"/>',
        _dates(span),
    ]
    parts += [words(LEFT - 6, y(tick) + 4, effect_text(tick, unit), "e") for tick in round_steps(low, high, 4)]
    points = [(_x(finding.window, span), finding) for finding in shown]
    parts.append('<path class="ci" d="' + "".join(_interval(x, finding, y) for x, finding in points) + '"/>')
    parts.append('<path class="line" d="' + _joined([(x, y(judged(f) or 0.0)) for x, f in points]) + '"/>')
    calm = "".join(f"M{x:.5g} {y(judged(f) or 0):.4g}h0" for x, f in points if f.verdict is not Verdict.BREACH)
    loud = "".join(
        f"M{x:.5g} {y(judged(f) or 0) - 5:.4g}l5 5-5 5-5-5z" for x, f in points if f.verdict is Verdict.BREACH
    )
    parts += [f'<path class="{css}" d="{path}"/>' for css, path in (("dot", calm), ("breach", loud)) if path]
    breaches = sum(finding.verdict is Verdict.BREACH for finding in shown)
    label = (
        f"{shown[0].check} of {name} over time: {effect_text(effects[-1], unit)} in the latest of "
        f"{plural(len(shown), 'window')}, tolerance {effect_text(tolerance, unit)}, breach in {breaches}"
    )
    return svg("".join(parts), label)


def _x(window: Window, span: Window) -> float:
    middle = window.start + window.length / 2
    return LEFT + 6 + (WIDTH - LEFT - RIGHT - 12) * ((middle - span.start) / span.length)


def _interval(x: float, finding: Finding, y: Callable[[float], float]) -> str:
    if finding.effect_ci is None or finding.rule is Rule.THRESHOLD:
        return ""
    low, high = finding.effect_ci
    return f"M{x:.5g} {y(low):.4g}V{y(high):.4g}"


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.5g} {y:.4g}" for x, y in points)


def _dates(span: Window) -> str:
    """Label the first and last day and the middle."""
    form = "%H:%M" if span.length.total_seconds() < 2 * 86400 else "%d %b"
    places = ((span.start, LEFT, ""), (span.start + span.length / 2, (LEFT + WIDTH - RIGHT) / 2, "m"))
    return "".join(words(x, HEIGHT - 7, time.strftime(form).lstrip("0"), anchor) for time, x, anchor in places) + words(
        WIDTH - RIGHT, HEIGHT - 7, span.end.strftime(form).lstrip("0"), "e"
    )


def fan_svg(name: str, kind: Kind, points: Sequence[tuple[Window, Fan]], reference: Fan, span: Window) -> str:
    """Draw median and middle 90% of every window over those of the reference."""
    values = [value for _, fan in points for value in fan] + list(reference)
    low, high = min(values), max(values)
    air = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    low, high = low - air, high + air
    base, room = HEIGHT - BOTTOM, HEIGHT - TOP - BOTTOM

    def y(value: float) -> float:
        return base - room * (value - low) / (high - low)

    xs = [_x(window, span) for window, _ in points]
    upper = [(x, y(fan[2])) for x, (_, fan) in zip(xs, points, strict=True)]
    lower = [(x, y(fan[0])) for x, (_, fan) in zip(xs, points, strict=True)]
    middle = [(x, y(fan[1])) for x, (_, fan) in zip(xs, points, strict=True)]
    right = WIDTH - RIGHT
    parts = [
        f'<path class="ref" d="M{LEFT} {y(reference[2]):.4g}H{right}V{y(reference[0]):.4g}H{LEFT}z"/>',
        f'<path class="limit" d="M{LEFT} {y(reference[1]):.4g}H{right}"/>',
        f'<path class="fan" d="{_joined([*upper, *reversed(lower)])}z"/>',
        f'<path class="line" d="{_joined(middle)}"/>',
        '<path class="dot" d="' + "".join(f"M{x:.5g} {place:.4g}h0" for x, place in middle) + '"/>',
        _dates(span),
    ]
    parts += [words(LEFT - 6, y(tick) + 4, value_text(tick, kind), "e") for tick in _ticks(low, high, kind, 4)]
    medians = [fan[1] for _, fan in points]
    label = (
        f"{printable(name)} over time: median {value_text(medians[0], kind)} in the first and "
        f"{value_text(medians[-1], kind)} in the last window, {value_text(reference[1], kind)} in the reference"
    )
    return svg("".join(parts), label)
