"""Sparse tensors counted, compared, reduced, taken apart; segments of picked rows."""

from __future__ import annotations

from typing import Any

import torch

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, REALS, int32, int64
from .._engine.op import op, tensor
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor
from .arranging import expand_dims, linear, reorder, retain, sparse, to_dense
from .calculating import axes_of
from .sparse_tensor import SparseTensor

_AT = tensor(int64, group="indices")
_SHAPE = tensor(int64, group="shape")


# --- combining -------------------------------------------------------------------------------------------------------
@op("SparseSparseMaximum", multi=True, ia=_AT, va=tensor(REALS), ib=_AT, vb=tensor(REALS), dense_shape=_SHAPE)
def _merged(ia: Any, va: Any, ib: Any, vb: Any, dense_shape: Any, largest: bool) -> Any:
    """Indices of both in row-major order, and the larger (smaller) value; one that is missing is 0."""
    dims = dense_shape.tolist()
    every = torch.cat([ia, ib])
    at, inverse = torch.unique(linear(every, dims), return_inverse=True)
    first = torch.full((at.shape[0],), every.shape[0], device=at.device).scatter_reduce(
        0, inverse, torch.arange(every.shape[0], device=at.device), "amin"
    )
    n = ia.shape[0]
    left = va.new_zeros(at.shape[0]).index_put((inverse[:n],), va)
    right = vb.new_zeros(at.shape[0]).index_put((inverse[n:],), vb)
    return every[first], torch.maximum(left, right) if largest else torch.minimum(left, right)


_merged.infer(lambda ia, va, ib, vb, dense_shape, largest: [(int64, (None, ia.shape[1])), (dtypes.of(va), (None,))])


def _extreme(sp_a: Any, sp_b: Any, largest: bool) -> SparseTensor:
    a, b = sparse(sp_a), sparse(sp_b)
    if a.shape.rank is not None and b.shape.rank is not None and a.shape.rank != b.shape.rank:
        first, second = (" ".join("?" if d is None else str(d) for d in s.shape) for s in (a, b))
        raise tf.errors.InvalidArgumentError(
            None, None,
            f"Operands do not have the same ranks; got shapes: {first} and {second} [Op:SparseSparse{'Maximum' if largest else 'Minimum'}] name: ",
        )  # fmt: skip
    if not a.shape.is_compatible_with(b.shape):
        what = "SparseSparseMaximum" if largest else "SparseSparseMinimum"
        raise tf.errors.InvalidArgumentError(None, None, f"Operands' shapes do not match: {a.shape} and {b.shape} [Op:{what}] name: ")
    indices, values = _merged(a.indices, a.values, b.indices, b.values, a.dense_shape, largest)
    return SparseTensor(indices, values, a.dense_shape)._shaped(a.shape)


def maximum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The larger of two sparse tensors, element by element (`tf.sparse.maximum`). InvalidArgumentError for different shapes."""
    return _extreme(sp_a, sp_b, True)


def minimum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The smaller of two sparse tensors, element by element (`tf.sparse.minimum`)."""
    return _extreme(sp_a, sp_b, False)


# --- reducing --------------------------------------------------------------------------------------------------------
@op("SparseReduceMax", multi=True, indices=_AT, values=tensor(REALS), dense_shape=_SHAPE)
def _largest(indices: Any, values: Any, dense_shape: Any) -> Any:
    at, inverse = torch.unique(linear(indices, dense_shape.tolist()), return_inverse=True)
    first = torch.full((at.shape[0],), indices.shape[0], device=at.device).scatter_reduce(
        0, inverse, torch.arange(indices.shape[0], device=at.device), "amin"
    )
    return indices[first], values.new_zeros(at.shape[0]).scatter_reduce(0, inverse, values, "amax", include_self=False)


_largest.infer(lambda indices, values, dense_shape: [(int64, (None, indices.shape[1])), (dtypes.of(values), (None,))])


