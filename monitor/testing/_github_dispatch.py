"""What GitHub makes of a call of workflow_dispatch: it compares it with the workflow's file, and names the run."""

import re
from collections.abc import Mapping
from typing import Any

MOST_INPUTS = 25
MOST_CHARACTERS = 65_535

_EXPRESSION = re.compile(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)\s*\}\}")


def parsed(text: str) -> dict[str, Any]:
    """Return a workflow's file, with ``on`` as GitHub has it."""
    import yaml

    said: dict[Any, Any] = yaml.safe_load(text)
    started = said.pop(True, said.get("on"))  # YAML 1.1 takes `on` for a truth
    if isinstance(started, str):
        started = {started: None}
    elif isinstance(started, list):
        started = dict.fromkeys(started)
    return {**said, "on": started or {}}


def refusal(said: Mapping[str, Any], sent: Any) -> str | None:
    """Return why GitHub refuses a call's inputs; None where it takes them."""
    if "workflow_dispatch" not in said["on"]:
        return "Workflow does not have 'workflow_dispatch' trigger"
    inputs = sent.get("inputs", {})
    if not isinstance(inputs, dict):
        return "Invalid request.\n\nFor 'properties/inputs', it is not an object."
    if wrong := [value for value in inputs.values() if not isinstance(value, str)]:
        return f"Invalid request.\n\nFor 'additionalProperties', {wrong[0]!r} is not a string."
    if len(inputs) > MOST_INPUTS:
        return f"You may only define up to {MOST_INPUTS} `inputs` for a `workflow_dispatch` event"
    if sum(len(name) + len(value) for name, value in inputs.items()) > MOST_CHARACTERS:
        return "inputs are too large."
    declared = declared_in(said)
    if unknown := [name for name in inputs if name not in declared]:
        return f"Unexpected inputs provided: {unknown}".replace("'", '"')
    for name, how in declared.items():
        if how.get("required") and "default" not in how and not inputs.get(name):
            return f"Required input '{name}' not provided"
        if how.get("type") == "choice" and name in inputs and inputs[name] not in how["options"]:
            return f"Provided value '{inputs[name]}' for input '{name}' not in the list of allowed values"
    return None


def declared_in(said: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the inputs that a workflow declares."""
    dispatch = said["on"]["workflow_dispatch"] or {}
    return {name: how or {} for name, how in (dispatch.get("inputs") or {}).items()}


def given(said: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs of a run: the given ones, and defaults."""
    defaults = {name: str(how["default"]) for name, how in declared_in(said).items() if "default" in how}
    return {**defaults, **inputs}


def filled(text: str, inputs: Mapping[str, str]) -> str:
    """Return a text with the inputs in the place of its expressions; other expressions are left as they are."""
    return _EXPRESSION.sub(lambda place: inputs.get(place[1], ""), text)
