"""How profiles become numbers: one matrix product a column, the same for one window and for many."""

import numpy as np
import pyarrow as pa
import pytest

from checks.binning import fit_table, profile_batch
from checks.catalogue import catalogue, gathers_evidence
from checks.components import count_vector
from checks.layout import Layout
from checks.profile import Column

CHECKS = {name: entry.check() for name, entry in catalogue().items()}


def rows(seed, count=400):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "age": pa.array(rng.normal(40, 10, count), mask=rng.random(count) < 0.1),
            "plan": rng.choice(["a", "b", "c"], count, p=[0.5, 0.3, 0.2]),
            "constant": np.ones(count),
        }
    )


BINS = fit_table(rows(0, 5000))
REFERENCE = profile_batch(rows(0, 5000), BINS)
PROFILES = [profile_batch(rows(seed), BINS) for seed in range(1, 6)]


def found():
    return {
        name: [
            (check, part)
            for check, known in CHECKS.items()
            if gathers_evidence(known) and bins.kind in known.kinds
            for part in known.components(Column(name, bins, REFERENCE.columns[name]))
        ]
        for name, bins in BINS.items()
    }


LAYOUT = Layout.of(found())


def test_components_of_a_column_stand_together():
    columns = [place.column for place in LAYOUT.places]
    assert sorted(set(columns), key=columns.index) == list(dict.fromkeys(columns))
    assert (np.diff(LAYOUT.tracks.account) >= 0).all()


def test_a_component_is_observed_by_its_own_weights():
    sums, held = LAYOUT.observe(PROFILES[0])
    for number, place in enumerate(LAYOUT.places):
        counts = count_vector(PROFILES[0].columns[place.column])
        assert sums[number] == pytest.approx(place.component.numerator @ counts)
        assert held[number] == pytest.approx(place.component.denominator @ counts)


def test_many_windows_at_once_are_each_observed():
    sums, held = LAYOUT.panel(PROFILES)
    for number, profile in enumerate(PROFILES):
        one, own = LAYOUT.observe(profile)
        assert sums[number] == pytest.approx(one)
        assert held[number] == pytest.approx(own)


def test_what_is_observed_of_parts_adds_up():
    whole = LAYOUT.observe(sum(PROFILES[1:], PROFILES[0]))
    parts = [LAYOUT.observe(profile) for profile in PROFILES]
    for place in (0, 1):
        assert whole[place] == pytest.approx(sum(part[place] for part in parts), abs=1e-9)


def test_no_windows_are_an_empty_panel():
    sums, held = LAYOUT.panel([])
    assert sums.shape == held.shape == (0, len(LAYOUT.places))


def test_tracks_say_of_each_component_what_it_is():
    tracks = LAYOUT.tracks
    for number, place in enumerate(LAYOUT.places):
        part = place.component
        assert tracks.accounts[tracks.account[number]] == place.column
        assert (tracks.scored[number], tracks.tolerance[number]) == (part.scored, part.tolerance)
        assert (tracks.tail[number], tracks.rises[number], tracks.hidden[number]) == (
            part.tail,
            part.rises,
            part.hidden,
        )


def test_a_column_without_components_has_no_account():
    known = found()
    assert "age" in Layout.of({"age": known["age"], "plan": []}).tracks.accounts
    assert "plan" not in Layout.of({"age": known["age"], "plan": []}).tracks.accounts


def test_a_layout_of_nothing_observes_nothing():
    nothing = Layout.of({})
    assert (len(nothing.tracks), nothing.observe(PROFILES[0])[0].shape) == (0, (0,))
