"""How many false alarms were to be expected of some time: by the budget, and by the replay of the reference."""

from dataclasses import dataclass
from typing import Any

from checks.budget import DAYS_A_PERIOD


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """False notifications to be expected.

    Parameters
    ----------
    days : of the time in question.
    rate : that the budget allows, per 30 days.
    replayed : that the replay of the reference had, per 30 days; None where nothing could be replayed.
    replayed_days : days drawn from the reference for that replay.
    """

    days: float
    rate: float
    replayed: float | None
    replayed_days: int

    @property
    def allowed(self) -> float:
        """Notifications at most, on average."""
        return self.rate * self.days / DAYS_A_PERIOD

    @property
    def expected(self) -> float | None:
        """Notifications if the time was like the reference; None where the reference could not be replayed."""
        return None if self.replayed is None else self.replayed * self.days / DAYS_A_PERIOD

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "days": self.days,
            "budget_per_30_days": self.rate,
            "allowed": self.allowed,
            "replayed_per_30_days": self.replayed,
            "replayed_days": self.replayed_days,
            "expected": self.expected,
        }

    @property
    def words(self) -> str:
        """The same in words."""
        allowed = f"at most {_few(self.allowed)} on average by the budget of {_few(self.rate)} in 30 days"
        if self.expected is None:
            return f"{allowed}; the reference is too short for a replay of it"
        return (
            f"{allowed}, {_few(self.expected)} by a replay of the reference ({self.replayed_days:,} days drawn from it)"
        )


def _few(count: float) -> str:
    return f"{count:.0f}" if count >= 10 or count == round(count) else f"{count:.2g}"
