"""Which of several planned checks of one name counts for a column."""

from checks.drift.ks import KolmogorovSmirnov
from checks.profile import Bins, Profile, Table
from monitor.core.measuring import Planned, measure

BINS = {"age": Bins("numeric", edges=(1.0, 2.0)), "fare": Bins("numeric", edges=(1.0, 2.0))}


def test_an_entry_that_names_a_column_replaces_the_general_one_there():
    empty = Profile.empty(BINS)
    plan = [
        Planned("ks", "drift", KolmogorovSmirnov(), auto=False),
        Planned("ks", "drift", KolmogorovSmirnov(tolerance=0.3), columns=("age",), auto=False),
    ]
    measured = measure(BINS, empty, Table(empty, 0.0, 1.0), plan)
    assert [(one.column, one.planned.check.tolerance) for one in measured] == [("age", 0.3), ("fare", 0.1)]
