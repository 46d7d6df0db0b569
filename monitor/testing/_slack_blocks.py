"""Slack's rules for blocks, as a table: which keys a part may have, and how long its texts may be.

After Slack's reference of Block Kit; what the table does not name is refused, as Slack refuses it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

MOST_BLOCKS = 50
MOST_CHARACTERS = 10_000  # of all texts; Slack does not document it: 9.6k were taken and 11.3k refused
_COMMON = {"type", "block_id"}
_KEYS: Mapping[str, set[str]] = {
    "header": _COMMON | {"text"},
    "section": _COMMON | {"text", "fields", "accessory", "expand"},
    "context": _COMMON | {"elements"},
    "actions": _COMMON | {"elements"},
    "divider": _COMMON,
    "image": _COMMON | {"image_url", "alt_text", "title", "slack_file"},
    "rich_text": _COMMON | {"elements"},
    "rich_text_section": {"type", "elements"},
    "rich_text_list": {"type", "elements", "style", "indent", "offset", "border"},
    "rich_text_preformatted": {"type", "elements", "border"},
    "rich_text_quote": {"type", "elements", "border"},
    "text": {"type", "text", "style"},
    "link": {"type", "url", "text", "style", "unsafe"},
    "user": {"type", "user_id", "style"},
    "usergroup": {"type", "usergroup_id", "style"},
    "broadcast": {"type", "range", "style"},
    "button": {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"},
    "plain_text": {"type", "text", "emoji"},
    "mrkdwn": {"type", "text", "verbatim"},
}
_TOP_LEVEL = frozenset({"header", "section", "context", "actions", "divider", "image", "rich_text"})
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "header": ("text",), "context": ("elements",), "actions": ("elements",), "rich_text": ("elements",),
    "button": ("text", "action_id"), "plain_text": ("text",), "mrkdwn": ("text",), "text": ("text",), "link": ("url",),
    "image": ("alt_text",),
}  # fmt: skip
_LENGTHS = {"block_id": 255, "action_id": 255, "value": 2000, "url": 3000, "image_url": 3000, "alt_text": 2000}
_TEXT_LENGTHS = {
    ("header", "text"): 150,
    ("section", "text"): 3000,
    ("section", "fields"): 2000,
    ("button", "text"): 75,
}
_COUNTS = {("section", "fields"): 10, ("context", "elements"): 10, ("actions", "elements"): 25}
_CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
_PINGS = re.compile(r"<!(?:channel|here|everyone|subteam\^\w+)(?:\|[^>]*)?>|<@\w+(?:\|[^>]*)?>")
_BARE_PINGS = re.compile(r"(?<![\w`])@(?:channel|here|everyone)\b")
_LINKS = re.compile(r"<(https?://[^|>]+)(?:\|[^>]*)?>")


def faults(blocks: Any) -> list[str]:
    """Return what Slack would refuse, each with its place as ``response_metadata.messages`` has it."""
    if not isinstance(blocks, list):
        return ["must be a list [json-pointer:/blocks]"]
    found = [f"no more than {MOST_BLOCKS} items allowed [json-pointer:/blocks]"] if len(blocks) > MOST_BLOCKS else []
    names = [block.get("block_id") for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(names) != len(set(names)):
        found.append("block_id must be unique [json-pointer:/blocks]")
    for place, block in enumerate(blocks):
        pointer = f"/blocks/{place}"
        if not isinstance(block, dict) or block.get("type") not in _TOP_LEVEL:
            found.append(f"unsupported type [json-pointer:{pointer}/type]")
        else:
            found += [f"{why} [json-pointer:{where}]" for why, where in _part(block, pointer)]
    actions = re.findall(r'"action_id": ("[^"]*")', json.dumps(blocks))
    if len(actions) != len(set(actions)):
        found.append("action_id must be unique [json-pointer:/blocks]")
    return found


def _part(part: Any, pointer: str) -> Iterator[tuple[str, str]]:
    kind = str(part.get("type")) if isinstance(part, dict) else ""
    if kind not in _KEYS:
        yield "unsupported type", pointer
        return
    for key in sorted(part.keys() - _KEYS[kind]):
        yield f"unknown key {key!r}", pointer
    for key in _NEEDED.get(kind, ()):
        if key not in part:
            yield f"missing required field: {key}", pointer
    if kind == "section" and not ({"text", "fields"} & part.keys()):
        yield "missing required field: text", pointer
    yield from _sizes(part, kind, pointer)
    yield from _children(part, kind, pointer)


def _sizes(part: dict[str, Any], kind: str, pointer: str) -> Iterator[tuple[str, str]]:
    for key, longest in _LENGTHS.items():
        if len(str(part.get(key, ""))) > longest:
            yield f"must be less than {longest + 1} characters", f"{pointer}/{key}"
    for (owner, key), most in _COUNTS.items():
        if owner == kind and len(part.get(key, ())) > most:
            yield f"no more than {most} items allowed", f"{pointer}/{key}"
    if kind in ("plain_text", "mrkdwn", "text") and not part.get("text"):
        yield "must be more than 0 characters", f"{pointer}/text"


def _children(part: dict[str, Any], kind: str, pointer: str) -> Iterator[tuple[str, str]]:
    for key in ("text", "fields", "elements", "accessory", "title"):
        value = part.get(key)
        longest = _TEXT_LENGTHS.get((kind, key))
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            where = f"{pointer}/{key}" + ("" if place is None else f"/{place}")
            if isinstance(child, dict):
                yield from _part(child, where)
                if longest is not None and len(str(child.get("text", ""))) > longest:
                    yield f"must be less than {longest + 1} characters", where
                if kind in ("header", "button") and child.get("type") != "plain_text":
                    yield "must be plain_text", where
            elif child is not None and kind not in ("plain_text", "mrkdwn", "text", "link"):
                yield "must be an object", where
    if "confirm" in part:
        yield from _confirm(part["confirm"], f"{pointer}/confirm")


def _confirm(confirm: Any, pointer: str) -> Iterator[tuple[str, str]]:
    for key, longest in _CONFIRM.items():
        child = confirm.get(key) if isinstance(confirm, dict) else None
        if child is None:
            yield f"missing required field: {key}", pointer
            continue
        yield from _part(child, f"{pointer}/{key}")
        if len(str(child.get("text", ""))) > longest:
            yield f"must be less than {longest + 1} characters", f"{pointer}/{key}"


def characters(part: Any) -> int:
    """Return how many characters of text blocks hold."""
    if isinstance(part, dict):
        own = len(part["text"]) if isinstance(part.get("text"), str) else 0
        return own + sum(characters(value) for value in part.values())
    return sum(characters(item) for item in part) if isinstance(part, list) else 0


def mentions(text: str, blocks: Any, *, linked: bool = False) -> list[str]:
    """Return everybody whom a message would ping. ``linked`` says that bare ``@here`` in its text counts too."""
    found = _PINGS.findall(text) + (_BARE_PINGS.findall(text) if linked else [])
    for part in _parts(blocks):
        if part.get("type") == "mrkdwn":
            found += _PINGS.findall(part["text"]) + ([] if part.get("verbatim") else _BARE_PINGS.findall(part["text"]))
        elif part.get("type") in ("user", "usergroup", "broadcast"):
            found.append(str(part))
    return found


def links(text: str, blocks: Any) -> list[str]:
    """Return every address that a message's texts would make a link of, buttons aside."""
    texts = [text, *(part["text"] for part in _parts(blocks) if part.get("type") == "mrkdwn")]
    own = [str(part["url"]) for part in _parts(blocks) if part.get("type") == "link"]
    return [link for words in texts for link in _LINKS.findall(words)] + own


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _parts(child)
