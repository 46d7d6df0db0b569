"""Arrow columns to plain arrays: the one place that knows what a database or a file may deliver for a kind.

A log rarely delivers the types of its reference: SQLite has no booleans, a null turns integers into floats, JSON gives
numbers as text. What can be read as the reference's kind is read; what cannot is counted as mistyped, never dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from checks.sketch import hash_text

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_NUMBER = r"^\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|[iI]nf(inity)?|[nN]a[nN])\s*$"
_INSTANTS = (
    pa.timestamp("us", "UTC"),
    pa.timestamp("us"),
)  # texts with a zone, texts without
LONGEST_WORD = 200  # characters; a longer category goes by its beginning and its hash, so that profiles stay small

_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})


@dataclass(frozen=True)
class Read:
    """Values of one column of one batch: ``values[ok]`` are readable and not null.

    Parameters
    ----------
    values : floats, or texts as an object array; shape (rows,).
    nulls, mistyped : shape (rows,), disjoint.
    """

    values: np.ndarray
    nulls: Mask
    mistyped: Mask

    @property
    def ok(self) -> Mask:
        """Rows with a readable value, shape (rows,)."""
        return ~(self.nulls | self.mistyped)


def family(kind: pa.DataType) -> str:
    """Return the family of an Arrow type: number, text, boolean, time, null or other."""
    if pa.types.is_dictionary(kind):
        return family(kind.value_type)
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    if pa.types.is_null(kind):
        return "null"
    return "other"


def plain(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array without dictionaries and views."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.string()) if pa.types.is_string_view(array.type) else array


def _nulls(array: pa.Array) -> Mask:
    return np.asarray(pc.is_null(array, nan_is_null=True).to_numpy(zero_copy_only=False), dtype=bool)


def _unreadable(array: pa.Array) -> Read:
    nulls = _nulls(array)
    return Read(np.full(len(array), np.nan), nulls, ~nulls)


def numbers(array: pa.Array) -> Read:
    """Read numbers; numeric text is parsed, booleans are 0 and 1."""
    array = plain(array)
    kind = family(array.type)
    if kind in ("number", "boolean", "null"):
        if kind == "boolean":
            array = array.cast(pa.int8())
        values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        nulls = np.isnan(values)
        return Read(values, nulls, np.zeros(len(values), bool))
    if kind != "text":
        return _unreadable(array)
    numeric = pc.match_substring_regex(array, _NUMBER)
    parsed = pc.if_else(pc.fill_null(numeric, False), array, None)
    values = pc.cast(pc.utf8_trim_whitespace(parsed.cast(pa.string())), pa.float64()).to_numpy(zero_copy_only=False)
    nulls = _nulls(array)
    readable = np.asarray(pc.fill_null(numeric, False).to_numpy(zero_copy_only=False), bool)
    return Read(values, nulls | (readable & np.isnan(values)), ~nulls & ~readable)


def instants(array: pa.Array) -> Read:
    """Read points in time as seconds since 1970 UTC; naive times and dates are taken as UTC, ISO text is parsed."""
    array = plain(array)
    kind = family(array.type)
    nulls = _nulls(array)
    if kind == "null":
        return Read(np.full(len(array), np.nan), nulls, np.zeros(len(array), bool))
    if kind == "text":
        values = _parsed_times(array.cast(pa.string()))
        return Read(values, nulls, ~nulls & np.isnan(values))
    if kind != "time":
        return _unreadable(array)
    return Read(_seconds(array.cast(pa.timestamp("us"), safe=False)), nulls, np.zeros(len(array), bool))


def _parsed_times(texts: pa.Array) -> Floats:
    """Return ISO texts as seconds since 1970 UTC, NaN for anything else; one by one where all at once fails."""
    for kind in _INSTANTS:
        try:
            return _seconds(texts.cast(kind))
        except pa.ArrowInvalid:
            continue
    if len(texts) < 2:
        return np.full(len(texts), np.nan)
    return np.concatenate([_parsed_times(texts[place : place + 1]) for place in range(len(texts))])


def _seconds(stamps: pa.Array) -> Floats:
    micros = stamps.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(micros / 1e6, np.float64)


def _number_text(value: float) -> str:
    # 3 and 3.0 are one category: a null elsewhere in the batch turns integers into floats.
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


@dataclass(frozen=True)
class Words:
    """Texts of one column of one batch: ``spelled[codes[row]]`` where not null.

    Parameters
    ----------
    spelled : the distinct texts; two may be alike where their values were not.
    codes : place in ``spelled`` of each row, ``len(spelled)`` where null; shape (rows,).
    """

    spelled: list[str]
    codes: npt.NDArray[np.int64]

    @property
    def nulls(self) -> Mask:
        """Rows without a text, shape (rows,)."""
        return np.asarray(self.codes == len(self.spelled))

    def tally(self) -> dict[str, int]:
        """Return how often each text occurs."""
        counts: dict[str, int] = {}
        rows = np.bincount(self.codes, minlength=len(self.spelled) + 1).tolist()
        for word, count in zip(self.spelled, rows, strict=False):
            counts[word] = counts.get(word, 0) + count
        return counts


def words(array: pa.Array) -> Words:
    """Read categories as text; whole numbers lose a trailing ``.0``, booleans are ``true`` and ``false``.

    A text of more than ``LONGEST_WORD`` characters is cut there and told from others like it by its hash.
    """
    return _words(array, _shortened)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_WORD else f"{text[:LONGEST_WORD]}… #{hash_text(text):015x}"


def _words(array: pa.Array, spelled: Callable[[str], str]) -> Words:
    array = plain(array)
    kind = family(array.type)
    if kind == "null":
        array = array.cast(pa.string())
    elif kind == "other":
        array = pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())
    elif kind == "number" and not pa.types.is_integer(array.type):
        array = array.cast(pa.float64(), safe=False)
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, pa.float64()), array)
    encoded = array.dictionary_encode()
    texts = [spelled(_word(value, kind)) for value in _listed(encoded.dictionary)]
    codes = encoded.indices.cast(pa.int64()).fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return Words(texts, codes)


def texts(array: pa.Array) -> Read:
    """Read categories as text, one by one; see :func:`words`."""
    read = words(array)
    values = np.array([*read.spelled, None], object)[read.codes]
    return Read(values, read.nulls, np.zeros(len(array), bool))


def _listed(array: pa.Array) -> list[object]:
    try:
        return list(array.to_pylist())
    except (OverflowError, ValueError):  # a time that Python has no year for
        return list(array.cast(pa.string()).to_pylist())


def _word(value: object, kind: str) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    return str(value)


def truth(word: str) -> str | None:
    """Return the boolean that a word means, as ``true`` or ``false``; None for any other word."""
    word = word.lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else None


def booleans(array: pa.Array) -> Read:
    """Read booleans as ``true`` and ``false``; 0, 1 and the usual words are understood, anything else is mistyped."""
    read = words(array)
    values = np.array([*map(truth, read.spelled), None], object)[read.codes]
    return Read(values, read.nulls, ~read.nulls & np.array([value is None for value in values], bool))


def lengths(array: pa.Array) -> Read:
    """Read texts as their length in characters."""
    array = plain(array)
    if family(array.type) == "text":
        values = pc.utf8_length(array).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Read(values, np.isnan(values), np.zeros(len(array), bool))
    read = _words(array, str)
    values = np.array([*map(len, read.spelled), np.nan], np.float64)[read.codes]
    return Read(values, read.nulls, np.zeros(len(array), bool))
