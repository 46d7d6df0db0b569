"""MLflow's registry by its REST API: what following an alias and moving one have in common."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Self
from urllib.parse import quote, urlencode

from pydantic import SecretStr, field_validator, model_validator

from monitor.apis.calling import Api, CallError
from monitor.apis.service import Address, Service
from monitor.core.errors import UserError
from monitor.core.wording import printable, shorten
from monitor.options import reveal

UNINTELLIGIBLE = (LookupError, TypeError, AttributeError, ValueError, OverflowError)  # an answer of another shape
_LARGEST = 32_000_000  # bytes of one answer: a run's data sets come with their schemas
_NOT_THERE = (400, 404)  # which of them depends on what is missing, and on MLflow's release
_PATHS = "/api/2.0/mlflow/"


class MlflowModel(Service):
    """A model of MLflow's registry, and the alias of the version that serves."""

    url: Address
    """Address of the tracking server, such as http://mlflow:5000."""
    ui: Address | None = None
    """Address that links to versions begin with, where people reach the server under another one."""
    name: str
    """Name of the registered model."""
    alias: str = "champion"
    """Alias of the version that serves."""
    token: SecretStr | None = None
    """Token, where the server takes one (``Authorization: Bearer``)."""
    username: str | None = None
    """User, where the server asks for one."""
    password: SecretStr | None = None
    """The user's password."""

    @field_validator("name")
    @classmethod
    def _some_name(cls, value: str) -> str:
        if not value.strip() or "/" in value or ":" in value:
            raise ValueError("a registered model is named without / and :")
        return value

    @field_validator("alias")
    @classmethod
    def _possible_alias(cls, value: str) -> str:
        if not re.fullmatch(r"[\w-]+", value) or re.fullmatch(r"[vV]\d+", value):
            raise ValueError("an alias has letters, digits, _ and -, and is not like v1")
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        if self.token is not None and self.password is not None:
            raise ValueError("set token, or username and password, not both")
        return self

    @property
    def _api(self) -> Api:
        own = {}
        if self.token is not None:
            own["Authorization"] = f"Bearer {reveal(self.token)}"
        elif self.password is not None:
            pair = f"{self.username}:{reveal(self.password)}".encode()
            own["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        sign_in = "it refuses the call; compare token, or username and password, with its users and their permissions"
        return replace(self._api_named("MLflow", own, (self.token, self.password), sign_in), largest=_LARGEST)

    @property
    def _strange(self) -> str:
        return f"{self._api.shown} answers, but not as MLflow's API does; compare url with its address"

    @property
    def _named(self) -> str:
        """The model, as people are told of it."""
        return f"{shorten(printable(self.name), 80)} in {self._api.shown}"

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Turn what a call may bring into the errors that people are told of."""
        try:
            yield
        except CallError as error:
            raise error.raised() from error
        except UNINTELLIGIBLE as error:
            raise UserError(self._strange) from error

    def _get(self, path: str, **query: str) -> Any:
        return self._api.call(f"{_PATHS}{path}?{urlencode(query)}")

    def _post(self, path: str, body: Mapping[str, str], *, starts: bool = False, missing: str = "") -> None:
        advice = dict.fromkeys(_NOT_THERE, missing) if missing else None
        self._api.call(f"{_PATHS}{path}", json.dumps(body).encode(), starts=starts, advice=advice)

    def _aliased(self) -> Mapping[str, Any] | None:
        """Return the version, as MLflow describes it, that the alias points at; None where it points at none.

        Raises
        ------
        CallError
            When the model is not there, or MLflow cannot be asked.
        """
        try:
            found = self._get("registered-models/alias", name=self.name, alias=self.alias)
        except CallError as error:
            if error.status not in _NOT_THERE:
                raise
            version = self._aliases().get(self.alias)
            return self._version(version) if version is not None else None
        aliased: Mapping[str, Any] = found["model_version"]
        return aliased

    def _aliases(self) -> dict[str, str]:
        """Return which version each alias of the model points at."""
        return {each["alias"]: each["version"] for each in self._described().get("aliases", ())}

    def _version(self, version: str) -> Mapping[str, Any]:
        """Return a version as MLflow describes it."""
        try:
            found: Mapping[str, Any] = self._get("model-versions/get", name=self.name, version=version)["model_version"]
        except CallError as error:
            if error.status not in _NOT_THERE:
                raise
            newest = max((int(each["version"]) for each in self._described().get("latest_versions", ())), default=0)
            shown = shorten(printable(version), 60)
            known = f"its newest is {newest}" if newest else "it has none yet"
            raise CallError(
                f"there is no version {shown} of {self._named}; {known}", lasting=True, status=404
            ) from error
        return found

    def _described(self) -> Mapping[str, Any]:
        """Return the registered model as MLflow describes it."""
        try:
            found: Mapping[str, Any] = self._get("registered-models/get", name=self.name)["registered_model"]
        except CallError as error:
            if error.status != 404:
                raise
            listed = self._get("registered-models/search", max_results="200").get("registered_models", ())
            shown = shorten(printable(self.name), 80)
            near = _nearest(self.name, [each["name"] for each in listed])
            raise CallError(
                f"{self._api.shown} has no registered model {shown!r}; {near}", lasting=True, status=404
            ) from error
        return found

    def _page(self, version: str) -> str:
        """Return the address of a version's page."""
        return f"{self.ui or self.url}/#/models/{quote(self.name, safe='')}/versions/{quote(version, safe='')}"


def _nearest(name: str, known: list[str]) -> str:
    lower = {other.lower(): other for other in known}
    near = [lower[match] for match in get_close_matches(name.lower(), list(lower), n=3, cutoff=0.5)]
    if near:
        return f"did you mean {' or '.join(repr(shorten(printable(other), 80)) for other in near)}?"
    if not known:
        return "it has none yet: register one, or compare url with the server that training uses"
    listed = ", ".join(repr(shorten(printable(other), 80)) for other in known[:8])
    return f"there are {listed}{' and more' if len(known) > 8 else ''}"
