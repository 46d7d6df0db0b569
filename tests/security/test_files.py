"""Files that Leeway makes: who may read them, and that nobody can lay another one in their way."""

import os
import stat
import sys
from contextlib import closing

import pytest

from monitor.config.reading import read
from monitor.store.database import connect
from monitor.store.schema import open_store
from monitor.triggers.command import Command
from tests.triggers.retrain_factory import asked
from tests.worlds import CONFIG, world


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_handed():
    """The mask of a careless machine."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_store_is_its_owners_alone(tmp_path):
    with closing(open_store(f"sqlite:///{tmp_path}/monitor.db")) as store, store.write():
        assert {path.name: oct(mode(path)) for path in tmp_path.iterdir()} == dict.fromkeys(
            (path.name for path in tmp_path.iterdir()), oct(0o600)
        )


def test_a_store_that_is_there_keeps_the_mode_that_its_owner_gave_it(tmp_path):
    path = tmp_path / "monitor.db"
    open_store(f"sqlite:///{path}").close()
    path.chmod(0o640)
    open_store(f"sqlite:///{path}").close()
    assert mode(path) == 0o640


def test_opening_a_store_follows_no_link_to_a_file_that_is_not_there(tmp_path):
    """Where somebody has laid one, SQLite says what it thinks of it; it is not made private in Leeway's name."""
    (tmp_path / "monitor.db").symlink_to(tmp_path / "elsewhere")
    connect(f"sqlite:///{tmp_path}/monitor.db").close()
    assert not (tmp_path / "elsewhere").exists()


def test_what_a_command_was_asked_and_said_is_the_owners_alone(tmp_path):
    state = tmp_path / "state"
    Command(argv=(sys.executable, "-c", "print('output')"), state=str(state)).fire(asked())
    (record,) = state.iterdir()
    assert mode(record) == 0o700
    assert (record / "output.log").read_text() == "output\n"


def test_a_command_that_is_run_by_name_of_a_key_stays_in_its_folder(tmp_path):
    state = tmp_path / "state"
    for key in ("../../etc/x", "/etc/x", "..", ".", "a/../../b", "x" * 300, "a\0b", "\ud800"):
        Command(argv=(sys.executable, "-c", "pass"), state=str(state)).fire(asked(key=key))
    assert {path.name for path in tmp_path.iterdir()} == {"state"}
    assert all(path.resolve().parent == state for path in state.iterdir())


def test_the_report_takes_no_partial_file_of_another_for_its_own(run, tmp_path):
    from monitor.cli.report import write

    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / ".report.html.partial").symlink_to(victim)
    write(tmp_path / "report.html", "<html>")
    assert victim.read_text() == "kept"
    assert (tmp_path / "report.html").read_text() == "<html>"
    assert not (tmp_path / "report.html").is_symlink()


def test_a_secret_of_a_file_is_read_from_no_device(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace("sqlite:///monitor.db", "${file:/dev/zero}"))
    with pytest.raises(Exception, match="larger than"):
        read(path)


def test_reading_a_log_and_judging_it_leaves_no_file_beside_the_named_ones(run, tmp_path):
    world(tmp_path, 1)
    before = {path.name for path in tmp_path.iterdir()}
    run("check", "--window", "2026-01-05/2026-01-06")
    assert {path.name for path in tmp_path.iterdir()} - before <= {"monitor.db", "monitor.db-wal", "monitor.db-shm"}


def test_sampled_rows_are_not_kept_where_the_configuration_says_so(run, tmp_path):
    import sqlite3
    from datetime import timedelta

    from monitor.clocks import SetClock
    from monitor.cycle import Cycle
    from monitor.watch import watches
    from tests.worlds import START

    path = world(tmp_path, 1, config=CONFIG.replace("    checks: auto\n", "    checks: auto\n    sample: 0\n"))
    config = read(path)
    with closing(open_store(config.store.get_secret_value())) as store:
        Cycle(store, SetClock(START + timedelta(days=1, hours=1))).catch_up(watches(config)["churn"])
    with closing(sqlite3.connect(tmp_path / "monitor.db")) as connection:
        kept = connection.execute("SELECT sample FROM profiles").fetchall()
    assert kept
    from checks.sample_codec import decode_table

    assert [decode_table(sample).num_rows if sample else 0 for (sample,) in kept] == [0]
