"""What ``config.yaml`` may say about a model's versions: which served when, and the way back to an earlier one."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, SkipValidation, model_validator

from monitor.core.ports import Trigger
from monitor.options import Duration, Moment, Options
from monitor.registries.mlflow import Mlflow


class Since(Options):
    """A version, and when it began to serve."""

    version: str
    """Its name."""
    since: Moment
    """The moment; without a zone in ``schedule.timezone``."""


class Versions(Options):
    """Which version of the model served when, where the log has no column that says so."""

    schedule: tuple[Since, ...] = ()
    """Versions, each with the moment from which it served."""
    mlflow: Mlflow | None = None
    """The registry of MLflow whose alias says which version serves, and that its references and tags are kept in."""
    proof: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(days=14)
    """For how long after a new version began it is watched whether it helped; labels may come as late as that."""

    @model_validator(mode="after")
    def _one_teller(self) -> Self:
        if self.schedule and self.mlflow is not None:
            raise ValueError("which version served is said by schedule or by mlflow, not by both")
        moments: list[datetime] = [entry.since.replace(tzinfo=None) for entry in self.schedule]
        if moments != sorted(moments):
            raise ValueError("schedule: write the versions in the order in which they began")
        return self


class Rollback(Options):
    """The way back to the former version, proposed where a new one is worse."""

    mode: Literal["ask", "off"] = "ask"
    """``ask`` proposes it and waits for a person, ``off`` only says that the new version is worse."""
    trigger: SkipValidation[Trigger] | None = None
    """What is run: one key, the trigger's name, with its options. ``mlflow`` sets the alias back."""
