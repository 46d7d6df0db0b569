"""The ``checks`` of a model: ``auto`` or a list, to checks with their parameters."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from checks.catalogue import Entry, measures_columns
from monitor.config.document import Entries, Flaw, Items, Node, Scalar, plain_data
from monitor.config.errors import Path
from monitor.config.explaining import sentence, suggestion
from monitor.config.models import PlannedCheck

AUTO = "auto"
OFF = (False, "off")
OF_THE_PLAN: Mapping[str, Any] = {"columns": tuple[str, ...], "threshold": float}

_FINITE = ConfigDict(allow_inf_nan=False, hide_input_in_errors=True)


def by_default(entry: Entry) -> bool:
    """Return whether ``checks: auto`` takes a check."""
    return bool(getattr(entry.check, "default_for", ()) or getattr(entry.check, "default", False))


def parameter_types(entry: Entry) -> dict[str, Any]:
    """Return the type of everything that a check's entry may say: its own parameters, and what the plan adds."""
    hints = get_type_hints(entry.check)
    plan = {name: kind for name, kind in OF_THE_PLAN.items() if name != "columns" or measures_columns(entry.check())}
    return {name: hints[name] for name in entry.parameters} | plan


def parameter_defaults(entry: Entry) -> dict[str, Any]:
    """Return the default of every parameter of a check."""
    return {
        item.name: item.default if item.default_factory is MISSING else item.default_factory()
        for item in fields(cast("Any", entry.check))
    }


def automatic(entries: Mapping[str, Entry]) -> dict[str, PlannedCheck]:
    """Return the checks that ``checks: auto`` stands for, with their default parameters, by name."""
    return {
        name: PlannedCheck(name=name, check=entry.check(), auto=True)
        for name, entry in entries.items()
        if by_default(entry)
    }


@dataclass(frozen=True)
class _Item:
    """One entry of the list: where it stands, the check it names and the node of its parameters."""

    path: Path
    node: Node
    named: Scalar
    entry: Entry
    parameters: Node | None

    @property
    def name(self) -> str:
        return self.entry.name


