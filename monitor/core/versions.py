"""Which model version served: when each began, which one a window belongs to, and what of an alias's moves is news."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.errors import UserError
from monitor.core.window import Window
from monitor.core.wording import printable, shorten

KEPT = 0.45  # of a window's rows: with 1,000 of them chance moves an even share by 0.03
PLACE = "{version}"  # stands for the version in the path or query of a reference
_PLAIN = re.compile(r"(?!.*--)[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")  # in SQL, -- begins a comment


@dataclass(frozen=True, slots=True)
class Began:
    """A version that serves from a moment on, until another one begins."""

    version: str
    since: datetime


@dataclass(frozen=True)
class Served:
    """Which version served a window.

    Parameters
    ----------
    version : the one that served most of it; None where nobody said.
    rows : predictions of each version, where the rows say which it was.
    """

    version: str | None = None
    rows: Mapping[str, int] | None = None


def by_rows(rows: Mapping[str, int], before: str | None = None) -> Served:
    """Return the version that served most rows of a window; between equals the first by name.

    Parameters
    ----------
    before : the version of the window before. It keeps a window of which it served nearly half: two that share the
        traffic evenly would else take turns, by chance, and with them the reference.
    """
    leading = min(rows, key=lambda version: (-rows[version], version), default=None)
    if before is not None and rows.get(before, 0) >= KEPT * sum(rows.values()) > 0:
        leading = before
    return Served(leading, dict(rows))


def by_time(began: Sequence[Began], window: Window) -> Served:
    """Return the version that served for the longest part of a window; between equals the later one."""
    spans: dict[str, timedelta] = {}
    until = window.end
    for entry in reversed(sorted(began, key=lambda entry: entry.since)):  # noqa: C413 - of two at once the later one counts
        length = min(until, window.end) - max(entry.since, window.start)
        if length > timedelta(0):
            spans[entry.version] = spans.get(entry.version, timedelta(0)) + length
        until = entry.since
    return Served(max(spans, key=lambda version: spans[version], default=None))


def filled(template: str, version: str | None) -> str:
    """Return a path or query with the version in the place of ``{version}``.

    Raises
    ------
    UserError
        When nobody said which version it is, or its name may not stand there: it may come from a row of the log.
    """
    if PLACE not in template:
        return template
    if version is None:
        raise UserError("nobody says which version served then; `versions` in the configuration can")
    if _PLAIN.fullmatch(version) is None:
        raise UserError(
            f"version {shorten(printable(version), 60)!r} cannot be part of a path or query: only letters, digits and"
            " _ . + - can; name its reference by `monitor reference add --version`"
        )
    return template.replace(PLACE, version)
