"""Between sparse and dense, and sparse tensors in other orders, shapes and pieces."""

# ruff: noqa: A001 - TensorFlow's public names
from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import constant_value, convert_to_tensor
from .._engine.dtypes import int64
from .._engine.op import TENSOR, invalid, op, tensor
from .._engine.shapes import TensorShape
from .sparse_tensor import SparseTensor, of_symbols

_AT = tensor(int64, group="indices")
_VALUES = tensor(group="values")


def sparse(value: Any) -> SparseTensor:
    """The value as a sparse tensor; TypeError when it is none."""
    if isinstance(value, SparseTensor):
        return value
    if hasattr(value, "dense_shape") and hasattr(value, "indices"):
        return SparseTensor.from_value(value)
    raise TypeError(f"Input must be a SparseTensor. Received: {value}")


def taken(values: Any, order: torch.Tensor) -> Any:
    """Some of the values, which may be strings."""
    return values[order.cpu().numpy()] if isinstance(values, np.ndarray) else values[order]


def linear(indices: torch.Tensor, shape: Any) -> torch.Tensor:
    """Row-major positions."""
    out = indices.new_zeros(indices.shape[0])
    for d, size in enumerate(shape):
        out = out * size + indices[:, d]
    return out


# --- dense -----------------------------------------------------------------------------------------------------------
@op("SparseFromDense", multi=True, tensor=TENSOR)
def _from_dense(tensor: Any) -> Any:
    if isinstance(tensor, np.ndarray):
        found = np.argwhere(tensor != b"")
        return torch.from_numpy(found), tensor[tuple(found.T)]
    found = torch.nonzero(tensor)
    return found, tensor[tuple(found.unbind(1))]


_from_dense.strings(_from_dense.op.fn)
_from_dense.infer(lambda tensor: [(int64, (None, tensor.ndim)), (dtypes.of(tensor), (None,))])


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The non-zero elements (non-empty strings) of a dense tensor (`tf.sparse.from_dense`)."""
    tensor = convert_to_tensor(tensor)
    indices, values = _from_dense(tensor)
    return SparseTensor(indices, values, tf.shape(tensor, out_type=int64))._shaped(tensor.shape)


@op("SparseToDense", indices=_AT, values=_VALUES, dense_shape=tensor(int64, group="shape"), default=_VALUES)
def _to_dense(indices: Any, values: Any, dense_shape: Any, default: Any, validate: bool, static: Any) -> Any:
    shape = tuple(dense_shape.tolist())
    if validate and indices.shape[0]:
        size = torch.tensor(shape, device=indices.device)
        bad = ((indices < 0) | (indices >= size)).any(1)
        if bool(bad.any()):
            i = int(bad.nonzero()[0])
            raise invalid(f"indices[{i}] = {_listed(indices[i])} is out of bounds: need 0 <= index < {_listed(size)} [Op:SparseToDense] name: ")
        step = torch.diff(linear(indices, shape))
        if bool((step <= 0).any()):
            i = int((step <= 0).nonzero()[0]) + 1
            if int(step[i - 1]) == 0:
                raise invalid(f"indices[{i}] = {_listed(indices[i])} is repeated [Op:SparseToDense] name: ")
            raise invalid(
                f"indices[{i}] = {_listed(indices[i])} is out of order. Many sparse ops require sorted indices.\n"
                "    Use `tf.sparse.reorder` to create a correctly ordered copy.\n\n [Op:SparseToDense] name: "
            )
    if isinstance(values, np.ndarray):
        out = np.full(shape, default[()], dtype=object)
        out[tuple(indices.cpu().numpy().T)] = values
        return out
    return default.expand(shape).clone().index_put(tuple(indices.unbind(1)), values)


_to_dense.strings(_to_dense.op.fn)
_to_dense.infer(lambda indices, values, dense_shape, default, validate, static: [(dtypes.of(values), static)])


def _listed(row: torch.Tensor) -> str:
    return "[" + ",".join(str(i) for i in row.tolist()) + "]"


def static_of(shape: TensorShape) -> Any:
    return None if shape.rank is None else tuple(shape.as_list())


def to_dense(sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None) -> Any:
    """The dense tensor, with `default_value` (zero, the empty string) where there is no value (`tf.sparse.to_dense`).

    InvalidArgumentError for indices that are out of order, repeated, or out of bounds, unless `validate_indices` is False.
    """
    st = sparse(sp_input)
    if default_value is None:
        default_value = b"" if st.dtype is dtypes.string else False if st.dtype is dtypes.bool else 0
    default = convert_to_tensor(default_value, st.dtype)
    return _to_dense(st.indices, st.values, st.dense_shape, default, validate_indices, static_of(st.shape))


# --- order, shape ----------------------------------------------------------------------------------------------------
@op("SparseReorder", multi=True, indices=_AT, values=_VALUES, dense_shape=tensor(int64, group="shape"))
def _reorder(indices: Any, values: Any, dense_shape: Any) -> Any:
    order = torch.argsort(linear(indices, dense_shape.tolist()), stable=True)
    return indices[order], taken(values, order)


_reorder.strings(_reorder.op.fn)
_reorder.infer(lambda indices, values, dense_shape: [(int64, tuple(indices.shape)), (dtypes.of(values), tuple(values.shape))])


@of_symbols
def reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The values in row-major order (`tf.sparse.reorder`)."""
    st = sparse(sp_input)
    indices, values = _reorder(st.indices, st.values, st.dense_shape)
    return SparseTensor(indices, values, st.dense_shape)._shaped(st.shape)


