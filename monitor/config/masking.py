"""Secrets that stand in a configuration as they are, and those that were looked up: neither may be shown."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.config.document import Entries, Items, Node, Scalar, scalars
from monitor.config.explaining import nearest
from monitor.options import HIDDEN, apart, hide_passwords, hide_url_passwords, is_secret_name, password_spans

_SHORTEST = 4  # a shorter value would hide half of every sentence

_LOOKS_SECRET = re.compile(r"xox[a-z]-|xapp-|whsec_|gh[a-z]_|github_pat_|glpat-|AKIA|hooks\.slack\.com|Bearer |Basic ")

# Where YAML cannot be parsed there are no keys, only what looks like them.
_KEY_LIKE = re.compile(r"(?<![\w-])([\w-]+)[\"']?\s*:\s+(?!$)")
_VALUE_LIKE = re.compile(r"[\"']?((?:\$\{[^{}]*\}|[^\s\"',{}\[\]])+)[\"']?\s*(?=$|[,}\]#])")
_LOOKED_UP = re.compile(r"\$\{(?:[A-Za-z_]\w*|file:[^{}]*)\}")  # without a default, which would be a secret itself


@dataclass(frozen=True)
class Mask:
    """Hides secrets in source lines and in messages.

    Parameters
    ----------
    keys : keys that hold secrets, and keys that do not.
    literals : scalars that hold a secret themselves.
    parsed : whether there is a tree; without one, source lines are judged by their looks.
    values : scalars with the secret value that they stand for, and what is shown in its place; the longest first.
    """

    keys: "Keys"
    literals: tuple[Scalar, ...] = ()
    values: tuple[tuple[Scalar, str, str], ...] = ()
    parsed: bool = False

    @classmethod
    def of(cls, root: Node, keys: "Keys", looked_up: Mapping[Scalar, str]) -> "Mask":
        """Return the mask of a document; ``looked_up`` are the values of scalars with references in them."""
        literals = tuple(_literals(root, keys))
        values = [(scalar, scalar.text, HIDDEN) for scalar in literals]
        values += [(scalar, value, scalar.text) for scalar, value in looked_up.items()]
        return cls(keys, literals, tuple(sorted(values, key=lambda known: -len(known[1]))), parsed=True)

    def message(self, text: str, at: Node) -> str:
        """Return a message about a node without any secret."""
        for scalar, value, shown in self.values:
            if value and (len(value) >= _SHORTEST or scalar is at):
                text = text.replace(repr(value), repr(shown)).replace(value, shown)
        return hide_passwords(text)

    def line(self, text: str, number: int, start: int, width: int) -> tuple[str, int, int]:
        """Return a source line without secrets, and where its underlined part is then; counted from 0."""
        spans = [*(self._spans(text, number) if self.parsed else self._looks(text)), *password_spans(text)]
        for first, last in reversed(apart(spans)):
            shift = len(HIDDEN) - (last - first)
            text = text[:first] + HIDDEN + text[last:]
            if start >= last:
                start += shift
            elif start >= first:
                start, width = first, len(HIDDEN)
            elif start + width >= last:
                width += shift
            elif start + width > first:
                width = first + len(HIDDEN) - start
        return text, start, width

    def _spans(self, text: str, number: int) -> Iterator[tuple[int, int]]:
        for scalar in self.literals:
            if scalar.start.line <= number <= scalar.end.line:
                first = scalar.start.column - 1 if number == scalar.start.line else 0
                last = scalar.end.column - 1 if number == scalar.end.line else len(text)
                if last > first:
                    yield first, last
            if len(scalar.text) >= _SHORTEST:  # it may stand in a second place too
                yield from (found.span() for found in re.finditer(re.escape(scalar.text), text))

    def _looks(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield what follows the first key that looks like a secret's, in a document that is no YAML."""
        if (looks := _LOOKS_SECRET.search(text)) is not None:
            yield looks.start(), len(text)
        for match in _KEY_LIKE.finditer(text):
            value = _VALUE_LIKE.match(text, match.end())  # one that ends in this line, else all of the rest is hidden
            if self.keys.is_secret(match[1]) and (value is None or _hides(value[1])):
                yield match.end(), len(text)
                return


@dataclass(frozen=True)
class Keys:
    """Which keys hold secrets: by their type, by their name, or as a misspelling of such a key."""

    secret: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def is_secret(self, key: str) -> bool:
        """Return whether a value under this key must not be shown."""
        if key in self.secret or is_secret_name(key):
            return True
        return key not in self.others and nearest(key, self.secret) is not None


def _names_database(text: str) -> bool:
    """Return whether a secret is an address of which only the password must be hidden, and can be among other words."""
    if "://" in text:
        web = text.lstrip("\"'").startswith(("http:", "https:"))
        return not web and hide_url_passwords(text) == hide_passwords(text)
    return "@" not in text and text.endswith((".db", ".sqlite"))


def _literals(node: Node, keys: Keys) -> Iterator[Scalar]:
    if isinstance(node, Items):
        for child in node.nodes:
            yield from _literals(child, keys)
    elif isinstance(node, Entries):
        for key, child in node.nodes.items():
            # A model may be named like a secret: what is a mapping hides as a whole only under a key that is known to.
            if keys.is_secret(key) and (key in keys.secret or not isinstance(child, Entries)):
                yield from (scalar for scalar in scalars(child) if _hides(scalar.text))
            else:
                yield from _literals(child, keys)
    elif isinstance(node, Scalar) and _LOOKS_SECRET.search(node.text):
        yield node


def _hides(text: str) -> bool:
    """Return whether any of a secret stands in the text itself, rather than where it refers to."""
    own = _LOOKED_UP.sub("", text)
    return bool(own) and not (own != text and len(own) < _SHORTEST) and not _names_database(text)
