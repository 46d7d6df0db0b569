"""A connection to somebody's production database: read only, with a timeout, closed again, its errors in words."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from monitor.core.errors import LeewayError, UnavailableError, UserError
from monitor.options import HIDDEN, hide_passwords, hide_url_passwords, url_password_spans

if TYPE_CHECKING:
    import sqlalchemy as sa

CONNECT_SECONDS = 10
_CHECK_EVERY = 10_000  # SQLite's instructions between two looks at the clock, well below a millisecond


@dataclass(frozen=True)
class Database:
    """One database, by its SQLAlchemy URL; every connection is a new one and belongs to nobody else.

    Parameters
    ----------
    url : the address, password and all.
    timeout : how long a statement, or the next rows of it, may take. Kept by SQLite, PostgreSQL, MySQL and MariaDB.
    """

    url: str
    timeout: timedelta

    @property
    def name(self) -> str:
        """The address, as people may see it."""
        return hide_url_passwords(self.url)

    @contextmanager
    def connect(self) -> Iterator["sa.Connection"]:
        """Open a read-only transaction, and roll it back at the end.

        Raises
        ------
        UserError, UnavailableError
            For whatever the database or its driver says; never with the password.
        """
        from sqlalchemy.exc import SQLAlchemyError

        try:
            engine = self._engine()
            try:
                with engine.connect() as connection:
                    yield _guarded(connection, self)
            finally:
                engine.dispose()
        except SQLAlchemyError as error:
            raise self.explained(error) from error

    def _engine(self) -> "sa.Engine":
        import sqlalchemy as sa

        try:
            url = sa.make_url(self.url)
            options: dict[str, Any] = {"poolclass": sa.NullPool}
            if url.get_backend_name() == "sqlite":
                options["paramstyle"] = "named"  # of the other way, SQLAlchemy takes a column "%(x)s" for a parameter
            if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
                options["creator"] = _sqlite_opener(str(url.database), url.query.get("uri") == "true")
            elif url.get_driver_name() in ("psycopg", "psycopg2", "pymysql"):
                options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
            return sa.create_engine(url, **options)
        except ValueError as error:  # whose words hold what stands where the port should, perhaps a password
            raise UserError("logs.url cannot be used: its port is no number") from error
        except ModuleNotFoundError as error:
            raise UserError(
                f"{self.name} needs the driver {error.name}, which is not installed; install it with pip"
            ) from error

    @property
    def milliseconds(self) -> int:
        """The timeout, as databases are told it."""
        return max(1, round(self.timeout / timedelta(milliseconds=1)))

    def explained(self, error: Exception) -> LeewayError:
        """Return what a driver's error means for the user."""
        original = getattr(error, "orig", None) or error
        text = self._shown(original)
        codes = {str(getattr(original, "sqlstate", None)), *map(str, original.args[:1])}
        for codes_of, words, kind, sentence in _MEANINGS:
            if codes & codes_of or (words and re.search(words, text, re.IGNORECASE)):
                return kind(f"{self.name}: {sentence.format(timeout=self.timeout)} ({text})")
        # SQLite calls a syntax error operational, too.
        away = _AWAY_SQLITE.search(text) if self.url.startswith("sqlite") else type(error).__name__ in _AWAY
        if isinstance(error, OSError):  # ADBC's, in the middle of the rows: the server's refusal, or nothing from it
            away = "ERROR:" not in text
        if away:
            return UnavailableError(f"{self.name}: the database cannot be reached or gave up ({text})")
        return UserError(f"{self.name}: the database refuses to do this ({text})")

    def _shown(self, error: BaseException) -> str:
        said = error.args[1] if len(error.args) == 2 and isinstance(error.args[0], int) else error  # MySQL: code, text
        lines = [line.strip() for line in str(said).splitlines() if line.strip()]
        text = hide_passwords(lines[0] if lines else type(error).__name__)
        for start, end in url_password_spans(self.url):
            for written in (self.url[start:end], unquote(self.url[start:end])):
                text = text.replace(written, HIDDEN)
        return text[:300]