def reduce_max(sp_input: Any, axis: Any = None, keepdims: Any = None, output_is_sparse: bool = False, name: str | None = None) -> Any:
    """The largest of the values that are there along dimensions (`tf.sparse.reduce_max`), 0 where there are none."""
    st = sparse(sp_input)
    rank = st.shape.rank
    axes = axes_of(axis, rank, "SparseReduceMaxSparse" if output_is_sparse else "SparseReduceMax")
    kept = [d for d in range(rank) if d not in axes]
    if not kept and not output_is_sparse:
        known = st.values.shape[0]
        total = tf.zeros([], st.dtype) if known == 0 else tf.reduce_max(st.values)
        return tf.reshape(total, [1] * rank) if keepdims else total
    columns = tf.gather(st.indices, tf.constant(kept, int32), axis=1)
    dims = tf.gather(st.dense_shape, tf.constant(kept, int32))
    indices, values = _largest(columns, st.values, dims)
    out = SparseTensor(indices, values, dims)._shaped(TensorShape([st.shape[d] for d in kept]))
    if keepdims:
        for d in sorted(axes):
            out = expand_dims(out, d)
    return out if output_is_sparse else to_dense(out)


# --- pieces ----------------------------------------------------------------------------------------------------------
def split(sp_input: Any = None, num_split: Any = None, axis: Any = None, name: str | None = None) -> list[SparseTensor]:
    """Parts along a dimension; the first ones are one longer where it does not divide evenly (`tf.sparse.split`)."""
    if sp_input is None:
        raise ValueError("sp_input is required")
    if num_split is None:
        raise ValueError("num_split is required")
    if axis is None:
        raise ValueError("axis is required")
    st = sparse(sp_input)
    rank = st.shape.rank
    at = int(axis) + (rank if int(axis) < 0 else 0)
    if not 0 <= at < rank:
        raise tf.errors.InvalidArgumentError(None, None, f"Input axis should be in range [-{rank}, {rank}), got {axis} [Op:SparseSplit] name: ")
    if isinstance(num_split, (list, tuple)):
        raise TypeError(f"Expected int for argument 'num_split' not {num_split!r}.")
    count = int(num_split)
    size = st.dense_shape[at]
    if st.shape[at] is not None and not 1 <= count <= st.shape[at]:
        raise tf.errors.InvalidArgumentError(
            None, None, f"Input num_split should be between 1 and the splitting dimension size ({st.shape[at]}), got {count} [Op:SparseSplit] name: "
        )
    each, extra = size // count, size % count
    along = tf.one_hot(at, rank, dtype=int64)
    out = []
    begin = tf.zeros([], int64)
    for i in range(count):
        length = each + tf.cast(tf.constant(i, int64) < extra, int64)
        place = st.indices[:, at]
        part = retain(st, (place >= begin) & (place < begin + length))
        dims = tf.where(along == 1, length, st.dense_shape)
        out.append(SparseTensor(part.indices - along * begin, part.values, dims))
        begin = begin + length
    return out


def reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """The same values in another bounding shape, the tightest by default (`tf.sparse.reset_shape`).

    ValueError or InvalidArgumentError where the values do not fit into `new_shape`.
    """
    st = sparse(sp_input)
    if new_shape is None:
        zero = tf.zeros([1, tf.size(st.dense_shape)], int64) - 1
        return SparseTensor(st.indices, st.values, tf.reduce_max(tf.concat([st.indices, zero], 0), 0) + 1)
    wanted = tf.cast(convert_to_tensor(new_shape), int64)
    have, want = tf.get_static_value(st.dense_shape), tf.get_static_value(wanted)
    if wanted.shape.rank is not None and wanted.shape[0] is not None and st.shape.rank is not None and wanted.shape[0] != st.shape.rank:
        raise ValueError(f"Shapes {wanted.shape} and ({st.shape.rank},) are incompatible: the rank cannot change")
    if have is not None and want is not None and (want < have).any():
        raise ValueError(f"Requested new_shape should have dimension sizes >= sp_input.shape.  Found new_shape ({have}), sp_input.shape ({want}).")
    return SparseTensor(st.indices, st.values, wanted)


def mask(a: Any, mask_indices: Any, name: str | None = None) -> Any:
    """An IndexedSlices without the slices of some rows (`tf.sparse.mask`)."""
    from ..indexed_slices import IndexedSlices

    taken = convert_to_tensor(mask_indices)
    keep = tf.logical_not(tf.reduce_any(tf.equal(a.indices[:, None], tf.cast(taken, a.indices.dtype)[None]), 1))
    return IndexedSlices(tf.boolean_mask(a.values, keep), tf.boolean_mask(a.indices, keep), a.dense_shape)


