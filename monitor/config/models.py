"""What ``config.yaml`` may say. The shapes only; :mod:`monitor.config.reading` reads files into them."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, SkipValidation, ValidationInfo, field_validator, model_validator

from checks.catalogue import Check
from checks.profile import Kind
from monitor.config.calendars import Calendar
from monitor.config.operations import Canary, Ping, Retention, Web
from monitor.config.references import Reference
from monitor.config.versions import Rollback, Versions
from monitor.core.ports import Notifier, Source, Trigger
from monitor.options import DatabaseUrl, Duration, Moment, Options, TimeZone, resolve_path
from monitor.rates import Rate, RateText

Weight = Annotated[float, Field(ge=0, le=1000)]
"""How much something counts beside the others of its kind."""


class Schedule(Options):
    """Which windows are checked, and when."""

    every: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(days=1)
    """Length of a window; windows are aligned to midnight of ``timezone``."""
    delay: Duration = timedelta(hours=1)
    """How long after its end a window is read, so that late rows have arrived."""
    timezone: TimeZone = "UTC"
    """Zone whose midnight aligns the windows."""
    catch_up: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(days=30)
    """After downtime, windows that have been due for longer than this are skipped, and the skip is recorded."""
    allowed_lateness: Duration = timedelta(days=2)
    """For how long after it was due a window's rows are counted again; where late rows have arrived, the window is
    read anew and its verdict revised. At 0 what was read once stays."""
    start: Moment | None = None
    """The first window to check; by default the newest one when the daemon first sees the model."""

    @field_validator("start")
    @classmethod
    def _begins_in_its_zone(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=ZoneInfo(info.data.get("timezone", "UTC")))


class Columns(Options):
    """Which columns are watched, and how they are read."""

    include: tuple[str, ...] | None = None
    """Watch these columns only; by default every column of the reference."""
    exclude: tuple[str, ...] = ()
    """Do not watch these columns."""
    kinds: dict[str, Kind] = Field(default_factory=dict)
    """How to read a column, where the reference's types would mislead."""
    importance: dict[str, Weight] = Field(default_factory=dict)
    """Weight of a column's evidence, 1 where none is given; at 0 it is recorded and never alarms."""
    segments: tuple[str, ...] = ()
    """Columns whose values are tried first when an alarm is traced to a part of the rows."""

    @field_validator("importance")
    @classmethod
    def _weighs_what_is_watched(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        include, exclude = info.data.get("include"), info.data.get("exclude", ())
        for name in value:
            if name in exclude:
                raise ValueError(f"names {name!r}, which exclude leaves out")
            if include is not None and name not in include:
                raise ValueError(f"names {name!r}, which is not among the columns that include lists")
        return value


def _resolve_files(value: str, info: ValidationInfo) -> str:
    files = "/" in value or value.endswith((".parquet", ".csv", ".tsv", ".gz"))
    return resolve_path(value, info) if files else value


class Labels(Options):
    """Where the truth arrives, later."""

    table: Annotated[str, AfterValidator(_resolve_files)]
    """Table or view with the labels, in the database of the logs; where the logs are files, a ``.parquet`` or ``.csv``
    file, a folder (``./labels``) or a glob, relative to the configuration. Keep them out of the logs' folder."""
    label: str = "label"
    """Column with the true outcome."""
    id: str
    """Column that joins a label with its prediction."""
    time: str | None = None
    """Column with the time at which the label arrived; a label without it does not count."""


class Alerts(Options):
    """When findings become an incident and an incident becomes a message."""

    open_after: Annotated[int, Field(ge=1, le=100)] = 2
    """Windows in a row beyond a fixed ``threshold`` before its incident fires; drift is alarmed by its evidence,
    and breaks of the data at once."""
    resolve_after: Annotated[int, Field(ge=1, le=100)] = 3
    """Calm windows in a row before the incident of a fixed ``threshold`` is resolved; others end by their evidence."""
    repeat: Duration = timedelta(days=7)
    """A firing incident that nobody has acknowledged is told again after this long."""


class Retrain(Options):
    """Whether and how a retraining is asked for."""

    mode: Literal["ask", "auto", "off"] = "ask"
    """``ask`` waits for a person, ``auto`` fires by itself, ``off`` never proposes."""
    trigger: SkipValidation[Trigger] | None = None
    """What is run: one key, the trigger's name, with its options."""
    cooldown: Duration = timedelta(days=1)
    """Shortest time between two retrainings of the model."""
    most_per_week: Annotated[int, Field(ge=1, le=100)] = 3
    """Retrainings of the model in seven days."""
    least_labelled: Annotated[int, Field(ge=1)] | None = 1000
    """Where ``labels`` are configured, predictions that no model has learnt from must have this many labels: fewer tell
    an accuracy to no better than three points, too little to train on or to see whether it helped. ``null`` asks for
    none."""

    @model_validator(mode="after")
    def _auto_has_something_to_fire(self) -> Self:
        if self.mode == "auto" and self.trigger is None:
            raise ValueError("mode auto needs a trigger; name one, or write mode: ask")
        return self


class PlannedCheck(Options):
    """One check with its parameters, as the configuration asks for it."""

    name: str
    """Its key in the catalogue."""
    check: SkipValidation[Check]
    """The check itself."""
    columns: tuple[str, ...] | None = None
    """Only these columns; by default every column of a kind that the check can read."""
    threshold: float | None = None
    """A fixed threshold on the statistic, in place of the tolerance on the effect."""
    auto: bool = False
    """Whether it was taken by ``auto`` and so applies to the kinds it is a default for."""


class Model(Options):
    """One model: its log, its reference, and what is checked."""

    logs: SkipValidation[Source]
    """The prediction log. ``url`` names a database, ``path`` a folder of Parquet or CSV files."""
    reference: Reference
    """What the log is compared with; a plain text is its ``file``."""
    schedule: Schedule = Schedule()
    """Which windows are checked, and when."""
    columns: Columns = Columns()
    """Which columns are watched."""
    score: str | None = None
    """Column with the model's score or probability."""
    prediction: str | None = None
    """Column with the predicted class or value."""
    version: str | None = None
    """Column with the model version that served the row."""
    versions: Versions = Versions()
    """Which version served when, where no column says so; and for how long a new one is watched."""
    labels: Labels | None = None
    """Where the truth arrives."""
    calendar: Calendar = Calendar()
    """What is normal when."""
    checks: tuple[PlannedCheck, ...] = ()
    """``auto``, or a list of checks."""
    importance: Annotated[float, Field(ge=0.001, le=1000)] = 1
    """The model's share of ``false_alarms`` is its importance over the sum of all models'; more is noticed earlier."""
    alerts: Alerts = Alerts()
    """When findings become incidents and messages."""
    notify: tuple[str, ...] | None = None
    """Names of the receivers; by default all of them."""
    retrain: Retrain = Retrain()
    """Whether and how a retraining is asked for."""
    rollback: Rollback = Rollback()
    """The way back to the former version."""
    sample: Annotated[int, Field(ge=0, le=100_000)] = 500
    """Rows kept of every window for example rows and the Evidently report; 0 keeps none."""

    @model_validator(mode="after")
    def _somebody_tells_the_version(self) -> Self:
        told = self.version is not None or self.versions.schedule or self.versions.mlflow is not None
        if self.version is not None and self.versions.schedule:
            raise ValueError("which version served is said by the column version or by versions.schedule, not by both")
        if self.reference.mlflow is not None and self.versions.mlflow is None:
            raise ValueError("reference.mlflow needs versions.mlflow, which says where MLflow is")
        if not told and (self.reference.by_version or self.reference.settle is not None):
            raise ValueError(
                "the reference depends on the version, which nobody says: name its column (version), or set"
                " versions.mlflow or versions.schedule"
            )
        return self


class Config(Options):
    """The whole configuration."""

    store: Annotated[DatabaseUrl, Field(validate_default=True)] = SecretStr("sqlite:///monitor.db")
    """Leeway's own database: SQLite for one host, PostgreSQL for several."""
    false_alarms: RateText = Rate(1)
    """How many false notifications are expected at most, over all models, columns and checks."""
    budget: Literal["calibrated", "strict"] = "calibrated"
    """``calibrated`` sets thresholds by replaying each model's reference, ``strict`` by a bound that needs no replay
    and notices later."""
    models: dict[str, Model] = Field(min_length=1)
    """The models by name."""
    notifiers: dict[str, SkipValidation[Notifier]] = Field(default_factory=dict)
    """Receivers by name; each has one key, the notifier's name, with its options."""
    fallback: str | None = None
    """Name of the receiver that is told what another one has refused for good."""
    web: Web | None = None
    """Where the daemon answers over HTTP; without this section it opens no port."""
    ping: Ping | None = None
    """A dead man's switch that the daemon feeds."""
    canary: Canary | None = Canary()
    """How the way of an alert is proven from time to time; ``canary: off`` leaves that out."""
    retention: Retention = Retention()
    """How long the store keeps what."""
    tick: Annotated[Duration, Field(ge=timedelta(milliseconds=100))] = timedelta(seconds=10)
    """How often the daemon looks for owed windows and undelivered messages."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Windows that are checked at the same time."""
    link: str | None = None
    """Address under which people find the reports; messages link to it."""

    @field_validator("canary", mode="before")
    @classmethod
    def _off_is_none(cls, value: object) -> object:
        return None if value == "off" else value

    @model_validator(mode="after")
    def _names_receivers(self) -> Self:
        named = [self.fallback] if self.fallback is not None else []
        for name in (*named, *(self.canary.notify if self.canary else ())):
            if name not in self.notifiers:
                raise ValueError(f"there is no notifier {name!r}; there is {', '.join(self.notifiers) or 'none'}")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """Each model's share of ``false_alarms`` by its name; they add up to 1."""
        whole = sum(model.importance for model in self.models.values())
        return {name: model.importance / whole for name, model in self.models.items()}
