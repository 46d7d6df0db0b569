"""A notice in words, before any channel's own dress: Slack, stdout and webhooks say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.wording import number_text, share_text
from monitor.core.finding import IncidentKind, Rule
from monitor.core.incident import UNREFERENCED, WORSE_VERSION, Evidence, Incident, Reason, State
from monitor.core.notice import Notice
from monitor.core.window import iso
from monitor.core.wording import amount, moment, plural, printable, shorten, span

SHOWN = 5  # columns named in a message; the rest is a number and a link
_NAME, _WORDS, _SENTENCE = 80, 300, 700  # characters kept of a name, a clause, a sentence

_SO_WHAT = {
    IncidentKind.DRIFT: "The model now sees data unlike what it learned from, so its predictions may be off.",
    IncidentKind.QUALITY: "The data that feeds the model is broken: mend the pipeline, and do not retrain on it.",
    IncidentKind.PERFORMANCE: "The model is wrong more often than it was: look before its predictions are used.",
    IncidentKind.OPERATIONS: "Windows go unchecked meanwhile, so nothing is known about the model.",
}
_SO_WHAT_OF_FAULT = {
    UNREFERENCED: "Until then alarms may be false, and changes overlooked.",
    WORSE_VERSION: "Look before its predictions are used: the version before did better.",
}

_NAMED = 3  # columns named in the first sentence


@dataclass(frozen=True, slots=True)
class Line:
    """What one column shows; ``column`` is None for the whole table."""

    column: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in words. Every text is on one line, printable and of bounded length, and may hold users' words."""

    title: str
    sentence: str
    so_what: str
    facts: Mapping[str, str]
    lines: tuple[Line, ...]
    more: int
    context: str
    news: str
    timeline: tuple[str, ...]


def message(notice: Notice) -> Message:
    """Put a notice into words."""
    incident = notice.incident
    lines = tuple(Line(_name(item.column), _evidence(item)) for item in incident.evidence[:SHOWN])
    return Message(
        title=title(notice),
        sentence=_noted(notice, _sentence(notice)),
        so_what=_so_what(incident),
        facts=_facts(notice),
        lines=lines,
        more=max(0, len(incident.columns) - len([line for line in lines if line.column is not None])),
        context=f"incident {_short(incident.id, 120)} · {notice.reason}",
        news=news(notice),
        timeline=tuple(_short(line, _WORDS) for line in notice.timeline),
    )


def title(notice: Notice) -> str:
    """Return the headline, such as ``DRIFT · churn v7 · 3 of 42 columns``."""
    incident = notice.incident
    version = _short(notice.version or "", 30)
    model = _short(incident.model, 50) + (f" {'v' if version[0].isdigit() else ''}{version}" if version else "")
    parts = [incident.kind.upper(), model]
    if incident.columns:
        count = len(incident.columns)
        parts.append(f"{count:,} of {plural(notice.watched, 'column')}" if notice.watched else plural(count, "column"))
    if incident.state is State.RESOLVED:
        parts.insert(0, "RESOLVED")
    elif incident.expected:
        parts.insert(0, "EXPECTED")
    return " · ".join(parts)


def _sentence(notice: Notice) -> str:
    """Say what happened, how much of it, how much is tolerated, and when.

    Evidence is told first and in the log's own units, with its interval and its onset; then the fault's name.
    """
    incident = notice.incident
    name, summary = _short(incident.diagnosis, _WORDS), _short(incident.summary, _WORDS)
    # Titles and summaries are often the same words, or one holds the other.
    subject = f"{name}{_where(incident)}"
    told = summary if name.lower() in summary.lower() else f"{subject}: {summary}" if summary else subject
    lead = incident.evidence[0] if incident.evidence else None
    first = measured = ""
    if lead is not None and _in_native_units(lead):
        first = f"{_capital(_short(lead.words, _WORDS).rstrip('.'))}. "
    elif lead is not None:
        where = f"{_name(lead.column)} " if lead.column is not None and len(incident.columns) > 1 else ""
        measured = _measured(lead)
        measured = f" ({where}{measured})" if measured else ""
    when = f", in the window of {span(notice.window)}" if notice.window is not None else ""
    return shorten(f"{first}{_capital(told.rstrip('.'))}{measured}{when}.", _SENTENCE)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _in_native_units(item: Evidence) -> bool:
    """Whether an item's words say all: the change since its onset with an interval, where an effect is one window's."""
    return item.rule is Rule.EVIDENCE and bool(item.words)


def _where(incident: Incident) -> str:
    """Name the columns, for people who read the first line alone."""
    names = [name for column in incident.columns[:_NAMED] if (name := _name(column))]
    more = len(incident.columns) - len(names)
    return f" in {', '.join(names)}" + (f" and {more:,} more" if more else "") if names else ""


