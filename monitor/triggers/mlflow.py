"""MLflow: the alias of a registered model goes back to an earlier version."""

from monitor.apis.mlflow import MlflowModel
from monitor.core.retrain import Action, Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable, shorten
from monitor.triggers._orchestrator import Orchestrator


class Mlflow(MlflowModel, Orchestrator):
    """The alias of a model in MLflow's registry moves to an earlier version; for rolling back, not for retraining.

    It moves from the version that is to be left, and from no other: what somebody else has set meanwhile stays. MLflow
    has no call that compares and sets, so that this holds up to the moment between two calls.
    """

    def _intended(self, request: RetrainRequest) -> str:
        refused = self._unsuited(request)
        if refused is not None:
            return f"would refuse: {refused}"
        return f"would move alias {self.alias} of {self._named} from version {request.version} to {request.target}"

    def _fire(self, request: RetrainRequest) -> Fired:
        refused = self._unsuited(request)
        if refused is not None:
            return Fired(RetrainState.REFUSED, note=refused)
        found = self._found(request)
        if found is not None:
            return found
        target = str(request.target)
        self._version(target)
        body = {"name": self.name, "alias": self.alias, "version": target}
        self._post("registered-models/alias", body, starts=True)
        return self._done(request, "points at")

    def _find(self, request: RetrainRequest) -> Fired | None:
        return None if self._unsuited(request) is not None else self._found(request)

    def _probe(self) -> str:
        found = self._aliased()
        now = f"now version {shorten(printable(found['version']), 60)}" if found is not None else "not set at present"
        return f"alias {self.alias} of {self._named}, {now}"

    def _found(self, request: RetrainRequest) -> Fired | None:
        """Return where it has ended already; None while the alias still points at the version that is to be left."""
        aliased = self._aliased()
        now = aliased["version"] if aliased is not None else None
        if now == request.target:
            return self._done(request, "points at")
        if now == request.version:
            return None
        where = f"points at version {shorten(printable(now), 60)}" if now is not None else "is gone"
        note = (
            f"alias {self.alias} of {self._named} {where}, not at version {request.version}: somebody has moved it"
            " meanwhile, and it stays"
        )
        return Fired(RetrainState.REFUSED, note=note)

    def _done(self, request: RetrainRequest, verb: str) -> Fired:
        target = str(request.target)
        note = f"alias {self.alias} of {self._named} {verb} version {target}"
        return Fired(RetrainState.SUCCEEDED, run=f"{self.name}/{target}", url=self._page(target), note=note)

    def _unsuited(self, request: RetrainRequest) -> str | None:
        """Say why a request is not for this trigger; None where it is."""
        if request.action is not Action.ROLLBACK:
            return (
                "MLflow runs no jobs, so that it cannot retrain; name what does (command, webhook, airflow, dagster,"
                " github, kubernetes, prefect) as retrain.trigger, and mlflow as rollback.trigger"
            )
        if request.version is None or request.target is None:
            return "the request does not say which version to leave and which to go back to"
        return None
