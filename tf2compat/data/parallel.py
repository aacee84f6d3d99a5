"""Maps whose function runs in several threads at a time, in the order of the elements; batches that those threads fill."""

from __future__ import annotations

import os
import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from .._engine.devices import stay_on_host
from .._engine.variable import Kept
from .._threads import Ended, ends_with_process
from .structure import NOT_NUMPY

_changing = threading.Lock()
_THERE = object()
_BITS = {1: torch.uint8, 2: torch.int16}
#: bytes; a smaller component is stacked sooner than placed
_WORTH_PLACING = 1 << 14
#: bytes of a batch that may never be full
_MOST = 1 << 28
#: bytes of batches that a pipeline keeps
_RECYCLED = 1 << 27


def _array(t: torch.Tensor) -> np.ndarray:
    """The memory of a tensor, for copies: with another dtype of the same size where NumPy lacks its own."""
    if t.requires_grad:
        t = t.detach()
    return (t.view(_BITS[t.itemsize]) if t.dtype in NOT_NUMPY else t).numpy()


def _alone() -> None:
    """Let torch use no threads beside this one: several such threads share the cores already.

    torch keeps the number for each thread, and one for the threads that come: the latter is put back, by a thread of its own.
    """
    with _changing:
        before = torch.get_num_threads()
        if before > 1:
            torch.set_num_threads(1)
            putting_back = threading.Thread(target=torch.set_num_threads, args=(before,))
            putting_back.start()
            putting_back.join()


class Memory:
    """Memory of batches that the program has given up, for the next ones: the system hands out fresh pages at a third of a copy's speed."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        self._using = threading.Lock()

    def column(self, size: int, row: torch.Tensor) -> torch.Tensor:
        """[size, …] for components like `row`, with any content."""
        shape = (size, *row.shape)
        with self._using:
            for kept in self._kept:
                if not kept.shared() and kept._t.shape == shape and kept._t.dtype is row.dtype:
                    return kept._t
            made = torch.empty(shape, dtype=row.dtype, device=row.device)
            free = [k for k in self._kept if not k.shared()]
            self._kept = [k for k in self._kept if k not in free]  # of another shape: the pipeline's batches have changed
            if made.nbytes + sum(k._t.nbytes for k in self._kept) <= _RECYCLED:
                self._kept.append(Kept(made))
            return made


class _Batch:
    """Memory for the elements of one batch, which whoever makes an element copies it to while it is in the cache."""

    def __init__(self, size: int, memory: Memory) -> None:
        self.size, self._memory = size, memory
        self.columns: list[Any] = []
        self._rows: list[Any] | None = None
        self._making = threading.Lock()

    def place(self, at: int, flat: list[Any]) -> Any:
        with self._making:
            if self._rows is None:
                self.columns = [self._column(c) for c in flat]
                self._rows = [None if c is None else _array(c) for c in self.columns]
        out = _Placed(flat)
        out.batch, out.at = self, at
        for k, (rows, column, c) in enumerate(zip(self._rows, self.columns, flat, strict=True)):
            if rows is not None and type(c) is torch.Tensor and c.shape == column.shape[1:] and c.dtype is column.dtype:
                rows[at] = _array(c)  # NumPy copies with fewer handshakes about the interpreter's lock
                out[k] = _THERE
        return out

    def _column(self, c: Any) -> Any:
        if type(c) is torch.Tensor and c.is_cpu and c.layout is torch.strided and _WORTH_PLACING <= c.nbytes <= _MOST // self.size:
            return self._memory.column(self.size, c)
        return None


class _Placed(list[Any]):
    """The components of an element; those that lie in its batch's memory are `_THERE`."""

    batch: _Batch
    at: int


def columns(elements: list[Any]) -> list[Any] | None:
    """What a batch of these elements has in its memory already, by component: None for those that are to be stacked.

    None altogether for elements from elsewhere. Values that lie in memory of other batches are put back into their elements.
    """
    if type(elements[0]) is not _Placed:
        return None
    batch = elements[0].batch
    aligned = all(e.batch is batch and e.at == at for at, e in enumerate(elements))
    found: list[Any] = []
    for k in range(len(elements[0])):
        if aligned and all(e[k] is _THERE for e in elements):
            column = batch.columns[k]
            found.append(column if len(elements) == batch.size else column[: len(elements)].clone())
            continue
        for e in elements:
            if e[k] is _THERE:
                e[k] = e.batch.columns[k][e.at]
        found.append(None)
    return found


