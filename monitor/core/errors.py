"""One root for every error that Leeway raises on purpose; what is not below it is a defect."""


class LeewayError(Exception):
    """Something is wrong that a person can put right; the message says what, where and how."""


class UserError(LeewayError):
    """A mistake in the call or the configuration: exit code 2."""


class UnavailableError(LeewayError):
    """The monitor could not do its work, for example because a database is away: exit code 3."""
