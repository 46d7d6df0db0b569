"""One log, kept in every kind of place that a source reads."""

import pytest
from log_places import Places


@pytest.fixture(params=["sqlite", "postgres", "parquet", "csv"])
def place(request, tmp_path):
    return Places(request.param, tmp_path, request)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    return Places(request.param, tmp_path, request)


@pytest.fixture
def every_place(request, tmp_path):
    places = []
    for kind in ("sqlite", "postgres", "parquet", "csv"):
        folder = tmp_path / kind
        folder.mkdir()
        places.append(Places(kind, folder, request))
    return places


@pytest.fixture
def sqlite(request, tmp_path):
    return Places("sqlite", tmp_path, request)
