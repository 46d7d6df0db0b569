"""What people are told of a past that the store no longer keeps."""

import json

import pytest
import sqlalchemy as sa
from houses import House

from monitor.store.tables import evidence, findings, incidents, profiles, runs
from tests.worlds import START, drop


@pytest.fixture
def house(tmp_path):
    """Ten windows with an incident in the middle, of which the oldest six are pruned."""
    lived = House(tmp_path, 12, drop("age", 3, 5))
    lived.until(10)
    old = sa.select(runs.c.id).where(runs.c.window_end <= START.replace(day=START.day + 6))
    for table in (findings, profiles):
        lived.write(table.delete().where(table.c.run_id.in_(old)))
    newest = lived.rows(old.order_by(runs.c.window_end.desc()).limit(1))[0][0]
    lived.write(evidence.delete().where(evidence.c.run_id.in_(old), evidence.c.run_id != newest))
    yield lived
    lived.store.close()


def test_a_window_whose_findings_are_gone_is_explained_in_a_sentence(house, run):
    code, _, err = run("explain", "churn/age@2026-01-08T00:00:00Z")
    assert code == 2
    assert "older than `retention.profiles` keeps findings" in err


def test_a_window_that_rests_on_pruned_ones_says_so_instead_of_blaming_the_release(house, run):
    code, out, _ = run("explain", "churn/age@2026-01-14T00:00:00Z", "--json")
    again = json.loads(out)["again"]
    assert code == 0
    assert again["same"] or "retention.profiles" in again["obstacle"]


def test_an_incident_whose_findings_are_gone_still_tells_what_was_known(house, run):
    (name,) = house.rows(sa.select(incidents.c.id))[0]
    code, out, _ = run("explain", name)
    assert code == 0
    assert "older than `retention.profiles` keeps them" in out
    assert "no finding raised it" not in out
    assert run("incident", name)[0] == 0


def test_an_incident_that_is_gone_names_what_removes_them(house, run):
    (name,) = house.rows(sa.select(incidents.c.id))[0]
    house.write(incidents.delete())
    code, _, err = run("incident", name)
    assert code == 2
    assert "`retention.incidents` are gone" in err


def test_a_report_begins_where_the_store_is_whole_and_says_what_it_leaves_out(house, run, tmp_path):
    assert run("report")[0] == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "windows before 2026-01-11T00:00:00Z, older than retention.profiles keeps them" in page


def test_a_report_of_a_time_that_is_gone_says_why(house, run):
    code, _, err = run("report", "--from", "2026-01-05", "--to", "2026-01-09")
    assert code == 2
    assert "older than `retention.profiles` keeps them" in err


def test_a_backtest_reads_from_the_log_what_the_store_no_longer_has(house, run):
    code, out, _ = run("backtest", "--from", "2026-01-05", "--to", "2026-01-15", "--no-plant", "--json")
    found = json.loads(out)
    assert code in (0, 1)
    assert (found["windows"], found["stored"], found["unsampled"]) == (10, 4, 0)


def test_a_backtest_says_whose_samples_are_gone(house, run):
    house.write(profiles.update().values(sample=None))
    _, out, _ = run("backtest", "--from", "2026-01-05", "--to", "2026-01-15", "--no-plant")
    assert "the sampled rows of 4 of them are older than `retention.samples` keeps" in out
