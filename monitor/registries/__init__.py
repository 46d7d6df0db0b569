"""Registries of models, which say what serves: each its own file, with one public class."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Registered:
    """A version of a registered model.

    Parameters
    ----------
    version : its name in the registry, such as ``3``.
    run_id : of the run that made it; None where the registry knows of none.
    created_at : when it was registered.
    source : where its files are, in the registry's words.
    tags : of the version, shortened.
    page : address of its page.
    """

    version: str
    run_id: str | None
    created_at: datetime
    source: str | None
    tags: Mapping[str, str]
    page: str


class SignatureError(ValueError):
    """A message that is not signed by the secret, or was signed too long ago."""
