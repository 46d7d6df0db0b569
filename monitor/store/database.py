"""Opens the store: SQLite (WAL) or PostgreSQL, its schema, and the two kinds of transaction."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from checks.codec import FormatError
from monitor.core.errors import UnavailableError, UserError
from monitor.options import hide_passwords, hide_url_passwords
from monitor.store.bodies import DamagedRowError

BUSY_SECONDS = 30  # SQLite waits this long for another writer
CACHE_KIB = 512  # of pages that each connection to SQLite keeps for itself; the system has a cache of the file, too
MOST_CONNECTIONS = 70  # beyond those kept open: as many as there can be workers, and some
VERSIONS = sa.table("alembic_version", sa.column("version_num", sa.Text))
_WRITE = "leeway_write"
_ONE_WRITER = 0x6C656577  # the key of PostgreSQL's advisory lock: "leew"
_PATIENT = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class StoreAwayError(UnavailableError):
    """The store, rather than a log or a receiver, cannot be used now: whatever was to be written is still owed."""


class SchemaChangedError(StoreAwayError):
    """Another release has changed the schema under this process: it must not write any more."""


@dataclass(frozen=True)
class Store:
    """An open store.

    Every method that touches the database raises :class:`StoreAwayError` when it cannot be reached.

    Parameters
    ----------
    revision : of the schema that this process works with; it writes to no other. None where nobody may change it.
    """

    engine: sa.Engine
    revision: str | None = None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction that reads."""
        with _translated(self.engine), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes: all of it is kept, or nothing. Writers take turns.

        So what a transaction has read is still true when it writes, on both databases.

        Raises
        ------
        SchemaChangedError
            When another release has changed the schema; nothing is written then.
        """
        with (
            _translated(self.engine),
            self.engine.execution_options(**{_WRITE: True}).connect() as connection,
            connection.begin(),
        ):
            self.check(connection)
            yield connection

    def check(self, connection: sa.Connection) -> None:
        """See that the schema is still the one that this process works with.

        Raises
        ------
        SchemaChangedError
            When it is not.
        """
        if self.revision is None:
            return
        found = connection.execute(sa.select(VERSIONS.c.version_num)).scalar()
        if found != self.revision:
            raise SchemaChangedError(
                f"the schema of the store {self.name} is {found} now, and this process works with {self.revision}: "
                "another release of Leeway has migrated it. Nothing more is written; start the release "
                "that the store is for"
            )

    @property
    def name(self) -> str:
        """The store's address, as people may see it."""
        return _name(self.engine)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _name(engine: sa.Engine) -> str:
    return hide_url_passwords(engine.url.render_as_string())  # SQLAlchemy shows what stands in the query


@contextmanager
def _translated(engine: sa.Engine) -> Iterator[None]:
    where = _name(engine)
    try:
        yield
    except FormatError as error:
        raise DamagedRowError(str(error)) from error
    except OperationalError as error:
        raise StoreAwayError(f"the store {where} cannot be used now: {_cause(error)}") from error
    except PendingRollbackError as error:  # a statement after the one with which the connection was lost
        raise StoreAwayError(f"the store {where} went away in the middle of a transaction") from error
    except PoolTimeoutError as error:
        raise StoreAwayError(f"the store {where} cannot be used now: all its connections are busy") from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error, InterfaceError):
            raise StoreAwayError(f"the store {where} went away: {_cause(error)}") from error
        if type(error) is DatabaseError:  # and none of its kinds: SQLite's way to say that the file is damaged
            raise StoreAwayError(f"the store {where} cannot be used: {_cause(error)}") from error
        raise


def _cause(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__


def connect(url: str) -> Store:
    """Open a store without looking at its schema.

    Raises
    ------
    UserError
        For a URL that is neither SQLite nor PostgreSQL, or a missing driver.
    """
    try:
        parsed = sa.make_url(url)
        name = parsed.get_backend_name()
        if name not in ("sqlite", "postgresql"):
            raise UserError(f"store: {name} is not supported; use sqlite:///monitor.db or postgresql+psycopg://…")
        if name == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if name == "sqlite":
            options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}, "max_overflow": MOST_CONNECTIONS}
        else:
            patience = {key: value for key, value in _PATIENT.items() if key not in parsed.query}
            options = {"pool_pre_ping": True, "connect_args": patience, "max_overflow": MOST_CONNECTIONS}
        engine = sa.create_engine(parsed, **options)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise UserError(f"store: the URL cannot be used: {hide_passwords(str(error))}") from error
    except ValueError as error:  # whose words hold what stands where the port should, perhaps a password
        raise UserError("store: the URL cannot be used: its port is no number") from error
    if name == "sqlite":
        _prepare_file(parsed.database)
        _prepare_sqlite(engine)
    else:
        _prepare_postgresql(engine)
    return Store(engine)


def in_memory() -> Store:
    """Open a database that nobody else sees and that is gone when it is closed; for one thread."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    _prepare_sqlite(engine)
    return Store(engine)


def _prepare_file(database: str | None) -> None:
    """Make the file of a new store readable for its owner alone: it holds sampled rows of the logs."""
    if not database or database == ":memory:" or database.startswith("file:"):
        return
    if not Path(database).parent.is_dir():
        raise UserError(f"store: the folder {Path(database).parent} does not exist; create it or change `store`")
    with suppress(OSError):  # it is there already, or SQLite will say why it cannot be
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Make pysqlite leave transactions to us: its own begin comes late and never takes the write lock in time."""

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        # Of a file that is yet to be made: in one that is there it would wait for whoever writes.
        if not cursor.execute("PRAGMA page_count").fetchone()[0]:
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        with suppress(sqlite3.OperationalError):  # a read-only file cannot change its mode, and can still be read
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(engine: sa.Engine) -> None:
    """Make writers take turns as they do in SQLite, and let none that hangs hold up the others for long."""
    turn = sa.text(
        "SELECT set_config('lock_timeout', :busy, true), "
        "set_config('idle_in_transaction_session_timeout', :hung, true), pg_advisory_xact_lock(:key)"
    ).bindparams(busy=f"{BUSY_SECONDS}s", hung=f"{2 * BUSY_SECONDS}s", key=_ONE_WRITER)

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get(_WRITE):
            connection.execute(turn)


def database_now(connection: sa.Connection) -> sa.ColumnElement[float]:
    """Return the database's own clock, in seconds since 1970: leases are measured by one clock for all replicas."""
    if connection.dialect.name == "sqlite":
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float)
    return sa.literal_column("extract(epoch from clock_timestamp())::double precision", sa.Float)
