"""What ``config.yaml`` may say about running Leeway itself: its web port, its proofs of life, what it keeps."""

from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from monitor.options import Duration, Options
from monitor.outbound import SecretUrl


class Web(Options):
    """Where the daemon answers over HTTP: ``/healthz``, ``/readyz`` and ``/metrics``."""

    host: str = "127.0.0.1"
    """Address to listen on; one that others can reach needs a token."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8321
    """Port to listen on; 0 takes a free one, which the log names."""
    token: Annotated[SecretStr, Field(min_length=16)] | None = None
    """What a request must carry, as ``Authorization: Bearer …``; the two health endpoints say little and need none."""

    @model_validator(mode="after")
    def _token_where_others_reach_it(self) -> Self:
        if self.token is None and not _is_loopback(self.host):
            raise ValueError(f"host {self.host} can be reached by others: set a token, or host: 127.0.0.1")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Ping(Options):
    """A dead man's switch: somebody else's service that complains when this daemon no longer calls."""

    url: SecretUrl
    """The check's address, as Healthchecks and its like hand it out."""
    every: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=1)
    """How often it is called, as long as the daemon makes progress."""


class Canary(Options):
    """A fault that Leeway plants in a copy of a stored sample, to prove that an alert would get through."""

    every: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(hours=6)
    """How often the way of an alert is proven; at most once in this time, however many replicas there are. A proof that
    failed is tried again after ten minutes."""
    notify: tuple[str, ...] = ()
    """Receivers that are asked whether they would be reached (as by ``monitor config check --connect``); by default
    all of them. None of them is sent a message."""


class Retention(Options):
    """How long the store keeps what; what an open incident needs stays."""

    samples: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=90)
    """Sampled rows of windows."""
    profiles: Annotated[Duration, Field(ge=timedelta(days=60))] = timedelta(days=400)
    """Profiles, findings and evidence of windows; at least the eight weeks that tell the usual volume."""
    incidents: Annotated[Duration, Field(ge=timedelta(days=60))] = timedelta(days=730)
    """Resolved incidents with their timelines, delivered messages, ended retrainings, and rows of windows."""
