"""Notices to send: a usual one, a hostile one, and one that is too large for any channel."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.finding import IncidentKind, Severity
from monitor.core.incident import Evidence, Incident, Reason, State
from monitor.core.notice import Attempt, Notice, Series
from monitor.core.window import Window

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def evidence(column: str | None, words: str = "median 733 to 1,180", effect: float = 0.62) -> Evidence:
    return Evidence(column, "wasserstein", words, effect, (0.5, 0.7), 0.2, "standard deviations of the reference")


def incident(**changes: Any) -> Incident:
    return replace(
        Incident(
            id="churn-1a2b3c4d",
            model="churn",
            kind=IncidentKind.DRIFT,
            fault="location_shift",
            state=State.FIRING,
            severity=Severity.WARNING,
            columns=("amount", "age", "tenure"),
            diagnosis="shifted values",
            summary="three columns moved together",
            opened_at=START + DAY,
            onset=START,
            last_window_end=START + 2 * DAY,
            windows=2,
            evidence=(evidence("amount"), evidence("age", effect=0.4), evidence("tenure", effect=0.3)),
        ),
        **changes,
    )


def series(column: str = "amount", points: int = 14) -> Series:
    times = tuple(START + DAY * place for place in range(points))
    return Series(column, "standard deviations", times, tuple(0.02 * place for place in range(points)), 0.2)


def notice(
    reason: Reason = Reason.FIRST, key: str = "churn-1a2b3c4d-first", *, of: Incident | None = None, **changes: Any
) -> Notice:
    return replace(
        Notice(
            key=key,
            reason=reason,
            incident=of or incident(),
            at=START + 2 * DAY,
            window=Window(START + DAY, START + 2 * DAY),
            version="7",
            watched=42,
            rows=1204,
            reference_rows=50_000,
            reference="4f1c2ab09de7",
            timeline=("2026-03-02 00:00 pending", "2026-03-03 00:00 fired"),
            actions=("ack", "silence", "expected", "retrain"),
            link="https://leeway.example.org/report.html#churn-1a2b3c4d",
        ),
        **changes,
    )


def first(**changes: Any) -> Attempt:
    return Attempt(notice(**changes))


def monster() -> Notice:
    """200 columns with names of 300 characters that JSON writes long, and as much evidence and history."""
    names = tuple(f"{place}-" + "ü🙂" * 148 for place in range(200))
    large = incident(
        columns=names,
        evidence=tuple(evidence(name, words="из 5 стало 7 " * 100) for name in names),
        summary="long words " * 400,
        diagnosis="d" * 1000,
        model="m" * 300,
        acknowledged_by="a" * 1000,
    )
    return notice(
        of=large, timeline=tuple("line 🙂 " * 100 for _ in range(300)), detail=", ".join(names), version="v" * 300
    )


HOSTILE = (
    "<!channel>",
    "@here",
    "`<@U1>`",
    "<https://evil.example|click>",
    "*bold* & <!subteam^S1>",
    "a\nb\x1b[31m\u202e",
)


def hostile() -> Notice:
    """Column names and words that would ping, link or forge lines wherever they are not escaped."""
    bad = incident(
        columns=HOSTILE,
        evidence=tuple(evidence(name, words=f"new value `<!here>` <@U2> in {name}") for name in HOSTILE),
        summary="`<!everyone>` appeared in <!channel>",
        diagnosis="new category <@W3>",
        model="<!channel>",
        acknowledged_by="<@U9>",
    )
    return notice(
        of=bad, version="<!here>", detail="<!channel> @channel", timeline=("<!channel> fired", "<@U1> acted"),
        series=(series("<!channel>"),), link="https://leeway.example.org/x",
    )  # fmt: skip
