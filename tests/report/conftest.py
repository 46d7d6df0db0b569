"""Fixtures of the report's tests: a real Chromium, and one small report for all of them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_factory import small_report

from monitor.report.model import ReportData
from monitor.report.page import render

CHROMIUM = os.environ.get("LEEWAY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install playwright)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def small() -> ReportData:
    """Eight weeks of columns of every kind, with two faults."""
    return small_report()


@pytest.fixture(scope="session")
def page(small: ReportData) -> str:
    """The small report's page."""
    return render(small)


@pytest.fixture(scope="session")
def page_url(page: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the small report's page on disk."""
    path = Path(tmp_path_factory.mktemp("report")) / "report.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()