@op("SparseReshape", multi=True, indices=_AT, dense_shape=tensor(int64, group="shape"), shape=tensor(int64, group="new"))
def _reshape(indices: Any, dense_shape: Any, shape: Any) -> Any:
    old, new = dense_shape.tolist(), shape.tolist()
    total = 1
    for d in old:
        total *= d
    if new.count(-1) > 1:
        raise invalid("only one output dimension may be -1 [Op:SparseReshape] name: ")
    known = 1
    for d in new:
        known *= 1 if d == -1 else d
    shown = f"input_shape={_listed(dense_shape)} output_shape={_listed(torch.tensor([1 if d == -1 else d for d in new]))}"
    if -1 in new:
        if known == 0 or total % known:
            raise invalid(
                f"Input to reshape is a SparseTensor with {total} dense values, but the requested shape requires a multiple of {known}. "
                f"{shown} [Op:SparseReshape] name: "
            )
        new[new.index(-1)] = total // known
    elif known != total:
        raise invalid(f"Input to reshape is a tensor with {total} dense values, but the requested shape has {known}. {shown} [Op:SparseReshape] name: ")
    at = linear(indices, old)
    columns = []
    for d in reversed(new):
        columns.append(at % d if d else at)
        at = torch.div(at, d or 1, rounding_mode="floor")
    out = torch.stack(columns[::-1], 1) if columns else indices.new_zeros(indices.shape[0], 0)
    return out, torch.tensor(new, device=dense_shape.device)


_reshape.infer(lambda indices, dense_shape, shape: [(int64, (indices.shape[0], shape.shape[0])), (int64, tuple(shape.shape))])


@of_symbols
def reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """The same values in row-major order in another shape, of which one dimension may be -1 (`tf.sparse.reshape`)."""
    st = sparse(sp_input)
    indices, dims = _reshape(st.indices, st.dense_shape, tf.cast(convert_to_tensor(shape), int64))
    return SparseTensor(indices, st.values, dims)


