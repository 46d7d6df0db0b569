"""The store's schema: made, checked, refused."""

import sqlite3

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from monitor.core.errors import UnavailableError, UserError
from monitor.store.database import connect
from monitor.store.schema import current, head, migrate, migrations_folder, open_store
from monitor.store.tables import metadata


def test_the_migrations_make_exactly_the_tables_of_the_code(store):
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_of_the_numbered_migrations_is_the_one_that_alembic_ends_with():
    assert head() == ScriptDirectory(str(migrations_folder())).get_current_head()


def test_opening_twice_changes_nothing(store):
    assert current(store) == head()
    assert migrate(store) == (head(), head())


def test_a_newer_schema_is_refused_with_a_remedy(store):
    with store.write() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(UserError, match=r"newer than this release.*upgrade Leeway"):
        migrate(store)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere does not exist"):
        open_store(f"sqlite:///{tmp_path}/nowhere/monitor.db")


def test_another_database_is_refused_and_the_supported_ones_named():
    with pytest.raises(UserError, match=r"mysql is not supported; use sqlite"):
        connect("mysql+pymysql://u:secret@host/db")


def test_nonsense_is_refused_without_a_traceback():
    with pytest.raises(UserError, match="URL cannot be used"):
        connect("no url at all")


def test_an_unreachable_server_is_named_without_its_password():
    with pytest.raises(UnavailableError) as caught:
        open_store("postgresql+psycopg://u:hunter2@127.0.0.1:1/db?connect_timeout=2")
    assert "127.0.0.1:1" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    path = tmp_path / "monitor.db"
    path.write_bytes(b"this is a text file, not a database, and long enough to say so" * 40)
    with pytest.raises(UnavailableError, match="cannot be"):
        open_store(f"sqlite:///{path}")


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    path = tmp_path / "monitor.db"
    open_store(f"sqlite:///{path}").close()
    store = connect(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(UnavailableError, match="readonly"), store.write() as connection:
        connection.execute(sa.text("delete from runs"))


def test_a_locked_store_is_unavailable_and_nothing_is_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr("monitor.store.database.BUSY_SECONDS", 0.05)
    store = open_store(f"sqlite:///{tmp_path}/monitor.db")
    other = sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="locked"), store.write():
        pytest.fail("the lock was not held")
    other.execute("ROLLBACK")
    other.close()
    with store.write() as connection:
        assert connection.execute(sa.text("select 1")).scalar() == 1


def test_an_error_inside_a_transaction_undoes_all_of_it(store):
    with pytest.raises(RuntimeError), store.write() as connection:
        connection.execute(sa.text("insert into configurations values ('f', 'm', '{}', '2026-01-01')"))
        raise RuntimeError
    with store.read() as connection:
        assert connection.execute(sa.text("select count(*) from configurations")).scalar() == 0
