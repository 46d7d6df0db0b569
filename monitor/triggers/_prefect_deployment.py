"""A deployment of Prefect, as its API describes it: the parameters that it takes, and whether its runs would wait."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from monitor.apis.calling import Api
from monitor.core.errors import UserError
from monitor.core.wording import printable, shorten


def taken(deployment: Mapping[str, Any]) -> Collection[str]:
    """Return the names of the parameters that the flow takes."""
    return tuple((deployment.get("parameter_openapi_schema") or {}).get("properties") or ())


def compare(shown: str, deployment: Mapping[str, Any], given: Collection[str]) -> None:
    """Compare what a run is given with what the flow takes; ``shown`` names the deployment.

    Raises
    ------
    UserError
        When a parameter is missing, or there is one that the flow does not take: its run would fail.
    """
    required = (deployment.get("parameter_openapi_schema") or {}).get("required") or ()
    if missing := set(required) - set(given) - set(deployment.get("parameters") or ()):
        raise UserError(f'{shown} needs {_listed(missing)}; set parameters: {{NAME: "{{model}}"}} for each')
    if unknown := set(given) - set(taken(deployment)):
        raise UserError(f"{shown} takes no {_listed(unknown)}, only {_listed(taken(deployment))}; correct parameters")


def waiting(api: Api, deployment: Mapping[str, Any]) -> str:
    """Say why runs would wait; nothing where they would not.

    Raises
    ------
    CallError
        When the work pool cannot be read.
    """
    pool = deployment["work_pool_name"]
    if pool is not None:
        found = api.call(f"/work_pools/{quote(pool, safe='')}")
        if found["is_paused"]:
            return f"; but its work pool {printable(pool)} is paused: runs wait until it is resumed"
        if found["status"] == "NOT_READY":
            return f"; but no worker of its work pool {printable(pool)} is online: runs wait for one"
    elif deployment["status"] == "NOT_READY":
        return "; but nothing serves it at present: runs wait until something does"
    return ""


def _listed(names: Iterable[str]) -> str:
    shown = [shorten(printable(name), 60) for name in sorted(names)]
    return f"parameter {', '.join(shown)}" if shown else "none"
