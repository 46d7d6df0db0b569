"""What the commands share: options, opening configuration and store, and printing."""

import getpass
import json
import logging
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.core.errors import UserError
from monitor.core.window import EARLIEST, LATEST, Window

if TYPE_CHECKING:
    from monitor.config.models import Config
    from monitor.store.database import Store
    from monitor.watch import Watch

_UNUSUAL = re.compile(r"[^\n -~]")
config_option = click.option(
    "-c",
    "--config",
    "config_path",
    default="config.yaml",
    show_default=True,
    envvar="LEEWAY_CONFIG",
    type=click.Path(path_type=Path),
    help="The configuration file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def load(path: Path) -> "Config":
    """Read the configuration.

    Raises
    ------
    UserError
        With every problem in it.
    """
    from monitor.cli.light import start_light

    start_light()

    from monitor.config.reading import read

    _quiet()

    return read(path)


def _quiet() -> None:
    """Send logs to stderr, warnings only; `monitor run` and `monitor demo` choose otherwise."""
    import structlog

    if not structlog.is_configured():
        from monitor import logs

        logs.configure(logging.WARNING)


def open_store(config: "Config") -> "Store":
    """Open the configured store, creating or migrating it where needed."""
    from monitor.store.schema import open_store as open_at

    return open_at(config.store.get_secret_value())


def chosen(config: "Config", model: str | None) -> "dict[str, Watch]":
    """Return the watches of one model, or of all.

    Raises
    ------
    UserError
        When there is no such model.
    """
    from difflib import get_close_matches

    from monitor.watch import watches

    everything = watches(config)
    if model is None:
        return everything
    if model not in everything:
        near = get_close_matches(model, everything, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(everything)}"
        raise UserError(f"the configuration has no model {model!r}{hint}")
    return {model: everything[model]}


def print_json(document: object) -> None:
    """Print one JSON document on stdout; characters that could drive a terminal are escaped."""
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    click.echo(_UNUSUAL.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text))


def person() -> str:
    """Return who is calling, for the record."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601; without a zone it is UTC."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read a moment."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no moment; write 2026-01-31 or 2026-01-31T06:00:00Z", param, ctx)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if not EARLIEST <= moment <= LATEST:
            self.fail(f"{value!r} is not between the years {EARLIEST.year} and {LATEST.year}", param, ctx)
        return moment


class Span(click.ParamType[Window]):
    """A window, START/END."""

    name = "start/end"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Window:
        """Read a window."""
        if isinstance(value, Window):
            return value
        start, slash, end = str(value).partition("/")
        if not slash:
            self.fail(f"{value!r} is no window; write START/END, such as 2026-01-31/2026-02-01", param, ctx)
        moment = Moment()
        try:
            return Window(moment.convert(start, param, ctx), moment.convert(end, param, ctx))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Length(click.ParamType[timedelta]):
    """A duration, such as 24h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read a duration."""
        from monitor.options import parse_duration

        try:
            length = parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        assert isinstance(length, timedelta)
        return length


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[int] = ()) -> None:
    """Print a table: aligned, coloured on a terminal, plain in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for place, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(clean(str(cell))) for cell in row))
    console = Console(soft_wrap=False) if sys.stdout.isatty() else Console(width=160, color_system=None)
    console.print(grid)


_VERDICT_STYLES = {
    "breach": "bold red", "failed": "magenta", "inconclusive": "yellow", "pass": "green",
    "firing": "bold red", "pending": "yellow", "resolved": "green", "ok": "green", "blind": "magenta",
    "critical": "bold red", "warning": "yellow",
}  # fmt: skip


def coloured(word: str) -> Any:
    """Return a state or verdict in its colour."""
    from rich.text import Text

    return Text(word, style=_VERDICT_STYLES.get(word, ""))


def clean(text: str) -> str:
    """Return text without control characters: what came out of a user's table must not drive a terminal."""
    return "".join(ch if ch.isprintable() or ch == "\n" else repr(ch)[1:-1] for ch in text)


def number(value: float | None) -> str:
    """Return a number as people read it."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
