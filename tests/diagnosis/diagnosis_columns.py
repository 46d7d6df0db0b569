"""Columns from plain values, for the tests of diagnoses."""

import numpy as np
import pyarrow as pa

from checks.binning import fit, profile_column
from checks.diagnosing import Diagnosis, diagnose
from checks.profile import Column, Kind


def arrow(values):
    return pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else pa.array(values)


def reference_of(values, kind: Kind | None = None, times=None) -> Column:
    array = arrow(values)
    bins = fit(array, kind, times)
    return Column("x", bins, profile_column(array, bins, times))


def current_of(reference: Column, values, times=None) -> Column:
    return Column("x", reference.bins, profile_column(arrow(values), reference.bins, times))


def named(before, after, kind: Kind | None = None) -> Diagnosis:
    reference = reference_of(before, kind)
    return diagnose(reference, current_of(reference, after))