class _Task:
    """An element in work. The lock is held until its result, or what went wrong, is there."""

    __slots__ = ("at", "batch", "error", "flat", "lock")

    def __init__(self, flat: Any, batch: _Batch | None, at: int) -> None:
        self.flat, self.batch, self.at = flat, batch, at
        self.error: BaseException | None = None
        self.lock = threading.Lock()
        self.lock.acquire()

    def run(self, function: Callable[[Any], Any]) -> None:
        try:
            result = function(self.flat)
            self.flat = result if self.batch is None else self.batch.place(self.at, result)
        except BaseException as error:  # noqa: BLE001 - delivered to the consumer
            self.error = error
        finally:
            self.lock.release()

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.lock.release()

    def wait(self) -> None:
        with self.lock:
            pass

    def result(self) -> Any:
        self.lock.acquire()
        if self.error is not None:
            raise self.error
        return self.flat


class _Pool:
    """Threads that run a function on tasks until they are told to stop. They know nothing of the iterator that owns them."""

    def __init__(self, function: Callable[[Any], Any], width: int) -> None:
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._stopped = False
        self._width = width
        self._function = function
        self.put = self._tasks.put
        for _ in range(width):
            ends_with_process(threading.Thread(target=self._work, daemon=True, name="tf2compat-map"), 10.0, self.stop).start()

    def _work(self) -> None:
        stay_on_host()
        if self._width > 1:
            _alone()
        function, get = self._function, self._tasks.get
        while (task := get()) is not None:
            if self._stopped:  # nobody waits for it, unless the process ends
                task.fail(Ended())
            else:
                task.run(function)
            del task  # its element is not kept while there is nothing to do

    def stop(self) -> None:
        self._stopped = True
        for _ in range(self._width):
            self._tasks.put(None)


class ParallelMap:
    """An iterator of `function`'s results in order, `calls` (or as many as there are cores) elements in work at a time.

    After an element that fails it goes on with the next, as its source does. With `batch`, so many elements in a row find themselves in
    the memory of their batch (`columns`).
    """

    def __init__(self, function: Callable[[Any], Any], source: Iterator[Any], calls: int, batch: int = 0, memory: Memory | None = None) -> None:
        self._width = max(1, os.cpu_count() or 1) if calls == -1 else calls
        self._function, self._source = function, source
        self._size, self._memory = batch, memory or Memory()
        self._batch: _Batch | None = None
        self._at = batch
        self._given = 0
        self._pool: _Pool | None = None
        self._waiting: deque[_Task] = deque()
        self._ended = False

    def __iter__(self) -> ParallelMap:
        return self

    def _task(self, flat: Any) -> _Task:
        if self._size and self._at == self._size:
            self._batch, self._at = _Batch(self._size, self._memory), 0
        task = _Task(flat, self._batch, self._at)
        self._at += 1
        self._waiting.append(task)
        return task

    def _pool_of(self) -> _Pool:
        if self._pool is None:
            self._pool = _Pool(self._function, self._width)
            weakref.finalize(self, self._pool.stop)
        return self._pool

    def _feed(self, most: int) -> None:
        while not self._ended and len(self._waiting) < most:
            try:
                flat = next(self._source)
            except StopIteration:
                self._ended = True
            except Exception as error:
                if not self._waiting:
                    raise
                self._task(None).fail(error)  # in its turn
                return
            else:
                self._pool_of().put(self._task(flat))

    def __next__(self) -> Any:
        waiting = self._waiting
        missing = self._size - self._given
        self._feed(2 * self._width if missing <= self._width else min(missing, 2 * self._width) + 2 * self._width)
        if not waiting:
            if self._pool is not None:
                self._pool.stop()
            raise StopIteration
        if missing > 1 and waiting[0].lock.locked():  # rather than be woken for each, and take the lock from those who work
            waiting[min(missing, max(len(waiting) - 2 * self._width, 1)) - 1].wait()
        if self._size:
            self._given = (self._given + 1) % self._size
        return waiting.popleft().result()
