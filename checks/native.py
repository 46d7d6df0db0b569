"""Changes in the units of the log: "median of distance rose from 733 to 1,180 (+61%, 90% interval 58% to 64%)"."""

from collections.abc import Callable
from dataclasses import dataclass

from checks.components import moved
from checks.lasting import Estimate
from checks.profile import Column, ColumnProfile
from checks.quantiles import change
from checks.wording import number_text, share_text


@dataclass(frozen=True)
class Native:
    """What changed, in native units.

    Parameters
    ----------
    what : such as ``median``.
    before, after : of the reference and of the current rows.
    share : whether they are shares of rows.
    """

    what: str
    before: float
    after: float
    share: bool = False


def told(native: Native, column: str, found: Estimate) -> str:
    """Return a change as a clause, with the interval of the effect carried over to native units.

    A share's interval is exact on the scale of Cohen's h. A quantile's is that of the score, in proportion.
    """
    of = native.what if native.what.endswith(" in") else f"{native.what} of"
    verb = "rose" if native.after > native.before else "fell"
    if native.share:
        low, high = (moved(native.after, bound - found.effect) for bound in (found.low, found.high))
        size = f"90% interval {share_text(low)} to {share_text(high)}"
        return f"{of} {column} {verb} from {share_text(native.before)} to {share_text(native.after)} ({size})"
    by = native.after - native.before
    values = change("from", native.before, native.after)
    if found.effect == 0 or by == 0:
        return f"{of} {column} stayed, its distribution changed ({values})"
    low, high = sorted((by * found.low / found.effect, by * found.high / found.effect))
    if native.before > 0 and native.after > 0:
        low, mid, high = (100 * value / native.before for value in (low, by, high))
        size = f"{mid:+.0f}%, 90% interval {low:+.0f}% to {high:+.0f}%"
    else:
        size = f"{'+' if by > 0 else ''}{number_text(by)}, 90% interval {number_text(low)} to {number_text(high)}"
    return f"{of} {column} {verb} {values} ({size})"


def shares(
    what: str, reference: Column, current: Column, counted: Callable[[ColumnProfile], tuple[float, int]]
) -> Native | None:
    """Return how a share of rows changed; None where either side has no rows for it.

    Parameters
    ----------
    counted : gives the rows that count, and of how many.
    """
    (before, known), (after, seen) = counted(reference.profile), counted(current.profile)
    return Native(what, before / known, after / seen, share=True) if known and seen else None
