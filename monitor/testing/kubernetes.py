"""A stand-in for the part of Kubernetes' API that makes and follows Jobs, on this machine."""

import itertools
import json
from typing import TYPE_CHECKING, Any

from monitor.testing._faults import Fault, Faults
from monitor.testing._kubernetes_jobs import Jobs, Object
from monitor.testing._kubernetes_rules import allows, faults
from monitor.testing._server import Server

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["FakeKubernetes", "Fault"]

_RESOURCES = {"jobs": "Job", "cronjobs": "CronJob"}
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class FakeKubernetes(Jobs, Server):
    """An API server on this machine, used as a context manager; ``apply`` gives it what it should have.

    It is modelled after ``batch/v1`` and ``authorization.k8s.io/v1`` of Kubernetes 1.30 and later: CronJobs are read,
    Jobs made and read, by accounts with tokens and with what Roles and RoleBindings allow. Names, labels, annotations
    and variables are checked, a name that is taken is answered 409, and every refusal is a Status object. As time
    passes (``advance``), finished Jobs go by ``ttlSecondsAfterFinished`` and by their CronJob's history.

    It is simpler than a cluster: no schedule, pod or quota, of RBAC only Roles and service accounts, no admission
    beyond the checks named, and no TLS. Jobs go as a test says. Faults are planned for ``get jobs``, ``create jobs``,
    ``get cronjobs`` and ``review``.
    """

    def __init__(self) -> None:
        Jobs.__init__(self)
        Server.__init__(self)
        self.calls: list[str] = []
        self.made: list[Object] = []
        self.faults = Faults()
        self._tokens: dict[str, tuple[str, str]] = {}
        self._serial = itertools.count(1)

    def apply(self, manifests: str) -> None:
        """Create the objects of a manifest: CronJobs, ServiceAccounts, Roles, RoleBindings and Namespaces."""
        import yaml

        for given in yaml.safe_load_all(manifests):
            space = given["metadata"].get("namespace", "default")
            self.put(given, "" if given["kind"] == "Namespace" else space)

    def token(self, namespace: str, account: str) -> str:
        """Hand out a new token of a service account, and take back its earlier ones."""
        if ("ServiceAccount", namespace, account) not in self.objects:
            raise LookupError(f"there is no service account {namespace}/{account}")
        self._tokens = {token: who for token, who in self._tokens.items() if who != (namespace, account)}
        token = f"token-{next(self._serial)}-of-{account}"
        self._tokens[token] = (namespace, account)
        return token

    async def answer(self, request: "web.Request") -> "web.StreamResponse":
        """Answer one call, or let it fail as planned."""
        body = await request.read()
        call, about = _call_of(request.method, request.path)
        self.calls.append(call)
        who = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))

        async def reply() -> "web.StreamResponse":
            if who is None:
                return _status(401, "Unauthorized", "Unauthorized")
            if call == "review":
                return self._review(who, json.loads(body))
            return self._resource(who, call, about, body)

        return await self.faults.around(request, call, reply)

    def _review(self, who: tuple[str, str], asked: Object) -> "web.StreamResponse":
        from aiohttp import web

        about = asked["spec"]["resourceAttributes"]
        names = ("verb", "group", "resource", "name")
        allowed = self._allowed(who, about.get("namespace", ""), *(about.get(name, "") for name in names))
        return web.json_response({**asked, "status": {"allowed": allowed}}, status=201)

    def _allowed(self, who: tuple[str, str], namespace: str, verb: str, group: str, resource: str, name: str) -> bool:
        for (kind, space, _), binding in self.objects.items():
            if kind != "RoleBinding" or space != namespace:
                continue
            bound = {
                (each.get("namespace", space), each["name"])
                for each in binding["subjects"]
                if each["kind"] == "ServiceAccount"
            }
            role = self.objects.get((binding["roleRef"]["kind"], space, binding["roleRef"]["name"]), {})
            if who in bound and any(allows(rule, verb, group, resource, name) for rule in role.get("rules", ())):
                return True
        return False

    def _resource(self, who: tuple[str, str], call: str, about: list[str], body: bytes) -> "web.StreamResponse":
        from aiohttp import web

        if not call:
            return _status(404, "NotFound", "the server could not find the requested resource")
        (verb, resource), (namespace, name) = call.split(), about
        if not self._allowed(who, namespace, verb, "batch", resource, name):
            what = f'{resource}.batch "{name}"' if name else f"{resource}.batch"
            said = f'{what} is forbidden: User "system:serviceaccount:{who[0]}:{who[1]}"'
            where = f'cannot {verb} resource "{resource}" in API group "batch" in the namespace "{namespace}"'
            return _status(403, "Forbidden", f"{said} {where}")
        if verb == "create":
            return self._create(namespace, body)
        found = self.objects.get((_RESOURCES[resource], namespace, name))
        if found is None:
            return _status(404, "NotFound", f'{resource}.batch "{name}" not found')
        return web.json_response(found)

    def _create(self, namespace: str, body: bytes) -> "web.StreamResponse":
        from aiohttp import web

        try:
            given: Any = json.loads(body)
        except ValueError:
            return _status(400, "BadRequest", "the object provided is unrecognized")
        if (given.get("apiVersion"), given.get("kind")) != ("batch/v1", "Job"):
            return _status(400, "BadRequest", "the object provided is not a batch/v1 Job")
        name = str((given.get("metadata") or {}).get("name", ""))
        if wrong := faults(given):
            return _status(422, "Invalid", f'Job.batch "{name}" is invalid: {"; ".join(wrong)}')
        if ("Job", namespace, name) in self.objects:
            return _status(409, "AlreadyExists", f'jobs.batch "{name}" already exists')
        made = self.put(given, namespace)
        self.made.append(made)
        return web.json_response(made, status=201)


def _call_of(method: str, path: str) -> tuple[str, list[str]]:
    """Return the kind of a call, and the namespace and name that it is about."""
    if (method, path) == ("POST", _REVIEWS):
        return "review", []
    parts = path.removeprefix("/apis/batch/v1/namespaces/").split("/")
    if not path.startswith("/apis/batch/v1/namespaces/") or len(parts) < 2 or parts[1] not in _RESOURCES:
        return "", []
    if method == "GET" and len(parts) == 3:
        return f"get {parts[1]}", [parts[0], parts[2]]
    if method == "POST" and parts[1:] == ["jobs"]:
        return "create jobs", [parts[0], ""]
    return "", []


def _status(code: int, reason: str, message: str) -> "web.StreamResponse":
    from aiohttp import web

    said = {"status": "Failure", "message": message, "reason": reason, "code": code}
    return web.json_response({"kind": "Status", "apiVersion": "v1", "metadata": {}, **said}, status=code)
