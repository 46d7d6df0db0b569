"""A backtest over windows that the store has: the same answer, without a look at the log."""

import contextlib
import io
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.replay import replay, windows_between
from monitor.replay.stored import tiling
from monitor.store.runs import Run
from monitor.store.schema import open_store
from monitor.watch import watches
from tests.worlds import CONFIG, START, shift, world

DAYS = 14
SPAN = ("--from", "2026-01-05", "--to", "2026-01-19", "--no-plant")
QUARTERS = CONFIG.replace("every: 1d", "every: 6h")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class House:
    """A folder with a log and a store in which some days were judged."""

    folder: Path

    def backtest(self, *more: str, config: str = CONFIG) -> dict:
        """Replay the fortnight; give the JSON."""
        (self.folder / "config.yaml").write_text(config, encoding="utf-8")
        said = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(said), pytest.raises(SystemExit) as ended:
            main(["backtest", *SPAN, *more])
        assert ended.value.code in (0, 1), said.getvalue()
        return json.loads(said.getvalue()) if "--json" in more else said.getvalue()

    @contextlib.contextmanager
    def without_log(self):
        """The store alone: whatever reads the log or the reference's rows fails."""
        away = [self.folder / "logs.db", self.folder / "reference.parquet"]
        for path in away:
            path.rename(path.with_suffix(".away"))
        yield
        for path in away:
            path.with_suffix(".away").rename(path)


def lived_in(folder: Path, days: int, config: str = CONFIG) -> House:
    """Judge some days as the daemon would; the age rises on the seventh."""
    path = world(folder, DAYS, shift("age", 8.0, 6), config)
    with contextlib.chdir(folder):
        configuration = read(path)
        store, clock = open_store(configuration.store.get_secret_value()), SetClock(START)
        watch = watches(configuration)["churn"]
        windows = windows_between(watch, START, START + timedelta(days=days))
        assert {result.outcome for result in replay(Cycle(store, clock), clock, watch, windows)} == {"done"}
        store.close()
    return House(folder)


@pytest.fixture(scope="module")
def daily(tmp_path_factory):
    return lived_in(tmp_path_factory.mktemp("daily"), DAYS)


@pytest.fixture(scope="module")
def quarters(tmp_path_factory):
    """Judged in windows of six hours."""
    return lived_in(tmp_path_factory.mktemp("quarters"), DAYS, QUARTERS)


def answers(document: dict) -> dict:
    """What does not depend on where the rows were counted."""
    return {key: document[key] for key in ("windows", "failed", "findings", "incidents", "false_alarms")}


def test_windows_that_the_store_has_are_judged_without_the_log(daily):
    read_anew = daily.backtest("--json", "--all", "--from-log")
    with daily.without_log():
        document = daily.backtest("--json", "--all")
    assert (read_anew["stored"], document["stored"]) == (0, DAYS)
    assert answers(document) == answers(read_anew)
    assert [incident["columns"] for incident in document["incidents"]] == [["age"]]


def test_days_are_put_together_from_shorter_windows(quarters):
    read_anew = quarters.backtest("--json", "--all", "--from-log")
    with quarters.without_log():
        document = quarters.backtest("--json", "--all")
    assert document["stored"] == DAYS
    assert located_alike(answers(document)) == located_alike(answers(read_anew))


def located_alike(document: dict) -> dict:
    """Leave out which rows a change is in: it is looked for in samples, and those of four quarters are other rows.

    The snapshot is another one too, since its windows are put together.
    """
    for incident in document["incidents"]:
        del incident["reference"]
        incident["summary"] = incident["summary"].partition(";")[0]
    return document


def test_other_tolerances_need_no_log_either(daily):
    blunt = CONFIG.replace("checks: auto", "checks: [auto, {location: {tolerance: 2.0}}, {spread: off}, {shape: off}]")
    with daily.without_log():
        document = daily.backtest("--json", "--all", config=blunt)
    assert document["stored"] == DAYS
    assert {f["threshold"] for f in document["findings"] if (f["column"], f["check"]) == ("age", "location")} == {2.0}


def test_windows_that_the_store_has_not_are_read(tmp_path, daily):
    house = lived_in(tmp_path, 5)
    document = house.backtest("--json", "--all")
    assert document["stored"] == 5
    assert answers(document) == answers(daily.backtest("--json", "--all"))


def test_windows_shorter_than_those_of_the_store_are_read(daily):
    assert daily.backtest("--json", config=QUARTERS)["stored"] == 0


def test_profiles_of_other_rows_of_the_log_are_not_taken(daily):
    some = CONFIG.replace("time: ts,", "time: ts, where: age < 200,")
    assert daily.backtest("--json", config=some)["stored"] == 0


def test_people_are_told_how_much_was_read(daily):
    assert f"{DAYS} windows from the store's profiles, 0 read from the log" in daily.backtest()


def test_a_backtest_makes_no_store(tmp_path):
    world(tmp_path, DAYS)
    House(tmp_path).backtest("--json")
    assert not (tmp_path / "monitor.db").exists()


def test_a_backtest_leaves_the_store_as_it_is(daily):
    def content():
        with contextlib.chdir(daily.folder):
            store = open_store("sqlite:///monitor.db")
            with store.read() as connection:
                tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
                counts = {t: connection.exec_driver_sql(f'SELECT count(*) FROM "{t}"').scalar() for t in tables}
            store.close()
        return counts

    before = content()
    daily.backtest("--json")
    assert content() == before


def run(start: int, end: int) -> Run:
    window = Window(START + start * HOUR, START + end * HOUR)
    return Run(start * 100 + end, "churn", window, "done", 1, "", "r", None, None, 1)


@pytest.mark.parametrize(
    ("spans", "tiles"),
    [
        ([(0, 6)], [(0, 6)]),
        ([(0, 2), (2, 4), (4, 6)], [(0, 2), (2, 4), (4, 6)]),
        ([(0, 2), (0, 6), (2, 4)], [(0, 6)]),
        ([(-2, 2), (0, 3), (3, 6), (6, 8)], [(0, 3), (3, 6)]),
        ([(0, 2), (4, 6)], []),
        ([(0, 4)], []),
        ([(0, 8)], []),
        ([], []),
    ],
)
def test_a_window_is_tiled_without_gap_or_overlap(spans, tiles):
    found = tiling([run(*span) for span in spans], Window(START, START + 6 * HOUR))
    assert [(r.window.start - START) // HOUR for r in found] == [start for start, _ in tiles]
    assert [(r.window.end - START) // HOUR for r in found] == [end for _, end in tiles]
