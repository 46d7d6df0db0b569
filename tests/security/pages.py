"""What an HTML page is made of, as a browser would read it, and what in it could run, load or lead elsewhere."""

import re
import warnings
from collections.abc import Iterable
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of html5lib about its own dependencies
    import html5lib

Element = tuple[str, dict[str, str]]

_STYLE = re.compile(r"(width:[\d.]+%;?|--n:\d+)?")
_LEADS = {"href", "src", "action", "formaction", "data", "poster", "srcset", "background", "xlink:href"}
_RUNS = {
    "script",
    "iframe",
    "object",
    "embed",
    "link",
    "base",
    "form",
    "applet",
    "frame",
    "img",
    "video",
    "audio",
    "math",
}


def elements(page: str) -> list[Element]:
    """Name and attributes of every element, in order."""
    tree: Any = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    return [
        (element.tag.rpartition("}")[2], {str(name): value for name, value in element.attrib.items()})
        for element in tree.iter()
        if isinstance(element.tag, str)
    ]


def shapes(found: Iterable[Element]) -> set[Any]:
    """Which kinds of elements there are, by name, attributes' names and classes."""
    return {(tag, tuple(sorted(held)), held.get("class", "")) for tag, held in found}


def dangers(elements: Iterable[Element]) -> list[str]:
    """Everything among the elements of a page that could run, load or lead elsewhere."""
    found = []
    for tag, held in elements:
        if tag in _RUNS:
            found.append(f"<{tag}>")
        for name, value in held.items():
            if name.startswith("on"):
                found.append(f"{tag} {name}")
            if name in _LEADS and not value.startswith("#"):
                found.append(f"{tag} {name}={value[:60]}")
            if name == "style" and not _STYLE.fullmatch(value):
                found.append(f"{tag} style={value[:60]}")
    return found
