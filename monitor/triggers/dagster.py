"""Dagster: a run of a job. Dagster does not tell a repeated request from a new one: runs are looked up by tag first."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, SecretStr

from monitor.apis.calling import Api, CallError
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable
from monitor.options import reveal
from monitor.triggers._dagster_graphql import DAEMONS, JOBS, LAUNCH, RUNS, ask, data_of, tags_of
from monitor.triggers._orchestrator import Orchestrator, Template, body_of, filled, went

_STATES = {
    **dict.fromkeys(("QUEUED", "NOT_STARTED", "MANAGED", "STARTING"), RetrainState.ACCEPTED),
    **dict.fromkeys(("STARTED", "CANCELING"), RetrainState.RUNNING),
    "SUCCESS": RetrainState.SUCCEEDED,
    **dict.fromkeys(("FAILURE", "CANCELED"), RetrainState.FAILED),
}
_SETTLED = (
    300.0  # seconds after which a launch that was cut off has come to its end: looked up sooner, it may be missed
)


class Dagster(Orchestrator):
    """A run of a Dagster job.

    The request is in the run's tags: ``leeway/key``, ``leeway/model`` and so on, and all of it as JSON in
    ``leeway/request`` (of very many columns the first). A job with a configuration of its own gets ``run_config``.
    """

    job: str
    """Name of the job."""
    location: str | None = None
    """Its code location, where several have a job of that name."""
    repository: str | None = None
    """Its repository, where several have a job of that name."""
    run_config: Template = Field(default_factory=dict)
    """The run's configuration, such as ``{ops: {fit: {config: {model: "{model}"}}}}``; places are filled."""
    token: SecretStr | None = None
    """Token of Dagster+. Dagster's own webserver asks for none."""

    def _intended(self, request: RetrainRequest) -> str:
        told = body_of(request, self._run_of).decode()
        return f"would run job {printable(self.job)} of {self._api.shown} with {told}"

    def _fire(self, request: RetrainRequest) -> Fired:
        api = self._api
        if (known := self._find(request)) is not None:
            return known
        selector = self._selector(api)
        body = body_of(
            request,
            lambda facts: {"query": LAUNCH, "variables": {"params": {"selector": selector, **self._run_of(facts)}}},
        )
        try:
            launched = data_of(api, api.call("/graphql", body, starts=True), starts=True)
        except CallError as error:
            if error.uncertain:
                error.retry_after = max(error.retry_after or 0.0, _SETTLED)
            raise
        return self._told(launched["run"])

    def _find(self, request: RetrainRequest) -> Fired | None:
        runs = ask(self._api, RUNS, {"key": request.key})["results"]
        return self._told(runs[-1]) if runs else None  # the latest comes first

    def _probe(self) -> str:
        api = self._api
        selector = self._selector(api)
        where = f"{selector['repositoryName']}@{selector['repositoryLocationName']}"
        daemons = ask(api, DAEMONS)["daemonHealth"]["allDaemonStatuses"]
        waits = any(
            daemon["daemonType"] == "QUEUED_RUN_COORDINATOR" and daemon["required"] and not daemon["healthy"]
            for daemon in daemons
        )
        warning = "; but no Dagster daemon runs: runs stay queued until one does (dagster-daemon run)" if waits else ""
        return f"job {printable(self.job)} ({printable(where)}) of {api.shown}{warning}"

    def _selector(self, api: Api) -> dict[str, str]:
        """Return how Dagster names the job, whose code location and repository need not be configured."""
        found = [
            (node["location"]["name"], node["name"])
            for node in ask(api, JOBS)["nodes"]
            if any(job["name"] == self.job for job in node["jobs"])
            and self.location in (None, node["location"]["name"])
            and self.repository in (None, node["name"])
        ]
        shown = printable(self.job)
        if not found:
            note = f"{api.shown}: no code location that is loaded has a job {shown}; correct job, or load it"
            raise CallError(note, lasting=True)
        if len(found) > 1:
            places = ", ".join(f"{repository}@{location}" for location, repository in sorted(found))
            note = f"{api.shown}: several have a job {shown}: {api.quoted(places)}; set location and repository"
            raise CallError(note, lasting=True)
        location, repository = found[0]
        return {"repositoryLocationName": location, "repositoryName": repository, "jobName": self.job}

    def _run_of(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {"runConfigData": filled(self.run_config, facts), "executionMetadata": {"tags": tags_of(facts)}}

    def _told(self, run: Mapping[str, Any]) -> Fired:
        name, status = run["runId"], run["status"]
        note = f"{self._api.shown} has it as run {name}: {status.lower().replace('_', ' ')}"
        state = _STATES.get(status, RetrainState.UNKNOWN)
        return went(state, name, f"{self.ui or self.url}/runs/{name}", self._api.quoted(note))

    @property
    def _api(self) -> Api:
        own = {"Dagster-Cloud-Api-Token": reveal(self.token) or ""} if self.token is not None else {}
        sign_in = "it refuses the sign-in; compare token (or headers) with what it asks for"
        return self._api_named("Dagster", own, (self.token,), sign_in)
