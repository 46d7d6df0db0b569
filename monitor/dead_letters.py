"""What becomes of messages that could not be delivered: the fallback receiver is told, and a person looks."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from monitor.core.errors import UserError
from monitor.core.incident import State
from monitor.core.notice import Notice
from monitor.core.window import iso
from monitor.store import bodies
from monitor.store import incidents as incident_rows
from monitor.store import letters as letter_rows
from monitor.store import outbox as outbox_rows
from monitor.store.letters import Entry
from monitor.store.outbox import Letter


def pass_on(connection: sa.Connection, letter: Letter, reason: str, fallback: str, now: datetime) -> bool:
    """Write what one receiver could not be told for another one; False where that was done before, or cannot be.

    The incident is told as it is now: the fallback receiver may have had its own news of it meanwhile.
    """
    if letter.receiver == fallback or letter.incident_id is None:
        return False
    try:
        notice = bodies.load(Notice, letter.payload)
    except ValueError:  # written by a release that knows more
        return False
    incident = incident_rows.get(connection, letter.incident_id)
    told = replace(
        notice,
        key=outbox_rows.passed_on(letter.key),
        incident=incident,
        at=now,
        actions=() if incident.state is State.RESOLVED else notice.actions,
        note=f"{letter.receiver} could not be told: {reason}",
    )
    return outbox_rows.put(
        connection,
        key=told.key,
        kind="notice",
        model=letter.model,
        receiver=fallback,
        incident_id=letter.incident_id,
        payload=bodies.dump(told),
        now=now,
    )


def retry(connection: sa.Connection, letter: Entry, who: str, now: datetime) -> None:
    """Put a dead letter back.

    Raises
    ------
    UserError
        When it is not dead, or would show people an older state of the incident than they know.
    """
    if letter.state == "dead" and letter_rows.superseded(connection, letter):
        raise UserError(
            f"{letter.key} is out of date: {letter.receiver} has a later message about {letter.incident_id}; "
            f"`monitor outbox drop {letter.key}` lets it be"
        )
    _settle(connection, letter, letter_rows.revive(connection, letter, now), "delivery retried", who, now)


def drop(connection: sa.Connection, letter: Entry, who: str, now: datetime) -> None:
    """Let a dead letter be: somebody has seen that it was not delivered.

    Raises
    ------
    UserError
        When it is not dead.
    """
    _settle(connection, letter, letter_rows.drop(connection, letter), "delivery dropped", who, now)


def _settle(connection: sa.Connection, letter: Entry, changed: bool, event: str, who: str, now: datetime) -> None:
    if not changed:
        more = f" and will be tried at {iso(letter.next_attempt_at)}" if letter.state == "pending" else ""
        raise UserError(f"{letter.key} is {letter.state}{more}; only dead letters are put back or dropped")
    if letter.incident_id is not None:
        detail = f"{letter.receiver}: {letter.error}"
        incident_rows.note(connection, letter.incident_id, event, who, detail, now)
