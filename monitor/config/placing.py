"""Where in the document the errors belong that pydantic reports for a part of it."""

from dataclasses import dataclass

from pydantic_core import ErrorDetails

from monitor.config.document import Entries, Flaw, Items, Node, Scalar
from monitor.config.errors import Path
from monitor.config.explaining import missing_key, nearest, options_at, sentence, unknown_key
from monitor.options import Options


@dataclass(frozen=True)
class Explainer:
    """Finds the place of what pydantic reports, and says it plainly."""

    options: type[Options]
    path: Path
    node: Node
    owner: str
    key: Scalar | None

    def explain(self, errors: list[ErrorDetails], broken: set[Node], flaws: list[Flaw]) -> None:
        """Add a flaw for every error but those that follow from another flaw."""
        unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
        wrong: dict[Node, tuple[Path, list[str]]] = {}
        for error in errors:
            location = error["loc"]
            if error["type"] == "missing":
                if not any(loc[:-1] == location[:-1] and nearest(str(loc[-1]), [str(location[-1])]) for loc in unknown):
                    flaws.append(self._missing(location))
                continue
            path, trail, key = self._located(location)
            if broken.intersection(trail):
                continue
            if error["type"] == "extra_forbidden" and key is not None:
                flaws.append(self._unknown(location, path[:-1], trail[-2], key))
                continue
            at = key if key is not None and isinstance(trail[-1], Entries) else trail[-1]
            value = trail[-1].text if isinstance(trail[-1], Scalar) else None
            _, sentences = wrong.setdefault(at, (path, []))
            if (said := sentence(error, value)) not in sentences:
                sentences.append(said)
        flaws.extend(Flaw(path, ", or ".join(sentences), at) for at, (path, sentences) in wrong.items())

    def _located(self, location: tuple[int | str, ...]) -> tuple[Path, list[Node], Scalar | None]:
        """Follow a location; its steps that are no keys of the document, such as a union's, lead nowhere further."""
        path, trail, key = self.path, [self.node], self.key
        for step in location:
            node = trail[-1]
            if isinstance(node, Entries) and step in node.nodes:
                key = node.keys[str(step)]
                trail.append(node.nodes[str(step)])
            elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
                key = None
                trail.append(node.nodes[step])
            else:
                continue
            path = (*path, step)
        return path, trail, key

    def _missing(self, location: tuple[int | str, ...]) -> Flaw:
        path, trail, key = self._located(location[:-1])
        owner = self.owner if len(location) == 1 else ""
        return Flaw(
            path, missing_key(str(location[-1]), options_at(self.options, location[:-1]), owner), key or trail[-1]
        )

    def _unknown(self, location: tuple[int | str, ...], path: Path, entity: Node, key: Scalar) -> Flaw:
        options = options_at(self.options, location[:-1]) or self.options
        owner, word = (self.owner, "option") if self.owner and len(location) == 1 else ("", "key")
        if not path and not owner:
            owner = "the configuration"
        return Flaw(path, unknown_key(key.text, options, owner, word), key, entity)
