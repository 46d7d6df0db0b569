"""The page ``docs/signal.md``: nothing but what was measured, said in tables and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.signal.alarms import BUDGET, Figures, best_peer, compared, cost
from benchmarks.signal.changes import CHANGES
from benchmarks.signal.faults import TARGETS
from benchmarks.signal.honesty import DAYS_TO_NOTICE, LENGTHS, Covered, Smallest, pooled
from benchmarks.signal.ours import ABLATIONS
from benchmarks.signal.plots import dots_svg, write
from benchmarks.signal.price import COLUMNS, Price
from benchmarks.signal.summary import OURS, OWN, STRICT, TUNED, Standing
from benchmarks.signal.tables import detection_table, markdown, null_table, standing_table

MOST_SECONDS, MOST_BYTES = 0.2, 2_000_000
REAL_LIMITS = {"flights, days permuted": 1.0, "flights, weeks permuted": 2.0, "carloan's reference": 1.0}
LEVEL = 0.75  # of the cells better or level
_SHOWN_LOSSES = 40
_ABLATED = tuple(variant.title for variant in ABLATIONS)
_COVERAGE = (0.87, 0.95)


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything that a run found.

    Parameters
    ----------
    about : machine, versions, seeds, run time; one sentence each.
    standings : by world.
    known : alerts before the change, days to the first after it and the columns named then, by rule; of the log whose
        change is known, with the columns that changed.
    sudden : by catastrophic change, how often one window showed it and in how many runs.
    precise : share of named columns that had changed.
    faults : right first names by rows: of numeric columns, of categories.
    """

    about: Sequence[str]
    standings: Mapping[str, Standing]
    known: Sequence[Sequence[str]]
    sudden: Mapping[str, tuple[int, int]]
    precise: float
    covered: Sequence[Covered]
    smallest: Sequence[Smallest]
    faults: Mapping[int, tuple[float, float]]
    prices: Sequence[Price]


def page(found: Measured, images: Path) -> str:
    """Return the page as Markdown, its pictures written to ``images``."""
    images.mkdir(parents=True, exist_ok=True)
    sections = (
        _head(found), _targets(found), _nulls(found, images), _power(found, images), _sudden(found), _losses(found),
        _ablations(found), _honesty(found), _diagnosis(found), _price(found), _by_world(found),
    )  # fmt: skip
    return "\n".join(section.rstrip() + "\n" for section in sections if section)


def _head(found: Measured) -> str:
    return (
        "# Signal: what was measured\n\nThis page is written by `make signal`; no figure in it is typed by hand.\n\n"
        + "".join(f"- {line}\n" for line in found.about)
        + "\nEvery rule is counted alike: alerts of one column less than seven days apart are one notification, and so"
        " is whatever is new in one window. Worlds have 50 columns, 60 days of reference and 90 days after it. Delays"
        " are in days and count the day of the change.\n"
    )


def _cells(found: Measured, mode: str = OURS) -> list[tuple[str, str, dict[str, Figures]]]:
    """Return by world and change our figures in one mode beside those of the tuned peers."""
    return [
        (world, change, {rule: shown for rule, shown in by.items() if rule == mode or rule not in OWN})
        for world, one in found.standings.items()
        for change, by in one.tuned.items()
    ]


def _level(cells: Sequence[tuple[str, str, dict[str, Figures]]], mode: str = OURS) -> float:
    outcomes = [
        compared(by[mode], by[best_peer({rule: by[rule] for rule in by if rule != mode})]) for _, _, by in cells
    ]
    return sum(outcome != "lose" for outcome in outcomes) / max(1, len(outcomes))


