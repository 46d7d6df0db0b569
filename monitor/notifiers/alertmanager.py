"""Prometheus Alertmanager: every incident as one alert, for routes, silences and receivers that exist already."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, model_validator

from monitor.core.errors import UnavailableError, UserError
from monitor.core.finding import Severity
from monitor.core.incident import Incident, State
from monitor.core.notice import Attempt, Deferred, Delivered, Notice, Outcome, Rejected
from monitor.core.window import iso
from monitor.core.wording import printable, shorten
from monitor.notifiers._message import message
from monitor.options import Duration, Options, reveal
from monitor.outbound import Reply, SecretUrl, UnansweredError, exchange, host_of

_LABEL, _ANNOTATION = 120, 1_000  # characters
_ALERTS, _STATUS = "/api/v2/alerts", "/api/v2/status"
# Alertmanager's templates hand an annotation to Slack as it is: unescaped, these would ping people and forge links.
_HARMLESS = str.maketrans({"<": "‹", ">": "›"})


class Alertmanager(Options):
    """An alert to Prometheus Alertmanager (API v2), resolved when the incident is.

    Alertmanager resolves an alert by itself after a few minutes, unless it is told until when the alert lasts: that is
    ``lasts`` from the latest message on. Each further message prolongs it, so ``lasts`` must be longer than the
    model's ``alerts.repeat``. Alertmanager forgets alerts when it restarts; it learns of one again by the next message.
    Of several that form a cluster each needs a receiver of its own, as Prometheus does it.
    """

    url: SecretUrl
    """Alertmanager's address, such as http://alertmanager:9093, with its route prefix where it has one."""
    token: SecretStr | None = None
    """Bearer token, where a proxy before it asks for one."""
    user: str | None = None
    """User of Alertmanager's basic authentication."""
    password: SecretStr | None = None
    """The user's password."""
    lasts: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(days=30)
    """How long a firing alert lasts unless another message prolongs it."""
    timeout: Duration = timedelta(seconds=15)
    """How long to wait for an answer."""

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; set both or neither")
        if self.token is not None and self.user is not None:
            raise ValueError("set token, or user and password, not both")
        return self

    def send(self, attempt: Attempt) -> Outcome:
        """Deliver one notice; the same alert any number of times is one alert."""
        incident, where = attempt.notice.incident, host_of(self.url)
        now = datetime.fromtimestamp(time.time(), UTC)  # the wire's own clock: Alertmanager compares ends with its own
        alerts = [_alert(attempt.notice, incident.severity, now, self.lasts)]
        before = attempt.earlier.get("severity", "")
        if before in set(Severity) - {incident.severity}:  # another label is another alert: the old one is over
            alerts.append(_alert(attempt.notice, Severity(before), now, None))
        body = json.dumps(alerts, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
        try:
            reply = self._ask(_ALERTS, body)
        except UnansweredError as unanswered:
            return Deferred(f"{where}: {unanswered.reason}", uncertain=unanswered.uncertain)
        if reply.ok:
            return Delivered({"severity": str(incident.severity)})
        if reply.transient:
            return Deferred(f"{where}: HTTP {reply.status}", reply.retry_after, uncertain=reply.status >= 500)
        return Rejected(f"{where}: HTTP {reply.status}: {_remedy(reply.status)}")

    def probe(self) -> str:
        """Ask which Alertmanager it is; sends no alert."""
        where = host_of(self.url)
        try:
            reply = self._ask(_STATUS, None)
        except UnansweredError as unanswered:
            raise UnavailableError(f"{where}: {unanswered.reason}; is Alertmanager up, and url right?") from unanswered
        if not reply.ok:
            kind = UnavailableError if reply.transient else UserError
            raise kind(f"{where}: HTTP {reply.status}: {_remedy(reply.status)}")
        try:
            version = json.loads(reply.text)["versionInfo"]["version"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{where} answers, but not as Alertmanager's API v2 does; compare url with it") from error
        return f"Alertmanager {printable(shorten(str(version), 40))} at {where}"

    def _ask(self, path: str, body: bytes | None) -> Reply:
        url = SecretStr(self.url.get_secret_value().rstrip("/") + path)
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {reveal(self.token)}"
        elif self.password is not None:
            pair = f"{self.user}:{reveal(self.password)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return exchange(url, body, headers, timeout=self.timeout.total_seconds(), method="POST" if body else "GET")


def _alert(notice: Notice, severity: Severity, now: datetime, lasts: timedelta | None) -> dict[str, Any]:
    """Return an alert; its labels are those of the incident's first message, for they tell alerts apart.

    Parameters
    ----------
    lasts : how long it fires from now on; None where it is over.
    """
    incident = notice.incident
    over = lasts is None or incident.state is State.RESOLVED or incident.expected
    end = min(incident.resolved_at or now, now) if over or lasts is None else now + lasts
    words = message(notice)
    columns = ", ".join(line.column for line in words.lines if line.column is not None)
    annotations = {
        "summary": words.title,
        "description": f"{words.sentence} {words.so_what}",
        "news": words.news,
        "columns": f"{columns} +{words.more:,} more" if words.more and columns else columns,
    }
    alert: dict[str, Any] = {
        "labels": _labels(incident, severity),
        "annotations": {name: _plain(text) for name, text in annotations.items() if text},
        "startsAt": iso(min(incident.opened_at, end)),
        "endsAt": iso(end),
    }
    if notice.link is not None and notice.link.startswith(("http://", "https://")):
        alert["generatorURL"] = notice.link
    return alert


def _labels(incident: Incident, severity: Severity) -> dict[str, str]:
    labels = {
        "alertname": f"Leeway{incident.kind.capitalize()}",
        "model": incident.model,
        "kind": str(incident.kind),
        "severity": str(severity),
        "incident": incident.id,
    }
    return {name: shorten(printable(value), _LABEL) for name, value in labels.items()}


def _plain(text: str) -> str:
    return shorten(printable(text).translate(_HARMLESS), _ANNOTATION)


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "it redirects, which is not followed; set url to the final address"
    if status in (401, 403):
        return "it refuses the sign-in; compare token, or user and password, with its configuration"
    if status == 404:
        return "there is no API v2; set url to Alertmanager's own address with its route prefix, without /api"
    return "it does not take the alert; Alertmanager's log says why"
