"""Fixtures of the report's tests: one small report for all of them."""

from pathlib import Path

import pytest
from report_factory import small_report

from monitor.report.model import ReportData
from monitor.report.page import render


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
