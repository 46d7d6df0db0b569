"""`monitor config check --connect`: looks at everything that the configuration names, one line each."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from monitor.clocks import SystemClock
from monitor.config.models import Config
from monitor.core.errors import LeewayError, UserError
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.watch import Watch, watches

if TYPE_CHECKING:
    from monitor.core.ports import TableFacts
    from monitor.core.reference import Reference

Line = dict[str, str]
LABELLED = timedelta(days=30)  # before the log's last event, in which labels are looked for


def connect(config: Config) -> list[Line]:
    """Return what was found, in words; never raises for what is found."""
    from monitor.store.schema import open_store

    lines: list[Line] = []
    store = None

    def opened() -> str:
        nonlocal store
        store = open_store(config.store.get_secret_value())
        return store.name

    lines += _tried("store", opened)
    for name, watch in watches(config).items():
        seen = _logs(f"models.{name}.logs", watch)
        lines += seen.lines
        if store is not None and seen.columns is not None:
            lines += _reference(f"models.{name}.reference", Cycle(store, SystemClock()), watch, seen.columns)
        if watch.model.labels is not None and seen.columns is not None:
            lines += _tried(f"models.{name}.labels", partial(_labels, watch, seen.last))
        registry = watch.model.versions.mlflow
        if registry is not None:
            lines += _tried(f"models.{name}.versions.mlflow", registry.probe)
        for section, trigger in (("retrain", watch.model.retrain.trigger), ("rollback", watch.model.rollback.trigger)):
            if trigger is not None:
                lines += _tried(f"models.{name}.{section}.trigger", trigger.probe)
    for name, notifier in config.notifiers.items():
        lines += _tried(f"notifiers.{name}", notifier.probe)
    if store is not None:
        store.close()
    return lines


def _tried(what: str, look: Callable[[], str]) -> list[Line]:
    try:
        return [_line(what, "ok", look())]
    except LeewayError as error:
        kind = "mistake" if isinstance(error, UserError) else "unavailable"
        return [_line(what, "error", str(error).removeprefix(f"{what}: "), kind)]


def _line(what: str, outcome: str, detail: str, kind: str = "") -> Line:
    return {"what": what, "outcome": outcome, "detail": detail, "kind": kind}


@dataclass(frozen=True)
class _Log:
    """What was found of a log; ``columns`` is None where it cannot be read, so that nothing can be compared with it.

    ``last`` is the time of its last event; None where there is none.
    """

    lines: list[Line]
    columns: Collection[str] | None
    last: datetime | None = None


def _logs(what: str, watch: Watch) -> _Log:
    found: list[TableFacts] = []

    def look() -> str:
        facts = watch.model.logs.facts()
        found.append(facts)
        known = set(facts.columns)
        roles = {"score": watch.model.score, "prediction": watch.model.prediction, "version": watch.model.version}
        for role, column in roles.items():
            if column is not None and column not in known:
                raise UserError(f"{role}: the log has no column {column!r}; it has {', '.join(sorted(known))}")
        size = f"{facts.rows:,} rows, " if facts.rows is not None else ""
        span = (
            f"{facts.first_event:%Y-%m-%d} to {facts.last_event:%Y-%m-%d}, "
            if facts.first_event and facts.last_event
            else ""
        )
        return f"{size}{len(facts.columns)} columns, {span}read by {facts.reader}"

    lines = _tried(what, look)
    lines += [_line(what, "warning", warning) for facts in found for warning in facts.warnings]
    return _Log(lines, found[0].columns, found[0].last_event) if found else _Log(lines, None)


def _labels(watch: Watch, last: datetime | None) -> str:
    """Say how many predictions of the log's last month have a label."""
    from monitor.labelled import looked_at

    now = SystemClock().now()
    end = now if last is None else last + timedelta(microseconds=1)
    return looked_at(watch.model, Window(end - LABELLED, end), now)


def _reference(what: str, cycle: Cycle, watch: Watch, known: Collection[str]) -> list[Line]:
    found: list[Reference] = []

    def look() -> str:
        reference = cycle.reference(watch)
        found.append(reference)
        if not any(name in known for name in reference.bins):
            raise UserError("the log has none of the reference's columns")
        blocks = f", {len(reference.blocks)} windows" if reference.blocks else ", without time"
        lost = [n for n in reference.bins if n not in known and not any(repr(n) in said for said in reference.warnings)]
        note = f"; the log lacks {', '.join(lost)}" if lost else ""
        return f"{reference.short}, {reference.rows:,} rows, {len(reference.bins)} columns{blocks}{note}"

    lines = _tried(what, look)
    lines += [_line(what, "warning", warning) for reference in found for warning in reference.warnings]
    return lines + [line for reference in found for line in _signal(watch, cycle, reference)]


def _signal(watch: Watch, cycle: Cycle, reference: "Reference") -> list[Line]:
    """Say what the replay of the reference promises, what would be noticed, and what lies outside of the budget."""
    from monitor.cli.promising import promises

    made: list[Line] = []

    def look() -> str:
        # The reference as it was read: the one that a subject keeps has no windows any more.
        first, *others = promises(cycle.subject(watch).signal, reference, watch)
        made.extend(_line(f"models.{watch.name}.{said.about}", said.outcome, said.words) for said in others)
        return first.words

    return _tried(f"models.{watch.name}.budget", look) + made
