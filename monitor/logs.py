"""Logs: coloured lines for people on a terminal, one JSON object a line otherwise. Always on stderr."""

import json
import logging
import re
import sys
import threading
from contextlib import suppress
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from monitor.options import hide_passwords

_UNUSUAL = re.compile("[^ -~]")


def configure(level: int = logging.INFO) -> None:
    """Set logging up for the process: our own at ``level``, that of libraries from warnings on."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(people=sys.stderr.isatty())],
        )
    )
    root = logging.getLogger()
    for earlier in [known for known in root.handlers if isinstance(known, _Stderr)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    logging.getLogger("monitor").setLevel(level)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_death


class _Stderr(logging.Handler):
    """Writes to whatever is stderr now. A line that cannot be written, on a full disk, is lost: the work goes on."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        with suppress(OSError, ValueError):
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()


def _last(*, people: bool) -> list[Processor]:
    # The default formatter would show local variables, and with them secrets.
    shown = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    last = [_printable, shown] if people else [structlog.processors.JSONRenderer(serializer=_one_line)]
    return [structlog.processors.format_exc_info, _without_passwords, *last]


def _without_passwords(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide the passwords of URLs, which drivers like to repeat in their errors."""
    return {key: _hidden(value) for key, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return hide_passwords(value)
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _hidden(item) for key, item in value.items()}
    return value if value is None or isinstance(value, int | float) else hide_passwords(str(value))


def _printable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Show what came out of a user's table without driving the terminal or forging a line."""
    return {key: _escaped(value, key) if isinstance(value, str) else value for key, value in event.items()}


def _escaped(text: str, key: str) -> str:
    kept = "\n" if key in ("exception", "stack") else ""  # which have lines of their own, indented or not
    return "".join(ch if ch.isprintable() or ch == kept else repr(ch)[1:-1] for ch in text)


def _one_line(event: EventDict, **_options: Any) -> str:
    """Return an event as JSON on one line, whatever ends a line for whoever reads it."""
    text = json.dumps(event, ensure_ascii=False)
    return _UNUSUAL.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def _log_death(death: threading.ExceptHookArgs) -> None:
    """Log what ended a thread."""
    exception = death.exc_value or death.exc_type()
    logging.getLogger("monitor").error("thread.died", exc_info=exception)
