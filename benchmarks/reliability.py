"""Measure what breaks it and what grows, and write `docs/reliability.md`: ``python -m benchmarks.reliability``.

Runs the whole fault suite (``make faults``: every place killed on every store with one to four replicas, 2,000 random
histories; an hour on two cores) and the soak, or takes the suite's JUnit file and the soak's JSON of an earlier run.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks import soak
from benchmarks.page import table
from benchmarks.soak import Soak

ROOT = Path(__file__).parents[1]
INTRODUCTION = """\
# How reliable it is

Written by `python -m benchmarks.reliability`; nothing here is typed by hand. The fault suite (`tests/faults/`, `make
faults`) runs real processes on real stores and does to them what production does: they are killed at every step of
the way, frozen for longer than their lease, cut off from the store after a statement was sent, given a full disk, a
locked file, a Slack that is too busy, away, or drops the connection after it has stored the message. Afterwards a
checker compares what happened with what the schedule owed, in the manner of Jepsen's analysis of Chronos: one result
for every owed window, every notice told, none twice where the receiver can be asked, one retraining a key, no write
by an owner that was taken over, and the timelines of incidents legal. Ten faults planted in the code itself prove
that the checker would see them.

`make faults` takes every place with both stores and one, two and four replicas, and 2,000 histories; the ordinary suite
a sample of both. How many of each the run of this page took stands in its table.
"""
TITLES = {
    "test_kills": "processes killed at every place of the way",
    "test_histories": "random histories: crashes, clocks, cut connections, late rows, a failing Slack",
    "test_asked_once": "killed between the decision to retrain and its acceptance, and data that break meanwhile",
    "test_outages": "frozen, cut off, restarted, too busy, full, locked",
    "test_mutants": "faults planted in the code, each of which the checker must see",
    "test_checker": "histories that are wrong, each of which the checker must see",
}


@dataclass(frozen=True)
class Suite:
    """One module of the fault suite: its cases, those that failed, its seconds, and what it counted."""

    name: str
    cases: int
    failed: int
    skipped: int
    seconds: float
    counted: Counter[str]


def faults(*, small: bool) -> Path:
    """Run the fault suite; return its JUnit file."""
    report = Path(tempfile.mkdtemp()) / "faults.xml"
    everything = {} if small else {"LEEWAY_FAULTS": "all", "LEEWAY_HISTORIES": "2000"}
    command = [sys.executable, "-m", "pytest", "-q", "tests/faults", "--timeout=3600", f"--junitxml={report}"]
    subprocess.run(command, cwd=ROOT, env=os.environ | everything, check=False)
    return report


def suites(report: Path) -> Iterator[Suite]:
    """Read a JUnit file, module by module."""
    modules: dict[str, list[ET.Element]] = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):
        modules[case.get("classname", "").rpartition(".")[2]].append(case)
    for name, cases in sorted(modules.items(), key=lambda item: [*TITLES, item[0]].index(item[0])):
        counted: Counter[str] = Counter()
        for found in (found for case in cases for found in case.iter("property")):
            counted[str(found.get("name"))] += int(found.get("value", "0"))
        failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
        skipped = sum(case.find("skipped") is not None for case in cases)
        yield Suite(name, len(cases), failed, skipped, sum(float(case.get("time", "0")) for case in cases), counted)


def page(found: Sequence[Suite], soaked: Soak) -> str:
    """Return the page as Markdown."""
    machine = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), Python "
    return "\n".join((INTRODUCTION, f"{machine}{platform.python_version()}.\n", _faults(found), _soak(soaked)))


def _faults(found: Sequence[Suite]) -> str:
    rows = [
        (
            TITLES.get(suite.name, suite.name),
            f"{suite.cases - suite.skipped:,}",
            suite.failed,
            f"{suite.seconds / 60:.1f} min",
            ", ".join(f"{number:,} {what}" for what, number in suite.counted.items()) or "–",
        )
        for suite in found
    ]
    return "## Faults\n\n" + table(("what", "cases", "violations", "time", "of which"), rows)


def _soak(found: Soak) -> str:
    first = (
        f"## Months in {found.seconds / 60:.0f} minutes\n\n"
        f"{found.models} models of {found.columns} columns, a window a day each, {len(found.days)} simulated days by "
        "`python -m benchmarks.soak`; every window is looked at four times more for late rows, a column goes null "
        f"every {soak.NULLS_EVERY} days, and Slack is too busy now and then. Samples are kept for 7 days, profiles and "
        "incidents for 60, the least that the configuration allows, and 60 windows in any case; the store grows until "
        "day 65 therefore.\n\n"
    )
    rows = [
        (f"day {day.number}", f"{day.resident:.0f} MB", day.files, day.threads, f"{day.store:.0f} MB")
        for day in soak.table(found)
    ]
    growth = ", ".join(
        f"{words} {found.growth(name):+.1%}"
        for words, name in (
            ("resident memory", "resident"),
            ("open files", "files"),
            ("threads", "threads"),
            ("store", "store"),
        )
    )
    return (
        first
        + table(("end of", "resident", "open files", "threads", "store"), rows)
        + f"\nFrom the first to the last third of the last {min(soak.MONTH, len(found.days))} days: {growth}.\n\n"
        f"Of {found.owed:,} owed windows {found.done:,} have a result; {found.looks:,} second looks. "
        f"{found.written:,} notices were written and {found.told:,} arrived, {found.doubled} of them twice. "
        f"The daemon took {found.cpu / 60:.1f} minutes of CPU.\n"
    )


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few minutes' run, to a temporary folder")
    parser.add_argument("--faults", type=Path, help="the JUnit file of a fault suite that has run already")
    parser.add_argument("--soak", type=Path, help="what `python -m benchmarks.soak` has printed already")
    parser.add_argument("--out", type=Path, help="folder of the page; docs, unless small")
    options = parser.parse_args()
    out = options.out or (Path(tempfile.mkdtemp()) if options.small else ROOT / "docs")
    if options.soak is not None:
        soaked = Soak.of(json.loads(options.soak.read_text()))
    else:
        soaked = soak.measure(3, 6, 5) if options.small else soak.measure(50, 20, soak.DAYS)
    found = list(suites(options.faults or faults(small=options.small)))
    (out / "reliability.md").write_text(page(found, soaked), encoding="utf-8")
    print(f"wrote {out / 'reliability.md'}")


if __name__ == "__main__":
    main()
