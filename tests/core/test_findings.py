"""Findings of a window: put into words when somebody reads them, and only once."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.finding import Draft, Finding, Findings, IncidentKind, Rule, Verdict, breaches, summary_of
from monitor.core.window import Window

START = datetime(2026, 1, 5, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))


def finding(column: str | None, check: str, verdict: Verdict) -> Finding:
    return Finding("churn", column, check, IncidentKind.DRIFT, WINDOW, verdict, rule=Rule.FACT)


class Desk:
    """Drafts that count how often they are written."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def draft(self, column: str | None, check: str, verdict: Verdict, *, told: bool = True) -> Draft:
        def write() -> Finding:
            self.written.append(check)
            return finding(column, check, verdict)

        return Draft(column, check, verdict if told else None, write)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def found(desk):
    return Findings(
        [
            desk.draft("age", "location", Verdict.PASS),
            desk.draft("age", "ks", Verdict.PASS, told=False),
            desk.draft("plan", "constant", Verdict.BREACH),
            desk.draft(None, "row_count", Verdict.PASS),
        ]
    )


def test_nothing_is_written_before_it_is_read(found, desk):
    assert (len(found), desk.written) == (4, [])


def test_what_was_read_is_not_written_again(found, desk):
    assert found[0] is found[-4]
    assert desk.written == ["location"]


def test_they_are_read_in_their_order(found):
    assert [f.check for f in found] == ["location", "ks", "constant", "row_count"]
    assert [f.check for f in found[1:3]] == ["ks", "constant"]


def test_only_breaches_are_written_to_tell_them(found, desk):
    assert [f.check for f in breaches(found)] == ["constant"]
    assert desk.written == ["constant"]


def test_only_what_no_draft_tells_is_written_to_count_verdicts(found, desk):
    assert summary_of(found) == {"pass": 3, "breach": 1, "inconclusive": 0, "failed": 0}
    assert desk.written == ["ks"]
    assert summary_of(list(found)) == summary_of(found)


def test_a_finding_is_found_by_column_and_check(found):
    assert found.get("age", "ks") is found[1]
    assert found.get("plan", "ks") is None


def test_those_of_the_table_and_those_yet_open_are_found_by_place(found):
    assert list(found.of_table()) == [3]
    assert list(found.undecided({"age"})) == [1]
    assert list(found.undecided({"plan"})) == []


def test_a_replaced_finding_leaves_the_others_unwritten(found, desk):
    other = finding("age", "ks", Verdict.BREACH)
    changed = found.replaced({1: other})
    assert changed[1] is other
    assert list(changed.breaches()) == [1, 2]
    assert found.get("age", "ks") is not other
    assert "location" not in desk.written
