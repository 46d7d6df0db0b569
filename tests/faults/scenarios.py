"""Short histories with one kind of trouble each: the code passes them all, and each mutant fails one of them."""

from datetime import timedelta

from tests.faults.simulation import Simulation

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def frozen_while_reading(s: Simulation) -> None:
    """A replica stands still in the middle of a window, another takes it over, and then the first goes on."""
    s.pass_time(2 * DAY)
    s.freeze(0, "window.read")
    s.lapse()
    s.work(1)
    s.thaw(0)


def overtaken_while_reading(s: Simulation) -> None:
    """As before; but the one that took over is still at it when the first goes on."""
    s.pass_time(2 * DAY)
    s.freeze(0, "window.read")
    s.lapse()
    s.freeze(1, "window.judged")
    s.thaw(0)
    s.thaw(1)


def frozen_under_another_configuration(s: Simulation) -> None:
    """The one that takes over has another configuration already."""
    s.pass_time(2 * DAY)
    s.reconfigure(1, "second")
    s.freeze(0, "window.read")
    s.lapse()
    s.work(1)
    s.thaw(0)


def frozen_over_a_skip(s: Simulation) -> None:
    """A replica stands still for so long that another gives its window up as too old."""
    s.pass_time(2 * DAY)
    s.freeze(0, "window.read")
    s.lapse()
    s.pass_time(6 * DAY)
    s.work(1)
    s.thaw(0)


def about_to_claim_over_a_skip(s: Simulation) -> None:
    """As before, with nothing claimed yet."""
    s.pass_time(2 * DAY)
    s.freeze(0, "window.owed")
    s.pass_time(6 * DAY)
    s.work(1)
    s.thaw(0)


def at_work_over_a_skip(s: Simulation) -> None:
    """As before, while its lease is still renewed."""
    s.pass_time(2 * DAY)
    s.linger(0, "window.read")
    s.pass_time(6 * DAY)
    s.work(1)
    s.thaw(0)


def away_for_long(s: Simulation) -> None:
    """Nobody works for longer than what is caught up."""
    s.pass_time(6 * DAY)
    s.work(0)


def long_work(s: Simulation) -> None:
    """A window takes longer than a lease, and its owner renews it."""
    s.pass_time(2 * DAY)
    s.linger(0, "window.read")
    s.lapse()
    s.work(1)
    s.thaw(0)


def dropped_after_storing(s: Simulation) -> None:
    """Slack stores messages and drops the connection."""
    s.pass_time(3 * DAY)
    s.work(0)
    s.slack.client.faults.extend(["after", "before", "", "after", "html"])
    s.deliver(0)
    s.pass_time(HOUR)
    s.deliver(1)


def killed_between_claim_and_answer(s: Simulation) -> None:
    """A replica dies before the receiver answers, whichever letter it is."""
    s.pass_time(3 * DAY)
    s.work(0)
    for place, times in (("letter.claimed", 1), ("letter.claimed", 2), ("letter.sent", 1), ("letter.sent", 2)):
        s.crash(0, place, times)
        s.lapse()


def killed_after_committing(s: Simulation) -> None:
    """A replica dies right after the commit of each window."""
    for _ in range(5):
        s.pass_time(DAY)
        s.crash(0, "window.committed")
        s.lapse()


def trigger_in_doubt(s: Simulation) -> None:
    """A retraining begins, and whoever asked for it is not told."""
    s.pass_time(3 * DAY)
    s.work(0)
    s.trigger.doubts = 1
    s.deliver(0)
    s.pass_time(HOUR)
    s.deliver(1)


def frozen_with_a_letter(s: Simulation) -> None:
    """A replica stands still with a letter in hand, and another sends it."""
    s.pass_time(3 * DAY)
    s.work(0)
    for times in (1, 2, 3):
        s.freeze(0, "letter.claimed", times)
        s.lapse()
        s.deliver(1)
        s.thaw(0)


def blind_and_closed_by_hand(s: Simulation) -> None:
    """The log is away, a person closes the incident that says so, and it is still away."""
    s.pass_time(DAY)
    for _ in range(3):
        s.blind(0)
        s.pass_time(2 * HOUR)
        s.work(0)
    s.act("resolve")
    s.blind(0)
    s.pass_time(5 * HOUR)
    s.work(0)


def clock_set_back(s: Simulation) -> None:
    """The clock shows another week for a while: what was written then must not wait for that week."""
    s.pass_time(3 * DAY)
    s.work(0)
    s.pass_time(-2 * DAY)
    s.deliver(0)
    assert not s.waiting(), "letters wait for a day that is days away"


SCENARIOS = (
    frozen_while_reading,
    overtaken_while_reading,
    frozen_under_another_configuration,
    frozen_over_a_skip,
    about_to_claim_over_a_skip,
    at_work_over_a_skip,
    away_for_long,
    long_work,
    dropped_after_storing,
    killed_between_claim_and_answer,
    killed_after_committing,
    trigger_in_doubt,
    frozen_with_a_letter,
    blind_and_closed_by_hand,
    clock_set_back,
)
