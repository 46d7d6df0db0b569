"""The benchmark's tables and pictures say what the figures are."""

from math import inf
from xml.etree import ElementTree as ET

from benchmarks.signal.alarms import Figures, null_figures
from benchmarks.signal.plots import dots_svg
from benchmarks.signal.tables import detection_table, null_table, standing_table


def shown(median: float, share: float = 1.0, before: float = 0.0) -> Figures:
    return Figures(4, share, median, median, before, 1.0)


CELLS = [
    {"ours": shown(1), "ks": shown(2), "psi": shown(3)},
    {"ours": shown(5), "ks": shown(9), "psi": shown(2, before=0.5)},
    {"ours": shown(inf, 0), "ks": shown(inf, 0), "psi": shown(inf, 0)},
]


def test_a_rate_over_budget_is_bold():
    table = null_table({"iid": {"ours": null_figures([0.0, 0.1]), "psi": null_figures([9.0, 9.5])}})
    assert table.splitlines()[2] == "| iid (2) | 0.05 ± 0.05 (0.095) | **9.2 ± 0.25 (9.5)** |"


def test_every_change_says_who_is_earlier_and_who_alerted_before():
    table = detection_table(dict(zip(("shift", "ramp", "none"), CELLS, strict=True)), "ours")
    assert table.splitlines()[3] == "| ramp | 100%, 5.0 / 5.0 | 100%, 9.0 / 9.0 | 100%, 2.0 / 2.0 † | lose (psi) |"


def test_the_standing_counts_what_neither_found_apart():
    last = standing_table(CELLS, "ours").splitlines()[-1]
    assert last == "| the best of them, cell by cell | 1 | 1 | 1 | 67% | 1 |"


def test_a_picture_has_a_dot_for_every_figure_and_rule():
    rows = {"a < b": {"ours": 1.0, "ks": inf}, "c": {"ours": 0.0, "ks": 300.0}}
    picture = ET.fromstring(dots_svg("Days & more", "days", rows, limit=1.0))
    assert len(picture.findall("{*}circle")) == 4 + 2
