"""What a process that runs for months does about the memory it holds but has no use for."""

import ctypes
import gc
import sys
from functools import cache
from importlib.abc import MetaPathFinder
from typing import Any

_THP_DISABLE = 41  # PR_SET_THP_DISABLE of prctl(2)


class _Absent(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002 - the interface
        """Refuse pandas; whatever else is asked for, others find."""
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def without_pandas() -> None:
    """Keep pyarrow from importing pandas (40 MB, half a second), which it does to learn that a list is no Series.

    It tries once in a process. Whoever needs pandas can still import it afterwards.
    """
    import pyarrow as pa

    if "pandas" in sys.modules:
        return
    refusing = _Absent()
    sys.meta_path.insert(0, refusing)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(refusing)


def in_small_pages() -> None:
    """Refuse huge pages (Linux): allocators ask for them, and hold 2 MB for whatever part of them is used."""
    libc = _libc()
    if libc is not None:
        libc.prctl(_THP_DISABLE, 1, 0, 0, 0)


def give_back(*, everything: bool = False) -> None:
    """Return freed memory to the system: allocators keep what the largest piece of work so far has needed.

    Takes a millisecond; with ``everything``, which looks for what is held by nothing but itself, a tenth of a second.
    """
    import pyarrow as pa

    if everything:
        gc.collect()
    pa.default_memory_pool().release_unused()
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _libc() -> Any | None:
    """Return the C library where it is GNU's; others keep less, or cannot be asked."""
    try:
        libc = ctypes.CDLL(None)
        _ = libc.malloc_trim, libc.prctl
    except (OSError, AttributeError, TypeError):
        return None
    return libc
