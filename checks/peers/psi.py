"""The population stability index as dashboards have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.peering import Floats, Values
from checks.windowed import side_by_side

DECILES = 10
PATCH = 1e-4  # takes the place of an empty bin's share
LIMIT = 0.2


@dataclass(frozen=True)
class PopulationStability:
    """PSI above .2: the convention of credit scorecards that many dashboards copy.

    Ten bins between the reference's deciles for numbers, the values themselves for categories; PSI is the sum of
    (q - p) ln(q / p), where a share below 1e-4 counts as 1e-4. No correction for the size of a window, unlike our own
    check of that name. The score is the PSI.

    References
    ----------
    Siddiqi 2006, *Credit Risk Scorecards*.
    """

    title: ClassVar[str] = "PSI > .2"

    def scores(self, reference: Values, windows: Sequence[Values]) -> Floats:
        """Return the PSI of every window, shape (windows,)."""
        rows = side_by_side(reference, windows)
        if not rows.reference.size:
            return np.zeros(rows.windows)
        if reference.categorical:
            counts, current = rows.value_counts()
        else:
            edges = np.unique(np.quantile(rows.reference, np.linspace(0, 1, DECILES + 1)[1:-1]))
            places, places_now = (np.searchsorted(edges, values) for values in (rows.reference, rows.current))
            counts, current = rows.counts(places, places_now, edges.size + 1)
        p = np.maximum(counts / counts.sum(), PATCH)
        q = np.maximum(current / rows.at_least_one[:, None], PATCH)
        return rows.settled(((q - p) * np.log(q / p)).sum(1))

    def threshold(self, columns: int, windows_per_30d: float) -> float:  # noqa: ARG002  it does not correct for many
        """Return .2."""
        return LIMIT
