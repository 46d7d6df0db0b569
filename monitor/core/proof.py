"""Whether a new version helped: its drift from its own reference, and its performance, beside the former version's.

Every statement has its interval. Drift is over where the columns that an incident showed are calm against the new
reference, and no interval lies wholly beyond tolerance; that it is not is said as soon as an alarm opens there.
Performance is compared on rows with labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import sqrt

from checks.measurement import Z_CONFIDENCE
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.incident import Incident, State
from monitor.core.wording import amount, moment, plural


class Outcome(StrEnum):
    """What is known of one part of the proof."""

    WAITING = "waiting"
    BETTER = "better"
    SAME = "no difference seen"
    WORSE = "worse"
    UNCLEAR = "unclear"
    NONE = "nothing to compare"


_OF_DRIFT = {Outcome.BETTER: "over", Outcome.SAME: "still there", Outcome.WORSE: "larger"}


@dataclass(frozen=True, slots=True)
class Sign:
    """What an incident showed of one column under the former version."""

    incident: str
    column: str | None
    check: str
    effect: float | None
    effect_ci: tuple[float, float] | None
    unit: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.column} ({self.check})" if self.column is not None else self.check


@dataclass(frozen=True, slots=True)
class Part:
    """One half of the proof: what came out, in words with numbers."""

    outcome: Outcome
    words: str = ""

    @property
    def settled(self) -> bool:
        """Whether it is known by now."""
        return self.outcome is not Outcome.WAITING


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether one version helped.

    Parameters
    ----------
    version, former : the version, and the one that served before it; None where nobody said.
    since, until : when it began to serve, and when it is no longer waited for what is still open.
    signs : what the incidents that were open then had shown.
    drift, performance : what is known by now.
    """

    version: str | None
    former: str | None
    since: datetime
    until: datetime
    signs: tuple[Sign, ...] = ()
    drift: Part = Part(Outcome.WAITING)
    performance: Part = Part(Outcome.WAITING)

    @property
    def settled(self) -> bool:
        """Whether nothing is waited for any more."""
        return self.drift.settled and self.performance.settled

    @property
    def worse(self) -> bool:
        """Whether the version is worse than the former one."""
        return Outcome.WORSE in (self.drift.outcome, self.performance.outcome)

    @property
    def incidents(self) -> tuple[str, ...]:
        """The incidents that it is about."""
        return tuple(dict.fromkeys(sign.incident for sign in self.signs))

    @property
    def words(self) -> str:
        """All that is known, for people."""
        return " ".join(part.words for part in (self.drift, self.performance) if part.words)

    @property
    def summary(self) -> str:
        """What came out, in a few words."""
        return f"drift {_OF_DRIFT.get(self.drift.outcome, self.drift.outcome)}; performance {self.performance.outcome}"

    def began(self) -> str:
        """Return which version it is about, and since when."""
        name = named(self.version)
        return f"{name[0].upper()}{name[1:]} serves since {moment(self.since)}"


def named(version: str | None) -> str:
    """Return what a version is called within a sentence."""
    return f"version {version}" if version is not None else "the new reference"


def begun(
    version: str | None,
    former: str | None,
    since: datetime,
    until: datetime,
    incidents: Sequence[Incident],
    *,
    labels: bool,
) -> Proof:
    """Return what a version has to prove when it begins: that the drift in these incidents is over, and its work."""
    signs = tuple(
        Sign(incident.id, item.column, item.check, item.effect, item.effect_ci, item.unit)
        for incident in incidents
        for item in incident.evidence
    )
    drift = Part(Outcome.WAITING if signs else Outcome.NONE)
    return Proof(version, former, since, until, signs, drift, Part(Outcome.WAITING if labels else Outcome.NONE))


@dataclass(frozen=True, slots=True)
class Level:
    """The mean effect of some windows, with its interval of 90%."""

    effect: float
    low: float
    high: float
    windows: int

    @property
    def least(self) -> float:
        """The smallest size that it may have by its interval; 0 where that holds 0."""
        return min(abs(self.low), abs(self.high)) if self.low * self.high > 0 else 0.0


