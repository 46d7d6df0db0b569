"""A workflow of GitHub Actions as its file describes it: what starts it, its inputs, and what its runs are called."""

import base64
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from monitor.apis.calling import Api
from monitor.core.errors import UserError
from monitor.core.wording import printable, shorten

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Workflow:
    """What a workflow's file says.

    Parameters
    ----------
    dispatched : whether ``workflow_dispatch`` starts it.
    inputs : names of its inputs.
    required : those that a run needs and that have no default.
    run_name : what its runs are called; empty where it does not say.
    """

    dispatched: bool
    inputs: frozenset[str]
    required: frozenset[str]
    run_name: str

    def names_runs_by(self, inputs: Iterable[str]) -> bool:
        """Whether one of these inputs stands in the names of runs, so that a run can be found by it."""
        said = " ".join(_EXPRESSION.findall(self.run_name))
        return any(re.search(rf"inputs(?:\.|\[['\"]){re.escape(name)}(?![\w-])", said) for name in inputs)

    def compare(self, shown: str, given: Collection[str]) -> None:
        """Compare the inputs that a run is given with those that the workflow takes; ``shown`` names it.

        Raises
        ------
        UserError
            When GitHub would refuse the run.
        """
        if not self.dispatched:
            raise UserError(f"{shown} is not started by workflow_dispatch; write `workflow_dispatch:` below its `on:`")
        if unknown := set(given) - self.inputs:
            raise UserError(f"{shown} takes no input {_listed(unknown)}; declare it in the workflow, or correct inputs")
        if missing := self.required - set(given):
            raise UserError(f"{shown} needs input {_listed(missing)}; add it to inputs")


def examined(api: Api, workflow: str, ref: str, shown: str, repository: str) -> Workflow:
    """Return what a workflow's file says, where GitHub would run it.

    Parameters
    ----------
    workflow : its address below the API's.
    ref : branch or tag.
    shown : names the workflow for people, as ``repository`` does the repository.

    Raises
    ------
    CallError
        When something is not there, or the token may not see it.
    UserError
        When the repository is archived, the workflow disabled, or its file not to be understood.
    """
    unseen = f"there is no repository {repository} that this token may see; correct either"
    if api.call("", advice={404: unseen}).get("archived"):
        raise UserError(f"{api.shown}: {repository} is archived: nothing runs there any more")
    found = api.call(workflow, advice={404: f"there is no workflow {shown}; correct workflow"})
    if found["state"] != "active":
        raise UserError(f"{api.shown}: workflow {shown} is {printable(found['state'])}; enable it there")
    lacks = f"there is no such file at {printable(ref)} (correct ref), or the token may not read contents"
    described = workflow_at(api, found["path"], ref, {404: lacks})
    if described is None:
        raise UserError(f"{api.shown}: the file of workflow {shown} is not YAML that can be read; correct it there")
    return described


def workflow_at(api: Api, path: str, ref: str, advice: Mapping[int, str] | None = None) -> Workflow | None:
    """Return what the file at a path says; None where it cannot be understood. ``advice`` is as for :meth:`Api.call`.

    Raises
    ------
    CallError
        When it cannot be read.
    """
    return workflow_of(api.call(f"/contents/{quote(path)}?ref={quote(ref, safe='')}", advice=advice))


def workflow_of(found: Mapping[str, Any]) -> Workflow | None:
    """Return the workflow in an answer of the contents API; None where its file cannot be understood."""
    import yaml

    try:
        said = yaml.safe_load(base64.b64decode(found["content"]))
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        return None
    if not isinstance(said, dict):
        return None
    started = said.get("on", said.get(True))  # to YAML 1.1 `on` is a truth, to GitHub it is a name
    dispatch = started.get("workflow_dispatch") if isinstance(started, dict) else None
    inputs = dispatch.get("inputs") if isinstance(dispatch, dict) else None
    declared = {str(name): how or {} for name, how in inputs.items()} if isinstance(inputs, dict) else {}
    needed = {name for name, how in declared.items() if how.get("required") is True and "default" not in how}
    names = {started} if isinstance(started, str) else set(started or ())
    return Workflow(
        "workflow_dispatch" in names, frozenset(declared), frozenset(needed), str(said.get("run-name") or "")
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shorten(printable(name), 60) for name in sorted(names))
