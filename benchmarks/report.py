"""What a report costs: rendering many columns by many windows, beside writing the same findings as JSON.

Both run in this process; the ratio of the best times is the figure, with the size of the page.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from timing import best

from monitor.report.page import render
from tests.report.report_factory import huge_report


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=500)
    parser.add_argument("--windows", type=int, default=90)
    options = parser.parse_args()
    data = huge_report(columns=options.columns, windows=options.windows)
    page = render(data)
    ours = best(lambda: render(data))
    floor = best(lambda: json.dumps([finding.as_json() for finding in data.findings]))
    print(
        f"{options.columns} columns x {options.windows} windows, {len(data.findings):,} findings: report {ours:.2f} s, "
        f"{len(page.encode()) / 1000:,.0f} kB, JSON of the findings {floor:.2f} s, ratio {ours / floor:.2f}"
    )


if __name__ == "__main__":
    main()
