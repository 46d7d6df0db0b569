"""A tracking server and registry of MLflow in memory, which fails as a test wants."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
import urllib.request
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from monitor.testing._server import Server, drop
from monitor.testing.webhook import Answer, Received

if TYPE_CHECKING:
    from aiohttp import web

_API = "/api/2.0/mlflow/"
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", 404)
_INVALID = ("INVALID_PARAMETER_VALUE", 400)


class _NoError(Exception):
    """What MLflow answers where it says no."""

    def __init__(self, kind: tuple[str, int], message: str) -> None:
        super().__init__(message)
        self.code, self.status = kind


@dataclass
class _Model:
    versions: list[dict[str, Any]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)


class FakeMlflow(Server):
    """MLflow on this machine, used as a context manager.

    ``requests`` holds all that arrived. Planned answers are given to calls whose path contains ``path``, in turn; one
    that is dropped or delayed has had its effect by then.

    Parameters
    ----------
    token : without it in the ``Authorization`` of a call, that is refused.
    """

    def __init__(self, token: str | None = None) -> None:
        super().__init__()
        self.token = token
        self.requests: list[Received] = []
        self.models: dict[str, _Model] = {}
        self._planned: deque[tuple[str, Answer]] = deque()
        self._files: dict[str, dict[str, bytes]] = {}
        self._inputs: dict[str, list[dict[str, Any]]] = {}
        self._strays: dict[str, list[str]] = {}

    def register(self, name: str, *, run: bool = True, model: str | None = None, at: float = 1_772_000_000.0) -> str:
        """Register the next version of a model; return it.

        Parameters
        ----------
        run : whether a run has made it.
        model : id of the logged model that is its source.
        at : seconds since 1970.
        """
        held = self.models.setdefault(name, _Model())
        version = str(len(held.versions) + 1)
        source = f"models:/{model}" if model else f"mlflow-artifacts:/1/{version}/artifacts/model"
        stamp = int(at * 1000)
        run_id = uuid.uuid4().hex if run else ""
        told = {"name": name, "version": version, "creation_timestamp": stamp, "last_updated_timestamp": stamp}
        made = {"current_stage": "None", "source": source, "run_id": run_id, "status": "READY", "tags": {}}
        held.versions.append(told | made)
        return version

    def run_of(self, name: str, version: str) -> str:
        """Return the id of the run behind a version."""
        return str(self._version(name, version)["run_id"])

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""
        self._version(name, version)
        self.models[name].aliases[alias] = version

    def tags_of(self, name: str, version: str) -> Mapping[str, str]:
        """Return a version's tags."""
        tags: dict[str, str] = self._version(name, version)["tags"]
        return tags

    def put_artifact(self, owner: str, path: str, content: bytes) -> None:
        """Keep a file for a run or for a logged model."""
        self._files.setdefault(owner, {})[path] = content

    def put_stray(self, owner: str, folder: str, path: str) -> None:
        """Let a folder list a path that is none of its own."""
        self._strays.setdefault(f"{owner}/{folder}", []).append(path)

    def put_dataset(self, run: str, name: str, kind: str, source: Any, *, context: str = "training") -> None:
        """Log a data set as an input of a run."""
        inputs = self._inputs.setdefault(run, [])
        dataset = {"name": name, "digest": f"{len(inputs):08x}", "source_type": kind, "source": json.dumps(source)}
        inputs.append({"tags": [{"key": "mlflow.data.context", "value": context}], "dataset": dataset})

    def plan(self, answers: Iterable[Answer], *, path: str = "") -> None:
        """Give these answers next to calls of a path."""
        self._planned.extend((path, answer) for answer in answers)

    def send(self, url: str, secret: str, entity: str, action: str, **data: str) -> int:
        """Post a webhook's event, signed; return the receiver's status."""
        headers, body = signed(secret, event(entity, action, **data))
        request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - a test's own receiver
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return int(answer.status)

    async def answer(self, request: "web.Request") -> "web.StreamResponse":
        """Answer one call as MLflow does, or as planned."""
        from aiohttp import web

        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path_qs, headers, await request.read())
        self.requests.append(received)
        planned = self._planned.popleft()[1] if self._planned and self._planned[0][0] in request.path_qs else Answer()
        if planned.status >= 300 or planned.body:
            return web.Response(status=planned.status, headers=dict(planned.headers), text=planned.body)
        response = self._response(request, received)
        if planned.delay:
            await asyncio.sleep(planned.delay)
        return drop(request) if planned.dropped else response

    def _response(self, request: "web.Request", received: Received) -> "web.StreamResponse":
        from aiohttp import web

        if self.token is not None and self.token not in received.headers.get("authorization", ""):
            return web.Response(status=401, text="You are not authenticated.")
        given = {**request.query, **(received.json if received.body else {})}
        try:
            found = self._found(request.method, request.path, given)
        except KeyError:
            return web.Response(status=404, text="<!doctype html><h1>Not Found</h1>", content_type="text/html")
        except _NoError as no:
            return web.json_response({"error_code": no.code, "message": str(no)}, status=no.status)
        return web.Response(body=found) if isinstance(found, bytes) else web.json_response(found)

    def _found(self, method: str, path: str, given: Mapping[str, str]) -> dict[str, Any] | bytes:
        if path.startswith((f"{_API}logged-models/", "/ajax-api/2.0/mlflow/logged-models/")):
            owner, kind = path.partition("logged-models/")[2].split("/artifacts/")
            if kind == "files":
                return self._file(owner, given["artifact_file_path"])
            return self._listing(owner, given.get("artifact_directory_path", ""))
        calls: dict[tuple[str, str], Callable[[], dict[str, Any] | bytes]] = {
            ("GET", f"{_API}registered-models/get"): lambda: {"registered_model": self._model(given["name"])},
            ("GET", f"{_API}registered-models/search"): lambda: {"registered_models": [*map(self._model, self.models)]},
            ("GET", f"{_API}registered-models/alias"): lambda: self._aliased(given["name"], given["alias"]),
            ("POST", f"{_API}registered-models/alias"): lambda: self._point(given),
            ("GET", f"{_API}model-versions/get"): lambda: self._told(self._version(given["name"], given["version"])),
            ("POST", f"{_API}model-versions/set-tag"): lambda: self._tag(given),
            ("GET", f"{_API}runs/get"): lambda: self._run_told(given["run_id"]),
            ("GET", f"{_API}artifacts/list"): lambda: self._listing(given["run_id"], given.get("path", "")),
            ("GET", "/get-artifact"): lambda: self._file(given["run_uuid"], given["path"]),
        }
        return calls[method, path]()

    def _model(self, name: str) -> dict[str, Any]:
        if name not in self.models:
            raise _NoError(_ABSENT, f"Registered Model with name={name} not found")
        held = self.models[name]
        told: dict[str, Any] = {"name": name, "creation_timestamp": 0}
        if held.versions:
            told["latest_versions"] = [held.versions[-1] | {"tags": []}]
        if held.aliases:  # MLflow leaves empty lists out
            told["aliases"] = [{"alias": alias, "version": version} for alias, version in held.aliases.items()]
        return told

    def _version(self, name: str, version: str) -> dict[str, Any]:
        if not version.isdecimal():
            raise _NoError(_INVALID, f"Parameter 'version' must be an integer, got '{version}'.")
        held = self.models.get(name, _Model()).versions
        found = next((each for each in held if each["version"] == version), None)
        if found is None:
            raise _NoError(_ABSENT, f"Model Version (name={name}, version={version}) not found")
        return found

    def _told(self, version: Mapping[str, Any]) -> dict[str, Any]:
        held = self.models[version["name"]].aliases
        aliases = [alias for alias, at in held.items() if at == version["version"]]
        tags = [{"key": key, "value": value} for key, value in version["tags"].items()]
        lists = {name: found for name, found in (("aliases", aliases), ("tags", tags)) if found}
        return {"model_version": {**{key: value for key, value in version.items() if key != "tags"}, **lists}}

    def _aliased(self, name: str, alias: str) -> dict[str, Any]:
        self._model(name)
        if alias not in self.models[name].aliases:
            raise _NoError(_INVALID, f"Registered model alias {alias} not found.")
        return self._told(self._version(name, self.models[name].aliases[alias]))

    def _point(self, given: Mapping[str, str]) -> dict[str, Any]:
        self.set_alias(given["name"], given["alias"], given["version"])
        return {}

    def _tag(self, given: Mapping[str, str]) -> dict[str, Any]:
        self._version(given["name"], given["version"])["tags"][given["key"]] = given["value"]
        return {}

    def _run_told(self, run: str) -> dict[str, Any]:
        if not any(each["run_id"] == run for model in self.models.values() for each in model.versions):
            raise _NoError(_ABSENT, f"Run with id={run} not found")
        told: dict[str, Any] = {"info": {"run_id": run}, "data": {}}
        if run in self._inputs:
            told["inputs"] = {"dataset_inputs": self._inputs[run]}
        return {"run": told}

    def _listing(self, owner: str, folder: str) -> dict[str, Any]:
        within = PurePosixPath(folder)
        found: dict[str, dict[str, Any]] = {}
        for path, content in self._files.get(owner, {}).items():
            parts = PurePosixPath(path).parts
            if PurePosixPath(path) == within or not PurePosixPath(path).is_relative_to(within):
                continue
            child = str(PurePosixPath(*parts[: len(within.parts) + 1]))
            is_dir = len(parts) > len(within.parts) + 1
            found[child] = {"path": child, "is_dir": is_dir, **({} if is_dir else {"file_size": len(content)})}
        files = [
            *found.values(),
            *({"path": stray, "is_dir": False} for stray in self._strays.get(f"{owner}/{folder}", ())),
        ]
        return {"root_uri": f"mlflow-artifacts:/{owner}", **({"files": files} if files else {})}

    def _file(self, owner: str, path: str) -> bytes:
        if path not in self._files.get(owner, {}):
            raise _NoError(_ABSENT, f"No such artifact: '{path}'")
        return self._files[owner][path]


def event(entity: str, action: str, **data: str) -> bytes:
    """Return the body of a webhook of MLflow's."""
    told = {"entity": entity, "action": action, "timestamp": "2026-03-01T00:00:00+00:00", "data": data}
    return json.dumps(told).encode()


def signed(secret: str, body: bytes, at: float | None = None) -> tuple[Mapping[str, str], bytes]:
    """Return the headers that MLflow sends with a body, and the body.

    Parameters
    ----------
    at : seconds since 1970; now where it is not given.
    """
    key, stamp = str(uuid.uuid4()), str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"{key}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-MLflow-Delivery-Id": key,
        "X-MLflow-Timestamp": stamp,
        "X-MLflow-Signature": f"v1,{base64.b64encode(digest).decode()}",
    }, body
