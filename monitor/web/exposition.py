"""``/metrics``: a process's own counters, and what the store says, read once a scrape however many models there are."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from monitor import __version__
from monitor.checkup import Checkup
from monitor.core.errors import LeewayError
from monitor.core.incident import State
from monitor.core.own_incidents import BLIND
from monitor.core.wording import printable
from monitor.health import REMEDIES
from monitor.pulse import BOUNDS, FLUSHED, LOOKED, TICK, WRITTEN
from monitor.store import heartbeats, overview
from monitor.store import runs as run_rows
from monitor.store.runs import Progress
from monitor.web.columns import Columns

if TYPE_CHECKING:
    from monitor.store.overview import Letters, Newest
    from monitor.watch import Watch

LONGEST_LABEL = 120
Values = Mapping[Any, float]  # by tuples of as many texts as there are labels


@dataclass(frozen=True)
class Seen:
    """What the store said at one scrape."""

    newest: "dict[str, Newest]"
    come: dict[str, Progress]
    incidents: dict[tuple[str, str, str], int]
    letters: "Letters"
    spent: float
    proofs: dict[str, datetime]
    processes: int


@dataclass(eq=False)
class Exposition:
    """Collects the metrics of one daemon.

    Parameters
    ----------
    checkup : asks the store, and knows the configuration and the pulse.
    models : returns the models by name, as they are now.
    """

    checkup: Checkup
    models: "Callable[[], Mapping[str, Watch]]"
    _columns: Columns = field(default_factory=Columns)

    def __post_init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics in the format that was asked for, and its content type."""
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind

    @property
    def watches(self) -> "Mapping[str, Watch]":
        """The models by name."""
        return self.models()

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what there is depends on the models."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return every metric; without those of the store where it is away."""
        yield from self._of_process()
        try:
            seen = self.checkup.glance("metrics", self._see)
        except LeewayError:
            yield _gauge("leeway_store_up", "Whether the store could be read at this scrape.", {(): 0.0})
            return
        yield _gauge("leeway_store_up", "Whether the store could be read at this scrape.", {(): 1.0})
        yield from self._of_models(seen)
        yield from self._of_columns(seen)
        yield from self._of_operations(seen)

    def _see(self, connection: sa.Connection) -> Seen:
        names = list(self.watches)
        newest = overview.newest(connection, names)
        self._columns.refresh(connection, newest)
        rows = self.checkup.rows(connection)
        return Seen(
            newest,
            run_rows.progress(connection, names),
            overview.open_incidents(connection),
            rows.letters,
            rows.spent or 0.0,
            overview.proofs(connection),
            len(heartbeats.alive(heartbeats.processes(connection))),
        )

    def _of_process(self) -> Iterator[Metric]:
        pulse, models = self.checkup.pulse, self.watches
        yield _gauge("leeway_build_info", "The release that runs.", {(__version__,): 1.0}, "version")
        yield _gauge("leeway_models", "Models that are configured.", {(): len(models)})
        runs = {key: number for key, number in pulse.runs.items() if key[0] in models}
        yield _counter("leeway_check_runs", "Windows that this process has dealt with.", runs, "model", "outcome")
        yield _durations(pulse.durations, pulse.seconds)
        receivers = self.checkup.config().notifiers
        told = {key: number for key, number in pulse.notices.items() if key[0] in receivers}
        yield _counter("leeway_notifications", "Attempts to deliver a message.", told, "receiver", "outcome")
        asked = pulse.retrains
        yield _counter("leeway_retrain_requests", "Attempts to ask for a retraining.", asked, "trigger", "outcome")
        for name, meaning, what in (
            ("leeway_last_tick_timestamp_seconds", "When this process last began to look for owed work.", TICK),
            ("leeway_last_look_timestamp_seconds", "When this process last saw which windows are owed.", LOOKED),
            ("leeway_last_store_write_timestamp_seconds", "When this process last wrote its heartbeat.", WRITTEN),
            ("leeway_last_flush_timestamp_seconds", "When this process last went through the outbox.", FLUSHED),
        ):
            ago = pulse.since(what)
            yield _gauge(name, meaning, {(): time.time() - ago} if ago is not None else {})
        found = {problem.name for problem in self.checkup.problems()}
        present = {(name,): float(name in found) for name in REMEDIES}
        yield _gauge("leeway_problem", "Whether a named problem of the monitor itself is there.", present, "problem")

    def _of_models(self, seen: Seen) -> Iterator[Metric]:
        now = self.checkup.clock.now()
        done = {(model,): run for model, run in seen.newest.items() if model in self.watches}
        due = {
            (name,): watch.schedule.next_due(
                now, seen.come[name].last_end if name in seen.come else watch.model.schedule.start
            ).timestamp()
            for name, watch in self.watches.items()
        }
        for name, meaning, values in (
            (
                "leeway_last_success_timestamp_seconds",
                "When the newest window was evaluated.",
                {key: run.finished_at.timestamp() for key, run in done.items()},
            ),
            (
                "leeway_last_event_timestamp_seconds",
                "Time of the newest row in the newest window.",
                {key: run.last_event.timestamp() for key, run in done.items() if run.last_event is not None},
            ),
            (
                "leeway_next_due_timestamp_seconds",
                "When the next window falls due; in the past where one is owed.",
                due,
            ),
            ("leeway_window_rows", "Rows of the newest window.", {key: run.rows for key, run in done.items()}),
        ):
            yield _gauge(name, meaning, values, "model")
        states = {(model, str(state)): 0.0 for model in self.watches for state in (State.PENDING, State.FIRING)}
        blind = {(model,): 0.0 for model in self.watches}
        for (model, state, fault), number in seen.incidents.items():
            if model in self.watches:
                states[model, state] += number
                blind[model,] = max(blind[model,], float(fault == BLIND))
        yield _gauge("leeway_incidents", "Open incidents.", states, "model", "state")
        yield _gauge("leeway_model_blind", "Whether a model cannot be watched at present.", blind, "model")

    def _of_columns(self, seen: Seen) -> Iterator[Metric]:
        held = [model for model in self.watches if model in seen.newest]
        effects = {
            (model, column, check): effect
            for model in held
            for (column, check), effect in self._columns.effects.get(model, {}).items()
        }
        nulls = {
            (model, column): share for model in held for column, share in self._columns.nulls.get(model, {}).items()
        }
        labels = ("model", "column", "check")
        yield _gauge("leeway_drift_effect", "Effect of the newest window, in the check's own unit.", effects, *labels)
        yield _gauge("leeway_null_ratio", "Share of the newest window's rows without a value.", nulls, *labels[:2])

    def _of_operations(self, seen: Seen) -> Iterator[Metric]:
        letters, now = seen.letters, self.checkup.clock.now()
        age = max(0.0, (now - letters.oldest).total_seconds()) if letters.oldest is not None else 0.0
        yield _gauge(
            "leeway_outbox_letters", "Letters that are not delivered.",
            {("waiting",): letters.waiting, ("dead",): letters.dead}, "state",
        )  # fmt: skip
        yield _gauge("leeway_outbox_oldest_pending_seconds", "How long the oldest letter has waited.", {(): age})
        yield _gauge(
            "leeway_false_alarm_budget_spent_ratio",
            "Incidents told in 30 days, right and wrong ones, over the false ones that the budget allows.",
            {(): seen.spent},
        )
        yield _gauge("leeway_processes", "Processes that watch, by their heartbeats.", {(): seen.processes})
        canary = self.checkup.config().canary
        every = {(): canary.every.total_seconds()} if canary is not None else {}
        yield _gauge("leeway_canary_interval_seconds", "How often the alert path is to be proven.", every)
        proofs = {(outcome,): at.timestamp() for outcome, at in seen.proofs.items()} if canary is not None else {}
        yield _gauge("leeway_canary_timestamp_seconds", "When the alert path was last tried.", proofs, "outcome")


def label(text: str) -> str:
    """Return a label's value: printable, and of bounded length."""
    seen = printable(text)
    if len(seen) <= LONGEST_LABEL:
        return seen
    return f"{seen[: LONGEST_LABEL - 9]}…{crc32(text.encode('utf-8', 'replace')):08x}"


def _labelled(values: Values) -> dict[tuple[str, ...], float]:
    """Return values by what their labels show: two of one name would make the whole answer unreadable."""
    return {tuple(label(part) for part in key): float(value) for key, value in values.items()}


def _gauge(name: str, meaning: str, values: Values, *labels: str) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for key, value in _labelled(values).items():
        family.add_metric(key, value)
    return family


def _counter(name: str, meaning: str, values: Values, *labels: str) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=labels)
    for key, value in _labelled(values).items():
        family.add_metric(key, value)
    return family


def _durations(counts: Mapping[float, int], seconds: float) -> Metric:
    family = HistogramMetricFamily("leeway_check_duration_seconds", "How long this process took for a window.")
    buckets, reached = [], 0
    for bound in (*BOUNDS, float("inf")):
        reached += counts.get(bound, 0)
        buckets.append(("+Inf" if bound == float("inf") else str(bound), reached))
    family.add_metric([], buckets, seconds)
    return family
