"""How many examples the fuzz tests try, the hostile words that they put together, and other names in whole objects."""

import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("LEEWAY_FUZZ", "400"))  # of all fuzz tests together; `make fuzz` sets 10,000


def tried(share: float, *, shrink: bool = True) -> settings:
    """A test's share of the examples; no two runs of the short suite try others."""
    return settings(
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])],
        max_examples=max(5, round(EXAMPLES * share)),
        deadline=None,
        derandomize=EXAMPLES < 1000,
        database=None,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


FRAGMENTS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "'onmouseover='alert(1)",
    "</style><style>*{background:url(https://evil.example)}", "javascript:alert(1)", "]]>", "<!--", "-->", "&lt;", "&#60;",
    "{{ 7*7 }}", "{% include 'page.html.j2' %}", "${TOKEN}", "$(touch pwned)", "`touch pwned`", "; touch pwned", "| sh",
    "--output=/etc/passwd", "-rf", "%s%n", "%(x)s", "{0.__class__}", "'; DROP TABLE predictions; --", '"; DROP TABLE x; --',
    "/*", "*/", "\\", "<!channel>", "<!here|x>", "<@U0ANNA>", "<#C01>", "<!subteam^S1>", "<https://evil.example|click>",
    "@channel", "*b*", "_i_", "~s~", "`c`", ":tada:", "\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\x00", "\x07", "\r", "\n", "\t",
    "\u2028", "\u2029", "\x85", "\u202e", "\ufeff", "=1+1", "@SUM(1)", "+1", "-1", "\U0001f600", "é", "\u200b", "\ud800", "../..",
    "\n2026-01-01T00:00:00Z [error] forged", '{"event": "forged"}', "http://", "#", "/", "?a=b&c", " " * 3, "x" * 300,
)  # fmt: skip

hostile = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=12)), min_size=1, max_size=5).map("".join)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """An object with every occurrence of some words in its texts replaced, dataclasses and mappings included."""
    if isinstance(value, str) and type(value) is str:
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if is_dataclass(value) and not isinstance(value, type):
        changed = {item.name: renamed(getattr(value, item.name), names) for item in fields(value) if item.init}
        return type(value)(**changed)
    if isinstance(value, Mapping):
        return {renamed(key, names): renamed(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "_fields"):
        return type(value)(renamed(item, names) for item in value)
    return value
