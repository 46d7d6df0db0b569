"""Faults of a whole window: what its rows and those of earlier windows together show (SIGNAL.md 2.10). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np

from checks.diagnosing import Group
from checks.diagnosis_clock import by_hour, turned_clock
from checks.diagnosis_replay import Logged, loaded_twice, replayed
from checks.diagnosis_volume import volume
from checks.profile import Bins, Profile, Volume
from monitor.core.alarms import Past
from monitor.core.finding import Finding, Findings, Rule, Verdict
from monitor.core.window import Window

LOOKED_BACK = 60  # windows whose profiles are compared when something points to them
PEERS = 8  # windows at the same hour of the week that a volume is compared with
TELLING_ROWS = 100  # small windows have equal numbers of rows all the time
SUSPICIOUS = 1.6  # times the usual rows, from which a load that ran twice is looked for
_HOUR, _WEEK = timedelta(hours=1), timedelta(days=7)

Groups = dict[str, Group]  # by check


def table_faults(
    findings: Findings,
    window: Window,
    profile: Profile,
    history: Sequence[Volume],
    past: Past,
    bins: Mapping[str, Bins],
) -> tuple[Findings, Groups]:
    """Return the findings, with what repeats earlier rows among them, and what the breaches of the table are called.

    Profiles of earlier windows are asked for only where the row counts point to a fault: reading them costs more than
    judging the window.
    """
    groups: Groups = {}
    tables = findings.of_table()
    again = _again(window, profile, history, past)
    if again is not None:
        findings = findings.replaced({n: _repeating(f, again) for n, f in tables.items() if f.check == "duplicate_ids"})
        groups["duplicate_ids"] = again
    if any(f.check == "row_count" and f.verdict is Verdict.BREACH for f in tables.values()):
        found = _turned(window, profile, history) or volume(profile, _peers(window, past), bins)
        if found is not None:
            groups["row_count"] = found
    return findings, groups


def _again(window: Window, profile: Profile, history: Sequence[Volume], past: Past) -> Group | None:
    """Name a window whose rows were logged before, or twice."""
    if not profile.rows or not history:
        return None
    same = profile.rows >= TELLING_ROWS and any(earlier.rows == profile.rows for earlier in history)
    many = profile.rows > SUSPICIOUS * median(earlier.rows for earlier in history)
    if not same and not many:
        return None
    since = window.start - LOOKED_BACK * window.length
    earlier = [Logged(w.start.timestamp(), p) for w, p in past(since)[-LOOKED_BACK:]]
    current = Logged(window.start.timestamp(), profile)
    return (replayed(current, earlier) if same else None) or (loaded_twice(current, earlier) if many else None)


def _repeating(finding: Finding, group: Group) -> Finding:
    return replace(finding, verdict=Verdict.BREACH, rule=Rule.FACT, fatal=True, reason=group.words)


def _peers(window: Window, past: Past) -> list[Profile]:
    """Return the profiles at the same hour of the week, where there are three of them, else the latest."""
    found = past(window.start - PEERS * _WEEK)
    like = [profile for w, profile in found if (window.start - w.start) % _WEEK == timedelta()]
    return like[-PEERS:] if len(like) >= 3 else [profile for _, profile in found[-PEERS:]]


def _turned(window: Window, profile: Profile, history: Sequence[Volume]) -> Group | None:
    """Name a day whose rhythm is turned, where windows are short enough to see it."""
    if window.length > _HOUR:
        return None
    now = Volume(window.start.timestamp(), window.end.timestamp(), profile.rows)
    begin = (window.end - timedelta(days=1)).timestamp()
    latest = [*(v for v in history if v.start >= begin), now]
    hours = np.zeros(24)
    for part in latest:
        hours[datetime.fromtimestamp(part.start, UTC).hour] += part.rows
    usual = by_hour([v for v in history if v.end <= begin])
    return turned_clock(usual, hours) if usual else None
