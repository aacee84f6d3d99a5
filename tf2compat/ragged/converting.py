"""Between ragged, dense and sparse tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import int32, int64
from .._engine.op import ANY, op, tensor
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor
from .ragged_tensor import RaggedTensor

_UNSEEN = object()


@op("RaggedToDense", flat=ANY, splits=tensor(int32, int64, group="S"), fill=ANY)
def _dense_rows(flat: Any, splits: Any, fill: Any, rows: Any, width: Any) -> Any:
    """[rows, width, …]: row i holds flat[splits[i]:splits[i + 1]], then `fill`."""
    bounds = splits.tolist()
    count = len(bounds) - 1
    lengths = np.diff(bounds)
    longest = int(lengths.max()) if count else 0
    height = count if rows is None or int(rows) < 0 else int(rows)
    across = longest if width is None or int(width) < 0 else int(width)
    inner = tuple(flat.shape[1:])
    if isinstance(flat, np.ndarray):
        out = np.empty((height, across, *inner), dtype=object)
        out[...] = fill
        for i in range(min(count, height)):
            part = flat[bounds[i] : bounds[i + 1]][:across]
            out[i, : len(part)] = part
        return out
    out = fill.to(flat.device).expand((height, across, *inner)).clone()
    keep = torch.from_numpy(lengths)
    row = torch.repeat_interleave(torch.arange(count), keep)
    column = torch.arange(len(row)) - torch.repeat_interleave(torch.tensor(bounds[:-1], dtype=torch.int64), keep)
    inside = (row < height) & (column < across)
    source = torch.arange(len(row))[inside] + bounds[0]
    return out.index_put((row[inside].to(flat.device), column[inside].to(flat.device)), flat[source.to(flat.device)])


def _dense_spec(flat: Any, splits: Any, fill: Any, rows: Any, width: Any) -> Any:
    n = splits.shape[0]
    rows, width = (v if isinstance(v, int) or v is None else _UNSEEN for v in (rows, width))  # of a graph's tensors nothing is known
    rows, width = (None if n is None else n - 1) if rows is None else rows, None if width is _UNSEEN else width
    rows = None if rows is _UNSEEN else rows
    return [(dtypes.as_dtype(flat.dtype) if not isinstance(flat, np.ndarray) else dtypes.string,
             (rows, width, *flat.shape[1:]))]  # fmt: skip


_dense_rows.infer(_dense_spec)
_dense_rows.strings(_dense_rows.op.fn)


def _wanted(rt: RaggedTensor, shape: Any) -> list[Any]:
    """The sizes that are asked for: numbers, None, or a graph's scalars, of which negative ones mean None."""
    given = shape
    if isinstance(shape, Tensor):
        given = tf.get_static_value(shape)
        if given is None:
            given = tf.unstack(shape)  # a ValueError where its length is not known
    rank = rt.shape.rank
    if isinstance(given, (list, tuple)) and any(isinstance(d, Tensor) for d in given):
        static = [tf.get_static_value(d) if isinstance(d, Tensor) else d for d in given]
        want = [d if s is None else int(s) for d, s in zip(given, static, strict=True)]
        want = [None if isinstance(d, int) and d < 0 else d for d in want]
        known = TensorShape([d if isinstance(d, int) else None for d in want])
    else:
        known = TensorShape(None if np.ndim(given) == 0 and not isinstance(given, TensorShape) else [None if d is not None and d < 0 else d for d in given])
        if known.rank is None:
            return [None] * (rank or 0)
        want = known.as_list()
    if rank is not None and known.rank != rank:
        raise tf.errors.InvalidArgumentError(
            None, None, f"The shape {known} and that of the ragged tensor, {rt.shape}, differ in rank [Op:RaggedTensorToTensor] name: "
        )
    return want


def to_tensor(rt: RaggedTensor, default_value: Any, shape: Any) -> Tensor:
    """`RaggedTensor.to_tensor`."""
    want: list[Any] = [None] * (rt.shape.rank or 0)
    if shape is not None:
        want = _wanted(rt, shape)
    if default_value is None:
        fill = convert_to_tensor("" if rt.dtype is dtypes.string else 0, rt.dtype) if not rt.dtype.is_bool else convert_to_tensor(False)
    else:
        fill = convert_to_tensor(default_value, rt.dtype)
    return _to_tensor(rt, fill, want)


def _to_tensor(rt: Any, fill: Tensor, want: list[Any]) -> Tensor:
    values = rt.values
    inner_want = want[1:]
    if isinstance(values, RaggedTensor):
        values = _to_tensor(values, fill, [None, *inner_want[1:]])
    return _dense_rows(values, rt.row_splits, fill, want[0], want[1] if want[1] is not None else rt._uniform)


