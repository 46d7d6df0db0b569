"""Periods and calendars: what the configuration may say of them, and the calendar that it means."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from monitor.config.public_holidays import Holidays, public_holidays
from monitor.core import calendar
from monitor.core.window import PLAUSIBLE, Window
from monitor.options import Moment, Options


class Period(Options):
    """A past period of the log itself, half-open."""

    start: Moment
    """First moment, with a zone or in the log's zone."""
    end: Moment
    """First moment after the period."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if (self.start.tzinfo is None) != (self.end.tzinfo is None):
            raise ValueError("start and end must both name a zone, or neither")
        if self.end <= self.start:
            raise ValueError("the period must end after it starts")
        return self


class Excluded(Period):
    """A period that is neither judged nor learned from, half-open."""

    start: Moment
    """First moment, with a zone or in the schedule's zone."""
    reason: Annotated[str, Field(min_length=1)] = "excluded by the configuration"
    """Why, as it is shown beside the windows that are left out."""

    @field_validator("start", "end")
    @classmethod
    def _is_plausible(cls, value: datetime) -> datetime:
        first, last = PLAUSIBLE.start.year, PLAUSIBLE.end.year
        if not first <= value.year < last:
            raise ValueError(f"must lie between the years {first} and {last}")
        return value


class Calendar(Options):
    """What is normal when: the rhythm of the log, days that break it, and periods that count for nothing."""

    seasonal: Literal["weekly", "yearly", "none"] = "weekly"
    """``weekly`` compares with the same hours of the week, ``yearly`` with the same season too once the
    reference has 13 months, ``none`` with all of the reference."""
    holidays: Holidays | None = None
    """Days that count as Sundays: a country's code, as ``US``, or that of a part of it, as ``DE-BY``; or their list."""
    exclude: tuple[Excluded, ...] = ()
    """Periods that are neither judged nor learned from, such as an outage or a sale."""


def calendar_of(options: Calendar, timezone: str) -> calendar.Calendar:
    """Return the calendar that options mean, its holidays looked up.

    Parameters
    ----------
    options : a model's ``calendar``.
    timezone : name of the schedule's zone, in which days lie and times that name no zone are read.
    """
    zone, days = ZoneInfo(timezone), options.holidays or ()
    exclusions = (
        calendar.Exclusion(Window(min(_readings(period.start, zone)), max(_readings(period.end, zone))), period.reason)
        for period in options.exclude
    )
    return calendar.Calendar(
        timezone=timezone,
        holidays=public_holidays(days) if isinstance(days, str) else frozenset(days),
        exclusions=tuple(exclusions),
        weekly=options.seasonal != "none",
        yearly=options.seasonal == "yearly",
    )


def _readings(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two moments, in UTC, that a time without a zone may mean when the clocks change; else one, twice.

    A period goes from the earlier reading of its start to the later one of its end, so that it is never empty.
    """
    if moment.tzinfo is not None:
        return moment.astimezone(UTC), moment.astimezone(UTC)
    return moment.replace(tzinfo=zone).astimezone(UTC), moment.replace(tzinfo=zone, fold=1).astimezone(UTC)
