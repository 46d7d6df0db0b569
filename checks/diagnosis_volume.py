"""Whose rows are missing, or too many: what a change of the volume is called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, hypot, log, sqrt

import numpy as np

from checks.diagnosing import Group
from checks.history import centre_and_spread, forecast_error
from checks.profile import Bins, Profile
from checks.wording import share_text

FEWEST_WINDOWS = 3
BEYOND = 3.0  # standard errors
LEAST = 0.2  # relative change below which nobody asks
USUAL = log(1.25)  # log of a volume that is as usual
MOVED = log(2.0)  # log of a volume that is not
LEAST_SHARE = 0.02  # of the usual rows that a value must hold
MOST_NAMED = 3
_PRIOR_SPREAD, _PRIOR_WINDOWS = 0.15, 3  # of log volume between windows, as ``row_count`` believes


@dataclass(frozen=True)
class _Part:
    """Values of a column whose rows moved, while all others came as usual."""

    column: str
    values: tuple[str, ...]
    usual: float
    rows: float
    rest: float


def volume(current: Profile, earlier: Sequence[Profile], bins: Mapping[str, Bins]) -> Group | None:
    """Name a change of the volume, and the values of some column whose rows make it.

    Parameters
    ----------
    current : the window with the alarm.
    earlier : windows to compare with, for example those at the same hour of the week; at least three.
    bins : the reference's, by column.

    Returns
    -------
    Group | None
        Of no columns, with the fault ``volume_drop`` or ``volume_surge``; None where the volume is as usual.
    """
    if len(earlier) < FEWEST_WINDOWS:
        return None
    centre, seen = centre_and_spread([log(window.rows + 0.5) for window in earlier])
    known = len(earlier)
    spread = sqrt((known * seen**2 + _PRIOR_WINDOWS * _PRIOR_SPREAD**2) / (known + _PRIOR_WINDOWS))
    error = forecast_error(spread, known)
    change = log(current.rows + 0.5) - centre
    if abs(change) < max(log(1 + LEAST), BEYOND * hypot(error, 1 / sqrt(current.rows + 0.5))):
        return None
    usual = max(0.0, exp(centre) - 0.5)
    down = change < 0
    words = f"{current.rows:,} rows, usually {usual:,.0f}"
    part = min(_parts(current, earlier, bins, down=down), key=lambda part: abs(part.rest), default=None)
    if part is not None:
        words += f": rows with {_named(part)} {_told(part)}, all others came as usual"
    elif current.rows and usual:
        words += f" ({share_text(abs(exp(change) - 1))} {'fewer' if down else 'more'}), of no value in particular"
    fault, title = ("volume_drop", "volume drop") if down else ("volume_surge", "volume surge")
    # A value of which nothing comes is a lost partition; fewer of everything may be a holiday.
    return Group(fault, title, (), words, pipeline=True if part is not None and not part.rows else None)


def _parts(current: Profile, earlier: Sequence[Profile], bins: Mapping[str, Bins], *, down: bool) -> Iterator[_Part]:
    """Yield, for columns where it is so, the few values that moved while the rest came as usual."""
    for name, column in bins.items():
        if not column.categorical or name not in current.columns:
            continue
        usual = np.median([window.columns[name].counts for window in earlier], axis=0).astype(np.float64)
        now = current.columns[name].counts.astype(np.float64)
        ratios = np.log((now + 0.5) / (usual + 0.5))
        heavy = np.maximum(usual, now) >= LEAST_SHARE * max(usual.sum(), now.sum())
        moved = heavy & ((ratios < -MOVED) if down else (ratios > MOVED))
        moved[len(column.values) :] = False  # other and unseen values have no name
        rest = log((now[~moved].sum() + 0.5) / (usual[~moved].sum() + 0.5))
        if not 0 < moved.sum() <= MOST_NAMED or abs(rest) > USUAL or usual[~moved].sum() < LEAST_SHARE * usual.sum():
            continue
        values = tuple(column.values[place] for place in np.flatnonzero(moved))
        yield _Part(name, values, float(usual[moved].sum()), float(now[moved].sum()), rest)


def _named(part: _Part) -> str:
    values = ", ".join(f"'{value}'" for value in part.values)
    return f"{part.column} = {values}" if len(part.values) == 1 else f"{part.column} in {values}"


def _told(part: _Part) -> str:
    usual = f"usually {part.usual:,.0f}"
    return f"stopped ({usual})" if not part.rows else f"came {part.rows:,.0f} times ({usual})"
