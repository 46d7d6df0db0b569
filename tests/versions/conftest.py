"""A house for every test, closed when it ends."""

import pytest

from tests.versions.housed import House


@pytest.fixture
def house(tmp_path):
    """Build houses, each in a folder of its own where a test needs several."""
    built = []

    def build(folder=tmp_path, /, *args, **options):
        folder.mkdir(exist_ok=True)
        built.append(House(folder, *args, **options))
        return built[-1]

    yield build
    for one in built:
        one.close()
