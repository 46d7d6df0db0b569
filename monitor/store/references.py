"""Reference snapshots in the store: added once, never changed, found by id or as the newest of a model."""

import json
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from checks import codec
from checks.profile import Bins, Profile
from checks.sample_codec import decode_table, encode_table
from monitor.core.errors import UserError
from monitor.core.reference import Reference
from monitor.core.window import Window
from monitor.store.tables import reference_blocks as blocks_table
from monitor.store.tables import references as table


def add(connection: sa.Connection, reference: Reference) -> bool:
    """Add a snapshot; return False when the model has it already, and note where it comes from now."""
    same = (table.c.id == reference.id, table.c.model == reference.model)
    if connection.execute(sa.select(table.c.id).where(*same)).first():
        connection.execute(table.update().where(*same).values(origin=reference.origin))
        return False
    connection.execute(
        table.insert().values(
            id=reference.id,
            model=reference.model,
            version=reference.version,
            origin=reference.origin,
            added_at=reference.added_at,
            added_by=reference.added_by,
            rows=reference.rows,
            span_start=reference.span.start if reference.span else None,
            span_end=reference.span.end if reference.span else None,
            warnings=json.dumps(reference.warnings),
            bins=codec.encode_bins(reference.bins),
            profile=codec.encode_profile(reference.profile),
            sample=encode_table(reference.sample),
        )
    )
    rows = [
        {
            "reference_id": reference.id,
            "model": reference.model,
            "window_start": window.start,
            "window_end": window.end,
            "profile": codec.encode_profile(profile),
        }
        for window, profile in reference.blocks
    ]
    if rows:
        connection.execute(blocks_table.insert(), rows)
    return True


def _blocks(connection: sa.Connection, model: str, reference_id: str) -> tuple[tuple[Window, Profile], ...]:
    found = connection.execute(
        sa.select(blocks_table)
        .where(blocks_table.c.reference_id == reference_id, blocks_table.c.model == model)
        .order_by(blocks_table.c.window_start)
    )
    return tuple((Window(b.window_start, b.window_end), codec.decode_profile(b.profile)) for b in found)


def _loaded(
    row: sa.Row[tuple[object, ...]], blocks: tuple[tuple[Window, Profile], ...] = (), sample: pa.Table | None = None
) -> Reference:
    return Reference(
        id=row.id,
        model=row.model,
        bins=codec.decode_bins(row.bins),
        profile=codec.decode_profile(row.profile),
        blocks=blocks,
        sample=pa.schema([]).empty_table() if sample is None else sample,
        origin=row.origin,
        added_at=row.added_at,
        added_by=row.added_by,
        version=row.version,
        span=Window(row.span_start, row.span_end) if row.span_start and row.span_end else None,
        warnings=tuple(json.loads(row.warnings)),
    )


def sample_of(connection: sa.Connection, model: str, reference_id: str) -> pa.Table:
    """Return the sampled rows of a snapshot."""
    query = sa.select(table.c.sample).where(table.c.model == model, table.c.id == reference_id)
    return decode_table(connection.execute(query).scalar_one())


def bins_of(connection: sa.Connection, model: str, reference_id: str) -> dict[str, Bins]:
    """Return the bins of a snapshot."""
    query = sa.select(table.c.bins).where(table.c.model == model, table.c.id == reference_id)
    return codec.decode_bins(connection.execute(query).scalar_one())


def windows_of(connection: sa.Connection, model: str, reference_id: str) -> list[Window]:
    """Return the windows that a snapshot keeps one by one, oldest first."""
    query = sa.select(blocks_table.c.window_start, blocks_table.c.window_end).where(
        blocks_table.c.model == model, blocks_table.c.reference_id == reference_id
    )
    return [Window(*row) for row in connection.execute(query.order_by(blocks_table.c.window_start))]


def copy(source: sa.Connection, target: sa.Connection, model: str, reference_id: str, *, windows: bool = True) -> None:
    """Copy a snapshot from one store into another that has it not, as it is written; its own windows if wanted."""
    for known, name in ((table, table.c.id), (blocks_table, blocks_table.c.reference_id))[: 2 if windows else 1]:
        rows = source.execute(sa.select(known).where(known.c.model == model, name == reference_id)).mappings().all()
        if rows:
            target.execute(known.insert(), [dict(row) for row in rows])


