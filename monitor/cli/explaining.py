"""The words of `monitor explain`: how a finding came to its verdict, and whether it would again."""

from typing import TYPE_CHECKING

from checks.wording import number_text
from monitor.cli.explaining_evidence import Words, evidence_words
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.wording import amount, moment, plural, span

if TYPE_CHECKING:
    from monitor.core.signal import Signal
    from monitor.core.tracing import Trace
    from monitor.recomputing import Again

LISTED = 3  # differences


def steps_of(finding: Finding, again: "Again", trace: "Trace | None") -> Words:
    """Return the way to a verdict, step by step."""
    signal = again.subject.signal
    excluded = signal.rhythm.calendar.excluded(finding.window)
    if excluded is not None:
        return [("verdict", f"{finding.verdict}: the window lies in a period that is left out ({excluded})")]
    if trace is not None:
        return [*evidence_words(trace, signal), *_ended(finding, trace)]
    if finding.rule is Rule.FACT:
        facts = sum(f.rule is Rule.FACT for f in again.stored)
        return [*_fact(finding, signal, facts), *_ended(finding, None)]
    if finding.rule is Rule.THRESHOLD:
        return [*_threshold(finding), *_ended(finding, None)]
    if finding.rule is Rule.DESCRIPTION:
        own = f"{finding.model}/{finding.column}"
        words = f"it describes and never alarms; what decides is the evidence of the column: `monitor explain {own}`"
        return [("measured", _measured(finding)), ("counts for", words), *_ended(finding, None)]
    return _ended(finding, None)


def _ended(finding: Finding, trace: "Trace | None") -> Words:
    found = [("verdict", _verdict(finding, trace))]
    if trace is not None and trace.open_before is not None and finding.verdict is Verdict.BREACH:
        latest = ", ".join(f"{value:+.2g}" for value in trace.open_before.departures[-3:])
        shown = f"; the latest windows showed {latest}" if latest else ""
        found.append(("is over", f"when windows keep within the tolerance, or below half of what was told{shown}"))
    if finding.detectable and finding.detectable not in finding.reason:
        found.append(
            ("would see", f"{finding.detectable.removeprefix('would notice ')} of such windows would be noticed")
        )
    elif finding.minimum_detectable is not None and finding.rule is Rule.FACT:
        found.append(("would see", f"{amount(finding.minimum_detectable, finding.unit)} in this window alone"))
    return found


def _verdict(finding: Finding, trace: "Trace | None") -> str:
    said = f"{finding.verdict}{f', {finding.diagnosis}' if finding.diagnosis else ''}"
    if trace is None or finding.verdict is not Verdict.BREACH:
        why = finding.reason or ("the account holds less than an alarm costs" if trace is not None else "")
        return f"{said}: {why}" if why else said
    account, alarm = trace.account, trace.open_before
    if alarm is not None:
        return f"{said}: the alarm of {moment(alarm.opened)} is not over; {finding.reason}"
    how = (
        "pays" if account.alone else "pays together with others: the mean of all accounts holds what the bound asks for"
    )
    return f"{said}: {account.column} {how}; {finding.reason}"


def _measured(finding: Finding) -> str:
    if finding.effect is None:
        return finding.reason or "nothing"
    words = f" ({finding.reason})" if finding.reason else ""
    return f"{amount(finding.effect, finding.unit)} in {plural(finding.rows, 'row')}{words}"


def _fact(finding: Finding, signal: "Signal", facts: int) -> Words:
    level = signal.fact_level(facts)
    doubt = (
        f"beyond that one window says it alone, if chance makes as much in less than one of {number_text(1 / level)} "
        f"windows: {plural(facts, 'such check')} share one account's part of the budget"
    )
    allowed = f"up to {amount(finding.threshold, finding.unit)}; {doubt}" if finding.threshold is not None else doubt
    return [("measured", _measured(finding)), ("allowed", allowed)]


def _threshold(finding: Finding) -> Words:
    assert finding.threshold is not None
    limit = f"a statistic of {number_text(finding.threshold)}, your own: outside of the budget of false alarms"
    statistic = "" if finding.statistic is None else f"; the statistic is {number_text(finding.statistic)}"
    return [("measured", f"{_measured(finding)}{statistic}"), ("allowed", limit)]


def again_words(again: "Again", finding: Finding) -> str:
    """Return whether the second judgement is the first."""
    what = f"judged again from the stored profile, reference {again.subject.reference.short} and the evidence before it"
    if again.after is None:
        return f"cannot be judged again: {again.obstacle}; what follows is what was stored"
    if again.same:
        return f"{what}: the same to the last bit"
    own = [d for d in again.differences if (d.column, d.check) == (finding.column, finding.check)]
    if not own:
        return f"{what}: this verdict is the same, other findings of the window differ ({again.obstacle})"
    listed = "; ".join(f"{d.what}, {_short(d.stored)} then and {_short(d.again)} now" for d in own[:LISTED])
    more = f"; and in {len(own) - LISTED} more" if len(own) > LISTED else ""
    return f"{what}: differs in {listed}{more} ({again.obstacle})"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def heading(finding: Finding) -> str:
    """Return what is explained."""
    return f"{finding.model} / {finding.column or '(table)'} / {finding.check}, {span(finding.window)}"
