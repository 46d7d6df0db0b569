"""The words of `monitor explain`: each step from what was counted to the verdict, for somebody without statistics."""

from math import isfinite, log10, sqrt
from typing import TYPE_CHECKING

from checks.wording import number_text, share_text
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.wording import amount, moment, plural, span

if TYPE_CHECKING:
    from monitor.core.signal import Signal
    from monitor.core.tracing import Account, Step, Trace
    from monitor.recomputing import Again

Words = list[tuple[str, str]]  # what it is about, and the sentence

BLOCKS = {"window": "window", "part": "part of the day", "day": "day"}
MANY = 1e6
LISTED = 3  # differences


def steps_of(finding: Finding, again: "Again", trace: "Trace | None") -> Words:
    """Return the way to a verdict, step by step."""
    signal = again.subject.signal
    excluded = signal.rhythm.calendar.excluded(finding.window)
    if excluded is not None:
        return [("verdict", f"{finding.verdict}: the window lies in a period that is left out ({excluded})")]
    if trace is not None:
        return [*_evidence(trace, signal), *_ended(finding, trace)]
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


def _evidence(trace: "Trace", signal: "Signal") -> Words:
    found: Words = []
    if not trace.steps:
        return [("counted", "the block of time that is judged has not ended with this window"), *_money(trace, signal)]
    first, *others = trace.steps
    found += [("counted", _counted(first)), ("expected", _expected(first))]
    if not first.rows:
        return [*found, *_money(trace, signal)]
    if first.allowed is None:
        found += [("varies by", _variation(first)), ("is off by", _distance(first))]
    else:
        found.append(("is off by", _rare(first)))
    found.append(("the bet", _bet(first, trace)))
    for step in others:
        size = _size(step, step.effect)
        found.append((f"over the {BLOCKS[step.scale]}", f"{size}, {step.standard:+.1f} sd; {_bet(step, trace)}"))
    return [*found, *_money(trace, signal)]


def _money(trace: "Trace", signal: "Signal") -> Words:
    return [("the account", _account(trace)), ("an alarm", _price(trace.account, signal))]


def _counted(step: "Step") -> str:
    if not step.rows:
        return "no rows that could say something"
    if step.scored:
        return f"{step.rows:,} rows with a value; {_score(step, step.value)}"
    rows = f"{step.value * step.rows:,.0f} of {step.rows:,} rows"
    return f"{rows}, {share_text(step.value)}: {_named(step)}"


def _named(step: "Step") -> str:
    return step.component.removeprefix("share of ")


def _score(step: "Step", value: float, *, again: bool = False) -> str:
    """Return a mean score in words; that of location is the chance to exceed a row of the reference."""
    if step.component != "location":
        if again:
            return f"{value:+.2g} sd"
        return f"their mean score of {step.component} is {value:+.2g} sd (0 in the reference as a whole)"
    chance = 0.5 + value / (2 * sqrt(3))
    if again:
        return f"{chance:.0%} of all pairs ({value:+.2g} sd)"
    return f"one exceeds a row of the reference in {chance:.0%} of all pairs (mean score {value:+.2g} sd)"


def _size(step: "Step", effect: float, *, signed: bool = True) -> str:
    if step.scored:
        return f"{effect:+.2g} sd" if signed else f"{effect:.2g} sd"
    return f"{'+' if signed and effect > 0 else ''}{share_text(effect)} of rows"


def _expected(step: "Step") -> str:
    value = _score(step, step.expected, again=True) if step.scored else share_text(step.expected)
    if step.rhythm:
        return f"{value}, by the reference at this {step.rhythm}"
    return f"{value}; the {step.blocks:,} {BLOCKS[step.scale]}s of the reference show no rhythm that would change it"


def _variation(step: "Step") -> str:
    blocks = f"{BLOCKS[step.scale]}s"
    size = f"by {_size(step, step.between, signed=False)} (one standard deviation) beyond" if step.between else "by"
    spread = f"{blocks} of the reference differ {size} what chance makes of their rows"
    lasts = f"up to {step.persistence:.0%} of a departure is still there in the next"
    worth = f"the {step.blocks:,} {blocks} are worth {step.independent:.0f} independent ones"
    return f"{spread}; {lasts}, so that {worth}"


