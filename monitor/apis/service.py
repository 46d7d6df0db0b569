"""A service that is reached over HTTP: the options that all of them have."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from monitor.apis.calling import Api
from monitor.options import Duration, Options


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with https:// (or http://) and names a host")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("an address is shown to people: no user:password@, no ? and no # in it")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
"""An HTTP address that people may see, since links begin with it."""


class Service(Options):
    """A service's address and manners."""

    url: Address
    """Where its API is."""
    ui: Address | None = None
    """Address that links to runs begin with, where people reach it under another one."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Headers for every call, where a proxy before it asks for some."""
    timeout: Duration = timedelta(seconds=30)
    """How long to wait for an answer."""

    def _api_named(self, name: str, own: Mapping[str, str], secrets: Iterable[SecretStr | None], sign_in: str) -> Api:
        """Return the API at ``url``; ``own`` are headers besides the configured ones."""
        given = {header: value.get_secret_value() for header, value in self.headers.items()}
        hidden = tuple(secret for secret in (*secrets, *self.headers.values()) if secret is not None)
        return Api(name, self.url, self.timeout.total_seconds(), {**given, **own}, hidden, sign_in)
