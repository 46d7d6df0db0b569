"""What must be true of every single write: by who holds the claim, at a rising epoch, together with what follows."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import History, Write

CLAIMED = {"runs": "claimed", "outbox": "sending"}
FINAL = {"runs": ("done", "skipped"), "outbox": ("delivered", "dead")}
FOLLOWING = frozenset({"incidents", "incident_events", "findings", "evidence", "profiles"})


def epochs_rise(history: History) -> Iterator[str]:
    """A claim raises the epoch by one, and nothing ever lowers it."""
    for write in _of_claims(history):
        if write.operation == "INSERT":
            continue
        before, after = write.old_epoch or 0, write.new_epoch or 0
        if after < before:
            yield f"{_name(write)}: the epoch fell from {before} to {after}"
        if write.new_state == CLAIMED[write.table] and write.old_epoch is not None and after != before + 1:
            yield f"{_name(write)}: claimed without a new epoch"


def only_the_holder_writes(history: History) -> Iterator[str]:
    """What a claim leads to is written by who holds the claim then; a claim that was taken over writes nothing."""
    for write in _of_claims(history):
        if _settles(write) and not _is(write.old_owner, write.writer):
            yield f"{_name(write)}: {write.writer} wrote {write.new_state} into what {write.old_owner} holds"


def what_is_final_stays(history: History) -> Iterator[str]:
    """A result is not written again; late rows may revise it, and it stays done."""
    for write in _of_claims(history):
        if write.operation != "UPDATE" or write.old_state not in FINAL[write.table]:
            continue
        if write.table != "runs" or (write.old_state, write.new_state) != ("done", "done"):
            yield f"{_name(write)}: was {write.old_state}, and {write.writer} made it {write.new_state}"


def the_living_keep_their_claims(history: History) -> Iterator[str]:
    """A claim is taken over only from who was killed, frozen or cut off."""
    dead = {fault.whom for fault in history.injected("dead")}
    for write in _of_claims(history):
        taken = write.operation == "UPDATE" and write.old_state == CLAIMED[write.table]
        if not taken or write.new_epoch == write.old_epoch or _is(write.old_owner, write.writer):
            continue
        if not any(_is(write.old_owner, whom) for whom in dead):
            yield f"{_name(write)}: {write.writer} took it over from {write.old_owner}, which was alive"


def what_follows_is_written_together(history: History) -> Iterator[str]:
    """Findings, incidents, notices and requests are in the transaction that settles the claim which they follow from."""
    transactions: dict[tuple[str, str], list[Write]] = defaultdict(list)
    for write in history.journal:
        transactions[write.writer, write.transaction].append(write)
    people = {fault.whom for fault in history.injected("person")}
    for (writer, _), writes in transactions.items():
        if writer in people or any(_settles(write) for write in writes):
            continue
        follow = sorted({w.table for w in writes if w.table in FOLLOWING or _is_new_letter(w)})
        if follow:
            yield f"{writer}: wrote {', '.join(follow)} apart from what they follow from"


RULES = (
    epochs_rise,
    only_the_holder_writes,
    what_is_final_stays,
    the_living_keep_their_claims,
    what_follows_is_written_together,
)


def _of_claims(history: History) -> Iterator[Write]:
    return (write for write in history.journal if write.table in CLAIMED)


def _settles(write: Write) -> bool:
    """Whether a write ends a claim, of which a revision of a window that is done is one."""
    held = (CLAIMED.get(write.table), "done")
    return write.operation == "UPDATE" and write.old_state in held and write.old_epoch == write.new_epoch


def _is_new_letter(write: Write) -> bool:
    return write.table == "outbox" and write.operation == "INSERT"


def _is(owner: str | None, writer: str) -> bool:
    """Whether a name in the store is that of a writer, of which PostgreSQL keeps the end alone."""
    return owner is not None and bool(writer) and owner.endswith(writer)


def _name(write: Write) -> str:
    return f"{write.table} {write.row}"
