"""Rows of the store that somebody has changed: the reader's own error, in bounded time and memory, whatever they hold."""

import io
import json
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import codec, sample_codec
from checks.codec import FormatError
from checks.sample_codec import decode_sample, decode_table, encode_sample, encode_table
from checks.sampling import Sample
from monitor.core import learnt, memory
from monitor.core.finding import Finding
from monitor.core.memory import Alarm, Memory
from monitor.core.notice import Notice
from monitor.store import bodies
from monitor.store.bodies import DamagedRowError
from tests.notifiers.notice_factory import notice
from tests.security.fuzzing import hostile, tried

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = (START, START + timedelta(days=1))
LONGEST = 5.0  # seconds; a reader takes milliseconds, and the machine may be busy
SMALL = 2 << 20  # bytes, in place of the bounds that hold otherwise


@cache
def watched():
    """The small model of the tests of the core, which are not a package."""
    import sys
    from pathlib import Path

    folder = str(Path(__file__).parents[1] / "core")
    sys.path.insert(0, folder)
    try:
        import watched_model
    finally:
        sys.path.remove(folder)
    return watched_model


@cache
def rows() -> pa.Table:
    count = 60
    return pa.table({
        "id": list(range(count)),
        "ts": [START + timedelta(minutes=place) for place in range(count)],
        "x": np.linspace(0, 1, count),
        "word": [["a", "b", None, "<c>"][place % 4] for place in range(count)],
        "kind": pa.array(["p", "q"] * (count // 2)).dictionary_encode(),
        "many": [[1, 2]] * count,
    })  # fmt: skip


def empty_sample() -> Sample:
    return Sample(20, "id", "ts", DAY)


@dataclass(frozen=True)
class Kind:
    """One kind of stored bytes: how they are read, and what they are where they hold JSON."""

    read: Callable[[bytes], object]
    made: Callable[[], bytes]
    unpacked: Callable[[bytes], object] | None = None
    packed: Callable[[object], bytes] | None = None


def inflated(data: bytes) -> object:
    return json.loads(zlib.decompress(data))


def deflated(document: object) -> bytes:
    return zlib.compress(json.dumps(document).encode())


def evidence_out(data: bytes) -> object:
    with np.load(io.BytesIO(data)) as arrays:
        return json.loads(arrays["text"].tobytes())


def evidence_in(document: object) -> bytes:
    with np.load(io.BytesIO(evidence())) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    held["text"] = np.frombuffer(json.dumps(document).encode(), np.uint8)
    sink = io.BytesIO()
    np.savez_compressed(sink, **held)
    return sink.getvalue()


@cache
def evidence() -> bytes:
    moment = START
    alarm = Alarm("age", "location", 0, moment, moment, 0.5, 0.4, 0.6, moment, "words", None, (0.1,), (0.2,), (0.5,), 3)
    return Memory(watched().signal().detector.start(), (alarm,)).encode()


@cache
def lesson() -> bytes:
    return learnt.encode(watched().signal())


def read_lesson(data: bytes) -> object:
    known = watched().signal()
    return learnt.decode(data, known.layout, known.rhythm, known.terms, known.audit)


def lesson_out(data: bytes) -> object:
    raw = zlib.decompress(data)
    return json.loads(raw[8 : 8 + int.from_bytes(raw[:8])])


def lesson_in(document: object) -> bytes:
    raw = zlib.decompress(lesson())
    header = json.dumps(document).encode()
    return zlib.compress(len(header).to_bytes(8) + header + raw[8 + int.from_bytes(raw[:8]) :])


KINDS = {
    "profile": Kind(codec.decode_profile, lambda: codec.encode_profile(watched().profile(1)), inflated, deflated),
    "bins": Kind(codec.decode_bins, lambda: codec.encode_bins(watched().bins()), inflated, deflated),
    "rows": Kind(decode_table, lambda: encode_table(rows())),
    "sample": Kind(lambda data: decode_sample(data, empty_sample()), lambda: encode_sample(empty_sample().add(rows()))),
    "evidence": Kind(
        lambda data: memory.decode(data, watched().signal().detector), evidence, evidence_out, evidence_in
    ),
    "learning": Kind(read_lesson, lesson, lesson_out, lesson_in),
}


@cache
def made(kind: str) -> bytes:
    return KINDS[kind].made()


def survived(kind: str, data: bytes) -> None:
    """Read the bytes; anything but a value or the reader's own error fails, and so does taking long."""
    began, said = time.monotonic(), ""
    try:
        KINDS[kind].read(data)
    except FormatError as error:
        said = str(error)
    assert len(said) < 1000
    assert time.monotonic() - began < LONGEST


def mutate(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    """Overwrite, insert, cut or repeat pieces."""
    for what, place, piece in changes:
        at = place % (len(data) + 1)
        if what == "write":
            data = data[:at] + piece + data[at + len(piece) :]
        elif what == "insert":
            data = data[:at] + piece + data[at:]
        elif what == "cut":
            data = data[:at] + data[at + len(piece) :]
        else:
            data = data[:at] + data[max(0, at - len(piece)) :]
    return data


EDGES = [struct.pack("<q", number) for number in (-1, 2**62, 2**31, -(2**63), 0)]
changes = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "insert", "cut", "repeat"]),
        st.integers(0, 2**24),
        st.one_of(st.binary(min_size=1, max_size=9), st.sampled_from(EDGES)),
    ),
    min_size=1,
    max_size=4,
)


@tried(0.14)
@given(st.sampled_from(sorted(KINDS)), changes)
def test_damaged_bytes_are_refused_or_read(kind, changed):
    survived(kind, mutate(made(kind), changed))


