"""The queues: elements are lists of tensors; a full or an empty queue makes threads wait."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .. import errors
from .._engine import dtypes as _dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import as_dtype, int64, string
from .._engine.op import ANYS, op
from .._engine.shapes import TensorShape

_numbers = itertools.count(1)


@op("QueueEnqueueV2", stateful=True, multi=True, components=ANYS)
def _enqueue(components: Any, queue: Any) -> Any:
    queue._checked(components)
    queue._put([list(components)])
    return ()


@op("QueueEnqueueManyV2", stateful=True, multi=True, components=ANYS)
def _enqueue_many(components: Any, queue: Any) -> Any:
    sizes = {c.shape[0] for c in components}
    if len(sizes) != 1:
        raise errors.InvalidArgumentError(None, None, "All components must have the same number of rows [Op:QueueEnqueueManyV2] name: ")
    rows = [[_row(c, i) for c in components] for i in range(sizes.pop())]
    for row in rows:
        queue._checked(row)
    queue._put(rows)
    return ()


@op("QueueDequeueV2", stateful=True, multi=True)
def _dequeue(queue: Any) -> Any:
    return tuple(queue._get(1, False)[0])


@op("QueueDequeueManyV2", stateful=True, multi=True)
def _dequeue_many(queue: Any, count: int, up_to: bool) -> Any:
    if count < 0:
        raise errors.InvalidArgumentError(None, None, f"{type(queue).__name__} '{queue._label}': n must be >= 0, got {count}")
    rows = queue._get(count, up_to)
    return tuple(queue._stacked([r[k] for r in rows], k) for k in range(len(queue._kinds)))


@op("QueueSizeV2", stateful=True)
def _size(queue: Any) -> Any:
    with queue._changed:
        return torch.tensor(queue._count(), dtype=torch.int32)


@op("QueueIsClosedV2", stateful=True)
def _is_closed(queue: Any) -> Any:
    return torch.tensor(queue._closed)


@op("QueueCloseV2", stateful=True, multi=True)
def _close(queue: Any, cancel: bool) -> Any:
    with queue._changed:
        queue._closed = True
        queue._cancelled = queue._cancelled or cancel
        queue._changed.notify_all()
    return ()


def _static(queue: Any, *lead: Any) -> Any:
    return [(kind, None if s.rank is None else (*lead, *s.as_list())) for kind, s in zip(queue._kinds, queue._all_shapes(), strict=True)]


_enqueue.infer(lambda components, queue: [])
_enqueue_many.infer(lambda components, queue: [])
_dequeue.infer(lambda queue: _static(queue))
_dequeue_many.infer(lambda queue, count, up_to: _static(queue, None if up_to else count))
_size.infer(lambda queue: [(_dtypes.int32, ())])
_is_closed.infer(lambda queue: [(_dtypes.bool, ())])
_close.infer(lambda queue, cancel: [])
for _f in (_enqueue, _enqueue_many):
    _f.strings(_f.op.fn)


def _row(component: Any, i: int) -> Any:
    row = component[i]
    if isinstance(component, np.ndarray) and not isinstance(row, np.ndarray):
        box = np.empty((), dtype=object)
        box[()] = row
        return box
    return row


class QueueBase:
    """What the queues have in common (`tf.queue.QueueBase`). `enqueue` and `dequeue` wait for room and for elements."""

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Any) -> None:
        self._kinds = [as_dtype(d) for d in (dtypes if isinstance(dtypes, (list, tuple)) else [dtypes])]
        if shapes is not None:
            if not isinstance(dtypes, (list, tuple)) and (not isinstance(shapes, (list, tuple)) or not shapes or not isinstance(shapes[0], (list, tuple, TensorShape))):
                shapes = [shapes]
            shapes = [TensorShape(s) for s in shapes]
            if len(shapes) != len(self._kinds):
                raise ValueError(f"Queue shapes must have the same length as dtypes, received len(shapes)={len(shapes)}, len(dtypes)={len(self._kinds)}")
        self._static_shapes: list[TensorShape] | None = shapes
        if names is not None:
            names = [names] if isinstance(names, str) else list(names)
            if len(names) != len(self._kinds):
                raise ValueError(f"Queue names must have the same length as dtypes, received len(names)={len(names)}, len(dtypes)={len(self._kinds)}")
        self._names = names
        self._label = queue_ref
        self._capacity = -1
        self._changed = threading.Condition()
        self._closed = self._cancelled = False

    # --- what a kind of queue defines ------------------------------------------------------------------------------------
    def _count(self) -> int:
        raise NotImplementedError(type(self).__name__)

    def _add(self, row: list[Any]) -> None:
        raise NotImplementedError(type(self).__name__)

    def _take(self) -> list[Any]:
        raise NotImplementedError(type(self).__name__)

    def _reserve(self) -> int:
        """How many elements stay behind while the queue is open."""
        return 0

    # --- elements --------------------------------------------------------------------------------------------------------
    def _put(self, rows: list[list[Any]]) -> None:
        with self._changed:
            for row in rows:
                while not self._closed and 0 <= self._capacity <= self._count():
                    self._changed.wait()
                if self._closed:
                    raise errors.CancelledError(None, None, f"{self._kind()} '{self._label}' is closed.")
                self._add(row)
                self._changed.notify_all()

    def _get(self, n: int, up_to: bool) -> list[list[Any]]:
        with self._changed:
            if not up_to and 0 <= self._capacity < n:
                raise errors.InvalidArgumentError(None, None, f"{self._kind()} '{self._label}' has capacity {self._capacity} < {n} requested")
            rows: list[list[Any]] = []
            while not self._closed and self._count() < n + self._reserve():
                self._changed.wait()
            have = self._count()
            if have < n and not (up_to and have):
                raise errors.OutOfRangeError(
                    None, None, f"{self._kind()} '{self._label}' is closed and has insufficient elements (requested {n}, current size {have})"
                )
            for _ in range(min(n, have)):
                rows.append(self._take())
            self._changed.notify_all()
            return rows

    def _kind(self) -> str:
        return type(self).__name__

    def _all_shapes(self) -> list[TensorShape]:
        return self._static_shapes or [TensorShape(None)] * len(self._kinds)

    def _checked(self, row: list[Any]) -> None:
        for k, (part, kind, shape) in enumerate(zip(row, self._kinds, self._all_shapes(), strict=True)):
            if _dtypes.of(part) is not kind:
                raise errors.InvalidArgumentError(None, None, f"Type mismatch in tuple component {k}. Expected {kind._cpp}, got {_dtypes.of(part)._cpp}")
            if not shape.is_compatible_with(list(part.shape)):
                a, b = ("[" + ",".join("?" if d is None else str(d) for d in s) + "]" for s in (shape.as_list(), part.shape))
                raise errors.InvalidArgumentError(None, None, f"Shape mismatch in tuple component {k}. Expected {a}, got {b}")

    def _fitting(self, components: list[Any], lead: int) -> list[Any]:
        for part, shape in zip(components, self._all_shapes(), strict=True):
            if part.shape.rank is not None and not shape.is_compatible_with(part.shape[lead:]):
                raise ValueError(f"Shapes {part.shape[lead:]} and {shape} are incompatible")
        return components

    def _stacked(self, parts: list[Any], k: int) -> Any:
        if not parts:
            dims = [0, *self._all_shapes()[k].as_list()]
            return np.empty(dims, dtype=object) if self._kinds[k] is string else torch.empty(dims, dtype=self._kinds[k].torch)
        return np.stack(parts) if isinstance(parts[0], np.ndarray) else torch.stack(parts)

    # --- the public queue ------------------------------------------------------------------------------------------------
    @staticmethod
    def from_list(index: Any, queues: Any) -> Any:
        """One of several queues, by an index."""
        queues = list(queues)
        if not queues or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError("A list of queues expected")
        if not all(q.dtypes == queues[0].dtypes for q in queues):
            raise TypeError("Queues do not have matching component dtypes.")
        return queues[int(index)]

    @property
    def queue_ref(self) -> Any:
        """What stands for the queue in graphs: the queue itself."""
        return self

    @property
    def name(self) -> str:
        return self._label

    @property
    def dtypes(self) -> list[Any]:
        return list(self._kinds)

    @property
    def shapes(self) -> list[TensorShape]:
        return self._all_shapes()

    @property
    def names(self) -> Any:
        return self._names

    def _components(self, vals: Any) -> list[Any]:
        if self._names is not None:
            if not isinstance(vals, dict):
                raise ValueError("You must enqueue a dictionary in a Queue with names")
            if sorted(vals) != sorted(self._names):
                raise ValueError(f"Keys in dictionary to enqueue do not match names of Queue.  Dictionary: {sorted(vals)}, Queue: {sorted(self._names)}")
            vals = [vals[n] for n in self._names]
        elif isinstance(vals, dict):
            raise ValueError(f"vals is a dict, but queue does not have names specified. vals={vals}")
        elif not (isinstance(vals, (list, tuple)) and (len(self._kinds) > 1 or len(vals) == 1)):
            vals = [vals]
        if len(vals) != len(self._kinds):
            raise ValueError(f"Expected {len(self._kinds)} components, got {len(vals)}")
        return [convert_to_tensor(v, kind) for v, kind in zip(vals, self._kinds, strict=True)]

    def _result(self, parts: Any) -> Any:
        parts = list(parts)
        if self._names is not None:
            return dict(zip(self._names, parts, strict=True))
        return parts[0] if len(parts) == 1 else parts

    def enqueue(self, vals: Any, name: str | None = None) -> Any:
        """Add one element; waits while the queue is full. CancelledError when it is closed."""
        _enqueue(self._fitting(self._components(vals), 0), self)
        return _done()

    def enqueue_many(self, vals: Any, name: str | None = None) -> Any:
        """Add the rows of tensors as elements."""
        _enqueue_many(self._fitting(self._components(vals), 1), self)
        return _done()

    def dequeue(self, name: str | None = None) -> Any:
        """The next element; waits for one. OutOfRangeError when the queue is closed and empty."""
        return self._result(_dequeue(self))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """The next `n` elements, stacked. ValueError unless their shapes are known."""
        return self._many(n, False)

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """The next `n` elements, stacked; fewer when the queue is closed."""
        return self._many(n, True)

    def _many(self, n: Any, up_to: bool) -> Any:
        if not self._stackable():
            raise errors.InvalidArgumentError(
                None, None, f"{self._kind()}'s DequeueMany and DequeueUpTo require the components to have specified shapes."
            )
        return self._result(_dequeue_many(self, int(n), up_to))

    def _stackable(self) -> bool:
        return all(s.is_fully_defined() for s in self._all_shapes())

    def size(self, name: str | None = None) -> Any:
        """The number of elements, int32."""
        return _size(self)

    def is_closed(self, name: str | None = None) -> Any:
        """Whether `close` was called."""
        return _is_closed(self)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Any:
        """Take no more elements. Those that wait to be added are refused; the ones inside can be taken."""
        _close(self, bool(cancel_pending_enqueues))
        return _done()


def _done() -> Any:
    return None if tf.executing_eagerly() else tf.no_op()


def _name(name: str) -> str:
    return f"_{next(_numbers)}_{name}"


class FIFOQueue(QueueBase):
    """First in, first out (`tf.queue.FIFOQueue`)."""

    def __init__(self, capacity: int, dtypes: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None, name: str = "fifo_queue") -> None:
        super().__init__(dtypes, shapes, names, shared_name or _name(name))
        self._capacity = int(capacity)
        self._rows: list[list[Any]] = []

    def _count(self) -> int:
        return len(self._rows)

    def _add(self, row: list[Any]) -> None:
        self._rows.append(row)

    def _take(self) -> list[Any]:
        return self._rows.pop(0)


class PaddingFIFOQueue(FIFOQueue):
    """A FIFO queue whose stacked elements are padded to the largest of them (`tf.queue.PaddingFIFOQueue`)."""

    def __init__(self, capacity: int, dtypes: Any, shapes: Any, names: Any = None, shared_name: str | None = None, name: str = "padding_fifo_queue") -> None:
        super().__init__(capacity, dtypes, shapes, names, shared_name, name)
        if self._static_shapes is None or any(s.rank is None for s in self._static_shapes):
            raise errors.InvalidArgumentError(None, None, "PaddingFIFOQueue needs shapes of known rank")

    def _stackable(self) -> bool:
        return True

    def _stacked(self, parts: list[Any], k: int) -> Any:
        from ..data.batching import pad

        if not parts:
            return super()._stacked(parts, k)
        return pad(parts, self._all_shapes()[k], b"" if self._kinds[k] is string else 0)


class PriorityQueue(QueueBase):
    """The element with the smallest int64 priority, its first component, comes first (`tf.queue.PriorityQueue`)."""

    def __init__(self, capacity: int, types: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None, name: str = "priority_queue") -> None:
        types = list(types) if isinstance(types, (list, tuple)) else [types]
        shapes = None if shapes is None else [[], *(shapes if isinstance(shapes, (list, tuple)) else [shapes])]
        super().__init__([int64, *types], shapes, names, shared_name or _name(name))
        self._capacity = int(capacity)
        self._heap: list[Any] = []
        self._turn = itertools.count()

    def _count(self) -> int:
        return len(self._heap)

    def _add(self, row: list[Any]) -> None:
        heapq.heappush(self._heap, (int(row[0]), next(self._turn), row))

    def _take(self) -> list[Any]:
        return heapq.heappop(self._heap)[2]


class RandomShuffleQueue(QueueBase):
    """Elements come out in random order; `min_after_dequeue` stay inside until it is closed (`tf.queue.RandomShuffleQueue`)."""

    def __init__(
        self, capacity: int, min_after_dequeue: int, dtypes: Any, shapes: Any = None, names: Any = None, seed: int | None = None,
        shared_name: str | None = None, name: str = "random_shuffle_queue",
    ) -> None:  # fmt: skip
        super().__init__(dtypes, shapes, names, shared_name or _name(name))
        from ..data.randomness import fresh_seed

        self._capacity, self._least = int(capacity), int(min_after_dequeue)
        self._rows: list[list[Any]] = []
        self._rng = np.random.default_rng(fresh_seed(seed))

    def _reserve(self) -> int:
        return self._least

    def _count(self) -> int:
        return len(self._rows)

    def _add(self, row: list[Any]) -> None:
        self._rows.append(row)

    def _take(self) -> list[Any]:
        at = int(self._rng.integers(0, len(self._rows)))
        self._rows[at], self._rows[-1] = self._rows[-1], self._rows[at]
        return self._rows.pop()
