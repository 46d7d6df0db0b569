"""A backtest: the past through the daemon's own cycle, and what there is to say about it. Its store is thrown away."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from checks.peering import peer_rules
from checks.planting import FAULTS
from monitor.clocks import SetClock
from monitor.core.comparison import OURS, Comparison, Tool, our_alerts, tool
from monitor.core.errors import UserError
from monitor.core.evaluation import Subject
from monitor.core.false_alarms import FalseAlarms
from monitor.core.finding import Finding, breaches
from monitor.core.planted import Noticed, ground, noticed
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.replay import replay, windows_between
from monitor.replay.remembered import Remembered
from monitor.replay.rows import Collecting
from monitor.replay.stored import Stored, stored
from monitor.report.backtest import Backtest
from monitor.report.model import ReportData
from monitor.reporting import gather
from monitor.store import incidents as incident_rows
from monitor.store import versions as version_rows
from monitor.store.database import Store
from monitor.store.schema import scratch_store
from monitor.watch import Watch

T = TypeVar("T")

MOST_SHOWN = 1_500  # windows on a page
_DAY = timedelta(days=1)


class Bar(Protocol):
    """Yields items while people see how far it is."""

    def __call__(self, items: Iterable[T], total: int, title: str, /) -> Iterator[T]:
        """Yield items."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What a backtest is to say beside its incidents.

    Parameters
    ----------
    everything : keep every finding, not the breaches alone.
    from_log : read every window from the log, also those that the store has.
    planted : how soon planted faults would have been noticed.
    rules : names of the tools to compare with.
    page : for an HTML page the path of the configuration and the present moment; None for no page.
    """

    everything: bool = False
    from_log: bool = False
    planted: bool = True
    rules: tuple[str, ...] = ()
    page: tuple[Path, datetime] | None = None


def rules_named(text: str) -> tuple[str, ...]:
    """Return the tools of a list with commas, or all of them.

    Raises
    ------
    UserError
        When one is not known.
    """
    known = list(peer_rules())
    names = dict.fromkeys(name.strip() for name in text.split(","))
    for name in names:
        if name not in known and name != "all":
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}, and all"
            raise UserError(f"--compare knows no tool {name!r}; {hint}")
    return tuple(known if "all" in names else names)


def backtest(
    watch: Watch, start: datetime, end: datetime, wanted: Wanted, bar: Bar, store: Store | None = None
) -> Backtest:
    """Replay a model's past and say what is wanted of it. Sends nothing, and writes to no store but its own.

    Parameters
    ----------
    store : of the daemon, if there is one: what it has is not read from the log again.

    Raises
    ------
    UserError
        When rows are to be compared that the configuration gives none of.
    """
    if wanted.rules and watch.model.reference.pin is not None:
        raise UserError(
            f"--compare needs the rows of the reference, and models.{watch.name}.reference pins a snapshot, which keeps"
            " none; leave it out, or name a file"
        )
    quiet = replace(watch, receivers=(), model=watch.model.model_copy(update={"retrain": _off(watch)}))
    known = stored(store, watch, start, end) if store is not None and _asked(watch, wanted) else None
    with tempfile.TemporaryDirectory(prefix="leeway-backtest-") as folder:
        clock = SetClock(start)
        cycle = Cycle(scratch_store(Path(folder)), clock)
        try:
            if store is not None:
                with store.read() as source, cycle.store.write() as target:
                    version_rows.copy(source, target, watch.name)
            if known is not None:
                quiet = _prepared(cycle, quiet, known)
            if known is not None and not wanted.from_log:
                cycle.reader = known.read
            found = _Run(cycle, clock, quiet, watch, wanted, bar).run(start, end)
            return replace(found, stored=known.taken, unsampled=known.unsampled) if known is not None else found
        finally:
            cycle.store.close()


def _asked(watch: Watch, wanted: Wanted) -> bool:
    """Whether the daemon's store is looked into: for profiles, or for the snapshot that is pinned."""
    return watch.model.reference.pin is not None or not wanted.from_log


def _prepared(cycle: Cycle, watch: Watch, known: Stored) -> Watch:
    """Give a replay the daemon's snapshot and what it has taught; return what is to be judged by it."""
    reference_id = known.hand_over(cycle.store, cycle.clock.now())
    if reference_id is None:
        return watch
    pinned = watch.model.reference.model_copy(update={"pin": reference_id})
    return replace(watch, model=watch.model.model_copy(update={"reference": pinned}))


