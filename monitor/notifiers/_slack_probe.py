"""Looks whether a bot could deliver: who it is, what it may do, whether its channel and Socket Mode are there."""

from typing import Any

from monitor.notifiers._slack_bot import asked
from monitor.notifiers._slack_errors import RefusedError, refusal
from monitor.notifiers._slack_socket import open_socket

_WANTED_SCOPES = {
    "chat:write": "to post",
    "files:write": "to show charts",
    "channels:history": "to look whether a message arrived before sending it again",
}


def probe_bot(client: Any, channel: str, app_token: str | None) -> str:
    """Return in words whom the bot reaches and what it lacks, without posting.

    Raises
    ------
    RefusedError
        When it reaches nobody, or its buttons would be heard by nobody.
    """
    who = asked(client.auth_test)
    granted = {name.lower(): value for name, value in dict(who.headers).items()}.get("x-oauth-scopes")
    scopes = set(granted.replace(" ", "").split(",")) if granted else set(_WANTED_SCOPES)
    lacking = [f"{scope} ({why})" for scope, why in _WANTED_SCOPES.items() if scope not in scopes]
    if "chat:write" not in scopes:
        raise refusal("missing_scope")
    if not channel.startswith("#"):
        try:
            asked(client.conversations_info, channel=channel)
        except RefusedError as refused:
            if refused.code != "missing_scope":  # not being allowed to look says nothing about the channel
                raise
    heard = ""
    if app_token is not None:
        open_socket(client, app_token)
        heard = "; buttons by Socket Mode"
    hint = f"; the app lacks {', '.join(lacking)}" if lacking else ""
    return f"Slack channel {channel} as {who.get('user')} of {who.get('team')}{heard}{hint}"
