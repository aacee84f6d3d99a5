"""Arithmetic of sparse tensors."""

from __future__ import annotations

from typing import Any

import torch

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import COMPLEXES, FLOATS, INTS, int64
from .._engine.op import invalid, op, tensor
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor
from .arranging import linear, reorder, retain, sparse, static_of, to_dense
from .sparse_tensor import SparseTensor, of_symbols

_AT = tensor(int64, group="indices")
_SHAPE = tensor(int64, group="shape")


@op("SparseTensorDenseMatMul", indices=_AT, values=tensor(FLOATS, INTS, COMPLEXES), dense_shape=_SHAPE, b=tensor(FLOATS, INTS, COMPLEXES))
def _matmul(indices: Any, values: Any, dense_shape: Any, b: Any, adjoint_a: bool, adjoint_b: bool, rows: Any) -> Any:
    shape = dense_shape.tolist()
    row, column = indices[:, 0], indices[:, 1]
    if adjoint_a:
        row, column, values = column, row, values.conj()
    height, inner = shape[::-1] if adjoint_a else shape
    if adjoint_b:
        b = b.mH
    if b.shape[0] != inner:
        raise invalid(
            f"Cannot multiply A and B because inner dimension does not match: {inner} vs. {b.shape[0]}.  Did you forget a transpose?  "
            f"Dimensions of A: [{height}, {inner}).  Dimensions of B: [{b.shape[0]},{b.shape[1]}] [Op:SparseTensorDenseMatMul] name: "
        )
    if indices.shape[0] and bool((indices < 0).any() | (indices >= dense_shape.to(indices.device)).any()):
        i, j = (((indices < 0) | (indices >= dense_shape.to(indices.device))).nonzero()[0]).tolist()
        bad, letter = int(indices[i, j]), "km"[(j == 0) != adjoint_a]
        raise invalid(f"{letter} ({bad}) from index[{i},{j}] out of bounds (>={shape[j]}) [Op:SparseTensorDenseMatMul] name: ")
    if values.dtype in (torch.float32, torch.float64) and not (torch.is_grad_enabled() and (values.requires_grad or b.requires_grad)):
        return torch.sparse.mm(torch.sparse_coo_tensor(torch.stack([row, column]), values, (height, inner), check_invariants=False), b)
    return b.new_zeros(height, b.shape[1]).index_add(0, row, values[:, None] * b[column])


_matmul.infer(
    lambda indices, values, dense_shape, b, adjoint_a, adjoint_b, rows: [(dtypes.of(values), (rows, b.shape[0 if adjoint_b else 1]))]
)


def sparse_dense_matmul(sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None) -> Tensor:
    """The product of matrices of which one is sparse (`tf.sparse.sparse_dense_matmul`), with gradients for both.

    InvalidArgumentError when the inner dimensions differ.
    """
    if isinstance(b, SparseTensor):
        product = sparse_dense_matmul(b, sp_a, adjoint_a=not adjoint_b, adjoint_b=not adjoint_a)
        return tf.linalg.adjoint(product)
    st = sparse(sp_a)
    dims = static_of(st.shape)
    rows = None if dims is None else dims[1 if adjoint_a else 0]
    return _matmul(st.indices, st.values, st.dense_shape, convert_to_tensor(b, st.dtype), adjoint_a, adjoint_b, rows)


@op("SparseAdd", multi=True, indices=_AT, values=tensor(FLOATS, INTS, COMPLEXES), dense_shape=_SHAPE)
def _summed(indices: Any, values: Any, dense_shape: Any) -> Any:
    """Values of one place as one, in row-major order."""
    at, inverse = torch.unique(linear(indices, dense_shape.tolist()), return_inverse=True)
    first = torch.full((at.shape[0],), indices.shape[0], device=at.device).scatter_reduce(0, inverse, torch.arange(indices.shape[0], device=at.device), "amin")
    return indices[first], values.new_zeros(at.shape[0]).index_add(0, inverse, values)


_summed.infer(lambda indices, values, dense_shape: [(int64, (None, indices.shape[1])), (dtypes.of(values), (None,))])


def add(a: Any, b: Any, threshold: Any = 0) -> Any:
    """The sum: sparse of two sparse tensors, dense of a sparse and a dense one (`tf.sparse.add`).

    Sums of two values whose magnitude is below `threshold` are left out. InvalidArgumentError for different shapes.
    """
    if not isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if not isinstance(b, SparseTensor):
        return to_dense(reorder(a)) + b
    if not isinstance(a, SparseTensor):
        return a + to_dense(reorder(b))
    for d, (p, q) in enumerate(zip(a.shape.as_list(), b.shape.as_list(), strict=True)):
        if p is not None and q is not None and p != q:
            raise invalid(f"Operands' shapes do not match: got {p} and {q} for dimension {d} [Op:SparseAdd] name: ")
    indices, values = _summed(tf.concat([a.indices, b.indices], 0), tf.concat([a.values, b.values], 0), a.dense_shape)
    out = SparseTensor(indices, values, a.dense_shape)._shaped(a.shape)
    if isinstance(threshold, (int, float)) and threshold == 0:
        return out
    both = _summed(tf.concat([a.indices, b.indices], 0), tf.ones([tf.shape(a.values)[0] + tf.shape(b.values)[0]], dtypes.int32), a.dense_shape)[1]
    small = tf.abs(out.values) < tf.cast(threshold, tf.abs(out.values).dtype)
    return retain(out, tf.logical_not(tf.logical_and(both > 1, small)))


