"""Words for people."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.window import Window
from monitor.core.wording import amount, days, moment, plural, printable, shorten, span

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [("plain ü 列 🙂", "plain ü 列 🙂"), ("a\nb\tc", r"a\nb\tc"), ("\x1b[31m", r"\x1b[31m"), ("\u202eabc", r"\u202eabc"),
     ("\ud800", r"\ud800"), ("\u2028", r"\u2028"), ("👩\u200d🔬", "👩\u200d🔬"), ("\x00", r"\x00")],
)  # fmt: skip
def test_what_cannot_be_seen_is_written_as_an_escape(raw, shown):
    assert printable(raw) == shown


def test_a_cut_text_ends_in_an_ellipsis_within_its_limit():
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("effect", "unit", "shown"),
    [(0.18, "share of rows", "18% of rows"), (0.62, "standard deviations", "0.62 standard deviations"),
     (0.3, "distance from 0 to 1", "distance 0.3 of 1"), (3.0, "", "3")],
)  # fmt: skip
def test_effects_are_written_in_their_unit(effect, unit, shown):
    assert amount(effect, unit) == shown


@pytest.mark.parametrize(
    ("start", "length", "shown"),
    [(START, timedelta(days=1), "2026-03-01 (UTC)"),
     (START, timedelta(days=7), "2026-03-01 to 2026-03-07 (UTC)"),
     (START + timedelta(hours=3), timedelta(hours=1), "2026-03-01 03:00 to 04:00 UTC"),
     (START + timedelta(hours=23), timedelta(hours=1), "2026-03-01 23:00 to 2026-03-02 00:00 UTC"),
     (START + timedelta(hours=5), timedelta(days=1), "2026-03-01 05:00 to 2026-03-02 05:00 UTC")],
)  # fmt: skip
def test_windows_are_said_as_people_say_them(start, length, shown):
    assert span(Window(start, start + length)) == shown


def test_moments_are_in_utc():
    assert moment(START) == "2026-03-01 00:00 UTC"


def test_one_is_singular():
    assert [plural(count, "row") for count in (0, 1, 1204)] == ["0 rows", "1 row", "1,204 rows"]


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (None, "–"),
        (1 / 24, "1 h"),
        (0.99, "24 h"),
        (1.0, "1 day"),
        (2.25, "2.2 days"),
        (9.96, "10 days"),
        (212.0, "212 days"),
    ],
)
def test_a_time_in_days_is_said_in_the_unit_it_deserves(length, text):
    assert days(length) == text
