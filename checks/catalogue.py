"""The folder is the table: every module of a family's package is one extension, and its file name is its key."""

import pkgutil
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from typing import ClassVar, Protocol, runtime_checkable

from typing_extensions import TypeIs

from checks.components import Component
from checks.debiasing import Effect
from checks.measurement import Inconclusive, Measurement
from checks.native import Native
from checks.profile import Bins, Column, ColumnProfile, Kind, Table

FAMILIES = ("drift", "quality")


@runtime_checkable
class ColumnCheck(Protocol):
    """Measures one column. A frozen dataclass; its fields are its parameters in the configuration.

    ``kinds`` are the kinds it can measure, ``default_for`` those for which ``checks: auto`` takes it, ``unit`` the
    unit of its effect, ``fatal`` whether a breach is a break that needs no second window. Every check has a field
    ``tolerance``, the largest effect not worth an alert.
    """

    kinds: ClassVar[frozenset[Kind]]
    default_for: ClassVar[frozenset[Kind]]
    unit: ClassVar[str]
    fatal: ClassVar[bool]

    @property
    def tolerance(self) -> float:
        """Largest effect that is not worth an alert."""
        ...

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        ...


@runtime_checkable
class EffectCheck(ColumnCheck, Protocol):
    """A check whose effect comes much cheaper without p-value and words, of which a calibration takes hundreds."""

    def effect(self, reference: Column, current: Column) -> Effect | Inconclusive:
        """Return effect, standard error and interval as ``measure`` has them."""
        ...


class ScreeningCheck(ColumnCheck, Protocol):
    """A check of facts that can tell at a glance that there is none, as in nearly every window."""

    def unmoved(self, bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> bool:
        """Return whether ``measure`` would find an effect of 0 for certain; it is asked only where this says no."""
        ...


@runtime_checkable
class EvidenceCheck(ColumnCheck, Protocol):
    """A check whose verdict rests on evidence from window to window: it says what evidence is gathered on."""

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return the components of a column; none where the reference has nothing to compare with."""
        ...

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units; None where either side has no rows for it."""
        ...


@runtime_checkable
class TableCheck(Protocol):
    """Measures a whole window; ``default`` says whether ``checks: auto`` takes it."""

    default: ClassVar[bool]
    unit: ClassVar[str]
    fatal: ClassVar[bool]

    @property
    def tolerance(self) -> float:
        """Largest effect that is not worth an alert."""
        ...

    def measure_table(self, reference: Table, current: Table) -> Measurement | Inconclusive:
        """Compare the current rows as a whole with the reference and with earlier windows."""
        ...


Check = ColumnCheck | TableCheck


def measures_columns(check: Check) -> TypeIs[ColumnCheck]:
    """Whether a check measures one column at a time. Much cheaper than asking whether it fits the whole protocol."""
    return hasattr(check, "measure")


def gathers_evidence(check: Check) -> TypeIs[EvidenceCheck]:
    """Whether the verdicts of a check rest on evidence."""
    return hasattr(check, "components")


def sees_nothing(check: Check) -> TypeIs[ScreeningCheck]:
    """Whether a check can tell at a glance that there is nothing to see."""
    return hasattr(check, "unmoved")


@dataclass(frozen=True)
class Entry:
    """One check of the catalogue."""

    name: str
    family: str
    check: type[Check]

    @property
    def summary(self) -> str:
        """First line of the class's docstring."""
        return (self.check.__doc__ or "").strip().splitlines()[0]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the configuration may set."""
        return tuple(field.name for field in fields(self.check))  # type: ignore[arg-type]


def module_class(module_name: str) -> type:
    """Return the one public class that a module of extensions defines."""
    module = import_module(module_name)
    own = [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module_name and not name.startswith("_")
    ]
    if len(own) != 1:
        raise TypeError(f"{module_name} must define exactly one public class, found {[c.__name__ for c in own]}")
    return own[0]


def modules_of(package: str) -> tuple[str, ...]:
    """Return the names of a package's public modules, sorted."""
    paths = import_module(package).__path__
    return tuple(sorted(module.name for module in pkgutil.iter_modules(paths) if not module.name.startswith("_")))


@cache
def catalogue() -> dict[str, Entry]:
    """Return every check by name."""
    return {
        name: Entry(name, family, module_class(f"checks.{family}.{name}"))
        for family in FAMILIES
        for name in modules_of(f"checks.{family}")
    }
