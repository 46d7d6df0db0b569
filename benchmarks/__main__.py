"""Measure what Leeway costs beside other tools, and write `docs/benchmarks.md`: ``python -m benchmarks [--small]``.

The large run takes about twenty minutes on two cores and 12 GB of disk, the small one about a minute.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # the report's figures rest on the tests' large report

from benchmarks import end_to_end, fleet, pushdown, report_page, statistics
from benchmarks.page import Measured, page
from benchmarks.processes import least, monitor, postgres

DOCS = Path(__file__).parents[1] / "docs"
PACKAGES = ("numpy", "pyarrow", "duckdb", "adbc-driver-postgresql", "pandas", "evidently")


@dataclass(frozen=True)
class Size:
    """How large the run is: (rows, columns, whether the slow peer runs), and so on."""

    windows: tuple[tuple[int, int, bool], ...]
    memory: tuple[int, int]
    pushed: tuple[tuple[int, int], ...]
    report: tuple[int, int]
    fleet: tuple[int, int, int]


LARGE = Size(((100_000, 60, True), (1_000_000, 60, True)), (100_000, 60),
             ((1_000_000, 100), (10_000_000, 100)), (500, 90), (100, 50, 2))  # fmt: skip
SMALL = Size(((5_000, 12, True),), (5_000, 12), ((20_000, 10),), (50, 20), (10, 5, 2))


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a minute's run, to a temporary folder")
    parser.add_argument("--out", type=Path, help="folder of the page; docs, unless small")
    options = parser.parse_args()
    out = options.out or (Path(tempfile.mkdtemp()) if options.small else DOCS)
    started = time.perf_counter()
    found = measured(SMALL if options.small else LARGE)
    (out / "benchmarks.md").write_text(page(found), encoding="utf-8")
    print(f"wrote {out / 'benchmarks.md'} after {(time.perf_counter() - started) / 60:.1f} minutes")


def measured(size: Size) -> Measured:
    """Measure all."""
    with postgres() as url:
        windows = []
        for rows, columns, peer in size.windows:
            _say(f"{rows:,} x {columns} from PostgreSQL")
            windows.append(end_to_end.measure(url, rows, columns, peer=peer))
    _say("statistics in memory")
    alone, floor = statistics.measure(*size.memory), statistics.floor(*size.memory)
    pushed = []
    for rows, columns in size.pushed:
        _say(f"push-down of {rows:,} x {columns}")
        pushed.append(pushdown.measure(rows, columns))
    _say("a report")
    report = report_page.measure(*size.report)
    _say("a fleet")
    return Measured(
        _machine(), windows, alone, floor, pushed, report, least([monitor(), "--help"], 5), fleet.measure(*size.fleet)
    )


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {versions}.\n"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _say(what: str) -> None:
    print(f"measuring {what} ...", flush=True)


if __name__ == "__main__":
    main()
