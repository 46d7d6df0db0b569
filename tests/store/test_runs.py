"""Runs: exactly one result a window, whoever dies."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from checks.binning import fit_table, profile_batch
from monitor.core.finding import Finding, IncidentKind, Verdict
from monitor.core.window import Window
from monitor.store import claims, runs
from monitor.store.tables import runs as table

NOW = datetime(2026, 1, 2, 1, tzinfo=UTC)
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))


def claim(store, owner="a", now=NOW, window=WINDOW):
    with store.write() as connection:
        return claims.claim(connection, "churn", window, "f1", owner, now)


def finish(store, held, state="done", **kwargs):
    with store.write() as connection:
        claims.finish(connection, held, state=state, now=NOW, **kwargs)


def test_a_window_is_claimed_once(store):
    assert claim(store).epoch == 1
    assert claim(store, "b") is None


def test_a_window_that_is_done_is_never_claimed_again(store):
    finish(store, claim(store))
    assert claim(store, "b", NOW + timedelta(days=30)) is None


def test_a_window_whose_owner_died_is_taken_over_with_a_higher_epoch(store):
    first = claim(store)
    with store.write() as connection:
        connection.execute(table.update().values(lease_until=0.0))
    second = claim(store, "b")
    assert (second.run_id, second.epoch, second.attempts) == (first.run_id, 2, 2)


def test_a_stale_owner_writes_nothing(store):
    first = claim(store)
    with store.write() as connection:
        connection.execute(table.update().values(lease_until=0.0))
    second = claim(store, "b")
    with pytest.raises(claims.StaleClaimError), store.write() as connection:
        claims.finish(connection, first, state="done", now=NOW, reason="stale")
    finish(store, second, reason="mine")
    with store.read() as connection:
        assert [run.reason for run in runs.listing(connection, "churn")] == ["mine"]


def test_a_failed_window_rests_before_it_is_tried_again(store):
    finish(store, claim(store), state="failed", reason="away")
    assert claim(store, "b", NOW + timedelta(seconds=10)) is None
    assert claim(store, "b", NOW + timedelta(seconds=31)).attempts == 2


def test_a_skip_is_recorded_and_moves_the_last_end_on(store):
    with store.write() as connection:
        claims.skip(connection, "churn", WINDOW, "f1", "too old", NOW, "a")
        claims.skip(connection, "churn", WINDOW, "f1", "too old", NOW, "a")
    with store.read() as connection:
        assert runs.last_end(connection, "churn") == WINDOW.end
        assert [(run.state, run.reason) for run in runs.listing(connection, "churn")] == [("skipped", "too old")]


def test_a_failed_window_does_not_move_the_last_end_on(store):
    finish(store, claim(store), state="failed")
    with store.read() as connection:
        assert runs.last_end(connection, "churn") is None


def test_what_a_run_found_comes_back_as_it_was(store):
    rows = pa.table({"age": [1.0, 2.0, 3.0, None], "plan": ["a", "b", "a", "z"]})
    bins = fit_table(rows)
    profile = profile_batch(rows, bins)
    finding = Finding(
        "churn", "age", "ks", IncidentKind.DRIFT, WINDOW, Verdict.BREACH, effect=0.3, effect_ci=(0.1, 0.5)
    )
    held = claim(store)
    with store.write() as connection:
        runs.keep(connection, held.run_id, runs.Found.packed(profile, rows, [finding]))
        claims.finish(connection, held, state="done", now=NOW, rows=4, reference_id="r", last_event=NOW.timestamp())
    with store.read() as connection:
        assert runs.profile_of(connection, held.run_id) == profile
        assert runs.findings_of(connection, [held.run_id]) == [finding]
        assert runs.samples_of(connection, [held.run_id]) == [rows]
        assert runs.effects(connection, "churn", "age", "ks", 5) == [finding]
        (volume,) = runs.volumes(connection, "churn", WINDOW.end, 10)
    assert (volume.rows, volume.last_event) == (4, NOW.timestamp())


def test_effects_and_samples_of_nothing_are_empty(store):
    with store.read() as connection:
        assert runs.findings_of(connection, []) == []
        assert runs.profile_of(connection, 99) is None
        assert runs.effects(connection, "churn", None, "row_count", 5) == []


def test_a_listing_is_oldest_first_and_its_limit_keeps_the_newest(store):
    windows = [Window(WINDOW.start + timedelta(days=n), WINDOW.end + timedelta(days=n)) for n in range(4)]
    for window in windows:
        finish(store, claim(store, window=window))
    with store.read() as connection:
        assert [run.window for run in runs.listing(connection, "churn", limit=2)] == windows[2:]
        assert [run.window for run in runs.listing(connection, "churn", since=windows[1].start)] == windows[1:]
        assert [run.window for run in runs.listing(connection, "churn", until=windows[1].end)] == windows[:2]


def test_times_keep_their_zone_through_the_store(store):
    finish(store, claim(store))
    with store.read() as connection:
        (run,) = runs.listing(connection, "churn")
        raw = connection.execute(sa.select(table.c.window_start)).scalar()
    assert run.window == WINDOW
    assert raw.tzinfo is UTC


def test_a_configuration_is_remembered_once(store):
    with store.write() as connection:
        claims.remember_configuration(connection, "churn", "f1", "{}", NOW)
        claims.remember_configuration(connection, "churn", "f1", "{}", NOW)
        assert connection.execute(sa.text("select count(*) from configurations")).scalar() == 1


def test_of_many_models_the_newest_ends_are_told_at_once(store):
    later = Window(WINDOW.end, WINDOW.end + timedelta(days=1))
    finish(store, claim(store))
    finish(store, claim(store, window=later), "skipped")
    with store.write() as connection:
        claims.claim(connection, "begun", WINDOW, "f1", "a", NOW)
    with store.read() as connection:
        assert runs.progress(connection, ["churn", "begun", 'it\'s "new"']) == {"churn": runs.Progress(later.end, None)}


def test_a_window_is_taken_while_another_works_on_it_and_when_it_is_done(store):
    def taken(owner):
        with store.read() as connection:
            return claims.taken(connection, "churn", WINDOW, owner)

    assert not taken("b")
    held = claim(store)
    assert (taken("a"), taken("b")) == (False, True)
    finish(store, held, "failed")
    assert not taken("b")