def level(findings: Sequence[Finding]) -> Level | None:
    """Return the mean effect of one check on one column over some windows, each weighted by its precision.

    The inverse-variance mean of a fixed effect (Hedges & Olkin 1985); the windows' own intervals hold what differs from
    window to window.
    """
    known = [
        (f.effect, (f.effect_ci[1] - f.effect_ci[0]) / (2 * Z_CONFIDENCE))
        for f in findings
        if f.effect is not None and f.effect_ci is not None and f.effect_ci[1] > f.effect_ci[0]
    ]
    if not known:
        return None
    weights = [1 / error**2 for _, error in known]
    mean = sum(weight * effect for weight, (effect, _) in zip(weights, known, strict=True)) / sum(weights)
    reach = Z_CONFIDENCE / sqrt(sum(weights))
    return Level(mean, mean - reach, mean + reach, len(known))


def drift_since(
    proof: Proof, windows: Sequence[Sequence[Finding]], open_incidents: Sequence[Incident], now: datetime, needed: int
) -> Part:
    """Return what is known of drift.

    Parameters
    ----------
    windows : the findings of each window since, against the version's own reference, oldest first.
    open_incidents : the model's incidents that have not ended.
    needed : calm windows in a row that end an incident.
    """
    if proof.drift.settled or not windows:
        return proof.drift
    levels = [(sign, level(_of(sign, windows))) for sign in proof.signs]
    again = [sign for sign in proof.signs if _breaches(sign, windows[-1])]
    told = "; ".join(_told(sign, found, proof) for sign, found in levels)
    head = f"{proof.began()}. Against its own reference:"
    if again:
        grown = any(found is not None and _grown(sign, found) for sign, found in levels if sign in again)
        outcome = Outcome.WORSE if grown else Outcome.SAME
        verdict = "The drift is larger than before." if grown else "The drift is still there: it did not help."
        return Part(outcome, f"{head} {told}. {verdict}")
    waiting = {incident.id for incident in open_incidents if incident.state is not State.RESOLVED}
    ended = len(windows) >= needed and not waiting.intersection(proof.incidents)
    left = any(found is not None and _left(sign, found, windows) for sign, found in levels)
    if ended and not left:
        return Part(Outcome.BETTER, f"{head} {told}. The drift is over.")
    if now >= proof.until:
        why = "What is left is more than tolerated, though no alarm has opened."
        few = "Whether the drift is over cannot be told from so few rows."
        return Part(Outcome.UNCLEAR, f"{head} {told}. {why if ended else few}")
    return proof.drift


def _of(sign: Sign, windows: Sequence[Sequence[Finding]]) -> list[Finding]:
    return [f for findings in windows for f in findings if (f.column, f.check) == (sign.column, sign.check)]


def _breaches(sign: Sign, findings: Sequence[Finding]) -> bool:
    return any(f.verdict is Verdict.BREACH for f in _of(sign, [findings]))


def _grown(sign: Sign, found: Level) -> bool:
    """Whether the whole interval of what is seen now lies beyond that of what was seen before."""
    if sign.effect is None:
        return False
    before = sign.effect_ci or (sign.effect, sign.effect)
    return found.least > max(abs(before[0]), abs(before[1]))


def _left(sign: Sign, found: Level, windows: Sequence[Sequence[Finding]]) -> bool:
    """Whether the whole interval of what is seen now lies beyond tolerance: an alarm may well be on its way."""
    tolerance = [f.threshold for f in _of(sign, windows) if f.rule is Rule.EVIDENCE and f.threshold is not None]
    return bool(tolerance) and found.least > tolerance[-1]


def _told(sign: Sign, found: Level | None, proof: Proof) -> str:
    if found is None:
        now = "not measured"
    else:
        interval = _interval(found.low, found.high, sign.unit)
        now = f"{amount(found.effect, sign.unit)} {interval} over {plural(found.windows, 'window')}"
    if sign.effect is None:
        return f"{sign.name} {now}"
    before = amount(sign.effect, sign.unit)
    if sign.effect_ci is not None:
        before += f" {_interval(*sign.effect_ci, sign.unit)}"
    return f"{sign.name} {now}; was {before} against {_former(proof)}"


def _former(proof: Proof) -> str:
    return f"that of version {proof.former}" if proof.former is not None else "the former one"


def _interval(low: float, high: float, unit: str) -> str:
    return f"[{amount(low, unit)}, {amount(high, unit)}]"


def given_up(proof: Proof, now: datetime) -> Proof:
    """Return the proof with what is still waited for ended, once its time is over."""
    if now < proof.until or proof.performance.settled:
        return proof
    words = f"Too few predictions have a label by now to compare the performance of {named(proof.version)}."
    return replace(proof, performance=Part(Outcome.UNCLEAR, words))
