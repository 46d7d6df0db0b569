"""A configured model, ready to be evaluated: its plan of checks, its schedule and the fingerprint of both."""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from checks.catalogue import catalogue
from monitor.config.models import Config, Model
from monitor.core.lifecycle import Holding
from monitor.core.measuring import Planned
from monitor.core.retrain_policy import Mode, Policy
from monitor.core.schedule import Schedule


@dataclass(frozen=True)
class Watch:
    """One model with everything that a run needs from its configuration."""

    name: str
    model: Model
    receivers: tuple[str, ...]
    link: str | None = None

    @cached_property
    def plan(self) -> tuple[Planned, ...]:
        """The checks to apply."""
        entries = catalogue()
        return tuple(
            Planned(item.name, entries[item.name].family, item.check, item.columns, item.threshold, item.auto)
            for item in self.model.checks
        )

    @cached_property
    def schedule(self) -> Schedule:
        """Which windows there are."""
        options = self.model.schedule
        return Schedule(every=options.every, delay=options.delay, timezone=options.timezone, catch_up=options.catch_up)

    @cached_property
    def holding(self) -> Holding:
        """How many windows an incident takes."""
        return Holding(self.model.alerts.open_after, self.model.alerts.resolve_after)

    @cached_property
    def policy(self) -> Policy:
        """The limits of retraining."""
        options = self.model.retrain
        return Policy(Mode(options.mode), options.cooldown, options.most_per_week)

    @cached_property
    def settings(self) -> str:
        """What decides a verdict, as canonical JSON. Receivers and addresses do not, and secrets are not in it."""
        model = self.model
        return json.dumps(
            {
                "checks": [(p.name, repr(p.check), p.columns, p.threshold, p.auto) for p in self.plan],
                "schedule": model.schedule.model_dump(mode="json", exclude={"catch_up"}),
                "columns": model.columns.model_dump(mode="json"),
                "alerts": model.alerts.model_dump(mode="json"),
            },
            sort_keys=True,
        )

    def fingerprint(self, reference_id: str) -> str:
        """Return the fingerprint of the configuration and the reference that a verdict rests on."""
        return sha256(f"{self.name}\n{self.settings}\n{reference_id}".encode()).hexdigest()[:16]


def watches(config: Config) -> dict[str, Watch]:
    """Return every configured model, ready."""
    everyone = tuple(config.notifiers)
    return {
        name: Watch(name, model, everyone if model.notify is None else model.notify, config.link)
        for name, model in config.models.items()
    }
