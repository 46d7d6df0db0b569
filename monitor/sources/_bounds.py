"""A window as a condition on the time column, never too narrow; what it lets through too much is cut in Arrow."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from checks.instants import NANOSECONDS, Form, offset_of
from monitor.core.window import Window

if TYPE_CHECKING:
    import sqlalchemy as sa

_CHANGE = timedelta(hours=3)  # no change of clocks is longer, but for a country that crosses the date line
_LARGEST = 2**63 - 1  # of the integers that databases have
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def within(column: "sa.ColumnClause[Any]", form: Form, seen: Sequence[object], window: Window, zone: tzinfo) -> Any:
    """Return the condition for a time column.

    Parameters
    ----------
    column : the time column.
    form : how it keeps times.
    seen : a few of its values.
    window : half-open.
    zone : of times that name none.
    """
    import sqlalchemy as sa

    kind: Any = sa.TIMESTAMP(timezone=True) if form == "aware" else sa.DateTime()
    if form in NANOSECONDS:
        kind = sa.BigInteger()
    elif form == "text":
        kind = sa.String()
    conditions = []
    for bounds in ranges(form, seen, window, zone):
        # Each has a name of its own: a statement may have several windows, on columns of several tables.
        low, high = (sa.bindparam("bound", bound, kind, unique=True) for bound in bounds)
        conditions.append(sa.and_(column >= low, column < high))
    return sa.or_(*conditions)


def ranges(form: Form, seen: Sequence[object], window: Window, zone: tzinfo) -> list[tuple[Any, Any]]:
    """Return half-open ranges of raw values which together hold every row of the window."""
    if form == "aware":
        return [(window.start, window.end)]
    if form == "text":
        return _texts([str(value) for value in seen], window, zone)
    if form in NANOSECONDS:
        low, high = ((moment - _EPOCH) // timedelta(microseconds=1) * 1_000 for moment in (window.start, window.end))
        return [(max(low // NANOSECONDS[form], -_LARGEST), min(-(-high // NANOSECONDS[form]), _LARGEST))]
    return [wall(window, zone)]


def wall(window: Window, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the window on the zone's clock, wide enough where the clock is changed nearby."""
    low, high = window.start.astimezone(zone), window.end.astimezone(zone)
    before, after = (window.start - _CHANGE).astimezone(zone), (window.end + _CHANGE).astimezone(zone)
    if len({moment.utcoffset() for moment in (before, low, high, after)}) > 1:
        low, high = before, after
    return low.replace(tzinfo=None), high.replace(tzinfo=None)


def _texts(seen: Sequence[str], window: Window, zone: tzinfo) -> list[tuple[str, str]]:
    """Texts sort as times do where they share an offset and the separator after the date; both separators are tried."""
    offsets = {offset_of(text) for text in seen}
    if len(offsets) == 1 and offsets <= {"", "Z"}:
        low, high = wall(window, zone if offsets == {""} else UTC)
    else:
        margin = timedelta(days=1)
        low, high = (
            (window.start - margin).replace(hour=0, minute=0),
            (window.end + 2 * margin).replace(hour=0, minute=0),
        )
    low = low.replace(second=0, microsecond=0)
    high = high.replace(second=0, microsecond=0) + timedelta(minutes=bool(high.second or high.microsecond))
    if (low.hour, low.minute, high.hour, high.minute) == (0, 0, 0, 0):
        return [(f"{low:%Y-%m-%d}", f"{high:%Y-%m-%d}")]
    return [(f"{low:%Y-%m-%d}{separator}{low:%H:%M}", f"{high:%Y-%m-%d}{separator}{high:%H:%M}") for separator in " T"]
