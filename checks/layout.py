"""Which components a model has, and how profiles become their numbers: one matrix product a column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from checks.components import Component, count_vector
from checks.evidence import Tracks
from checks.profile import Profile
from checks.season import Array


@dataclass(frozen=True)
class Place:
    """What one component belongs to."""

    column: str
    check: str
    component: Component


@dataclass(frozen=True, eq=False)
class Layout:
    """The components of a model in a fixed order, those of a column together.

    ``matrices`` give sums and rows of a column's components, each of shape (components, bins and extras).
    """

    places: tuple[Place, ...]
    matrices: Mapping[str, tuple[Array, Array]]

    @classmethod
    def of(cls, found: Mapping[str, Sequence[tuple[str, Component]]]) -> "Layout":
        """Return the layout of components by column, each with the name of its check."""
        places = tuple(Place(column, check, item) for column, items in found.items() for check, item in items)
        matrices = {
            column: (np.stack([c.numerator for _, c in items]), np.stack([c.denominator for _, c in items]))
            for column, items in found.items()
            if items
        }
        return cls(places, matrices)

    @property
    def tracks(self) -> Tracks:
        """What the detector needs to know of the components."""
        accounts = tuple(self.matrices)
        number = {column: place for place, column in enumerate(accounts)}
        parts = [place.component for place in self.places]
        return Tracks(
            accounts,
            np.array([number[place.column] for place in self.places], np.intp),
            np.array([part.scored for part in parts], bool),
            np.array([part.tolerance for part in parts], np.float64),
            np.array([part.tail for part in parts], bool),
            np.array([part.rises for part in parts], bool),
            np.array([part.hidden for part in parts], np.float64),
        )

    def observe(self, profile: Profile) -> tuple[Array, Array]:
        """Return sums and rows of every component, each of shape (components,)."""
        sums, rows = [np.zeros(0)], [np.zeros(0)]
        for column, (numerators, denominators) in self.matrices.items():
            counts = count_vector(profile.columns[column])
            sums.append(numerators @ counts)
            rows.append(denominators @ counts)
        return np.concatenate(sums), np.concatenate(rows)

    def panel(self, profiles: Sequence[Profile]) -> tuple[Array, Array]:
        """Return sums and rows of many profiles, each of shape (profiles, components)."""
        sums, rows = [np.zeros((len(profiles), 0))], [np.zeros((len(profiles), 0))]
        for column, (numerators, denominators) in self.matrices.items():
            counts = np.array([count_vector(profile.columns[column]) for profile in profiles])
            counts = counts.reshape(len(profiles), numerators.shape[1])  # of no profiles as well
            sums.append(counts @ numerators.T)
            rows.append(counts @ denominators.T)
        return np.concatenate(sums, axis=1), np.concatenate(rows, axis=1)
