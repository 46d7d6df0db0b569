"""A retraining that a person asks for or approves: labels are counted first, and a refusal stays on record."""

from monitor import actions
from monitor.core.errors import UserError
from monitor.core.ports import Clock
from monitor.core.retrain import RetrainRequest, RetrainState
from monitor.core.retrain_policy import wanted
from monitor.labelled import fresh_since
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store.database import Store
from monitor.watch import Watch


def approve(
    store: Store,
    clock: Clock,
    watch: Watch,
    who: str,
    reason: str = "",
    *,
    incident_id: str | None = None,
    dry_run: bool = False,
) -> RetrainRequest:
    """Approve the open proposal of a model, or make a new request.

    Parameters
    ----------
    incident_id : because of which; None approves whatever is proposed.

    Raises
    ------
    UserError
        As :func:`monitor.actions.retrain`. What the policy refuses is in the timelines of the incidents concerned.
    """
    labelled = fresh_since(store, watch, clock.now())
    try:
        with store.write() as connection:
            incident = incident_rows.get(connection, incident_id) if incident_id is not None else None
            return actions.retrain(
                connection, watch, who, reason, clock.now(), incident=incident, labelled=labelled, dry_run=dry_run
            )
    except actions.RefusedError as error:
        if not dry_run:
            _note(store, clock, watch, who, error.why, incident_id)
        raise UserError(str(error)) from error


def _note(store: Store, clock: Clock, watch: Watch, who: str, why: str, incident_id: str | None) -> None:
    """Write a refusal into the timeline of the incident, of those with a proposal, or of all that are a reason."""
    with store.write() as connection:
        concerned = [incident_id] if incident_id is not None else []
        if not concerned:
            past = retrain_rows.past(connection, watch.name)
            concerned = [p.incident for p in past if p.state is RetrainState.PROPOSED and p.incident is not None]
        if not concerned:
            opened = incident_rows.listing(connection, watch.name)
            concerned = [incident.id for incident in opened if wanted(incident)]
        for name in dict.fromkeys(concerned):
            incident_rows.note(connection, name, "retraining refused", who, why, clock.now())
