"""A notice as Slack's Block Kit, within Slack's limits and without a mention that nobody asked for.

Users' words (columns, categories, people) stand in ``plain_text`` or ``rich_text``, in which Slack parses nothing;
``mrkdwn`` is used for our own words only.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from monitor.core.finding import Severity
from monitor.core.incident import Reason, State
from monitor.core.notice import Notice
from monitor.core.wording import printable, shorten
from monitor.notifiers._message import Line, Message, message

Block = dict[str, Any]

HEADER, SECTION, BUTTON_VALUE, URL = 150, 3000, 2000, 3000  # characters, by Slack's reference
LARGEST_JSON = 12_000  # bytes of blocks; Slack refuses somewhat larger messages without saying where it begins
LARGEST_TEXT = 8_000  # characters of blocks
_PREVIEW = 600  # characters of the top-level text: notifications and screen readers
_CUTS = (300, 120, 60, 24)  # lengths tried for a line's words until the message fits
_MEANINGFUL = frozenset("*_~`<>&@#")
_LOUD = frozenset({Reason.FIRST, Reason.SEVERITY, Reason.WORSE, Reason.REPEAT})

_BUTTONS = {
    "ack": "Ack",
    "silence": "Silence 24 h",
    "expected": "Expected",
    "retrain": "Retrain",
    "rollback": "Roll back",
    "resolve": "Resolve",
}
# What does the same from a terminal, for messages whose buttons nobody would hear.
_COMMANDS = {
    "ack": "monitor ack {id}",
    "silence": "monitor silence {id}",
    "expected": "monitor expected {id}",
    "retrain": "monitor retrain {model}",
    "rollback": "monitor rollback {model}",
    "resolve": "monitor resolve {id}",
}
_CONFIRM = {
    "retrain": "This starts a retraining by the configured trigger.",
    "rollback": "This leads back to the former version by the configured trigger.",
    "expected": "This change will not alarm anybody any more.",
}


def render_slack(notice: Notice, *, buttons: bool = True, mention: str | None = None) -> dict[str, Any]:
    """Return the message as ``{"text": …, "blocks": […]}``.

    Parameters
    ----------
    buttons : offer the notice's actions; where nobody would hear a button, the commands are named instead.
    mention : who is pinged: a group or user id, or here, channel, everyone.
    """
    words = message(notice)
    for cut in _CUTS:
        blocks = list(_blocks(notice, words, cut, buttons=buttons, mention=mention))
        if _fits(blocks):
            break
    return {"text": preview(words), "blocks": blocks}


def render_reply(notice: Notice, *, mention: str | None = None) -> dict[str, Any]:
    """Return what is said in the incident's thread: what has changed, and the timeline so far, latest lines kept."""
    words = message(notice)
    timeline = list(words.timeline)
    while True:
        blocks = _named(notice, "reply", _reply(words, timeline, mention))
        if _fits(blocks) or not timeline:
            return {"text": escape(shorten(words.news, _PREVIEW)), "blocks": blocks}
        timeline = timeline[len(timeline) // 2 + 1 :]


def minimal(notice: Notice, *, mention: str | None = None) -> dict[str, Any]:
    """Return the message as text alone, for when Slack refuses the blocks."""
    words = message(notice)
    lead = f"{_ping(mention)} " if mention else ""
    tail = f"\n{escape(words.context)}" + (f"\n<{_link(notice.link)}>" if _link(notice.link) else "")
    return {"text": lead + preview(words) + tail}


def pinged(notice: Notice, mention: str | None) -> str | None:
    """Return who is pinged by a notice: ``mention`` where it is loud news of a critical incident, else nobody."""
    incident = notice.incident
    critical = incident.severity is Severity.CRITICAL and incident.state is State.FIRING
    return mention if critical and notice.reason in _LOUD else None


def preview(words: Message) -> str:
    """Return the one line that stands for a message in notifications."""
    return escape(shorten(f"{words.title}: {words.sentence}", _PREVIEW))


def escape(text: str) -> str:
    """Escape the three characters that begin and end Slack's own commands."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(notice: Notice, words: Message, cut: int, *, buttons: bool, mention: str | None) -> list[Block]:
    blocks: list[Block] = [{"type": "header", "text": _plain(shorten(words.title, HEADER))}]
    if mention:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _ping(mention), "verbatim": True}})
    blocks.append({"type": "section", "text": _plain(f"{words.sentence}\n{words.so_what}")})
    blocks.append({"type": "section", "fields": [_field(name, value) for name, value in words.facts.items()]})
    if words.lines:
        blocks.append(_lines(words.lines, words.more, cut, _link(notice.link)))
    context = [words.context] if buttons else [words.context, *_commands(notice)]
    blocks.append({"type": "context", "elements": [_plain(line) for line in context]})
    pressed = [_button(notice, action) for action in notice.actions if buttons and action in _BUTTONS]
    if _link(notice.link):
        pressed.append(
            {"type": "button", "action_id": "leeway_open", "text": _plain("Open report"), "url": notice.link}
        )
    if pressed:
        blocks.append({"type": "actions", "elements": pressed})
    return _named(notice, "main", blocks)


def _reply(words: Message, timeline: Sequence[str], mention: str | None) -> list[Block]:
    blocks: list[Block] = [{"type": "section", "text": _plain(shorten(words.news, SECTION))}]
    if mention:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _ping(mention), "verbatim": True}})
    if timeline:
        items = [{"type": "rich_text_section", "elements": [_words(line)]} for line in timeline]
        blocks.append({"type": "rich_text", "elements": [_bullets(items)]})
    return blocks


def _lines(lines: Iterable[Line], more: int, cut: int, link: str | None) -> Block:
    items = []
    for line in lines:
        name = (
            [] if line.column is None else [_words(shorten(line.column, cut) or "(no name)", code=True), _words("  ")]
        )
        items.append({"type": "rich_text_section", "elements": [*name, _words(shorten(line.words, cut))]})
    elements = [_bullets(items)]
    if more:
        rest: Block = {"type": "link", "url": link, "text": f"+{more:,} more"} if link else _words(f"+{more:,} more")
        elements.append({"type": "rich_text_section", "elements": [rest]})
    return {"type": "rich_text", "elements": elements}


def _bullets(items: Sequence[Block]) -> Block:
    return {"type": "rich_text_list", "style": "bullet", "elements": list(items)}


def _button(notice: Notice, action: str) -> Block:
    button: Block = {
        "type": "button",
        "action_id": f"leeway_{action}",
        "text": _plain(_BUTTONS[action]),
        "value": notice.incident.id[:BUTTON_VALUE],
    }
    if action in _CONFIRM:
        button["confirm"] = {
            "title": _plain("Are you sure?"),
            "text": _plain(_CONFIRM[action]),
            "confirm": _plain(_BUTTONS[action]),
            "deny": _plain("Cancel"),
        }
    return button


def _commands(notice: Notice) -> list[str]:
    """Return the commands for the first thing that a person may do and for a run, one text or none."""
    offered = [action for action in notice.actions if action in _COMMANDS]
    shown = offered[:1] + [action for action in offered[1:] if action in ("retrain", "rollback")]
    incident = notice.incident
    names = {"id": shorten(printable(incident.id), 120), "model": shorten(printable(incident.model), 120)}
    return [" · ".join(_COMMANDS[action].format(**names) for action in shown)] if shown else []


def _named(notice: Notice, part: str, blocks: list[Block]) -> list[Block]:
    """Give every block an id that is new with every notice, as updates need, and the same on every attempt."""
    seed = sha256(notice.key.encode("utf-8", "replace")).hexdigest()[:12]
    return [{**block, "block_id": f"{part}-{seed}-{place}"} for place, block in enumerate(blocks)]


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _field(name: str, value: str) -> Block:
    """Return a fact with its name in bold, or plain where the value has a character that could mean something."""
    if set(value) & _MEANINGFUL:
        return _plain(f"{name}\n{value}")
    return {"type": "mrkdwn", "text": f"*{name}*\n{value}", "verbatim": True}


def _words(text: str, *, code: bool = False) -> Block:
    return {"type": "text", "text": text, **({"style": {"code": True}} if code else {})}


def _ping(mention: str | None) -> str:
    if mention in ("here", "channel", "everyone"):
        return f"<!{mention}>"
    return f"<!subteam^{mention}>" if mention and mention.startswith("S") else f"<@{mention}>"


def _link(link: str | None) -> str | None:
    """Return an address that Slack takes; anything else would make it refuse the message."""
    usable = link is not None and link.startswith(("https://", "http://")) and len(link) <= URL
    return link if usable and not set(link or "") & set("<>| \n\t") else None


def _fits(blocks: list[Block]) -> bool:
    return len(json.dumps(blocks)) <= LARGEST_JSON and _characters(blocks) <= LARGEST_TEXT


def _characters(part: Any) -> int:
    if isinstance(part, dict):
        return sum(len(value) if key == "text" and isinstance(value, str) else _characters(value)
                   for key, value in part.items())  # fmt: skip
    return sum(_characters(item) for item in part) if isinstance(part, list) else 0