def has_blocks(connection: sa.Connection, model: str, reference_id: str) -> bool:
    """Return whether a snapshot has windows, from which variation can be learned."""
    query = sa.select(blocks_table.c.window_start).where(
        blocks_table.c.model == model, blocks_table.c.reference_id == reference_id
    )
    return connection.execute(query.limit(1)).first() is not None


def find(connection: sa.Connection, model: str, prefix: str) -> Reference:
    """Return the model's snapshot whose id begins with ``prefix``.

    Raises
    ------
    UserError
        When none does, or several do.
    """
    row = connection.execute(_one(model, id_of(connection, model, prefix))).one()
    return _loaded(row, _blocks(connection, model, row.id), decode_table(row.sample))


def outline(connection: sa.Connection, model: str, reference_id: str) -> Reference:
    """Return a snapshot without its windows and its sample, which are for learning and for reports."""
    columns = [column for column in table.c if column is not table.c.sample]
    return _loaded(connection.execute(_one(model, reference_id).with_only_columns(*columns)).one())


def _one(model: str, reference_id: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(table).where(table.c.model == model, table.c.id == reference_id)


def id_of(connection: sa.Connection, model: str, prefix: str) -> str:
    """Return the id of the model's snapshot that begins with ``prefix``.

    Raises
    ------
    UserError
        When none does, or several do.
    """
    query = sa.select(table.c.id).where(table.c.model == model, table.c.id.startswith(prefix, autoescape=True))
    found = connection.execute(query).scalars().all()
    if len(found) != 1:
        problem = "no reference" if not found else f"{len(found)} references"
        raise UserError(
            f"{problem} of {model} with an id beginning {prefix!r}; `monitor reference list` shows what there is"
        )
    return str(found[0])


def pin(connection: sa.Connection, model: str, reference_id: str, now: datetime) -> None:
    """Make a snapshot the one that the model is judged against."""
    connection.execute(table.update().where(table.c.model == model, table.c.id == reference_id).values(pinned_at=now))


def listing(connection: sa.Connection, model: str | None = None) -> list[dict[str, object]]:
    """Return what is known of every snapshot without its content, newest first."""
    names = ("id", "model", "version", "origin", "added_at", "added_by", "rows", "span_start", "span_end", "pinned_at")
    query = sa.select(*(table.c[name] for name in names)).order_by(table.c.model, table.c.added_at.desc())
    if model is not None:
        query = query.where(table.c.model == model)
    return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name


def active_id(connection: sa.Connection, model: str, origin: str) -> str | None:
    """Return the id of the snapshot that the model is judged against.

    That is the one pinned last; without a pin the newest that came from ``origin``, where the configuration says now.
    """
    pinned = sa.select(table.c.id).where(table.c.model == model, table.c.pinned_at.is_not(None))
    chosen = connection.execute(pinned.order_by(table.c.pinned_at.desc()).limit(1)).scalar()
    return str(chosen) if chosen is not None else newest(connection, model, table.c.origin == origin)


def pinned_for(connection: sa.Connection, model: str, version: str, since: datetime | None) -> str | None:
    """Return the snapshot that was pinned last for a version; None where none was.

    Parameters
    ----------
    since : when it began to serve: what was pinned after that without the name of a version is meant for it.
    """
    meant = table.c.version == version
    if since is not None:
        meant = sa.or_(meant, sa.and_(table.c.version.is_(None), table.c.pinned_at >= since))
    pinned = sa.select(table.c.id).where(table.c.model == model, table.c.pinned_at.is_not(None), meant)
    chosen = connection.execute(pinned.order_by(table.c.pinned_at.desc()).limit(1)).scalar()
    return str(chosen) if chosen is not None else None


def newest(connection: sa.Connection, model: str, *which: sa.ColumnElement[bool]) -> str | None:
    """Return the snapshot of a model that was added last, of those that some conditions choose."""
    query = sa.select(table.c.id).where(table.c.model == model, *which).order_by(table.c.added_at.desc())
    found = connection.execute(query.limit(1)).scalar()
    return str(found) if found is not None else None


def newest_from(connection: sa.Connection, model: str, origin: str) -> str | None:
    """Return the snapshot that was added last from a place."""
    return newest(connection, model, table.c.origin == origin)


def newest_of(connection: sa.Connection, model: str, version: str) -> str | None:
    """Return the snapshot that was added last for a version."""
    return newest(connection, model, table.c.version == version)
