"""The tree of a document to the models: looks values up, builds extensions and checks, gathers every flaw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from monitor.config.document import Entries, Flaw, Items, Node, Scalar, plain_data
from monitor.config.errors import Path
from monitor.config.explaining import is_options, suggestion, without_none
from monitor.config.extensions import Classes, Extensions
from monitor.config.interpolation import InterpolationError, interpolate, is_reference
from monitor.config.models import Config, Model, PlannedCheck
from monitor.config.placing import Explainer
from monitor.config.planning import CheckReader, automatic
from monitor.options import Options

_FLAWED = object()  # stands where an extension could not be built, so that the rest is still looked at


@dataclass(frozen=True)
class Builder:
    """Builds a configuration from one document.

    Parameters
    ----------
    folder : where relative paths begin.
    environ : variables for ``${NAME}``.
    extensions : what can be named.
    flaws : where everything that is wrong is put.
    looked_up : the values of scalars with references, once known.
    """

    folder: File
    environ: Mapping[str, str]
    extensions: Extensions
    flaws: list[Flaw]
    looked_up: dict[Scalar, str] = field(default_factory=dict)
    _broken: set[Node] = field(default_factory=set)

    def config(self, root: Node) -> Config | None:
        """Return the configuration; None where that is impossible."""
        if not isinstance(root, Entries):
            self._add((), "a configuration is a mapping; it begins with a key such as models:", root)
            return None
        self._look_up(root, ())
        data = _without_empty(plain_data(root, self.value), Config)
        data |= {section: {} for section in ("models", "notifiers") if section in data and data[section] is None}
        self._models(root, data.get("models"))
        receivers = root.nodes.get("notifiers")
        if isinstance(receivers, Entries):
            data["notifiers"] = {
                name: self._named(node, ("notifiers", name), self.extensions.notifiers, "notifier")
                for name, node in receivers.nodes.items()
            }
        config: Config | None = self._validated(Config, data, (), root)
        return config

    def value(self, scalar: Scalar) -> Any:
        """Return what a scalar stands for."""
        return self.looked_up.get(scalar, scalar.value)

    def _look_up(self, node: Node, path: Path) -> None:
        if isinstance(node, Items):
            for place, child in enumerate(node.nodes):
                self._look_up(child, (*path, place))
        elif isinstance(node, Entries):
            for name, child in node.nodes.items():
                self._look_up(child, (*path, name))
        elif isinstance(node, Scalar) and is_reference(node.text) and node not in self._broken:
            try:
                self.looked_up[node] = interpolate(node.text, self.environ, self.folder)
            except InterpolationError as error:
                self._broken.add(node)
                self._add(path, str(error), node)

    def _models(self, root: Entries, data: Any) -> None:
        models = root.nodes.get("models")
        if not isinstance(models, Entries):
            return
        for name, node in models.nodes.items():
            if not name.strip() or not name.isprintable():
                self._add(("models", name), "a model's name must be a printable text", models.keys[name])
            if isinstance(node, Entries):
                self._model(("models", name), node, data[name], root)
                data[name] = _without_empty(data[name], Model)

    def _model(self, path: Path, node: Entries, model: dict[str, Any], root: Entries) -> None:
        """Put objects in the place of what a model says about its log, its checks and its triggers."""
        if "logs" in node.nodes:
            model["logs"] = self._source(node.nodes["logs"], (*path, "logs"))
        model["checks"] = self._checks(node, path, model)
        for section in ("retrain", "rollback"):
            part = node.nodes.get(section)
            if isinstance(part, Entries) and model[section].get("trigger") is not None:
                at, named = (*path, section, "trigger"), part.nodes["trigger"]
                model[section]["trigger"] = self._named(named, at, self.extensions.triggers, "trigger")
        notify, receivers = node.nodes.get("notify"), root.nodes.get("notifiers")
        known = tuple(receivers.nodes) if isinstance(receivers, Entries) else ()
        for place, item in enumerate(notify.nodes if isinstance(notify, Items) else ()):
            if isinstance(item, Scalar) and item not in self._broken and str(self.value(item)) not in known:
                message = f"there is no notifier {self.value(item)!r}{suggestion(str(self.value(item)), known)}"
                self._add((*path, "notify", place), message, item)

    def _checks(self, node: Entries, path: Path, model: Mapping[str, Any]) -> tuple[PlannedCheck, ...]:
        if "checks" not in node.nodes:
            return tuple(automatic(self.extensions.checks).values())
        columns = model.get("columns")
        excluded = columns.get("exclude") if isinstance(columns, dict) else None
        left_out = [name for name in excluded if isinstance(name, str)] if isinstance(excluded, list) else []
        reader = CheckReader(self.extensions.checks, self.value, (*path, "checks"), left_out, self.flaws)
        return reader.read(node.nodes["checks"])

    def _source(self, node: Node, path: Path) -> object:
        sources = self.extensions.sources
        if not isinstance(node, Entries):
            self._add(
                path, "must be a mapping that names the source's place, such as {url: …, table: …, time: …}", node
            )
            return _FLAWED
        data = plain_data(node, self.value)
        named = data.pop("source", None)
        if named is not None and str(named) not in sources:
            message = f"there is no source {str(named)!r}{suggestion(str(named), sources)}"
            self._add((*path, "source"), message, node.nodes["source"])
            return _FLAWED
        name = inferred_source(data, sources) if named is None else str(named)
        if name is None:
            needs = "; ".join(f"{known} needs {' and '.join(_required(sources[known]))}" for known in sorted(sources))
            self._add(path, f"does not say which source it is: {needs}; or name it by source:", node)
            return _FLAWED
        return self._validated(sources[name], data, path, node) or _FLAWED

    def _named(self, node: Node, path: Path, kind: Classes, word: str) -> object:
        """Build the extension that one key (or a plain text) names."""
        options: Node | None = None
        if isinstance(node, Scalar):
            at, name = node, str(self.value(node))
        elif isinstance(node, Entries) and len(node.keys) == 1:
            ((name, at),) = node.keys.items()
            options = node.nodes[name]
        else:
            self._add(path, f"must be one key, the {word}'s name, with its options{suggestion('', kind)}", node)
            return _FLAWED
        if at in self._broken:
            return _FLAWED
        if name not in kind:
            self._add(path, f"there is no {word} {name!r}{suggestion(name, kind)}", at, node)
            return _FLAWED
        data = plain_data(options, self.value) if options is not None else None
        inner = (*path, name) if options is not None else path
        return self._validated(kind[name], {} if data is None else data, inner, options or at, name, at) or _FLAWED

    def _validated(
        self, options: type[Options], data: Any, path: Path, node: Node, owner: str = "", key: Scalar | None = None
    ) -> Any:
        try:
            return options.model_validate(data, context={"folder": self.folder})
        except ValidationError as error:
            Explainer(options, path, node, owner, key).explain(
                error.errors(include_url=False, include_input=False), self._broken, self.flaws
            )
            return None

    def _add(self, path: Path, message: str, at: Node, entity: Node | None = None) -> None:
        self.flaws.append(Flaw(path, message, at, entity))


def inferred_source(keys: Mapping[str, Any], sources: Classes) -> str | None:
    """Return the one source that some keys fit best, None where none does or several do."""
    fits = {
        name: (len(keys.keys() & set(_required(options))), -len(keys.keys() - options.model_fields.keys()))
        for name, options in sources.items()
    }
    best = [name for name, fit in fits.items() if fit == max(fits.values())]
    return best[0] if len(best) == 1 else None


def _required(options: type[Options]) -> list[str]:
    return [name for name, known in options.model_fields.items() if known.is_required()]


def _without_empty(data: dict[str, Any], options: type[Options]) -> dict[str, Any]:
    """Return options without sections whose every line is commented out."""
    return {
        name: value
        for name, value in data.items()
        if value is not None
        or name not in options.model_fields
        or not is_options(without_none(options.model_fields[name].annotation))
    }
