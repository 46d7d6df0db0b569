"""The page: what it says, in which order, and that nothing of a user's table can act in it."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from report_factory import HOSTILE, huge_report

from monitor.core.finding import Rule, Verdict
from monitor.core.incident import State
from monitor.report.model import ReportData, WindowLine
from monitor.report.page import render

MEGABYTE = 1_000_000


class Outline(HTMLParser):
    """What a screen reader and a link check need of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def attributes(self, name: str) -> list[str]:
        return [value for _, found in self.tags if (value := found.get(name)) is not None]


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_a_column_named_like_a_script_is_shown_and_never_run(page: str, outline: Outline):
    assert HOSTILE in outline.text
    assert "<script" not in page.lower()


def test_category_values_are_escaped(page: str):
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold</b>" not in page


def test_attributes_cannot_be_left_by_quotes_in_a_column_name(small: ReportData):
    name = '" onmouseover="alert(1)'
    profile = replace(small.reference.profile, columns={name: small.reference.profile.columns["amount"]})
    reference = replace(small.reference, bins={name: small.reference.bins["amount"]}, profile=profile)
    profiles = [(w, replace(p, columns={name: p.columns["amount"]})) for w, p in small.profiles]
    findings = [replace(f, column=name) for f in small.findings if f.column == "amount"]
    data = replace(small, reference=reference, profiles=profiles, findings=findings, incidents=())
    assert all("onmouseover" not in found for _, found in Outline(render(data)).tags)


