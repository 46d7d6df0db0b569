"""Synthetic worlds: prediction logs of fifty columns in which nothing changes, or what a plan changes (SIGNAL.md 7.1).

A column depends on the world's seed and its own name alone, so columns may be made in any order; and a changed column
equals the unchanged one, value by value, up to the onset.
"""

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.signal import lfilter

from benchmarks.signal.changes import SENTINEL, Planned
from benchmarks.signal.logs import WINDOWS_A_DAY, Cadence, Frame, LogColumn
from benchmarks.signal.marginals import BY_NAME, SHARES, SPECS, TRANSFORMS, Spec

WorldKind = Literal["iid", "ar", "season", "slow", "bursty", "level"]


@dataclass(frozen=True)
class Climate:
    """How windows of one world differ from each other; sizes in standard deviations of a row.

    Parameters
    ----------
    wander : deviation of a window's mean; half its variance is common to all columns.
    persistence : its autocorrelation from window to window, daily and hourly.
    season : whether means and volume follow the day of the week and the hour.
    cluster : mean rows that share one value, as the flights of an hour share the weather.
    repeats : share of rows that repeat the row before, as retries do.
    level_spread : by how much the log of a column's spread follows its level, on top of its own wander.
    """

    wander: float = 0.0
    persistence: tuple[float, float] = (0.0, 0.0)
    season: bool = False
    cluster: float = 1.0
    repeats: float = 0.0
    level_spread: float = 0.0


CLIMATES: dict[WorldKind, Climate] = {
    "iid": Climate(),
    "ar": Climate(wander=0.15, persistence=(0.7, 0.97)),
    "season": Climate(wander=0.10, persistence=(0.5, 0.95), season=True),
    "slow": Climate(wander=0.15, persistence=(0.97, 0.998)),
    "bursty": Climate(cluster=8.0, repeats=0.2),
    "level": Climate(wander=0.15, persistence=(0.7, 0.97), level_spread=1.5),
}
SPREAD_WANDER, NULL_WANDER = 0.05, 0.15  # of the log of the spread, of the log odds of null
VOLUME_SWING = 0.4
_WARM_UP = 300  # steps after which an autoregression has forgotten its start


