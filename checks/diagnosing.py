"""From a breach to its name: which fault explains what happened to a column, and which columns share one cause.

Every module of :mod:`checks.diagnosis` is one fault. They are tried in the order of their ranks, most specific first,
and the first rank that explains the change names it, within a rank the surest. Then the columns of a window are grouped
by cause (SIGNAL.md 2.10).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import ClassVar, Protocol, runtime_checkable

from checks.catalogue import module_class, modules_of
from checks.diagnosis_across import across
from checks.profile import Column, Kind
from checks.quantiles import moved

PACKAGE = "checks.diagnosis"
WORLD_CHANGE = "population_shift"
UNEXPLAINED_CONFIDENCE = 0.2
UPSTREAM_EVENT = "upstream_event"
EVENT_COLUMNS = 3  # so many columns with a pipeline fault and one onset are one event upstream


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a fault is the one.

    Parameters
    ----------
    words : one clause with numbers in native units.
    confidence : in [0, 1]; how sure that this fault and no other made the change.
    """

    words: str
    confidence: float

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"a confidence lies between 0 and 1, got {self.confidence}")


@runtime_checkable
class Fault(Protocol):
    """One fault: a frozen dataclass, alone in its module, whose file name is its key.

    ``title`` names it for people, ``kinds`` are the kinds of column it can befall. ``pipeline`` is True for a broken
    pipeline, False for a changed world, None where the rows cannot tell. ``rank`` orders the trial, lower first; faults
    that are alike share one.
    """

    title: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]]
    pipeline: ClassVar[bool | None]
    rank: ClassVar[int]

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Return the explanation, or None where this fault does not explain the change."""
        ...


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What befell one column. ``fault`` is the key, ``title`` its name; see :class:`Fault` and :class:`Explanation`."""

    fault: str
    title: str
    words: str
    pipeline: bool | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Group:
    """Columns of one window that share a cause; see :class:`Diagnosis`."""

    fault: str
    title: str
    columns: tuple[str, ...]
    words: str
    pipeline: bool | None


@cache
def faults() -> dict[str, Fault]:
    """Return every fault by key, in the order of trial."""
    found: dict[str, Fault] = {name: module_class(f"{PACKAGE}.{name}")() for name in modules_of(PACKAGE)}
    return dict(sorted(found.items(), key=lambda item: (item[1].rank, item[0])))


def diagnose(reference: Column, current: Column) -> Diagnosis:
    """Name the fault that explains how a column's current rows differ from the reference.

    Only profiles are read. It is meant to be asked after an alarm: without any difference the answer is an unexplained
    population shift of low confidence.

    Parameters
    ----------
    reference, current : the same column of both sides, counted in the same bins.
    """
    for _, alike in groupby(faults().items(), key=lambda item: item[1].rank):
        explained = [
            Diagnosis(name, fault.title, found.words, fault.pipeline, found.confidence)
            for name, fault in alike
            if reference.bins.kind in fault.kinds and (found := fault.explain(reference, current)) is not None
        ]
        if explained:
            return max(explained, key=lambda diagnosis: diagnosis.confidence)
    words = moved(reference, current) or "no single fault explains the change"
    return Diagnosis(WORLD_CHANGE, "population shift", words, None, UNEXPLAINED_CONFIDENCE)


def group(
    diagnoses: Mapping[str, Diagnosis], references: Mapping[str, Column], currents: Mapping[str, Column]
) -> list[Group]:
    """Gather columns by cause: faults that only several columns together show, then columns with one fault.

    All changes of the world form one group, whatever their shape, for weather or customers move many columns at once
    and each in its own way. The key of such a group is always ``population_shift``, so that an incident keeps its
    identity when a shift of location becomes one of scale in the next window. Different faults of the pipeline in three
    columns or more are one event upstream; give it columns of one onset, see :func:`by_onset`.

    Parameters
    ----------
    diagnoses : by column, of the columns that breach.
    references, currents : both sides by column; columns without a diagnosis are ignored.

    Returns
    -------
    list[Group]
        Every column of ``diagnoses`` is in exactly one group; pipeline faults first, the largest group first.
    """
    groups: list[Group] = []
    left = dict(diagnoses)
    keys = {name: diagnosis.fault for name, diagnosis in diagnoses.items()}
    for found in across(keys, references, currents):
        groups.append(Group(found.fault, found.title, found.columns, found.words, pipeline=True))
        for name in found.columns:
            del left[name]
    by_cause: dict[str, dict[str, Diagnosis]] = {}
    for name, diagnosis in left.items():
        cause = diagnosis.fault if diagnosis.pipeline is not False else WORLD_CHANGE
        by_cause.setdefault(cause, {})[name] = diagnosis
    groups += [_group(cause, members) for cause, members in by_cause.items()]
    order = {True: 0, None: 1, False: 2}
    return sorted(_as_event(groups), key=lambda item: (order[item.pipeline], -len(item.columns), item.fault))


def by_onset(onsets: Mapping[str, float], apart: float) -> list[tuple[str, ...]]:
    """Gather columns whose changes began together, earliest first; only those can share a cause.

    Parameters
    ----------
    onsets : estimated start of the change by column, seconds since 1970 UTC.
    apart : seconds between two onsets, next to each other in time, that are two events.
    """
    ranked = sorted(onsets, key=lambda name: (onsets[name], name))
    found: list[tuple[str, ...]] = []
    for place, name in enumerate(ranked):
        if place and onsets[name] - onsets[ranked[place - 1]] < apart:
            found[-1] = (*found[-1], name)
        else:
            found.append((name,))
    return found


def _group(cause: str, members: Mapping[str, Diagnosis]) -> Group:
    # The surest speaks for the group; an unexplained member does not make a change of the world unknown.
    first = max(members.values(), key=lambda diagnosis: diagnosis.confidence)
    columns = tuple(sorted(members))
    titles = {diagnosis.title for diagnosis in members.values()}
    title = first.title if len(titles) == 1 else "population shift"
    if len(members) == 1:
        return Group(cause, title, columns, first.words, first.pipeline)
    told = _listed([f"{name}: {members[name].words}" for name in columns], "column")
    return Group(cause, title, columns, told, first.pipeline)


def _listed(clauses: list[str], noun: str) -> str:
    hidden = len(clauses) - EVENT_COLUMNS
    more = f"; and {hidden} more {noun}{'s' * (hidden > 1)}" if hidden > 0 else ""
    return "; ".join(clauses[:EVENT_COLUMNS]) + more


def _as_event(groups: list[Group]) -> list[Group]:
    """Join different faults of the pipeline into one event where so many columns broke at once."""
    broken = [item for item in groups if item.pipeline]
    columns = tuple(sorted(name for item in broken for name in item.columns))
    if len(columns) < EVENT_COLUMNS or len(broken) < 2:
        return groups
    ranked = sorted(broken, key=lambda item: (-len(item.columns), item.fault))
    # A group of several columns names them already.
    told = [f"{item.title} ({item.columns[0]}: {item.words})" if len(item.columns) == 1 else
            f"{item.title} ({item.words})" for item in ranked]  # fmt: skip
    words = f"{len(columns)} columns broke at once: {_listed(told, 'fault')}"
    event = Group(UPSTREAM_EVENT, "upstream pipeline event", columns, words, pipeline=True)
    return [event, *(item for item in groups if not item.pipeline)]
