"""What ``config.yaml`` may say about where a reference comes from."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from monitor.config.calendars import Period
from monitor.core.versions import PLACE
from monitor.options import Duration, FilePath, Options

_PLACES = ("file", "query", "period", "mlflow", "dvc", "pin")


class FromMlflow(Options):
    """A reference that the training run behind a version has kept in MLflow; ``versions.mlflow`` says where that is."""

    artifact: str | None = None
    """Path of a Parquet or CSV file, or of a folder of them, among the run's artifacts."""
    dataset: str | None = None
    """Name, or context such as ``training``, of a dataset that the run has logged."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.artifact is None) == (self.dataset is None):
            raise ValueError("name either an artifact or a dataset of the training run")
        return self


class FromDvc(Options):
    """A reference that DVC keeps in versions; the command ``dvc`` must be installed."""

    repo: Annotated[FilePath, Field(validate_default=True)] = "."
    """The repository: a folder, by default that of the configuration, or an address such as https://host/owner/name."""
    path: str
    """Path of a Parquet or CSV file within the repository."""
    rev: str | None = None
    """Revision, such as ``v{version}``: a tag, branch or commit. By default what is checked out."""
    timeout: Duration = timedelta(minutes=10)
    """How long fetching may take."""


class Reference(Options):
    """Where the reference snapshot comes from: a file, a query, a period of the log, MLflow, DVC, or the store.

    Where it says ``{version}``, or is kept by MLflow, every version of the model has a reference of its own.
    """

    file: FilePath | None = None
    """A Parquet or CSV file, or a folder or glob of them; ``{version}`` in it stands for the model version."""
    query: str | None = None
    """A SELECT, run where the logs are; ``{version}`` in it stands for the model version."""
    period: Period | None = None
    """A past period of the log."""
    mlflow: FromMlflow | None = None
    """A file or data set of the training run behind each version, as MLflow keeps it."""
    dvc: FromDvc | None = None
    """A file that DVC keeps in versions."""
    pin: str | None = None
    """The id (or its beginning) of a snapshot added by ``monitor reference add``."""
    settle: Annotated[Duration, Field(ge=timedelta(days=1))] | None = None
    """For a new version without a reference of its own: how much of its own log becomes its reference. Until then it is
    judged by that of the version before."""
    time: str | None = None
    """The reference's event time, where it is not named as in the log."""
    version: str | None = None
    """The model version that was trained on it."""

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, value: object) -> object:
        return {"file": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        given = [name for name in _PLACES if getattr(self, name) is not None]
        if len(given) != 1:
            named = " and ".join(given) or "none of them"
            known = f"{', '.join(_PLACES[:-1])} and {_PLACES[-1]}"
            raise ValueError(f"a reference has exactly one of {known}; here it has {named}")
        return self

    @property
    def by_version(self) -> bool:
        """Whether every version has one of its own."""
        kept = (self.dvc.path, self.dvc.rev) if self.dvc is not None else ()
        named = (self.file, self.query, *kept)
        return self.mlflow is not None or any(text is not None and PLACE in text for text in named)
