"""Whether two columns can be compared at all; every drift check asks here before it counts."""

from checks.measurement import Inconclusive
from checks.profile import Column, ColumnProfile

FEWEST_ROWS = 30  # below, neither the normal approximations nor a person's judgement of a histogram hold


def refusal(reference: Column, current: Column, fewest: int = FEWEST_ROWS) -> Inconclusive | None:
    """Return why the present values of two columns cannot be compared; None where they can."""
    known, seen = reference.profile, current.profile
    reason = _unusable(seen, "this window", fewest) or _unusable(known, "the reference", fewest)
    if reason is None and not reference.bins.categorical and not reference.bins.edges:
        reason = "the reference had no value when its bins were fixed"
        return Inconclusive(reason, None, seen.present, known.present)
    if reason is None:
        return None
    lacking = seen.rows == 0 or 0 < seen.present < fewest or 0 < known.present < fewest
    return Inconclusive(reason, fewest if lacking else None, seen.present, known.present)


def _unusable(profile: ColumnProfile, where: str, fewest: int) -> str | None:
    if profile.rows == 0:
        return f"no rows in {where}"
    if profile.absent == profile.rows:
        return f"the column is absent from {where}"
    if profile.present == 0 and profile.nulls == profile.rows - profile.absent:
        return f"every value in {where} is null"
    if profile.present == 0:
        return f"no value in {where} can be read as {profile.kind}"
    if profile.present < fewest:
        return f"{profile.present} rows with a value in {where}, fewer than {fewest}"
    return None
