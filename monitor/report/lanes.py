"""Lanes of an axis of time: one strip an incident or a tool, stretched to its place like the strips of the map."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from monitor.core.window import Window

_WIDE = 1000  # of a strip
_THIN = 3.0  # of a mark, at least


def bar_lane(span: Window, start: datetime, end: datetime, told: datetime, severity: str, words: str) -> str:
    """Return a bar from a start to an end, with a dot where people would have been told."""
    left, right = _place(span, start), _place(span, end)
    colour = "h3" if severity == "critical" else "h1"
    right = max(right, left + _THIN)
    bar = f'<path class="{colour}" d="M{left:.5g} 10H{min(right, _WIDE):.5g}"/>'
    return _strip(f'{bar}<path class="b" d="M{_place(span, told):.5g} 10h0"/>', words)


def tick_lane(span: Window, windows: Sequence[Window], words: str, *, ours: bool) -> str:
    """Return a tick for every window."""
    ticks = "".join(
        f"M{min(_place(span, window.start), _WIDE - _THIN):.5g} 10h{max(_THIN, _length(span, window)):.4g}"
        for window in windows
    )
    return _strip(f'<path class="{"h2" if ours else "tick"}" d="{ticks}"/>' if ticks else "", words)


def _strip(body: str, words: str) -> str:
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDE} 20" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(words)}">{body}</svg>'
    )


def _place(span: Window, moment: datetime) -> float:
    return _WIDE * min(1.0, max(0.0, (moment - span.start) / span.length))


def _length(span: Window, window: Window) -> float:
    return _WIDE * (window.length / span.length)
