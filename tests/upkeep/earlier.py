"""Stores and code of earlier releases."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from monitor.store.database import connect
from monitor.store.schema import _alembic

ROOT = Path(__file__).parents[2]
REVISIONS = ("0001", "0002", "0003", "0004", "0005")


def tables_of(connection):
    """The tables that a store has, those first that others refer to, without Alembic's own."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def rows_of(store):
    """All rows of all tables, by table."""
    with store.read() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for table in tables_of(connection)
        }


def store_of(revision, url, rows):
    """Make a store by the migrations up to a revision, with the rows as far as it has tables and columns for them."""
    store = connect(url)
    with store.write() as connection:
        command.upgrade(_alembic(connection), revision)
    with store.write() as connection:
        for table in tables_of(connection):
            known = [
                {name: row[name] for name in (column.name for column in table.c)} for row in rows.get(table.name, ())
            ]
            if known:
                connection.execute(table.insert(), known)
        if connection.dialect.name == "postgresql":  # numbers go on where the rows end
            for name in ("runs", "outbox", "incident_events", "silences"):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), coalesce(max(id), 1)) FROM {name}"
                )
    return store


class Release:
    """The code of an earlier release, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def words(self, *arguments):
        return [sys.executable, "-W", "ignore", "-c", "from monitor.cli import main; main()", *arguments]

    @property
    def environment(self):
        return os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, cwd, *arguments):
        return subprocess.Popen(
            self.words(*arguments),
            cwd=cwd,
            env=self.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, cwd, *arguments):
        return subprocess.run(
            self.words(*arguments),
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def git(*words):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no history here to take an earlier release from")
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)


def release_before(migration, folder):
    """The code as it was before a migration came; skipped where the history does not say."""
    added = git("log", "--format=%H", "--diff-filter=A", "--", f"migrations/versions/{migration}").stdout.split()
    if not added or git("cat-file", "-e", f"{added[-1]}^").returncode:
        pytest.skip("the history does not reach back to an earlier release")
    packed = folder / "release.tar"
    made = git("archive", "--output", str(packed), f"{added[-1]}^", "checks", "monitor", "migrations", "config.yaml")
    assert made.returncode == 0, made.stderr
    with tarfile.open(packed) as archive:
        archive.extractall(folder / "release", filter="data")
    return Release(folder / "release")
