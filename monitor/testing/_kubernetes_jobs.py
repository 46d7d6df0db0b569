"""What becomes of Jobs in the stand-in for Kubernetes: a test says how they go, and lets time pass."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.testing._kubernetes_rules import expanded

Object = dict[str, Any]


class Jobs:
    """Objects by kind, namespace and name, with a clock that a test can put forward."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self._ahead = timedelta()
        self._uids = itertools.count(1)

    @property
    def jobs(self) -> list[Object]:
        """Every Job there is, the oldest first."""
        return [found for (kind, _, _), found in self.objects.items() if kind == "Job"]

    def put(self, given: Object, namespace: str) -> Object:
        """Keep an object, with what the API server adds."""
        about = {
            **given["metadata"],
            "namespace": namespace,
            "uid": f"00000000-0000-4000-8000-{next(self._uids):012}",
            "creationTimestamp": self._now(),
        }
        kept = {**given, "metadata": about}
        if given["kind"] == "Job":
            kept["status"] = {}
        self.objects[given["kind"], namespace, about["name"]] = kept
        return kept

    def start(self, name: str, *, ready: bool = True) -> None:
        """Let a Job's pod be scheduled, and be ready or not."""
        self._named(name)["status"] = {"active": 1, "ready": int(ready), "startTime": self._now()}

    def finish(self, name: str, failure: str = "") -> None:
        """End a Job, well or with a reason such as BackoffLimitExceeded."""
        kind = {"type": "Failed", "reason": failure, "message": "as the test says"} if failure else {"type": "Complete"}
        ended = {**kind, "status": "True", "lastTransitionTime": self._now()}
        count = {"failed": 1} if failure else {"succeeded": 1}
        self._named(name)["status"] = {"conditions": [ended], "active": 0, "ready": 0, **count}

    def delete(self, name: str) -> None:
        """Delete a Job, as a person may."""
        about = self._named(name)["metadata"]
        del self.objects["Job", about["namespace"], name]

    def advance(self, seconds: float) -> None:
        """Let time pass: Jobs whose time after their end is over go, and those beyond their CronJob's history."""
        self._ahead += timedelta(seconds=seconds)
        for job in self.jobs:
            ended, keep = _end_of(job), job["spec"].get("ttlSecondsAfterFinished")
            if ended and keep is not None and self._moment() - ended >= timedelta(seconds=keep):
                self.delete(job["metadata"]["name"])
        for (kind, _, name), cronjob in [*self.objects.items()]:
            if kind == "CronJob":
                self._sweep(name, cronjob)

    def environment(self, name: str, container: int = 0) -> dict[str, str]:
        """Return the variables that a Job's container sees."""
        pod = self._named(name)["spec"]["template"]["spec"]
        return expanded(pod["containers"][container].get("env") or ())

    def _sweep(self, name: str, cronjob: Object) -> None:
        for kind, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
            most = cronjob["spec"].get(limit, 3 if kind == "Complete" else 1)
            ended = [
                job
                for job in self.jobs
                if any(each["type"] == kind for each in job["status"].get("conditions", ()))
                and any(o.get("controller") and o["name"] == name for o in job["metadata"].get("ownerReferences", ()))
            ]
            for job in ended[: max(0, len(ended) - most)]:
                self.delete(job["metadata"]["name"])

    def _named(self, name: str) -> Object:
        return next(job for job in self.jobs if job["metadata"]["name"] == name)

    def _moment(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def _now(self) -> str:
        return f"{self._moment():%Y-%m-%dT%H:%M:%SZ}"


def _end_of(job: Object) -> datetime | None:
    ended = [each["lastTransitionTime"] for each in job["status"].get("conditions", ())]
    return datetime.fromisoformat(ended[0]) if ended else None
