"""What the stories share: a daemon of Leeway in time-lapse, a Slack to read, and rows that a model serves."""

import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.daemon import Daemon
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import references as reference_rows
from monitor.store import retrains as retrain_rows
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows
from monitor.store.schema import open_store
from monitor.testing import FakeSlack
from tests.orchestrators.processes import awaited
from tests.worlds import START, rows_of

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PATIENCE = 120.0  # seconds: the machine may have other things to do


@dataclass
class Story:
    """One model watched by a daemon, whose clock goes as the story needs; Prefect and MLflow have the real time."""

    folder: Path
    slack: FakeSlack
    model: str
    clock: SetClock = field(default_factory=lambda: SetClock(START))

    def __post_init__(self) -> None:
        self.config = read(self.folder / "config.yaml")
        self.store = open_store(self.config.store.get_secret_value())

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let the daemon run."""
        daemon = Daemon(open_store(self.config.store.get_secret_value()), self.clock, lambda: self.config, self.config)
        thread = threading.Thread(target=daemon.run)
        thread.start()
        try:
            yield
        finally:
            daemon.ask(signal.SIGTERM)
            thread.join(PATIENCE)
            self.store.close()
            assert not thread.is_alive()

    def until(self, day: int) -> None:
        """Let the time come at which the windows until a day are owed, and wait until all is done and said."""
        self.clock.set(START + day * DAY + HOUR)
        end = self.clock.now() - HOUR
        awaited(lambda: any(run.window.end == end for run in self.windows), PATIENCE, f"day {day}", 0.05)
        awaited(self.quiet, PATIENCE, f"the messages of day {day}", 0.05)

    def pass_until(self, seen: Callable[[], Any], what: str) -> None:
        """Let minutes pass until something is so, and all is said."""

        def look() -> bool:
            self.clock.sleep(20)
            return bool(seen()) and self.quiet()

        awaited(look, PATIENCE, what)

    def quiet(self) -> bool:
        """Whether no message waits."""
        return not self.look(outbox_rows.anything, self.clock.now())

    def look(self, how: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Look into the store."""
        with self.store.read() as connection:
            return how(connection, *args, **options)

    @property
    def windows(self) -> list[Any]:
        """The windows that were judged, oldest first."""
        found = self.look(run_rows.listing, self.model)
        return sorted((run for run in found if run.state == "done"), key=lambda run: run.window.end)

    @property
    def requests(self) -> list[Any]:
        """What was asked of triggers."""
        return self.look(retrain_rows.listing, self.model)

    @property
    def versions(self) -> list[Any]:
        """Which versions served."""
        return self.look(version_rows.listing, self.model)

    @property
    def references(self) -> dict[str, dict[str, Any]]:
        """The snapshots by their ids."""
        return {each["id"]: each for each in self.look(reference_rows.listing, self.model)}

    @property
    def incidents(self) -> list[Any]:
        """All incidents, whether or not they have ended."""
        return self.look(incident_rows.listing, self.model, closed=True)

    @property
    def incident(self) -> Any:
        """The only one."""
        [found] = self.incidents
        return found

    @property
    def request(self) -> Any:
        """The only one."""
        [found] = self.requests
        return found

    def served(self) -> list[str | None]:
        """Return which version served each window."""
        return [run.served.version for run in self.windows]

    def said(self, message: dict[str, Any]) -> list[str]:
        """Return what the thread below a message says, in the order in which people read it; charts left out."""
        return [reply["text"] for reply in self._replies(message)]

    def timeline(self, message: dict[str, Any]) -> list[str]:
        """Return what the last reply below a message says of all that has happened."""
        *_, last = self._replies(message)
        [listed] = last["blocks"][-1]["elements"]
        return [item["elements"][0]["text"] for item in listed["elements"]]

    def _replies(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        return [reply for reply in self.slack.thread(message["ts"]) if reply.get("blocks")]


def rows(first_day: int, days: int, seed: int, *, drifts: int | None = None) -> dict[str, list[Any]]:
    """Rows of some days; from the day ``drifts`` on, people are eight years older."""
    made = rows_of(START + first_day * DAY, days, seed)
    del made["flag"]
    if drifts is not None:
        begins = START + drifts * DAY
        made["age"] = [age + 8 * (ts >= begins) for ts, age in zip(made["ts"], made["age"], strict=True)]
    return made


def write(path: Path, table: str, columns: dict[str, list[Any]]) -> None:
    """Write rows into a database; moments as text, in UTC."""
    text = {
        name: [f"{v:%Y-%m-%d %H:%M:%S}" for v in values] if name in ("ts", "known_at") else values
        for name, values in columns.items()
    }
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE {table} ({', '.join(text)})")
        marks = ", ".join("?" * len(text))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", zip(*text.values(), strict=True))
