"""Which columns have series of their own, and what is said of the others."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.cycle import Cycle
from monitor.store import overview
from monitor.store.schema import open_store
from monitor.watch import watches
from monitor.web import columns
from monitor.web.columns import OTHER, SHOWN, Columns, shown_effects, shown_nulls
from monitor.web.exposition import LONGEST_LABEL, label
from tests.worlds import CONFIG, world

NOW = datetime(2026, 1, 8, 2, tzinfo=UTC)


def test_of_many_columns_the_few_with_the_largest_effects_are_shown_and_the_largest_of_the_others():
    effects = [(f"c{number:03}", "location", (-1) ** number * number / 100, False) for number in range(500)]
    shown = shown_effects(effects)
    assert len(shown) == SHOWN + 1
    assert {column for column, _ in shown} == {f"c{number}" for number in range(490, 500)} | {OTHER}
    assert shown[OTHER, "location"] == -4.89


def test_a_column_that_breaches_is_shown_however_small_its_effect():
    calm = [(f"c{number:03}", "location", 1.0 + number, False) for number in range(500)]
    shown = shown_effects([*calm, ("breaks", "location", 0.1, True)])
    assert shown["breaks", "location"] == 0.1


def test_every_check_has_an_other_of_its_own():
    effects = [(f"c{number:03}", check, number / 10, False) for number in range(50) for check in ("location", "spread")]
    assert {check for column, check in shown_effects(effects) if column == OTHER} == {"location", "spread"}


def test_a_column_named_other_is_not_lost():
    shown = shown_nulls({OTHER: 0.9, **{f"c{number:03}": 0.5 - number / 1000 for number in range(50)}})
    assert shown[OTHER] == 0.9


def test_few_columns_have_no_other():
    assert shown_nulls({"age": 0.1, "plan": 0.0}) == {"age": 0.1, "plan": 0.0}


def test_labels_are_bounded_printable_and_tell_long_names_apart():
    one, other = (label("x" * 500 + end) for end in "ab")
    assert one != other
    assert max(len(one), len(other)) <= LONGEST_LABEL
    assert label("a\nb\x1b[31m\ud800") == "a\\nb\\x1b[31m\\ud800"


class Home:
    def __init__(self, folder):
        config = read(world(folder, 4, None, CONFIG))
        self.store = open_store(config.store.get_secret_value())
        self.clock = SetClock(NOW)
        self.watch = watches(config)["churn"]
        Cycle(self.store, self.clock).catch_up(self.watch)

    def refresh(self, held, found):
        with self.store.read() as connection:
            held.refresh(connection, found)

    def newest(self, *names):
        with self.store.read() as connection:
            return overview.newest(connection, names)


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.store.close()


def test_the_newest_window_of_every_model_is_one_statement(home):
    statements = []
    sa.event.listen(home.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    found = home.newest("churn", *(f"m{number}" for number in range(500)))
    assert [words.split()[0] for words in statements] == ["BEGIN", "SELECT"]
    assert list(found) == ["churn"]
    assert found["churn"].window_end == datetime(2026, 1, 8, tzinfo=UTC)


def test_only_drift_of_columns_is_shown_and_nulls_of_each(home):
    held = Columns()
    home.refresh(held, home.newest("churn"))
    assert {check for _, check in held.effects["churn"]} <= {"location", "shape", "spread", "tails", "category_shift"}
    assert set(held.nulls["churn"]) == {"age", "amount", "plan", "flag"}


def test_a_window_is_read_once_and_again_when_it_was_revised(home, monkeypatch):
    held, asked = Columns(), []
    real = overview.details
    monkeypatch.setattr(
        columns.overview, "details", lambda c, ids, checks: asked.append(list(ids)) or real(c, ids, checks)
    )
    found = home.newest("churn")
    for _ in range(2):
        home.refresh(held, found)
    revised = {"churn": overview.Newest(found["churn"].run_id, 1, NOW, NOW, 1, None)}
    home.refresh(held, revised)
    number = found["churn"].run_id
    assert asked == [[number], [], [number]]


def test_a_model_that_is_gone_is_forgotten(home):
    held = Columns()
    home.refresh(held, home.newest("churn"))
    home.refresh(held, {})
    assert (held.effects, held.nulls, held._read) == ({}, {}, {})


def test_the_windows_of_many_models_are_read_in_turn(monkeypatch):
    asked = []
    monkeypatch.setattr(columns.overview, "details", lambda _, ids, checks: asked.append(len(ids)) or {})
    many = {f"m{number}": SimpleNamespace(run_id=number, revision=0) for number in range(70)}
    held = Columns()
    for _ in range(4):
        held.refresh(None, many)
    assert asked == [20, 20, 20, 10]