# --- segments of picked rows -----------------------------------------------------------------------------------------
def _segment(how: Any, data: Any, indices: Any, segment_ids: Any, num_segments: Any, sparse_gradient: bool) -> Tensor:
    if not isinstance(sparse_gradient, bool):
        raise TypeError(f"sparse_gradient must be a bool, got {sparse_gradient!r}")
    ids = _numbers(segment_ids)
    known = tf.get_static_value(ids)
    if known is not None and (known[1:] < known[:-1]).any():
        raise tf.errors.InvalidArgumentError(None, None, f"segment ids are not increasing: {known.tolist()}")
    if num_segments is None:
        count = tf.reduce_max(tf.concat([ids, tf.constant([-1], ids.dtype)], 0)) + 1
    else:
        count = convert_to_tensor(num_segments)
        fits = tf.get_static_value(count)
        if known is not None and known.size and fits is not None and known.max() >= fits:
            raise tf.errors.InvalidArgumentError(None, None, f"segment ids must be < num_segments: {known.max()} against {fits}")
    rows = convert_to_tensor(data)
    if rows.shape.rank == 0:
        raise tf.errors.InvalidArgumentError(None, None, "Shape must be at least rank 1 [Op:SparseSegmentReduction] name: ")
    return how(tf.gather(rows, _numbers(indices)), ids, count)


def _numbers(value: Any) -> Tensor:
    """Indices; an empty list is one of integers."""
    return convert_to_tensor(value, int32) if isinstance(value, (list, tuple)) and not value else convert_to_tensor(value)


def segment_sum(
    data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None, sparse_gradient: bool = False
) -> Tensor:
    """Sums of picked rows by segment (`tf.sparse.segment_sum`). `sparse_gradient` asks for a form of the gradient; values are the same."""
    return _segment(tf.math.unsorted_segment_sum, data, indices, segment_ids, num_segments, sparse_gradient)


def segment_mean(
    data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None, sparse_gradient: bool = False
) -> Tensor:
    """Means of picked rows by segment (`tf.sparse.segment_mean`)."""
    return _segment(tf.math.unsorted_segment_mean, data, indices, segment_ids, num_segments, sparse_gradient)


def segment_sqrt_n(
    data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None, sparse_gradient: bool = False
) -> Tensor:
    """Sums of picked rows by segment, over the root of their number (`tf.sparse.segment_sqrt_n`)."""
    return _segment(tf.math.unsorted_segment_sqrt_n, data, indices, segment_ids, num_segments, sparse_gradient)


# --- counting --------------------------------------------------------------------------------------------------------
def bincount(
    values: Any, weights: Any = None, axis: int = 0, minlength: Any = None, maxlength: Any = None, binary_output: bool = False,
    name: str | None = None,
) -> SparseTensor:  # fmt: skip
    """How often each number occurs, as a sparse tensor (`tf.sparse.bincount`): in all, or in each row with `axis=-1`.

    Rows may be those of a dense, sparse or ragged matrix. `weights` has the same form and is added up instead.
    """
    from ..ragged import RaggedTensor

    if binary_output and weights is not None:
        raise ValueError("Arguments `binary_output` and `weights` are mutually exclusive. Please specify only one.")
    if axis is None:  # as 0
        axis = 0
    if axis not in (0, -1):
        raise ValueError(f"Unsupported value for argument axis={axis}. Only 0 and -1 are currently supported.")
    values = values if isinstance(values, (SparseTensor, RaggedTensor)) else convert_to_tensor(values)
    values_rank = values.shape.rank
    flat, rowids, rows = _rows_of(values)
    if weights is not None:
        weights = _rows_of(weights if isinstance(weights, (SparseTensor, RaggedTensor)) else convert_to_tensor(weights))[0]
        if weights.shape[0] is not None and flat.shape[0] is not None and weights.shape[0] != flat.shape[0]:
            raise tf.errors.InvalidArgumentError(None, None, f"weights and values must have the same shape: {weights.shape} and {flat.shape}")
    flat = tf.cast(flat, int64)
    kept = flat >= 0
    width = tf.reduce_max(tf.concat([flat, tf.constant([-1], int64)], 0)) + 1
    if maxlength is not None:
        kept = tf.logical_and(kept, flat < tf.cast(maxlength, int64))
    flat = tf.boolean_mask(flat, kept)
    single = axis == 0 or values_rank == 1
    rowids = tf.boolean_mask(tf.cast(rowids, int64), kept)
    if minlength is not None:
        width = tf.maximum(width, tf.cast(minlength, int64))
    if maxlength is not None:
        width = tf.minimum(width, tf.cast(maxlength, int64))
    ones = tf.ones_like(flat, dtype=int32) if weights is None else tf.boolean_mask(weights, kept)
    at = flat[:, None] if single else tf.stack([rowids, flat], 1)
    dims = tf.reshape(width, [1]) if single else tf.stack([tf.cast(rows, int64), width])
    from .calculating import _summed

    indices, counted = _summed(at, ones, dims)
    if binary_output:
        counted = tf.ones_like(counted)
    return reorder(SparseTensor(indices, counted, dims))


