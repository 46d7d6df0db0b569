"""Words for people: how values, moments and numbers are written wherever a message or a page shows them."""

import unicodedata
from datetime import UTC, datetime, timedelta

from checks.wording import number_text, share_text
from monitor.core.window import Window

# Control, format, surrogate and separator characters can forge lines, hide text or turn it round.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # letters of several scripts and most emoji need them
_DAY = timedelta(days=1)
_FROM_0_TO_1 = " from 0 to 1"


def printable(text: str) -> str:
    r"""Return ``text`` on one line, with every character that cannot be seen written as an escape such as ``\x1b``."""
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _UNPRINTABLE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def shorten(text: str, limit: int) -> str:
    """Return at most ``limit`` characters, the last of them an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def amount(effect: float, unit: str) -> str:
    """Return an effect in its check's unit: ``18% of rows``, ``0.62 standard deviations``, ``distance 0.3 of 1``."""
    unit = printable(unit)
    if unit.startswith("share"):
        return f"{share_text(effect)}{unit.removeprefix('share')}"
    if unit.endswith(_FROM_0_TO_1):
        return f"{unit.removesuffix(_FROM_0_TO_1)} {number_text(effect)} of 1"
    return f"{number_text(effect)} {unit}".strip()


def moment(time: datetime) -> str:
    """Return a moment as ``2026-03-01 14:00 UTC``."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(window: Window) -> str:
    """Return a window as people say it: one day by its date, hours of one day by their times, else both ends."""
    start, end = window.start, window.end
    midnight = start.time() == datetime.min.time()
    if midnight and window.length == _DAY:
        return f"{start:%Y-%m-%d} (UTC)"
    if midnight and end.time() == datetime.min.time():
        return f"{start:%Y-%m-%d} to {end - _DAY:%Y-%m-%d} (UTC)"
    if start.date() == end.date():
        return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"


def plural(count: int, word: str) -> str:
    """Return ``1 column`` or ``1,204 columns``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def days(length: float | None) -> str:
    """Return a time in days as ``3 days``, below one as ``6 h``; a dash where there is none."""
    if length is None:
        return "–"
    if length < 1:
        return f"{24 * length:.2g} h"
    return "1 day" if length == 1 else f"{length:.0f} days" if length >= 9.95 else f"{length:.2g} days"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago something was: ``just now``, ``5 min ago``, ``2 h ago``, ``3 days ago``."""
    seconds = (now - then).total_seconds()
    for size, word in ((86_400, " days"), (3600, " h"), (60, " min")):
        if seconds >= size * (2 if size == 86_400 else 1):
            return f"{seconds // size:.0f}{word} ago"
    return "just now"
