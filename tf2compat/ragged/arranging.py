"""Ragged tensors turned around, repeated, taken apart, and values picked from them."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import int32, int64
from .._engine.tensor import Tensor
from .ragged_tensor import RaggedTensor
from .reducing import axis_of


def _static(value: Any) -> Any:
    return tf.get_static_value(convert_to_tensor(value))


def _gather(params: Any, indices: Any) -> Any:
    from . import gather

    return gather(params, indices) if isinstance(params, RaggedTensor) else tf.gather(params, indices)


def tile(value: Any, multiples: Any) -> Any:
    """`tf.tile`."""
    counts = tf.unstack(convert_to_tensor(multiples), num=value.shape.rank) if isinstance(multiples, Tensor) else list(multiples)
    if len(counts) != value.shape.rank:
        raise ValueError(f"Dimension 0 in both shapes must be equal, but are {value.shape.rank} and {len(counts)}: a multiple for each dimension is needed")
    return _tile(value, counts)


def _is_one(count: Any) -> bool:
    return isinstance(count, int) and count == 1


def _tile(value: Any, counts: list[Any]) -> Any:
    if not isinstance(value, RaggedTensor):
        return tf.tile(value, counts)
    inner = _tile(value.values, [1, *counts[1:][1:]]) if not all(_is_one(c) for c in counts[2:]) else value.values
    splits = value.row_splits
    times = tf.cast(counts[1], splits.dtype)
    starts, limits = value.row_starts(), value.row_limits()
    each = tf.cast(times, int32)
    from . import range as ragged_range

    places = ragged_range(tf.repeat(starts, each), tf.repeat(limits, each), row_splits_dtype=splits.dtype).values
    out = RaggedTensor._make(_gather(inner, places), splits * times)
    if _is_one(counts[0]):
        return out
    rows = tf.tile(tf.range(value.nrows()), [tf.cast(counts[0], int32)])
    return _gather(out, rows)


def reverse(value: Any, axis: Any) -> Any:
    """`tf.reverse`."""
    found = _static(axis)
    if found is None or np.ndim(found) != 1:
        raise ValueError("`axis` must be a 1D tensor whose values are known")
    out = value
    for a in sorted({axis_of(int(d), value.shape.rank) for d in found}):
        out = _reversed(out, a)
    return out


def _reversed(value: Any, axis: int) -> Any:
    if not isinstance(value, RaggedTensor):
        return tf.reverse(value, [axis])
    if axis == 0:
        return value[::-1]
    return value[:, ::-1] if axis == 1 else value.with_values(_reversed(value.values, axis - 1))


def squeeze(value: Any, axis: Any) -> Any:
    """`tf.squeeze`; the axes have to be given. InvalidArgumentError where one is not of size 1."""
    if axis is None:
        raise ValueError("Ragged.squeeze must have an axis argument.")
    found = np.reshape(_static(axis), -1).tolist()
    out = value
    for a in sorted({axis_of(int(d), value.shape.rank) for d in found}, reverse=True):
        out = _squeezed(out, a)
    return out


def _squeezed(value: Any, axis: int) -> Any:
    if not isinstance(value, RaggedTensor):
        return tf.squeeze(value, [axis])
    if axis > 1:
        return value.with_values(_squeezed(value.values, axis - 1))
    sizes = tf.reshape(value.nrows(), [1]) if axis == 0 else value.row_lengths()
    known = tf.get_static_value(sizes)
    if known is not None and (known != 1).any():
        raise tf.errors.InvalidArgumentError(None, None, f"the given axis (axis = {axis}) is not squeezable! Its sizes are {known.tolist()}")
    return value.values


def gather_nd(params: Any, indices: Any) -> Any:
    """`tf.gather_nd`."""
    if isinstance(indices, RaggedTensor):
        return indices.with_flat_values(gather_nd(params, indices.flat_values))
    if not isinstance(params, RaggedTensor):
        return tf.gather_nd(params, indices)
    idx = convert_to_tensor(indices)
    depth = idx.shape[-1] if idx.shape.rank else None
    if depth is None:
        raise ValueError("The innermost dimension of indices may not be None.")
    if depth == 0:
        raise ValueError("tf.gather_nd of ragged params needs at least one index")
    idx = tf.cast(idx, params.row_splits.dtype)
    if depth == 1:
        return _gather(params, idx if idx.shape.rank == 1 else idx[..., 0])
    value: Any = params
    at = idx[..., 0]
    for d in range(1, depth):
        at = tf.gather(value.row_starts(), at) + idx[..., d]
        value = value.values
        if not isinstance(value, RaggedTensor):
            if d == depth - 1:
                return tf.gather(value, at)
            return tf.gather_nd(value, tf.concat([at[..., None], idx[..., d + 1 :]], -1))
    return _gather(value, at)


def where(condition: RaggedTensor) -> Tensor:
    """The indices of true values (`tf.where` of a condition alone)."""
    coordinates: list[Any] = []
    flat: Any = condition
    while isinstance(flat, RaggedTensor):
        from .reducing import columns

        rowids = flat.value_rowids()
        coordinates = [tf.gather(c, rowids) for c in coordinates] if coordinates else [rowids]
        coordinates.append(columns(flat))
        flat = flat.values
    found = tf.where(flat)
    outer = [tf.cast(tf.gather(c, found[:, 0]), int64)[:, None] for c in coordinates]
    return tf.concat([*outer, found[:, 1:]], 1)


def split(value: RaggedTensor, sizes: Any, axis: Any, num: Any) -> list[Any]:
    """`tf.split`."""
    at = axis_of(int(_static(axis)), value.shape.rank)
    if isinstance(sizes, int) or (isinstance(sizes, np.ndarray) and sizes.ndim == 0):
        count = int(sizes)
        if count < 1:
            raise ValueError(f"`num_or_size_splits` must be >=1 if it is an `int`.Received {count}.")
        if at and not (at == 1 and value._uniform is not None) and at <= value.ragged_rank:
            raise ValueError(f"ragged dimension {at} cannot be split into {count} equal parts: give the sizes")
        total = value.shape[at]
        if total is None or total % count:
            raise tf.errors.InvalidArgumentError(None, None, f"Cannot exactly split dimension {at} of size {total} into {count} parts")
        sizes = [total // count] * count
    else:
        known = _static(sizes)
        if known is None:  # read when the graph runs
            count = num if num is not None else convert_to_tensor(sizes).shape[0]
            if count is None:
                raise ValueError("`num` must be specified when `num_or_size_splits` is not statically known")
            return _split_at(value, tf.unstack(tf.cast(convert_to_tensor(sizes), int32), count), at)
        sizes = [int(s) for s in known]
        if num is not None and len(sizes) != num:
            raise ValueError(f"`num` does not match `num_or_size_splits`: {num} and {len(sizes)} sizes")
    total = value.shape[at]
    if total is not None and at == 0 and sum(s for s in sizes if s >= 0) > total:
        raise tf.errors.InvalidArgumentError(None, None, f"split sizes {sizes} do not add up to dimension {at} of size {total}")
    return _split_at(value, sizes, at)


def _split_at(value: RaggedTensor, sizes: list[Any], axis: int) -> list[Any]:
    out, begin = [], 0
    for s in sizes:
        out.append(value[(*[slice(None)] * axis, slice(begin, begin + s))])
        begin += s
    return out


def dynamic_partition(data: Any, partitions: Any, count: int) -> list[Any]:
    """`tf.dynamic_partition`."""
    if isinstance(partitions, RaggedTensor):
        if not isinstance(data, RaggedTensor):
            raise ValueError("partitions can be ragged only where data is")
        from .dispatch import _same_splits

        _same_splits(partitions.with_values(partitions.values) if partitions.ragged_rank == data.ragged_rank else data, data)
        return dynamic_partition(data.values, partitions.values, count)
    partitions = convert_to_tensor(partitions)
    if not isinstance(data, RaggedTensor):
        return tf.dynamic_partition(data, partitions, count)
    rank = partitions.shape.rank
    for _ in range((rank or 1) - 1):
        data = data.values
    partitions = tf.reshape(partitions, [-1])
    return [_gather(data, tf.where(tf.equal(partitions, i))[:, 0]) for i in range(count)]


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: Any, name: str | None = None) -> Any:
    """Row i holds the slices of `data` whose partition is i (`tf.ragged.stack_dynamic_partitions`)."""
    data = data if isinstance(data, (RaggedTensor, Tensor)) else _ragged_or_dense(data)
    partitions = partitions if isinstance(partitions, (RaggedTensor, Tensor)) else _ragged_or_dense(partitions)
    if partitions.dtype not in (int32, int64):
        raise TypeError(f"`partitions` must be int32 or int64, got {partitions.dtype!r}")
    if isinstance(partitions, RaggedTensor):
        if not isinstance(data, RaggedTensor):
            raise ValueError("partitions can be ragged only where data is")
        kind = partitions.row_splits.dtype
        return stack_dynamic_partitions(data.values, partitions.values, num_partitions).with_row_splits_dtype(kind)
    rank = partitions.shape.rank
    if rank is None:
        raise ValueError("partitions must have known rank.")
    if rank == 0:
        return RaggedTensor.from_value_rowids(tf.stack([data]), tf.reshape(partitions, [1]), nrows=num_partitions)
    while rank > 1:
        data = data.values if isinstance(data, RaggedTensor) else tf.reshape(data, tf.concat([[-1], tf.shape(data)[2:]], 0))
        partitions = tf.reshape(partitions, tf.concat([[-1], tf.shape(partitions)[2:]], 0))
        rank -= 1
    order = tf.argsort(partitions, stable=True)
    return RaggedTensor.from_value_rowids(_gather(data, order), tf.gather(partitions, order), nrows=num_partitions)


def _ragged_or_dense(value: Any) -> Any:
    from . import _to_ragged_or_dense

    return _to_ragged_or_dense(value)


def cumsum(value: RaggedTensor, axis: Any, exclusive: bool, backwards: bool) -> Any:
    """`tf.cumsum`."""
    out = tf.cumsum(value.to_tensor(), axis, exclusive, backwards)
    return _relaid(out, value)


def _relaid(dense: Tensor, like: RaggedTensor) -> Any:
    lengths = like.nested_row_lengths()
    return RaggedTensor.from_tensor(dense, lengths=lengths if len(lengths) > 1 else lengths[0], row_splits_dtype=like.row_splits.dtype)


def matmul(op: Any, args: tuple[Any, ...]) -> Any:
    """`tf.matmul`: the dense product, with the rows and columns that are there."""
    a, b = args[0], args[1]
    a, b = (v if isinstance(v, (RaggedTensor, Tensor)) else convert_to_tensor(v) for v in (a, b))
    if None in (a.shape.rank, b.shape.rank):
        raise ValueError("matmul requires at least one input to have known rank if either input is ragged.")
    if a.shape.rank != b.shape.rank:
        raise ValueError(f"`a` and `b` must have the same rank, got shapes {a.shape} and {b.shape}")
    if a.shape.rank < 2:
        raise ValueError("a.rank and b.rank must be at least 2.")
    if a.dtype is not b.dtype:
        raise ValueError(f"`a` and `b` must have the same dtype, got {a.dtype.name} and {b.dtype.name}")
    named = dict(zip(op.params, args, strict=False))
    if a.shape.rank > 3:  # the outer dimensions of both are the same: what is inside of them is multiplied
        a, b = (v if isinstance(v, RaggedTensor) else RaggedTensor.from_tensor(v) for v in (a, b))
        for x, y in ((a.nrows(), b.nrows()), (a.row_splits, b.row_splits)):
            p, q = _static(x), _static(y)
            if p is not None and q is not None and not np.array_equal(p, q):
                raise tf.errors.InvalidArgumentError(None, None, f"Batch dimensions of `a` and `b` do not have the same size: {a.shape} and {b.shape}")
        return a.with_values(op.public(a.values, b.values, *args[2:]))
    over_a, over_b = named["transpose_a"] or named["adjoint_a"], named["transpose_b"] or named["adjoint_b"]
    dense = [v.to_tensor() if isinstance(v, RaggedTensor) else v for v in (a, b)]
    product = op.public(*dense, *args[2:])
    if product.shape.rank is not None and product.shape.rank <= 2:
        return product
    if product.shape.rank != 3:
        raise ValueError(f"tf.matmul of ragged tensors takes ranks 2 and 3, got shapes {a.shape} and {b.shape}")
    rows, across = _sizes(a, over_a)[0], _sizes(b, over_b)[1]
    if rows is None and across is None:
        return product
    kind = next(v for v in (a, b) if isinstance(v, RaggedTensor)).row_splits.dtype
    if rows is None:
        rows = tf.fill([tf.shape(product)[0]], tf.cast(tf.shape(product)[1], kind))
    if across is None:
        return RaggedTensor.from_tensor(product, lengths=rows, row_splits_dtype=kind)
    return RaggedTensor.from_tensor(product, lengths=(rows, tf.repeat(across, tf.cast(rows, int32))), row_splits_dtype=kind)


def _sizes(m: Any, transposed: bool) -> tuple[Any, Any]:
    """Rows and columns of each matrix of a batch; None where all have the same."""
    rows = columns = None
    if isinstance(m, RaggedTensor):
        rows = None if m._uniform is not None else m.row_lengths()
        if isinstance(m.values, RaggedTensor):
            columns = tf.maximum(tf.math.unsorted_segment_max(m.values.row_lengths(), m.value_rowids(), m.nrows()), tf.constant(0, m.row_splits.dtype))
    return (columns, rows) if transposed else (rows, columns)


def bincount(value: RaggedTensor, weights: Any, minlength: Any, maxlength: Any, dtype: Any, axis: Any, binary_output: bool) -> Any:
    """`tf.math.bincount`."""
    flat_weights = weights.flat_values if isinstance(weights, RaggedTensor) else weights
    if axis is None or axis == 0:
        return tf.math.bincount(value.flat_values, flat_weights, minlength, maxlength, dtype, axis=None, binary_output=binary_output)
    if axis not in (-1, 1) or value.shape.rank != 2:
        raise ValueError(f"axis={axis} of a ragged tensor of shape {value.shape} is not supported: None, 0 and -1 of rank 2 are")
    numbers = value.values
    size = tf.reduce_max(tf.concat([numbers, tf.constant([-1], numbers.dtype)], 0)) + 1
    if minlength is not None:
        size = tf.maximum(size, tf.cast(minlength, numbers.dtype))
    if maxlength is not None:
        size = tf.minimum(size, tf.cast(maxlength, numbers.dtype))
    kind = dtype if flat_weights is None else convert_to_tensor(flat_weights).dtype
    ones = tf.ones_like(numbers, dtype=kind) if flat_weights is None else convert_to_tensor(flat_weights)
    rowids = tf.cast(value.value_rowids(), numbers.dtype)
    inside = numbers < size
    places = tf.where(inside, rowids * size + numbers, tf.constant(-1, numbers.dtype))
    rows = tf.cast(value.nrows(), numbers.dtype)
    total = tf.math.unsorted_segment_sum(ones, places, rows * size)
    if binary_output:
        total = tf.cast(total > 0, total.dtype)
    return tf.reshape(total, tf.stack([rows, size]))


