"""Prediction logs that Spark reads: its executors count where the rows are, with the code that all sources share."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Self

import pyarrow as pa
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator

from checks.codec import encode_bins
from checks.instants import column_to_utc
from checks.profile import Bins
from checks.sample_codec import decode_table
from monitor.core.ports import Reading, TableFacts
from monitor.core.window import PLAUSIBLE, Window
from monitor.options import Duration, FilePath, reveal
from monitor.sources._log import PEEKED, Log, Wanted, Watched
from monitor.sources._spark.session import Cluster, checked_remote, setting
from monitor.sources._spark.table import Relation, of_files, of_query, of_table
from monitor.sources._spark.task import PART_SCHEMA, ROWS_SCHEMA, Task, adding, counting, packing, total
from monitor.sources._sql.relation import is_select

_MERGERS = 8  # partitions' profiles and samples are added up on this many executors before they reach the driver

RemoteUrl = Annotated[SecretStr, AfterValidator(checked_remote), WithJsonSchema({"type": "string"})]
Setting = Annotated[SecretStr, BeforeValidator(setting)]


class Spark(Log):
    """A table, files or a query as Spark sees them, counted by its executors: Parquet, Delta, Iceberg."""

    master: str | None = None
    """Spark's master, such as ``local[*]`` or ``spark://host:7077``; Spark then starts within this process."""
    remote: RemoteUrl | None = None
    """In place of a master, the URL of a Spark Connect server, such as ``sc://host:15002/;token=…``."""
    table: str | None = None
    """A table of Spark's catalogs, such as ``lake.analytics.predictions``."""
    query: str | None = None
    """A SELECT in place of a table."""
    path: FilePath | None = None
    """A folder or file in place of a table, such as ``s3a://bucket/predictions``."""
    format: str = "parquet"
    """What is at ``path``: parquet, delta, iceberg, orc, or whatever else Spark has a reader of."""
    conf: Mapping[str, Setting] = {}
    """Spark's settings by key, such as packages and catalogs; their values are kept secret."""
    max_rows: Annotated[int, Field(ge=1)] = 1_000_000_000
    """A window with more rows than this is refused; executors count no further."""
    timeout: Annotated[Duration, Field(gt=timedelta())] = timedelta(minutes=30)
    """How long Spark may take for a result, or for the next part of one."""

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.master is None) == (self.remote is None):
            raise ValueError("name a master or a remote, one of the two")
        if [self.table, self.query, self.path].count(None) != 2:
            raise ValueError("name a table, give a query or a path, one of the three")
        if self.query is not None and not is_select(self.query):
            raise ValueError("the query must be a SELECT")
        return self

    def read(self, window: Window, bins: Mapping[str, Bins], sample_rows: int) -> Reading:
        """Profile the window and sample its rows on the executors, and add up what they found."""
        watched = Watched(frozenset(bins))
        with self._relation() as relation:
            task = self._task(relation, window, watched)
            task = replace(task, bins=encode_bins(bins), sample_rows=sample_rows)
            task = replace(task, most_rows=self.max_rows, most_bytes=self.max_bytes)
            rows = self._inside(relation, task)
            batches: Sequence[pa.RecordBatch] = ()
            if rows is not None:
                parts = rows.mapInArrow(counting(task), PART_SCHEMA)
                # The driver adds up a few rows, whatever the number of partitions; sorted, so that sums are repeatable.
                parts = parts.repartition(_MERGERS, "part").sortWithinPartitions("part")
                batches = relation.connection.collect(parts.mapInArrow(adding(task), PART_SCHEMA)).to_batches()
        found = total(task, batches)
        if found.beyond(task):
            too_many = found.aggregate.profile.rows > self.max_rows
            raise (self.too_many if too_many else self.too_large)(window, relation.place)
        return Reading(watched.told(found.aggregate.profile), found.aggregate.sample.rows())

    def batches(self, window: Window, columns: Wanted = None) -> Iterator[pa.RecordBatch]:
        """Stream the window's rows to this process, a partition at a time."""
        with self._relation() as relation:
            task = self._task(relation, window, columns)
            rows = self._inside(relation, task)
            if rows is not None:
                packed = relation.connection.stream(rows.mapInArrow(packing(task), ROWS_SCHEMA))
                raw = (batch for row in packed for batch in decode_table(row[0]).to_batches())
                yield from self.deliver(raw, window, columns, relation.place)

    def facts(self) -> TableFacts:
        """Look at columns and types, and at all of the time column for its extremes."""
        with self._relation() as relation:
            seen = relation.peek(self.time, PEEKED)
            form = self.time_form(seen, relation.place)
            warnings = self.zone_warnings(form, seen) + self.time_warnings(form, seen)
            columns = dict(relation.types)
            if self.features:
                columns |= self.feature_types(relation.peek(self.features, PEEKED))
                del columns[self.features]
            inside = relation.within(self.time, form, seen, PLAUSIBLE, self.zone) if form is not None else None
            rows, timed, extremes = relation.counted(self.time, inside)
        if timed < rows:
            warnings.append(f"{rows - timed:,} rows have no {self.time!r}; they are in no window")
        first, last = column_to_utc(extremes, self.zone).to_pylist()
        reader = f"Spark mapInArrow ({'Spark Connect' if self.remote else self.master})"
        return TableFacts(columns, rows, first, last, tuple(warnings), reader)

    @contextmanager
    def _relation(self) -> Iterator[Relation]:
        """Open a session and look up what is to be read, with the columns that the options name."""
        conf = {key: value.get_secret_value() for key, value in self.conf.items()}
        cluster = Cluster(self.master, reveal(self.remote), conf, self.timeout)
        with cluster.connect() as connection:
            if self.table is not None:
                relation = of_table(connection, self.table, self.where)
            elif self.query is not None:
                relation = of_query(connection, self.query, self.where)
            else:
                relation = of_files(connection, str(self.path), self.format, self.where)
            self.needed(relation.names, None, relation.place)
            yield relation

    def _task(self, relation: Relation, window: Window, wanted: Wanted) -> Task:
        columns = self.needed(relation.names, wanted, relation.place)
        return Task(tuple(columns), self.time, self.timezone, window, self.id, self.features)

    def _inside(self, relation: Relation, task: Task) -> Any:
        """Return the frame of the window's rows, ready for the executors; None for a log without any row."""
        seen = relation.peek(self.time, PEEKED)
        form = self.time_form(seen, relation.place)
        if form is None:
            return None
        relation.connection.prepare(self.rows_at_a_time(len(task.columns)))
        return relation.selected(task.columns, relation.within(self.time, form, seen, task.window, self.zone))
