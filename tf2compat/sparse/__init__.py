"""`tf.sparse`: tensors most of whose elements are zero."""

# ruff: noqa: A004 - TensorFlow's public names
from __future__ import annotations

from .._names import module_getattr
from .arranging import concat, expand_dims, eye, fill_empty_rows, from_dense, reorder, reshape, retain, slice, to_dense, transpose
from .calculating import add, map_values, reduce_sum, softmax, sparse_dense_matmul, to_indicator
from .reducing import (
    bincount,
    cross,
    cross_hashed,
    mask,
    maximum,
    minimum,
    reduce_max,
    reset_shape,
    sampled_addmm,
    segment_mean,
    segment_sqrt_n,
    segment_sum,
    split,
)
from .sparse_tensor import SparseTensor, SparseTensorSpec

__all__ = [
    "SparseTensor", "SparseTensorSpec", "add", "bincount", "concat", "cross", "cross_hashed", "mask", "maximum", "minimum", "reduce_max",
    "reset_shape", "sampled_addmm", "segment_mean", "segment_sqrt_n", "segment_sum", "split", "expand_dims", "eye", "fill_empty_rows", "from_dense", "map_values", "reduce_sum", "reorder",
    "reshape", "retain", "slice", "softmax", "sparse_dense_matmul", "to_dense", "to_indicator", "transpose",
]  # fmt: skip

__getattr__ = module_getattr("tf.sparse")