_AWAY = frozenset({"OperationalError", "InterfaceError", "TimeoutError", "InternalError"})
_AWAY_SQLITE = re.compile(r"locked|busy|unable to open|disk|full|memory|malformed", re.IGNORECASE)
_Meaning = tuple[frozenset[str], str, type[LeewayError], str]
# Codes are those of PostgreSQL (five characters) and MySQL; SQLite and refused logins have words alone.
_MEANINGS: tuple[_Meaning, ...] = (
    (
        frozenset({"57014", "3024", "1969", "1317"}),
        r"^interrupted$|due to statement timeout",
        UnavailableError,
        "a statement took longer than {timeout} and was stopped; index the time column, or raise logs.timeout",
    ),
    (
        frozenset({"42501", "1142", "1143", "1044"}),
        r"permission denied",
        UserError,
        "the user may not read this; grant it SELECT",
    ),
    (
        frozenset({"28P01", "28000", "1045"}),
        r"(password )?authentication failed|role .* does not exist",
        UserError,
        "the login is refused; look at the user and the password in the URL",
    ),
    (
        frozenset({"3D000", "1049"}),
        r"database .* does not exist",
        UserError,
        "there is no such database; look at the end of the URL",
    ),
    (
        frozenset({"25006", "1792"}),
        r"readonly database",
        UserError,
        "logs are only ever read, and the query tries to write",
    ),
    (frozenset({"42P01", "1146"}), r"no such table", UserError, "a table is not there"),
    (frozenset({"42703", "1054"}), r"no such column", UserError, "a column is not there"),
    (frozenset(), r"file is not a database", UserError, "this is no SQLite database"),
    (frozenset(), r"Can't load plugin|Could not parse", UserError, "this is no SQLAlchemy URL of a known database"),
)


def _sqlite_opener(database: str, uri: bool) -> Callable[[], Any]:
    """Open the file read-only, so that neither a missing database is created nor a present one touched."""
    if not uri and not Path(database).is_file():
        raise UserError(
            f"there is no database file {database}; look at logs.url, which is relative to the configuration"
        )

    def opened() -> Any:
        import sqlite3

        address = database if uri else f"file:{quote(str(Path(database).absolute()))}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=30, check_same_thread=False)
        # SQLite takes any bytes for a text; one that is no UTF-8 must not cost all other rows.
        connection.text_factory = partial(str, encoding="utf-8", errors="backslashreplace")
        return connection

    return opened


def _guarded(connection: "sa.Connection", database: Database) -> "sa.Connection":
    """Make the transaction read-only and bound its statements, in the dialect's own words."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        deadline = Deadline(database.timeout)
        connection.info["deadline"] = deadline
        connection.exec_driver_sql("PRAGMA query_only = ON")
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(deadline.over, _CHECK_EVERY)
    elif dialect == "postgresql":
        connection = connection.execution_options(postgresql_readonly=True)
    mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
    for statement in guards(dialect, database.milliseconds, mariadb=mariadb):
        connection.exec_driver_sql(statement)
    return connection


def took_too_long(error: Exception) -> bool:
    """Return whether PostgreSQL stopped a statement for its timeout."""
    return getattr(error, "sqlstate", None) == "57014" or "due to statement timeout" in str(error)


def guards(dialect: str, milliseconds: int, *, mariadb: bool = False) -> tuple[str, ...]:
    """Return the statements that open a safe transaction in a dialect; none for those that are not known."""
    if dialect == "postgresql":
        return (
            f"SET LOCAL statement_timeout = {milliseconds}",
            f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}",
            "SET LOCAL TIME ZONE 'UTC'",
        )
    if dialect in ("mysql", "mariadb"):
        bound = f"max_statement_time = {milliseconds / 1000}" if mariadb else f"max_execution_time = {milliseconds}"
        return (f"SET SESSION {bound}", "SET SESSION time_zone = '+00:00'", "SET SESSION TRANSACTION READ ONLY")
    return ()


class Deadline:
    """When SQLite must have answered; it starts anew with every batch, so that a slow reader is not punished."""

    def __init__(self, timeout: timedelta) -> None:
        self.seconds = timeout.total_seconds()
        self.restart()

    def restart(self) -> None:
        """Give the next rows the whole time."""
        self.end = monotonic() + self.seconds

    def over(self) -> bool:
        """Tell SQLite whether to stop."""
        return monotonic() > self.end