def _off(watch: Watch) -> Any:
    return watch.model.retrain.model_copy(update={"mode": "off", "trigger": None})


@dataclass(eq=False)
class _Run:
    """One backtest while it runs; ``watch`` is what is replayed, ``configured`` what the configuration says."""

    cycle: Cycle
    clock: SetClock
    watch: Watch
    configured: Watch
    wanted: Wanted
    bar: Bar
    breaches: list[Finding] = field(default_factory=list)

    def run(self, start: datetime, end: datetime) -> Backtest:
        """Replay, and then look at what the scratch store has."""
        name, windows = self.watch.name, windows_between(self.watch, start, end)
        if self.wanted.page is None:  # which is made from what a store has
            self.cycle.shelf = Remembered(len(windows), lambda: self._subject.reference.span is not None)
        findings: list[Finding] = []
        failed: dict[Window, str] = {}
        results = replay(self.cycle, self.clock, self.watch, windows)
        for result in self.bar(results, len(windows), f"{name} replay"):
            if result.outcome == "failed":
                failed[result.window] = result.reason
            breached = breaches(result.findings)
            self.breaches += breached
            findings += result.findings if self.wanted.everything else breached
        with self.cycle.store.read() as connection:
            incidents = incident_rows.listing(connection, closed=True)
        found = Backtest(name, start, end, tuple(windows), failed, tuple(findings), tuple(incidents))
        return self._more(found) if found.judged else found

    @property
    def _subject(self) -> Subject:
        return self.cycle.subject(self.watch)

    def _more(self, found: Backtest) -> Backtest:
        subject = self._subject
        return replace(
            found,
            false_alarms=self._false_alarms(subject, found.judged),
            planted=self._planted(subject, found) if self.wanted.planted else (),
            comparison=self._compared(subject, found) if self.wanted.rules else None,
            report=self._report(found),
        )

    def _false_alarms(self, subject: Subject, windows: Sequence[Window]) -> FalseAlarms:
        days = sum((window.length for window in windows), timedelta()) / _DAY
        audit = subject.signal.audit
        return FalseAlarms(days, self.watch.rate, audit.rate, audit.days)

    def _planted(self, subject: Subject, found: Backtest) -> tuple[Noticed, ...]:
        with self.cycle.store.read() as connection:
            past = self.cycle.shelf.past(connection, found.model, subject.reference.id, found.end)
            history = past(found.start)
        soil = ground(subject.signal, subject.reference, subject.plan, history)
        if soil is None:
            return ()
        return tuple(self.bar(noticed(soil), len(FAULTS), f"{found.model} planted faults"))

    def _compared(self, subject: Subject, found: Backtest) -> Comparison:
        windows, rules = found.judged, peer_rules()
        collecting = Collecting.start(self.configured, subject.reference.bins, len(windows))
        reference = collecting.reference()
        title = f"{found.model} rows to compare"
        rows = list(self.bar(map(collecting.window, windows), len(windows), title))
        columns = collecting.columns
        alerts = {name: np.zeros((len(windows), len(columns)), bool) for name in self.wanted.rules}
        for place, column in enumerate(self.bar(columns, len(columns), f"{found.model} other tools")):
            current = [row[column] for row in rows]
            for name, flags in alerts.items():
                limit = rules[name].threshold(len(columns), 30 * subject.signal.rhythm.a_day)
                flags[:, place] = rules[name].scores(reference[column], current) > limit

        def counted(name: str, title: str, flags: Any) -> Tool:
            return tool(name, title, flags, windows, columns, found.told)

        ours = counted(OURS, "Leeway", our_alerts(self.breaches, windows, columns))
        others = (counted(name, rules[name].title, flags) for name, flags in alerts.items())
        return Comparison((ours, *others), collecting.said())

    def _report(self, found: Backtest) -> ReportData | None:
        if self.wanted.page is None:
            return None
        config, now = self.wanted.page
        shown = found.judged[-MOST_SHOWN:]
        return gather(self.cycle.store, self.watch, config, now, shown[0].start, shown[-1].end)
