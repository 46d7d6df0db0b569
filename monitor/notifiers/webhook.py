"""Webhooks: every notice as a signed CloudEvent, for the user's own programs."""

from datetime import timedelta

from monitor.core.errors import UserError
from monitor.core.notice import Attempt, Deferred, Delivered, Outcome, Rejected
from monitor.notifiers._message import payload
from monitor.options import Duration, Options
from monitor.outbound import SecretUrl, SigningSecret, UnansweredError, cloud_event, fitting, host_of, post_event


class Webhook(Options):
    """A signed CloudEvent (JSON) by HTTP POST.

    Every attempt has the same ``webhook-id``, so that a receiver can drop what it has seen; ``secret`` signs it as
    Standard Webhooks describe.
    """

    url: SecretUrl
    """Where events are posted."""
    secret: SigningSecret | None = None
    """Key of the signature: whsec_ and at least 16 random bytes in base64."""
    timeout: Duration = timedelta(seconds=15)
    """How long to wait for an answer."""

    def send(self, attempt: Attempt) -> Outcome:
        """Deliver one notice."""
        notice = attempt.notice
        body = fitting(
            lambda most: cloud_event(
                f"leeway.incident.{notice.incident.state}",
                key=notice.key,
                model=notice.incident.model,
                subject=notice.incident.id,
                at=notice.at,
                data=payload(notice, most),
            )
        )
        where = host_of(self.url)
        try:
            reply = post_event(self.url, notice.key, body, self.secret, timeout=self.timeout.total_seconds())
        except UnansweredError as unanswered:
            return Deferred(f"{where}: {unanswered.reason}", uncertain=unanswered.uncertain)
        if reply.ok:
            return Delivered()
        if reply.transient:
            return Deferred(f"{where}: HTTP {reply.status}", reply.retry_after, uncertain=reply.status >= 500)
        return Rejected(f"{where}: HTTP {reply.status}: {_remedy(reply.status)}")

    def probe(self) -> str:
        """Say where events would go; nothing is sent, since a receiver could not tell it from an incident."""
        if self.secret is None and self.url.get_secret_value().startswith("http://"):
            host = host_of(self.url)
            if host not in ("http://localhost", "http://127.0.0.1", "http://::1"):
                raise UserError(f"{host} would get events in clear and unsigned; use https:// or set secret")
        return f"{host_of(self.url)}, {'signed' if self.secret else 'unsigned'} (not contacted)"


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "it redirects, which is not followed; set url to the final address"
    if status == 410:
        return "the receiver wants no more events; remove it or set another url"
    if status in (401, 403):
        return "the receiver refuses the signature or the address; compare secret and url with the receiver's"
    return "the receiver does not take the event; compare url with the receiver's documentation"
