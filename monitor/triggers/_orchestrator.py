"""What the triggers of orchestrators have in common: options, the way of a request, and places in what is sent."""

import json
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from monitor.apis.calling import LOOK_AGAIN, Api, CallError
from monitor.apis.service import Service
from monitor.core.errors import UserError
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.outbound import fitting

_PLACE = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
_PLACES = (
    *("request", "key", "model", "version", "reason", "incident", "columns", "window", "window_start", "window_end"),
    *("reference", "link", "labels_available", "labelled_rows", "action", "target", "requested_at", "requested_by"),
)
_UNINTELLIGIBLE = (LookupError, TypeError, AttributeError)  # what an answer of another shape leads to
_UNSETTLED = frozenset({RetrainState.ACCEPTED, RetrainState.RUNNING, RetrainState.UNKNOWN})


def _with_known_places(template: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(template, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "it is sent as JSON, which has texts, numbers, true, false, null, lists and mappings"
        ) from error
    for name in _PLACE.findall(text):
        if name not in _PLACES:
            raise ValueError(f"there is no {{{name}}} to fill in; there are {', '.join(_PLACES)}")
    return template


Template = Annotated[dict[str, Any], AfterValidator(_with_known_places), WithJsonSchema({"type": "object"})]
"""What is sent, at any depth with places such as ``{model}`` that the request fills."""


class Orchestrator(Service):
    """An orchestrator's address and manners; every one fires, finds and probes in its own way."""

    def fire(self, request: RetrainRequest, *, dry_run: bool = False) -> Fired:
        """Ask for a run, unless there is one of this key; with ``dry_run`` only say what would be asked."""
        if dry_run:
            return Fired(RetrainState.PROPOSED, note=self._intended(request))
        try:
            return self._fire(request)
        except CallError as error:
            return error.fired()
        except _UNINTELLIGIBLE:  # a run may have begun
            return Fired(RetrainState.UNKNOWN, note=self._strange, retry_after=LOOK_AGAIN)

    def find(self, request: RetrainRequest) -> Fired | None:
        """Say what became of a key's run; None where there is none."""
        try:
            return self._find(request)
        except CallError as error:
            return error.unclear()
        except _UNINTELLIGIBLE:
            return Fired(RetrainState.UNKNOWN, note=self._strange, retry_after=LOOK_AGAIN)

    def probe(self) -> str:
        """Say what would run; nothing is started."""
        try:
            return self._probe()
        except CallError as error:
            raise error.raised() from error
        except _UNINTELLIGIBLE as error:
            raise UserError(self._strange) from error

    @property
    @abstractmethod
    def _api(self) -> Api: ...

    @abstractmethod
    def _intended(self, request: RetrainRequest) -> str: ...

    @abstractmethod
    def _fire(self, request: RetrainRequest) -> Fired: ...

    @abstractmethod
    def _find(self, request: RetrainRequest) -> Fired | None: ...

    @abstractmethod
    def _probe(self) -> str: ...

    @property
    def _strange(self) -> str:
        return f"{self._api.shown} answers, but not as its API does; compare url with its address"


def went(state: RetrainState, run: str, url: str | None, note: str) -> Fired:
    """Return what is known of a run; until its end it is looked at again."""
    return Fired(state, run=run, url=url, note=note, retry_after=LOOK_AGAIN if state in _UNSETTLED else None)


def facts_of(request: RetrainRequest, most: int) -> dict[str, Any]:
    """Return what fills each place; of more than ``most`` columns the first, and how many were left out."""
    told = request.as_json()
    if len(columns := told["columns"]) > most:
        told |= {"columns": columns[:most], "omitted": {"columns": len(columns) - most}}
    window = told["window"] or {"start": None, "end": None}
    return {**told, "request": told, "window_start": window["start"], "window_end": window["end"]}


def filled(template: Any, facts: Mapping[str, Any]) -> Any:
    """Return what is sent: a place that is a whole text becomes the fact itself, one among other words its text."""
    if isinstance(template, dict):
        return {name: filled(value, facts) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, facts) for value in template]
    if not isinstance(template, str):
        return template
    if whole := _PLACE.fullmatch(template):
        return facts[whole[1]]
    return _PLACE.sub(lambda place: text_of(facts[place[1]]), template)


def body_of(request: RetrainRequest, build: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> bytes:
    """Return the JSON that ``build`` makes of a request's facts, with so many columns as fit."""
    return fitting(lambda most: json.dumps(build(facts_of(request, most)), allow_nan=False).encode())


def text_of(fact: Any) -> str:
    """Return a fact as a text; of what is missing the empty one."""
    if fact is None:
        return ""
    return fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)
