"""Reference snapshots: what a model was trained on, immutable and named by its content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from checks.profile import Bins, Profile
from monitor.core.window import Window

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Reference:
    """A reference snapshot.

    Parameters
    ----------
    id : the SHA-256 of bins, profile and blocks, in hexadecimal; equal content has an equal id.
    model : the model it belongs to.
    bins : the bins that it fixes, by column.
    profile : of all its rows.
    blocks : profiles of its windows, by the model's schedule; empty for a snapshot without time.
    sample : some of its rows, for example rows and the Evidently report.
    version : the model version trained on it; None where nobody said.
    span : first to last event; None for a snapshot without time.
    origin : where it came from, in words, without secrets.
    added_at, added_by : when and by whom it was added.
    """

    id: str
    model: str
    bins: Mapping[str, Bins]
    profile: Profile
    blocks: tuple[tuple[Window, Profile], ...]
    sample: "pa.Table"
    origin: str
    added_at: datetime
    added_by: str
    version: str | None = None
    span: Window | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> int:
        """Rows of the snapshot."""
        return self.profile.rows

    @property
    def short(self) -> str:
        """The beginning of the id, enough for people."""
        return self.id[:12]
