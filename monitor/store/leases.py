"""Leases: who works on a row says so from time to time; a claim that is not renewed may be taken over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.store.database import Store, database_now

LEASE_SECONDS = 60.0
RENEWAL_SECONDS = 15.0  # three renewals may be missed


@dataclass(frozen=True)
class Lease:
    """The right to one row at one epoch."""

    table: sa.Table
    row: int
    epoch: int


class Leases:
    """The rows that this process works on now."""

    def __init__(self) -> None:
        self._held: set[Lease] = set()

    @contextmanager
    def holding(self, table: sa.Table, row: int, epoch: int) -> Iterator[None]:
        """Renew the lease of a row for as long as the work on it takes."""
        lease = Lease(table, row, epoch)
        self._held.add(lease)
        try:
            yield
        finally:
            self._held.discard(lease)

    def renew(self, store: Store) -> None:
        """Renew every lease that is held; one that was taken over stays the other's."""
        held = tuple(self._held)
        if not held:
            return
        with store.write() as connection:
            for lease in held:
                columns = lease.table.c
                ours = (columns.id == lease.row, columns.epoch == lease.epoch, columns.lease_until.is_not(None))
                connection.execute(lease.table.update().where(*ours).values(lease_until=until(connection)))


def until(connection: sa.Connection) -> sa.ColumnElement[float]:
    """Return when a lease that begins now runs out, by the database's clock."""
    return database_now(connection) + LEASE_SECONDS
