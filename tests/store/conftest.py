"""Every test of the store runs on SQLite and on a real PostgreSQL."""

import pytest

from monitor.store.schema import open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    url = f"sqlite:///{tmp_path}/monitor.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = open_store(url)
    yield opened
    opened.close()
