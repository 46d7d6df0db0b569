"""JSON over HTTP with a service: what an answer means for a request, in states and in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from monitor.apis.downloading import MOST_BYTES, download
from monitor.core.errors import LeewayError, UnavailableError, UserError
from monitor.core.retrain import Fired, RetrainState
from monitor.core.wording import printable, shorten
from monitor.outbound import LARGEST_REPLY, Reply, UnansweredError, exchange, host_of

if TYPE_CHECKING:
    import ssl

LOOK_AGAIN = 60.0  # seconds until what is not settled is looked at again, where the service does not say
_SHORTEST_SECRET = 4  # characters from which a value is taken out of shown text


class CallError(Exception):
    """A call that brought nothing: no answer came, or one that says no. Its text is a note for people.

    Parameters
    ----------
    note : what happened, and what to do.
    lasting : whether a person has to change something first.
    uncertain : whether what was asked for may have been done all the same.
    status : of the answer; None where none came.
    retry_after : seconds, where the service says so.
    """

    def __init__(
        self,
        note: str,
        *,
        lasting: bool,
        uncertain: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(note)
        self.lasting = lasting
        self.uncertain = uncertain
        self.status = status
        self.retry_after = retry_after

    def fired(self) -> Fired:
        """Return what it means for a request: what cannot have begun is asked again, anything else is looked up."""
        if self.lasting:
            return Fired(RetrainState.REFUSED, note=str(self))
        state = RetrainState.UNKNOWN if self.uncertain else RetrainState.REQUESTED
        return Fired(state, note=str(self), retry_after=self.retry_after or LOOK_AGAIN)

    def unclear(self) -> Fired:
        """Return what it means for a look-up: nobody knows any more than before."""
        return Fired(RetrainState.UNKNOWN, note=str(self), retry_after=self.retry_after or LOOK_AGAIN)

    def raised(self) -> LeewayError:
        """Return what it means for a probe."""
        return UserError(str(self)) if self.lasting else UnavailableError(str(self))


@dataclass(frozen=True, slots=True)
class Api:
    """A service's API.

    Parameters
    ----------
    name : of the product, as people write it.
    url : where its paths begin.
    timeout : seconds that an answer may take.
    headers : sent with every call.
    secrets : never shown, whatever an answer quotes.
    sign_in : what to do where the credentials are refused.
    largest : bytes that are read of an answer.
    trusted : whose certificates are believed, where it is not the system that says so.
    """

    name: str
    url: str
    timeout: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[SecretStr, ...] = ()
    sign_in: str = ""
    largest: int = LARGEST_REPLY
    trusted: "ssl.SSLContext | None" = field(default=None, repr=False)

    def call(
        self,
        path: str,
        body: bytes | None = None,
        *,
        starts: bool = False,
        advice: Mapping[int, str] | None = None,
    ) -> Any:
        """Return what a GET, or a POST where there is a body, is answered; None where that has no content (204).

        Parameters
        ----------
        path : below ``url``, with its query.
        body : JSON.
        starts : whether this is the call that starts a run, so that its outcome may be unknown.
        advice : what to do about an answer, by its status.

        Raises
        ------
        CallError
            When no answer came, or one that says no or is not JSON.
        """
        headers = {"Accept": "application/json", "Content-Type": "application/json", **self.headers}
        method = "GET" if body is None else "POST"
        try:
            reply = exchange(
                SecretStr(self.url + path),
                body,
                headers,
                timeout=self.timeout,
                method=method,
                largest=self.largest,
                trusted=self.trusted,
            )
        except UnansweredError as unanswered:
            uncertain = starts and unanswered.uncertain
            raise CallError(f"{self.shown}: {unanswered.reason}", lasting=False, uncertain=uncertain) from unanswered
        if not reply.ok:
            raise self._refusal(reply, advice or {}, starts=starts)
        if reply.status == 204:
            return None
        try:
            return json.loads(reply.text)
        except ValueError as error:
            note = f"{self.shown}: its answer is not what {self.name}'s API says; compare url with its address"
            raise CallError(note, lasting=not starts, uncertain=starts, status=reply.status) from error

    def download(self, path: str, to: Path, *, most: int = MOST_BYTES, advice: Mapping[int, str] | None = None) -> None:
        """Write what a GET of ``path`` brings into the file ``to``; at most ``most`` bytes.

        Raises
        ------
        CallError
            When no whole answer came, or one that says no.
        UserError
            When it is too large.
        """
        url = SecretStr(self.url + path)
        try:
            reply = download(url, self.headers, to, timeout=self.timeout, most=most, trusted=self.trusted)
        except UnansweredError as unanswered:
            raise CallError(f"{self.shown}: {unanswered.reason}", lasting=False) from unanswered
        if not reply.ok:
            raise self._refusal(reply, advice or {}, starts=False)

    @property
    def shown(self) -> str:
        """What may be shown of it."""
        return f"{self.name} at {host_of(SecretStr(self.url))}"

    def _refusal(self, reply: Reply, advice: Mapping[int, str], *, starts: bool) -> CallError:
        usual = {401: self.sign_in, 403: self.sign_in, 404: f"compare url with {self.name}'s address"}
        limit = _limit(reply)
        remedy = ({**usual, **advice}).get(reply.status, "") if limit is None else "it limits calls; asked again later"
        if 300 <= reply.status < 400:
            remedy = "it redirects, which is not followed; set url to the final address"
        quoted = self.quoted(_detail(reply))
        note = "; ".join(part for part in (f"HTTP {reply.status}{quoted and f' ({quoted})'}", remedy) if part)
        return CallError(
            f"{self.shown}: {note}",
            lasting=not reply.transient and limit is None,
            uncertain=starts and reply.status >= 500,
            status=reply.status,
            retry_after=limit or reply.retry_after,
        )

    def quoted(self, text: str) -> str:
        """Return what may be shown of a text of the service's: one line, not long, and no secret."""
        for value in (secret.get_secret_value() for secret in self.secrets):
            if len(value) >= _SHORTEST_SECRET:
                text = text.replace(value, "***")
        return shorten(printable(" ".join(text.split())), 300)


def _limit(reply: Reply) -> float | None:
    """Return after how many seconds calls are taken again, where their limit is reached: a 403 may say so, too."""
    if reply.status not in (403, 429):
        return None
    if reply.retry_after is not None:
        return reply.retry_after
    if reply.headers.get("x-ratelimit-remaining") == "0":
        try:
            now = parsedate_to_datetime(reply.headers["date"]).timestamp()
            return max(1.0, float(reply.headers["x-ratelimit-reset"]) - now)
        except (KeyError, ValueError):
            return LOOK_AGAIN
    return LOOK_AGAIN if reply.status == 429 or "rate limit" in reply.text.lower() else None


def _detail(reply: Reply) -> str:
    """Return the sentence of an answer that says no; a web page says nothing that fits a note."""
    text = reply.text.strip()
    try:
        body = json.loads(text)
    except ValueError:
        return "" if text.startswith("<") else text
    detail = (
        (body.get("detail") or body.get("message") or body.get("title") or text) if isinstance(body, dict) else text
    )
    return detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False)
