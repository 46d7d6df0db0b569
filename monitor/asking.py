"""Asking a trigger for a run: what is unknown is looked up before, and rather nothing is asked than twice."""

from dataclasses import dataclass

from monitor.core.errors import defect
from monitor.core.ports import Trigger
from monitor.core.retrain import Action, Fired, RetrainRequest, RetrainState
from monitor.core.retrain_policy import broken
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store.database import Store
from monitor.watch import Watch

LOOKED_AGAIN = 300.0  # seconds until a run that is not found any more is looked for again


def trigger_of(watch: Watch | None, request: RetrainRequest) -> Trigger | None:
    """Return what a request is for; None where the configuration has nothing for it any more."""
    if watch is None:
        return None
    return watch.model.rollback.trigger if request.action is Action.ROLLBACK else watch.model.retrain.trigger


@dataclass(frozen=True)
class Asking:
    """Asks triggers on behalf of one store."""

    store: Store

    def outcome(self, trigger: Trigger | None, request: RetrainRequest, *, uncertain: bool) -> Fired:
        """Ask for a run, or look up what became of it; raises nothing.

        Parameters
        ----------
        uncertain : whether it may have been asked for before.
        """
        if trigger is None:
            return Fired(RetrainState.REFUSED, note="the configuration has no trigger for this any more")
        try:
            known = trigger.find(request) if uncertain else None
            if known is None and uncertain and self._has_begun(request):
                note = "the trigger finds the run no more that it has begun; it is not asked again"
                known = Fired(RetrainState.UNKNOWN, note=note, retry_after=LOOKED_AGAIN)
            return known or self._refused(request) or trigger.fire(request)
        except Exception as error:  # noqa: BLE001 - a defect in one trigger must not stop the others; rather never than twice
            return Fired(RetrainState.UNKNOWN, note=f"the trigger failed: {defect(error)}")

    def _has_begun(self, request: RetrainRequest) -> bool:
        """Whether the trigger has taken a request before: a run that was deleted since is not begun again."""
        with self.store.read() as connection:
            known = retrain_rows.get(connection, request.key)
        return known.run is not None or known.state in (RetrainState.ACCEPTED, RetrainState.RUNNING)

    def _refused(self, request: RetrainRequest) -> Fired | None:
        """Look once more for broken data: they may have broken since the retraining was decided."""
        if request.action is not Action.RETRAIN:
            return None
        with self.store.read() as connection:
            why_not = broken(incident_rows.listing(connection, request.model))
        return Fired(RetrainState.REFUSED, note=why_not.reason) if why_not is not None else None
