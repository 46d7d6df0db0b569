"""Applies the planned checks to one window. A check that raises is a failed finding of its own; the others go on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.catalogue import Check, ColumnCheck, gathers_evidence, measures_columns
from checks.measurement import Inconclusive, Measurement
from checks.profile import Bins, Column, Profile, Table, Volume
from monitor.core.finding import Rule


@dataclass(frozen=True)
class Planned:
    """One check as it is to be applied.

    ``columns`` limits it to some columns; ``auto`` to the kinds that it is a default for. ``threshold`` is a user's
    fixed threshold on the statistic.
    """

    name: str
    family: str
    check: Check
    columns: tuple[str, ...] | None = None
    threshold: float | None = None
    auto: bool = True

    def applies(self, column: str, bins: Bins) -> bool:
        """Whether the check is to be applied to this column."""
        if not measures_columns(self.check) or bins.kind not in self.check.kinds:
            return False
        if self.columns is not None:
            return column in self.columns
        return not self.auto or bins.kind in self.check.default_for


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one column in every window."""

    column: str
    planned: Planned
    check: ColumnCheck
    rule: Rule


@dataclass(frozen=True)
class Failure:
    """A check raised; ``reason`` says what."""

    reason: str


@dataclass(frozen=True)
class Measured:
    """The outcome of one check on one column, or on the table where ``column`` is None."""

    column: str | None
    planned: Planned
    result: Measurement | Inconclusive | Failure


def rule_of(planned: Planned) -> Rule:
    """Return what the verdicts of a check rest on."""
    if planned.threshold is not None:
        return Rule.THRESHOLD
    if gathers_evidence(planned.check):
        return Rule.EVIDENCE
    drift = planned.family == "drift" and measures_columns(planned.check)
    return Rule.DESCRIPTION if drift else Rule.FACT


def measure(
    bins: Mapping[str, Bins],
    reference: Profile,
    current: Table,
    plan: Sequence[Planned],
    volumes: tuple[Volume, ...] = (),
) -> list[Measured]:
    """Apply every planned check to every column it is for, then the checks of the whole table.

    Parameters
    ----------
    volumes : rows of the reference's windows, which show the log's rhythm.
    """
    before = Table(reference, current.start, current.end, volumes)
    return [*measure_columns(bins, reference, current.profile, plan), *measure_table(before, current, plan)]


def planned_for(column: str, bins: Bins, plan: Sequence[Planned]) -> list[tuple[Planned, ColumnCheck]]:
    """Return what is to be applied to a column.

    Of several entries of one name, the last that applies counts: it is the one with parameters for this column.
    """
    applied = {entry.name: entry for entry in plan if entry.applies(column, bins)}
    return [(entry, entry.check) for entry in applied.values() if measures_columns(entry.check)]


def questions(bins: Mapping[str, Bins], plan: Sequence[Planned]) -> tuple[Question, ...]:
    """Return what a plan asks of the columns, column by column."""
    return tuple(
        Question(name, planned, check, rule_of(planned))
        for name, column_bins in bins.items()
        for planned, check in planned_for(name, column_bins, plan)
    )


def measure_columns(
    bins: Mapping[str, Bins], reference: Profile, current: Profile, plan: Sequence[Planned]
) -> Iterator[Measured]:
    """Apply the column checks alone."""
    for name, column_bins in bins.items():
        before = Column(name, column_bins, reference.columns[name])
        now = Column(name, column_bins, current.columns[name])
        for planned, check in planned_for(name, column_bins, plan):
            yield measured(planned, check, before, now)


def measured(planned: Planned, check: ColumnCheck, before: Column, now: Column) -> Measured:
    """Apply one check to one column."""
    try:
        return Measured(now.name, planned, check.measure(before, now))
    except Exception as error:  # noqa: BLE001 - one bad column never stops another
        return Measured(now.name, planned, Failure(f"{type(error).__name__}: {error}"))


def measure_table(before: Table, current: Table, plan: Sequence[Planned]) -> Iterator[Measured]:
    """Apply the checks of the whole table."""
    for planned in plan:
        if not measures_columns(planned.check):
            try:
                yield Measured(None, planned, planned.check.measure_table(before, current))
            except Exception as error:  # noqa: BLE001 - as above
                yield Measured(None, planned, Failure(f"{type(error).__name__}: {error}"))
