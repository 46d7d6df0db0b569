"""What a forked process becomes: `monitor run`, with the constants that a test wants, signing what it writes.

Settings: ``lease``, ``renewal``, ``wait``, ``longest`` and ``rest`` in seconds, ``host`` as the name of a machine,
``busy`` as the seconds that a writer waits for another. While the file ``read_only_while`` is there, SQLite takes the
store for one that may not be written.
"""

import os
import sys
import traceback
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, NoReturn

LEFT_OUT = ("monitor.demo", "monitor.testing", "monitor.report", "monitor.cli", "monitor.store.migrations")
LATER = (
    "apscheduler.schedulers.background", "monitor.cli.run", "monitor.config.reading", "psycopg", "pyarrow.compute",
    "resvg_py", "scipy.special", "slack_sdk", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite", "tests.faults.journal",
)  # fmt: skip


def load() -> None:
    """Import what the daemon needs, and what it imports on its way."""
    import checks
    import monitor

    for package in (monitor, checks):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.count(".") < 3 and not found.name.startswith(LEFT_OUT):
                import_module(found.name)
    for name in LATER:
        import_module(name)


def become(asked: dict[str, Any]) -> NoReturn:
    """Be a daemon from here on."""
    from monitor import failpoints
    from monitor.cli import main

    code = 1
    try:
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((null, 0), (log, 1), (log, 2)):
            os.dup2(old, new)
        os.chdir(Path(asked["config"]).parent)
        failpoints._ARMED = failpoints._armed(asked["failpoint"])
        prepare(asked["settings"])
        main(["run", "-c", asked["config"]])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - the log has it, and the parent's loop must not go on in the child
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


def prepare(settings: dict[str, Any]) -> None:
    """Change the constants of the modules before anything is begun."""
    import sqlalchemy as sa

    from monitor import daemon, delivery
    from monitor.store import claims, database, leases, owners
    from monitor.triggers import _orchestrator, command, github, kubernetes, webhook
    from tests.faults import journal

    if "host" in settings:
        owners._here = lambda: settings["host"]  # type: ignore[assignment]
    leases.LEASE_SECONDS = settings.get("lease", 60.0)
    leases.RENEWAL_SECONDS = daemon.RENEWAL_SECONDS = settings.get("renewal", 0.5)
    delivery.FIRST_WAIT, delivery.LONGEST_WAIT = settings.get("wait", 0.2), settings.get("longest", 0.5)
    database.BUSY_SECONDS = settings.get("busy", 30)
    command._LOOK_AGAIN = webhook._LOOK_AGAIN = 0.3
    _orchestrator.LOOK_AGAIN = github.LOOK_AGAIN = kubernetes.LOOK_AGAIN = 0.3
    claims.pause = lambda _attempts: timedelta(seconds=settings.get("rest", 0.2))
    os.environ["PGAPPNAME"] = owners.me()[-journal.LONGEST_NAME :]
    journal.sign(sa.Engine, owners.me)
    if "read_only_while" in settings:
        flag = Path(settings["read_only_while"])

        @sa.event.listens_for(sa.Engine, "begin")
        def _on_begin(connection: sa.Connection) -> None:
            raw: Any = connection.connection.dbapi_connection
            raw.execute(f"PRAGMA query_only = {'ON' if flag.exists() else 'OFF'}")
