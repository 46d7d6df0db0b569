"""The chart of an effect over time, as SVG text: the same picture in a report and, drawn to pixels, in a message."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape

from checks.wording import number_text
from monitor.core.notice import Series
from monitor.core.wording import amount, plural, printable, shorten

FONTS = "Inter, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', 'DejaVu Sans', Arial, sans-serif"
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 64, 62, 34  # margins around the plot, in pixels
_DIGIT = 6.6  # width of a character of the small text, in pixels
_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400,
                    28 * 86400, 91 * 86400, 182 * 86400, 364 * 86400)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Palette:
    """Colours; text on background has a contrast of at least 4.5 in both."""

    background: str
    ink: str
    faint: str
    grid: str
    band: str
    line: str
    alarm: str


_LIGHT = _Palette("#ffffff", "#1f2933", "#5b6773", "#e4e8ec", "#e3f1ea", "#3b5b7a", "#c0362c")
_DARK = _Palette("#15191e", "#e6eaee", "#9aa6b2", "#2a3138", "#1d3229", "#8fb4d9", "#ff7b6e")


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where values lie: the linear maps from time and effect to pixels."""

    width: int
    height: int
    start: float
    end: float
    low: float
    high: float

    def x(self, time: float) -> float:
        """Pixels from the left for seconds since 1970."""
        room = self.width - _LEFT - _RIGHT
        return _LEFT + (room * (time - self.start) / (self.end - self.start) if self.end > self.start else room / 2)

    def y(self, effect: float) -> float:
        """Pixels from the top for an effect."""
        return _TOP + (self.height - _TOP - _BOTTOM) * (self.high - effect) / (self.high - self.low)


def series_svg(series: Series, width: int = 720, height: int = 280, *, dark: bool = False) -> str:
    """Draw one column's effect over time, with its tolerance as a band and what lies beyond it marked.

    Parameters
    ----------
    series : times and effects of equal length, in any order; effects that are not finite are left out.
    width, height : size in pixels.
    dark : light text on a dark ground.
    """
    colours = _DARK if dark else _LIGHT
    pairs = zip(series.times, series.effects, strict=True)
    points = sorted((time.timestamp(), effect) for time, effect in pairs if math.isfinite(effect))
    parts = [f'<rect width="{width}" height="{height}" fill="{colours.background}"/>', _title(series, width, colours)]
    if points:
        low, high, ticks = _scale([effect for _, effect in points], series.tolerance)
        plot = _Plot(width, height, points[0][0], points[-1][0], low, high)
        parts += [_band(plot, series.tolerance, colours), _rows(plot, ticks, colours), _dates(plot, colours)]
        parts += [_edges(plot, series.tolerance, colours), _line(plot, points, series.tolerance, colours)]
        parts.append(_labels(plot, points[-1], series.tolerance, colours))
    else:
        parts.append(_text(width / 2, height / 2 + 10, "no measurements yet", colours.faint, anchor="middle"))
    label = escape(describe(series))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{label}" font-family="{FONTS}" font-size="12">{"".join(parts)}</svg>'
    )


def describe(series: Series) -> str:
    """Return the chart in one sentence, for those who cannot see it."""
    name = printable(series.column)
    values = [effect for effect in series.effects if math.isfinite(effect)]
    if not values:
        return f"Effect of {name} over time: no measurements yet."
    windows = plural(len(values), "window")
    beyond = sum(abs(value) > series.tolerance for value in values)
    return (
        f"Effect of {name} over time: {amount(values[-1], series.unit)} in the latest of {windows}, "
        f"tolerance {amount(series.tolerance, series.unit)}, beyond it in {beyond}."
    )


