"""YAML text to a tree of nodes, bounded so that no file can hang the monitor; tags are refused: a file is data."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from monitor.config.document import Entries, Flaw, Items, Node, Place, Scalar
from monitor.config.errors import Path

LARGEST = 1_000_000  # bytes of a document
DEEPEST = 50  # levels of nesting
MOST = 100_000  # values, every use of an alias counted: a bomb of aliases ends here
_HALF = re.compile("[\ud800-\udfff]")

# `{token: ${TOKEN}}` is no YAML: the inner braces would open and close mappings. What has a meaning for YAML inside a
# reference hides in a private part of Unicode while YAML is parsed, one character for one, so that no place moves.
_REFERENCE = re.compile(r"\$\{[^{}\n\"']*\}")
_HIDING_PLACE = 0x10FF00
_SPECIAL = {ord(character): _HIDING_PLACE + ord(character) for character in "{}[],:#&*!|>%@` "}
_SHOW_AGAIN = {hidden: plain for plain, hidden in _SPECIAL.items()}
_HIDDEN = re.compile(rf"\${chr(_SPECIAL[ord('{')])}[^\n]*?{chr(_SPECIAL[ord('}')])}")


class UnreadableError(Exception):
    """The document is no YAML that can be read; ``flaw`` says where."""

    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw
        super().__init__(flaw.message)


def parse(text: str) -> tuple[Node | None, list[Flaw]]:
    """Return the tree of a document, None for an empty one, and the flaws that do not stop the reading.

    Raises
    ------
    UnreadableError
        For a syntax error, a document that is too large, too deep or expands to too much, and for tags.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise UnreadableError(Flaw((), f"the file is larger than {LARGEST // 1_000_000} MB", _point(1, 1)))
    if (half := _HALF.search(text)) is not None:
        line = text.count("\n", 0, half.start()) + 1
        raise UnreadableError(
            Flaw((), "half of a character (\\ud800 to \\udfff); write the whole one", _point(line, 1))
        )
    hidden = _REFERENCE.sub(lambda match: match[0].translate(_SPECIAL), text)
    composer = _Composer(yaml.parse(hidden, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    try:
        return composer.document(), composer.flaws
    except yaml.MarkedYAMLError as error:
        mark, message = error.problem_mark or error.context_mark, _syntax_message(error)
        if mark is not None and error.context_mark is not None and mark.index >= len(text.rstrip()):
            mark, message = error.context_mark, "no valid YAML: what opens here is never closed"
        at = _point(mark.line + 1, mark.column + 1) if mark else _point(1, 1)
        raise UnreadableError(Flaw((), message, at)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = "this character is not allowed in YAML; write it as an escape in double quotes"
        raise UnreadableError(Flaw((), message, _point(line, 1))) from error


def _point(line: int, column: int) -> Node:
    return Node(Place(line, column), Place(line, column + 1))


_PLAINER = (
    (
        "mapping values are not allowed",
        "a ':' follows where no key can stand; put quotes around a text that holds ': '",
    ),
    ("found character '\\t'", "a tab; YAML is indented by spaces"),
    (
        "found character that cannot start",
        "a text cannot begin with this character without quotes (nor a line with a tab)",
    ),
    ("did not find expected ',' or", "a ',' or the closing bracket is missing before this"),
    ("expected ',' or", "a ',' or the closing bracket is missing before this"),
    ("could not find expected ':'", "a ':' is missing after the key"),
    ("found undefined alias", "no anchor (&name) of this name stands before this alias"),
    ("did not find expected key", "this line fits neither the list nor the mapping above it; check its indentation"),
    ("did not find expected '-' indicator", "this line does not fit the list above it; check its indentation"),
    ("expected <block end>", "this line fits neither the list nor the mapping above it; check its indentation"),
)


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    said = f"{error.problem or ''} {error.context or ''}".strip()
    words = next((plainer for part, plainer in _PLAINER if part in said), _shown(said))
    return f"no valid YAML: {words}"


class _Composer:
    """Events to nodes."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.flaws: list[Flaw] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._open: set[str] = set()
        self._values = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._refuse((), "a second document; one file holds one configuration", event)
                root = self._node(next(self.events), ())
        return None if isinstance(root, Scalar) and root.plain and root.text == "" else root

    def _node(self, event: Any, path: Path) -> Node:
        if len(path) > DEEPEST:
            self._refuse(path, f"nested deeper than {DEEPEST} levels", event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        before = self._values
        self._count(1, path, event)
        if event.tag is not None and event.tag != "!":
            self._refuse(path, "tags are not read; write the value without it, in quotes if it is a text", event)
        if event.anchor is not None:
            self._open.add(event.anchor)
        node = self._inner(event, path)
        if event.anchor is not None:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = (node, self._values - before)
        return node

    def _inner(self, event: Any, path: Path) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            if _HALF.search(event.value):
                self._refuse(path, "holds half of a character (\\ud800 to \\udfff); write the whole one", event)
            return _scalar(event)
        start = _start(event)
        if isinstance(event, yaml.SequenceStartEvent):
            nodes: list[Node] = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                nodes.append(self._node(event, (*path, len(nodes))))
            return Items(start, _end(event), nodes)
        keys: dict[str, Scalar] = {}
        children: dict[str, Node] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path)
            node = self._node(next(self.events), (*path, key.text))
            if key.plain and key.text == "<<":
                merged.extend(node.nodes if isinstance(node, Items) else [node])
            elif key.text in keys:
                first = keys[key.text].start.line
                self.flaws.append(
                    Flaw((*path, key.text), f"{key.text!r} stands here and in line {first}; keep one", key)
                )
            else:
                keys[key.text], children[key.text] = key, node
        for base in merged:
            if isinstance(base, Entries):
                keys |= base.keys | keys
                children |= base.nodes | children
        return Entries(start, _end(event), keys, children)

    def _key(self, event: Any, path: Path) -> Scalar:
        node = self._node(event, path) if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent) else None
        if not isinstance(node, Scalar):
            raise UnreadableError(Flaw(path, "a key must be a text", Node(_start(event), _end(event))))
        return node

    def _alias(self, event: Any, path: Path) -> Node:
        if event.anchor in self._open:
            self._refuse(path, "this alias stands inside the value that it repeats", event)
        if event.anchor not in self._anchors:
            self._refuse(path, "no anchor (&name) of this name stands before this alias", event)
        node, values = self._anchors[event.anchor]
        self._count(values, path, event)
        return node

    def _count(self, values: int, path: Path, event: Any) -> None:
        self._values += values
        if self._values > MOST:
            self._refuse(path, f"the file expands to more than {MOST:,} values", event)

    def _refuse(self, path: Path, message: str, event: Any) -> None:
        raise UnreadableError(Flaw(path, message, Node(_start(event), _end(event))))


def _start(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _end(event: Any) -> Place:
    return Place(event.end_mark.line + 1, event.end_mark.column + 1)


def _shown(text: str) -> str:
    return _HIDDEN.sub(lambda match: match[0].translate(_SHOW_AGAIN), text)


def _scalar(event: Any) -> Scalar:
    return Scalar(_start(event), _end(event), _shown(event.value), not event.style)
