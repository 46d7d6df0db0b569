"""PostgreSQL through ADBC: columns in binary by COPY, in a transaction as guarded as the cursor's, as the same batches.

SQLite stays with the cursor. Its ADBC driver fixes each column's type by the first rows and fails at a later row that
does not fit, and it cannot be interrupted, so that no timeout could be kept.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monitor.sources._sql.database import CONNECT_SECONDS, Database, guards, took_too_long
from monitor.sources._sql.postgres import Fetched, fetched

if TYPE_CHECKING:
    import sqlalchemy as sa

    from monitor.sources._sql.relation import Relation

READER = "ADBC for PostgreSQL"
CURSOR = "streaming SQLAlchemy cursor"
BATCH_BYTES = 8 * 2**20  # large enough that the cost of a batch is small, small enough that four fit anywhere
_INSTALL = "install adbc-driver-postgresql to read faster"


class RefusedError(Exception):
    """ADBC gave no row; the cursor, whose errors are known, is to try."""


@dataclass(frozen=True)
class Adbc:
    """Reads statements of one database.

    Parameters
    ----------
    database : reached by psycopg, whose URL means the same to libpq.
    columns : how each column is fetched.
    """

    database: Database
    columns: Sequence[Fetched]

    def stream(
        self, statement: "sa.Select[*tuple[Any, ...]]", rows: int, declared: dict[str, pa.DataType]
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream a statement's rows; a batch has at most ``rows``, and about ``BATCH_BYTES``.

        The window is one statement, hence ``timeout`` bounds all of it.

        Raises
        ------
        RefusedError
            Before the first row, for any reason but a statement that took too long.
        LeewayError
            After it, in the same words as the cursor.
        """
        from adbc_driver_manager import Error

        delivered = False
        try:
            with self.connected() as connection, closing(_executed(connection, _literal(statement))) as batches:
                for batch in batches:
                    for start in range(0, batch.num_rows, rows):
                        yield self._restored(batch.slice(start, rows), declared)
                        delivered = True
        except (Error, pa.ArrowException, OSError) as error:
            if delivered or took_too_long(error):
                raise self.database.explained(error) from error
            raise RefusedError from error

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Open a read-only transaction, and leave it at the end.

        Raises
        ------
        adbc_driver_manager.Error
            When it cannot be opened.
        """
        import adbc_driver_postgresql
        from adbc_driver_manager import AdbcConnection

        milliseconds = self.database.milliseconds
        with (
            closing(adbc_driver_postgresql.connect(_conninfo(self.database.url))) as opened,
            closing(AdbcConnection(opened)) as connection,
        ):
            connection.set_autocommit(False)
            for statement in ("SET TRANSACTION READ ONLY", *guards("postgresql", milliseconds)):
                with _prepared(connection, statement) as prepared:
                    prepared.execute_update()
            yield connection

    def _restored(self, batch: pa.RecordBatch, declared: dict[str, pa.DataType]) -> pa.RecordBatch:
        columns = [
            how.column(column, declared.get(how.name)) for how, column in zip(self.columns, batch.columns, strict=True)
        ]
        for how, column in zip(self.columns, columns, strict=True):
            if not pa.types.is_null(column.type):
                declared.setdefault(how.name, column.type)
        return pa.RecordBatch.from_arrays(columns, names=[how.name for how in self.columns])


def chosen(
    database: Database, connection: "sa.Connection", relation: "Relation", names: Sequence[str]
) -> tuple[Adbc | None, str]:
    """Return the ADBC reader of some columns, or None, and in words how they are read.

    Parameters
    ----------
    connection : SQLAlchemy's, to the same database.
    """
    if (connection.dialect.name, connection.dialect.driver) != ("postgresql", "psycopg"):
        return None, CURSOR
    if find_spec("adbc_driver_postgresql") is None:
        return None, f"{CURSOR} ({_INSTALL})"
    driver: Any = connection.connection.driver_connection
    if driver.info.parameter_status("server_encoding") == "SQL_ASCII":
        return None, f"{CURSOR} (the database's texts have no encoding)"
    columns = fetched(connection, relation, names)
    if isinstance(columns, str):
        return None, f"{CURSOR} (of the type of {columns!r}, ADBC gives other values)"
    return Adbc(database, columns), READER


def _executed(connection: Any, statement: str) -> Generator[pa.RecordBatch, None, None]:
    with _prepared(connection, statement) as prepared:
        prepared.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        handle, _ = prepared.execute_query()
        with closing(pa.RecordBatchReader.from_stream(handle)) as reader:
            yield from reader


@contextmanager
def _prepared(connection: Any, statement: str) -> Iterator[Any]:
    from adbc_driver_manager import AdbcStatement

    with closing(AdbcStatement(connection)) as prepared:
        prepared.set_sql_query(statement)
        yield prepared


def _literal(statement: "sa.Select[*tuple[Any, ...]]") -> str:
    """Return a statement with its values in it, as COPY takes no parameters; SQLAlchemy writes them."""
    from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect

    class Typed(PGCompiler):
        def render_literal_value(self, value: Any, type_: Any) -> str:
            written: str = super().render_literal_value(value, type_)  # type: ignore[no-untyped-call]
            return f"{written}::{type_.compile(self.dialect)}" if hasattr(value, "isoformat") else written

    dialect: Any = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call] # in which a percent sign is one
    dialect.statement_compiler = Typed
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _conninfo(url: str) -> str:
    import sqlalchemy as sa

    parsed = sa.make_url(url)
    _, given = parsed.get_dialect()().create_connect_args(parsed)
    options = {"connect_timeout": CONNECT_SECONDS, **given, "client_encoding": "utf8"}
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in options.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def reachable(reader: Adbc) -> bool:
    """Return whether ADBC can connect where the cursor does."""
    from adbc_driver_manager import Error

    with suppress(Error), reader.connected():
        return True
    return False
