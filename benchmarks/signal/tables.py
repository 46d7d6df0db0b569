"""The benchmark's figures for people, as Markdown tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite

from benchmarks.signal.alarms import Figures, NullFigures, best_peer, compared

OFTEN_BEFORE = 0.2  # share of runs already alerting before the change, from which a detection earns a dagger


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _figure(value: float) -> str:
    if not isfinite(value):
        return "–"
    return f"{value:.0f}" if abs(value) >= 20 else f"{value:.1f}" if abs(value) >= 1 or not value else f"{value:.2g}"


def null_table(worlds: Mapping[str, Mapping[str, NullFigures]]) -> str:
    """Return false notifications per 30 days by world and rule; over budget in bold.

    ``mean ± standard error (95th percentile)``; every world has the same rules.
    """
    rules = list(next(iter(worlds.values())))

    def cell(shown: NullFigures) -> str:
        text = _figure(shown.mean)
        if isfinite(shown.stderr):
            text += f" ± {_figure(shown.stderr)} ({_figure(shown.p95)})"
        return f"**{text}**" if shown.over_budget else text

    rows = [
        [f"{world} ({next(iter(by.values())).runs})", *(cell(by[rule]) for rule in rules)]
        for world, by in worlds.items()
    ]
    return markdown(["nothing changes (repetitions)", *rules], rows)


def detection_table(changes: Mapping[str, Mapping[str, Figures]], ours: str) -> str:
    """Return, by change and rule, ``share found, median / 90th percentile of days``, and who is earlier.

    ``ours`` is compared with the best of the other rules. A dagger: it often alerted before anything had changed.
    """
    rules = list(next(iter(changes.values())))

    def cell(shown: Figures) -> str:
        late = " †" if shown.before > OFTEN_BEFORE else ""
        return f"{shown.share:.0%}, {_figure(shown.median)} / {_figure(shown.p90)}{late}"

    rows = [[change, *(cell(by[rule]) for rule in rules), _against_best(by, ours)] for change, by in changes.items()]
    return markdown(["change", *rules, f"{ours} against the best"], rows)


def _against_best(by: Mapping[str, Figures], ours: str) -> str:
    peers = {rule: shown for rule, shown in by.items() if rule != ours}
    best = best_peer(peers)
    return f"{compared(by[ours], peers[best])} ({best})"


def standing_table(cells: Sequence[Mapping[str, Figures]], ours: str) -> str:
    """Return how often ``ours`` is earlier, level or later: against every rule, and against the best in hindsight.

    Changes that neither finds once are level; they are counted once more on their own, since no rule earns them.
    """
    peers = [rule for rule in cells[0] if rule != ours]
    pairs = {rule: [(by[ours], by[rule]) for by in cells] for rule in peers}
    pairs["the best of them, cell by cell"] = [
        (by[ours], by[best_peer({rule: by[rule] for rule in peers})]) for by in cells
    ]
    header = [f"{ours} against", "win", "tie", "lose", "better or level", "found by neither"]
    return markdown(header, [[rule, *_standing(both)] for rule, both in pairs.items()])


def _standing(pairs: Sequence[tuple[Figures, Figures]]) -> list[str]:
    count = Counter(compared(ours, theirs) for ours, theirs in pairs)
    neither = sum(not ours.share and not theirs.share for ours, theirs in pairs)
    level = (count["win"] + count["tie"]) / len(pairs)
    return [str(count["win"]), str(count["tie"]), str(count["lose"]), f"{level:.0%}", str(neither)]
