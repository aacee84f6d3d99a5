"""Threads of a pipeline: prefetching, and which maps are worth threads (`parallel.py`). None outlives its iterator."""

from __future__ import annotations

import contextlib
import queue
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch

from .._engine.devices import accelerated, stay_on_host
from .._threads import Ended, ends_with_process
from ..errors import OpError
from .dataset import Dataset
from .stages import _Unary

_END = object()
#: bytes; less than that a copy takes along in its command
_WORTH_PINNING = 1 << 16
#: ops that run outside of the interpreter's lock for long, or call Python that may wait
_DECODING = frozenset(("DecodeJpeg", "DecodePng", "DecodeWebP", "DecodeImage", "DecodeGif", "DecodeBmp"))
_HEAVY = _DECODING | {"EagerPyFunc", "PyFunc", "ReadFile", "ResizeImages"}


def _feed(make: Callable[[], Iterator[Any]], out: queue.Queue[Any], stop: threading.Event) -> None:
    stay_on_host()
    pin = accelerated()
    try:
        source = make()
        last: Any = (_END, None)
        while not stop.is_set():
            try:
                element = next(source)
                found: Any = (element if not pin else [_pinned(c) for c in element], None)
            except StopIteration:
                break
            except OpError as error:  # a source that can, goes on
                found = (None, error)
            while not stop.is_set():
                try:
                    out.put(found, timeout=0.1)
                    break
                except queue.Full:
                    continue
    except Ended:
        with contextlib.suppress(queue.Full):
            out.put_nowait((_END, None))  # a thread that waits for this one ends too
        return
    except BaseException as error:  # noqa: BLE001 - delivered to the consumer
        last = (_END, error)
    while not stop.is_set():
        try:
            out.put(last, timeout=0.1)
            return
        except queue.Full:
            continue


def _pinned(component: Any) -> Any:
    """In memory that a GPU reads by itself while the program goes on."""
    if type(component) is torch.Tensor and component.is_cpu and component.nbytes >= _WORTH_PINNING:
        return component.pin_memory()
    return component


class Prefetched:
    """An iterator whose elements a thread prepares; the thread ends with the iterator."""

    def __init__(self, make: Callable[[], Iterator[Any]], size: int) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(size)
        self._stop = threading.Event()
        feeder = threading.Thread(target=_feed, args=(make, self._queue, self._stop), daemon=True, name="tf2compat-prefetch")
        self._thread = ends_with_process(feeder, 10.0)  # it may have the elements of a large shuffle to give up
        self._thread.start()
        self._done = False
        weakref.finalize(self, self._stop.set)

    def __iter__(self) -> Prefetched:
        return self

    def __next__(self) -> Any:
        if self._done:
            raise StopIteration
        flat, error = self._queue.get()
        if flat is _END:
            self._done = True
            self._stop.set()
            if error is not None:
                raise error
            raise StopIteration
        if error is not None:
            raise error
        return flat


class _PrefetchDataset(_Unary):
    def __init__(self, source: Dataset, size: int) -> None:
        super().__init__(source)
        from .. import errors

        if size < -1:
            raise errors.InvalidArgumentError(None, None, "buffer_size must be >= 0 or set buffer_size to be -1 for auto-tuning [Op:PrefetchDataset] name: ")
        self._size = size

    def _describe(self) -> str:
        return "Prefetch" + ("" if self._threaded() else "  [rows by index are ready at once: no thread]")

    def _threaded(self) -> bool:
        from .batching import _BatchDataset

        if self._size == 0:
            return False
        source = self._source
        while isinstance(source, _PrefetchDataset):
            source = source._source
        if source._indexed() is not None:
            return False
        return not (isinstance(source, _BatchDataset) and source._source._indexed() is not None)

    def _components(self) -> Iterator[Any]:
        if not self._threaded():
            return self._source._components()
        return Prefetched(self._source._components, 2 if self._size == -1 else self._size)

    def _indexed(self) -> Any:
        return self._source._indexed()


def worth_threads(function: Any) -> bool:
    """Whether running the function in threads beats running it here: Python calls, files, images."""
    from . import functions

    if functions._debugging:
        return False
    if function.concrete is None:
        return True
    return any(n.op is not None and n.op.name in _HEAVY for n in function.concrete.graph.nodes)


def worth_threads_unasked(function: Any) -> bool:
    """Whether a map without `num_parallel_calls` runs in threads all the same, as TensorFlow's does when its function is stateless."""
    if not worth_threads(function) or function.concrete is None:
        return False
    nodes = function.concrete.graph.nodes
    names = [n.op.name if n.op is not None else n.kind for n in nodes]
    return any(name in _DECODING for name in names) and not any(n.stateful() and name != "ReadFile" for n, name in zip(nodes, names, strict=True))
