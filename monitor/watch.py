"""A configured model, ready to be evaluated: its plan of checks, its schedule and the fingerprint of both."""

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import sha256

from checks.catalogue import catalogue
from monitor import __version__
from monitor.config.calendars import calendar_of
from monitor.config.models import Config, Model
from monitor.core.finding import Rule
from monitor.core.learnt import VERSION
from monitor.core.lifecycle import Holding
from monitor.core.measuring import Planned, rule_of
from monitor.core.retrain_policy import Mode, Policy
from monitor.core.schedule import Schedule
from monitor.core.signal import Rhythm, Terms


@dataclass(frozen=True)
class Watch:
    """One model with everything that a run needs from its configuration.

    ``rate`` is its share of the deployment's false notifications per 30 days, ``calibrated`` whether a replay of the
    reference says what an alarm costs.
    """

    name: str
    model: Model
    receivers: tuple[str, ...]
    link: str | None = None
    rate: float = 1.0
    calibrated: bool = True

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
        least = options.least_labelled if self.model.labels is not None else None
        return Policy(Mode(options.mode), options.cooldown, options.most_per_week, least)

    @cached_property
    def rhythm(self) -> Rhythm:
        """When windows are, in the day, the week and the year."""
        return Rhythm(self.schedule, calendar_of(self.model.calendar, self.model.schedule.timezone))

    @cached_property
    def terms(self) -> Terms:
        """What the model's alarms may cost."""
        return Terms(self.rate, self.calibrated, self.model.columns.importance)

    @cached_property
    def _gathering(self) -> dict[str, object]:
        """What decides which evidence is gathered and how."""
        model = self.model
        return {
            "checks": [(p.name, repr(p.check), p.columns, p.auto) for p in self.plan if rule_of(p) is Rule.EVIDENCE],
            "schedule": model.schedule.model_dump(
                mode="json", exclude={"catch_up", "start", "delay", "allowed_lateness"}
            ),
            "columns": model.columns.model_dump(mode="json", exclude={"importance", "segments"}),
            "calendar": model.calendar.model_dump(mode="json"),
        }

    @cached_property
    def settings(self) -> str:
        """What decides a verdict, as canonical JSON. Receivers and addresses do not, and secrets are not in it."""
        model = self.model
        more = {
            "checks": [(p.name, repr(p.check), p.columns, p.threshold, p.auto) for p in self.plan],
            "schedule": model.schedule.model_dump(mode="json", exclude={"catch_up", "allowed_lateness"}),
            "columns": model.columns.model_dump(mode="json"),
            "alerts": model.alerts.model_dump(mode="json"),
            "budget": [self.rate, self.calibrated],
        }
        return json.dumps(self._gathering | more, sort_keys=True)

    def evidence_key(self, reference_id: str) -> str:
        """Return what evidence belongs to: with another reference or other checks it begins anew.

        The price of an alarm is not part of it, so that a further model costs nobody its evidence.
        """
        return _digest(self.name, json.dumps(self._gathering, sort_keys=True), reference_id)

    def learnt_key(self, reference_id: str, span: timedelta | None) -> str:
        """Return what a reference has taught belongs to, shared as by :meth:`audit_key`; by whichever release.

        Parameters
        ----------
        span : of the model's own log that was learnt from; None where the reference says it all.
        """
        own = self.name if span is not None else ""
        release = f"{__version__} {VERSION}"
        return _digest(json.dumps(self._gathering, sort_keys=True), reference_id, f"{own} {span}", release)

    def audit_key(self, reference_id: str) -> str:
        """Return what a replay of the reference belongs to: models that are watched alike on equal rows share one."""
        terms = [self.rate, self.calibrated, self.model.columns.importance]
        return _digest(json.dumps([self._gathering, terms], sort_keys=True), reference_id)

    def fingerprint(self, reference_id: str) -> str:
        """Return the fingerprint of the configuration and the reference that a verdict rests on."""
        return _digest(self.name, self.settings, reference_id)


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def watches(config: Config) -> dict[str, Watch]:
    """Return every configured model, ready."""
    everyone = tuple(config.notifiers)
    return {
        name: Watch(
            name,
            model,
            everyone if model.notify is None else model.notify,
            config.link,
            config.false_alarms.per_30_days * config.shares[name],
            config.budget == "calibrated",
        )
        for name, model in config.models.items()
    }
