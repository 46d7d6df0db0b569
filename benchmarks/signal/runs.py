"""One log as all contestants see it: every peer's scores and the product's counts, column by column.

A changed log shares all that did not change with the calm one, so that a change costs as much as its columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from benchmarks.signal.alarms import Alert, alerts_of
from benchmarks.signal.changes import Planned
from benchmarks.signal.counting import Counted, counted
from benchmarks.signal.logs import Frame, LogColumn
from benchmarks.signal.worlds import World
from checks.peering import PeerRule, peer_rules
from checks.peers.evidently import SMALL_REFERENCE


class Log(Protocol):
    """A synthetic or a real log."""

    @property
    def title(self) -> str:
        """Name for tables."""
        ...

    @property
    def frame(self) -> Frame:
        """Windows and rows."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        ...

    def column(self, name: str) -> LogColumn:
        """Return one column."""
        ...


class Detector(Protocol):
    """The product's own judge, or an ablation of it."""

    @property
    def title(self) -> str:
        """Name for tables."""
        ...

    def run(self, log: Log, columns: Mapping[str, Counted]) -> list[Alert]:
        """Calibrate on the log's reference windows and return the notifications of the windows after it.

        Windows are counted from the first after the reference. Of a changed log, unchanged columns come as the very
        objects that the calm log came with, so what was fitted to them may be kept by identity.
        """
        ...


@dataclass(frozen=True)
class Contestant:
    """A peer's rule and how much of the reference it is given."""

    title: str
    rule: PeerRule
    reference_rows: int | None = None


def contestants() -> dict[str, Contestant]:
    """Return every peer; Evidently twice, since its rule depends on the size of the reference."""
    found = {name: Contestant(rule.title, rule) for name, rule in peer_rules().items()}
    small = replace(
        found["evidently"], title=f"Evidently, {SMALL_REFERENCE} reference rows", reference_rows=SMALL_REFERENCE
    )
    return {"evidently_small": small, **found}


@dataclass(frozen=True, eq=False)
class Seen:
    """What contestants see of one log.

    Parameters
    ----------
    scores : by contestant; shape (windows after the reference, columns).
    counts : by column.
    """

    log: Log
    scores: Mapping[str, np.ndarray]
    counts: Mapping[str, Counted]

    def alerts(self, name: str, threshold: float | None = None) -> list[Alert]:
        """Return a contestant's alerts, at its default threshold where none is given."""
        if threshold is None:
            threshold = contestants()[name].rule.threshold(len(self.log.columns), self.log.frame.per_30d)
        return alerts_of(self.scores[name], threshold, self.log.columns)


def seen(log: Log) -> Seen:
    """Look at a log through every contestant's eyes."""
    looks = [_look(log.column(name)) for name in log.columns]
    scores = {name: np.column_stack([look[0][name] for look in looks]) for name in contestants()}
    return Seen(log, scores, {look[1].name: look[1] for look in looks})


def changed(calm: Seen, world: World, planned: Planned) -> Seen:
    """Look at a world in which a plan came true, having seen it calm."""
    scores = {name: matrix.copy() for name, matrix in calm.scores.items()}
    counts = dict(calm.counts)
    for column in planned.columns:
        values, counts[column] = _look(world.column(column, planned))
        for name, matrix in scores.items():
            matrix[:, world.columns.index(column)] = values[name]
    return Seen(world, scores, counts)


def _look(column: LogColumn) -> tuple[dict[str, np.ndarray], Counted]:
    windows = column.production()
    values = {
        name: contestant.rule.scores(column.reference(contestant.reference_rows), windows)
        for name, contestant in contestants().items()
    }
    return values, counted(column)
