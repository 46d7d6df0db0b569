"""What Kubernetes admits: names, labels, annotations and variables of a Job, and what a Role allows."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

LARGEST_ANNOTATIONS = 262_144  # bytes, of all together
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VARIABLE = re.compile(r"[ -<>-~]+")  # printable ASCII without =
_EXPANDED = re.compile(r"\$(\$|\((\w+)\))")


def faults(job: Mapping[str, Any]) -> list[str]:
    """Return why a Job is invalid, each as the API server words it; empty where it is valid."""
    about = job.get("metadata") or {}
    name, labels, notes = str(about.get("name", "")), about.get("labels") or {}, about.get("annotations") or {}
    found = []
    if not _LABEL.fullmatch(name):
        found.append(
            f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 label must be no more than 63 characters'
        )
    found += [f"metadata.labels: Invalid value: {key!r}" for key in (*labels, *notes) if not _KEY.fullmatch(key)]
    for value in labels.values():
        if not isinstance(value, str) or len(value) > 63 or not _VALUE.fullmatch(value):
            found.append(f"metadata.labels: Invalid value: {value!r}: a valid label must be at most 63 characters")
    if sum(len(key.encode()) + len(value.encode()) for key, value in notes.items()) > LARGEST_ANNOTATIONS:
        found.append(f"metadata.annotations: Too long: may not be more than {LARGEST_ANNOTATIONS} bytes")
    pod = ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    if pod.get("restartPolicy") not in ("OnFailure", "Never"):
        found.append('spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"')
    if not pod.get("containers"):
        found.append("spec.template.spec.containers: Required value")
    for container in (*pod.get("containers", ()), *pod.get("initContainers", ())):
        found += _faults_of(container)
    return found


def _faults_of(container: Mapping[str, Any]) -> list[str]:
    found = [
        f"spec.template.spec.containers.{name}: Required value" for name in ("name", "image") if name not in container
    ]
    for entry in container.get("env") or ():
        if not _VARIABLE.fullmatch(str(entry.get("name", ""))):
            found.append(f"spec.template.spec.containers.env.name: Invalid value: {entry.get('name')!r}")
        if not isinstance(entry.get("value", ""), str):
            found.append("json: cannot unmarshal into Go struct field EnvVar.value of type string")
    return found


def expanded(env: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return variables as a container sees them: ``$(NAME)`` is one that stands before, ``$$`` a single ``$``."""
    seen: dict[str, str] = {}
    for entry in env:
        seen[entry["name"]] = _EXPANDED.sub(
            lambda place: "$" if place[1] == "$" else seen.get(place[2], place[0]), entry.get("value", "")
        )
    return seen


def allows(rule: Mapping[str, Any], verb: str, group: str, resource: str, name: str) -> bool:
    """Whether a Role's rule allows something."""
    named = rule.get("resourceNames")
    return (
        _covers(rule["apiGroups"], group)
        and _covers(rule["resources"], resource)
        and _covers(rule["verbs"], verb)
        and (not named or name in named)
    )


def _covers(listed: Iterable[str], wanted: str) -> bool:
    return any(each in (wanted, "*") for each in listed)
