"""The store's schema and its version: migrated forward, refused when newer than this release."""

import io
import logging
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.core.errors import LeewayError, UnavailableError, UserError
from monitor.store.database import VERSIONS, Store, connect, in_memory
from monitor.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config


def migrations_folder() -> Path:
    """Return where the migrations are: inside the wheel, or at the top of a checkout."""
    shipped = Path(__file__).parent / "migrations"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "migrations"


def _alembic(connection: sa.Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """Return the revision that this release works with: the last of its migrations, which are numbered.

    It is looked up once, lest a process take the files of a release installed meanwhile for its own.
    """
    return max(path.stem.partition("_")[0] for path in (migrations_folder() / "versions").glob("[0-9]*.py"))


def current(store: Store) -> str | None:
    """Return the revision of a store; None for an empty database."""
    # Read without Alembic, which is for changing a schema: most processes find the one they expect.
    with store.read() as connection:
        if not sa.inspect(connection).has_table(VERSIONS.name):
            return None
        return connection.execute(sa.select(VERSIONS.c.version_num)).scalar()


def still_ours(store: Store) -> None:
    """See that no other release has changed the schema since the store was opened.

    Raises
    ------
    SchemaChangedError
        When one has. Every transaction that writes looks, too; this is for a process that has nothing to write.
    """
    with store.read() as connection:
        store.check(connection)


def migrate(store: Store) -> tuple[str | None, str]:
    """Bring a store to this release's schema; return the revision before and after.

    Raises
    ------
    UserError
        When the store belongs to a newer release.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    before = current(store)
    known = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if before is not None and before not in known:
        raise UserError(
            f"the store's schema {before} is newer than this release knows ({head()}); "
            "upgrade Leeway, or use the store of an older release"
        )
    if before != head():
        logging.getLogger("alembic").setLevel(logging.WARNING)
        # Of several processes that start together one migrates; the others find it done when their turn to write comes.
        with redirect_stdout(io.StringIO()), store.write() as connection:
            command.upgrade(_alembic(connection), "head")
    return before, head()


def open_store(url: str, *, create: bool = True) -> Store:
    """Open a store whose schema fits, creating or migrating it where needed.

    Raises
    ------
    UserError
        When it belongs to a newer release, or with ``create=False`` has no schema yet.
    UnavailableError
        When it cannot be reached or written.
    """
    store = connect(url)
    try:
        revision = current(store)
        if revision == head():
            return replace(store, revision=revision)
        if revision is None and not create:
            raise UserError(f"the store {store.name} is empty; run `monitor run` or `monitor check`")
        migrate(store)
    except LeewayError:
        store.close()
        raise
    except sa.exc.SQLAlchemyError as error:
        store.close()
        raise UnavailableError(f"the store {store.name} cannot be prepared: {error}") from error
    return replace(store, revision=head())


def scratch_store(folder: Path | None = None) -> Store:
    """Make a store that will be thrown away, with today's schema and without its history.

    It is a file in the folder; without one it is in memory, for one thread.
    """
    store = in_memory() if folder is None else connect(f"sqlite:///{folder}/scratch.db")
    with store.write() as connection:
        metadata.create_all(connection)
    return store


def existing_store(url: str) -> Store | None:
    """Open a store that has been used before; None where there is none, and none is made.

    Raises
    ------
    UserError, UnavailableError
        As :func:`open_store`.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        return None
    store = connect(url)
    used = current(store) is not None
    store.close()
    return open_store(url) if used else None
