"""Parquet and CSV files through DuckDB: one relation for a file, a folder or a glob."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape, glob
from pathlib import Path
from typing import Any

import pyarrow as pa

from monitor.core.errors import UnavailableError, UserError
from monitor.sources._arrow import plain

_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".gz": "read_csv", ".tsv": "read_csv"}


@dataclass(frozen=True)
class Files:
    """Files that are read as one table; columns that some of them lack are null there.

    Parameters
    ----------
    path : a file, a folder (searched to its depth, for Parquet or else for CSV), a glob, or a URL that DuckDB knows.
    option : that names it, for people; empty for the log's own.
    """

    path: str
    option: str = ""

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """Open DuckDB in memory; whatever it says about the files becomes a sentence.

        Raises
        ------
        UserError, UnavailableError
            When files are missing, of no known type, damaged or not to be read.
        """
        import duckdb

        try:
            with duckdb.connect(":memory:") as connection:
                connection.execute("SET TimeZone = 'UTC'")
                if "://" not in self.path:  # an extension is fetched from DuckDB's server, which nobody has named
                    connection.execute("SET autoinstall_known_extensions = false")
                yield connection
        except (duckdb.HTTPException, duckdb.InterruptException, duckdb.OutOfMemoryException) as error:
            raise UnavailableError(f"{self.path} cannot be read for now ({_first_line(error)})") from error
        except duckdb.Error as error:
            raise UserError(f"{self.path} cannot be read ({_first_line(error)})") from error

    def relation(self, connection: Any, columns: Sequence[str] | None = None, condition: str = "", *values: Any) -> Any:
        """Return DuckDB's relation of these columns, all by default, of the rows that meet a condition."""
        reader, files = self.reader()
        chosen = "*" if columns is None else ", ".join(map(quoted, columns))
        where = f" WHERE {condition}" if condition else ""
        sql = f"SELECT {chosen} FROM {reader}(?, union_by_name = true){where}"  # noqa: S608 - names are quoted
        return connection.sql(sql, params=[files, *values])

    def rows(self, connection: Any, relation: Any, at_a_time: int) -> Iterator[pa.RecordBatch]:
        """Yield a relation's rows as :func:`stream` does, read from Parquet by one thread.

        One reads as fast as another counts, and each holds a group of rows of every column.
        """
        alone = self.reader()[0] == "read_parquet"
        if alone:
            connection.execute("SET threads = 1")
        yield from stream(relation, at_a_time)
        if alone:
            connection.execute("RESET threads")

    def reader(self) -> tuple[str, list[str]]:
        """Return DuckDB's reading function for the files, and the files.

        Raises
        ------
        UserError
            When there is none.
        """
        if "://" in self.path:
            return _READERS.get(Path(self.path).suffix.lower(), "read_parquet"), [self.path]
        found = self._found()
        reader = _READERS.get(Path(found[0]).suffix.lower())
        if reader is None:
            raise UserError(f"{found[0]} is neither a .parquet nor a .csv file")
        return reader, [escape(path) for path in found]  # DuckDB takes each for a glob

    @property
    def _named(self) -> str:
        return f"{self.option}: " if self.option else ""

    def _found(self) -> list[str]:
        root = Path(self.path)
        if root.is_dir():
            for suffix in (".parquet", ".csv"):
                if found := sorted(map(str, root.rglob(f"*{suffix}"))):
                    return found
            raise UserError(f"{self._named}the folder {self.path} has no .parquet and no .csv file")
        found = [self.path] if root.is_file() else sorted(glob(self.path, recursive=True))  # noqa: PTH207 - absolute
        if not found:
            raise UserError(
                f"{self._named}there is no file {self.path}; name a .parquet or .csv file, a folder or a glob of them"
            )
        return found


def stream(relation: Any, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield a relation's rows in batches of at most ``rows``, with the few types that profiles read."""
    reader = (
        relation.to_arrow_reader(rows) if hasattr(relation, "to_arrow_reader") else relation.fetch_arrow_reader(rows)
    )
    for batch in reader:
        yield plain(batch)


def quoted(name: str) -> str:
    """Return a column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300]