def from_tensor(value: Any, lengths: Any, padding: Any, ragged_rank: int, row_splits_dtype: Any) -> RaggedTensor:
    """`RaggedTensor.from_tensor`."""
    if lengths is not None and padding is not None:
        raise ValueError("Specify argument `lengths` or `padding`, but not both.")
    if not isinstance(ragged_rank, int):
        raise TypeError(f"Argument `ragged_rank` must be an int. Received {ragged_rank}.")
    if ragged_rank <= 0:
        raise ValueError(f"Argument `ragged_rank` must be greater than 0. Received {ragged_rank}.")
    t = convert_to_tensor(value)
    if t.shape.rank == 1:
        raise ValueError(
            "The rank of a RaggedTensor must be greater than 1, i.e., a list of scalars won't have ragged dimensions. Received argument "
            "`tensor` with rank 1."
        )
    if t.shape.rank is not None and t.shape.rank <= ragged_rank:
        raise ValueError(f"Shape {t.shape} must have rank at least {ragged_rank + 1}")
    if lengths is not None and isinstance(lengths, (list, tuple)) and lengths and isinstance(lengths[0], (list, tuple, Tensor, np.ndarray)):
        if ragged_rank not in (1, len(lengths)):
            raise ValueError("If Argument `lengths` is a tuple of row_lengths, argument `ragged_rank` must be len(lengths)")
        result = from_tensor(t, lengths[0], None, 1, row_splits_dtype)
        if len(lengths) == 1:
            return result
        rest = list(lengths)[1:]
        return result.with_values(from_tensor(result.values, rest, None, len(rest), row_splits_dtype))
    if ragged_rank > 1:
        dims = tf.shape(t)
        flat = tf.reshape(t, tf.concat([[dims[0] * dims[1]], dims[2:]], 0))
        inner = from_tensor(flat, lengths, padding, ragged_rank - 1, row_splits_dtype)
        static = t.shape.as_list()
        splits = tf.range(0, static[0] + 1, dtype=row_splits_dtype) * tf.constant(static[1], row_splits_dtype)
        return RaggedTensor._make(inner, splits, static[1])
    shape = tf.shape(t, out_type=int64)
    rows, width = shape[0], shape[1]
    if lengths is None and padding is None:
        static = t.shape.as_list()
        flat = tf.reshape(t, tf.concat([[rows * width], shape[2:]], 0))
        splits = tf.cast(tf.range(rows + 1) * width, row_splits_dtype)
        return RaggedTensor._make(flat, splits, static[1])
    if padding is not None:
        pad = convert_to_tensor(padding, t.dtype)
        differs = tf.not_equal(t, pad)
        for _ in range((t.shape.rank or 2) - 2):
            differs = tf.reduce_any(differs, axis=-1)
        places = tf.cast(differs, int64) * tf.range(1, width + 1)
        kept = tf.reduce_max(tf.concat([places, tf.zeros([rows, 1], int64)], 1), axis=1)
    else:
        kept = tf.minimum(tf.cast(convert_to_tensor(lengths), int64), width)
        kept = tf.maximum(kept, tf.constant(0, int64))
    mask = tf.sequence_mask(kept, width)
    return RaggedTensor.from_row_lengths(tf.boolean_mask(t, mask), tf.cast(kept, row_splits_dtype), validate=False)


def to_sparse(rt: RaggedTensor) -> Any:
    """`RaggedTensor.to_sparse`."""
    inner = rt.flat_values.shape.rank
    if inner is not None and inner > 1:
        rt = rt.with_flat_values(RaggedTensor.from_tensor(rt.flat_values, ragged_rank=inner - 1, row_splits_dtype=rt.row_splits.dtype))
    flat: Any = rt
    columns: list[Any] = []
    while isinstance(flat, RaggedTensor):
        rowids = tf.cast(flat.value_rowids(), int64)
        total = tf.shape(rowids, out_type=int64)[0]
        column = tf.range(total) - tf.gather(tf.cast(flat.row_starts(), int64), rowids)
        columns = [tf.gather(c, rowids) for c in columns] if columns else [rowids]
        columns.append(column)
        flat = flat.values
    return tf.SparseTensor(tf.stack(columns, axis=1), flat, tf.cast(rt.bounding_shape(), int64))


def merge_dims(value: Any, outer_axis: int, inner_axis: int) -> Any:
    """`RaggedTensor.merge_dims`."""
    for name, axis in (("outer_axis", outer_axis), ("inner_axis", inner_axis)):
        if not isinstance(axis, int):
            raise TypeError(f"{name} must be an int, got {axis!r}")
    rank = value.shape.rank
    outer = outer_axis + rank if outer_axis < 0 else outer_axis
    inner = inner_axis + rank if inner_axis < 0 else inner_axis
    for name, given, at in (("outer_axis", outer_axis, outer), ("inner_axis", inner_axis, inner)):
        if not 0 <= at < rank:
            raise ValueError(f"{name}={given} out of bounds: expected {-rank}<={name}<{rank}")
    if outer == inner:
        return value
    if outer > inner:
        raise ValueError(f"Expected outer_axis ({outer_axis}) to be less than or equal to inner_axis ({inner_axis})")
    if not isinstance(value, RaggedTensor):
        dims = tf.shape(value)
        merged = tf.reduce_prod(dims[outer : inner + 1], keepdims=True)
        return tf.reshape(value, tf.concat([dims[:outer], merged, dims[inner + 1 :]], 0))
    if outer > 1:
        return value.with_values(merge_dims(value.values, outer - 1, inner - 1))
    if outer == 1:
        values, splits = value.values, value.row_splits
        for left in range(inner - outer, 0, -1):
            if isinstance(values, RaggedTensor):
                splits = tf.gather(values.row_splits, splits)
                values = values.values
            else:
                size = tf.cast(tf.shape(values)[1], splits.dtype)
                values, splits = merge_dims(values, 0, 1), splits * size
        return RaggedTensor.from_row_splits(values, splits, validate=False)
    result: Any = value
    for left in range(inner - outer, 0, -1):
        if isinstance(result, RaggedTensor):
            result = result.values
        else:
            return merge_dims(result, 0, left)
    return result
