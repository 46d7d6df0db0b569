"""`monitor backtest`: what it says beside its incidents, as people, programs and a browser read it."""

import contextlib
import io
import json
import re
from html.parser import HTMLParser

import pytest

from monitor.cli import main
from tests.worlds import CONFIG, shift, world

SPAN = ("--from", "2026-01-05", "--to", "2026-01-19")
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def drifting(tmp_path):
    """A fortnight in which the age rises on the seventh day."""
    return world(tmp_path, 14, shift("age", 8.0, 6))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The JSON and the page of such a fortnight, beside all tools; its log has hostile names and values as well."""

    def change(rows):
        shift("age", 8.0, 6)(rows)
        rows["plan"][-900:] = [HOSTILE] * 900
        rows[HOSTILE] = rows["age"]

    folder, said = tmp_path_factory.mktemp("backtest"), io.StringIO()
    world(folder, 14, change)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(["backtest", *SPAN, "--compare", "all", "--json", "-o", "page.html"])
    assert ended.value.code == 1
    return json.loads(said.getvalue()), (folder / "page.html").read_text("utf-8")


@pytest.fixture
def document(whole):
    return whole[0]


@pytest.fixture
def page(whole):
    return whole[1]


def answer(result):
    code, out, err = result
    assert code == 1, err
    return json.loads(out)


def test_the_json_says_what_a_planted_fault_would_have_taken(document):
    by_name = {fault["fault"]: fault for fault in document["planted"]}
    assert by_name["column missing"]["noticed"] == by_name["column missing"]["tried"] > 0
    assert by_name["column missing"]["median_days"] == 1.0


def test_the_json_says_how_many_false_alarms_were_to_be_expected(document):
    found = document["false_alarms"]
    assert found["days"] == 14.0
    assert found["allowed"] == pytest.approx(14 / 30)
    assert found["replayed_days"] == 720
    assert found["expected"] <= found["allowed"]


def test_other_tools_stand_beside_it_on_the_same_windows(document):
    tools = {tool["tool"]: tool for tool in document["compare"]["tools"]}
    assert list(tools) == ["leeway", "evidently", "ks", "nannyml", "psi"]
    for tool in tools.values():
        (age,) = [sight for sight in tool["first_alerts"] if sight["column"] == "age"]
        assert age["first_alert"] is not None


def test_what_is_not_wanted_is_left_out(run, drifting):
    document = answer(run("backtest", *SPAN, "--no-plant", "--json"))
    assert (document["planted"], document["compare"]) == ([], None)


def test_an_unknown_tool_is_named_with_the_one_that_was_meant_before_anything_runs(run, drifting):
    code, out, err = run("backtest", *SPAN, "--compare", "evidentley")
    assert (code, out) == (2, "")
    assert "did you mean 'evidently'" in err


@pytest.fixture
def pinned(run, drifting):
    """The same fortnight, judged against a snapshot in the store."""
    assert run("reference", "add", "churn")[0] == 0
    (snapshot,) = json.loads(run("reference", "list", "--json")[1])["references"]
    drifting.write_text(
        CONFIG.replace('{file: reference.parquet, version: "7"}', f"{{pin: {snapshot['id']}}}"), encoding="utf-8"
    )


def test_a_pinned_snapshot_is_the_reference_of_the_replay_too(run, pinned):
    (incident,) = answer(run("backtest", *SPAN, "--no-plant", "--json"))["incidents"]
    assert incident["columns"] == ["age"]


def test_a_pinned_snapshot_has_no_rows_to_compare_with(run, pinned):
    code, out, err = run("backtest", *SPAN, "--compare", "psi")
    assert (code, out) == (2, "")
    assert "pins a snapshot" in err


def test_people_read_it_as_tables(run, drifting):
    code, out, _ = run("backtest", *SPAN, "--compare", "psi")
    assert code == 1
    assert re.search(r"^churn: 14 windows .*; 1 incident, 0 more", out)
    assert "false alarms to expect in 14 days: at most 0.47 on average by the budget of 1 in 30 days" in out
    assert re.search(r"column missing +\d+ +(\d+) of \1 +1 day", out)
    assert re.search(r"PSI > \.2 +\d+", out)


def test_calm_days_exit_with_0_and_say_as_much(run, tmp_path):
    world(tmp_path, 4)
    code, out, _ = run("backtest", "--from", "2026-01-05", "--to", "2026-01-09", "-o", "page.html")
    assert (code, "0 incidents" in out) == (0, True)
    assert "Nobody would have been told of anything in 4 windows." in (tmp_path / "page.html").read_text("utf-8")


def test_less_than_a_window_is_no_mistake(run, tmp_path):
    world(tmp_path, 2)
    code, out, _ = run("backtest", "--from", "2026-01-05", "--to", "2026-01-05T06:00:00", "--compare", "all")
    assert (code, out.startswith("churn: 0 windows")) == (0, True)


class Page(HTMLParser):
    """Ids, links and tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []


def test_the_page_has_every_part(page):
    for title in ("Incidents in time", "Other tools", "Planted faults", "Columns by windows"):
        assert f">{title}</h2>" in page
    assert "False alarms in 14 days: at most 0.47" in page


def test_every_link_of_the_page_leads_somewhere(page):
    found = Page(page)
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links if link != "#main"} <= set(found.ids)


def test_nothing_of_the_log_becomes_markup(page):
    assert "script" not in Page(page).tags
    assert "&lt;script&gt;" in page


def test_several_models_are_one_page(run, tmp_path):
    other = "  other:\n    logs: {url: sqlite:///logs.db, table: predictions, time: ts, id: id}\n"
    config = CONFIG.replace("notifiers:", f"{other}    reference: reference.parquet\nnotifiers:")
    world(tmp_path, 4, config=config)
    assert run("backtest", "--from", "2026-01-05", "--to", "2026-01-09", "--no-plant", "-o", "page.html")[0] == 0
    found = Page((tmp_path / "page.html").read_text("utf-8"))
    assert len(found.ids) == len(set(found.ids))
    assert {"b0", "b1"} <= set(found.ids)


def test_a_place_that_takes_no_file_is_refused_before_anything_runs(run, drifting):
    code, out, err = run("backtest", *SPAN, "-o", "nowhere/page.html")
    assert (code, out) == (2, "")
    assert "nowhere/page.html" in err
