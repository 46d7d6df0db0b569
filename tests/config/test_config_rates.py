"""Rates: what they may look like, what they mean, and how a wrong one is explained."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.showing import effective
from monitor.options import format_duration, parse_duration
from monitor.rates import Rate, parse_rate

MODEL = "models: {m: {logs: {path: l, time: t}, reference: r.csv}}\n"

spans = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=36500))


@pytest.mark.parametrize(
    ("text", "monthly"),
    [
        ("1 per 30d", 1),
        ("0.5 per 30d", 0.5),
        (".5 per 30d", 0.5),
        ("1 per 15d", 2),
        ("1 per 1w", 30 / 7),
        ("2  per  1d 12h", 40),
        (" 1e-2 per 30d ", 0.01),
        (1, 1),
        (0.25, 0.25),
    ],
)
def test_a_rate_is_so_many_in_30_days(text, monthly):
    assert parse_rate(text).per_30_days == pytest.approx(monthly, rel=1e-12)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Rate(1), "1 per 30d"),
        (Rate(0.5), "0.5 per 30d"),
        (Rate(3, timedelta(days=7)), "3 per 1w"),
        (Rate(1, timedelta(seconds=1234567)), "1 per 1234567s"),
    ],
)
def test_a_rate_is_written_as_the_configuration_has_it(rate, text):
    assert str(rate) == text


@given(st.floats(min_value=1e-9, max_value=1e9), spans)
def test_the_text_of_a_rate_is_read_back_as_the_same_rate(count, per):
    assert parse_rate(str(Rate(count, per))) == Rate(count, per)


@given(spans)
def test_the_text_of_a_duration_is_read_back_as_the_same_duration(span):
    assert parse_duration(format_duration(span)) == span


def test_without_a_word_one_false_alarm_in_30_days_is_expected(read):
    assert read(MODEL).false_alarms == Rate(1)


def test_the_rate_in_effect_is_shown_as_it_is_written(read, extensions):
    assert effective(read(MODEL + "false_alarms: 0.5 per 1w"), extensions)["false_alarms"] == "0.5 per 1w"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("rarely", "'rarely' is no rate; write how many in how long, such as 1 per 30d"),
        ("-1 per 30d", "is no rate; write how many in how long"),
        ("[1]", "is no rate"),
        ("true", "is no rate"),
        ("", "is no rate"),
        ("1 per month", "'1 per month' is no rate; write 1 per 30d"),
        ("2 per week", "is no rate; write 2 per 1w"),
        ("1 per 10 days", "is no rate; write 1 per 10d"),
        ("1 per 99999999999999d", "is no rate; write 1 per 30d"),
        ("0", "a rate must be more than 0"),
        ("-1", "a rate must be more than 0"),
        ("0 per 30d", "a rate must be more than 0"),
        ("1 per 0d", "a rate must be more than 0"),
        ("1e999 per 30d", "must be a number that can be counted with"),
    ],
)
def test_what_is_no_rate_is_explained(report, given, sentence):
    said = report(MODEL + f"false_alarms: {given}")
    assert "config.yaml:2:" in said
    assert sentence in said


def test_a_wrong_rate_is_underlined(report):
    lines = report(MODEL + "false_alarms: 1 per month").splitlines()
    assert lines[1][lines[2].index("^") :] == "1 per month"
    assert lines[2].count("^") == len("1 per month")


def test_a_count_beyond_every_number_is_refused():
    with pytest.raises(ValueError, match="counted with"):
        parse_rate(10**400)


def test_models_share_alike_unless_they_are_told(read):
    text = "models: {a: {logs: {path: l, time: t}, reference: r}, b: {logs: {path: l, time: t}, reference: r}}"
    assert read(text).shares == {"a": 0.5, "b": 0.5}


def test_a_model_takes_the_share_of_its_importance(read):
    text = "models: {a: {logs: {path: l, time: t}, reference: r, importance: 3}, b: {logs: {path: l, time: t}, reference: r}}"
    assert read(text).shares == {"a": 0.75, "b": 0.25}
