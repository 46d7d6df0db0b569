"""What a model's watch carries from window to window: the evidence, and the alarms that are open."""

import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from math import isfinite, prod
from typing import Any

import numpy as np

from checks.codec import FormatError
from checks.diagnosing import Diagnosis
from checks.evidence import Detector, ScaleState, State
from checks.lasting import LOOKED_BACK
from checks.season import Array
from monitor.core.window import iso

LARGEST = 256 << 20  # bytes after decompression; the evidence of 1,000 columns takes about 5 MB
_KEPT = LOOKED_BACK[-1]

# What reading a document of the wrong shape can raise.
_DAMAGE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, MemoryError, EOFError,
    OSError, NotImplementedError, RuntimeError, SyntaxError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Alarm:
    """An open alarm: one check of one column has changed.

    Effects are in Cohen's d or h, of the component that shows the change best.

    Parameters
    ----------
    lead : number of that component.
    onset : when the change began, as far as can be told.
    opened : end of the window that raised the alarm.
    effect, low, high : of the whole time since the onset, with a 90% interval, when people were told.
    told_at : end of the window in which they were told last.
    words : what they were told.
    diagnosis : the fault that it was taken for.
    departures, errors : of the blocks since the alarm, oldest first, the newest ``_KEPT``.
    totals : sums of the departures of all components of the column since the onset, over ``blocks`` blocks.
    """

    column: str
    check: str
    lead: int
    onset: datetime
    opened: datetime
    effect: float
    low: float
    high: float
    told_at: datetime
    words: str = ""
    diagnosis: Diagnosis | None = None
    departures: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    totals: tuple[float, ...] = ()
    blocks: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """Column and check."""
        return self.column, self.check

    def after(self, departure: float, error: float, departures: tuple[float, ...]) -> "Alarm":
        """Return the alarm after one more block."""
        totals = tuple(total + new for total, new in zip(self.totals, departures, strict=True))
        return replace(
            self,
            departures=(*self.departures, departure)[-_KEPT:],
            errors=(*self.errors, error)[-_KEPT:],
            totals=totals,
            blocks=self.blocks + 1,
        )


@dataclass(frozen=True, eq=False)
class Memory:
    """Evidence and open alarms after some window."""

    state: State
    alarms: tuple[Alarm, ...] = ()

    def encode(self) -> bytes:
        """Return it as bytes: arrays and JSON, exact to the last bit."""
        arrays: dict[str, Any] = {"frozen": self.state.frozen, "accepted": self.state.accepted}
        counts = []
        for place, scale in enumerate(self.state.scales):
            arrays |= {f"{name}{place}": getattr(scale, name) for name in ("held", "past", "sums", "rows")}
            counts.append([scale.hours, scale.years, scale.windows, scale.block])
        alarms = [
            {key: iso(value) if isinstance(value, datetime) else value for key, value in asdict(alarm).items()}
            for alarm in self.alarms
        ]
        text = json.dumps({"scales": counts, "alarms": alarms})
        sink = io.BytesIO()
        np.savez_compressed(sink, text=np.frombuffer(text.encode(), np.uint8), **arrays)
        return sink.getvalue()


def decode(data: bytes, detector: Detector) -> Memory | None:
    """Return what :meth:`Memory.encode` wrote; None where it was written by a detector of another shape.

    Raises
    ------
    FormatError
        When the bytes are damaged.
    """
    try:
        state, alarms = _read(data)
        fresh = detector.start()
        if [s.held.shape for s in state.scales] != [s.held.shape for s in fresh.scales]:
            return None
        _fit(state, fresh)
    except _DAMAGE as error:
        raise FormatError(f"damaged evidence: {error!r:.200}") from error
    scales = tuple(
        replace(s, past=_as_long(s.past, len(f.past))) for s, f in zip(state.scales, fresh.scales, strict=True)
    )
    return Memory(replace(state, scales=scales), alarms)


def _read(data: bytes) -> tuple[State, tuple[Alarm, ...]]:
    _measure(data)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        document = json.loads(arrays["text"].tobytes())
        scales = tuple(
            ScaleState(
                arrays[f"held{place}"],
                arrays[f"past{place}"],
                arrays[f"sums{place}"],
                arrays[f"rows{place}"],
                _finite(hours),
                _finite(years),
                _finite(windows),
                block if block is None else _finite(block),
            )
            for place, (hours, years, windows, block) in enumerate(document["scales"])
        )
        state = State(scales, arrays["frozen"], arrays["accepted"])
    return state, tuple(_alarm(item) for item in document["alarms"])


def _measure(data: bytes) -> None:
    """Refuse what would grow beyond all measure, and arrays that claim more than is there."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(part.file_size for part in packed.infolist()) > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        for part in packed.infolist():
            with packed.open(part) as stream:
                if np.lib.format.read_magic(stream) != (1, 0):
                    raise ValueError("an array of another format")
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            if prod(shape) * dtype.itemsize > part.file_size:
                raise ValueError("an array that is longer than its bytes")


def _fit(state: State, fresh: State) -> None:
    """Refuse arrays that are of no use to a detector of this shape: they would fail, or say nothing, later on."""
    pairs = [(state.frozen, fresh.frozen), (state.accepted, fresh.accepted)]
    for scale, new in zip(state.scales, fresh.scales, strict=True):
        pairs += [(scale.held, new.held), (scale.sums, new.sums), (scale.rows, new.rows)]
        if scale.past.ndim != 2 or scale.past.shape[1] != new.past.shape[1] or scale.past.dtype != new.past.dtype:
            raise ValueError("past blocks of another shape")
        pairs.append((scale.past, scale.past))
    for array, like in pairs:
        if array.dtype != like.dtype or array.shape != like.shape:
            raise ValueError("an array of another type or shape")
        if not np.isfinite(array).all():
            raise ValueError("a number that is not finite")


def _as_long(past: Array, order: int) -> Array:
    """Return the last blocks that a prediction looks back to, which may be more or fewer than were kept."""
    missing = np.zeros((max(0, order - len(past)), past.shape[1]))
    return np.concatenate([missing, past[max(0, len(past) - order) :]])


def _alarm(item: dict[str, object]) -> Alarm:
    values = {
        name: datetime.fromisoformat(str(value))
        if name in ("onset", "opened", "told_at")
        else Diagnosis(**value)
        if isinstance(value, dict)
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in item.items()
    }
    alarm = Alarm(**values)  # type: ignore[arg-type]  # the names and types are those that encode wrote
    for number in (alarm.effect, alarm.low, alarm.high, *alarm.departures, *alarm.errors, *alarm.totals):
        _finite(number)
    numbers, texts = (item.get("lead"), item.get("blocks")), (item.get("column"), item.get("check"), item.get("words"))
    if not all(isinstance(value, int) for value in numbers) or not all(isinstance(value, str) for value in texts):
        raise TypeError("a place, a number of blocks or a text that is none")
    return alarm


def _finite(value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return value
