"""The kinds of values that Slack's options take, each checked with a sentence that says where to find a right one."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr


def _mention(value: str) -> str:
    if not re.fullmatch(r"here|channel|everyone|[SUW][A-Z0-9]{2,}", value):
        raise ValueError("mention is the id of a user group (S…) or user (U…), or one of here, channel, everyone")
    return value


def _channel(value: str) -> str:
    if not re.fullmatch(r"[CGD][A-Z0-9]{2,}|#[^\s#]+", value):
        raise ValueError("channel is an id such as C0123456789, from the channel's details, or a name such as #alerts")
    return value


def _token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("a token is one word such as xoxb-…; is the variable empty, or does it hold a line break?")
    return value


def _app_token(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith("xapp-"):
        raise ValueError("app_token is the app-level token, xapp-…; the bot's own, xoxb-…, belongs in token")
    return _token(value)


def _person(value: str) -> str:
    if not re.fullmatch(r"[UW][A-Z0-9]{2,}", value):
        raise ValueError("may_press holds ids of users such as U0123456789, by “Copy member ID” in their profiles")
    return value


Mention = Annotated[str, AfterValidator(_mention)]
Channel = Annotated[str, AfterValidator(_channel)]
Token = Annotated[SecretStr, AfterValidator(_token)]
AppToken = Annotated[SecretStr, AfterValidator(_app_token)]
Person = Annotated[str, AfterValidator(_person)]
