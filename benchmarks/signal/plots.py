"""The benchmark's pictures: a line a row, a dot a rule, on a logarithmic axis; as SVG and as PNG."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, isfinite, log10
from pathlib import Path

from monitor.core.chart import FONTS
from monitor.notifiers._png import png

COLOURS = ("#1f6f8b", "#c8553d", "#e0a030", "#6a4c93", "#588157", "#8d99ae", "#343a40")
LEAST = 0.01  # smaller values, zero too, are drawn here
_ROW, _TOP, _LEFT, _PLOT, _RIGHT, _BELOW = 22, 58, 230, 560, 64, 40  # pixels
_NEVER = 36  # pixels from the plot to where infinite values stand
_STEP = 2.5  # pixels between the series of a row, so that equal values do not hide each other
_LEGEND = 130  # pixels a name


def dots_svg(title: str, axis: str, rows: Mapping[str, Mapping[str, float]], limit: float | None = None) -> str:
    """Draw values by row and series; an infinite one is a hollow dot at the right end.

    Parameters
    ----------
    title, axis : words above and below.
    rows : by label, then by series; the first series is drawn last, on top.
    limit : value that gets a dashed line, such as the budget.
    """
    series = list(dict.fromkeys(name for by in rows.values() for name in by))
    shown = [max(value, LEAST) for by in rows.values() for value in by.values() if isfinite(value)] or [1.0]
    low, high = floor(log10(min([*shown, limit or 1.0]))), ceil(log10(max([*shown, limit or 1.0])) + 0.05)
    base, right = _TOP + _ROW * len(rows), _LEFT + _PLOT

    def x(value: float) -> float:
        return _LEFT + _PLOT * (log10(max(value, LEAST)) - low) / (high - low) if isfinite(value) else right + _NEVER

    parts = [_words(8, 18, title, size=14), *_legend(series)]
    for power in range(low, high + 1):
        parts.append(f'<path d="M{x(10.0**power):.1f} {_TOP - 6}V{base}" stroke="#ddd"/>')
        parts.append(_words(x(10.0**power), base + 15, f"{10.0**power:g}", "middle"))
    parts += [
        _words(right + _NEVER, base + 15, "never", "middle"),
        _words(_LEFT + _PLOT / 2, base + 32, axis, "middle"),
    ]
    if limit is not None:
        parts.append(f'<path d="M{x(limit):.1f} {_TOP - 6}V{base}" stroke="#333" stroke-dasharray="4 3"/>')
    for place, (label, by) in enumerate(rows.items()):
        y = _TOP + _ROW * (place + 0.5)
        parts.append(_words(_LEFT - 12, y + 4, label, "end"))
        for name in reversed(by):
            aside = _STEP * (series.index(name) - (len(series) - 1) / 2)
            parts.append(_dot(x(by[name]), y + aside, _colour(series, name), filled=isfinite(by[name])))
    width, height = right + _RIGHT, base + _BELOW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{escape(FONTS)}" font-size="12" role="img" aria-label="{escape(title)}">'
        f'<path d="M0 0H{width}V{height}H0z" fill="#fff"/>{"".join(parts)}</svg>'
    )


def write(svg: str, path: Path) -> None:
    """Write a picture as SVG, and as PNG beside it."""
    path.with_suffix(".svg").write_text(svg, encoding="utf-8")
    path.with_suffix(".png").write_bytes(png(svg))


def _colour(series: Sequence[str], name: str) -> str:
    return COLOURS[series.index(name) % len(COLOURS)]


def _words(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'


def _dot(x: float, y: float, colour: str, *, filled: bool) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour if filled else "none"}" stroke="{colour}"/>'


def _legend(series: Sequence[str]) -> list[str]:
    places = [(_LEGEND * place + 14.0, name) for place, name in enumerate(series)]
    dots = [_dot(x, 36, _colour(series, name), filled=True) for x, name in places]
    return dots + [_words(x + 10, 40, name) for x, name in places]
