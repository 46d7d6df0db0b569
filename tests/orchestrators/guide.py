"""The examples of ``docs/howto/orchestrators.md`` and its neighbours, as the tests run them."""

import re
from pathlib import Path
from typing import Any

from monitor.config.reading import read_text
from tests.worlds import CONFIG

_PAGES = Path(__file__).parents[2] / "docs" / "howto"


def code(title: str, number: int = 0, page: str = "orchestrators") -> str:
    """Return a Python file of a section."""
    return blocks(title, "python", page)[number]


def trigger(title: str, number: int = 0, **changes: Any) -> Any:
    """Return the trigger that a section configures, with some of its options changed."""
    whole = CONFIG.replace("notifiers:", f"{blocks(title, 'yaml')[number]}notifiers:")
    configured = read_text(whole, environ={"AIRFLOW_PASSWORD": "password"}).models["churn"].retrain.trigger
    return type(configured).model_validate({**dict(configured), **changes})


def blocks(title: str, language: str, page: str = "orchestrators") -> list[str]:
    """Return the blocks of a section in a language."""
    text = (_PAGES / f"{page}.md").read_text("utf-8")
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, title
    return re.findall(rf"^```{language}\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
