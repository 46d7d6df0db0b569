"""How many rows a window has, against earlier windows."""

from dataclasses import dataclass
from math import exp, expm1, hypot, log, sqrt
from statistics import median
from typing import ClassVar

from checks.history import FEWEST_WINDOWS, centre_and_spread, forecast_error, peers
from checks.measurement import Z_CONFIDENCE, Inconclusive, Measurement
from checks.profile import Table

_PRIOR_SPREAD = 0.15  # of log volume between windows, believed until there are windows to say otherwise (SIGNAL.md 2.9)
_PRIOR_WINDOWS = 3


@dataclass(frozen=True)
class RowCount:
    """Row count: the volume of the window against earlier windows, as a relative change (-0.6: 60% fewer rows).

    Compared are the earlier windows of the same length at the same hour of the week. In the first weeks the reference
    lends its rhythm, scaled to the log's own volume, since a reference may be a sample; without one, windows are
    compared with those at the same hour of the day, and windows of a day or more with the latest. With fewer than three
    to compare with the check is inconclusive.

    Statistic: log of (rows + ½) / (usual + ½), usual being the median. The effect is that ratio less 1. Its standard
    error joins the spread between the windows (median absolute deviation of the log, drawn towards 0.15 while there
    are few) with the Poisson error of both counts, so that small volumes do not alarm; an interval on the scale of
    the log.

    Sees outages, duplicated loads, lost partitions; an empty window is a fall by the whole. Holidays look like outages.

    Parameters
    ----------
    tolerance : relative change, from 0. 0.5: half of the rows gone, or half as many again.

    Configuration
    -------------
    ::

        - row_count: {tolerance: 0.5}

    References
    ----------
    Rousseeuw & Croux 1993, *Alternatives to the median absolute deviation*, JASA 88.
    """

    default: ClassVar[bool] = True
    unit: ClassVar[str] = "relative change"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.5

    def measure_table(self, reference: Table, current: Table) -> Measurement | Inconclusive:
        """Compare the current rows as a whole with earlier windows."""
        rows, known = current.profile.rows, reference.profile.rows
        like = peers(reference, current)
        count = len(like.windows)
        if count < FEWEST_WINDOWS:
            reason = f"{count} earlier windows of this length, fewer than {FEWEST_WINDOWS}"
            return Inconclusive(reason, None, rows, known)
        usual = median(window.rows for window in like.windows)
        _, seen = centre_and_spread([log(window.rows + 0.5) for window in like.windows])
        weight = _PRIOR_WINDOWS + count
        spread = sqrt((count * seen**2 + _PRIOR_WINDOWS * _PRIOR_SPREAD**2) / weight)
        error = hypot(forecast_error(max(spread, 1 / sqrt(usual + 0.5)), count), 1 / sqrt(rows + 0.5))
        change = log((rows + 0.5) / (usual + 0.5))
        return Measurement(
            change,
            expm1(change),
            exp(change) * error,
            (expm1(change - Z_CONFIDENCE * error), expm1(change + Z_CONFIDENCE * error)),
            rows,
            known,
            words=f"{rows:,} rows, {like.name} usually {usual:,.0f}",
        )
