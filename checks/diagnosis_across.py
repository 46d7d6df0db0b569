"""Faults that no column shows alone: columns that went null in the same rows, and columns that changed places."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

from checks.mapping import IDENTITY, fit
from checks.profile import Column
from checks.wording import share_text

JOINED_COLUMNS = 3  # two columns may be null together by chance or by their meaning
ALIKE = 0.01  # null shares that differ by less are the same rows as far as counts can tell
SAME = 0.05  # share of rows by which a column in its new place may differ from the other's reference
# Faults that a column read from another's place may have been given; it would not have gone missing or null.
_MISREAD = frozenset({"null_flood", "missing_column", "type_change", "became_non_null", "stuck"})


@dataclass(frozen=True, slots=True)
class Across:
    """A fault of several columns together."""

    fault: str
    title: str
    columns: tuple[str, ...]
    words: str


def across(
    faults: Mapping[str, str], references: Mapping[str, Column], currents: Mapping[str, Column]
) -> Iterator[Across]:
    """Yield the faults that several columns show together; no column is in two of them.

    Parameters
    ----------
    faults : key of each column's own fault, by column.
    references, currents : both sides by column.
    """
    yield from _joins([name for name, fault in faults.items() if fault == "null_flood"], currents)
    numeric = [
        name
        for name, fault in faults.items()
        if fault not in _MISREAD and name in references and references[name].bins.kind == "numeric"
    ]
    yield from _swaps(sorted(numeric), references, currents)


def _joins(names: list[str], currents: Mapping[str, Column]) -> Iterator[Across]:
    """Yield runs of columns whose null shares are equal, in the order of the shares."""
    ranked = sorted(names, key=lambda name: (currents[name].profile.null_share, name))
    while ranked:
        first = currents[ranked[0]].profile
        noise = 3 * sqrt(first.null_share * (1 - first.null_share) / max(first.rows, 1))
        # Equal rows have equal shares; noise is allowed only up to what could pass for equal by eye.
        reach = first.null_share + min(ALIKE, noise)
        run = [name for name in ranked if currents[name].profile.null_share <= reach]
        if len(run) >= JOINED_COLUMNS:
            share = share_text(first.null_share)
            words = f"{', '.join(sorted(run))} are null together in {share} of rows, as when a join breaks"
            yield Across("join_broke", "join that broke", tuple(sorted(run)), words)
            ranked = ranked[len(run) :]
        else:
            ranked = ranked[1:]


def _swaps(names: list[str], references: Mapping[str, Column], currents: Mapping[str, Column]) -> Iterator[Across]:
    taken: set[str] = set()
    for one, other in combinations(names, 2):
        if one in taken or other in taken:
            continue
        crossed = _like(references[one], currents[other]) and _like(references[other], currents[one])
        if crossed and not _like(references[one], currents[one]) and not _like(references[other], currents[other]):
            taken |= {one, other}
            words = f"{one} now holds what {other} held, and {other} what {one} held"
            yield Across("swapped_columns", "swapped columns", (one, other), words)


def _like(reference: Column, current: Column) -> bool:
    found = fit(reference, current, IDENTITY, SAME)
    return found is not None and found.holds
