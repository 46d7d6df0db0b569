"""The chart of an effect over time."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from monitor.core.chart import describe, series_svg
from monitor.core.notice import Series

START = datetime(2026, 3, 1, tzinfo=UTC)


def series(effects, *, tolerance=0.2, column="amount", step=timedelta(days=1), unit="standard deviations"):
    times = tuple(START + step * place for place in range(len(effects)))
    return Series(column, unit, times, tuple(effects), tolerance)


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter() if element.text]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "effects", [(), (0.3,), (0.0, 0.0), (0.1, 0.5), (-0.4, 0.1), (1e-12, 2e-12), (1e9, 2e9), (float("nan"), 0.2)]
)
def test_every_series_makes_well_formed_svg_with_finite_numbers(effects, dark):
    svg = series_svg(series(effects), dark=dark)
    ET.fromstring(svg)
    assert not re.search(r"nan|inf", re.sub(r"aria-label=\"[^\"]*\"", "", svg))


@pytest.mark.parametrize(
    "step", [timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=30), timedelta(days=365)]
)
def test_dates_are_labelled_and_do_not_crowd(step):
    shown = series_svg(series([0.1] * 50, step=step))
    ticks = [float(x) for x in re.findall(r'<text x="([\d.]+)" y="266.0"', shown)]
    assert 1 <= len(ticks) <= 12
    assert all(after - before > 40 for before, after in zip(ticks, ticks[1:], strict=False))


def test_only_points_beyond_the_tolerance_are_marked():
    svg = series_svg(series([0.1, 0.19, 0.3, -0.5]))
    circles = re.findall(r"<circle[^>]*fill=\"(#\w+)\"", svg)
    assert circles == ["#3b5b7a", "#3b5b7a", "#c0362c", "#c0362c"]


def test_a_hostile_name_is_shown_as_text():
    svg = series_svg(series([0.1], column="<script>alert('x')</script>\x00\"&"))
    assert "<script>alert('x')</script>\\x00\"&" in texts(svg)


def test_tolerance_and_latest_effect_are_named():
    shown = texts(series_svg(series([0.1, 0.62])))
    assert "tolerance 0.2" in shown
    assert "0.62" in shown


def test_points_are_drawn_in_the_order_of_time():
    given = series([0.1, 0.2, 0.3])
    turned = Series(given.column, given.unit, given.times[::-1], given.effects[::-1], given.tolerance)
    assert series_svg(given).split("<polyline")[1] == series_svg(turned).split("<polyline")[1]


def test_the_chart_says_in_words_what_it_shows():
    words = describe(series([0.1, 0.3, 0.4], unit="share of rows"))
    assert (
        words
        == "Effect of amount over time: 40% of rows in the latest of 3 windows, tolerance 20% of rows, beyond it in 2."
    )


def test_an_empty_series_says_so():
    assert "no measurements yet" in texts(series_svg(series([])))
    assert "no measurements yet" in describe(series([]))
