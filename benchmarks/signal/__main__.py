"""Measure the signal and write ``docs/signal.md``: ``python -m benchmarks.signal [--small]``.

The large run takes about 25 minutes on two cores, the small one less than one.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import Pool
from pathlib import Path
from typing import TypeVar

from benchmarks.signal.alarms import alerts_of, detection, notifications
from benchmarks.signal.faults import TARGETS, categories_wrong, numbers_wrong
from benchmarks.signal.honesty import covered, smallest
from benchmarks.signal.pages import Measured, page
from benchmarks.signal.plan import LARGE, PRODUCTION_DAYS, REFERENCE_DAYS, SEED, SMALL, Size, honest_worlds, tasks
from benchmarks.signal.price import price
from benchmarks.signal.runs import contestants
from benchmarks.signal.suite import OURS, Result, run
from benchmarks.signal.summary import by_title, in_one_window, precision, standing
from benchmarks.signal.worlds import World

DOCS = Path(__file__).parents[2] / "docs"
PACKAGES = ("numpy", "scipy", "pyarrow")
T, R = TypeVar("T"), TypeVar("R")
KNOWN = "carloan"  # the real log whose change is known
_BAR = 30


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few repetitions, to a temporary folder")
    parser.add_argument("--out", type=Path, help="folder of the page; docs, unless small")
    options = parser.parse_args()
    size = SMALL if options.small else LARGE
    out = options.out or (Path(tempfile.mkdtemp()) if options.small else DOCS)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # the workers share the cores, not each one's algebra
    started = time.perf_counter()
    found = measured(size, started)
    (out / "signal.md").write_text(page(found, out / "images" / "signal"), encoding="utf-8")
    print(f"wrote {out / 'signal.md'} after {(time.perf_counter() - started) / 60:.1f} minutes")


def measured(size: Size, started: float) -> Measured:
    """Run a plan."""
    prices = [price(World("ar", cadence, 60, 30, 5, SEED)) for cadence in ("day", "hour")]
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        results = _spread(pool.imap_unordered, run, tasks(size), "logs")
        intervals = _spread(pool.imap_unordered, covered, honest_worlds(size), "intervals")
        visible = _spread(pool.imap_unordered, smallest, honest_worlds(size), "smallest changes")
        names = dict(_spread(pool.imap_unordered, _named, [(rows, size.faults) for rows in TARGETS], "diagnoses"))
    worlds = [result for result in results if result.title != KNOWN]
    order = [task.log.title for task in tasks(size) if isinstance(task.log, World)]
    grouped = by_title(worlds)
    titles = sorted(grouped, key=lambda title: order.index(title) if title in order else len(order))
    return Measured(
        _about(started, results),
        {title: standing(sorted(grouped[title], key=lambda result: -len(result.outcomes))) for title in titles},
        _known([result for result in results if result.title == KNOWN]),
        in_one_window(worlds),
        precision(worlds),
        intervals,
        visible,
        {rows: names[rows] for rows in TARGETS},
        prices,
    )


def _spread(spread: Callable[..., Iterable[R]], work: Callable[[T], R], items: Sequence[T], title: str) -> list[R]:
    """Work on items on all cores, with a bar on standard error."""
    found: list[R] = []
    started = time.perf_counter()
    for result in spread(work, items):
        found.append(result)
        done = len(found) / len(items)
        left = (time.perf_counter() - started) * (1 - done) / done
        bar = "#" * round(_BAR * done)
        sys.stderr.write(f"\r{title} [{bar:<{_BAR}}] {len(found)}/{len(items)}, {left / 60:.1f} min left ")
    sys.stderr.write("\n")
    return found


def _named(asked: tuple[int, int]) -> tuple[int, tuple[float, float]]:
    """Return the share of right first names at so many rows, in numeric columns and in categories."""
    rows, repeats = asked
    shares = []
    for tried, wrong in (numbers_wrong(rows, repeats), categories_wrong(rows, 2 * repeats)):
        shares.append(1 - len(wrong) / tried)
    return rows, (shares[0], shares[1])


def _known(results: Sequence[Result]) -> list[list[str]]:
    """Return what every rule made of the log whose change is known."""
    lines = []
    for result in results:
        outcome = result.outcomes[0]
        alerts = {OURS: list(outcome.ours[OURS])} | {
            contestant.title: alerts_of(
                outcome.scores[name],
                contestant.rule.threshold(len(result.columns), 30 * result.per_day),
                result.columns,
            )
            for name, contestant in contestants().items()
        }
        for rule, mine in alerts.items():
            before = [window for window, _ in notifications(mine, result.per_day) if window < outcome.onset]
            seen = detection(mine, outcome.columns, outcome.onset, result.per_day)
            first = next((named for window, named in mine if window >= outcome.onset), ())
            right = sum(name in outcome.columns for name in first)
            lines.append([rule, str(len(before)), f"{seen.delay:.0f} days", f"{len(first)}, of which {right} changed"])
    return lines


def _about(started: float, results: Sequence[Result]) -> list[str]:
    minutes = (time.perf_counter() - started) / 60
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{os.cpu_count()} cores ({platform.machine()}), which other work shared"
    return [
        f"{datetime.now(UTC):%Y-%m-%d}; {minutes:.0f} minutes on {machine}",
        f"Python {platform.python_version()}, {versions}; rules of the peers as in `checks/peers/`",
        f"seeds from {SEED:,}; {len(results)} logs of {REFERENCE_DAYS} + {PRODUCTION_DAYS} days",
    ]


if __name__ == "__main__":
    main()
