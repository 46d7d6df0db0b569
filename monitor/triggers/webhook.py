"""A webhook: whatever retrains is asked by a signed CloudEvent."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable, shorten
from monitor.options import Duration, Options
from monitor.outbound import (
    Reply,
    SecretUrl,
    SigningSecret,
    UnansweredError,
    cloud_event,
    exchange,
    fitting,
    host_of,
    post_event,
)

_LOOK_AGAIN = 60.0  # seconds, where the receiver does not say when to ask again
_STATES = {
    "queued": RetrainState.ACCEPTED,
    "accepted": RetrainState.ACCEPTED,
    "running": RetrainState.RUNNING,
    "succeeded": RetrainState.SUCCEEDED,
    "success": RetrainState.SUCCEEDED,
    "failed": RetrainState.FAILED,
}


class Webhook(Options):
    """A signed CloudEvent (JSON) by HTTP POST; ``webhook-id`` is the key.

    A receiver must drop an id that it has seen, or answer it with 409: a request whose answer was lost is made again.
    Where it can be asked what became of a key, ``lookup`` saves that, and follows the run to its end.
    """

    url: SecretUrl
    """Where requests are posted."""
    secret: SigningSecret | None = None
    """Key of the signature: whsec_ and at least 16 random bytes in base64."""
    lookup: SecretUrl | None = None
    """An address with ``{key}`` in it that answers a GET with the run as JSON (id, url, state), or with 404."""
    timeout: Duration = timedelta(seconds=30)
    """How long to wait for an answer."""

    def fire(self, request: RetrainRequest, *, dry_run: bool = False) -> Fired:
        """Post the request; with ``dry_run`` only say what would be posted."""
        body = fitting(lambda most: _event(request, most))
        where = host_of(self.url)
        if dry_run:
            return Fired(RetrainState.PROPOSED, note=f"would post to {where}: {body.decode()}")
        try:
            reply = post_event(self.url, request.key, body, self.secret, timeout=self.timeout.total_seconds())
        except UnansweredError as unanswered:
            # Not yet accepted where it cannot have arrived, so that it is simply asked again.
            state = RetrainState.UNKNOWN if unanswered.uncertain else RetrainState.REQUESTED
            return Fired(state, note=f"{where}: {unanswered.reason}", retry_after=_LOOK_AGAIN)
        if reply.ok or reply.status == 409:
            note = f"{where} had it already" if reply.status == 409 else f"{where} took it"
            return self._told(reply, RetrainState.ACCEPTED, note)
        note = f"{where}: HTTP {reply.status}"
        if reply.transient:
            state = RetrainState.UNKNOWN if reply.status >= 500 else RetrainState.REQUESTED
            return Fired(state, note=note, retry_after=reply.retry_after or _LOOK_AGAIN)
        return Fired(RetrainState.REFUSED, note=f"{note}: {shorten(printable(reply.text.strip()), 200)}".rstrip(": "))

    def find(self, request: RetrainRequest) -> Fired | None:
        """Ask ``lookup`` what became of a key; None where it was never seen, or where nobody can be asked."""
        if self.lookup is None:
            return None
        where = host_of(self.lookup)
        try:
            reply = _get(self.lookup, request.key, self.timeout.total_seconds())
        except UnansweredError as unanswered:
            return Fired(RetrainState.UNKNOWN, note=f"{where}: {unanswered.reason}", retry_after=_LOOK_AGAIN)
        if reply.status == 404:
            return None
        if not reply.ok:
            note = f"{where} does not say what became of it: HTTP {reply.status}"
            return Fired(RetrainState.UNKNOWN, note=note, retry_after=reply.retry_after or _LOOK_AGAIN)
        state = _STATES.get(str(_body(reply).get("state", "")).lower(), RetrainState.ACCEPTED)
        return self._told(reply, state, f"{where} has it")

    def _told(self, reply: Reply, state: RetrainState, note: str) -> Fired:
        """Return what an answer says of the run: its id and its page; until its end ``lookup`` is asked again."""
        body = _body(reply)
        run = body.get("id", body.get("run"))
        url = body.get("url")
        page = url if isinstance(url, str) and url.startswith(("https://", "http://")) else None
        name = shorten(printable(str(run)), 200) if run is not None else None
        goes_on = self.lookup is not None and state in (RetrainState.ACCEPTED, RetrainState.RUNNING)
        return Fired(state, run=name, url=page, note=note, retry_after=_LOOK_AGAIN if goes_on else None)

    def probe(self) -> str:
        """Say where requests would go; nothing is posted, since that would be a request."""
        return f"{host_of(self.url)}, {'signed' if self.secret else 'unsigned'} (not contacted)"


def _event(request: RetrainRequest, most: int) -> bytes:
    data = request.as_json()
    columns = data["columns"]
    if len(columns) > most:
        data = {**data, "columns": columns[:most], "omitted": {"columns": len(columns) - most}}
    return cloud_event(
        "leeway.retrain.requested",
        key=request.key,
        model=request.model,
        subject=request.incident or request.model,
        at=request.requested_at,
        data=data,
    )


def _get(lookup: SecretStr, key: str, timeout: float) -> Reply:
    url = SecretStr(lookup.get_secret_value().replace("{key}", quote(key, safe="")))
    return exchange(url, None, {"Accept": "application/json"}, timeout=timeout, method="GET")


def _body(reply: Reply) -> dict[str, Any]:
    try:
        body = json.loads(reply.text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
