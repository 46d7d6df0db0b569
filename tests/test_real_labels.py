"""Performance on real data with labels: the ranking of flights and car loans, through the log and its labels."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from checks.performance import measure
from checks.performance_change import compare
from monitor.core.labels import Truth
from monitor.core.window import Window
from monitor.sources.parquet import Parquet

DATA = Path(__file__).parents[1].parent / "shared" / "data"
WANTED = {"prediction": "prediction", "score": "score"}
LATE = datetime(2030, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")


def place(name):
    folder = DATA / name
    log = Parquet(path=str(folder / "stream.parquet"), time="ts", id="prediction_id")
    return log, Truth(str(folder / "labels.parquet"), "label", "prediction_id", "label_ts")


def told(table):
    return measure(*(table.column(name) for name in ("label", "prediction", "score")))[0]


def test_car_loans_rank_less_well_after_the_change_that_is_known():
    log, truth = place("carloan")
    facts = json.loads((DATA / "carloan" / "truth.json").read_text())
    changed = datetime.fromisoformat(facts["events"][0]["start"])
    before = told(log.labelled(truth, Window(changed - timedelta(days=400), changed), WANTED, LATE, 100_000))
    after = told(log.labelled(truth, Window(changed, changed + timedelta(days=400)), WANTED, LATE, 100_000))
    assert (before.metric, round(before.value, 3), round(after.value, 3)) == ("auc", 0.971, 0.960)
    assert before.rows + after.rows == facts["rows"]["labels"]
    assert compare(before, after).verdict == "worse"


def test_flights_that_were_cancelled_never_get_a_label():
    log, truth = place("flights")
    facts = json.loads((DATA / "flights" / "truth.json").read_text())
    first, last = (log.facts().first_event, log.facts().last_event + timedelta(seconds=1))
    assert log.label_count(truth, Window(first, last), LATE) == facts["rows"]["labels"]


def test_the_labels_of_flights_arrive_on_landing():
    log, truth = place("flights")
    day = Window(datetime(2013, 5, 1, 4, tzinfo=UTC), datetime(2013, 5, 2, 4, tzinfo=UTC))
    counts = [log.label_count(truth, day, day.start + timedelta(hours=hours)) for hours in (0, 12, 24, 48)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert 0 < counts[1] < counts[3]


def test_the_reference_s_own_labels_measure_the_model_as_it_was_trained():
    table = pq.read_table(DATA / "flights" / "reference.parquet")
    found = told(table)
    assert found.metric == "auc"
    assert 0.6 < found.low < found.value < found.high < 0.9
