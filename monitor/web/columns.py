"""What ``/metrics`` says of columns: the few of each model with the most to say, and the worst of the others as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import sqlalchemy as sa

from checks.catalogue import catalogue
from monitor.footprint import give_back
from monitor.store import overview
from monitor.store.overview import Detail, Newest

SHOWN = 10  # columns of a model that have series of their own
OTHER = "other"
MOST_READ = 20  # windows that one scrape reads, some 10,000 findings; those of many models come in turn


@dataclass
class Columns:
    """Keeps what was read of each model's newest window, so that a scrape reads only what is new.

    ``effects`` are by model, column and check, ``nulls`` by model and column.
    """

    effects: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict)
    nulls: dict[str, dict[str, float]] = field(default_factory=dict)
    _read: dict[str, tuple[int, int]] = field(default_factory=dict)

    def refresh(self, connection: sa.Connection, newest: Mapping[str, Newest]) -> None:
        """Read what is new, and forget models that are gone."""
        for model in [model for model in self._read if model not in newest]:
            for held in (self._read, self.effects, self.nulls):
                held.pop(model, None)
        changed = [(model, run) for model, run in newest.items() if self._read.get(model) != _version(run)]
        wanted = list(islice(changed, MOST_READ))
        drift = [name for name, entry in catalogue().items() if entry.family == "drift"]
        found = overview.details(connection, [run.run_id for _, run in wanted], drift)
        for model, run in wanted:
            detail = found.get(run.run_id, Detail((), {}))
            self.effects[model], self.nulls[model] = shown_effects(detail.effects), shown_nulls(detail.nulls)
            self._read[model] = _version(run)
        if wanted:
            del found
            give_back()


def _version(run: Newest) -> tuple[int, int]:
    return run.run_id, run.revision


def shown_effects(effects: Sequence[tuple[str, str, float, bool]]) -> dict[tuple[str, str], float]:
    """Return the effects to show, by column and check: columns that breach first, then the largest effects.

    Of the other columns there is one effect a check, the largest.
    """
    weight: dict[str, tuple[bool, float]] = {}
    for column, _, effect, breach in effects:
        weight[column] = max(weight.get(column, (False, 0.0)), (breach, abs(effect)))
    chosen = set(sorted(weight, key=lambda column: (not weight[column][0], -weight[column][1], column))[:SHOWN])
    shown: dict[tuple[str, str], float] = {}
    for column, check, effect, _ in effects:
        if column in chosen:
            shown[column, check] = effect
    for column, check, effect, _ in effects:
        if column not in chosen and abs(effect) > abs(shown.get((OTHER, check), 0.0)):
            shown[OTHER, check] = effect
    return shown


def shown_nulls(nulls: Mapping[str, float]) -> dict[str, float]:
    """Return the shares of nulls to show, by column: the largest, and the largest of the others."""
    chosen = sorted(nulls, key=lambda column: (-nulls[column], column))[:SHOWN]
    shown = {column: nulls[column] for column in chosen}
    rest = [share for column, share in nulls.items() if column not in shown]
    if rest:
        shown[OTHER] = max([*rest, shown.get(OTHER, 0.0)])
    return shown