@dataclass(frozen=True)
class World:
    """One synthetic log.

    Parameters
    ----------
    kind : its climate.
    cadence : length of a window.
    rows : mean rows a window.
    reference_days, production_days : its length.
    seed : of everything.
    """

    kind: WorldKind
    cadence: Cadence
    rows: int
    reference_days: int
    production_days: int
    seed: int

    @property
    def title(self) -> str:
        """Name for tables."""
        return f"{self.kind}, {'daily' if self.cadence == 'day' else 'hourly'} n={self.rows}"

    @property
    def climate(self) -> Climate:
        """How its windows differ."""
        return CLIMATES[self.kind]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(spec.name for spec in SPECS)

    @cached_property
    def frame(self) -> Frame:
        """Windows and rows: even, but Poisson around the season's volume where there is a season."""
        per_day = WINDOWS_A_DAY[self.cadence]
        windows = (self.reference_days + self.production_days) * per_day
        sizes = np.full(windows, self.rows)
        if self.climate.season:
            swing = self.seasonal(windows) - self.seasonal(windows).mean()
            sizes = np.maximum(self._rng("volume").poisson(self.rows * (1 - VOLUME_SWING * swing)), 5)
        return Frame(self.cadence, windows, self.reference_days * per_day, np.repeat(np.arange(windows), sizes))

    def seasonal(self, windows: int) -> np.ndarray:
        """Return the season of every window: weekends, and by the hour a wave with its peak in the afternoon."""
        steps = np.arange(windows)
        if self.cadence == "day":
            return (steps % 7 >= 5).astype(float)
        return np.sin(2 * np.pi * (steps % 24 - 8) / 24) + 0.5 * (steps // 24 % 7 >= 5)

    @cached_property
    def common(self) -> np.ndarray:
        """The factor that all columns share, shape (windows,), variance 1."""
        return self._wander(self._rng("common"))

    @cached_property
    def sources(self) -> dict[str, np.ndarray]:
        """Row that each row takes its value from, by how a column is clustered; shape (rows,)."""
        starts = self.frame.starts[:-1]
        rng, rows = self._rng("clusters"), self.frame.window.size
        fresh = {
            "weather": rng.random(rows) < 1 / self.climate.cluster,
            "retries": rng.random(rows) >= self.climate.repeats,
        }
        for first in fresh.values():
            first[starts] = True  # no cluster reaches into the next window
        return {name: np.maximum.accumulate(np.where(first, np.arange(rows), 0)) for name, first in fresh.items()}

    def column(self, name: str, planned: Planned | None = None) -> LogColumn:
        """Return a column, changed where the plan says so."""
        spec = BY_NAME[name]
        if planned is not None and name not in planned.columns:
            planned = None
        make = self._numbers if spec.numeric else self._categories
        values = make(spec, self._latent(spec), planned)
        values[self._nulls(spec, planned)] = np.nan if spec.numeric else -1
        return LogColumn(name, "numeric" if spec.numeric else "categorical", values, self.frame)

    def _rng(self, *purpose: str) -> np.random.Generator:
        """Return a stream of its own for every purpose."""
        return np.random.default_rng((self.seed, *(zlib.crc32(word.encode()) for word in (self.kind, *purpose))))

    def _wander(self, rng: np.random.Generator) -> np.ndarray:
        """Return an autoregression with variance 1, shape (windows,)."""
        persistence = self.climate.persistence[self.cadence == "hour"]
        warm_up = _WARM_UP if persistence < 0.98 else 10 * _WARM_UP
        shocks = rng.standard_normal(self.frame.windows + warm_up) * np.sqrt(1 - persistence**2)
        return np.asarray(lfilter([1.0], [1.0, -persistence], shocks))[warm_up:]

    def _latent(self, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
        """Return every window's level and log spread, shapes (windows,)."""
        climate, rng = self.climate, self._rng(spec.name, "latent")
        level, spread = np.zeros(self.frame.windows), np.zeros(self.frame.windows)
        if climate.wander:
            sign = rng.choice([-1, 1])
            level += climate.wander * np.sqrt(0.5) * (sign * self.common + self._wander(rng))
            spread += SPREAD_WANDER * self._wander(rng)
        if climate.season:
            level += rng.uniform(0.1, 0.5) * rng.choice([-1, 1]) * self.seasonal(self.frame.windows)
        return level, spread + climate.level_spread * level

    def _clustered(self, spec: Spec, values: np.ndarray) -> np.ndarray:
        """Let rows of one cluster share a value: weather in every other column, retries in the others."""
        if self.climate.cluster == 1.0:
            return values
        return values[self.sources["weather" if self.columns.index(spec.name) % 2 else "retries"]]

    def _course(self, planned: Planned | None, *acts: str) -> tuple[float, np.ndarray] | None:
        """Return a change's size and its course over the windows, where it is one of ``acts``."""
        if planned is None or planned.change.act not in acts:
            return None
        return planned.change.size, planned.course(self.frame.windows, self.frame.per_day)

    def _numbers(self, spec: Spec, latent: tuple[np.ndarray, np.ndarray], planned: Planned | None) -> np.ndarray:
        level, spread = latent
        scale = np.exp(spread)
        if (course := self._course(planned, "location", "ramp")) is not None:
            level = level + course[0] * course[1]
        if (course := self._course(planned, "spread")) is not None:
            scale = scale * (1 + (course[0] - 1) * course[1])
        window = self.frame.window
        noise = self._clustered(spec, self._rng(spec.name, "rows").standard_normal(window.size))
        values = np.array(TRANSFORMS[spec.family](noise * scale[window] + level[window]), float)
        return values if planned is None else self._spoilt(spec, values, planned)

    def _spoilt(self, spec: Spec, values: np.ndarray, planned: Planned) -> np.ndarray:
        """Apply what happens to the values themselves rather than to what they measure."""
        size, act = planned.change.size, planned.change.act
        after = self.frame.window >= planned.onset
        hit = after & (self._rng(spec.name, "change").random(values.size) < size)
        if act == "unit":
            return np.where(after, values * size, values)
        if act == "outliers":
            return np.where(hit, values * 20 + 20, values)
        if act == "sentinel":
            return np.where(hit, SENTINEL, values)
        if act == "stuck":
            return np.where(after, values[np.argmax(after)], values)
        return values

    def _categories(self, spec: Spec, latent: tuple[np.ndarray, np.ndarray], planned: Planned | None) -> np.ndarray:
        base = np.array(SHARES[spec.family])
        tilt = self._rng(spec.name, "tilt").standard_normal(base.size)
        shares = base * np.exp(latent[0][:, None] * tilt)
        shares /= shares.sum(1, keepdims=True)
        if (course := self._course(planned, "share")) is not None:
            moved = np.minimum(course[0] * course[1], 0.95 * shares[:, 0])
            shares[:, 0] -= moved
            shares[:, min(2, base.size - 1)] += moved
        if (course := self._course(planned, "new_category")) is not None:
            new = (course[0] * course[1])[:, None]
            shares = np.concatenate([shares * (1 - new), new], axis=1)
        window, width = self.frame.window, shares.shape[1]
        draws = self._clustered(spec, self._rng(spec.name, "rows").random(window.size))
        # One search for all windows: the distribution function of window w is laid between w and w + 1.
        steps = (np.cumsum(shares, axis=1)[:, :-1] + np.arange(len(shares))[:, None]).ravel()
        codes = np.searchsorted(steps, draws + window, side="right") - window * (width - 1)
        codes = np.clip(codes, 0, width - 1)
        if (course := self._course(planned, "remap")) is not None:
            codes = np.where(course[1][window] > 0, (codes + 1) % base.size, codes)
        return codes

    def _nulls(self, spec: Spec, planned: Planned | None) -> np.ndarray:
        """Return which rows are null, shape (rows,)."""
        rng, window = self._rng(spec.name, "nulls"), self.frame.window
        share = np.full(self.frame.windows, spec.null_share)
        if spec.null_share and self.climate.wander:
            share = 1 / (1 + (1 / share - 1) * np.exp(-NULL_WANDER * self._wander(rng)))
        draws = self._clustered(spec, rng.random(window.size))
        if (course := self._course(planned, "nulls")) is not None:
            share = share + course[0] * course[1]
        return draws < share[window]
