"""The published page holds what was measured, and its pictures are beside it."""

import pytest

from benchmarks.signal.honesty import covered, smallest
from benchmarks.signal.pages import Measured, page
from benchmarks.signal.price import price
from benchmarks.signal.suite import OURS, Result, Task, run
from benchmarks.signal.summary import in_one_window, precision, standing
from benchmarks.signal.worlds import World

WORLD = World("iid", "day", 40, 20, 40, 1)


@pytest.fixture(scope="module")
def result() -> Result:
    return run(Task(WORLD, ablations=True, changes=True))


@pytest.fixture(scope="module")
def text(result: Result, tmp_path_factory: pytest.TempPathFactory) -> str:
    found = Measured(
        about=["made for a test"],
        standings={result.title: standing([result])},
        known=[],
        sudden=in_one_window([result]),
        precise=precision([result]),
        covered=[covered(WORLD)],
        smallest=[smallest(WORLD)],
        faults={300: (0.9, 0.9)},
        prices=[price(WORLD)],
    )
    images = tmp_path_factory.mktemp("docs") / "images"
    written = page(found, images)
    assert sorted(path.suffix for path in images.iterdir()) == [".png", ".png", ".svg", ".svg"]
    return written


def test_every_section_is_there(text: str):
    sections = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert sections[:3] == [
        "Targets",
        "False notifications while nothing changes",
        "How soon a change is seen",
    ]
    assert {"What each part is for", "Whether what is said is true", "World by world"} <= set(sections)


def test_every_table_has_as_many_cells_in_each_row_as_in_its_head(text: str):
    table: list[int] = []
    for line in text.splitlines():
        if line.startswith("|"):
            table.append(line.count(" | "))
        else:
            assert len(set(table)) <= 1
            table = []


def test_no_figure_is_missing(text: str):
    assert "nan" not in text.lower().replace("nannyml", "")


def test_all_changes_were_tried_and_ours_judged_each(result: Result):
    assert len(result.outcomes) == 21
    assert all(OURS in outcome.ours for outcome in result.outcomes)
