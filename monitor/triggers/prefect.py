"""Prefect 3: a run of a deployment, which an idempotency key makes the only one."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote, urlsplit

from pydantic import SecretStr, field_validator, model_validator

from monitor.apis.calling import Api
from monitor.apis.service import Address
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable
from monitor.options import reveal
from monitor.triggers._orchestrator import Orchestrator, Template, body_of, filled, went
from monitor.triggers._prefect_deployment import compare, taken, waiting

_STATES = {
    **dict.fromkeys(("SCHEDULED", "PENDING"), RetrainState.ACCEPTED),
    **dict.fromkeys(("RUNNING", "PAUSED", "CANCELLING"), RetrainState.RUNNING),
    "COMPLETED": RetrainState.SUCCEEDED,
    **dict.fromkeys(("FAILED", "CRASHED", "CANCELLED"), RetrainState.FAILED),
}
_PARAMETER = "leeway"  # what the request is called where the configuration does not say


class Prefect(Orchestrator):
    """A run of a Prefect 3 deployment.

    The request is in the run's context; a flow with a parameter ``leeway`` gets it there too, as one dict. Where
    ``parameters`` are set, it gets those instead. The run's idempotency key is the request's key, and its tags name
    model, version and incident.
    """

    url: Address
    """Address of the API, such as http://prefect:4200/api or https://api.prefect.cloud/api/accounts/…/workspaces/…."""
    deployment: str
    """The deployment, as ``flow/deployment``."""
    parameters: Template | None = None
    """Parameters of the run, such as ``{model: "{model}", since: "{window_start}"}``, in the place of ``leeway``."""
    api_key: SecretStr | None = None
    """Key of Prefect Cloud."""
    auth_string: SecretStr | None = None
    """``user:password`` of a server with PREFECT_SERVER_API_AUTH_STRING."""

    @field_validator("deployment")
    @classmethod
    def _named_in_full(cls, value: str) -> str:
        flow, _, name = value.partition("/")
        if not (flow and name):
            raise ValueError("a deployment is named by its flow and its own name, such as train/nightly")
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if self.api_key is not None and self.auth_string is not None:
            raise ValueError("set api_key or auth_string, not both")
        return self

    def _intended(self, request: RetrainRequest) -> str:
        told = body_of(request, lambda facts: self._run_of(request, facts, takes_request=True)).decode()
        return f"would run deployment {printable(self.deployment)} of {self._api.shown} with {told}"

    def _fire(self, request: RetrainRequest) -> Fired:
        deployment = self._deployment()
        takes_request = _PARAMETER in taken(deployment)
        run = self._api.call(
            f"/deployments/{deployment['id']}/create_flow_run",
            body_of(request, lambda facts: self._run_of(request, facts, takes_request=takes_request)),
            starts=True,
            # 409 is about parameters; a key that has been used is answered with its run.
            advice=dict.fromkeys((400, 409, 422), "compare parameters with what the flow takes"),
        )
        return self._told(run)

    def _find(self, request: RetrainRequest) -> Fired | None:
        asked = {
            "flows": {"name": {"any_": [self.deployment.partition("/")[0]]}},  # a key is unique within its flow
            "flow_runs": {"idempotency_key": {"any_": [request.key]}},
            "limit": 1,
        }
        runs = self._api.call("/flow_runs/filter", json.dumps(asked).encode())
        return self._told(runs[0]) if runs else None

    def _probe(self) -> str:
        deployment = self._deployment()
        given = self._parameters(takes_request=_PARAMETER in taken(deployment))
        shown = printable(self.deployment)
        compare(shown, deployment, given)
        told = "" if given else "; it takes no parameter, and finds the request in its run's context"
        return f"deployment {shown} of {self._api.shown}{told}{waiting(self._api, deployment)}"

    def _deployment(self) -> Any:
        path = "/deployments/name/" + "/".join(quote(part, safe="") for part in self.deployment.split("/", 1))
        shown = printable(self.deployment)
        missing = f"there is no deployment {shown}; deploy it, or correct deployment, or url (a server's ends in /api)"
        return self._api.call(path, advice={404: missing})

    def _parameters(self, *, takes_request: bool) -> dict[str, Any]:
        if self.parameters is not None:
            return self.parameters
        return {_PARAMETER: "{request}"} if takes_request else {}

    def _run_of(self, request: RetrainRequest, facts: Mapping[str, Any], *, takes_request: bool) -> dict[str, Any]:
        tags = [f"{name}:{facts[name]}" for name in ("model", "version", "incident") if facts[name] is not None]
        return {
            "name": request.key,
            "idempotency_key": request.key,
            "parameters": filled(self._parameters(takes_request=takes_request), facts),
            "context": {"leeway": facts["request"]},
            "tags": ["leeway", *tags],
            "state": {"type": "SCHEDULED"},
        }

    def _told(self, run: Mapping[str, Any]) -> Fired:
        state = _STATES.get(run["state_type"], RetrainState.UNKNOWN)
        said = f"{self._api.shown} has it as run {run['name']}: {run['state_name']}"
        if state is RetrainState.FAILED:
            said += f": {(run.get('state') or {}).get('message') or 'it does not say why'}"
        return went(state, run["id"], f"{self._pages}/runs/flow-run/{run['id']}", self._api.quoted(said))

    @property
    def _pages(self) -> str:
        if self.ui is not None:
            return self.ui
        if urlsplit(self.url).hostname == "api.prefect.cloud":
            pages = self.url.replace("//api.prefect.cloud/api/accounts/", "//app.prefect.cloud/account/")
            return pages.replace("/workspaces/", "/workspace/")
        return self.url.removesuffix("/api")

    @property
    def _api(self) -> Api:
        own = {}
        if self.api_key is not None:
            own["Authorization"] = f"Bearer {reveal(self.api_key)}"
        elif self.auth_string is not None:
            own["Authorization"] = f"Basic {base64.b64encode((reveal(self.auth_string) or '').encode()).decode()}"
        sign_in = "it refuses the sign-in; compare api_key or auth_string with its configuration"
        return self._api_named("Prefect", own, (self.api_key, self.auth_string), sign_in)
