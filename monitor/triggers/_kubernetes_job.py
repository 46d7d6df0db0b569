"""Jobs of Kubernetes: what one is called, how it is made of a CronJob, and how far it is."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from monitor.core.retrain import RetrainRequest, RetrainState
from monitor.core.wording import printable
from monitor.triggers._orchestrator import body_of, text_of

KEY = "leeway/key"  # the annotation that says whose Job it is
KEPT = timedelta(weeks=1)  # for which a Job stays after its end, so that whether it ran can be looked up

_TOLD = (
    *("key", "action", "model", "version", "reason", "incident", "columns", "window_start", "window_end"),
    *("reference", "link", "target", "request"),
)
_JSON = ("LEEWAY_COLUMNS", "LEEWAY_REQUEST")
_NOTED = ("key", "model", "version", "incident", "window_start", "window_end", "reference", "link")


def name_of(request: RetrainRequest) -> str:
    """Return the name of a key's Job: a DNS label, and no other key's."""
    model = re.sub(r"[^a-z0-9]+", "-", request.model.lower()).strip("-")[:38].rstrip("-")
    digest = sha256(request.key.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return "-".join(part for part in ("leeway", model, digest) if part)


def is_too_old(request: RetrainRequest) -> bool:
    """Whether a key's Job may have been removed since, so that a missing one says nothing."""
    return datetime.now(UTC) - request.requested_at > KEPT


def variables_of(request: RetrainRequest) -> dict[str, str]:
    """Return a request as environment variables, with so many columns as fit."""
    told = body_of(request, lambda facts: {f"LEEWAY_{name.upper()}": text_of(facts.get(name)) for name in _TOLD})
    return {name: value if name in _JSON else printable(value) for name, value in json.loads(told).items()}


def job_of(cronjob: Mapping[str, Any], request: RetrainRequest) -> dict[str, Any]:
    """Return a Job of a CronJob's template, as ``kubectl create job --from`` makes one, which knows the request.

    It differs in two things. The CronJob owns the Job, but does not *control* it: its history limits would remove it,
    and a Job that is gone can no more be told from one that never was. And it stays for a week after its end.
    """
    template = json.loads(json.dumps(cronjob["spec"]["jobTemplate"]))
    about, spec = template.get("metadata") or {}, template["spec"]
    owner, told = cronjob["metadata"], variables_of(request)
    facts = {name: told[f"LEEWAY_{name.upper()}"] for name in _NOTED}
    notes = {f"leeway/{name.replace('_', '-')}": value for name, value in facts.items() if value}
    spec["ttlSecondsAfterFinished"] = max(spec.get("ttlSecondsAfterFinished") or 0, int(KEPT.total_seconds()))
    pod = spec["template"]["spec"]
    given = [{"name": name, "value": value.replace("$", "$$")} for name, value in told.items()]  # $(NAME) is a variable
    for container in [*pod["containers"], *(pod.get("initContainers") or ())]:
        own = [entry for entry in container.get("env") or () if entry["name"] not in told]
        container["env"] = [*given, *own]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name_of(request),
            "labels": {**(about.get("labels") or {}), "app.kubernetes.io/created-by": "leeway"},
            "annotations": {
                **(about.get("annotations") or {}),
                "cronjob.kubernetes.io/instantiate": "manual",
                **notes,
                KEY: request.key,
            },
            "ownerReferences": [
                {"apiVersion": "batch/v1", "kind": "CronJob", "name": owner["name"], "uid": owner["uid"]}
            ],
        },
        "spec": spec,
    }


def state_of(job: Mapping[str, Any]) -> tuple[RetrainState, str]:
    """Return how far a Job is, and that in words."""
    status = job.get("status") or {}
    true = {each["type"]: each for each in status.get("conditions") or () if each["status"] == "True"}
    if "Complete" in true:
        return RetrainState.SUCCEEDED, "complete"
    if "Failed" in true:
        why = (true["Failed"].get("reason"), true["Failed"].get("message"))
        return RetrainState.FAILED, f"failed: {', '.join(part for part in why if part) or 'it does not say why'}"
    if job["metadata"].get("deletionTimestamp"):
        return RetrainState.UNKNOWN, "somebody deletes it before its end"
    if job["spec"].get("suspend"):
        return RetrainState.ACCEPTED, "suspended: it waits until somebody, or a queue, resumes it"
    active = status.get("active") or 0
    if active and status.get("ready", active):
        return RetrainState.RUNNING, "running"
    return RetrainState.ACCEPTED, "its pod is not ready yet" if active else "no pod yet"