def _distance(step: "Step") -> str:
    blocks = f"{BLOCKS[step.scale]}s"
    off = f"{_size(step, step.effect)}, {step.standard:+.1f} standard deviations of such {blocks}"
    past = f"the {blocks} before make {step.foreseen:+.1f} of that no surprise; " if abs(step.foreseen) >= 0.05 else ""
    tolerated = f"up to {_size(step, step.tolerance, signed=False)} is not worth an alert and counts for nothing"
    return f"{off}; {past}what is news counts as {step.innovation:+.1f}; {tolerated}"


def _rare(step: "Step") -> str:
    assert step.allowed is not None
    more = f"the reference allows {share_text(step.allowed)} at most"
    return f"{_size(step, step.effect)}; rows are so few that they are counted one by one, and {more}"


def _bet(step: "Step", trace: "Trace") -> str:
    if trace.open_before is not None:
        return "an alarm of this check is open: until it is over, no evidence is gathered"
    if not step.spoke:
        return f"{step.rows:,} rows are too few to say something; they count with the next {BLOCKS[step.scale]}"
    came = f"{evidence_text(step.received)} came, its part of what every account receives with a window"
    said = "for" if step.factor > 1 else "against"
    return (
        f"{evidence_text(step.held)} was held and {came}; what the {BLOCKS[step.scale]} showed multiplied both by "
        f"{evidence_text(step.factor)}, {said} a change: {evidence_text(step.now)}"
    )


def _account(trace: "Trace") -> str:
    account = trace.account
    before, now = evidence_text(account.before), evidence_text(account.now)
    grown = f"the checks of {account.column} held {before} before and {now} after"
    parts = sorted(trace.by_check, key=lambda part: -part[1])
    most = ", ".join(f"{check} {evidence_text(held)}" for check, held in parts[:3] if held > 0)
    share = f": {priced(account.now / account.cost)}" if isfinite(account.cost) else ""
    return f"{grown} ({most}){share}" if most else f"{grown}{share}"


def priced(share: float) -> str:
    """Return evidence as a part of its price: ``12% of what an alarm costs``, ``3.1 times what an alarm costs``."""
    part = f"{share_text(share)} of" if share < 1 else f"{evidence_text(share)} times"
    return f"{part} what an alarm costs"


def evidence_text(value: float) -> str:
    """Return evidence as people read it: powers of ten where it is large."""
    return number_text(value) if value < MANY else f"10^{log10(value):.0f}"


def _price(account: "Account", signal: "Signal") -> str:
    if not isfinite(account.cost):
        return f"never comes: {account.column} has importance 0 and is only recorded"
    rate, audit = signal.terms.rate, signal.audit
    budget = f"the budget of this model is {number_text(rate)} false notifications per 30 days"
    windows = f"{budget}, one in {number_text(account.strict)} windows"
    shared = f"{plural(account.accounts - 1, 'column')} and the facts of single windows share it"
    whole = number_text(account.strict * account.accounts)
    bound = f"{number_text(account.strict)} × {account.accounts} = {whole} keeps to it whatever depends on what"
    if audit.rate is None:
        replay = "the reference cannot be replayed, so that is the price"
    elif account.threshold == account.strict:
        replay = "the replay of the reference leaves it there"
    else:
        verb = "lowers" if account.threshold < account.strict else "raises"
        replay = (
            f"the replay of the reference ({audit.days:,} days, {audit.rate:.2g} false notifications per 30 days) "
            f"{verb} that to {number_text(account.threshold * account.accounts)}"
        )
    weight = "" if account.importance == 1 else f"; divided by {account.importance:.2g} for its importance"
    return f"costs {evidence_text(account.cost)}: {windows}; {shared}; {bound}; {replay}{weight}"


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