def test_the_page_calls_nobody_and_forbids_it(page: str, outline: Outline):
    assert not re.search(r"(https?:)?//\w", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    assert "url(" not in page
    policy = [found["content"] for tag, found in outline.tags if tag == "meta" and found.get("http-equiv")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_ids_are_unique_and_every_link_and_label_leads_somewhere(outline: Outline):
    ids = outline.attributes("id")
    assert len(ids) == len(set(ids))
    targets = {href.removeprefix("#") for href in outline.attributes("href")} | set(
        outline.attributes("aria-labelledby")
    )
    assert targets <= set(ids)


@pytest.mark.parametrize("models", [1, 2])
def test_headings_begin_at_one_and_skip_no_level(small: ReportData, models: int):
    page = Outline(render([replace(small, model=f"model {place}") for place in range(models)]))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_picture_says_in_words_what_it_shows(outline: Outline):
    pictures = [found for tag, found in outline.tags if tag == "svg" and found.get("role") == "img"]
    assert len(pictures) > 20
    assert all(found.get("aria-label") for found in pictures)


def test_every_table_has_a_caption_and_scoped_headers(outline: Outline):
    count = Counter(tag for tag, _ in outline.tags)
    assert count["table"] == count["caption"]
    assert all(found.get("scope") in ("col", "row") for tag, found in outline.tags if tag == "th")


def test_marks_and_colours_are_never_the_only_bearer_of_a_level(outline: Outline):
    marks = [found for _, found in outline.tags if "mark" in (found.get("class") or "").split()]
    assert marks
    assert all(found.get("aria-label") for found in marks)


def test_open_incidents_come_before_resolved_ones(small: ReportData, outline: Outline):
    backwards = replace(
        small, incidents=tuple(sorted(small.incidents, key=lambda i: i.state is State.RESOLVED, reverse=True))
    )
    assert Outline(render(backwards)).text.index("Location shift") < Outline(render(backwards)).text.index("Null flood")


def section(page: str, column: str) -> str:
    return page.split(f'<h3 class="lead"><span class="name">{column}</span>')[1].partition("</details>")[0]


def test_columns_come_worst_first(page: str):
    names = re.findall(r'<h3 class="lead"><span class="name">([^<]*)', page)
    assert names[:2] == ["amount", "wind"]


def test_only_the_worst_columns_are_open_at_first(page: str):
    opened = re.findall(r'<details class="column \w+"( open)?>', page)
    assert opened[:3] == [" open", " open", ""]


def test_a_column_with_a_breach_shows_the_window_of_its_largest_one(page: str):
    assert "Distribution, 16\u201322 Mar 2026" in section(page, "wind")


def test_nulls_of_one_bad_week_show_in_the_quality_table(outline: Outline):
    quality = outline.text.split("Data quality")[-1].split("No answer")[0]
    assert re.search(r"wind numeric 0 [\d.]+% \d\d%", quality)


def test_a_column_says_how_much_evidence_there_was_and_what_would_have_been_noticed(page: str):
    hour = Outline(section(page, "hour")).text
    assert re.search(r"Evidence gathered on it: 0\.\d+% of what an alarm costs in the latest window", hour)
    assert re.search(r"location evidence pass .* \d\.\d+ sd \(about \d", hour)


def test_a_column_with_an_alarm_says_in_which_window_its_evidence_paid_for_it(outline: Outline):
    assert "Its evidence paid for an alarm in the window of 30 Mar \u2013 5 Apr 2026" in outline.text


def test_a_breach_is_worded_in_native_units_with_interval_and_onset(page: str):
    line = re.search(r'<span class="name">amount</span>.*?<span class="line">([^<]*)', page)
    assert line is not None
    assert re.fullmatch(
        r"median of amount rose from 55 to \d+ \(\+\d+%, 90% interval .*\), since 2026-03-30 00:00 UTC", line[1]
    )


def test_checks_that_only_describe_say_so_and_are_neither_drawn_nor_counted(small: ReportData, page: str):
    amount = section(page, "amount")
    assert re.search(r'<th scope="row">ks .*?<td class="v describes">describes</td>', amount)
    assert re.findall(r"Effect over time: <b>(\w+)</b>", amount)[0] == "location"
    judged = [f for f in small.findings if f.rule is not Rule.DESCRIPTION]
    breaches = sum(finding.verdict is Verdict.BREACH for finding in judged)
    assert f"<dt>breaches</dt><dd>{breaches}</dd>" in page


def test_what_would_be_noticed_is_said_of_every_column_with_evidence(outline: Outline):
    table = outline.text.split("Smallest changes that would be noticed")[1].split("Retraining")[0]
    assert re.search(r" hour \d\.\d+ sd \(about [\d.]+\) within 7 days [\d.]+% more of nulls within 7 days", table)
    assert all(name in table for name in ("amount", "wind", "carrier", "member", HOSTILE))


def test_what_was_checked_names_version_reference_and_rows(small: ReportData, outline: Outline):
    account = outline.text.split("What was checked")[-1]
    for fact in (
        "7",
        small.reference.short,
        "4,000",
        "reference.parquet",
        "every 1w, read 1h later",
        "20\u201326 Apr 2026",
        "400",
    ):
        assert fact in account


def test_inconclusive_and_failed_findings_are_said_with_their_reason(small: ReportData):
    last = small.windows[-1].window
    failed = replace(
        small.findings[0],
        window=last,
        verdict=Verdict.FAILED,
        effect=None,
        reason="the check failed: ZeroDivisionError",
    )
    text = Outline(render(replace(small, findings=[*small.findings, failed]))).text
    answer = text.split("Checks without an answer")[-1]
    assert answer.index("the check failed: ZeroDivisionError") < answer.index("inconclusive")


def test_an_extra_column_is_mentioned(small: ReportData):
    profiles = [(window, replace(profile, extra={"surprise": profile.rows})) for window, profile in small.profiles]
    assert "surprise" in Outline(render(replace(small, profiles=profiles))).text


@pytest.mark.parametrize(
    ("change", "level", "sentence"),
    [
        ({}, "warning", "Location shift in amount, since 30 Mar 2026."),
        ({"incidents": ()}, "calm", "Calm: nothing to act on"),
        ({"windows": (), "findings": (), "profiles": (), "incidents": ()}, "unknown", "Nothing has been checked"),
    ],
)
def test_the_verdict_is_one_sentence(small: ReportData, change: dict, level: str, sentence: str):
    page = render(replace(small, **change))
    assert f'<header class="verdict {level}">' in page
    assert sentence in Outline(page).text


def test_a_resolved_incident_reads_as_calm_again(small: ReportData):
    resolved = [i for i in small.incidents if i.state is State.RESOLVED]
    assert (
        "Calm again: 1 incident in this time, none still open"
        in Outline(render(replace(small, incidents=resolved))).text
    )


def test_a_window_that_failed_last_never_reads_as_calm(small: ReportData):
    last = small.windows[-1]
    lines = [*small.windows[:-1], WindowLine(last.window, "failed", 0, "the database is away")]
    page = render(replace(small, incidents=(), windows=lines))
    assert "No answer for the latest window: it was failed: the database is away." in Outline(page).text
    assert 'class="verdict unknown"' in page


def test_a_last_window_without_one_conclusion_never_reads_as_calm(small: ReportData):
    findings = [replace(finding, verdict=Verdict.INCONCLUSIVE) for finding in small.findings]
    assert 'class="verdict unknown"' in render(replace(small, incidents=(), findings=findings))


def test_a_pending_incident_is_a_suspicion(small: ReportData):
    pending = [replace(small.incidents[0], state=State.PENDING, resolved_at=None)]
    assert "No open incident; 1 suspicion waiting" in Outline(render(replace(small, incidents=pending))).text


def test_a_reference_without_rows_in_any_window_still_renders(small: ReportData):
    assert "Columns by windows" in render(replace(small, profiles=(), findings=(), incidents=()))


def test_several_models_have_an_overview_the_most_urgent_first(small: ReportData):
    calm = replace(small, model="calm one", incidents=())
    text = Outline(render([calm, replace(small, model="shifted one")])).text
    overview = text.split("2 models")[-1]
    assert overview.index("shifted one") < overview.index("calm one")


def test_no_model_is_an_error():
    with pytest.raises(ValueError, match="at least one model"):
        render([])


def test_the_same_data_give_the_same_page(small: ReportData, page: str):
    assert render(small) == page


def test_five_hundred_columns_by_ninety_windows_stay_small():
    assert len(render(huge_report()).encode()) < MEGABYTE


def test_calm_columns_are_summarised_where_there_are_many():
    data = huge_report(columns=60, windows=5, checks=1)
    calm = [replace(f, verdict=Verdict.PASS, effect=0.01) for f in data.findings]
    page = render(replace(data, findings=[replace(calm[0], verdict=Verdict.BREACH, effect=1.0), *calm[1:]]))
    assert page.count('class="strip"') == 1
    assert "59 further columns with nothing to report" in Outline(page).text


def test_hourly_windows_name_their_hours(small: ReportData):
    start = small.span.start
    window = replace(small.windows[0].window, start=start, end=start + timedelta(hours=1))
    page = render(
        replace(small, windows=[WindowLine(window, "skipped", 0, "too old")], findings=(), profiles=(), incidents=())
    )
    assert "2 Mar 2026, 00:00\u201301:00" in page


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _palettes() -> dict[str, dict[str, str]]:
    style = files("monitor.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root\{([^}]*)\}", style)
    return {
        name: dict(re.findall(r"--(\w+):(#[0-9a-f]{3,6})\b", block))
        for name, block in zip(("light", "dark", "print"), blocks, strict=True)
    }


@pytest.mark.parametrize("palette", ["light", "dark", "print"])
@pytest.mark.parametrize("ink", ["ink", "dim", "link", "critical", "warning", "calm", "unknown"])
@pytest.mark.parametrize("ground", ["bg", "card", "soft"])
def test_text_has_enough_contrast(palette: str, ink: str, ground: str):
    colours = _palettes()[palette]
    low, high = sorted((_luminance(colours[ink]), _luminance(colours[ground])))
    assert (high + 0.05) / (low + 0.05) >= 4.5
