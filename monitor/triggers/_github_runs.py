"""Runs of GitHub Actions: how far one is, and which of a list are a key's."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from monitor.apis.calling import Api, CallError
from monitor.core.retrain import RetrainState
from monitor.core.window import iso

LARGEST_ANSWER = 8 * 2**20  # bytes; GitHub describes a run in some 15,000
_A_PAGE = 50
_MOST_PAGES = 20  # GitHub lists no more than 1,000 runs
_SETTLED = 300.0  # seconds after which a call that was cut off has come to its end, and its run is listed
_SKEW = timedelta(minutes=10)  # by which two clocks may differ

_WAITING = frozenset({"queued", "requested", "waiting", "pending", "action_required"})
_FAILURES = frozenset(
    {"failure", "cancelled", "timed_out", "startup_failure", "stale", "action_required", "skipped", "neutral"}
)


@dataclass(eq=False, slots=True)
class Begun:
    """What this process has seen begun: keys with their runs' numbers, None where GitHub did not say.

    It is no part of a configuration: two are always equal.
    """

    runs: dict[str, int | None] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)  # one look-up and start at a time

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Begun)

    def __hash__(self) -> int:
        return hash(Begun)


def state_of(run: Mapping[str, Any]) -> RetrainState:
    """Return how far a run is. One whose jobs were all skipped has trained nothing."""
    status, conclusion = run["status"], run.get("conclusion")
    if status != "completed":
        known = {"in_progress": RetrainState.RUNNING, **dict.fromkeys(_WAITING, RetrainState.ACCEPTED)}
        return known.get(status, RetrainState.UNKNOWN)
    if conclusion == "success":
        return RetrainState.SUCCEEDED
    return RetrainState.FAILED if conclusion in _FAILURES else RetrainState.UNKNOWN


def runs_of(api: Api, workflow: str, key: str, since: datetime) -> list[Mapping[str, Any]]:
    """Return the runs of a workflow whose name has a key in it, the first one first.

    Parameters
    ----------
    workflow : its address below the API's.
    since : no run of the key can be older.

    Raises
    ------
    CallError
        When a list cannot be read, or goes on after so many pages that nobody knows whether the key is in it.
    """
    whole = re.compile(rf"(?<![\w-]){re.escape(' '.join(key.split()))}(?![\w-])")
    found = [run for run in _listed(api, workflow, since) if whole.search(_names(run))]
    return sorted(found, key=lambda run: int(run["id"]))


def dispatch(api: Api, workflow: str, body: Callable[[Mapping[str, Any]], bytes], advice: Mapping[int, str]) -> Any:
    """Start a run and return what GitHub says of it; None where it does not say, as older servers do not.

    Parameters
    ----------
    workflow : its address below the API's.
    body : of the call, which takes what else is asked for.
    advice : as for :meth:`Api.call`.

    Raises
    ------
    CallError
        As :meth:`Api.call` does. Where the run may have begun, it is not to be looked up before it must be listed.
    """
    try:
        try:
            detailed = body({"return_run_details": True})
            return api.call(f"{workflow}/dispatches", detailed, starts=True, advice=advice)
        except CallError as error:  # a server that does not know of details may refuse to be asked for them
            if error.status != 422 or "return_run_details" not in str(error):
                raise
        return api.call(f"{workflow}/dispatches", body({}), starts=True, advice=advice)
    except CallError as error:
        if error.uncertain:
            error.retry_after = max(error.retry_after or 0.0, _SETTLED)
        raise


def _listed(api: Api, workflow: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    asked = {"event": "workflow_dispatch", "created": f">={iso(since - _SKEW)}", "exclude_pull_requests": "true"}
    for page in range(1, _MOST_PAGES + 1):
        answer = api.call(f"{workflow}/runs?{urlencode({**asked, 'per_page': _A_PAGE, 'page': page})}")
        yield from answer["workflow_runs"]
        if len(answer["workflow_runs"]) < _A_PAGE:
            return
    note = f"{api.shown} lists more than {_A_PAGE * _MOST_PAGES} runs since it was asked; look for the key there"
    raise CallError(note, lasting=False)


def _names(run: Mapping[str, Any]) -> str:
    return "\n".join(" ".join(str(run.get(name) or "").split()) for name in ("display_title", "name"))
