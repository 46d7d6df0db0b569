"""Airflow 3 and 2: a run of a DAG, named by the key, so that there can be only one."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from monitor.apis.calling import Api, CallError
from monitor.core.errors import UserError
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable, shorten
from monitor.options import reveal
from monitor.triggers._airflow_server import Server, run_id, signed_in
from monitor.triggers._orchestrator import Orchestrator, Template, body_of, filled, went

_STATES = {
    "queued": RetrainState.ACCEPTED,
    "running": RetrainState.RUNNING,
    "success": RetrainState.SUCCEEDED,
    "failed": RetrainState.FAILED,
}
_LONGEST_NOTE = 1000  # characters that Airflow takes


class Airflow(Orchestrator):
    """A run of a DAG in Airflow 3 (API v2) or Airflow 2 (API v1).

    The run's id is ``leeway__`` and the request's key: Airflow refuses the same id twice. Tasks find the request in
    ``dag_run.conf["leeway"]``, or what ``conf`` says.
    """

    dag: str
    """Id of the DAG."""
    conf: Template = Field(default_factory=lambda: {"leeway": "{request}"})
    """The run's ``conf``; places such as ``{model}`` are filled."""
    api: Literal["auto", "v2", "v1"] = "auto"
    """v2 for Airflow 3, v1 for Airflow 2; ``auto`` asks the server."""
    username: str | None = None
    """User that may read and trigger the DAG."""
    password: SecretStr | None = None
    """The user's password."""
    token: SecretStr | None = None
    """Bearer token, in the place of user and password, for servers that hand one out."""

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; set both or neither")
        if self.token is not None and self.username is not None:
            raise ValueError("set token, or username and password, not both")
        return self

    def _intended(self, request: RetrainRequest) -> str:
        told = body_of(request, lambda facts: self._run_of(request, facts)).decode()
        return f"would run DAG {printable(self.dag)} of {self._api.shown} with {told}"

    def _fire(self, request: RetrainRequest) -> Fired:
        server = self._signed_in()
        dag = self._dag_of(server)
        dated: dict[str, None] = {"logical_date": None} if server.version == "v2" else {}
        body = body_of(request, lambda facts: self._run_of(request, facts) | dated)
        advice = dict.fromkeys((400, 422), "compare conf with the DAG's params; Airflow's log says more")
        try:
            run = server.call("/dagRuns", body, starts=True, advice=advice)
        except CallError as error:
            if error.status != 409:
                raise
            run = server.run(run_id(request.key), starts=True)  # it is there already
        return self._told(server, run, dag)

    def _find(self, request: RetrainRequest) -> Fired | None:
        server = self._signed_in()
        try:
            run = server.run(run_id(request.key))
        except CallError as error:
            if error.status == 404:
                return None
            raise
        return self._told(server, run, self._dag_of(server) if run["state"] == "queued" else {})

    def _probe(self) -> str:
        server = self._signed_in()
        dag = self._dag_of(server)
        shown = f"DAG {printable(self.dag)}"
        if dag.get("has_import_errors"):
            raise UserError(f"{server.api.shown}: {shown} cannot be imported; Airflow's page of it says why")
        stands = "" if server.runs() else "; but its scheduler does not run: runs wait for it"
        return f"{shown} of {server.api.shown}, API {server.version}{_pause(dag)}{stands}"

    def _dag_of(self, server: Server) -> Any:
        shown = printable(self.dag)
        return server.call(
            advice={404: f"there is no DAG {shown} that this user may see; correct dag, or wait until it is parsed"}
        )

    def _run_of(self, request: RetrainRequest, facts: Mapping[str, Any]) -> dict[str, Any]:
        why = f"Leeway: {request.reason}{f' ({request.link})' if request.link else ''}"
        note = shorten(printable(why), _LONGEST_NOTE)
        return {"dag_run_id": run_id(request.key), "conf": filled(self.conf, facts), "note": note}

    def _told(self, server: Server, run: Mapping[str, Any], dag: Mapping[str, Any]) -> Fired:
        name, state = run["dag_run_id"], _STATES.get(run["state"], RetrainState.UNKNOWN)
        tasks = server.failed_tasks(name) if state is RetrainState.FAILED else ""
        said = f"{server.api.shown} has it as run {name}: {run['state']}{tasks}{_pause(dag)}"
        return went(state, name, server.page(self.ui or self.url, name), server.api.quoted(said))

    @property
    def _api(self) -> Api:
        own = {"Authorization": f"Bearer {reveal(self.token)}"} if self.token is not None else {}
        sign_in = "it refuses the sign-in; compare username and password (or token) with its users and their roles"
        return self._api_named("Airflow", own, (self.password, self.token), sign_in)

    def _signed_in(self) -> Server:
        user = (self.username, self.password) if self.username is not None and self.password is not None else None
        return signed_in(self._api, self.dag, None if self.api == "auto" else self.api, user)


def _pause(dag: Mapping[str, Any]) -> str:
    return "; but the DAG is paused: runs wait until somebody unpauses it" if dag.get("is_paused") else ""
