"""What a report costs: rendering many columns by many windows, beside writing the same findings as JSON."""

import json
from dataclasses import dataclass

from benchmarks.timing import best
from monitor.report.page import render
from tests.report.report_factory import huge_report


@dataclass(frozen=True)
class Page:
    """Seconds to render a report and to write its findings as JSON, and its size in bytes."""

    columns: int
    windows: int
    findings: int
    seconds: float
    json: float
    size: int


def measure(columns: int, windows: int) -> Page:
    """Measure one size of report."""
    data = huge_report(columns=columns, windows=windows)
    return Page(
        columns,
        windows,
        len(data.findings),
        best(lambda: render(data)),
        best(lambda: json.dumps([finding.as_json() for finding in data.findings])),
        len(render(data).encode()),
    )
