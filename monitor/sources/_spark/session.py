"""A Spark session of our own: on a Spark that this process starts or shares, or on a Spark Connect server."""

import os
import shutil
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pydantic import SecretStr

from monitor.core.errors import LeewayError, UnavailableError, UserError
from monitor.options import hide_url_passwords
from monitor.sources._spark.errors import explained
from monitor.sources._spark.shipping import code, ship

CONNECT_SECONDS = 10
_CONNECT_PORT = 15002
_QUIET = {  # of a Spark that this process starts; what the user sets stands
    "spark.api.mode": "classic",
    "spark.app.name": "leeway",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # nobody else's business


@dataclass(frozen=True)
class Cluster:
    """One Spark, by its master or by the URL of its Connect server.

    A process has one Spark of its own, whatever the number of sources; it lives as long as the process. Each
    connection is a new session on it, with settings that nobody else sees, and never stops what others use.

    Parameters
    ----------
    master, remote : one of the two.
    conf : settings by key; they may be secret.
    timeout : how long Spark may take for a result, or for the next part of one.
    """

    master: str | None
    remote: str | None
    conf: Mapping[str, str]
    timeout: timedelta

    @property
    def name(self) -> str:
        """The address, as people may see it."""
        return hide_url_passwords(str(self.remote or self.master))

    @contextmanager
    def connect(self) -> Iterator["Connection"]:
        """Open a session.

        Raises
        ------
        UserError, UnavailableError
            For whatever Spark says; never with Java's stack trace or a secret.
        """
        _quiet_pyspark()
        connection: Connection | None = None
        try:
            session = self._remote_session() if self.remote is not None else self._own_session()
            connection = Connection(session, self, remote=self.remote is not None)
            self._configure(session, {**self.conf, "spark.sql.session.timeZone": "UTC"})
            yield connection
        except LeewayError:
            raise
        except Exception as error:
            found = explained(error, self.name, self.conf, stopped=connection is not None and connection.expired)
            if found is None:
                raise
            raise found from error
        finally:
            if connection is not None and self.remote is not None:
                with suppress(Exception):  # a server that is gone has no session left to release
                    connection.session.client.release_session()
                    connection.session.client.close()

    def _remote_session(self) -> Any:
        """Return a new session; not by the builder, which would make it the default of the whole process."""
        address = urlsplit(str(self.remote))
        where = (address.hostname or "localhost", address.port or _CONNECT_PORT)
        try:  # gRPC itself would try for minutes
            socket.create_connection(where, CONNECT_SECONDS).close()
        except OSError as error:
            reason = error.strerror or error
            raise UnavailableError(
                f"{self.name}: no Spark Connect server answers at {where[0]}:{where[1]} ({reason})"
            ) from error
        from pyspark.sql.connect.session import SparkSession

        return SparkSession(connection=str(self.remote))

    def _own_session(self) -> Any:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        running = SparkContext._active_spark_context  # noqa: SLF001 - there is no public way to look without starting
        base = SparkSession.builder.getOrCreate() if running is not None else self._started()
        found = base.sparkContext.master
        if found != self.master:
            raise UserError(
                f"logs.master: this process already runs Spark on {found}, and a process has one; use the same master"
                " for all models, or a Spark Connect server by logs.remote"
            )
        return base.newSession()

    def _started(self) -> Any:
        from pyspark.sql import SparkSession

        home = os.environ.get("JAVA_HOME")
        if shutil.which("java") is None and not (home and (Path(home) / "bin/java").exists()):
            raise UserError(
                f"{self.name}: Spark needs Java 17 or later, and there is no java on the PATH and no JAVA_HOME; install"
                " it (Debian: openjdk-17-jre-headless), or name a Spark Connect server by logs.remote"
            )
        here = str(self.master).startswith("local")
        # Spark would make a folder for tables, of which it is asked to make none, in the current one.
        defaults = {**_QUIET, "spark.sql.warehouse.dir": str(code().parent / "warehouse")}
        builder = SparkSession.builder.master(str(self.master))
        for key, value in {**defaults, **(_LOOPBACK if here else {}), **self.conf}.items():
            builder = builder.config(key, value)
        with _interrupts_kept():
            session = builder.getOrCreate()
        # Executors on this machine are to run this Python, which has NumPy and Arrow, and not the first on the PATH.
        python = self.conf.get("spark.pyspark.python", os.environ.get("PYSPARK_PYTHON"))
        if python is not None or here:
            session.sparkContext.pythonExec = python or sys.executable
        return session

    def _configure(self, session: Any, settings: Mapping[str, str]) -> None:
        """Set what can be set in a session; the rest must already be as it is wished."""
        from pyspark.errors import PySparkException

        for key, value in settings.items():
            try:
                session.conf.set(key, value)
            except PySparkException as error:
                if session.conf.get(key, None) not in (value, f"file:{value}"):  # as Spark spells a folder
                    raise UserError(
                        f"logs.conf: {key} cannot be changed once Spark runs, and {self.name} runs with another value;"
                        " set it where that Spark is started"
                    ) from error


@dataclass
class Connection:
    """A session, and whether its time ran out."""

    session: Any
    cluster: Cluster
    remote: bool
    expired: bool = False

    @property
    def functions(self) -> Any:
        """Spark's functions, of the kind that the session takes."""
        if self.remote:
            from pyspark.sql.connect import functions as remote

            return remote
        from pyspark.sql import functions

        return functions

    def prepare(self, rows: int) -> None:
        """Give the executors the code that they are to run, on batches of so many rows at most."""
        self.session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows))
        ship(self.session)

    def collect(self, frame: Any) -> pa.Table:
        """Return the rows of a small frame."""
        with self._deadline():
            return frame.toArrow()

    def stream(self, frame: Any) -> Iterator[Any]:
        """Yield the rows of a frame, of which one partition and the next are held at a time."""
        rows = frame.toLocalIterator(prefetchPartitions=True)
        while True:
            with self._deadline():
                row = next(rows, None)
            if row is None:
                return
            yield row

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Stop what the session runs when it takes longer than it may."""
        timer = threading.Timer(self.cluster.timeout.total_seconds(), self._stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self.expired = True
        self.session.interruptAll()


def checked_remote(value: SecretStr) -> SecretStr:
    """Return the URL of a Spark Connect server; ValueError for any other."""
    address = urlsplit(value.get_secret_value())
    if address.scheme != "sc" or not address.hostname:
        raise ValueError("a Spark Connect server is named by a URL such as sc://host:15002")
    return value


def setting(value: object) -> object:
    """Return a number or a truth value, as YAML gives it, as the text that Spark takes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _quiet_pyspark() -> None:
    """Import PySpark, and keep it from writing to the terminal what becomes an error of ours.

    Raises
    ------
    UserError
        When it is not installed.
    """
    try:
        from pyspark.logger import PySparkLogger
    except ModuleNotFoundError as error:
        raise UserError(
            f"the spark source needs PySpark, and {error.name} is not installed; pip install 'leeway-monitor[spark]'"
        ) from error
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True  # Java's stack traces
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)  # none is used here


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Give Ctrl-C back to whom it belonged: PySpark takes it when it starts in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