def _targets(found: Measured) -> str:
    rows = []
    for world, one in found.standings.items():
        limit = REAL_LIMITS.get(world, BUDGET)
        mean = one.nulls[OURS].mean
        rows.append((f"false notifications per 30 days, {world}", f"≤ {limit:g}", f"{mean:.2f}", mean <= limit))
    cells = _cells(found)
    if cells:
        share = _level(cells)
        what = "changes seen as early as by the best of five peers, tuned and chosen in hindsight"
        rows.append((what, "≥ 75%", f"{share:.0%}", share >= LEVEL))
    hits, runs = (sum(pair[place] for pair in found.sudden.values()) for place in (0, 1))
    if runs:
        rows.append(("catastrophic changes seen in their first window", "100%", f"{hits / runs:.0%}", hits == runs))
    rows.append(("named columns that had changed", "≥ 90%", f"{found.precise:.0%}", found.precise >= 0.9))
    coverage = [pair[0] for by in pooled(found.covered).values() for pair in by.values()]
    low, high = min(coverage), max(coverage)
    inside = _COVERAGE[0] <= low and high <= _COVERAGE[1]
    rows.append(("truth within the 90% interval", "87% to 95%", f"{low:.0%} to {high:.0%}", inside))
    seen = [hit for part in found.smallest for hits in part.seen.values() for hit in hits]
    share = sum(seen) / len(seen)
    rows.append(("smallest detectable change noticed within 7 days", "≥ 80%", f"{share:.0%}", share >= 0.8))
    for size, shares in found.faults.items():
        right = min(shares)
        rows.append(
            (f"right first name at {size:,} rows", f"≥ {TARGETS[size]:.0%}", f"{right:.1%}", right >= TARGETS[size])
        )
    for one in found.prices:
        rows.append(
            (f"{COLUMNS} columns judged, {one.title}", "≤ 0.2 s", f"{one.seconds:.3f} s", one.seconds <= MOST_SECONDS)
        )
        rows.append((f"their state, {one.title}", "≤ 2 MB", f"{one.state / 1e6:.2f} MB", one.state <= MOST_BYTES))
    lines = [[what, aim, value, "yes" if holds else "**no**"] for what, aim, value, holds in rows]
    return "## Targets\n\n" + markdown(["target", "aim", "measured", "holds"], lines)


def _nulls(found: Measured, images: Path) -> str:
    rules = {world: _without(one.nulls, _ABLATED) for world, one in found.standings.items()}
    plotted = {world: {rule: shown.mean for rule, shown in by.items() if rule != STRICT} for world, by in rules.items()}
    title = "False notifications while nothing changes"
    write(dots_svg(title, "per 30 days", plotted, BUDGET), images / "nulls")
    relaxed = markdown(
        ["world", "audited threshold, share of the strict one"],
        [[world, f"{one.threshold:.3g}"] for world, one in found.standings.items()],
    )
    return (
        "## False notifications while nothing changes\n\nPer 30 days: mean ± standard error (95th percentile of the"
        " runs). The budget is 1; bold where the mean exceeds it by more than two standard errors. Peers at their"
        " defaults.\n\n![False notifications by world and rule](images/signal/nulls.svg)\n\n"
        f"{null_table(rules)}\nWhat the replay of the reference made of the strict threshold (median):\n\n{relaxed}"
    )


def _without(by: Mapping[str, object], left: Sequence[str]) -> dict[str, object]:
    return {rule: shown for rule, shown in by.items() if rule not in left}


def _power(found: Measured, images: Path) -> str:
    cells = _cells(found)
    if not cells:
        return ""
    tuned = _cells(found, TUNED)
    plotted = {
        change.name: {rule: _median([by for _, name, by in cells if name == change.name], rule) for rule in cells[0][2]}
        for change in CHANGES
    }
    title = "Days until a change is seen, median of the worlds' medians"
    write(dots_svg(title, "days", plotted), images / "delays")
    worlds = len({world for world, _, _ in cells})
    return (
        f"## How soon a change is seen\n\nOne change in one of 50 columns, {len(cells) // worlds} kinds of change in"
        f" {worlds} worlds. Peers are tuned by an oracle to one false notification per 30 days on the very same logs;"
        " Leeway is as it is set up, knowing nothing but its reference. A quarter of a day is a tie; changes that"
        " neither rule finds once are level, and counted on their own.\n\n"
        "![Days until a change is seen](images/signal/delays.svg)\n\n"
        f"{standing_table([by for _, _, by in cells], OURS)}\n"
        "With Leeway's threshold tuned by the same oracle:\n\n"
        f"{standing_table([by for _, _, by in tuned], TUNED)}"
    )


