"""The page in a real Chromium: offline, without scripts, on a telephone, in the dark, on paper, by keyboard."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(browser: Any, page_url: str) -> Iterator[Callable[..., Any]]:
    """Opens the report in a context of its own; what the page complained of is in ``complaints``."""
    contexts = []

    def opened(*, script: bool = False, **options: Any) -> Any:
        context = browser.new_context(java_script_enabled=script, offline=True, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.complaints = []
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.on("request", lambda request: tab.complaints.append(request.url) if request.url != page_url else None)
        tab.goto(page_url)
        return tab

    yield opened
    for context in contexts:
        context.close()


def test_it_opens_without_network_script_or_complaint(visit):
    tab = visit()
    assert "delays" in tab.title()
    assert tab.locator("h1").inner_text() == "delays"
    assert tab.complaints == []


def test_nothing_of_the_data_runs_when_scripts_are_allowed(visit):
    tab = visit(script=True)
    alerts = []
    tab.on("dialog", lambda dialog: alerts.append(dialog.message))
    tab.reload()
    assert alerts == []
    assert tab.complaints == []


@pytest.mark.parametrize("width", [400, 700, 1280])
def test_it_never_scrolls_sideways(visit, width: int):
    tab = visit(script=True, viewport={"width": width, "height": 900})
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_dark_where_the_reader_prefers_it(visit):
    grounds = {
        scheme: visit(script=True, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert grounds == {"light": "rgb(251, 251, 250)", "dark": "rgb(17, 20, 24)"}


def test_the_first_tab_stop_skips_to_the_report(visit):
    tab = visit(script=True)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the report"


def test_a_column_is_opened_by_keyboard(visit):
    tab = visit()
    closed = tab.locator("details.column:not([open])").first
    name = closed.locator(".name").inner_text()
    closed.locator("summary").focus()
    tab.keyboard.press("Enter")
    assert name in tab.locator("details.column[open]").last.inner_text()


def test_a_link_of_the_map_opens_the_column_it_leads_to(visit):
    tab = visit()
    tab.locator(".map a", has_text="carrier").click()
    tab.wait_for_timeout(100)
    assert tab.locator("details.column[open]", has_text="carrier").locator(".bars").is_visible()


def test_it_prints(visit):
    tab = visit()
    assert tab.pdf(format="A4").startswith(b"%PDF")


def test_timelines_are_unfolded_on_paper(visit):
    tab = visit(script=True)
    tab.emulate_media(media="print")
    assert tab.locator(".timeline li").first.is_visible()


def test_reading_order_for_a_screen_reader_begins_with_the_verdict(visit):
    tree = visit().locator("main").aria_snapshot()
    parts = [
        "Location shift in amount",
        'heading "Incidents"',
        'heading "Columns by windows"',
        'heading "Data quality"',
    ]
    places = [tree.index(part) for part in parts]
    assert places == sorted(places)
