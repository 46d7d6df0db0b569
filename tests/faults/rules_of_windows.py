"""What must be true of windows: each has one result or a recorded skip, in order, from exactly one evaluation."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import History, Owed, Row


def one_result_each(history: History) -> Iterator[str]:
    """Every owed window has exactly one committed result, under whatever configuration, or is covered by a skip."""
    done = _done(history)
    for window in history.owed:
        results = len(done.get(window, ()))
        skipped = _skips(history, window)
        if not results and not skipped:
            yield f"{window}: lost, it has neither a result nor a recorded skip"
        if results > 1:
            prints = sorted({row["fingerprint"] for row in done[window]})
            yield f"{window}: {results} results, under the fingerprints {', '.join(prints)}"
        if results and skipped:
            yield f"{window}: has a result and is recorded as skipped"


def nothing_unasked(history: History) -> Iterator[str]:
    """No window has a result that the schedule never owed."""
    owed = set(history.owed)
    for window in _done(history):
        if window not in owed:
            yield f"{window}: has a result, and was never owed"


def a_skip_says_why(history: History) -> Iterator[str]:
    """A skip is recorded with its reason."""
    for row in history.runs:
        if row["state"] == "skipped" and not row["reason"]:
            yield f"{row['model']} {row['window_start']}: skipped without a reason"


def in_order(history: History) -> Iterator[str]:
    """The windows of a model get their results oldest first, as incidents need them."""
    windows = {str(row["id"]): row for row in history.runs}
    newest: dict[str, Row] = {}
    for write in history.journal:
        if write.table == "runs" and write.new_state in ("done", "skipped") and write.old_state != write.new_state:
            row = windows.get(write.row)
            if row is None:
                continue
            before = newest.get(row["model"])
            if before is not None and row["window_start"] < before["window_end"]:
                yield f"{row['model']} {row['window_start']}: ended after the later {before['window_start']}"
            newest[row["model"]] = row


def of_one_evaluation(history: History) -> Iterator[str]:
    """A window that is done has evidence, a profile and the findings of exactly one evaluation; no other run has any."""
    done = {row["id"]: row for row in history.runs if row["state"] == "done"}
    for number, row in done.items():
        name = f"{row['model']} {row['window_start']}"
        for what, rows in (("evidence", history.evidence), ("profile", history.profiles)):
            if (count := list(rows).count(number)) != 1:
                yield f"{name}: {count} rows of {what} where one belongs"
        found = list(history.found.get(number, ()))
        if not found:
            yield f"{name}: is done and has no findings"
        if len(found) != len(set(found)):
            yield f"{name}: has findings twice"
    for number in {*history.found, *history.evidence, *history.profiles} - set(done):
        yield f"run {number}: has findings, evidence or a profile without being done"


def as_if_nothing_had_happened(history: History) -> Iterator[str]:
    """Whatever was done to the world, the findings and evidence are those of an undisturbed run, to the last bit."""
    if history.undisturbed is None:
        return
    for window, rows in _done(history).items():
        for row in rows:
            expected = history.undisturbed.get(window)
            if expected is not None and history.digests.get(row["id"]) != expected:
                yield f"{window}: found something else than an undisturbed run finds"


RULES = (one_result_each, nothing_unasked, a_skip_says_why, in_order, of_one_evaluation, as_if_nothing_had_happened)


def _done(history: History) -> dict[Owed, list[Row]]:
    done: dict[Owed, list[Row]] = defaultdict(list)
    for row in history.runs:
        if row["state"] == "done":
            done[Owed(row["model"], row["window_start"], row["window_end"])].append(row)
    return done


def _skips(history: History, window: Owed) -> list[Row]:
    return [
        row
        for row in history.runs
        if row["state"] == "skipped"
        and row["model"] == window.model
        and row["window_start"] <= window.start
        and row["window_end"] >= window.end
    ]
