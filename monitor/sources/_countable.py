"""Logs whose windows can be counted where they are kept: the mode, the decision, and what of a window is streamed."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from checks.binning import profile_batch
from checks.profile import Bins, ColumnProfile, Profile
from monitor.core.errors import UnavailableError
from monitor.core.labels import Truth
from monitor.core.ports import Reading
from monitor.core.window import Window
from monitor.sources._ahead import ahead
from monitor.sources._log import Log, Watched

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from monitor.sources._counting import Frame, Plan, View
    from monitor.sources._labelling import Place

Mode = Literal["auto", "stream", "pushdown"]


@dataclass(frozen=True)
class Decision:
    """Whether a window is counted where it is, and why."""

    pushdown: bool
    reason: str


class Countable(Log):
    """A log that SQL can count."""

    mode: Mode = "auto"
    """``stream`` reads the rows, ``pushdown`` lets the database count them, ``auto`` takes what is cheaper there."""

    @abstractmethod
    def opened(self, window: Window) -> "AbstractContextManager[View | str]":
        """Open the log for counting; gives a sentence in its place where this log cannot be counted in SQL."""

    @abstractmethod
    def decided(self, window: Window) -> Decision:
        """Return what ``mode: auto`` means for a window."""

    @abstractmethod
    def beside(self, truth: Truth) -> "AbstractContextManager[Place]":
        """Open the log together with its labels."""

    def labelled(
        self, truth: Truth, window: Window, columns: Mapping[str, str], until: datetime, most: int
    ) -> pa.Table:
        """Return the labels of a window's predictions that were known before ``until``, with columns of the log."""
        from monitor.sources._labelling import joined, sampled

        with self.beside(truth) as place:
            rows = joined(self, place, truth, window, until, columns).rows(columns)
            return sampled(rows, ("label", *columns), most)

    def label_count(self, truth: Truth, window: Window, until: datetime) -> int:
        """Return how many ids of a window's predictions have a label that was known before ``until``."""
        from monitor.sources._labelling import joined

        with self.beside(truth) as place:
            return joined(self, place, truth, window, until, {}).count()

    def read(self, window: Window, bins: Mapping[str, Bins], sample_rows: int) -> Reading:
        """Profile the window and sample its rows, streamed or counted; both give the same profile."""
        if self.mode == "stream" or self.features or (self.mode == "auto" and not self.decided(window).pushdown):
            return super().read(window, bins, sample_rows)
        with self.opened(window) as view:
            if not isinstance(view, str):
                reading = self._counted(view, window, bins, sample_rows)
                if reading is not None:
                    return reading
        return super().read(window, bins, sample_rows)

    def _way(self, reader: str, last: datetime | None) -> str:
        """Return in words how a window is read: the rows by ``reader``, or counted; the last day stands for others."""
        if self.mode == "stream" or last is None:
            return reader
        window = Window(last - timedelta(days=1), last)
        decision = Decision(True, "mode: pushdown") if self.mode == "pushdown" else self.decided(window)
        if self.features is not None and decision.pushdown:
            return f"{reader}; logs.features can only be streamed"
        if not decision.pushdown:
            return f"{reader} ({decision.reason})"
        return f"counted by SQL where the rows are ({decision.reason}){self._exceptions(window)}"

    def _exceptions(self, window: Window) -> str:
        """Return in words what is streamed all the same."""
        from monitor.sources._counting import id_digest
        from monitor.sources._counting.columns import stored

        with self.opened(window) as view:
            if isinstance(view, str):
                return f"; but {view}, so every window is streamed"
            if self.id is not None and id_digest(view.relation, self.id, view.dialect) is None:
                return f"; but ids of the type of {self.id!r} are hashed here, so every window is streamed"
            names = [name for name in view.relation.names if name not in (self.time, self.id)]
            kept = {name: stored(view.relation, name, view.dialect) for name in names}
            reasons = [f"{name!r} ({reason})" for name, reason in kept.items() if isinstance(reason, str)]
        rows = "" if self.id is not None else "; without logs.id the sample is drawn by a hash of time and values"
        return (f"; streamed: {', '.join(reasons)}" if reasons else "") + rows

    def _counted(self, view: "View", window: Window, bins: Mapping[str, Bins], sample_rows: int) -> Reading | None:
        """Return the window as its database counts it; None where its ids can only be hashed here."""
        from monitor.sources import _counting as counting
        from monitor.sources._counting.numbers import beyond
        from monitor.sources._counting.views import STILL

        digest = None
        if self.id is not None:
            digest = counting.id_digest(view.relation, self.id, view.dialect)
            if digest is None:
                return None
        plan = counting.plan(view.relation, bins, view.dialect)
        frame = counting.frame(view, window, plan.counted.values())
        plan = plan.streaming(frame.doubtful, "some of its values are not of its declared type")
        found = counting.profiles(view, bins, plan.counted, frame.rows) if frame.rows else {}
        large = [name for name, profile in found.items() if beyond(profile)]
        plan = plan.streaming(large, "some of its values are too large for sums")
        ids = counting.sketch(view, digest, frame.rows) if digest is not None and frame.rows else None
        sample = self._sample(view, window, bins, sample_rows, (digest, frame))
        if frame.rows and plan.streamed:
            found |= self._streamed(window, bins, plan, frame.rows)
        known = bins.keys() | {self.time, self.id}
        extra = [name for name in view.relation.names if name not in known]
        profile = counting.assembled(frame, found, bins, extra, ids or Profile.empty({}).ids)
        if view.dialect not in STILL:
            _agrees(profile, counting.frame(view, window, ()).rows)
        return Reading(profile, sample)

    def _streamed(self, window: Window, bins: Mapping[str, Bins], plan: "Plan", rows: int) -> dict[str, ColumnProfile]:
        """Profile those columns alone that their database cannot count."""
        part = {name: bins[name] for name in plan.streamed}
        profile = Profile.empty(part)
        with ahead(self.batches(window, Watched(frozenset(part)))) as batches:
            for batch in batches:
                profile += profile_batch(batch, part, time=self.time)
        if profile.rows != rows:
            raise _moving(rows, profile.rows)
        return dict(profile.columns)

    def _sample(
        self, view: "View", window: Window, bins: Mapping[str, Bins], size: int, known: "tuple[Any, Frame]"
    ) -> Any:
        from monitor.sources._counting.columns import stored
        from monitor.sources._counting.rows import Drawing, digest_of_row

        digest, frame = known
        names = self.needed(view.relation.names, Watched(frozenset(bins)), view.relation.place)
        if digest is None:
            columns = [stored(view.relation, name, view.dialect) for name in names if name != self.time]
            digest = digest_of_row(view.event.micros, [column for column in columns if not isinstance(column, str)])
        row_id = view.id_column
        drawing = Drawing(size, frame.seen, digest, row_id, frame.nameless, view.event.micros)
        share = drawing.share() if size and frame.rows else 0.0
        unlimited = self.model_copy(update={"max_rows": frame.rows + 1})  # few of which are fetched
        while True:
            raw = view.batches(names, drawing.condition(share)) if share else iter(())
            batches = unlimited.deliver(raw, window, Watched(frozenset(bins)), view.relation.place)
            sample = drawing.sample(batches, self.time, self.id, (window.start, window.end))
            if sample is not None:
                return sample.rows()
            if share >= 1:
                raise _moving(frame.rows, 0)
            share = min(1.0, 4 * share)


def _agrees(profile: Profile, rows: int) -> None:
    """Refuse what was counted while rows came or went, where the database does not hold still during a read."""
    if rows != profile.rows:
        raise _moving(profile.rows, rows)


def _moving(before: int, after: int) -> UnavailableError:
    return UnavailableError(
        f"rows came or went while the window was counted ({before:,} rows before, {after:,} after); it is counted again"
        " at the next run, and schedule.delay gives late rows time to arrive"
    )
