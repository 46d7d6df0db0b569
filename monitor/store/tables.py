"""The store's tables. Rows are data, never code: profiles are versioned JSON, samples Arrow, nothing is pickled."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware moment in UTC, kept naive: SQLite has no zones, and PostgreSQL's would move with the session."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Make a moment naive."""
        return value.astimezone(UTC).replace(tzinfo=None) if value is not None else None

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Make a stored moment aware."""
        return value.replace(tzinfo=UTC) if value is not None else None


runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("window_start", Moment, nullable=False),
    sa.Column("window_end", Moment, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # claimed | done | skipped | failed
    sa.Column("owner", sa.Text),
    sa.Column("epoch", sa.Integer, nullable=False, default=1),
    sa.Column("lease_until", sa.Float),  # seconds since 1970 by the database's clock
    sa.Column("attempts", sa.Integer, nullable=False, default=1),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("reference_id", sa.Text),
    sa.Column("rows", sa.Integer),
    sa.Column("last_event", Moment),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("revision", sa.Integer, nullable=False, default=0, server_default="0"),  # how often late rows changed it
    sa.Column("look_at", Moment),  # when late rows are looked for next; None for never
    sa.Column("version", sa.Text),  # of the model that served most of it; None where nobody said
    sa.Column("served", sa.Text),  # how many rows each version served, as JSON, where the rows say so
    sa.UniqueConstraint("model", "window_start", "window_end", "fingerprint"),
    sa.Index(None, "model", "window_end"),
    sa.Index(None, "model", "look_at"),
)

profiles = sa.Table(
    "profiles",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("profile", sa.LargeBinary, nullable=False),
    sa.Column("sample", sa.LargeBinary),
)

findings = sa.Table(
    "findings",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("column_name", sa.Text),
    sa.Column("check_name", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("effect", sa.Float),
    sa.Column("body", sa.Text, nullable=False),
)

# What evidence a model's watch holds after a run; ``key`` says with which reference and checks it was gathered.
evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("decided", sa.Text, nullable=False),  # by people, before the run
    sa.Column("body", sa.LargeBinary, nullable=False),
)

# What the replay of a reference said, for it takes seconds.
audits = sa.Table(
    "audits",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("threshold", sa.Float, nullable=False),
    sa.Column("rate", sa.Float),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("unfit", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
)

# What a reference has taught, for it takes seconds; learnt anew where a row is missing.
learnt = sa.Table(
    "learnt",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("fault", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index(None, "model", "state"),
)

incident_events = sa.Table(
    "incident_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident_id", sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index(None, "incident_id"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),  # notice | retrain
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("receiver", sa.Text, nullable=False),
    sa.Column("incident_id", sa.Text),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending | sending | delivered | dead | dropped
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("uncertain", sa.Boolean, nullable=False, default=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("next_attempt_at", Moment, nullable=False),  # of a dead letter: when it was given up
    # Whether the receiver itself has asked to be left alone until then.
    sa.Column("held", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("owner", sa.Text),
    sa.Column("epoch", sa.Integer, nullable=False, default=0),
    sa.Column("lease_until", sa.Float),
    sa.Column("delivered_at", Moment),
    sa.Column("reference", sa.Text),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Index(None, "state", "next_attempt_at"),
    sa.Index(None, "incident_id"),
)

references = sa.Table(
    "reference_snapshots",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("version", sa.Text),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("span_start", Moment),
    sa.Column("span_end", Moment),
    sa.Column("pinned_at", Moment),
    sa.Column("warnings", sa.Text, nullable=False),
    sa.Column("bins", sa.LargeBinary, nullable=False),
    sa.Column("profile", sa.LargeBinary, nullable=False),
    sa.Column("sample", sa.LargeBinary, nullable=False),
)

reference_blocks = sa.Table(
    "reference_blocks",
    metadata,
    sa.Column("reference_id", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("window_start", Moment, primary_key=True),
    sa.Column("window_end", Moment, nullable=False),
    sa.Column("profile", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(
        ["reference_id", "model"], ["reference_snapshots.id", "reference_snapshots.model"], ondelete="CASCADE"
    ),
)

retrains = sa.Table(
    "retrains",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("incident_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("requested_at", Moment, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("run", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index(None, "model", "requested_at"),
)

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("incident_id", sa.Text),
    sa.Column("until", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, default=""),
)

configurations = sa.Table(
    "configurations",
    metadata,
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
)

# What late rows changed in a window that had its verdict already.
revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("rows_before", sa.Integer, nullable=False),
    sa.Column("rows_after", sa.Integer, nullable=False),
    sa.Column("changes", sa.Text, nullable=False),  # verdicts that became others, as JSON
    sa.Index(None, "run_id"),
)

# Which processes watch: one row each, written anew at every beat.
heartbeats = sa.Table(
    "heartbeats",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("beat", sa.Float, nullable=False),  # seconds since 1970 by the database's clock
    sa.Column("body", sa.Text, nullable=False),  # what the process says of itself, as JSON
)

# Each proof that an alert would get through, or that it would not.
canaries = sa.Table(
    "canaries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),  # running | proven | failed | waits
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index(None, "at"),
)

# Which versions of a model began to serve, in order.
versions = sa.Table(
    "versions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Text),
    sa.Column("since", Moment, nullable=False),
    sa.Column("noticed_at", Moment, nullable=False),
    sa.Column("how", sa.Text, nullable=False),  # rows | schedule | mlflow | reference
    sa.Column("reference_id", sa.Text),
    sa.Column("proof", sa.Text),  # whether it helped, as JSON
    sa.Index(None, "model", "since"),
)

# When the store was put back from a copy: what it then says again, people may have heard before.
restores = sa.Table(
    "restores",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
)