@dataclass(frozen=True)
class CheckReader:
    """Reads one model's list of checks.

    For one column, the last planned check of a name that applies to it counts. An entry that names columns comes after
    one that does not; one that does not replaces what ``auto`` took under its name, and keeps the kinds of column that
    ``auto`` takes it for.

    Parameters
    ----------
    entries : the catalogue.
    value : gives the value of a scalar, interpolated.
    path : of the list.
    excluded : columns that the model does not watch.
    flaws : where everything that is wrong is put.
    """

    entries: Mapping[str, Entry]
    value: Callable[[Scalar], Any]
    path: Path
    excluded: Collection[str]
    flaws: list[Flaw]
    _general: dict[str, PlannedCheck] = field(default_factory=dict)
    _special: list[PlannedCheck] = field(default_factory=list)
    _listed: set[tuple[str, str | None]] = field(default_factory=set)

    def read(self, node: Node) -> tuple[PlannedCheck, ...]:
        """Return the planned checks of a node, those without a flaw."""
        if self._is_auto(node):
            return tuple(automatic(self.entries).values())
        if not isinstance(node, Items):
            self._add(self.path, "must be auto, or a list such as [auto, ks, {psi: {tolerance: 0.2}}]", node)
            return ()
        autos = [item for item in node.nodes if self._is_auto(item)]
        if autos:
            self._general.update(automatic(self.entries))
        for extra in autos[1:]:
            self._add(self.path, "auto is listed twice; keep one", extra)
        for place, item in enumerate(node.nodes):
            found = None if self._is_auto(item) else self._item((*self.path, place), item)
            if found is not None:
                self._take(found)
        return (*self._general.values(), *self._special)

    def _is_auto(self, node: Node) -> bool:
        return isinstance(node, Scalar) and self.value(node) == AUTO

    def _item(self, path: Path, node: Node) -> _Item | None:
        parameters: Node | None = None
        if isinstance(node, Scalar):
            named, name = node, str(self.value(node))
        elif isinstance(node, Entries) and len(node.keys) == 1:
            ((name, named),) = node.keys.items()
            parameters = node.nodes[name]
        else:
            said = node.nodes.get("check") if isinstance(node, Entries) else None
            example = said.text if isinstance(said, Scalar) and said.text in self.entries else "psi"
            self._add(path, f"must be a check's name, or that name as the one key: {{{example}: {{…}}}}", node)
            return None
        if name not in self.entries:
            self._add(path, f"there is no check {name!r}{suggestion(name, self.entries)}", named, node)
            return None
        return _Item(path, node, named, self.entries[name], parameters)

    def _take(self, item: _Item) -> None:
        if isinstance(item.parameters, Scalar) and self.value(item.parameters) in OFF:
            if self._general.pop(item.name, None) is None:
                message = f"{item.name} is not among the checks taken so far, so there is nothing to turn off"
                self._add(item.path, message, item.named, item.node)
            return
        planned = self._planned(item)
        if planned is None:
            return
        keys: set[tuple[str, str | None]] = {(item.name, column) for column in planned.columns or (None,)}
        if keys & self._listed:
            self._add(item.path, f"{item.name} is listed twice for the same columns; keep one", item.named, item.node)
        elif planned.columns is not None:
            self._special.append(planned)
        else:
            self._general[item.name] = planned
        self._listed.update(keys)

    def _planned(self, item: _Item) -> PlannedCheck | None:
        given = self._parameters(item)
        if given is None:
            return None
        plan = {key: given.pop(key) for key in OF_THE_PLAN if key in given}
        unwatched = sorted(set(plan.get("columns", ())) & set(self.excluded))
        if unwatched:
            self._add(item.path, f"{item.name} names {unwatched[0]!r}, which columns.exclude leaves out", item.named)
            return None
        try:
            check = item.entry.check(**given)
        except (ValueError, TypeError) as error:
            inside = item.parameters.nodes if isinstance(item.parameters, Entries) else {}
            culprit = next((key for key in inside if key in str(error)), None)
            path = (*item.path, item.name, culprit) if culprit else (*item.path, item.name)
            self._add(path, str(error), inside[culprit] if culprit else item.named)
            return None
        kept = item.name in self._general and self._general[item.name].auto and "columns" not in plan
        return PlannedCheck(name=item.name, check=check, auto=kept, **plan)

    def _parameters(self, item: _Item) -> dict[str, Any] | None:
        """Return the values of an entry's parameters; None where any of them is wrong."""
        node = item.parameters
        if node is None or (isinstance(node, Scalar) and self.value(node) is None):
            return {}
        if not isinstance(node, Entries):
            self._add((*item.path, item.name), "must be a mapping of parameters, or off", node)
            return None
        before = len(self.flaws)
        known = parameter_types(item.entry)
        given: dict[str, Any] = {}
        for name, child in node.nodes.items():
            if name in known:
                given[name] = self._value((*item.path, item.name, name), known[name], child)
            elif name == "columns":
                message = f"{item.name} looks at whole windows and takes no columns"
                self._add(item.path, message, node.keys[name], item.node)
            else:
                message = f"{item.name} has no parameter {name!r}{suggestion(name, known, 'it has')}"
                self._add(item.path, message, node.keys[name], item.node)
        return None if len(self.flaws) > before else given

    def _value(self, path: Path, kind: Any, node: Node) -> Any:
        value = plain_data(node, self.value)
        if isinstance(value, bool) and kind in (int, float):
            self._add(path, "must be a number", node)
            return None
        try:
            given = TypeAdapter(kind, config=_FINITE).validate_python(value)
        except ValidationError as error:
            self._add(path, sentence(error.errors()[0], value), node)
            return None
        if path[-1] == "tolerance" and given < 0:
            self._add(path, "must be at least 0: it is the largest effect that is not worth an alert", node)
        return given

    def _add(self, path: Path, message: str, at: Node, entity: Node | None = None) -> None:
        self.flaws.append(Flaw(path, message, at, entity))
