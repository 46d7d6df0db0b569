"""Copies of the store: made while others write, checked before they are trusted, put in the store's place."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from monitor.core.errors import UnavailableError, UserError
from monitor.store import heartbeats as heartbeat_rows
from monitor.store import owners
from monitor.store.database import BUSY_SECONDS, Store, connect, database_now
from monitor.store.schema import current, migrate
from monitor.store.tables import configurations, incidents, outbox, references, restores, retrains, runs

_BESIDE = ("", "-wal", "-shm")  # the files of one SQLite database


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a store: its file, its size in bytes, and the revision of its schema."""

    file: Path
    size: int
    revision: str


def file_of(store: Store) -> Path:
    """Return the file of a SQLite store.

    Raises
    ------
    UserError
        When the store has none.
    """
    database = store.engine.url.database
    if store.engine.dialect.name != "sqlite" or not database or database == ":memory:":
        raise UserError(f"the store {store.name} is no file")
    return Path(database.removeprefix("file:").partition("?")[0])


def backup(store: Store, target: Path, *, force: bool = False) -> Copy:
    """Copy a SQLite store into a file, as it is at one moment. Writers go on meanwhile.

    Parameters
    ----------
    force : whether a file that is there already is replaced.

    Raises
    ------
    UserError, UnavailableError
        When the file is there already, cannot be written, or the store is damaged; nothing is left behind then.
    """
    if not _size(file_of(store)):
        raise UserError(f"there is no store {store.name} yet, so there is nothing to copy")
    if target.exists() and not force:
        raise UserError(f"{target} is there already; choose another name, or replace it with --force")
    partial = target.with_name(f".{target.name}.partial")
    try:
        _begun(partial)
        _copied(file_of(store), partial)
        made = examined(partial)
        partial.replace(target)
        _settled(target)
    except OSError as error:
        raise UnavailableError(f"{target} cannot be written: {error.strerror}; choose another place") from error
    finally:
        _removed(partial)
    return Copy(target, made.size, made.revision)


def _begun(path: Path) -> None:
    """Make an empty file that nobody else may read, for it will hold sampled rows of the log."""
    _removed(path)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _removed(path: Path) -> None:
    """Remove a file of SQLite's with those that it has beside it, as far as they are there."""
    for end in _BESIDE:
        path.with_name(path.name + end).unlink(missing_ok=True)


def _copied(source: Path, target: Path) -> None:
    """Copy all pages in one reading transaction: in WAL mode that holds nobody up, and nobody makes it begin anew."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise UnavailableError(f"{source} cannot be copied: {error}") from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _settled(path: Path) -> None:
    """Wait until a file and its name are on the disk."""
    for place in (path, path.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def examined(file: Path) -> Copy:
    """Return what a file is, if it is a whole store.

    Raises
    ------
    UserError
        When there is none, or it is damaged or something else.
    """
    if not file.is_file():
        raise UserError(f"there is no file {file}")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise UserError(f"{file} is damaged: {verdict}")
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    except sqlite3.Error as error:
        raise UserError(f"{file} is no store of Leeway: {error}") from error
    return Copy(file, file.stat().st_size, str(revision))


def restore(store: Store, file: Path, now: datetime, *, force: bool = False) -> tuple[Copy, Path | None]:
    """Put a copy in a SQLite store's place, with its schema brought forward.

    Parameters
    ----------
    force : whether a store that holds something is moved aside.

    Returns
    -------
    tuple[Copy, Path | None]
        What was restored, and where the store is that was there before; None where there was none.

    Raises
    ------
    UserError, UnavailableError
        When the copy cannot be used, somebody works with the store, or it holds something; it is as it was then.
    """
    target, copy = file_of(store), examined(file)
    present = bool(_size(target))  # a file of no bytes was made by whoever wanted to open the store
    if present:
        _at_rest(store, force=force)
    store.close()
    fresh = target.with_name(f".{target.name}.restoring")
    try:
        _begun(fresh)
        _copied(file, fresh)
        opened = connect(f"sqlite:///{fresh}")
        try:
            migrate(opened)
            mark(opened, now)
        finally:
            opened.close()
        _one_file(fresh)
        aside = _moved_aside(target, now) if present else None
        fresh.replace(target)
        _settled(target)
    except OSError as error:
        raise UnavailableError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        _removed(fresh)
    return copy, aside


def _one_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as whole:
        whole.execute("PRAGMA journal_mode=DELETE")


def _moved_aside(target: Path, now: datetime) -> Path:
    aside = target.with_name(f"{target.name}.before-{now:%Y%m%dT%H%M%SZ}")
    with suppress(sqlite3.Error), closing(sqlite3.connect(target)) as old:  # a damaged one is moved as it is
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in reversed(_BESIDE):
        path = target.with_name(target.name + end)
        if path.exists():
            path.replace(aside.with_name(aside.name + end))
    return aside


def _at_rest(store: Store, *, force: bool) -> None:
    """See that nobody works with a store, and that it is empty or may be replaced."""
    try:
        if current(store) is None:
            return
        living, held = busy(store), _held(store)
    except (UnavailableError, sa.exc.SQLAlchemyError) as error:
        if force:
            return  # whatever it was, it is of no use to anybody
        raise UserError(f"{error}; --force moves it aside and puts the copy in its place") from error
    if living:
        raise UserError(f"{', '.join(living)} work with the store {store.name}; stop them first")
    if held and not force:
        words = ", ".join(f"{count} {name}" for name, count in held.items())
        raise UserError(f"the store {store.name} holds {words}; --force moves it aside and puts the copy in its place")


def busy(store: Store) -> list[str]:
    """Return the processes that work with a store: those that have beaten lately, or hold a lease."""
    with store.read() as connection:
        known = sa.inspect(connection).get_table_names()
        found = heartbeat_rows.processes(connection) if "heartbeats" in known else []
        living = {process.owner for process in heartbeat_rows.alive(found)}
        for table in (runs, outbox):
            leased = sa.select(table.c.owner).where(table.c.lease_until > database_now(connection))
            living |= {owner for owner in connection.execute(leased).scalars() if owner and not owners.gone(owner)}
    return sorted(living)


def _held(store: Store) -> dict[str, int]:
    tables = (runs, references, incidents, outbox, retrains, configurations)
    with store.read() as connection:
        counted = {t.name: connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in tables}
    return {name: count for name, count in counted.items() if count}


def mark(store: Store, now: datetime) -> None:
    """Note that a store was put back: what was being sent then, and what its past gives rise to, may have arrived.

    Receivers that can be asked are asked before anything is sent to them again; claims end at once, for whoever held
    them worked with another store.
    """
    with store.write() as connection:
        connection.execute(restores.insert().values(at=now))
        open_letters = outbox.c.state.in_(("pending", "sending"))
        connection.execute(
            outbox.update().where(open_letters).values(state="pending", uncertain=True, owner=None, lease_until=None)
        )
        connection.execute(runs.update().where(runs.c.lease_until.is_not(None)).values(lease_until=0.0))
