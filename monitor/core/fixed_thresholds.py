"""Fixed thresholds, tried on the reference: how often a user's own would have alarmed where nothing was wrong. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checks.measurement import Measurement
from checks.profile import Table, Volume
from monitor.core.calendar import Calendar
from monitor.core.lifecycle import Holding
from monitor.core.measuring import Planned, measure
from monitor.core.reference import Reference


@dataclass(frozen=True)
class Tried:
    """What a fixed threshold makes of the reference's own windows.

    Parameters
    ----------
    check, threshold : which one.
    alarms : that it would have raised, over all its columns, each held until it was calm again.
    columns : of those alarms, the one with the most first.
    windows : of the reference.
    """

    check: str
    threshold: float
    alarms: int
    columns: tuple[str, ...]
    windows: int


def tried(reference: Reference, plan: Sequence[Planned], holding: Holding, calendar: Calendar) -> list[Tried]:
    """Try every fixed threshold of a plan on the reference's windows, by the rules that incidents open and close by."""
    fixed = [planned for planned in plan if planned.threshold is not None]
    windows = [(window, profile) for window, profile in reference.blocks if calendar.excluded(window) is None]
    if not fixed or not windows:
        return []
    shown: dict[tuple[str, float], dict[str, list[bool]]] = {(p.name, p.threshold or 0.0): {} for p in fixed}
    history: tuple[Volume, ...] = ()
    for window, profile in windows:
        start, end = window.start.timestamp(), window.end.timestamp()
        for item in measure(reference.bins, reference.profile, Table(profile, start, end, history), fixed):
            threshold = item.planned.threshold
            if threshold is not None and isinstance(item.result, Measurement):
                columns = shown[item.planned.name, threshold]
                columns.setdefault(item.column or "(table)", []).append(item.result.statistic > threshold)
        history = (*history, Volume(start, end, profile.rows, profile.last_event))
    found = []
    for (check, threshold), columns in shown.items():
        alarms = {column: alarms_of(breaches, holding) for column, breaches in columns.items()}
        alarmed = sorted((column for column in alarms if alarms[column]), key=lambda column: -alarms[column])
        found.append(Tried(check, threshold, sum(alarms.values()), tuple(alarmed), len(windows)))
    return found


def alarms_of(breaches: Iterable[bool], holding: Holding) -> int:
    """Return how many alarms breaches in order make: each waits to open, and lasts until it was calm for long enough.

    Parameters
    ----------
    breaches : of the windows that had an answer; those without one neither feed nor calm an alarm.
    """
    alarms = beyond = calm = 0
    opened = False
    for breach in breaches:
        beyond, calm = (beyond + 1, 0) if breach else (0, calm + 1)
        if opened:
            opened = calm < holding.resolve_after
        elif beyond >= holding.open_after:
            alarms, opened = alarms + 1, True
    return alarms
