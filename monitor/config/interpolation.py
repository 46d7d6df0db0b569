"""``${NAME}``, ``${NAME:-default}`` and ``${file:/path}``: values that the environment or a file holds."""

import re
from collections.abc import Mapping
from pathlib import Path

from monitor.options import from_home

LARGEST_FILE = 65_536  # bytes; a secret is short

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class InterpolationError(ValueError):
    """A reference that leads nowhere; the text says why and what to do, never what a file holds."""


def is_reference(text: str) -> bool:
    """Return whether a text holds anything to look up."""
    return "${" in text


def interpolate(text: str, environ: Mapping[str, str], folder: Path) -> str:
    """Return a text with every reference replaced; ``$${`` stands for ``${``.

    Parameters
    ----------
    text : as it is written.
    environ : the environment's variables.
    folder : where relative paths of ``${file:…}`` begin.

    Raises
    ------
    InterpolationError
        For a variable that is missing or empty without a default, a file that cannot be read, or a malformed reference.
    """
    return _REFERENCE.sub(lambda match: _looked_up(match, environ, folder), text)


def escape(text: str) -> str:
    """Return a text so written that :func:`interpolate` gives it back."""
    return text.replace("${", "$${")


def _looked_up(match: re.Match[str], environ: Mapping[str, str], folder: Path) -> str:
    if match[0] == "$${":
        return "${"
    inside = match[1]
    if inside is None:
        raise InterpolationError("'${' opens a reference that no '}' closes; write '$${' for the characters themselves")
    if inside.startswith("file:"):
        return _file(inside.removeprefix("file:").strip(), folder)
    named = _NAME.fullmatch(inside)
    if named is None:
        raise InterpolationError(
            f"{match[0]!r} is no reference; write ${{NAME}}, ${{NAME:-default}} or ${{file:/path}}, "
            "and '$${' for the characters themselves"
        )
    name, default = named.groups()
    value = environ.get(name) or default
    if value is None:
        state = "empty" if name in environ else "not set"
        raise InterpolationError(
            f"the environment variable {name} is {state}; set it, or give a default: ${{{name}:-default}}"
        )
    if not value.isprintable() and any("\ud800" <= character <= "\udfff" for character in value):
        raise InterpolationError(f"the environment variable {name} is not UTF-8 text")
    return value


def _file(name: str, folder: Path) -> str:
    path = folder / from_home(name)
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise InterpolationError(f"the file {name!r} is larger than {LARGEST_FILE:,} bytes; that is no secret")
        return content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise InterpolationError(f"the file {name!r} is not UTF-8 text") from None
    except OSError as error:
        raise InterpolationError(f"the file {name!r} cannot be read: {error.strerror or error}") from error
    except (ValueError, RuntimeError) as error:
        if isinstance(error, InterpolationError):
            raise
        raise InterpolationError(f"{name!r} is no path") from error
