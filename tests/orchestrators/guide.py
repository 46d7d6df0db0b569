"""The examples of ``docs/howto/orchestrators.md``, as the tests run them."""

import re
from pathlib import Path
from typing import Any

from monitor.config.reading import read_text
from tests.worlds import CONFIG

_PAGE = Path(__file__).parents[2] / "docs" / "howto" / "orchestrators.md"


def code(title: str, number: int = 0) -> str:
    """Return a Python file of a section."""
    return _blocks(title, "python")[number]


def trigger(title: str, number: int = 0, **changes: Any) -> Any:
    """Return the trigger that a section configures, with some of its options changed."""
    whole = CONFIG.replace("notifiers:", f"{_blocks(title, 'yaml')[number]}notifiers:")
    configured = read_text(whole, environ={"AIRFLOW_PASSWORD": "password"}).models["churn"].retrain.trigger
    return type(configured).model_validate({**dict(configured), **changes})


def _blocks(title: str, language: str) -> list[str]:
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", _PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert section is not None, title
    return re.findall(rf"^```{language}\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
