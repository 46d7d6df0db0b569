"""What other tools would have said: their default drift rules, to measure ours against and to show beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from checks.catalogue import module_class, modules_of
from checks.profile import Kind

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PACKAGE = "checks.peers"


@dataclass(frozen=True, eq=False)
class Values:
    """The raw values of one column of a set of rows: unlike ours, a peer's rule needs the rows themselves.

    Parameters
    ----------
    data : shape (rows,). Numbers as floats, null as NaN; categories as integer codes, null as a negative one, or as
        texts or objects, null as None or NaN.
    kind : how the column is read; everything but categories and booleans must come as numbers.
    blocks : time block of every row, shape (rows,), ascending; None where the time of the rows is unknown. Read from
        a reference alone, by rules that learn how much blocks vary.
    """

    data: npt.NDArray[Any]
    kind: Kind
    blocks: Ints | None = None

    @property
    def categorical(self) -> bool:
        """Whether the values are categories rather than numbers."""
        return self.kind in ("categorical", "boolean")

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Rows with a value that rules compare, shape (rows,): no nulls and no infinities."""
        if self.data.dtype.kind == "f":
            return np.asarray(np.isfinite(self.data))
        if self.data.dtype.kind in "iu":
            return np.asarray(self.data >= 0) if self.categorical else np.ones(len(self.data), bool)
        if self.data.dtype.kind == "O":
            return np.array([value is not None and value == value for value in self.data], bool)  # noqa: PLR0124  NaN
        return np.ones(len(self.data), bool)


@runtime_checkable
class PeerRule(Protocol):
    """One tool's default verdict on one column, window by window. A frozen dataclass without required fields."""

    title: ClassVar[str]

    def scores(self, reference: Values, windows: Sequence[Values]) -> Floats:
        """Return how far each window is from the reference, shape (windows,): finite, larger is more drift.

        A window or a reference without values scores 0: the tools stop with an error there, which alerts nobody.
        """
        ...

    def threshold(self, columns: int, windows_per_30d: float) -> float:
        """Return the score above which the tool alarms, as it is set up by default."""
        ...


@cache
def peer_rules() -> dict[str, PeerRule]:
    """Return every peer's rule by the name of its module."""
    return {name: module_class(f"{_PACKAGE}.{name}")() for name in modules_of(_PACKAGE)}