def axes_of(axis: Any, rank: int, name: str) -> set[int]:
    """The dimensions that a reduction goes along. InvalidArgumentError for ones that are not there."""
    if axis is None:
        return set(range(rank))
    axes = [int(a) for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    for a in axes:
        if not -rank <= a < rank:
            raise tf.errors.InvalidArgumentError(
                None, None, f"Invalid reduction dimension {a}, for input with {rank} dimensions. [Op:{name}] name: "
            )
    return {a % rank for a in axes}


def reduce_sum(sp_input: Any, axis: Any = None, keepdims: Any = None, output_is_sparse: bool = False, name: str | None = None) -> Any:
    """Sums along dimensions, all by default: dense, or sparse if so asked (`tf.sparse.reduce_sum`)."""
    st = sparse(sp_input)
    rank = st.shape.rank
    axes = axes_of(axis, rank, "SparseReduceSumSparse" if output_is_sparse else "SparseReduceSum")
    kept = [d for d in range(rank) if d not in axes]
    if not kept and not output_is_sparse:
        total = tf.reduce_sum(st.values)
        return tf.reshape(total, [1] * rank) if keepdims else total
    columns = tf.gather(st.indices, tf.constant(kept, dtypes.int32), axis=1)
    dims = tf.gather(st.dense_shape, tf.constant(kept, dtypes.int32))
    indices, values = _summed(columns, st.values, dims)
    out = SparseTensor(indices, values, dims)._shaped(TensorShape([st.shape[d] for d in kept]))
    if keepdims:
        from .arranging import expand_dims

        for d in sorted(axes):
            out = expand_dims(out, d)
    return out if output_is_sparse else to_dense(out)


@op("SparseSoftmax", indices=_AT, values=tensor(FLOATS), dense_shape=_SHAPE)
def _softmax(indices: Any, values: Any, dense_shape: Any) -> Any:
    _, row = torch.unique(linear(indices[:, :-1], dense_shape.tolist()[:-1]), return_inverse=True)
    n = int(row.max()) + 1 if row.shape[0] else 0
    top = values.new_full((n,), -torch.inf).scatter_reduce(0, row, values.detach(), "amax")
    e = torch.exp(values - top[row])
    return e / values.new_zeros(n).index_add(0, row, e)[row]


_softmax.infer(lambda indices, values, dense_shape: [(dtypes.of(values), tuple(values.shape))])


@of_symbols
def softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Softmax along the last dimension over the values that are there (`tf.sparse.softmax`)."""
    st = sparse(sp_input)
    if st.shape.rank is not None and st.shape.rank < 2:
        raise invalid(f"Input should have rank >= 2, got a tensor of shape {st.shape} [Op:SparseSoftmax] name: ")
    return st.with_values(_softmax(st.indices, st.values, st.dense_shape))


def to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """Bools [..., vocab_size] that are True at the values of the last dimension (`tf.sparse.to_indicator`)."""
    st = sparse(sp_input)
    size = tf.reshape(tf.cast(convert_to_tensor(vocab_size), int64), [1])
    indices = tf.concat([st.indices[:, :-1], tf.expand_dims(tf.cast(st.values, int64), 1)], 1)
    dims = tf.concat([st.dense_shape[:-1], size], 0)
    ids = SparseTensor(indices, tf.ones_like(st.values, dtype=dtypes.bool), dims)
    return to_dense(reorder(ids), False, validate_indices=False)


def map_values(op: Any, *args: Any, **kwargs: Any) -> SparseTensor:  # noqa: A002
    """`op` on the values of sparse arguments that all have the same indices (`tf.sparse.map_values`)."""
    symbol = next((a for a in (*args, *kwargs.values()) if hasattr(type(a), "_is_keras_tensor")), None)
    if symbol is not None:
        return symbol._function("sparse.map_values", op, *args, **kwargs)
    found = [a for a in (*args, *kwargs.values()) if isinstance(a, SparseTensor)]
    if not found:
        raise ValueError("No SparseTensor in argument list of map_values")
    for other in found[1:]:
        tf.debugging.assert_equal(found[0].indices, other.indices, message="Mismatched indices!")
        tf.debugging.assert_equal(found[0].dense_shape, other.dense_shape, message="Mismatched shapes!")
    plain = [a.values if isinstance(a, SparseTensor) else a for a in args]
    named = {k: a.values if isinstance(a, SparseTensor) else a for k, a in kwargs.items()}
    return found[0].with_values(op(*plain, **named))
