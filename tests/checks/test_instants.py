"""Event times become instants, however a log keeps them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from checks.instants import column_to_utc, form_of, offset_of, to_utc

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECONDS = int(NOON.timestamp())


def naive(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (NOON, "aware"),
        (naive("2026-07-01 12:00"), "naive"),
        (date(2026, 7, 1), "date"),
        ("2026-07-01", "text"),
        ("2026-07-01T12:00:00.123456789Z", "text"),
        (SECONDS, "s"),
        (SECONDS + 0.5, "s"),
        (Decimal(SECONDS), "s"),
        (SECONDS * 10**3, "ms"),
        (SECONDS * 10**6, "us"),
        (SECONDS * 10**9, "ns"),
        (42, None),
        (True, None),
        ("20260701T120000Z", None),
        ("yesterday", None),
        (None, None),
        (b"x", None),
    ],
)
def test_the_form_of_a_time_is_seen_from_a_value(value, form):
    assert form_of([value]) == form


def test_values_of_several_forms_have_none():
    assert form_of([SECONDS, "2026-07-01"]) is None


def test_no_values_have_no_form():
    assert form_of([]) is None


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2026-07-01", ""),
        ("2026-07-01 12:00", ""),
        ("2026-07-01T12:00:00Z", "Z"),
        ("2026-07-01T12:00:00z", "Z"),
        ("2026-07-01 12:00:00+00:00", "Z"),
        ("2026-07-01 12:00:00-0000", "Z"),
        ("2026-07-01 12:00:00+02:00", "+02:00"),
        ("2026-07-01 12:00:00-05", "-05"),
    ],
)
def test_the_zone_at_the_end_of_a_text_is_seen(text, offset):
    assert offset_of(text) == offset


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        NOON.astimezone(BERLIN),
        naive("2026-07-01 14:00"),
        "2026-07-01 14:00",
        "2026-07-01T12:00:00Z",
        "2026-07-01T17:30:00+05:30",
        SECONDS,
        float(SECONDS),
        Decimal(SECONDS),
        SECONDS * 10**3,
        SECONDS * 10**9,
    ],
    ids=str,
)
def test_every_form_of_one_moment_is_the_same_instant(value):
    assert to_utc([value], BERLIN).to_pylist() == [NOON]


def test_a_date_is_its_midnight_in_the_zone():
    assert to_utc([date(2026, 7, 1)], BERLIN).to_pylist() == [datetime(2026, 6, 30, 22, tzinfo=UTC)]


@pytest.mark.parametrize("value", [None, "soon", 42, b"x", [1], float("inf"), 10**30])
def test_what_is_no_time_is_null(value):
    assert to_utc([value, NOON], BERLIN).to_pylist() == [None, NOON]


def test_forms_may_be_mixed():
    assert to_utc([naive("2026-07-01 14:00"), None, NOON, SECONDS], BERLIN).to_pylist() == [NOON, None, NOON, NOON]


def test_microseconds_are_kept():
    assert to_utc([(SECONDS * 10**6 + 1) * 1000], BERLIN).to_pylist() == [NOON.replace(microsecond=1)]


def test_a_time_that_occurs_twice_is_the_first_of_the_two():
    assert to_utc([naive("2026-10-25 02:30")], BERLIN).to_pylist() == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_a_time_that_does_not_occur_is_read_by_the_offset_before():
    assert to_utc([naive("2026-03-29 02:30")], BERLIN).to_pylist() == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]


def test_times_before_1970_are_read():
    assert to_utc([naive("1965-01-01 01:00")], BERLIN).to_pylist() == [datetime(1965, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NOON, None], pa.timestamp("ns", "America/Lima")),
        pa.array([naive("2026-07-01 14:00"), None], pa.timestamp("ms")),
        pa.array(["2026-07-01T12:00:00Z", None]).dictionary_encode(),
        pa.chunked_array([[SECONDS], [None]], pa.int64()),
    ],
    ids=lambda column: str(column.type),
)
def test_arrow_columns_become_instants(column):
    assert column_to_utc(column, BERLIN).to_pylist() == [NOON, None]


def test_arrow_dates_are_midnights_in_the_zone():
    assert column_to_utc(pa.array([date(2026, 7, 1)]), BERLIN).to_pylist() == [datetime(2026, 6, 30, 22, tzinfo=UTC)]