def _rows_of(value: Any) -> tuple[Any, Any, Any]:
    """The values of a matrix (or vector), the row of each, the number of rows."""
    if isinstance(value, SparseTensor):
        if value.shape.rank == 1:
            return value.values, tf.zeros_like(value.indices[:, 0]), 1
        return value.values, value.indices[:, 0], value.dense_shape[0]
    if not isinstance(value, Tensor):
        return value.flat_values, value.value_rowids(), value.nrows()
    if value.shape.rank == 1:
        return value, tf.zeros_like(value, dtype=int64), 1
    shape = tf.shape(value, out_type=int64)
    return tf.reshape(value, [-1]), tf.repeat(tf.range(shape[0]), shape[1]), shape[0]


# --- crosses ---------------------------------------------------------------------------------------------------------
def cross(inputs: Any, name: str | None = None, separator: Any = None) -> SparseTensor:
    """Values of corresponding rows joined by `separator` ("_X_"), in all combinations (`tf.sparse.cross`)."""
    from ..ragged.crossing import crossed

    between = "_X_" if separator is None else separator.decode() if isinstance(separator, bytes) else str(separator)
    return crossed(inputs, False, 0, None, between, "cross").to_sparse()


def cross_hashed(inputs: Any, num_buckets: Any = 0, hash_key: Any = None, name: str | None = None) -> SparseTensor:
    """As `cross`, hashed into buckets, or int64 without (`tf.sparse.cross_hashed`)."""
    from ..ragged.crossing import crossed

    return crossed(inputs, True, num_buckets, hash_key, "", "cross_hashed").to_sparse()


# --- products --------------------------------------------------------------------------------------------------------
@op("SampledADDMM", indices=_AT, values=tensor(FLOATS), dense_shape=_SHAPE, mat1=tensor(FLOATS), mat2=tensor(FLOATS))
def _sampled(indices: Any, values: Any, dense_shape: Any, mat1: Any, mat2: Any, beta: Any, alpha: Any) -> Any:
    lead = tuple(indices[:, :-2].unbind(1))
    rows, columns = indices[:, -2], indices[:, -1]
    return beta * values + alpha * (mat1[(*lead, rows)] * mat2.mT[(*lead, columns)]).sum(-1)


_sampled.infer(lambda indices, values, *rest: [(dtypes.of(values), tuple(values.shape))])


def sampled_addmm(
    indices: Any, values: Any, dense_shape: Any, mat1: Any, mat2: Any, beta: Any = 1.0, alpha: Any = 1.0, output_type: Any = dtypes.float32
) -> tuple[Any, Any, Any]:
    """The elements of `alpha · mat1 @ mat2 + beta · values` at the indices (`tf.sparse.sampled_addmm`): indices, values, dense shape.

    TypeError when the matrices do not have `output_type`, ValueError for shapes that do not fit.
    """
    kind = dtypes.as_dtype(output_type)
    at, shape = convert_to_tensor(indices), convert_to_tensor(dense_shape)
    kept = convert_to_tensor(values, kind)
    a, b = convert_to_tensor(mat1, kind), convert_to_tensor(mat2, kind)
    if a.shape.rank is not None and b.shape.rank is not None and a.shape[-1] != b.shape[-2]:
        raise ValueError(f"Inner dimensions of mat1 {a.shape} and mat2 {b.shape} do not match")
    return at, _sampled(tf.cast(at, int64), kept, tf.cast(shape, int64), a, b, float(beta), float(alpha)), shape