@tried(0.04)
@given(st.sampled_from(["profile", "bins", "learning"]), changes)
def test_damaged_text_within_whole_compression_is_refused_or_read(kind, changed):
    survived(kind, zlib.compress(mutate(zlib.decompress(made(kind)), changed)))


odd = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**25), 10**25), st.floats(), hostile,
    st.lists(st.integers(-5, 10**12), max_size=4), st.dictionaries(hostile, st.integers(), max_size=2),
    st.sampled_from([1_000_000, 10**9, [10**6, []], [0, []], "nan", "inf", "-0.0", [[[]]], {"": {}}]),
)  # fmt: skip


def replaced(tree, path, value):
    """The tree with another value at some place; the path chooses one, whatever the tree looks like."""
    if not path or not isinstance(tree, dict | list) or not tree:
        return value
    step, *rest = path
    if isinstance(tree, dict):
        key = sorted(tree)[step % len(tree)]
        return {**tree, key: replaced(tree[key], rest, value)}
    place = step % len(tree)
    return [*tree[:place], replaced(tree[place], rest, value), *tree[place + 1 :]]


@tried(0.1)
@given(
    st.sampled_from([name for name, kind in KINDS.items() if kind.packed]),
    st.lists(st.integers(0, 10**6), max_size=7), odd,
)  # fmt: skip
def test_a_document_with_another_value_somewhere_is_refused_or_read(kind, path, value):
    unpacked, packed = KINDS[kind].unpacked, KINDS[kind].packed
    assert unpacked is not None
    assert packed is not None
    survived(kind, packed(replaced(unpacked(made(kind)), path, value)))


@tried(0.04)
@given(st.lists(st.integers(0, 10**6), max_size=7), odd)
def test_a_message_with_another_value_somewhere_is_refused_or_read(path, value):
    text = json.dumps(replaced(json.loads(bodies.dump(notice())), path, value))
    said = ""
    try:
        bodies.load(Notice, text)
    except DamagedRowError as error:
        said = str(error)
    assert len(said) < 1000


# --- what only hostility makes ---------------------------------------------------------------------------------------


def bomb_of_zeros() -> bytes:
    return zlib.compress(bytes(10 * SMALL), 9)


def bomb_of_bins() -> bytes:
    document = inflated(made("profile"))
    column = next(iter(document["body"]["columns"].values()))
    column["counts"] = [1_000_000, []]
    document["body"]["columns"] = {f"c{place}": column for place in range(20)}
    return deflated(document)


def bomb_of_rows() -> bytes:
    return encode_table(pa.table({"x": pa.nulls(20_000_000)}))


def bomb_of_buffers() -> bytes:
    return encode_table(pa.table({"x": np.zeros(2 * SMALL)}))


def bomb_of_arrays() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("text.npy", bytes(10 * SMALL))
    return sink.getvalue()


def deep() -> bytes:
    return zlib.compress(b'{"version": 1, "body": ' + b"[" * 200_000)


def claim_of_a_huge_array() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }"
        header += " " * (117 - len(header)) + "\n"
        packed.writestr("text.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    return sink.getvalue()


BOMBS = {
    "zeros": ("profile", bomb_of_zeros),
    "zeros that were learnt": ("learning", bomb_of_zeros),
    "bins": ("profile", bomb_of_bins),
    "rows": ("rows", bomb_of_rows),
    "buffers": ("rows", bomb_of_buffers),
    "arrays": ("evidence", bomb_of_arrays),
    "depth": ("bins", deep),
    "a claim": ("evidence", claim_of_a_huge_array),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(monkeypatch, name):
    kind, make = BOMBS[name]
    data = make()
    made(kind)
    for module in (codec, sample_codec, learnt, memory):
        assert 1 << 25 < module.LARGEST < 1 << 30
        monkeypatch.setattr(module, "LARGEST", SMALL)  # so that the test need not make what is refused
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            KINDS[kind].read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak + pa.total_allocated_bytes() - before < 8 * SMALL


class _Sneaky(pa.ExtensionType):
    ran = False

    def __init__(self):
        super().__init__(pa.int64(), "leeway.tests.sneaky")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage, serialized):
        return cls()


@pytest.mark.parametrize("nested", [False, True])
def test_rows_of_a_type_that_brings_code_are_refused(nested):
    column = pa.ExtensionArray.from_storage(_Sneaky(), pa.array([1, 2]))
    if nested:
        column = pa.StructArray.from_arrays([column], ["inner"])
    with pytest.raises(FormatError, match="extension type"):
        decode_table(encode_table(pa.table({"x": column})))


def test_rows_with_a_pickled_type_of_old_arrow_are_refused():
    pickled = b"cos\nsystem\n(S'touch pwned'\ntR."
    metadata = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickled}
    schema = pa.schema([pa.field("x", pa.int64(), metadata=metadata)])
    with pytest.raises(FormatError, match="extension type"):
        decode_table(encode_table(pa.table({"x": [1]}, schema=schema)))


def test_evidence_with_pickled_objects_is_refused():
    sink = io.BytesIO()
    np.savez(sink, text=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FormatError, match="pickle"):
        memory.decode(sink.getvalue(), watched().signal().detector)


def encode_uncompressed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write(table)
    return bytes(sink.getvalue())


def test_an_offset_beyond_the_data_is_refused():
    whole = encode_uncompressed(pa.table({"x": ["abc", "de"]}))
    offsets = struct.pack("<iii", 0, 3, 5)
    assert whole.count(offsets) == 1
    with pytest.raises(FormatError):
        decode_table(whole.replace(offsets, struct.pack("<iii", 0, 2**30, 5)))


def test_a_finding_that_is_no_finding_is_named():
    with pytest.raises(DamagedRowError, match=r"Finding.*restore the store"):
        bodies.load(Finding, '{"model": 7}')
