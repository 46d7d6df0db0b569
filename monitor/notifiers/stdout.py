"""Standard output: for a terminal, a container's log, or a pipe."""

import json
import sys
from typing import TYPE_CHECKING, Literal

from monitor.core.finding import Severity
from monitor.core.incident import State
from monitor.core.notice import Attempt, Deferred, Delivered, Notice, Outcome
from monitor.core.wording import printable
from monitor.notifiers._message import Line, message, payload
from monitor.options import Options

if TYPE_CHECKING:
    from rich.text import Text

_MOST = 1000  # items kept of every list in JSON


class Stdout(Options):
    """One readable block a notice on standard output, or one line of JSON."""

    format: Literal["text", "json"] = "text"
    """``text`` for people, ``json`` for programs."""

    def send(self, attempt: Attempt) -> Outcome:
        """Write one notice."""
        notice = attempt.notice
        try:
            if self.format == "json":
                _write(json.dumps(payload(notice, _MOST), allow_nan=False))
            elif sys.stdout.isatty():
                from rich.console import Console

                Console(file=sys.stdout, highlight=False, soft_wrap=True).print(_coloured(notice))
            else:
                _write("\n".join(line for line, _ in _block(notice)) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            return Deferred(f"standard output is closed ({type(error).__name__})")
        return Delivered()

    def probe(self) -> str:
        """Say where notices go."""
        return f"standard output, as {self.format}"


def _write(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _block(notice: Notice) -> list[tuple[str, str]]:
    """Return the lines of a notice, each with its style on a terminal."""
    words = message(notice)
    resolved = notice.incident.state is State.RESOLVED
    loud = "bold red" if notice.incident.severity is Severity.CRITICAL else "bold yellow"
    lines = [(words.title, "bold green" if resolved else loud), (f"  {words.sentence}", ""), (f"  {words.so_what}", "")]
    lines += [(f"  - {_line(line)}", "") for line in words.lines]
    if words.more:
        lines.append((f"  - +{words.more:,} more", "dim"))
    lines.append(("  " + " · ".join(f"{name.lower()} {value}" for name, value in words.facts.items()), "dim"))
    lines.append((f"  {words.context}" + (f" · {printable(notice.link)}" if notice.link else ""), "dim"))
    return lines


def _line(line: Line) -> str:
    return line.words if line.column is None else f"{line.column}: {line.words}"


def _coloured(notice: Notice) -> "Text":
    from rich.text import Text

    return Text("\n").join([Text(line, style) for line, style in _block(notice)] + [Text("")])
