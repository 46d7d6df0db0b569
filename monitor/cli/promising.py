"""What a configuration promises before it runs: false alarms by the replay, what would be noticed, what is blind."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from checks.detectable import BLIND
from checks.wording import number_text
from monitor.core.fixed_thresholds import tried
from monitor.core.sight import Sight, sight, wandering
from monitor.core.spending import spending
from monitor.core.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.reference import Reference
    from monitor.core.signal import Signal
    from monitor.watch import Watch

SHOWN = 5  # columns
TELLING = ("location", "category_shift")  # the check that says most of a column, by its kind
SHORT = 1.0  # day, beside the week that findings speak of


@dataclass(frozen=True)
class Promise:
    """One line: what it is about, and whether it needs a second look."""

    about: str
    words: str
    outcome: Literal["ok", "warning"] = "ok"


def promises(signal: "Signal", reference: "Reference", watch: "Watch") -> list[Promise]:
    """Return what can be said before the first window; the budget first."""
    found = [Promise("budget", _budget(signal, watch))]
    if not signal.timed:
        words = "the reference has no times, so that windows are assumed to vary: only large changes will be noticed"
        return [*found, Promise("signal", words, "warning")]
    week, day = sight(signal, reference), sight(signal, reference, max(SHORT, 1 / signal.rhythm.a_day))
    leading = _leading(signal)
    found.append(Promise("signal", _worth(week, leading)))
    found += [Promise("signal", words) for words in _noticed(week, day, leading)]
    found += _warnings(signal, week, leading)
    return [*found, *_outside(reference, watch)]


def _budget(signal: "Signal", watch: "Watch") -> str:
    spent = spending(watch.rate, signal.audit, ())
    share = f"its share of the budget is {number_text(watch.rate)} per 30 days"
    if spent.expected is None:
        return f"{share}; the reference is too short to be replayed, so an alarm costs what the bound asks for"
    return f"on its own reference this setup would have notified {spent.expectation}; {share}"


def _worth(week: Sight, leading: dict[str, str]) -> str:
    """Return how many independent windows the reference is worth, since persistence makes them fewer."""
    signal = week.signal
    learnt = signal.detector.scales[-1].calibration
    size = "day" if signal.rhythm.a_day >= 1 - 1e-6 else "window"
    places = [place for column, check in leading.items() if (place := week.of_check(column, check)) is not None]
    blocks = plural(int(learnt.blocks.max(initial=0)), size)
    if not places:
        return f"{blocks} of reference"
    least, typical = np.quantile(learnt.independent[places], (0.0, 0.5))
    typically = f"{typical:.0f} independent ones in a typical column"
    return f"the reference's {blocks} are worth {typically}, {least:.0f} in the most persistent"


def _leading(signal: "Signal") -> dict[str, str]:
    """Return the check that says most of each column."""
    return {
        column: check
        for column in signal.detector.tracks.accounts
        for check in TELLING
        if (column, check) in signal.places
    }


def _noticed(week: Sight, day: Sight, leading: dict[str, str]) -> list[str]:
    """Return what would be noticed of the most important columns, else of the typical one of each kind."""
    asked = week.signal.terms.importance or {}
    wanted = sorted((c for c in leading if asked.get(c, 1.0) > 1), key=lambda c: -asked[c])[:SHOWN]
    if not wanted:
        return [words for check in TELLING if (words := _typical(week, day, check, leading)) is not None]
    return [_both(week, day, column, leading[column]) for column in wanted]


def _typical(week: Sight, day: Sight, check: str, leading: dict[str, str]) -> str | None:
    """Return the words of the column in the middle of all that a check is for."""
    places = {
        column: place
        for column, own in leading.items()
        if own == check and (place := week.of_check(column, check)) is not None
    }
    if not places:
        return None
    ranked = sorted(places, key=lambda column: float(week.effects[places[column]]))
    middle = ranked[(len(ranked) - 1) // 2]
    kind = "a typical numeric column" if check == "location" else "a typical categorical column"
    return f"{kind}, {_both(week, day, middle, check)}"


def _both(week: Sight, day: Sight, column: str, check: str) -> str:
    place = week.of_check(column, check)
    assert place is not None
    long = f"{column}: {week.words(place)}"
    return long if day.days >= week.days else f"{long}, {day.size(place)} within {plural(round(day.days), 'day')}"


def _warnings(signal: "Signal", week: Sight, leading: dict[str, str]) -> list[Promise]:
    found = []
    unfit = signal.audit.unfit
    if unfit:
        said = f"nothing can be concluded of {_listed(unfit)}: the reference itself would set off an alarm at any price"
        found.append(Promise("signal", said, "warning"))
    judged = {
        column for column, weight in zip(signal.detector.tracks.accounts, signal.importance, strict=True) if weight
    }
    blind = [column for column, check in leading.items() if column in judged and week.blind(column, check)]
    if blind:
        days = plural(round(week.days), "day")
        said = f"blind in {_listed(blind)}: a large change ({BLIND} sd) would not be noticed within {days}"
        why = "windows vary too much in the reference, or have too few rows; a longer reference may help"
        found.append(Promise("signal", f"{said}; {why}", "warning"))
    moving = wandering(signal)
    if moving:
        said = f"the reference itself wanders in {_listed(moving)}: changes as large as its own are taken for normal"
        found.append(Promise("signal", said, "warning"))
    return found


def _listed(columns: "Sequence[str]") -> str:
    more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
    return ", ".join(columns[:SHOWN]) + more


def _outside(reference: "Reference", watch: "Watch") -> list[Promise]:
    """Return what fixed thresholds would have cost; nobody promises anything of them."""
    found = []
    for item in tried(reference, watch.plan, watch.holding, watch.rhythm.calendar):
        where = f" ({_listed(item.columns)})" if item.columns else ""
        words = (
            f"outside of the budget; with the threshold {number_text(item.threshold)} it would have alarmed "
            f"{plural(item.alarms, 'time')} in the reference's own {plural(item.windows, 'window')}{where}"
        )
        found.append(Promise(f"checks.{item.check}", words, "warning" if item.alarms else "ok"))
    return found
