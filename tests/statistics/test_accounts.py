"""Accounts: the budget holds on an ideal stream, and however windows come, the evidence is the same."""

from dataclasses import replace

import numpy as np

from benchmarks.signal.counting import counted
from benchmarks.signal.ours import NORMAL, panel_of
from benchmarks.signal.worlds import World
from checks.bets import StudentBets
from checks.budget import alarms, paying
from checks.evidence import FINE_DELTAS, Detector, Tracks
from checks.season import Moments
from checks.timeline import Timeline

COLUMNS = 200


def days(count: int) -> Timeline:
    places = np.arange(count)
    return Timeline(Moments(places % 7 * 24.0 + 12, np.zeros(count)), places, places, 1.0)


def ideal() -> Detector:
    """A detector that knows exactly how its columns behave: independent windows of variance one."""
    names = tuple(f"c{place}" for place in range(COLUMNS))
    flags, zeros = np.zeros(COLUMNS, bool), np.zeros(COLUMNS)
    tracks = Tracks(names, np.arange(COLUMNS), ~flags, zeros, flags, flags, zeros)
    rows = np.full((40, COLUMNS), 100.0)
    learned = Detector.learned(tracks, np.random.default_rng(0).normal(size=rows.shape) * 10, rows, days(40))
    scale, one = learned.scales[0], np.ones(COLUMNS)
    known = replace(
        scale.calibration,
        levels=tuple(0 * level for level in scale.calibration.levels),
        leverage=tuple(tuple(0 * part for part in parts) for parts in scale.calibration.leverage),
        between=zeros,
        phi=0 * scale.calibration.phi,
        gain=one,
        scale=one,
        freedom=NORMAL * one,
        blocks=1e12 * one,
        tolerance=zeros,
    )
    return replace(
        learned, scales=(replace(scale, calibration=known, student=StudentBets.against(known, FINE_DELTAS)),)
    )


def test_an_ideal_stream_alarms_no_more_often_than_it_may():
    windows, thresholds = 400, np.array([0.1, 0.5, 2.0])
    rng = np.random.default_rng(1)
    rows = np.full((windows, COLUMNS), 100.0)
    counts = np.zeros(len(thresholds))
    for _, paid in alarms(
        ideal(), rng.normal(size=rows.shape) * 10, rows, days(windows), thresholds, 1e9, np.ones(COLUMNS)
    ):
        counts += paid.sum(axis=1)
    allowed = windows / thresholds
    assert (counts <= allowed).all()
    assert (counts >= 0.1 * allowed).all()  # nor is the bound idle


def panel(cadence: str, seed: int = 2):
    world = World("ar", cadence, 60, 21, 6, seed)
    return panel_of(world.frame, {name: counted(world.column(name)) for name in ("normal0", "five0", "lognormal1")})


def test_alarms_of_many_thresholds_are_those_of_one_window_after_the_other():
    found = panel("hour")
    detector, end = found.learned(), found.reference
    timeline = found.timeline[end:]
    threshold, importance = 0.02, np.ones(len(found.names))
    together = [
        (window, paid[1].tolist())
        for window, paid in alarms(
            detector, found.sums[end:], found.rows[end:], timeline, np.array([0.005, threshold]), 40.0, importance
        )
        if paid[1].any()
    ]
    state, alone = detector.start(), []
    for window in range(len(timeline)):
        last = window + 1 == len(timeline)
        ends = [
            last or timeline.blocks(scale)[window] != timeline.blocks(scale)[window + 1] for scale in timeline.scales
        ]
        state, _ = detector.step(
            state, found.sums[end + window], found.rows[end + window], timeline[window : window + 1], ends
        )
        paid = paying(detector.evidence(state), importance, threshold, 40.0)
        if paid.any():
            alone.append((window, paid.tolist()))
            state = detector.paid(state, paid, np.zeros(len(detector.tracks), bool))
    assert together == alone
    assert alone  # or nothing was compared


def test_hours_gathered_into_days_are_the_days():
    hours = panel("hour")
    line = hours.timeline
    sums, rows = line.gathered("day", hours.sums), line.gathered("day", hours.rows)
    count, reference = len(sums), 21
    fine = hours.learned()
    coarse = Detector.learned(hours.tracks, sums[:reference], rows[:reference], days(count)[:reference])
    a, b = fine.start(), coarse.start()
    for window in range(reference * 24, len(line)):
        ends = [True, (window + 1) % 6 == 0, (window + 1) % 24 == 0]
        a, _ = fine.step(a, hours.sums[window], hours.rows[window], line[window : window + 1], ends)
    for day in range(reference, count):
        b, _ = coarse.step(b, sums[day], rows[day], days(count)[day : day + 1], [True])
    # A day of hours brings its account 24, a day of its own brings it one.
    assert np.allclose(a.scales[-1].held, 24 * b.scales[0].held, rtol=1e-6)
