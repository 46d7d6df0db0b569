"""Which version served a window, and what of its name may stand in a path or query."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UserError
from monitor.core.versions import Began, Served, by_rows, by_time, filled
from monitor.core.window import Window

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = Window(START, START + 24 * HOUR)

names = st.sampled_from(["7", "8", "9", "10"])
beginnings = st.lists(st.builds(Began, names, st.integers(-30, 30).map(lambda hours: START + hours * HOUR)), max_size=6)


def began(*entries):
    return [Began(version, START + hours * HOUR) for version, hours in entries]


def served_at(entries, moment):
    """The version that serves at a moment, by looking."""
    found = None
    for entry in sorted(entries, key=lambda entry: entry.since):  # a stable sort: of two at once the later one wins
        if entry.since <= moment:
            found = entry.version
    return found


# --- by rows -----------------------------------------------------------------------------------------------------


def test_most_rows_say_which_version_served():
    assert by_rows({"7": 40, "8": 60}) == Served("8", {"7": 40, "8": 60})


def test_a_window_without_rows_names_no_version():
    assert by_rows({}) == Served(None, {})


def test_the_version_before_keeps_a_window_of_which_it_served_nearly_half():
    assert by_rows({"7": 46, "8": 54}, "7").version == "7"
    assert by_rows({"7": 44, "8": 56}, "7").version == "8"
    assert by_rows({"8": 10}, "7").version == "8"
    assert by_rows({}, "7").version is None


def test_between_equals_the_first_by_name_is_taken_however_the_rows_come():
    assert by_rows({"8": 50, "7": 50}).version == by_rows({"7": 50, "8": 50}).version == "7"


@given(st.dictionaries(names, st.integers(1, 1000), min_size=1))
def test_no_version_has_more_rows_than_the_one_that_served(rows):
    assert rows[by_rows(rows).version] == max(rows.values())


# --- by time -----------------------------------------------------------------------------------------------------


def test_nobody_served_before_the_first_version_began():
    assert by_time(began(("7", 24)), DAY).version is None
    assert by_time([], DAY).version is None


def test_a_version_serves_until_the_next_one_begins():
    entries = began(("7", -100), ("8", 30))
    assert by_time(entries, DAY).version == "7"
    assert by_time(entries, Window(DAY.end + 12 * HOUR, DAY.end + 36 * HOUR)).version == "8"


@pytest.mark.parametrize(("hour", "version"), [(11, "8"), (13, "7")])
def test_a_window_with_a_change_belongs_to_the_version_with_the_longer_part(hour, version):
    assert by_time(began(("7", -100), ("8", hour)), DAY).version == version


def test_between_equal_parts_the_later_version_is_taken():
    assert by_time(began(("7", -100), ("8", 12)), DAY).version == "8"


def test_of_two_that_began_at_once_the_later_one_serves():
    assert by_time(began(("7", 0), ("8", 0)), DAY).version == "8"


def test_the_parts_of_a_version_that_came_back_count_together():
    assert by_time(began(("7", 0), ("8", 7), ("7", 17)), DAY).version == "7"


@given(beginnings)
def test_the_version_of_a_window_served_for_the_longest_time(entries):
    hours = [served_at(entries, START + hour * HOUR) for hour in range(24)]
    spans = {version: hours.count(version) for version in hours if version is not None}
    found = by_time(entries, DAY).version
    if not spans:
        assert found is None
    else:
        assert spans[found] == max(spans.values())


@given(beginnings, st.randoms())
def test_the_order_in_which_versions_are_listed_makes_no_difference(entries, random):
    once = list({entry.since: entry for entry in entries}.values())
    shuffled = list(once)
    random.shuffle(shuffled)
    assert by_time(shuffled, DAY) == by_time(once, DAY)


# --- in a path or query --------------------------------------------------------------------------------------------


def test_every_place_of_the_version_is_filled():
    assert filled("v{version}/train-{version}.parquet", "2026.1_rc+3") == "v2026.1_rc+3/train-2026.1_rc+3.parquet"


def test_what_names_no_version_needs_none():
    assert filled("train.parquet", None) == filled("train.parquet", "../../etc") == "train.parquet"


def test_without_a_version_it_is_said_where_it_could_be_named():
    with pytest.raises(UserError, match="`versions` in the configuration"):
        filled("{version}.parquet", None)


@pytest.mark.parametrize(
    "version",
    [
        "../../etc/passwd", "..", ".", ".hidden", "/etc", "a/b", "a\\b", "", " ", "7 8", "7\n", "7'", '7"', "7; DROP",
        "7--", "7*", "7?", "[7]", "{version}", "~", "-rf", "+7", "$HOME", "%2e%2e", "ä", "٧", "7\x00", "x" * 101,
    ],
)  # fmt: skip
def test_a_name_that_could_be_more_than_a_name_is_refused_with_a_way_out(version):
    with pytest.raises(UserError, match="monitor reference add --version") as refused:
        filled("{version}.parquet", version)
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_a_hundred_characters_may_be_a_name():
    assert filled("{version}", "x" * 100) == "x" * 100


@given(st.text(max_size=120))
def test_whatever_a_row_says_it_leads_to_no_other_folder_and_out_of_no_quotes(version):
    try:
        found = filled("/data/{version}/train", version)
    except UserError:
        return
    inside = found.removeprefix("/data/").removesuffix("/train")
    assert inside == version
    assert not set(inside) & set("/\\'\"*?[]{}; \n\x00")
    assert inside not in ("", ".", "..")
    assert "--" not in inside