def _so_what(incident: Incident) -> str:
    if incident.state is State.RESOLVED:
        why = _short(incident.resolved_reason or "", _WORDS)
        return f"It is over after {plural(incident.windows, 'window')}{': ' + why if why else ''}."
    if incident.pipeline and incident.kind is not IncidentKind.OPERATIONS:
        return _SO_WHAT[IncidentKind.QUALITY]
    return _SO_WHAT_OF_FAULT.get(incident.fault, _SO_WHAT[incident.kind])


def _facts(notice: Notice) -> dict[str, str]:
    incident = notice.incident
    facts = {"Severity": str(incident.severity), "State": _state(incident)}
    if notice.rows:
        facts["Rows"] = f"{notice.rows:,}"
    if notice.reference:
        rows = f" ({plural(notice.reference_rows, 'row')})" if notice.reference_rows else ""
        facts["Reference"] = f"{_short(notice.reference, 12).rstrip('…')}{rows}"
    facts["Since"] = moment(incident.onset)
    if incident.state is State.RESOLVED and incident.resolved_at is not None:
        facts["Resolved"] = moment(incident.resolved_at)
    return facts


def _state(incident: Incident) -> str:
    parts = [str(incident.state)]
    if incident.state is not State.RESOLVED:
        if incident.acknowledged_by:
            parts.append(f"acknowledged by {_short(incident.acknowledged_by, 60)}")
        if incident.silenced_until is not None:
            parts.append(f"silenced until {moment(incident.silenced_until)}")
        if incident.expected:
            parts.append("declared expected")
    return ", ".join(parts)


def _noted(notice: Notice, text: str) -> str:
    """Put the note before a text: for whom the message was, and why it came here."""
    note = _short(notice.note, _WORDS).rstrip(".")
    return f"{_capital(note)}. {text}" if note else text


def news(notice: Notice) -> str:
    """Say what has changed since the last notice."""
    return _noted(notice, _news(notice))


def _news(notice: Notice) -> str:
    incident = notice.incident
    detail = _short(notice.detail, _SENTENCE)
    if notice.reason is Reason.REPEAT:
        return f"Still {incident.state} after {plural(incident.windows, 'window')}, and nobody has acknowledged it."
    lead = {
        Reason.FIRST: "What happened so far",
        Reason.COLUMNS: "New columns in the incident",
        Reason.SEVERITY: f"Severity raised to {incident.severity}",
        Reason.WORSE: "The change has grown",
        Reason.RESOLVED: "Resolved",
        Reason.PERSON: "A person acted",
        Reason.RETRAIN: "Retraining",
        Reason.ROLLBACK: "Rolling back",
        Reason.REVISED: "Late rows",
        Reason.PROOF: "Whether the new version helped",
    }[notice.reason]
    return f"{lead}: {detail}" if detail else lead


def payload(notice: Notice, most: int) -> dict[str, Any]:
    """Return the notice as JSON for programs; lists hold at most ``most`` items, and ``omitted`` counts the others."""
    words = message(notice)
    incident = notice.incident.as_json()
    lists: dict[str, Sequence[Any]] = {
        "columns": incident["columns"],
        "evidence": incident["evidence"],
        "retrains": incident["retrains"],
        "timeline": notice.timeline,
    }
    kept = {name: list(items[:most] if name != "timeline" else items[max(0, len(items) - most) :])
            for name, items in lists.items()}  # fmt: skip
    return {
        "key": notice.key,
        "reason": str(notice.reason),
        "title": words.title,
        "text": f"{words.sentence} {words.so_what}",
        "news": words.news,
        "note": notice.note or None,
        "at": iso(notice.at),
        "model": notice.incident.model,
        "version": notice.version,
        "window": {"start": iso(notice.window.start), "end": iso(notice.window.end)} if notice.window else None,
        "watched": notice.watched,
        "rows": notice.rows,
        "reference": notice.reference or None,
        "reference_rows": notice.reference_rows,
        "link": notice.link,
        "actions": list(notice.actions),
        "timeline": kept.pop("timeline"),
        "incident": {
            **incident,
            "diagnosis": shorten(incident["diagnosis"], _SENTENCE),
            "summary": shorten(incident["summary"], _SENTENCE),
            **kept,
        },
        "omitted": {name: len(items) - most for name, items in lists.items() if len(items) > most},
    }


def _evidence(item: Evidence) -> str:
    measured = "" if _in_native_units(item) else _measured(item)
    words = _short(item.words or item.check.replace("_", " "), _WORDS)
    return f"{words} · {measured}" if measured else words


def _measured(item: Evidence) -> str:
    """Return ``0.62 sd, tolerance 0.2``; empty where nothing was measured."""
    if item.effect is None:
        return ""
    measured = amount(item.effect, item.unit)
    return measured if item.threshold is None else f"{measured}, tolerance {_bare(item.threshold, item.unit)}"


def _bare(threshold: float, unit: str) -> str:
    return share_text(threshold) if unit.startswith("share") else number_text(threshold)


def _name(column: str | None) -> str | None:
    return None if column is None else _short(column, _NAME)


def _short(text: str, limit: int) -> str:
    return shorten(printable(text[: limit + 1]), limit)
