"""Health: from a process's pulse and the store's rows to named problems, each with what to do. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.wording import plural
from monitor.pulse import FLUSHED, FOLLOWING, LOOKED, RENEWAL, TICK, WRITTEN, Vitals, patience
from monitor.store.canaries import Proof
from monitor.store.leases import LEASE_SECONDS
from monitor.store.overview import Letters

LETTER_PATIENCE = timedelta(minutes=15)  # some five attempts: whoever is away longer is told of
CLOCK_TOLERANCE = 60.0  # seconds
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(hours=6)  # bounds of how long a window may be worked on
MOST_NAMED = 3

# Every problem that there is, with its remedy. The names are an interface: alerts and dashboards hold them.
REMEDIES: dict[str, str] = {
    "ticks_stale": "restart the daemon, and report the log: its loop should have been started again by itself",
    "tick_hangs": "see whether the store answers at all (`monitor status`); if it does, restart the daemon",
    "models_unseen": "the log says why (work.failed or work.crashed); no window is evaluated meanwhile",
    "store_away": "start the store again, or mend its disk, network or password; what is owed is then caught up",
    "work_fails": "the log says why (work.failed or work.crashed); it is tried again at every tick",
    "deliveries_stale": "see which receiver does not answer (the log's last notice.* lines), then restart the daemon",
    "outbox_old": "`monitor outbox` says which receiver refuses and why; it is tried again by itself",
    "letters_dead": "`monitor outbox` says why; mend the receiver and send them again",
    "worker_stuck": "see what the model's log database is doing; a restart of the daemon reads the window anew",
    "canary_failed": "mend what the canary names: a real alert would be lost there, too",
    "canary_overdue": "the log says why (canary.* or work.*); nothing proves at present that an alert gets through",
    "clock_off": "set the clocks of this machine and of the store's by NTP: windows are due by this machine's clock",
    "registry_away": "see whether MLflow answers, and as whom Leeway signs in; meanwhile the last known version counts",
    "budget_spent": "look at the incidents: if they are not real, raise false_alarms or mend the reference",
}
WARNINGS = frozenset({"registry_away", "budget_spent"})  # the rest is red: an alert may be lost or late


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the monitor itself."""

    name: str
    words: str

    @property
    def remedy(self) -> str:
        """What to do."""
        return REMEDIES[self.name]

    @property
    def red(self) -> bool:
        """Whether an alert may be lost or late because of it."""
        return self.name not in WARNINGS

    def __str__(self) -> str:
        return f"{self.words}; {self.remedy}"

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {"name": self.name, "red": self.red, "words": self.words, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class Rows:
    """What the store says of health.

    Parameters
    ----------
    spent : incidents that people were told of, over what the budget allows.
    """

    letters: Letters
    proof: Proof | None
    spent: float | None = None


def red(problems: Iterable[Problem]) -> bool:
    """Return whether an alert may be lost or late."""
    return any(problem.red for problem in problems)


def of_process(vitals: Vitals, tick: float, windows: Mapping[str, timedelta], skew: float = 0.0) -> list[Problem]:
    """Return what is wrong with a process.

    Parameters
    ----------
    tick : seconds between ticks.
    windows : how long each model's windows are: work on one should take less.
    skew : seconds that the process's clock is ahead of the store's.
    """
    found = [
        Problem("ticks_stale", f"the {name} has not come for {_time(seconds)}") for name, seconds in vitals.late.items()
    ]
    found += [
        Problem("tick_hangs", f"the {name} began {_time(seconds)} ago and has not ended")
        for name, seconds in vitals.hanging.items()
    ]
    away = [vitals.troubles[work] for work in sorted(vitals.store)]
    if not away and vitals.since[WRITTEN] > LEASE_SECONDS:
        away = [f"nothing could be written to the store for {_time(vitals.since[WRITTEN])}"]
    if away:
        found.append(Problem("store_away", away[0]))
    if vitals.since[LOOKED] > patience(tick) and not away and not {TICK, RENEWAL} & {*vitals.late, *vitals.hanging}:
        found.append(Problem("models_unseen", f"no model was looked at for {_time(vitals.since[LOOKED])}"))
    failing = {work: why for work, why in vitals.troubles.items() if work not in vitals.store}
    if (away_from := failing.pop(FOLLOWING, None)) is not None:
        found.append(Problem("registry_away", away_from))
    if failing:
        found.append(Problem("work_fails", "; ".join(f"{work}: {why}" for work, why in _some(failing.items()))))
    if vitals.since[FLUSHED] > LETTER_PATIENCE.total_seconds() and not away:
        found.append(Problem("deliveries_stale", f"the outbox was not gone through for {_time(vitals.since[FLUSHED])}"))
    found += [
        Problem("worker_stuck", f"a window of {model} has been worked on for {_time(seconds)}")
        for model, seconds in vitals.windows.items()
        if seconds > _longest(windows.get(model, LONGEST)).total_seconds()
    ]
    if abs(skew) > CLOCK_TOLERANCE:
        side = "ahead of" if skew > 0 else "behind"
        found.append(Problem("clock_off", f"this machine's clock is {_time(abs(skew))} {side} the store's"))
    return found


def told_by(said: object, host: str) -> list[Problem]:
    """Return what another process has said of itself; of another release's words what this one knows."""
    listed = said if isinstance(said, list) else []
    known = [item for item in listed if isinstance(item, dict) and item.get("name") in REMEDIES]
    return [Problem(str(item["name"]), f"{host}: {item.get('words', '')}") for item in known]


def of_store(rows: Rows, now: datetime, every: timedelta | None, watched_since: datetime | None) -> list[Problem]:
    """Return what is wrong as the store has it.

    Parameters
    ----------
    every : how often a canary is due; None where there are none.
    watched_since : when the process that has watched for longest began; None where none does.
    """
    found = []
    letters, proof = rows.letters, rows.proof
    if letters.oldest is not None and now - letters.oldest > LETTER_PATIENCE:
        waits = _time((now - letters.oldest).total_seconds())
        number = plural(letters.waiting, "message")
        found.append(Problem("outbox_old", f"{number} not delivered, the oldest {waits} old"))
    if letters.dead_lately:
        found.append(Problem("letters_dead", f"{plural(letters.dead_lately, 'message')} given up in the last 24 hours"))
    if every is not None and proof is not None and proof.failed:
        found.append(Problem("canary_failed", proof.words(now)))
    elif every is not None and watched_since is not None:
        last = max(watched_since, proof.at) if proof is not None else watched_since
        if now - last > 2 * every:
            ended = proof.words(now) if proof is not None else "the alert path was never proven"
            due = _time(every.total_seconds())
            found.append(Problem("canary_overdue", f"{ended}, and a canary is due every {due}"))
    if rows.spent is not None and rows.spent > 1:
        told = f"{rows.spent:.2g} times as many incidents were told in 30 days as false_alarms allows"
        found.append(Problem("budget_spent", told))
    return found


def _longest(window: timedelta) -> timedelta:
    return min(max(window, SHORTEST), LONGEST)


def _some(items: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(items)[:MOST_NAMED]


def _time(seconds: float) -> str:
    """Return a length of time as people say it."""
    for size, word in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} s"