def _median(cells: Sequence[Mapping[str, Figures]], rule: str) -> float:
    values = sorted(by[rule].median for by in cells)
    return values[(len(values) - 1) // 2]


def _sudden(found: Measured) -> str:
    lines = [[change, f"{hits / runs:.0%}", str(runs)] for change, (hits, runs) in found.sudden.items()]
    known = markdown(
        ["car loans", "alerts in the calm 150 days", "first alert after the change", "columns named then"], found.known
    )
    return (
        "## Catastrophes\n\nSeen in the first window that has them:\n\n" + markdown(["change", "share", "runs"], lines)
        if lines
        else ""
    ) + (
        f"\n## A change that is known\n\nNannyML's car loans: four columns change for good after 150 days.\n\n{known}"
        if found.known
        else ""
    )


def _losses(found: Measured) -> str:
    lost = []
    for world, change, by in _cells(found):
        peers = {rule: shown for rule, shown in by.items() if rule != OURS}
        best = best_peer(peers) if peers else ""
        if peers and compared(by[OURS], by[best]) == "lose":
            lost.append((cost(by[OURS]) - cost(by[best]), world, change, by[OURS], best, by[best]))
    if not lost:
        return ""
    lost.sort(key=lambda item: -item[0])
    lines = [
        [world, change, _shown(ours), f"{best}: {_shown(theirs)}"] for _, world, change, ours, best, theirs in lost
    ]
    more = f"\nThe {_SHOWN_LOSSES} widest of {len(lost)} are shown.\n" if len(lost) > _SHOWN_LOSSES else ""
    return (
        "## Where Leeway loses\n\nAgainst the best of five tuned peers, chosen cell by cell in hindsight: share of runs"
        f" found, median days.\n\n{markdown(['world', 'change', OURS, 'best peer'], lines[:_SHOWN_LOSSES])}{more}"
    )


def _shown(shown: Figures) -> str:
    return f"{shown.share:.0%}, {shown.median:.0f}" if shown.median < float("inf") else f"{shown.share:.0%}, –"


def _ablations(found: Measured) -> str:
    kept = (OURS, *_ABLATED)
    rules = {
        world: {rule: one.nulls[rule] for rule in kept}
        for world, one in found.standings.items()
        if all(rule in one.nulls for rule in kept)
    }
    return (
        "## What each part is for\n\nFalse notifications per 30 days without it, at the threshold of the whole"
        f" detector; the replay of rows has the threshold that it finds itself.\n\n{null_table(rules)}"
        if rules
        else ""
    )


def _honesty(found: Measured) -> str:
    lines = [
        [world, *(f"{by[length][0]:.0%} (± {by[length][1]:.2f})" for length in LENGTHS)]
        for world, by in pooled(found.covered).items()
    ]
    intervals = markdown(["world", *(f"{length} days" for length in LENGTHS)], lines)
    seen = []
    for world in dict.fromkeys(part.title for part in found.smallest):
        mine = [part for part in found.smallest if part.title == world]
        for kind in mine[0].seen:
            hits = [hit for part in mine for hit in part.seen[kind]]
            sizes = sorted(size for part in mine for size in part.size[kind])
            seen.append([world, kind, f"{sizes[len(sizes) // 2]:.3g}", f"{sum(hits) / len(hits):.0%}", str(len(hits))])
    return (
        "## Whether what is said is true\n\nA shift of .3 standard deviations: how often the 90% interval of the effect"
        f" holds the truth (median half-width), by days looked at.\n\n{intervals}\nA change of exactly the size that is"
        f" called detectable is planted into column after column: noticed within {DAYS_TO_NOTICE} days, meant to be"
        " nine times in ten.\n\n"
        + markdown(["world", "kind", "size planted (sd or share of rows, median)", "noticed", "columns"], seen)
    )


def _diagnosis(found: Measured) -> str:
    lines = [[f"{rows:,}", *(f"{share:.1%}" for share in shares)] for rows, shares in found.faults.items()]
    return (
        "## Whether the first name is the right one\n\nFaults planted into drawn rows; real columns are harder.\n\n"
        + markdown(["rows", "numeric", "categorical"], lines)
    )


def _price(found: Measured) -> str:
    lines = [
        [one.title, str(one.components), f"{one.seconds * 1000:.0f} ms", f"{one.state / 1e3:.0f} kB"]
        for one in found.prices
    ]
    return f"## What a verdict costs\n\n{COLUMNS} columns, one core, the window that ends a day.\n\n" + markdown(
        ["schedule", "components", "time", "state"], lines
    )


def _by_world(found: Measured) -> str:
    parts = []
    for world, one in found.standings.items():
        cells = {change: {r: s for r, s in by.items() if r == OURS or r not in OWN} for change, by in one.tuned.items()}
        if cells:
            parts.append(f"### {world}\n\n{detection_table(cells, OURS)}")
    if not parts:
        return ""
    return (
        "## World by world\n\nShare of runs found, median / 90th percentile of days. Peers tuned to one false"
        " notification per 30 days. A dagger: often alerting before anything had changed.\n\n" + "\n".join(parts)
    )
