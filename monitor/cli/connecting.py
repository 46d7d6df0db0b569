"""`monitor config check --connect`: looks at everything that the configuration names, one line each."""

from collections.abc import Callable
from functools import partial

from monitor.clocks import SystemClock
from monitor.config.models import Config
from monitor.core.errors import LeewayError, UserError
from monitor.cycle import Cycle
from monitor.watch import Watch, watches

Line = dict[str, str]


def connect(config: Config) -> list[Line]:
    """Return what was found, in words; never raises for what is found."""
    from monitor.store.schema import open_store

    lines: list[Line] = []
    store = None

    def opened() -> str:
        nonlocal store
        store = open_store(config.store.get_secret_value())
        return store.engine.url.render_as_string(hide_password=True)

    lines += _tried("store", opened)
    for name, watch in watches(config).items():
        lines += _logs(f"models.{name}.logs", watch)
        if store is not None:
            cycle = Cycle(store, SystemClock())
            lines += _tried(f"models.{name}.reference", partial(_reference, cycle, watch))
        trigger = watch.model.retrain.trigger
        if trigger is not None:
            lines += _tried(f"models.{name}.retrain.trigger", trigger.probe)
    for name, notifier in config.notifiers.items():
        lines += _tried(f"notifiers.{name}", notifier.probe)
    if store is not None:
        store.close()
    return lines


def _tried(what: str, look: Callable[[], str]) -> list[Line]:
    try:
        return [_line(what, "ok", look())]
    except LeewayError as error:
        return [_line(what, "error", str(error), "mistake" if isinstance(error, UserError) else "unavailable")]


def _line(what: str, outcome: str, detail: str, kind: str = "") -> Line:
    return {"what": what, "outcome": outcome, "detail": detail, "kind": kind}


def _logs(what: str, watch: Watch) -> list[Line]:
    warnings: list[str] = []

    def look() -> str:
        facts = watch.model.logs.facts()
        warnings.extend(facts.warnings)
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

    return [*_tried(what, look), *(_line(what, "warning", warning) for warning in warnings)]


def _reference(cycle: Cycle, watch: Watch) -> str:
    reference = cycle.reference(watch)
    facts = watch.model.logs.facts()
    missing = [name for name in reference.bins if name not in facts.columns]
    if missing and len(missing) == len(reference.bins):
        raise UserError("the log has none of the reference's columns")
    note = f"; the log lacks {', '.join(missing)}" if missing else ""
    blocks = f", {len(reference.blocks)} windows" if reference.blocks else ", without time"
    return f"{reference.short}, {reference.rows:,} rows, {len(reference.bins)} columns{blocks}{note}"
