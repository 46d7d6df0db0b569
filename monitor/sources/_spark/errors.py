"""What Spark says when it cannot, as sentences: no stack trace of Java's, no secret."""

import re
from collections.abc import Mapping

from monitor.core.errors import LeewayError, UnavailableError, UserError
from monitor.options import HIDDEN, hide_passwords, is_secret_name

LONGEST = 300  # characters of Spark's own words
_SHORTEST_SECRET = 4  # characters; what is shorter would be hidden everywhere by chance
_KEY = re.compile(r"access.?key|secret|account.?key", re.IGNORECASE)
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]\s*")
_TAIL = re.compile(r"\s*(SQLSTATE: \w+.*|;?\s*line \d+,? pos \d+.*|== SQL.*|JVM stacktrace.*)$", re.DOTALL)
_JAVA = re.compile(r"^(?:[\w$]+\.)+[\w$]*(?:Exception|Error):\s*")
_PYTHON = re.compile(r"^(\w+(?:\.\w+)*(?:Error|Exception)): (.*)$", re.MULTILINE)
_AWAY = re.compile(
    r"connection refused|failed to connect|unavailable|timed? ?out|connection reset|java_gateway_exited|cancel"
    r"|session_(closed|changed|not_found)|py4jnetwork|outofmemory|lost executor|executorlost|stopped sparkcontext",
    re.IGNORECASE,
)
_USERS = frozenset(
    {"AnalysisException", "ParseException", "IllegalArgumentException", "PySparkValueError", "PySparkImportError"}
)
_OURS = ("pyspark", "py4j", "grpc")


def explained(error: Exception, place: str, conf: Mapping[str, str], *, stopped: bool) -> LeewayError | None:
    """Return what an error means for the user, None where it is not Spark's.

    Parameters
    ----------
    error : as it was raised.
    place : the master or server, for people.
    conf : settings, whose secrets must not be shown.
    stopped : whether the time was up.
    """
    kinds = [kind for kind in type(error).__mro__ if kind.__module__.split(".")[0] in _OURS]
    if not kinds and not isinstance(error, OSError):
        return None
    if stopped:
        return UnavailableError(f"{place}: Spark took longer than logs.timeout and was stopped; raise it")
    said = str(error)
    text = _hidden(_sentence(said), conf)
    names = {kind.__name__ for kind in kinds}
    lacking = re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", said)
    if lacking:
        return UserError(f"{place}: Spark's executors lack the Python package {lacking[1]}; install it there")
    if names & _USERS and not _AWAY.search(said[:LONGEST]):
        return UserError(f"{place}: Spark cannot do this ({text})")
    if _AWAY.search(said) or isinstance(error, OSError):
        return UnavailableError(f"{place}: Spark cannot be reached or gave up ({text})")
    return UnavailableError(f"{place}: Spark failed ({text})")


def _sentence(said: str) -> str:
    """Return the one line of a message that says something."""
    python = _PYTHON.findall(said) if "Traceback (most recent call last)" in said else []
    if python:
        return ": ".join(python[-1])[:LONGEST]
    text = _CONDITION.sub("", _TAIL.sub("", said.strip()), count=1)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("at ")]
    line = lines[0] if lines else said[:LONGEST]
    if line.startswith("An error occurred while calling") and len(lines) > 1:  # py4j's own words
        line = lines[1]
    return _JAVA.sub("", line.removeprefix(": "))[:LONGEST].rstrip(" .;")


def _hidden(text: str, conf: Mapping[str, str]) -> str:
    text = hide_passwords(text)
    for key, value in conf.items():
        if len(value) >= _SHORTEST_SECRET and (is_secret_name(key) or _KEY.search(key)):
            text = text.replace(value, HIDDEN)
    return text
