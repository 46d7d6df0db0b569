"""The page `docs/benchmarks.md`, from what was measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.end_to_end import EndToEnd
from benchmarks.processes import Cost
from benchmarks.pushdown import PushDown
from benchmarks.report_page import Page
from benchmarks.statistics import Floor, Statistics

NOT_INSTALLED = "not installed here (`make peers`)"
INTRODUCTION = """\
# What it costs

Written by `make bench`; nothing here is typed by hand. Every row compares things measured in the same run on the same
machine, so the ratios say more than the seconds. *Wall* is what one waits, *CPU* what all cores work, *memory* the most
that the process held at once (resident; of our processes, the database's own is not in it).
"""


@dataclass(frozen=True)
class Measured:
    """All that the page shows."""

    machine: str
    end_to_end: Sequence[EndToEnd]
    statistics: Statistics
    floor: Floor
    pushdown: Sequence[PushDown]
    report: Page
    help: Cost
    fleet: str


def page(found: Measured) -> str:
    """Return the page as Markdown."""
    sections = (
        INTRODUCTION,
        found.machine,
        _end_to_end(found.end_to_end),
        _statistics(found.statistics, found.floor),
        _pushdown(found.pushdown),
        _rest(found),
        _reached(found),
    )
    return "\n".join(sections)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table, all columns but the first to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _end_to_end(found: Sequence[EndToEnd]) -> str:
    rows = []
    for size in found:
        title = f"{size.rows:,} × {size.columns}"
        rows.append([f"{title}: `monitor check`", *_cost(size.ours), "1"])
        rows.append([f"{title}: the same rows by ADBC, dropped", *_cost(size.floor), _ratio(size.floor, size.ours)])
        if size.peer is not None:
            rows.append([f"{title}: `read_sql` + Evidently", *_cost(size.peer), _ratio(size.peer, size.ours)])
    first = found[0].first
    return (
        "## From PostgreSQL to a verdict, cold process to JSON\n\n"
        + table(("rows × columns", "wall", "CPU", "memory", "beside us"), rows)
        + f"\nThe very first window also builds the reference and replays it, once: {first.wall:.1f} s.\n"
    )


def _statistics(found: Statistics, floor: Floor) -> str:
    rows: list[Sequence[object]] = [
        ["Leeway: profile, evidence and verdicts", f"{found.ours:.3f} s", "1"],
        ["of this the profile", f"{found.profile:.3f} s", f"{found.profile / found.ours:.2f}"],
    ]
    for title, seconds in found.others.items():
        rows.append(
            [title, NOT_INSTALLED, ""]
            if seconds is None
            else [title, f"{seconds:.2f} s", f"{seconds / found.ours:.0f}"]
        )
    return (
        f"## Statistics alone, {found.rows:,} rows × {found.columns} columns in memory\n\n"
        + table(("what", "time", "beside us"), rows)
        + f"\nOf {floor.rows:,} × {floor.columns} numbers a profile takes {floor.profile:.3f} s, `np.histogram` with "
        f"uniform bins {floor.histogram:.3f} s: {floor.profile / floor.histogram:.2f} times as long.\n"
    )


def _pushdown(found: Sequence[PushDown]) -> str:
    rows = []
    for size in found:
        title = f"{size.rows:,} × {size.columns}"
        rows += [
            [f"{title}: `monitor check`, `mode: pushdown`", *_cost(size.pushed), "1"],
            [f"{title}: `monitor check`, `mode: stream`", *_cost(size.streamed), _ratio(size.streamed, size.pushed)],
            [f"{title}: `count, min, max, avg` alone", *_cost(size.floor), _ratio(size.floor, size.pushed)],
        ]
    return "## Counting in the engine: DuckDB over Parquet, cold process\n\n" + table(
        ("rows × columns", "wall", "CPU", "memory", "beside push-down"), rows
    )


def _rest(found: Measured) -> str:
    report = found.report
    return (
        "## The rest\n\n"
        f"- A report of {report.columns} columns × {report.windows} windows ({report.findings:,} findings): "
        f"{report.seconds:.2f} s, {report.size / 1e6:.2f} MB; the findings as JSON {report.json:.2f} s.\n"
        f"- `monitor --help`: {found.help.wall:.2f} s, {found.help.memory:.0f} MB.\n\n"
        f"## A fleet\n\n{found.fleet}"
    )


def _reached(found: Measured) -> str:
    largest = found.end_to_end[-1]
    peer = next((size for size in reversed(found.end_to_end) if size.peer is not None), None)
    evidently = next(iter(found.statistics.others.values()))
    pushed = found.pushdown[-1]
    held = [size.ours.memory for size in found.end_to_end] + [size.pushed.memory for size in found.pushdown]
    rows: list[Sequence[object]] = [
        [
            f"{largest.rows:,} × {largest.columns} from PostgreSQL, beside the bare read",
            "≤ 1.5",
            f"{largest.ours.wall / largest.floor.wall:.2f}",
        ],
        [
            "statistics beside Evidently",
            "≥ 150",
            "–" if evidently is None else f"{evidently / found.statistics.ours:.0f}",
        ],
        ["profile beside `np.histogram`", "≤ 2", f"{found.floor.profile / found.floor.histogram:.2f}"],
        [
            f"push-down of {pushed.rows:,} × {pushed.columns} beside the engine's own",
            "≤ 3",
            f"{pushed.pushed.wall / pushed.floor.wall:.2f}",
        ],
        ["most memory of any of these", "≤ 300 MB", f"{max(held):.0f} MB"],
        ["a report", "≤ 2 s, ≤ 1 MB", f"{found.report.seconds:.2f} s, {found.report.size / 1e6:.2f} MB"],
        ["`monitor --help`", "≤ 0.3 s", f"{found.help.wall:.2f} s"],
        ["a daemon of 100 models, idle again", "≤ 150 MB", "see *A fleet*"],
    ]
    if peer is not None and peer.peer is not None:
        faster = f"{peer.peer.wall / peer.ours.wall:.0f}"
        rows.insert(1, [f"{peer.rows:,} × {peer.columns} beside `read_sql` + Evidently", "≥ 50", faster])
    return "## Aims and where we are\n\n" + table(("what", "aim", "measured"), rows)


def _cost(found: Cost) -> tuple[str, str, str]:
    return f"{found.wall:.2f} s", f"{found.cpu:.2f} s", f"{found.memory:.0f} MB"


def _ratio(one: Cost, other: Cost) -> str:
    return f"{one.wall / other.wall:.2g}"
