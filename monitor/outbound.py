"""What leaves over HTTP: CloudEvents 1.0, signed as Standard Webhooks, posted once and never redirected.

Shared by the webhook notifier, the webhook trigger and Slack's incoming webhook.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, SecretStr, WithJsonSchema

from monitor.core.window import iso

if TYPE_CHECKING:
    import ssl

LARGEST_BODY = 20_000  # bytes; Standard Webhooks asks senders to stay below
LARGEST_REPLY = 65_536  # bytes that are read of an answer
_LIST_CAPS = (1000, 200, 50, 10, 3)  # longest lists tried until a body fits
_TRANSIENT = frozenset({408, 425, 429})


def _http_url(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with https:// (or http://) and names a host")
    if parts.username is not None:
        raise ValueError("an address must not hold user:password@; let the receiver check a signature instead")
    return value


def _signing_secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith("whsec_") or len(key) < 16:
        raise ValueError("a signing secret is whsec_ and then at least 16 random bytes in base64")
    return value


SecretUrl = Annotated[SecretStr, AfterValidator(_http_url), WithJsonSchema({"type": "string"})]
"""An HTTP address. Secret, since its path or query may hold a token."""

SigningSecret = Annotated[SecretStr, AfterValidator(_signing_secret), WithJsonSchema({"type": "string"})]
"""The key of Standard Webhooks signatures: ``whsec_`` and random bytes in base64."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers by lower-case name, and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def ok(self) -> bool:
        """Whether the receiver has taken it."""
        return 200 <= self.status < 300

    @property
    def transient(self) -> bool:
        """Whether trying again later may help."""
        return self.status in _TRANSIENT or self.status >= 500

    @property
    def retry_after(self) -> float | None:
        """Seconds that the receiver asks to wait; None where it does not say."""
        return retry_after(self.headers)


class UnansweredError(Exception):
    """No answer came. ``uncertain`` says that the request may have arrived all the same."""

    def __init__(self, reason: str, *, uncertain: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.uncertain = uncertain


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``, in seconds or as a date, which counts from the answer's own ``Date``."""
    lower = {name.lower(): value for name, value in headers.items()}
    value = lower.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(lower["date"])).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None


def may_have_arrived(error: BaseException) -> bool:
    """Whether a request that ended in ``error`` may have been received.

    urllib wraps what happens before the request is sent in ``URLError``; later errors come as they are.
    """
    from urllib.error import URLError

    if isinstance(error, URLError):
        return isinstance(error.reason, ConnectionResetError | BrokenPipeError)
    return True


def explain(error: BaseException) -> str:
    """Return a network error in words that hold no address, for an address may hold a token."""
    from urllib.error import URLError

    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return f"connection failed: {cause.strerror}"
    return f"connection failed ({type(cause).__name__})"


def host_of(url: SecretStr) -> str:
    """Return what may be shown of an address: its scheme and host."""
    parts = urlsplit(url.get_secret_value())
    return f"{parts.scheme}://{parts.hostname}"


def staying(trusted: "ssl.SSLContext | None" = None) -> Any:
    """Return what opens addresses and follows no redirect: urllib would take the token along to wherever it leads.

    ``trusted`` says whose certificates are believed, where it is not the system that does.
    """
    import urllib.request

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    return urllib.request.build_opener(_Stay, *([urllib.request.HTTPSHandler(context=trusted)] if trusted else []))


def exchange(
    url: SecretStr,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    timeout: float,
    method: str = "POST",
    largest: int = LARGEST_REPLY,
    trusted: "ssl.SSLContext | None" = None,
) -> Reply:
    """Make one request, following no redirect.

    Parameters
    ----------
    largest : bytes that are read of the answer's body.
    trusted : as for :func:`staying`.

    Raises
    ------
    UnansweredError
        When no answer came.
    """
    with opened(url, body, headers, timeout=timeout, method=method, trusted=trusted) as answer:
        return Reply(answer.status, headers_of(answer), _beginning(answer, timeout, largest))


@contextmanager
def opened(
    url: SecretStr,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    timeout: float,
    method: str,
    trusted: "ssl.SSLContext | None",
) -> Iterator[Any]:
    """Make one request, following no redirect, and give its answer, whatever its status, to be read.

    Raises
    ------
    UnansweredError
        When no answer came, or it broke off while it was read.
    """
    import http.client
    import urllib.error
    import urllib.request

    asked = urllib.request.Request(  # noqa: S310 - SecretUrl admits http and https only
        url.get_secret_value(), data=body, headers={"User-Agent": "leeway", **headers}, method=method
    )
    try:
        try:
            answer = staying(trusted).open(asked, timeout=timeout)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            yield answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnansweredError(explain(error), uncertain=may_have_arrived(error)) from error


def headers_of(answer: Any) -> dict[str, str]:
    """Return an answer's headers by their names in lower case."""
    return {name.lower(): value for name, value in answer.headers.items()}


def _beginning(answer: Any, timeout: float, largest: int) -> str:
    """Read what comes of a body in ``timeout`` seconds; the status has come already and counts without it."""
    import http.client

    body = b""
    deadline = time.monotonic() + timeout
    try:
        while len(body) < largest and time.monotonic() < deadline:
            piece = answer.read1(LARGEST_REPLY)
            if not piece:
                break
            body += piece
    except (OSError, http.client.HTTPException, ValueError):
        pass
    return body.decode("utf-8", "replace")


def cloud_event(kind: str, *, key: str, model: str, subject: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """Return a CloudEvents 1.0 event in structured JSON; ``key`` is its id, equal for every attempt."""
    event = {
        "specversion": "1.0",
        "id": key,
        "source": f"/leeway/models/{quote(model, safe='', errors='backslashreplace')}",
        "type": kind,
        "subject": subject,
        "time": iso(at),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")


def fitting(build: Callable[[int], bytes]) -> bytes:
    """Return the largest body within ``LARGEST_BODY``; ``build`` takes the most items that a list may hold."""
    bodies = (build(cap) for cap in _LIST_CAPS)
    return next((body for body in bodies if len(body) <= LARGEST_BODY), build(0))


def signature(secret: SecretStr, key: str, timestamp: int, body: bytes) -> str:
    """Return the ``webhook-signature`` of Standard Webhooks: ``v1,`` and an HMAC-SHA256 in base64."""
    own = base64.b64decode(secret.get_secret_value().removeprefix("whsec_"))
    digest = hmac.new(own, f"{key}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def post_event(url: SecretStr, key: str, body: bytes, secret: SecretStr | None, *, timeout: float) -> Reply:
    """Post an event under Standard Webhooks' headers; ``webhook-id`` is the same on every attempt.

    Raises
    ------
    UnansweredError
        When no answer came.
    """
    timestamp = int(time.time())  # the wire's own clock: receivers compare it with theirs to refuse replays
    identifier = quote(key, safe="-_.~:", errors="backslashreplace")  # a header is ASCII
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
    }
    if secret is not None:
        headers["webhook-signature"] = signature(secret, identifier, timestamp, body)
    return exchange(url, body, headers, timeout=timeout)
