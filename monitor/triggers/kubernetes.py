"""Kubernetes: a Job of a CronJob's template, whose name is made of the key, so that there can be only one."""

import json
import re
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, SecretStr

from monitor.apis.calling import LOOK_AGAIN, Api, CallError
from monitor.apis.service import Address
from monitor.core.errors import UserError
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable
from monitor.options import FilePath
from monitor.triggers._kubernetes_api import (
    IN_CLUSTER,
    NEEDED,
    address,
    mounted,
    review,
    rules,
    signed,
    trusting,
)
from monitor.triggers._kubernetes_job import KEY, is_too_old, job_of, name_of, state_of, variables_of
from monitor.triggers._orchestrator import Orchestrator, went

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def _named(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("a name in Kubernetes has small letters, digits, - and . only")
    return value


_Name = Annotated[str, AfterValidator(_named)]


class Kubernetes(Orchestrator):
    """A Kubernetes Job, made of a CronJob's template as `kubectl create job --from` makes one.

    Its containers find the request in ``LEEWAY_REQUEST`` (JSON), and its parts in ``LEEWAY_KEY``, ``LEEWAY_MODEL``,
    ``LEEWAY_VERSION``, ``LEEWAY_INCIDENT``, ``LEEWAY_REASON``, ``LEEWAY_COLUMNS`` (a JSON list), ``LEEWAY_REFERENCE``,
    ``LEEWAY_WINDOW_START`` and ``LEEWAY_WINDOW_END``; ``LEEWAY_ACTION`` is ``retrain`` or ``rollback``, then to
    ``LEEWAY_TARGET``. A Job of the same name cannot be made twice.
    """

    url: Address = IN_CLUSTER
    """Where the API server is; by default that of the cluster in which Leeway runs."""
    cronjob: _Name
    """Name of the CronJob; its own schedule may be suspended."""
    namespace: _Name | None = None
    """Its namespace; by default the one in which Leeway runs."""
    token: SecretStr | None = None
    """Bearer token, in the place of the service account's."""
    ca: FilePath | None = None
    """File with the certificates that the server's is signed with, in the place of the service account's."""
    account: FilePath = "/var/run/secrets/kubernetes.io/serviceaccount"
    """Folder in which the service account's token, ca.crt and namespace are mounted."""

    def _intended(self, request: RetrainRequest) -> str:
        told = json.dumps(variables_of(request))
        return f"would create Job {name_of(request)} of CronJob {self._shown} with {told}"

    def _fire(self, request: RetrainRequest) -> Fired:
        api = self._api
        if is_too_old(request):
            return self._find(request) or self._gone(request)
        job = job_of(self._cronjob(api), request)
        advice = {
            403: f"its account's Role in {self._space} needs {rules([('create', 'jobs')])}",
            404: f"there is no namespace {self._space}; correct namespace",
            422: f"correct the template of CronJob {self._shown}",
        }
        try:
            made = api.call(self._path("jobs"), json.dumps(job).encode(), starts=True, advice=advice)
        except CallError as error:
            if error.status != 409:
                raise
            found = self._find(request)  # it is there already
            return found or Fired(RetrainState.UNKNOWN, note=f"{error}, but it is gone", retry_after=LOOK_AGAIN)
        return self._told(made, request)

    def _find(self, request: RetrainRequest) -> Fired | None:
        api, name = self._api, name_of(request)
        try:
            job = api.call(self._path("jobs", name), advice={403: self._forbidden("get", "jobs")})
        except CallError as error:
            if error.status != 404:
                raise
            return self._gone(request) if is_too_old(request) else None
        return self._told(job, request)

    def _probe(self) -> str:
        api = self._api
        asked = [(need, json.dumps(review(*need, self._space, self.cronjob)).encode()) for need in NEEDED]
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        missing = [need for need, body in asked if not api.call(path, body)["status"]["allowed"]]
        if missing:
            raise UserError(f"{api.shown}: its account's Role in {self._space} lacks {rules(missing)}")
        cronjob = self._cronjob(api)
        waits = cronjob["spec"]["jobTemplate"]["spec"].get("suspend")
        warning = "; but its Jobs are made suspended: they wait until somebody, or a queue, resumes them"
        return f"a Job of CronJob {self._shown} of {api.shown}{warning if waits else ''}"

    def _cronjob(self, api: Api) -> Any:
        advice = {
            403: self._forbidden("get", "cronjobs"),
            404: f"there is no CronJob {self._shown}; create it, or correct cronjob or namespace",
        }
        return api.call(self._path("cronjobs", self.cronjob), advice=advice)

    def _told(self, job: Any, request: RetrainRequest) -> Fired:
        about = job["metadata"]
        shown = f"{self._space}/{about['name']}"
        if (about.get("annotations") or {}).get(KEY) != request.key:
            note = f"{self._api.shown}: Job {shown} is not Leeway's, or another key's; rename or delete it there"
            raise CallError(note, lasting=True)
        state, words = state_of(job)
        page = f"{self.ui}/#/job/{self._space}/{about['name']}?namespace={self._space}" if self.ui else None
        return went(state, shown, page, self._api.quoted(f"{self._api.shown} has it as Job {shown}: {words}"))

    def _gone(self, request: RetrainRequest) -> Fired:
        note = (
            f"{self._api.shown} has no Job {name_of(request)}; the request is older than a week, after which Jobs are "
            f"removed, so that nobody knows whether it ran; it is not made again: ask for another retraining"
        )
        return Fired(RetrainState.UNKNOWN, note=note, retry_after=LOOK_AGAIN)

    def _forbidden(self, verb: str, resource: str) -> str:
        return f"its account's Role in {self._space} needs {rules([(verb, resource)])}"

    def _path(self, resource: str, name: str = "") -> str:
        return f"/apis/batch/v1/namespaces/{quote(self._space)}/{resource}" + (f"/{quote(name)}" if name else "")

    @property
    def _space(self) -> str:
        return self.namespace or mounted(self.account, "namespace", "namespace")

    @property
    def _shown(self) -> str:
        return printable(f"{self.namespace}/{self.cronjob}" if self.namespace else self.cronjob)

    @property
    def _api(self) -> Api:
        token = signed(self.token, self.account)
        own = {"Authorization": f"Bearer {token.get_secret_value()}"}
        sign_in = "it refuses the token; compare token (or the pod's service account) with what it accepts"
        api = self._api_named("Kubernetes", own, (token,), sign_in)
        return trusting(replace(api, url=address(self.url)), self.ca, self.account)
