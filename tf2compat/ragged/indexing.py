"""`ragged[key]`."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._engine.tensor import Tensor
from .ragged_tensor import RaggedTensor


def getitem(rt: Any, key: Any) -> Any:
    """Rows, parts of rows, values, by ints, slices, `...` and tf.newaxis; a ragged or dense mask selects."""
    if isinstance(key, RaggedTensor) or (isinstance(key, Tensor) and key.dtype.is_bool):
        from . import boolean_mask

        return boolean_mask(rt, key)
    keys = list(key) if isinstance(key, (list, tuple)) else [key]
    if Ellipsis in [k for k in keys if k is Ellipsis]:
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        rank = rt.shape.rank
        taken = sum(1 for k in keys if k is not None and k is not Ellipsis)
        keys[at : at + 1] = [slice(None)] * (rank - taken)
    return _get(rt, keys)


def _get(rt: Any, keys: list[Any]) -> Any:
    if not keys:
        return rt
    if not isinstance(rt, RaggedTensor):
        return rt[tuple(keys)]
    first, rest = keys[0], keys[1:]
    if first is None:
        inner = _get(rt, rest)
        return tf.expand_dims(inner, 0)
    if isinstance(first, slice):
        return _inside(_rows(rt, first), rest)
    if isinstance(first, (float, str, bytes)):
        raise TypeError(
            f"Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid indices, got {first!r}"
        )
    row = _row(rt, first)
    return _get(row, rest) if isinstance(row, RaggedTensor) else (row[tuple(rest)] if rest else row)


def _row(rt: RaggedTensor, index: Any) -> Any:
    n = rt.shape[0]
    known = tf.get_static_value(index) if isinstance(index, Tensor) else index
    if known is not None and n is not None:
        known = int(known)
        if not -n <= known < n:
            if known < 0:
                raise tf.errors.InvalidArgumentError(None, None, f"slice index {known} of dimension 0 out of bounds. [Op:StridedSlice] name: strided_slice/")
            raise IndexError(f"Row key {known} out of bounds")
        index = known
    splits = rt.row_splits
    if isinstance(index, int) and index < 0:
        index = index + (n if n is not None else rt.nrows())
    return rt.values[splits[index] : splits[index + 1]]


def _bounds(rt: RaggedTensor, part: slice) -> tuple[Any, Any]:
    """Where a slice of rows begins and ends: ints where they are known."""
    n = rt.shape[0]
    start, stop = (int(v) if isinstance(v, Tensor) and tf.get_static_value(v) is not None else v for v in (part.start, part.stop))
    if n is not None and not isinstance(start, Tensor) and not isinstance(stop, Tensor):
        first, last, _ = slice(start, stop).indices(n)
        return first, max(first, last)
    count = rt.nrows()

    def place(value: Any, default: Any) -> Any:
        if value is None:
            return default
        v = tf.cast(value, count.dtype)
        return tf.clip_by_value(tf.where(v < 0, v + count, v), tf.zeros_like(count), count)

    begin = place(start, tf.zeros_like(count))
    return begin, tf.maximum(begin, place(stop, count))


def _rows(rt: RaggedTensor, part: slice) -> RaggedTensor:
    if part.start is None and part.stop is None and part.step in (None, 1):
        return rt
    if part.step in (None, 1):
        first, last = _bounds(rt, part)
        splits = rt.row_splits[first : last + 1]
        begin = splits[0]
        return RaggedTensor._make(rt.values[begin : splits[-1]], splits - begin, rt._uniform)
    from . import gather

    return gather(rt, tf.range(rt.nrows())[part])


def _inside(rt: RaggedTensor, keys: list[Any]) -> Any:
    """The rest of the keys, applied within every row."""
    if not keys:
        return rt
    first, rest = keys[0], keys[1:]
    if first is None:
        inner = _inside(rt, rest)
        return tf.expand_dims(inner, 1)
    if isinstance(first, slice):
        part = _columns(rt, first)
        if not rest:
            return part
        values = part.values
        deeper = _inside(values, rest) if isinstance(values, RaggedTensor) else values[(slice(None), *rest)]
        return part.with_values(deeper)
    if rt._uniform is None:
        raise ValueError("Cannot index into an inner ragged dimension.")
    if isinstance(first, Tensor):
        first = tf.cast(first, rt.row_splits.dtype)
        first = tf.where(first < 0, first + rt._uniform, first)
    column = rt.row_starts() + (first if not isinstance(first, int) or first >= 0 else first + rt._uniform)
    from . import gather

    taken = gather(rt.values, column) if isinstance(rt.values, RaggedTensor) else tf.gather(rt.values, column)
    return _get(taken, [slice(None), *rest]) if rest else taken


def _columns(rt: RaggedTensor, part: slice) -> RaggedTensor:
    if part.start is None and part.stop is None and part.step in (None, 1):
        return rt
    step = 1 if part.step is None else int(part.step)
    starts, lengths = rt.row_starts(), rt.row_lengths()
    zero = tf.zeros_like(lengths)

    def bound(value: Any, default: Any) -> Any:
        if value is None:
            return default
        v = tf.cast(value, lengths.dtype)
        v = tf.where(v < 0, v + lengths, tf.zeros_like(lengths) + v)
        return tf.clip_by_value(v, zero if step > 0 else zero - 1, lengths if step > 0 else lengths - 1)

    if rt._uniform is not None and all(v is None or isinstance(v, int) for v in (part.start, part.stop)):
        kept: int | None = len(range(*slice(part.start, part.stop, step).indices(rt._uniform)))
    else:
        kept = None
    first = bound(part.start, zero if step > 0 else lengths - 1)
    last = bound(part.stop, lengths if step > 0 else zero - 1)
    count = tf.maximum((last - first + (step - 1 if step > 0 else step + 1)) // step, zero)
    from . import range as ragged_range

    offsets = ragged_range(starts + first, starts + first + count * step, tf.zeros_like(lengths) + step)
    values = rt.values
    if isinstance(values, RaggedTensor):
        from . import gather

        return RaggedTensor._make(gather(values, offsets.values), offsets.row_splits, kept)
    return RaggedTensor._make(tf.gather(values, offsets.values), offsets.row_splits, kept)