def _scale(effects: list[float], tolerance: float) -> tuple[float, float, list[float]]:
    """Return the axis' ends, a little beyond everything shown, and round values to label."""
    low, high = min(0.0, *effects, 0.0), max(*effects, tolerance, 0.0)
    if low < 0:
        low = min(low, -tolerance)
    reach = (high - low) or 1.0
    raw = reach / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    high += 0.08 * reach
    if low < 0:
        low -= 0.08 * reach
    ticks = [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return low, high, ticks


def _title(series: Series, width: int, colours: _Palette) -> str:
    name = shorten(printable(series.column), max(8, width // 11))
    unit = f" in {shorten(printable(series.unit), 30)}" if series.unit else ""
    subtitle = f"distance from the reference{unit}, one point a window"
    return (
        f'<text x="{_LEFT - 42}" y="26" font-size="16" font-weight="600" fill="{colours.ink}">{escape(name)}</text>'
        + _text(_LEFT - 42, 45, subtitle, colours.faint)
    )


def _text(x: float, y: float, words: str, colour: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'


def _band(plot: _Plot, tolerance: float, colours: _Palette) -> str:
    top, bottom = plot.y(tolerance), plot.y(max(-tolerance, plot.low))
    return (
        f'<rect x="{_LEFT}" y="{top:.1f}" width="{plot.width - _RIGHT - _LEFT}" height="{bottom - top:.1f}" '
        f'fill="{colours.band}"/>'
    )


def _edges(plot: _Plot, tolerance: float, colours: _Palette) -> str:
    heights = [plot.y(tolerance), *([plot.y(-tolerance)] if plot.low < 0 else [])]
    return "".join(
        f'<line x1="{_LEFT}" x2="{plot.width - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}" '
        f'stroke="{colours.faint}" stroke-dasharray="4 4"/>'
        for height in heights
    )


def _labels(plot: _Plot, last: tuple[float, float], tolerance: float, colours: _Palette) -> str:
    """Name the tolerance on the left and, in the margin, the latest effect; a halo keeps them legible."""
    halo = f'stroke="{colours.background}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
    colour = colours.alarm if abs(last[1]) > tolerance else colours.line
    return (
        f"<g {halo}>"
        + _text(_LEFT + 6, plot.y(tolerance) - 6, f"tolerance {number_text(tolerance)}", colours.faint)
        + '<g font-weight="600">'
        + _text(plot.x(last[0]) + 9, plot.y(last[1]) + 4, number_text(last[1]), colour)
        + "</g></g>"
    )


def _rows(plot: _Plot, ticks: list[float], colours: _Palette) -> str:
    right = plot.width - _RIGHT
    return "".join(
        f'<line x1="{_LEFT}" x2="{right}" y1="{plot.y(tick):.1f}" y2="{plot.y(tick):.1f}" stroke="{colours.grid}"/>'
        + _text(_LEFT - 8, plot.y(tick) + 4, number_text(round(tick, 12)), colours.faint, anchor="end")
        for tick in ticks
    )


def _dates(plot: _Plot, colours: _Palette) -> str:
    """Label round moments of UTC, as many as fit side by side."""
    base = plot.height - _BOTTOM + 20
    span = plot.end - plot.start
    room = plot.width - _LEFT - _RIGHT
    form = (
        "%H:%M" if span < 86400 else "%d %b %H:%M" if span < 3 * 86400 else "%d %b" if span < 300 * 86400 else "%b %Y"
    )
    if span <= 0:
        return _text(plot.x(plot.start), base, _date(plot.start, "%d %b %Y %H:%M"), colours.faint, anchor="middle")
    most = max(1, int(room / (_DIGIT * len(_date(plot.start, form)) + 24)))
    step = next((s.total_seconds() for s in _STEPS if span / s.total_seconds() <= most), span)
    first = math.ceil(plot.start / step) * step
    marks = [first + index * step for index in range(int((plot.end - first) // step) + 1)] or [plot.start]
    return "".join(
        f'<line x1="{plot.x(mark):.1f}" x2="{plot.x(mark):.1f}" y1="{base - 20}" y2="{base - 15}" '
        f'stroke="{colours.faint}"/>'
        + _text(_inside(plot, mark, form), base, _date(mark, form), colours.faint, anchor="middle")
        for mark in marks
    )


def _inside(plot: _Plot, mark: float, form: str) -> float:
    """Return where a date is written: under its mark, or far enough from the picture's edge to be whole."""
    half = _DIGIT * len(_date(mark, form)) / 2
    return min(max(plot.x(mark), half), plot.width - half)


def _date(seconds: float, form: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def _line(plot: _Plot, points: list[tuple[float, float]], tolerance: float, colours: _Palette) -> str:
    path = " ".join(f"{plot.x(time):.1f},{plot.y(effect):.1f}" for time, effect in points)
    radius = 3.5 if len(points) <= 60 else 2.0
    dots = "".join(
        f'<circle cx="{plot.x(time):.1f}" cy="{plot.y(effect):.1f}" r="{radius}" '
        f'fill="{colours.alarm if abs(effect) > tolerance else colours.line}"/>'
        for time, effect in points
    )
    return f'<polyline points="{path}" fill="none" stroke="{colours.line}" stroke-width="2"/>{dots}'
