"""Labels of a model's predictions, read from where its logs are: how many there are by now, and what they say."""

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.config.models import Model
from monitor.core.errors import UnavailableError, UserError
from monitor.core.labels import Fresh, LabelSource, Truth
from monitor.core.retrain import Action, RetrainState
from monitor.core.window import PLAUSIBLE, Window
from monitor.store import references as reference_rows
from monitor.store import retrains as retrain_rows
from monitor.store.database import Store
from monitor.watch import Watch

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 100_000  # labelled rows that a measure needs at most: they tell an accuracy to a third of a point


def labelled(model: Model, window: Window, until: datetime) -> "pa.Table":
    """Return the labels of a window's predictions that were known before a moment.

    The columns are ``label``, and ``prediction`` and ``score`` as far as they are configured. Every id counts once,
    with the last of its labels. Of more than ``MOST_ROWS`` rows those with the smallest hashes of their id are
    returned, the same ones every time.

    Raises
    ------
    UserError
        When no labels are configured, or the table, the files or a column of them is not there.
    UnavailableError
        When the log or the labels cannot be reached.
    """
    roles = {"prediction": model.prediction, "score": model.score}
    columns = {role: column for role, column in roles.items() if column is not None}
    logs, truth = _labels_of(model)
    return logs.labelled(truth, window, columns, until, MOST_ROWS)


def fresh_rows(model: Model, since: datetime, until: datetime) -> int:
    """Return how many ids of the predictions in ``[since, until)`` had a label before ``until``; raises as above."""
    if since >= until:
        return 0
    logs, truth = _labels_of(model)
    return logs.label_count(truth, Window(max(since, PLAUSIBLE.start), until), until)


def fresh_since(store: Store, watch: Watch, now: datetime) -> Fresh | None:
    """Return how many predictions have a label that no model has learnt from, as far as is known.

    That are the predictions since the last retraining that succeeded was asked for, or since the newest reference ends
    (or was added, where it has no times), whichever is later. None where nothing is retrained or no number of labels is
    asked for; without a number where the labels cannot be counted: a database that is away must not stop an incident.

    To be called outside of transactions: none may wait for somebody's log.
    """
    if watch.policy.least_labelled is None or watch.model.retrain.trigger is None:
        return None
    with store.read() as connection:
        since = _learnt_until(connection, watch.name)
    try:
        return Fresh(since, fresh_rows(watch.model, since, now))
    except (UserError, UnavailableError) as error:
        return Fresh(since, None, str(error))


def looked_at(model: Model, window: Window, until: datetime) -> str:
    """Say how many of a window's predictions have a label by now; raises as :func:`labelled`."""
    logs, truth = _labels_of(model)
    found = logs.label_count(truth, window, until)
    return f"{found:,} of the predictions from {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d} have a label"


def _labels_of(model: Model) -> tuple[LabelSource, Truth]:
    labels, logs = model.labels, model.logs
    if labels is None:
        raise UserError("no labels are configured; name their table under labels")
    if not isinstance(logs, LabelSource):
        raise UserError(f"labels are read from databases and files; {type(logs).__name__.lower()} cannot join them yet")
    return logs, Truth(labels.table, labels.label, labels.id, labels.time)


def _learnt_until(connection: sa.Connection, model: str) -> datetime:
    """Return until when the newest model can have learnt."""
    moments = [
        found.request.requested_at
        for found in retrain_rows.listing(connection, model)
        if found.state is RetrainState.SUCCEEDED and found.request.action is Action.RETRAIN
    ]
    snapshots = reference_rows.listing(connection, model)
    if snapshots:
        ended, added = snapshots[0]["span_end"], snapshots[0]["added_at"]
        moment = ended or added
        assert isinstance(moment, datetime)
        moments.append(moment)
    return max(moments, default=PLAUSIBLE.start)
