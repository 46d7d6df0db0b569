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


def _plain(array: pa.Array) -> pa.Array:
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
    array = _plain(array)
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
    array = _plain(array)
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


def texts(array: pa.Array) -> Read:
    """Read categories as text; whole numbers lose a trailing ``.0``, booleans are ``true`` and ``false``.

    A text of more than ``LONGEST_WORD`` characters is cut there and told from others like it by its hash.
    """
    return _texts(array, _shortened)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_WORD else f"{text[:LONGEST_WORD]}… #{hash_text(text):015x}"


def _texts(array: pa.Array, spelled: Callable[[str], str]) -> Read:
    array = _plain(array)
    nulls = _nulls(array)
    kind = family(array.type)
    if kind == "number":
        encoded = (
            array.cast(pa.float64(), safe=False).dictionary_encode()
            if not pa.types.is_integer(array.type)
            else array.dictionary_encode()
        )
    elif kind in ("text", "boolean", "time"):
        encoded = array.dictionary_encode()
    elif kind == "null":
        return Read(np.full(len(array), None, object), nulls, np.zeros(len(array), bool))
    else:
        values = np.array([None if value is None else spelled(str(value)) for value in array.to_pylist()], object)
        return Read(values, nulls, np.zeros(len(array), bool))
    words = [spelled(_word(value, kind)) for value in _listed(encoded.dictionary)]
    codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    lookup = np.array([*words, ""], object)
    return Read(lookup[codes] if words else np.full(len(array), None, object), nulls, np.zeros(len(array), bool))


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


def booleans(array: pa.Array) -> Read:
    """Read booleans as ``true`` and ``false``; 0, 1 and the usual words are understood, anything else is mistyped."""
    read = texts(array)
    words = {word: ("true" if word.lower() in _TRUE else "false" if word.lower() in _FALSE else None)
             for word in set(read.values[~read.nulls])}  # fmt: skip
    values = np.array([words.get(word) for word in read.values], object)
    return Read(values, read.nulls, ~read.nulls & np.array([value is None for value in values], bool))


def lengths(array: pa.Array) -> Read:
    """Read texts as their length in characters."""
    read = _texts(array, str)
    values = np.array(
        [np.nan if null else len(text) for text, null in zip(read.values, read.nulls, strict=True)], float
    )
    return Read(values.reshape(len(array)), read.nulls, read.mistyped)
