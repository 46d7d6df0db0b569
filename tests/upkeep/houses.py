"""A world that is watched for months, and what its store holds."""

from datetime import timedelta

import sqlalchemy as sa

from monitor.clocks import SetClock
from monitor.config.operations import Retention
from monitor.config.reading import read
from monitor.cycle import Cycle
from monitor.store.schema import open_store
from monitor.store.tables import evidence, findings, incidents, runs
from monitor.watch import watches
from tests.worlds import CONFIG, START, world

DAY = timedelta(days=1)
SHORTEST = Retention(samples=DAY, profiles=60 * DAY, incidents=60 * DAY)


class House:
    """A configuration, its store and its cycle, at a clock that is set."""

    def __init__(self, folder, days, change=None, config=CONFIG, url=None):
        text = config if url is None else config.replace("sqlite:///monitor.db", url)
        self.path = world(folder, days, change, text)
        self.config = read(self.path)
        self.store = open_store(self.config.store.get_secret_value())
        self.clock = SetClock(START)
        self.cycle = Cycle(self.store, self.clock, owner="test")
        self.watch = watches(self.config)["churn"]

    def until(self, day):
        """Let the clock reach a day and do what is owed."""
        self.clock.set(START + day * DAY + timedelta(hours=1))
        results = self.cycle.catch_up(self.watch)
        assert {result.outcome for result in results} <= {"done"}, results
        return results

    def rows(self, query):
        with self.store.read() as connection:
            return connection.execute(query).all()

    def write(self, statement):
        with self.store.write() as connection:
            connection.execute(statement)

    def count(self, table):
        return self.rows(sa.select(sa.func.count()).select_from(table))[0][0]


def verdicts(house):
    """Evidence and findings of each window that has them, as they are stored."""
    ended = house.rows(sa.select(runs.c.window_end, runs.c.id).where(runs.c.state == "done"))
    bodies, found = {}, {}
    for row in house.rows(sa.select(findings).order_by(findings.c.run_id, findings.c.place)):
        bodies.setdefault(row.run_id, []).append(row.body)
    for row in house.rows(sa.select(evidence)):
        found[row.run_id] = (row.key, row.decided, bytes(row.body))
    return {end: (bodies[number], found[number]) for end, number in ended if number in bodies and number in found}


def told(house):
    """Incidents that are kept, by id."""
    return {row.id: row.body for row in house.rows(sa.select(incidents.c.id, incidents.c.body))}
