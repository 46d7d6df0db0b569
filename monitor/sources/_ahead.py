"""Reading ahead: a thread fetches the next batches while the caller counts the last one."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

HELD = 2  # batches that may wait; with the one being fetched and the one being counted, four are in memory

_Item = TypeVar("_Item")
_Message = tuple[tuple[_Item, ...], BaseException | None]  # one item; or none, at the end, and what ended it


@contextmanager
def ahead(items: Iterator[_Item]) -> Iterator[Iterator[_Item]]:
    """Run an iterator in a thread of its own, and give what it yields.

    An error of the iterator is raised where its items are taken. At the end of the block a generator is closed and
    the thread is waited for, whatever happened; what it is doing at that moment, such as fetching a batch, is finished
    first. Only when the process itself is interrupted is nothing waited for.

    Parameters
    ----------
    items : taken, and closed, in the other thread alone.
    """
    reader = _Reader(items)
    reader.thread.start()
    try:
        yield reader.items()
    except Exception:
        reader.end()
        raise
    except BaseException:
        reader.leave()
        raise
    reader.end()


class _Reader(Generic[_Item]):
    def __init__(self, source: Iterator[_Item]) -> None:
        self.source = source
        self.queue: Queue[_Message[_Item]] = Queue(HELD)
        self.left = Event()
        self.thread = Thread(target=self._run, name="leeway-reader", daemon=True)

    def _run(self) -> None:
        ended: BaseException | None = None
        try:
            try:
                for item in self.source:
                    if self.left.is_set():
                        break
                    self.queue.put(((item,), None))
            finally:
                if isinstance(self.source, Generator):
                    self.source.close()
        except BaseException as error:  # noqa: BLE001 - it is raised in the other thread, whatever it is
            ended = error
        self.queue.put(((), ended))

    def items(self) -> Iterator[_Item]:
        while True:
            found, error = self.queue.get()
            if error is not None:
                raise error
            if not found:
                return
            yield found[0]

    def leave(self) -> None:
        """Let the thread end with what it is doing: nothing that it puts will wait for a place any more."""
        self.left.set()
        try:
            while True:
                self.queue.get_nowait()
        except Empty:
            return

    def end(self) -> None:
        self.leave()
        self.thread.join()
