"""Problems of a configuration: each with its place, its source line and a caret, and all of them in one report."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitor.core.errors import UserError

Path = tuple[str | int, ...]

_BOLD, _RED, _DIM, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
_WIDEST = 140  # characters of a source line that are shown
_BARE = re.compile(r"[\w-]+")


def path_text(path: Path) -> str:
    """Return a path for people, such as ``models.churn.checks[2]``; odd names stand in quotes."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if _BARE.fullmatch(step) else json.dumps(step, ensure_ascii=False)
            text += f".{name}" if text else name
    return text


@dataclass(frozen=True)
class Excerpt:
    """A source line as it may be shown, ``width`` of its characters underlined from ``start`` on, counted from 0."""

    text: str
    start: int
    width: int

    def rendered(self, line: int, *, colour: bool = False) -> str:
        """Return the line with its number, and carets below it."""
        text, start, width = self._cropped()
        indent, caret = " " * _cells(text[:start]), "^" * max(1, _cells(text[start : start + width]))
        number = f"{line:>6} | "
        gutter = " " * (len(number) - 2) + "| "
        if colour:
            number, gutter, caret = f"{_DIM}{number}{_PLAIN}", f"{_DIM}{gutter}{_PLAIN}", f"{_RED}{caret}{_PLAIN}"
        return f"{number}{text}\n{gutter}{indent}{caret}"

    def _cropped(self) -> tuple[str, int, int]:
        text = "".join(character if character.isprintable() else " " for character in self.text)
        if len(text) <= _WIDEST:
            return text, self.start, self.width
        first = max(0, min(self.start - _WIDEST // 3, len(text) - _WIDEST))
        shown = text[first : first + _WIDEST]
        return shown, self.start - first, min(self.width, len(shown) - (self.start - first))


def _cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    line, column : where, counted from 1; 0 when the problem is the file as a whole.
    path : of the key or section, for example ``models.churn.checks[2]``; empty for the whole file.
    message : one sentence: what is wrong, what is allowed, what to do. Never holds a secret.
    excerpt : the source line; None when the problem is the file as a whole.
    """

    line: int
    column: int
    path: str
    message: str
    excerpt: Excerpt | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {"line": self.line, "column": self.column, "path": self.path, "message": self.message}

    def rendered(self, file: str, *, colour: bool = False) -> str:
        """Return the problem in two to four lines."""
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        if colour:
            place = f"{_BOLD}{place}{_PLAIN}"
        head = "  ".join(part for part in (place, self.path, self.message) if part)
        return head if self.excerpt is None else f"{head}\n{self.excerpt.rendered(self.line, colour=colour)}"


class ConfigError(UserError):
    """The configuration cannot be used; the text is the whole report, ``problems`` are its parts."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column, problem.path)))
        super().__init__(self.report())

    def report(self, *, colour: bool = False, consequence: str = "Nothing was started.") -> str:
        """Return every problem with its source line, then how many they are and what follows from them."""
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''} in {self.file}. {consequence}"
        return "\n".join([*(problem.rendered(self.file, colour=colour) for problem in self.problems), count])
