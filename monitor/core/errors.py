"""One root for every error that Leeway raises on purpose; what is not below it is a defect."""

from pathlib import Path
from traceback import extract_tb


class LeewayError(Exception):
    """Something is wrong that a person can put right; the message says what, where and how."""


class UserError(LeewayError):
    """A mistake in the call or the configuration: exit code 2."""


class UnavailableError(LeewayError):
    """The monitor could not do its work, for example because a database is away: exit code 3."""


def defect(error: Exception) -> str:
    """Name a defect by its kind and place; its own words may hold an address, and an address may be a secret."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
