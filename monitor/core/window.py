"""Windows of time: half-open, in UTC, aligned to the schedule."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Moments beyond are errors of typing; kept away from where calendars end, so that no sum of times overflows.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The half-open span ``[start, end)``, both aware and in UTC.

    Raises
    ------
    ValueError
        For naive times, an end that is not after the start, or a year before 1900 or from 9000 on.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs times with a zone")
        if self.start < EARLIEST or self.end > LATEST:
            raise ValueError(f"a window lies between the years {EARLIEST.year} and {LATEST.year}")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))
        if self.end <= self.start:
            raise ValueError(f"a window ends after it starts, got {self}")

    @property
    def length(self) -> timedelta:
        """End minus start."""
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%MZ}/{self.end:%Y-%m-%dT%H:%MZ}"


# Where the times of rows are believed: a year from either end, so that every window around such a row exists.
PLAUSIBLE = Window(EARLIEST.replace(year=EARLIEST.year + 1), LATEST.replace(year=LATEST.year - 1))


def iso(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601, for example ``2026-01-31T00:00:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
