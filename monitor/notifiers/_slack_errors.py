"""What Slack's refusals mean: try later, mend the configuration, send plainer, or post afresh."""

from enum import StrEnum
from typing import Any, NoReturn

from monitor.core.notice import Deferred, Outcome, Rejected
from monitor.core.wording import printable, shorten
from monitor.outbound import explain, may_have_arrived, retry_after

_TRANSIENT = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org",
                        "ratelimited", "rate_limited", "message_limit_exceeded"})  # fmt: skip
_NOT_STORED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded", "request_timeout"})
_PAYLOAD = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text",
                      "invalid_payload", "metadata_too_large", "block_mismatch"})  # fmt: skip
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_REMEDIES = {
    "invalid_auth": "the token is not valid; copy the Bot User OAuth Token (xoxb-…) of the app again",
    "not_authed": "no token arrived; set token to the app's Bot User OAuth Token (xoxb-…)",
    "account_inactive": "the token's workspace or bot was removed; install the app again",
    "token_revoked": "the token was revoked; install the app again and copy its new token",
    "token_expired": "the token has expired; issue a new one, or turn token rotation off for the app",
    "not_in_channel": "the bot is not in the channel; invite it there with /invite",
    "channel_not_found": "the bot sees no such channel; use the id from the channel's details and invite the bot",
    "is_archived": "the channel is archived; choose another one",
    "channel_is_archived": "the channel is archived; choose another one",
    "missing_scope": "the app lacks a permission; add chat:write, files:write and channels:history, then reinstall it",
    "restricted_action": "a workspace setting forbids the bot to post there; ask an administrator",
    "no_service": "the incoming webhook was removed; create a new one in the app's settings",
    "invalid_token": "the incoming webhook's address is not valid; copy it again from the app's settings",
    "action_prohibited": "an administrator restricts posting to the channel; choose another one",
}


class Kind(StrEnum):
    """Classes of refusals by what helps against them."""

    TRANSIENT = "transient"
    CONFIGURATION = "configuration"
    PAYLOAD = "payload"
    GONE = "gone"


class RefusedError(Exception):
    """Slack did not do what was asked. ``uncertain`` says that it may have done it all the same."""

    def __init__(
        self, kind: Kind, reason: str, *, code: str = "", retry_after: float | None = None, uncertain: bool = False
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.code = code
        self.retry_after = retry_after
        self.uncertain = uncertain

    def outcome(self, *, uncertain: bool = False) -> Outcome:
        """Return what the outbox is told; ``uncertain`` adds a doubt from an earlier attempt."""
        if self.kind is Kind.TRANSIENT:
            return Deferred(self.reason, self.retry_after, uncertain=self.uncertain or uncertain)
        return Rejected(self.reason)


def refuse(error: Exception) -> NoReturn:
    """Raise what an exception of slack_sdk or of the network means.

    Raises
    ------
    RefusedError
        Always. Its words hold no address and no token.
    """
    from http.client import HTTPException

    from slack_sdk.errors import SlackApiError

    if isinstance(error, SlackApiError) and not isinstance(error.response, str):
        raise _answered(error.response) from error
    if isinstance(error, OSError | HTTPException):
        raise RefusedError(Kind.TRANSIENT, f"Slack: {explain(error)}", uncertain=may_have_arrived(error)) from error
    # Anything else means an answer that the SDK could not read, such as a proxy's page.
    raise RefusedError(Kind.TRANSIENT, f"Slack: unreadable answer ({type(error).__name__})", uncertain=True) from error


def _answered(response: Any) -> RefusedError:
    status = int(response.status_code)
    headers = {str(name): str(value) for name, value in dict(response.headers or {}).items()}
    data = response.data if isinstance(response.data, dict) else {}
    code = str(data.get("error", ""))
    if status == 429 or code in _NOT_STORED:
        return RefusedError(Kind.TRANSIENT, "Slack: too many messages", code=code, retry_after=retry_after(headers))
    if status >= 500 or code in _TRANSIENT:
        what = code if code in _TRANSIENT else f"HTTP {status}"
        return RefusedError(
            Kind.TRANSIENT, f"Slack: {what}", code=code, uncertain=True, retry_after=retry_after(headers)
        )
    return refusal(code, _pointers(data))


def refusal(code: str, detail: str = "") -> RefusedError:
    """Return what an error code of Slack's means."""
    shown = shorten(printable(code), 80) or "no reason given"
    if code in _PAYLOAD:
        return RefusedError(Kind.PAYLOAD, f"Slack: {shown}{detail}", code=code)
    if code in _GONE:
        return RefusedError(Kind.GONE, f"Slack: {shown}", code=code)
    remedy = _REMEDIES.get(code, "see this error in Slack's reference of chat.postMessage")
    return RefusedError(Kind.CONFIGURATION, f"Slack: {shown}: {remedy}", code=code)


def _pointers(data: dict[str, Any]) -> str:
    """Return where in the blocks Slack found fault, as far as it says."""
    said = data.get("response_metadata")
    messages = said.get("messages") if isinstance(said, dict) else None
    words = "; ".join(str(line) for line in messages) if isinstance(messages, list) else ""
    return f" ({shorten(printable(words), 200)})" if words else ""
