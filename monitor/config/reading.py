"""``config.yaml`` to a :class:`monitor.config.models.Config`: all problems at once, each with its line and a remedy."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.config.building import Builder
from monitor.config.document import Flaw
from monitor.config.errors import ConfigError, Excerpt, Problem, path_text
from monitor.config.extensions import Extensions, discover
from monitor.config.masking import Mask
from monitor.config.models import Config
from monitor.config.parsing import LARGEST, UnreadableError, parse
from monitor.core.wording import shorten

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what ends a line for YAML
_LONGEST = 10_000  # characters of a line that is worth looking for secrets in, to be shown
MOST_PROBLEMS = 100  # that are shown in one report
LONGEST_MESSAGE = 1000  # characters; some hold what the file says
_WRITE_ONE = "'monitor init' writes one for your table, 'monitor demo' shows a working one"


def read(path: str | Path, *, environ: Mapping[str, str] | None = None, extensions: Extensions | None = None) -> Config:
    """Read a configuration.

    Parameters
    ----------
    path : of the file; relative paths in it begin at its folder.
    environ : variables for ``${NAME}``; the process's own where None.
    extensions : what can be named; everything installed where None.

    Raises
    ------
    ConfigError
        For everything that is wrong, in one report.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(LARGEST + 1)
        # What is too large is refused by the parser; its last character may be cut in two.
        text = content.decode("utf-8-sig", "strict" if len(content) <= LARGEST else "replace")
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), [_whole("is not UTF-8 text")]) from error
    except FileNotFoundError as error:
        raise ConfigError(str(path), [_whole(f"does not exist; {_WRITE_ONE}")]) from error
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(str(path), [_whole(f"cannot be read: {said}")]) from error
    return read_text(text, name=str(path), folder=Path(path).parent, environ=environ, extensions=extensions)


def read_text(
    text: str,
    *,
    name: str = "config.yaml",
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    extensions: Extensions | None = None,
) -> Config:
    """Read a configuration from its text; see :func:`read`. ``name`` stands in the messages."""
    found = extensions or discover()
    lines = _LINE_BREAK.split(text)
    try:
        root, flaws = parse(text)
    except UnreadableError as error:
        raise ConfigError(name, [_problem(error.flaw, lines, Mask(found.keys()))]) from error
    if root is None:
        raise ConfigError(name, [_whole(f"is empty; {_WRITE_ONE}")])
    builder = Builder(folder or Path(), os.environ if environ is None else environ, found, flaws)
    config = builder.config(root)
    if config is None or flaws:
        mask = Mask.of(root, found.keys(), builder.looked_up)
        problems = [_problem(flaw, lines, mask) for flaw in flaws[:MOST_PROBLEMS]]
        if len(flaws) > MOST_PROBLEMS:
            more = len(flaws) - MOST_PROBLEMS
            problems.append(_whole(f"has {more:,} more problems, which show once these are mended"))
        raise ConfigError(name, problems)
    return config


def _whole(message: str) -> Problem:
    return Problem(0, 0, "", message)


def _problem(flaw: Flaw, lines: Sequence[str], mask: Mask) -> Problem:
    """Return a flaw as people see it: no secret in its message or its source line."""
    first = flaw.at.start
    on_line = flaw.entity is not None and flaw.entity.start.line == first.line
    column = flaw.entity.start.column if flaw.entity is not None and on_line else first.column
    path, message = (
        shorten(mask.message(text, flaw.at), LONGEST_MESSAGE) for text in (path_text(flaw.path), flaw.message)
    )
    return Problem(first.line, column, path, message, _excerpt(flaw, lines, mask))


def _excerpt(flaw: Flaw, lines: Sequence[str], mask: Mask) -> Excerpt | None:
    first, last = flaw.at.start, flaw.at.end
    line = lines[first.line - 1] if first.line <= len(lines) else ""
    if len(line) > _LONGEST:
        return None
    width = (last.column if last.line == first.line else len(line) + 1) - first.column
    return Excerpt(*mask.line(line, first.line, first.column - 1, max(1, width)))
