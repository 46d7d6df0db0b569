"""Rows that were logged more than once."""

from dataclasses import dataclass
from typing import ClassVar

from checks.measurement import Inconclusive, Measurement
from checks.profile import Table
from checks.proportions import Proportion, compare
from checks.sketch import ValueSketch
from checks.wording import share_text


@dataclass(frozen=True)
class DuplicateIds:
    """Duplicate ids: the share of rows whose id has been seen before in the same window.

    Statistic: the share of repeats among the rows of the sampled ids; ids are sampled by their hash, all rows of a
    sampled id are counted. The effect is its rise over the reference's share (0 where the reference has no ids);
    standard error with half a row added on both sides, p-value of equal shares (mid-p) where the reference has ids.

    Sees loads that ran twice and retries that log twice. Does not see repeats across windows.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.01: more biases every other count by as much.

    Configuration
    -------------
    ::

        - duplicate_ids: {tolerance: 0.01}

    References
    ----------
    Bar-Yossef et al. 2002, *Counting distinct elements in a data stream*, RANDOM (sampling by hash).
    """

    default: ClassVar[bool] = True
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.01

    def measure_table(self, reference: Table, current: Table) -> Measurement | Inconclusive:
        """Compare the ids of the current rows with each other."""
        rows, known = current.profile.rows, reference.profile.rows
        after = _repeats(current.profile.ids)
        if after is None:
            reason = "the log has no id column" if rows else "no rows in this window"
            return Inconclusive(reason, None if rows else 1, rows, known)
        before = _repeats(reference.profile.ids)
        words = f"{share_text(after.share)} of rows repeat an id"
        return compare(before or Proportion(0, after.rows), after, words, upwards=True)


def _repeats(ids: ValueSketch) -> Proportion | None:
    sampled = sum(ids.counts.values())
    return Proportion(sampled - len(ids.counts), sampled) if sampled else None
