"""Where labels are, and how many of a model's predictions have one by now."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from monitor.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Truth:
    """A table of labels beside a prediction log.

    Parameters
    ----------
    table : its name where the log is a table, a path or glob where the log is files.
    label : column with the true outcome.
    id : column that joins a label with its prediction.
    time : column with the time at which a label arrived; None where there is none.
    """

    table: str
    label: str
    id: str
    time: str | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """How many of the predictions since a moment have a label by now.

    ``rows`` is None where they could not be counted, for ``reason``.
    """

    since: datetime
    rows: int | None
    reason: str = ""


@runtime_checkable
class LabelSource(Protocol):
    """A prediction log that can look for its labels; raises as :class:`monitor.core.ports.Source` does."""

    def labelled(
        self, truth: Truth, window: Window, columns: "Mapping[str, str]", until: datetime, most: int
    ) -> "pa.Table":
        """Return the labels of a window's predictions that were known before ``until``, with columns of the log.

        Every id counts once, with the last of its labels. Of more than ``most`` rows those with the smallest hashes of
        their id are returned, the same ones every time.

        Parameters
        ----------
        columns : name in the answer to column of the log. The answer has ``label`` and these.
        """
        ...

    def label_count(self, truth: Truth, window: Window, until: datetime) -> int:
        """Return how many ids of a window's predictions have a label that was known before ``until``."""
        ...
