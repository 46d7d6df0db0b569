"""When late rows are looked for: soon after a window was due, then at ever longer intervals, for a stated period."""

from datetime import datetime, timedelta

LOOKS = (1 / 8, 1 / 4, 1 / 2, 1.0)  # parts of the period; each look waits as long as all before it together


def next_look(due: datetime, lateness: timedelta, now: datetime) -> datetime | None:
    """Return when a window's rows are counted again; None where its time is over.

    Parameters
    ----------
    due : when the window was to be read.
    lateness : for how long after that late rows are taken in; at 0 never.
    now : when it was read, or counted last. Looks that were missed meanwhile are not made up for.
    """
    moments = (due + part * lateness for part in LOOKS)
    return next((moment for moment in moments if moment > now), None)
