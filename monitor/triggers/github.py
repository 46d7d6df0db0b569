"""GitHub Actions: a run of a workflow, named by the key, since GitHub itself takes a repeated request for a new one."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr, model_validator

from monitor.apis.calling import LOOK_AGAIN, Api, CallError
from monitor.apis.service import Address
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable, shorten
from monitor.options import Duration
from monitor.triggers._github_runs import LARGEST_ANSWER, Begun, dispatch, runs_of, state_of
from monitor.triggers._github_workflow import examined, workflow_at
from monitor.triggers._orchestrator import Orchestrator, Template, body_of, filled, text_of, went

_CLOUD = "https://api.github.com"
_MOST_INPUTS = 25  # that GitHub takes


def _owned(value: str) -> str:
    owner, _, name = value.partition("/")
    if not (owner and name) or "/" in name:
        raise ValueError("a repository is named by its owner and its own name, such as acme/models")
    return value


class Github(Orchestrator):
    """A run of a GitHub Actions workflow, started by workflow_dispatch.

    The workflow gets the inputs ``leeway_key`` and ``leeway`` (the request as JSON), or what ``inputs`` say. It must
    have the key in its ``run-name``: by that a run is found again. Nothing is asked twice where it has not.
    """

    url: Address = _CLOUD
    """Where its API is; of GitHub Enterprise Server https://HOST/api/v3."""
    repository: Annotated[str, AfterValidator(_owned)]
    """The repository, as ``owner/name``."""
    workflow: str
    """The workflow's file, such as ``train.yml``, or its number."""
    ref: str = "main"
    """Branch or tag whose workflow runs."""
    token: SecretStr
    """Token that may write the repository's actions and read its contents."""
    inputs: Template = Field(default_factory=lambda: {"leeway_key": "{key}", "leeway": "{request}"})
    """The run's inputs, all of them texts; places such as ``{model}`` are filled."""
    listing: Duration = timedelta(seconds=30)
    """How long a run that GitHub has begun may be missing in its lists: so long it is looked for."""

    _begun: Begun = PrivateAttr(default_factory=Begun)

    @model_validator(mode="after")
    def _inputs_that_github_takes(self) -> Self:
        if len(self.inputs) > _MOST_INPUTS:
            raise ValueError(f"GitHub takes {_MOST_INPUTS} inputs at most; {{request}} holds everything in one")
        if not self._key_inputs:
            raise ValueError('one of inputs must have the key, such as leeway_key: "{key}"; its run is found by it')
        return self

    def _intended(self, request: RetrainRequest) -> str:
        told = body_of(request, self._run_of).decode()
        return f"would run workflow {self._shown} of {self._api.shown} with {told}"

    def _fire(self, request: RetrainRequest) -> Fired:
        with self._begun.turn:
            known = self._known(request)
            return known if known is not None else self._start(request)

    def _find(self, request: RetrainRequest) -> Fired | None:
        until = time.monotonic() + self.listing.total_seconds()
        while (known := self._known(request)) is None:
            if time.monotonic() >= until:
                return None if self._names_its_runs() else self._untraceable()
            time.sleep(min(5.0, self.listing.total_seconds() / 5))
        return known

    def _known(self, request: RetrainRequest) -> Fired | None:
        """Return what is known of a key: by its run's number where that is known, else by its name in the list."""
        api = self._api
        if (number := self._begun.runs.get(request.key)) is not None:
            gone = {404: f"run {number} is deleted, or this token may not see it any more; nothing is asked again"}
            try:
                return self._told(api.call(f"/actions/runs/{number}", advice=gone))
            except CallError as error:
                return error.unclear()
        found = runs_of(api, self._path, request.key, request.requested_at)
        if not found:
            return self._unlisted() if request.key in self._begun.runs else None
        self._begun.runs[request.key] = int(found[0]["id"])
        return self._told(found[0], f"; {len(found) - 1} more have its key" if len(found) > 1 else "")

    def _start(self, request: RetrainRequest) -> Fired:
        shown = self._shown
        refused = f"compare ref and inputs with workflow {shown}"
        missing = f"there is no workflow {shown} that this token may see; correct repository or workflow"
        advice = {404: missing, 422: refused, 403: "the token needs the permission actions: write"}
        begun = dispatch(
            self._api, self._path, lambda more: body_of(request, lambda facts: {**self._run_of(facts), **more}), advice
        )
        number = begun["workflow_run_id"] if begun is not None else None
        self._begun.runs[request.key] = number
        if number is None:
            return self._unlisted()
        return self._told({**begun, "id": number, "status": "queued"})

    def _probe(self) -> str:
        api, shown = self._api, self._shown
        described = examined(api, self._path, self.ref, shown, printable(self.repository))
        described.compare(f"workflow {shown}", self.inputs)
        warning = "" if described.names_runs_by(self._key_inputs) else f"; but {self._advice}"
        return f"workflow {shown} of {api.shown}{warning}"

    def _names_its_runs(self) -> bool:
        """Whether the key is in the names of runs, so that one which is not listed was never begun."""
        api = self._api
        described = workflow_at(api, api.call(self._path)["path"], self.ref)
        return described is not None and described.names_runs_by(self._key_inputs)

    def _untraceable(self) -> Fired:
        note = f"{self._api.shown} lists no run of this key, but {self._advice}; look there whether it ran"
        return Fired(RetrainState.UNKNOWN, note=note, retry_after=LOOK_AGAIN)

    def _unlisted(self) -> Fired:
        note = f"{self._api.shown} took it; its run is not listed yet"
        return Fired(RetrainState.ACCEPTED, note=note, retry_after=LOOK_AGAIN)

    @property
    def _advice(self) -> str:
        name = self._key_inputs[0]
        return (
            f"its run-name does not have the key, so that a lost answer cannot be looked up and is not asked again; "
            f"write run-name: retrain ${{{{ inputs.{name} }}}}"
        )

    def _run_of(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {"ref": self.ref, "inputs": {name: text_of(value) for name, value in filled(self.inputs, facts).items()}}

    def _told(self, run: Mapping[str, Any], more: str = "") -> Fired:
        state = state_of(run)
        ending = run.get("conclusion") if run["status"] == "completed" else run["status"]
        said = f"{self._api.shown} has it as run {run['id']}: {str(ending).replace('_', ' ')}{more}"
        page = f"{self.ui}/{self.repository}/actions/runs/{run['id']}" if self.ui else str(run.get("html_url"))
        linked = page if page.startswith(("https://", "http://")) else None
        return went(state, str(run["id"]), linked, self._api.quoted(said))

    @property
    def _key_inputs(self) -> list[str]:
        return [name for name, value in self.inputs.items() if isinstance(value, str) and "{key}" in value]

    @property
    def _path(self) -> str:
        return f"/actions/workflows/{quote(self.workflow, safe='')}"

    @property
    def _shown(self) -> str:
        return shorten(printable(f"{self.repository}/{self.workflow}"), 120)

    @property
    def _api(self) -> Api:
        own = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token.get_secret_value()}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        api = self._api_named("GitHub", own, (self.token,), "it refuses the token; compare token and its permissions")
        return replace(api, url=f"{self.url}/repos/{quote(self.repository)}", largest=LARGEST_ANSWER)
