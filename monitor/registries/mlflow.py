"""MLflow's registry: which version an alias points at, its files and data sets, and tags that say how it fares."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr

from monitor.apis.mlflow import MlflowModel
from monitor.core.errors import UserError
from monitor.core.wording import moment, printable, shorten
from monitor.options import Duration
from monitor.registries import Registered, SignatureError
from monitor.registries._artifacts import Place, fetch, inside
from monitor.registries._datasets import chosen, located
from monitor.registries._signature import verify

_LONGEST_TAG = 500  # characters; MLflow's releases differ in how many they take
_MOST_TAGS = 100


class Mlflow(MlflowModel):
    """An alias of a model in MLflow's registry: the version that it points at is the one that serves.

    Every method raises UserError for what a person has to put right, and UnavailableError for what passes.
    """

    poll: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=1)
    """How often the alias is looked at."""
    tags: bool = True
    """Whether tags are written to the versions: drift, last check, incident."""
    webhook_secret: SecretStr | None = None
    """Secret of a webhook in MLflow that says when the alias moves, so that nobody waits for the next look."""

    def serving(self) -> Registered | None:
        """Return the version that the alias points at; None where the model has no such alias.

        Raises
        ------
        UserError
            When there is no such model, the sign-in is refused, or it is no MLflow.
        UnavailableError
            When MLflow is away.
        """
        with self._heard():
            found = self._aliased()
            return self._registered(found) if found is not None else None

    def version(self, version: str) -> Registered:
        """Return a version by its name, such as ``3``.

        Raises
        ------
        UserError, UnavailableError
            As for :meth:`serving`, and when there is no such version.
        """
        with self._heard():
            return self._registered(self._version(version))

    def moved(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str | None:
        """Return the version that a webhook of MLflow's says our alias points at now; None for any other event.

        Deliveries may come twice and out of order: what counts is what :meth:`serving` says then.

        Parameters
        ----------
        headers : of the request, by names in any case.
        body : as it came, to the byte.
        now : aware; what was signed more than five minutes before or after is refused.

        Raises
        ------
        SignatureError
            When it is not signed by ``webhook_secret``, or there is none.
        """
        if self.webhook_secret is None:
            raise SignatureError("there is no webhook_secret to compare the signature with")
        verify(self.webhook_secret, headers, body, now)
        try:
            event = json.loads(body)
            if (event["entity"], event["action"]) != ("model_version_alias", "created"):
                return None
            told = event["data"]
            ours = (told["name"], told["alias"]) == (self.name, self.alias)
            return shorten(printable(str(told["version"])), 60) if ours else None
        except (ValueError, LookupError, TypeError):
            return None

    def fetch_artifact(self, version: str, artifact: str, folder: Path) -> Path:
        """Bring an artifact of the run behind a version into a folder, through MLflow's server; return where it is.

        It is looked for in the run, and then in the model that the run has logged.

        Parameters
        ----------
        artifact : path in the run, of a Parquet or CSV file or of a folder of them; 2 GB at most.
        folder : made where it is missing; nothing is written outside of it.

        Raises
        ------
        UserError, UnavailableError
            As for :meth:`version`, and when the artifact is not there, cannot be read, or is too large.
        """
        inside(artifact)
        with self._heard():
            found = self._version(version)
            places = [Place.of_run(found["run_id"])] if found.get("run_id") else []
            source = found.get("source") or ""
            if source.startswith("models:/m-"):
                places.append(Place.of_model(source.removeprefix("models:/")))
            if not places:
                raise UserError(f"version {version} of {self._named} names no run, so that it has no artifacts")
            return fetch(self._api, places, artifact, folder)

    def fetch_dataset(self, version: str, dataset: str, folder: Path) -> Path | str:
        """Return where the rows of a data set are that the run behind a version has logged as its input.

        Parameters
        ----------
        dataset : its name, or the context that it was logged in, such as ``training``.
        folder : where what is on the web is brought to; 2 GB at most.

        Returns
        -------
        Path or str
            A path on this machine, or an address such as ``s3://…`` that the reader of files knows.

        Raises
        ------
        UserError, UnavailableError
            As for :meth:`version`, and when there is no such data set, or it is no file.
        """
        with self._heard():
            found = self._version(version)
            if not found.get("run_id"):
                raise UserError(f"version {version} of {self._named} names no run, so that it has no data sets")
            run = self._get("runs/get", run_id=found["run_id"])["run"]
            inputs = run.get("inputs", {}).get("dataset_inputs", ())
            words = f"run {shorten(printable(found['run_id']), 60)} in {self._api.shown}"
            return located(chosen(inputs, dataset, words), folder, self.timeout.total_seconds())

    def tag(self, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version, such as ``leeway.drift``; where ``tags`` is off, none. Setting them twice is no harm.

        Raises
        ------
        UserError, UnavailableError
            As for :meth:`version`. The tags before the one that failed are set.
        """
        if not self.tags:
            return
        missing = "compare the version and the tag's name with what MLflow has and takes"
        with self._heard():
            for key, value in tags.items():
                body = {"name": self.name, "version": version, "key": key, "value": shorten(value, _LONGEST_TAG)}
                self._post("model-versions/set-tag", body, missing=missing)

    def probe(self) -> str:
        """Say what serves now.

        Raises
        ------
        UserError, UnavailableError
            As for :meth:`serving`, and when the model has no such alias.
        """
        with self._heard():
            found = self._aliased()
            if found is None:
                others = ", ".join(shorten(printable(each), 40) for each in sorted(self._aliases())[:8]) or "none"
                raise UserError(
                    f"{self._named} has no alias {self.alias} (its aliases: {others}); set it with"
                    f" MlflowClient().set_registered_model_alias({self.name!r}, {self.alias!r}, VERSION)"
                )
            serving = self._registered(found)
        since = f"registered {moment(serving.created_at)}"
        return f"version {serving.version} of {self._named} (alias {self.alias}), {since}"

    def _registered(self, found: Mapping[str, Any]) -> Registered:
        quoted, version = self._api.quoted, shorten(printable(found["version"]), 60)
        tags = {quoted(tag["key"]): quoted(tag.get("value", "")) for tag in found.get("tags", ())[:_MOST_TAGS]}
        return Registered(
            version=version,
            run_id=quoted(found["run_id"]) if found.get("run_id") else None,
            created_at=datetime.fromtimestamp(int(found["creation_timestamp"]) / 1000, UTC),
            source=quoted(found["source"]) if found.get("source") else None,
            tags=tags,
            page=self._page(version),
        )
