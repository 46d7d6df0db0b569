"""The words of evidence: each step from what was counted to the price of an alarm, without statistics to know."""

from math import isfinite, log10, sqrt
from typing import TYPE_CHECKING

from checks.wording import number_text, share_text
from monitor.core.wording import plural

if TYPE_CHECKING:
    from monitor.core.signal import Signal
    from monitor.core.tracing import Account, Step, Trace

Words = list[tuple[str, str]]  # what it is about, and the sentence

BLOCKS = {"window": "window", "part": "day part", "day": "day"}
MANY = 1e6


def evidence_words(trace: "Trace", signal: "Signal") -> Words:
    """Return the steps from what a window counted to what its column's account holds, and what an alarm costs it."""
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
        found.append((f"per {BLOCKS[step.scale]}", f"{size}, {step.standard:+.1f} sd; {_bet(step, trace)}"))
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
            return _sd(value)
        return f"their mean score of {step.component} is {_sd(value)} (0 in the reference as a whole)"
    chance = 0.5 + value / (2 * sqrt(3))
    if again:
        return f"{chance:.0%} of all pairs ({_sd(value)})"
    return f"one exceeds a row of the reference in {chance:.0%} of all pairs (mean score {_sd(value)})"


def _sd(value: float, *, signed: bool = True) -> str:
    """Return standard deviations with two decimals: nobody sees smaller ones."""
    return "0 sd" if abs(value) < 0.005 else f"{value:+.2f} sd" if signed else f"{value:.2f} sd"


def _size(step: "Step", effect: float, *, signed: bool = True) -> str:
    if step.scored:
        return _sd(effect, signed=signed)
    return f"{'+' if signed and effect > 0 else ''}{share_text(effect)} of rows"


def _expected(step: "Step") -> str:
    value = _score(step, step.expected, again=True) if step.scored else share_text(step.expected)
    if step.rhythm:
        return f"{value}, by the reference at this {step.rhythm.removeprefix('each ')}"
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
    if account.column in signal.audit.unfit:
        return f"never comes: {account.column} in the reference itself would set one off at any price"
    if not isfinite(account.cost):
        return f"never comes: {account.column} has importance 0 and is only recorded"
    rate, audit = signal.terms.rate, signal.audit
    budget = f"this model's budget of false notifications is {number_text(rate)} per 30 days"
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
