"""A YAML document as a tree of nodes that know their places.

Values follow the core schema of YAML 1.2: ``on``, ``no`` and ``2013-02-01`` stay text.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from monitor.config.errors import Path

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, Any] = {"": None, "~": None} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.capitalize(), word.upper())
}


@dataclass(frozen=True, order=True)
class Place:
    """A line and a column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, eq=False)
class Node:
    """A part of the document; ``end`` is the place after its last character."""

    start: Place
    end: Place


@dataclass(frozen=True, eq=False)
class Scalar(Node):
    """A value or a key as it is written; ``plain`` without quotes."""

    text: str
    plain: bool

    @property
    def value(self) -> Any:
        """The text, or the null, truth or number that it means when it is written without quotes."""
        if not self.plain:
            return self.text
        if self.text in _CONSTANTS:
            return _CONSTANTS[self.text]
        if _INTEGER.fullmatch(self.text):
            return int(self.text)
        number = float(self.text) if _FLOAT.fullmatch(self.text) else inf
        return number if isfinite(number) else self.text


@dataclass(frozen=True, eq=False)
class Items(Node):
    """A list."""

    nodes: list[Node]


@dataclass(frozen=True, eq=False)
class Entries(Node):
    """A mapping; keys are text, whatever they look like."""

    keys: dict[str, Scalar] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Flaw:
    """Something wrong at a node: ``path`` and ``entity`` say in what, ``at`` what is to be underlined."""

    path: Path
    message: str
    at: Node
    entity: Node | None = None


def plain_data(node: Node, value: Callable[[Scalar], Any]) -> Any:
    """Return a tree as dicts, lists and the values that ``value`` gives for scalars."""
    if isinstance(node, Entries):
        return {name: plain_data(child, value) for name, child in node.nodes.items()}
    if isinstance(node, Items):
        return [plain_data(child, value) for child in node.nodes]
    assert isinstance(node, Scalar)
    return value(node)


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield every value below a node, keys left out."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Items):
        for child in node.nodes:
            yield from scalars(child)
    elif isinstance(node, Entries):
        for child in node.nodes.values():
            yield from scalars(child)
