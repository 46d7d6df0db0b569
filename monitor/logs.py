"""Logs: coloured lines for people on a terminal, one JSON object a line otherwise. Always on stderr."""

import logging
import sys
import threading
from contextlib import suppress

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from monitor.options import hide_passwords


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
    if people:
        # The default formatter would show local variables, and with them secrets.
        plain = structlog.dev.plain_traceback
        return [_without_passwords, structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        _without_passwords,
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ]


def _without_passwords(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide the passwords of URLs, which drivers like to repeat in their errors."""
    return {key: hide_passwords(value) if isinstance(value, str) else value for key, value in event.items()}


def _log_death(death: threading.ExceptHookArgs) -> None:
    """Log what ended a thread."""
    exception = death.exc_value or death.exc_type()
    logging.getLogger("monitor").error("thread.died", exc_info=exception)