@of_symbols
def expand_dims(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """A new dimension of size 1 at `axis`, the end by default (`tf.sparse.expand_dims`)."""
    st = sparse(sp_input)
    rank = st.shape.rank
    axis = -1 if axis is None else int(axis)
    if not -rank - 1 <= axis <= rank:
        raise ValueError(f"axis {axis} not in [-{rank + 1}, {rank}]")
    axis = axis + rank + 1 if axis < 0 else axis
    one = tf.zeros_like(st.indices[:, :1]) if rank else tf.zeros([tf.shape(st.values)[0], 1], int64)
    indices = tf.concat([st.indices[:, :axis], one, st.indices[:, axis:]], 1)
    dims = tf.concat([st.dense_shape[:axis], tf.constant([1], int64), st.dense_shape[axis:]], 0)
    return SparseTensor(indices, st.values, dims)._shaped(TensorShape([*st.shape[:axis], 1, *st.shape[axis:]]))


@of_symbols
def transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """Dimensions in another order, reversed by default (`tf.sparse.transpose`)."""
    st = sparse(sp_input)
    rank = st.shape.rank
    order = list(builtins.range(rank))[::-1] if perm is None else [int(p) for p in convert_to_tensor(perm).numpy()]
    moved = SparseTensor(tf.gather(st.indices, order, axis=1), st.values, tf.gather(st.dense_shape, order))
    return reorder(moved._shaped(TensorShape([st.shape[p] for p in order])))


# --- pieces ----------------------------------------------------------------------------------------------------------
@op("SparseRetain", multi=True, indices=_AT, values=_VALUES, keep=tensor(dtypes.bool, group="keep"))
def _retain(indices: Any, values: Any, keep: Any) -> Any:
    order = keep.nonzero()[:, 0]
    return indices[order], taken(values, order)


_retain.strings(_retain.op.fn)
_retain.infer(lambda indices, values, keep: [(int64, (None, indices.shape[1])), (dtypes.of(values), (None,))])


@of_symbols
def retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The values for which the bool vector `to_retain` is True (`tf.sparse.retain`)."""
    st = sparse(sp_input)
    keep = convert_to_tensor(to_retain)
    if not keep.shape.with_rank(1).is_compatible_with(st.values.shape):
        raise ValueError(f"Dimensions {st.values.shape[0]} and {keep.shape[0]} are not compatible")
    indices, values = _retain(st.indices, st.values, keep)
    return SparseTensor(indices, values, st.dense_shape)._shaped(st.shape)


@op("SparseFillEmptyRows", multi=True, indices=_AT, values=_VALUES, dense_shape=tensor(int64, group="shape"), default=_VALUES)
def _fill_empty_rows(indices: Any, values: Any, dense_shape: Any, default: Any) -> Any:
    """Indices, values, and which rows were empty."""
    rows = int(dense_shape[0])
    outside = (indices[:, 0] < 0) | (indices[:, 0] >= rows)
    if bool(outside.any()):
        at = int(outside.nonzero()[0])
        row = int(indices[at, 0])
        raise invalid(f"indices({at}, 0) is invalid: {row} {f'>= {rows}' if row >= 0 else '< 0'} [Op:SparseFillEmptyRows] name: ")
    empty = torch.ones(rows, dtype=torch.bool, device=indices.device)
    empty[indices[:, 0]] = False
    added = torch.zeros((int(empty.sum()), indices.shape[1]), dtype=indices.dtype, device=indices.device)
    added[:, 0] = empty.nonzero()[:, 0]
    every = torch.cat([indices, added])
    order = torch.argsort(every[:, 0], stable=True)
    if isinstance(values, np.ndarray):
        filled: Any = np.concatenate([values, np.full(len(added), default.item(), dtype=object)])[order.numpy()]
    else:
        filled = torch.cat([values, default.expand(len(added))])[order]
    return every[order], filled, empty


_fill_empty_rows.strings(_fill_empty_rows.op.fn)
_fill_empty_rows.infer(
    lambda indices, values, dense_shape, default: [
        (int64, (None, indices.shape[1])), (dtypes.of(values), (None,)), (dtypes.bool, (None,)),
    ]  # fmt: skip
)


def fill_empty_rows(sp_input: Any, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Any]:
    """A value at column 0 of every row that has none, and which rows these were (`tf.sparse.fill_empty_rows`)."""
    st = sparse(sp_input)
    if st.shape.rank is not None and st.shape.rank < 1:
        raise ValueError(f"Shape {st.shape} must have rank at least 1")
    default = convert_to_tensor(default_value, st.values.dtype)
    indices, values, empty = _fill_empty_rows(st.indices, st.values, st.dense_shape, default)
    return SparseTensor(indices, values, st.dense_shape)._shaped(st.shape), empty


@of_symbols
def slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part from `start` of `size`, cut off at the end of the tensor (`tf.sparse.slice`)."""
    st = sparse(sp_input)
    first, extent = tf.cast(convert_to_tensor(start), int64), tf.cast(convert_to_tensor(size), int64)
    inside = tf.reduce_all((st.indices >= first) & (st.indices < first + extent), axis=1)
    indices, values = _retain(st.indices, st.values, inside)
    dims = tf.maximum(tf.minimum(extent, st.dense_shape - first), tf.constant(0, int64))
    return SparseTensor(indices - first, values, dims)


def concat(axis: Any, sp_inputs: Any, expand_nonconcat_dims: bool = False, name: str | None = None) -> SparseTensor:
    """Sparse tensors one after the other along `axis` (`tf.sparse.concat`).

    The other dimensions have to agree, or with `expand_nonconcat_dims` become the largest. InvalidArgumentError otherwise.
    """
    parts = [sparse(s) for s in sp_inputs]
    if len(parts) == 1:
        return parts[0]
    rank = parts[0].shape.rank
    axis = int(axis) + (rank if int(axis) < 0 else 0)
    for i, p in enumerate(parts):
        for d in builtins.range(rank):
            a, b = parts[0].shape[d], p.shape[d]
            if d != axis and not expand_nonconcat_dims and None not in (a, b) and a != b:
                raise invalid(f"Input shapes must match: expected {a} for dimension {d} but got {b} at position {i} [Op:SparseConcat] name: ")
    along = tf.one_hot(axis, rank, dtype=int64)
    offset = tf.zeros([rank], int64)
    moved, dims = [], parts[0].dense_shape
    for p in parts:
        moved.append(p.indices + offset)
        offset = offset + p.dense_shape * along
        dims = tf.maximum(dims, p.dense_shape)
    dims = tf.where(along == 1, offset, dims)
    found = reorder(SparseTensor(tf.concat(moved, 0), tf.concat([p.values for p in parts], 0), dims))
    if rank is None or expand_nonconcat_dims:
        return found
    static = [next((p.shape[d] for p in parts if p.shape[d] is not None), None) for d in builtins.range(rank)]
    sizes = [p.shape[axis] for p in parts]
    static[axis] = None if None in sizes else sum(sizes)
    return found._shaped(TensorShape(static))


def _size(value: Any) -> Any:
    """A number of rows as a number, where it is known."""
    if isinstance(value, (tf.Tensor, tf.Variable)) or hasattr(type(value), "_is_keras_tensor"):
        known = constant_value(value)
        return tf.cast(value, int64) if known is None else int(known)
    return int(value)


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = dtypes.float32, name: str | None = None) -> SparseTensor:
    """Ones on the diagonal (`tf.sparse.eye`)."""
    rows = _size(num_rows)
    columns = rows if num_columns is None else _size(num_columns)
    known = isinstance(rows, int) and isinstance(columns, int)
    n = min(rows, columns) if known else tf.minimum(tf.cast(rows, int64), tf.cast(columns, int64))
    diagonal = tf.range(n, dtype=int64)
    return SparseTensor(tf.stack([diagonal, diagonal], 1), tf.ones([n], dtype), [rows, columns])
