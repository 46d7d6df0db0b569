"""Upgrades: stores of every earlier release go on, whole, whatever interrupts; no release writes into another's schema."""

import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from earlier import REVISIONS, release_before, rows_of, store_of
from houses import House, told, verdicts

import monitor.daemon
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.errors import UnavailableError
from monitor.cycle import Cycle
from monitor.daemon import Daemon
from monitor.store.database import SchemaChangedError, connect
from monitor.store.schema import current, head, migrate, open_store, still_ours
from monitor.store.tables import configurations, runs
from tests.worlds import CONFIG, START, drop, world

DAY = timedelta(days=1)
FEW = CONFIG.replace("checks: auto", "checks: auto\n    columns: {include: [age, plan]}")
MONITOR = [sys.executable, "-c", "from monitor.cli import main; main()"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A store after six windows with an open incident, as rows; and the same after ten."""
    folder = tmp_path_factory.mktemp("lived")
    house = House(folder, 12, drop("age", 3, 12), FEW)
    house.until(6)
    early = rows_of(house.store)
    house.until(10)
    yield folder, early, verdicts(house), told(house)
    house.store.close()


def projected(rows, like):
    """Rows of tables and columns that another store has too."""
    return {
        table: [{name: row[name] for name in kept[0]} for row in rows[table]] if kept else []
        for table, kept in like.items()
    }


@pytest.mark.parametrize("revision", REVISIONS)
def test_no_row_of_an_earlier_release_is_lost_or_changed(url, lived, revision):
    store = store_of(revision, url, lived[1])
    before = rows_of(store)
    assert sum(map(len, before.values())) > 20
    assert migrate(store) == (revision, head())
    assert projected(rows_of(store), before) == before
    store.close()


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_daemons_work_goes_on_from_an_earlier_releases_rows(url, lived, revision):
    """From 0002 on with the very same verdicts; before that there was no evidence, and it begins anew."""
    folder, early, expected, incidents = lived
    store_of(revision, url, early).close()
    store = open_store(url)
    config = read(folder / "config.yaml")
    house = House.__new__(House)
    house.store, house.clock, house.watch = store, SetClock(START), monitor.daemon.watches(config)["churn"]
    house.cycle = Cycle(store, house.clock, owner="after")
    assert len(house.until(10)) == 4
    windows = [row.window_start for row in house.rows(sa.select(runs.c.window_start).order_by(runs.c.window_start))]
    assert windows == [START + day * DAY for day in range(10)]
    if revision != "0001":
        assert verdicts(house) == expected
        assert told(house) == incidents
    store.close()


# --- interrupted, and all at once -----------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
import sqlalchemy as sa
from monitor.store.database import connect
from monitor.store.schema import migrate

store, left = connect(sys.argv[1]), [int(sys.argv[2])]

@sa.event.listens_for(store.engine, "before_cursor_execute")
def count(connection, cursor, statement, *rest):
    if statement.lstrip().upper().startswith(("CREATE", "ALTER", "UPDATE ALEMBIC")):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

migrate(store)
"""


@pytest.mark.parametrize("statement", [2, 5, 9, "last"])
def test_a_migration_that_is_killed_leaves_the_old_schema_whole(tmp_path, url, lived, statement):
    store = store_of("0001", url, lived[1])
    before = rows_of(store)
    number = statement if statement != "last" else _statements(tmp_path)
    killed = subprocess.run([sys.executable, "-c", KILLED, url, str(number)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert current(store) == "0001"
    assert rows_of(store) == before
    assert migrate(store) == ("0001", head())
    assert projected(rows_of(store), before) == before
    store.close()


def _statements(folder):
    """How many statements of the schema a migration from the first revision to the last has."""
    counted = []

    def count(_connection, _cursor, statement, *_rest):
        counted.append(statement.lstrip().upper().startswith(("CREATE", "ALTER", "UPDATE ALEMBIC")))

    probe = store_of("0001", f"sqlite:///{folder}/probe.db", {})
    sa.event.listen(probe.engine, "before_cursor_execute", count)
    migrate(probe)
    probe.close()
    return sum(counted)


def test_two_that_migrate_at_once_both_find_it_done(tmp_path, url, lived):
    store = store_of("0001", url, lived[1])
    before = rows_of(store)
    path = world(tmp_path, 1, None, CONFIG.replace("sqlite:///monitor.db", url))
    both = [
        subprocess.Popen([*MONITOR, "migrate", "-c", str(path)], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert current(store) == head()
    assert projected(rows_of(store), before) == before
    store.close()


# --- a release and another's schema ---------------------------------------------------------------------------------


def newer(store):
    """What the migration of a release to come does at its end."""
    other = connect(store.engine.url.render_as_string(hide_password=False))
    with other.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    other.close()


def test_nothing_is_written_into_a_schema_that_another_release_has_changed(url):
    store = open_store(url)
    still_ours(store)
    newer(store)
    values = {"fingerprint": "f", "model": "m", "body": "{}", "first_seen": START}
    with (
        pytest.raises(SchemaChangedError, match=f"is 9999 now, and this process works with {head()}"),
        store.write() as c,
    ):
        c.execute(configurations.insert().values(values))
    with pytest.raises(SchemaChangedError):
        still_ours(store)
    with store.read() as connection:
        assert connection.execute(sa.select(configurations)).all() == []
    store.close()


def test_a_transaction_that_began_before_a_migration_ends_before_it(url):
    """Writers take turns: a migration waits for what is being written, and nobody writes while it runs."""
    store, order = open_store(url), []

    def migrating():
        newer(store)
        order.append("migrated")

    with store.write() as connection:
        thread = threading.Thread(target=migrating)
        thread.start()
        time.sleep(0.3)
        values = {"fingerprint": "f", "model": "m", "body": "{}", "first_seen": START}
        connection.execute(configurations.insert().values(values))
        order.append("written")
    thread.join(20)
    assert order == ["written", "migrated"]
    store.close()


def test_a_daemon_whose_store_is_migrated_by_a_newer_release_ends_in_order_and_says_why(tmp_path, url, monkeypatch):
    monkeypatch.setattr(monitor.daemon, "RENEWAL_SECONDS", 0.2)
    path = world(tmp_path, 3, None, FEW.replace("sqlite:///monitor.db", url).replace("tick: 1s", "tick: 0.1s"))
    config = read(path)
    store = open_store(url)
    daemon, ended = Daemon(store, SetClock(START + 3 * DAY + timedelta(hours=1)), lambda: config, config), []

    def running():
        try:
            daemon.run()
        except SchemaChangedError as error:
            ended.append(str(error))

    thread = threading.Thread(target=running)
    thread.start()
    watching = connect(url)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(_done(watching)) < 3:
        time.sleep(0.05)
    newer(watching)
    thread.join(30)
    assert not thread.is_alive()
    assert len(ended) == 1
    assert "start the release that the store is for" in ended[0]
    assert len(_done(watching)) == 3
    watching.close()


def _done(store):
    with store.read() as connection:
        return connection.execute(sa.select(runs.c.id).where(runs.c.state == "done")).all()


@pytest.fixture(scope="module")
def previous(tmp_path_factory):
    return release_before("0004_operations.py", tmp_path_factory.mktemp("previous"))


def test_the_previous_release_refuses_the_new_schema_in_a_sentence(tmp_path, previous):
    world(tmp_path, 1)
    open_store(f"sqlite:///{tmp_path}/monitor.db").close()
    for words in (("status",), ("run",)):
        told_by_it = previous.run(tmp_path, *words)
        assert told_by_it.returncode == 2, told_by_it.stderr
        assert "newer than this release knows (0003)" in told_by_it.stderr
        assert "Traceback" not in told_by_it.stderr


@pytest.mark.slow
def test_the_previous_releases_daemon_works_on_rightly_while_a_new_one_migrates(tmp_path, url, previous):
    """It knows no better than to go on. What this release adds has defaults, so that its rows are right all the same."""
    start = (datetime.now(UTC) - timedelta(days=26)).replace(hour=0, minute=0, second=0, microsecond=0)
    text = FEW.replace("sqlite:///monitor.db", url).replace("tick: 1s", "tick: 0.1s")
    text = text.replace("2026-01-05T00:00:00Z", f"{start:%Y-%m-%dT%H:%M:%SZ}")
    path = world(tmp_path, 25, None, text, start=start)
    old = previous.start(tmp_path, "run", "-c", str(path))
    store = connect(url)
    try:
        _until(lambda: current(store) == "0003" and len(_done(store)) >= 2, old)
        assert migrate(store) == ("0003", head())
        at_migration = len(_done(store))
        _until(lambda: len(_done(store)) >= 25, old)
    finally:
        old.send_signal(signal.SIGTERM)
        _, said = old.communicate(timeout=60)
    assert at_migration < 25, "the old daemon was done before the migration began"
    assert old.returncode == 0, said
    assert "Traceback" not in said
    with store.read() as connection:
        found = connection.execute(sa.select(runs.c.window_start, runs.c.revision, runs.c.look_at)).all()
    assert sorted(row.window_start for row in found) == [start + day * DAY for day in range(len(found))]
    assert {(row.revision, row.look_at) for row in found} == {(0, None)}
    store.close()


def _until(reached, process, seconds=90):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if reached():
                return
        except (sa.exc.SQLAlchemyError, UnavailableError):
            pass  # its tables are not there yet
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
