"""A stand-in for the part of GitHub's REST API that starts and follows runs of workflows, on this machine."""

import base64
import json
from typing import TYPE_CHECKING, Any

from monitor.testing._faults import Fault, Faults
from monitor.testing._github_dispatch import parsed
from monitor.testing._github_repository import FOLDER, Repository, Run
from monitor.testing._server import Server

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["TOKEN", "FakeGithub", "Fault", "Run"]

TOKEN = "github-token-of-the-fake"  # noqa: S105 - opens nothing but this fake


class FakeGithub(Repository, Server):
    """GitHub on this machine, with one private repository, used as a context manager.

    It is modelled after version 2022-11-28 of the REST API: repository, contents, workflows, workflow_dispatch, and
    runs with their list. It knows one token, answers 404 for what that may not see, compares inputs with the workflow's
    file, and lists a run only ``lag`` seconds after it has begun. Whoever asks for version 3 of GitHub Enterprise
    Server (``/api/v3``) gets the same.

    It is simpler than GitHub: nothing runs (a test calls ``start`` and ``finish``), only inputs are filled into
    ``run-name`` and ``concurrency.group``, lists know the filters ``event`` and ``created=>=…``, and limits of calls
    are planned faults. Faults are planned for the calls ``repository``, ``contents``, ``workflow``, ``dispatch``,
    ``list`` and ``single`` (one run).

    Parameters
    ----------
    repository : owner and name.
    details : ``given`` on request, as GitHub does; ``ignored`` or ``refused``, as older servers do.
    lag : seconds until a run is in the list; ``catch_up`` lists all at once.
    may_dispatch : whether the token may write actions.
    may_read : whether the token may read contents.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        Server.__init__(self)
        self.calls: list[tuple[str, str]] = []
        self.faults = Faults()

    async def answer(self, request: "web.Request") -> "web.StreamResponse":
        """Answer one call, or let it fail as planned."""
        path = request.path.removeprefix("/api/v3")
        own = f"/repos/{self.repository}"
        call, name = _call_of(path.removeprefix(own)) if path == own or path.startswith(f"{own}/") else ("", "")
        self.calls.append((request.method, path))
        signed = request.headers.get("Authorization")
        body = await request.read()

        async def reply() -> "web.StreamResponse":
            if signed is not None and signed != f"Bearer {TOKEN}":
                return _no(401, "Bad credentials")
            if signed is None or not call:
                return _no(404, "Not Found")
            answer: web.StreamResponse = getattr(self, f"_{call}")(request, name, body)
            return answer

        return await self.faults.around(request, call, reply)

    def _repository(self, *_: Any) -> "web.StreamResponse":
        return _json({"full_name": self.repository, "private": True, "archived": self.archived})

    def _contents(self, request: "web.Request", name: str, _: bytes) -> "web.StreamResponse":
        if not self.may_read:
            return _no(403, "Resource not accessible by personal access token")
        file = self.files.get(name.removeprefix(FOLDER))
        text = file.texts.get(request.query.get("ref", "main")) if file else None
        if text is None:
            return _no(404, "Not Found")
        return _json({"path": name, "encoding": "base64", "content": base64.encodebytes(text.encode()).decode()})

    def _workflow(self, _: "web.Request", name: str, __: bytes) -> "web.StreamResponse":
        file = self.files.get(name)
        if file is None:
            return _no(404, "Not Found")
        return _json({"id": 1, "path": f"{FOLDER}{name}", "state": file.state})

    def _dispatch(self, request: "web.Request", name: str, body: bytes) -> "web.StreamResponse":
        from aiohttp import web

        file = self.files.get(name)
        if file is None or request.method != "POST":
            return _no(404, "Not Found")
        if not self.may_dispatch:
            return _no(403, "Resource not accessible by personal access token")
        try:
            sent = json.loads(body)
        except ValueError:
            return _no(400, "Problems parsing JSON")
        why = self.refusal(file, sent)
        if why is not None:
            return _no(422, why)
        run = self.begin(name, parsed(file.texts[sent["ref"]]), sent)
        if self.details != "given" or not sent.get("return_run_details"):
            return web.Response(status=204)
        shown = self.shown(self.url, run)
        return _json({"workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"]})

    def _list(self, request: "web.Request", name: str, _: bytes) -> "web.StreamResponse":
        if name not in self.files:
            return _no(404, "Not Found")
        return _json(self.page(name, request.query, self.url))

    def _single(self, _: "web.Request", name: str, __: bytes) -> "web.StreamResponse":
        found = [run for run in self.runs if str(run.id) == name]
        return _json(self.shown(self.url, found[0])) if found else _no(404, "Not Found")


def _call_of(path: str) -> tuple[str, str]:
    """Return the kind of a call below the repository, and what it is about."""
    parts = path.strip("/").split("/")
    if parts == [""]:
        return "repository", ""
    if parts[0] == "contents":
        return "contents", "/".join(parts[1:])
    if parts[:2] == ["actions", "runs"] and len(parts) == 3:
        return "single", parts[2]
    if parts[:2] == ["actions", "workflows"] and len(parts) in (3, 4):
        kinds = {"": "workflow", "dispatches": "dispatch", "runs": "list"}
        return kinds.get("".join(parts[3:]), ""), parts[2]
    return "", ""


def _json(body: Any) -> "web.StreamResponse":
    from aiohttp import web

    return web.json_response(body)


def _no(status: int, message: str) -> "web.StreamResponse":
    from aiohttp import web

    return web.json_response({"message": message, "status": str(status)}, status=status)
