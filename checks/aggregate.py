"""One pass over the rows of a window: their profile and a sample of them, batch by batch, wherever the rows are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from checks.binning import profile_batch
from checks.identity import hash_ids
from checks.profile import Bins, Profile
from checks.sampling import Sample


@dataclass(frozen=True)
class Aggregate:
    """What is kept of the rows so far; aggregates of parts of a window add up."""

    bins: Mapping[str, Bins]
    profile: Profile
    sample: Sample

    @classmethod
    def empty(
        cls, bins: Mapping[str, Bins], size: int, window: tuple[datetime, datetime], time: str, row_id: str | None
    ) -> "Aggregate":
        """Return what is kept of no rows.

        Parameters
        ----------
        bins : the reference's bins by column.
        size : rows to sample.
        window : half-open, that all rows lie in.
        time : name of the event time, a timestamp in UTC.
        row_id : name of the id column; None where rows have none.
        """
        return cls(bins, Profile.empty(bins), Sample(size, row_id, time, window))

    def add(self, batch: pa.RecordBatch) -> "Aggregate":
        """Return this with a batch of rows added."""
        row_id = self.sample.row_id
        ids = hash_ids(batch.column(row_id)) if row_id in batch.schema.names else None
        profile = profile_batch(batch, self.bins, time=self.sample.time, row_id=row_id, ids=ids)
        return replace(self, profile=self.profile + profile, sample=self.sample.add(batch, ids))

    def __add__(self, other: "Aggregate") -> "Aggregate":
        return replace(self, profile=self.profile + other.profile, sample=self.sample + other.sample)
