"""Airflow's two APIs: which one a server has, how one signs in, and what runs are called there."""

import base64
import json
import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

from pydantic import SecretStr

from monitor.apis.calling import Api, CallError

Version = Literal["v2", "v1"]

_REFUSED_CHARACTERS = re.compile(r"[^A-Za-z0-9_.~:+-]")  # of Airflow's own allowed_run_id_pattern
_LONGEST_RUN = 200  # characters of a key; Airflow takes 250 in all


@dataclass(frozen=True, slots=True)
class Server:
    """A DAG on a server that has been signed in to."""

    api: Api
    version: Version
    dag: str

    def call(self, path: str = "", body: bytes | None = None, **how: Any) -> Any:
        """Call an address below the DAG's; see :meth:`Api.call`."""
        return self.api.call(f"/dags/{quote(self.dag, safe='')}{path}", body, **how)

    def run(self, name: str, *, starts: bool = False) -> Any:
        """Return a run."""
        return self.call(f"/dagRuns/{quote(name, safe='')}", starts=starts)

    def failed_tasks(self, run: str) -> str:
        """Name tasks that have failed; where they cannot be read it is enough to know that the run has."""
        try:
            found = self.call(f"/dagRuns/{quote(run, safe='')}/taskInstances?state=failed&limit=5")
        except CallError:
            return ""
        names = [task["task_id"] for task in found["task_instances"]]
        return f" in {', '.join(names)}" if names else ""

    def runs(self) -> bool:
        """Whether the scheduler does."""
        health = self.api.call("/monitor/health" if self.version == "v2" else "/health")
        return bool(health["scheduler"]["status"] == "healthy")

    def page(self, address: str, run: str) -> str:
        """Return the address of a run's page."""
        tail = f"runs/{quote(run, safe='')}" if self.version == "v2" else f"grid?dag_run_id={quote(run, safe='')}"
        return f"{address}/dags/{quote(self.dag, safe='')}/{tail}"


def signed_in(api: Api, dag: str, version: Version | None, user: tuple[str, SecretStr] | None) -> Server:
    """Return a server.

    Parameters
    ----------
    api : at the server's address, with a token among its headers where there is one.
    dag : its id.
    version : None where the server is to be asked for it.
    user : name and password; None without any.

    Raises
    ------
    CallError
        When the server does not answer, or refuses the sign-in.
    """
    version = version or _version(api)
    headers = dict(api.headers)
    if user is not None:
        name, password = user[0], user[1].get_secret_value()
        if version == "v1":
            headers["Authorization"] = f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
        else:
            advice = {404: "it hands out no tokens for passwords; set token, or compare url with its address"}
            who = json.dumps({"username": name, "password": password}).encode()
            headers["Authorization"] = f"Bearer {api.call('/auth/token', who, advice=advice)['access_token']}"
    return Server(replace(api, url=f"{api.url}/api/{version}", headers=headers), version, dag)


def run_id(key: str) -> str:
    """Return the id of a key's run; a key with characters that Airflow refuses stays apart from all others."""
    plain = _REFUSED_CHARACTERS.sub("_", key)
    if plain == key and len(key) <= _LONGEST_RUN:
        return f"leeway__{key}"
    return f"leeway__{plain[:_LONGEST_RUN]}_{sha256(key.encode('utf-8', 'backslashreplace')).hexdigest()[:12]}"


def _version(api: Api) -> Version:
    try:
        api.call("/api/v2/version")
    except CallError as error:
        if error.status != 404:
            raise
        return "v1"
    return "v2"
