"""Functions of TensorFlow 1 that TensorFlow 2 left out and that need no graph."""

from __future__ import annotations

import collections
from typing import Any

import tf2compat as tf
from tf2compat import errors

__all__ = [
    "SparseTensorValue", "assert_integer", "assert_type", "batch_scatter_update", "clip_by_average_norm", "cond", "convert_to_tensor_or_indexed_slices",
    "convert_to_tensor_or_sparse_tensor", "count_up_to", "extract_image_patches", "get_seed", "scatter_nd_add", "scatter_nd_sub",
    "scatter_nd_update", "setdiff1d", "sparse_matmul", "to_complex128", "to_complex64", "while_loop",
]  # fmt: skip

_Difference = collections.namedtuple("_Difference", ("out", "idx"))


class SparseTensorValue(collections.namedtuple("SparseTensorValue", ("indices", "values", "dense_shape"))):
    """The three NumPy arrays of a sparse tensor; `tf.SparseTensor.from_value` and datasets take it."""

    def _tensor(self) -> Any:
        return tf.SparseTensor.from_value(self)


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Any:
    return tf.debugging.assert_integer(x, message, name)


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Any:
    return tf.debugging.assert_type(tensor, tf_type, message, name)


def batch_scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Any:
    """`ref[b…, indices[b…, i]] = updates[b…, i]` for each position b… of the leading dimensions."""
    return ref.batch_scatter_update(tf.IndexedSlices(tf.convert_to_tensor(updates), tf.convert_to_tensor(indices)))


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Any:
    """`t` scaled down so that its Euclidean norm divided by its size is at most `clip_norm`."""
    t = tf.convert_to_tensor(t)
    count = tf.cast(tf.size(t), t.dtype)
    # rsqrt and the two minima as in TensorFlow, where a t of zeros stays zeros
    inverse = tf.math.rsqrt(tf.reduce_sum(t * t))
    return tf.identity(t * clip_norm * tf.minimum(inverse * count, tf.constant(1.0, t.dtype) / clip_norm), name=name)


def cond(
    pred: Any, true_fn: Any = None, false_fn: Any = None, strict: bool = False, name: str | None = None, fn1: Any = None, fn2: Any = None
) -> Any:
    """`tf.cond`, whose branches' lists of one element become that element unless it is `strict`."""
    for old, new, given, other in (("fn1", "true_fn", fn1, true_fn), ("fn2", "false_fn", fn2, false_fn)):
        if given is not None and other is not None:
            raise TypeError(f"cond(): '{old}' and '{new}' may not be set simultaneously.")
    found = tf.cond(pred, fn1 if true_fn is None else true_fn, fn2 if false_fn is None else false_fn, name)
    return found[0] if not strict and isinstance(found, (list, tuple)) and len(found) == 1 else found


def convert_to_tensor_or_indexed_slices(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` as a tensor, or as the IndexedSlices or sparse tensor that it is."""
    if not isinstance(value, (tf.IndexedSlices, tf.SparseTensor)):
        return tf.convert_to_tensor(value, dtype, name=name)
    if dtype is not None and tf.as_dtype(dtype) != value.dtype:
        raise ValueError(f"Incompatible tensor conversion requested to `dtype` {tf.as_dtype(dtype).name} for `value` ({value}) with dtype {value.dtype.name}")
    return value


def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` as a tensor, or as the sparse tensor that it is. RuntimeError where a sparse one has another dtype."""
    if isinstance(value, SparseTensorValue):
        value = tf.SparseTensor.from_value(value)
    if not isinstance(value, tf.SparseTensor):
        return tf.convert_to_tensor(value, dtype, name=name)
    if dtype is not None and tf.as_dtype(dtype) != value.dtype:
        raise RuntimeError(f"Sparse dtype mismatch. Requested: {tf.as_dtype(dtype).name},  Actual: {value.dtype.name}")
    return value


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Any:
    """The value of the integer variable `ref`, which then grows by one. OutOfRangeError when it has reached `limit`."""
    before = tf.identity(ref)
    if int(before) >= limit:
        raise errors.OutOfRangeError(None, None, f"Reached limit of {limit} [Op:ResourceCountUpTo] name: ")
    ref.assign_add(tf.ones([], ref.dtype))
    return before


def extract_image_patches(
    images: Any, ksizes: Any = None, strides: Any = None, rates: Any = None, padding: Any = None, name: str | None = None, sizes: Any = None
) -> Any:
    """`tf.image.extract_patches`."""
    return tf.image.extract_patches(images, ksizes if sizes is None else sizes, strides, rates, padding, name)


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The pair of seeds, the program's and an op's, with which an op of the seed `op_seed` begins."""
    from tf2compat.random.seeding import seeds_of

    return seeds_of(op_seed)


def scatter_nd_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Any:
    return ref.scatter_nd_update(indices, tf.convert_to_tensor(updates, ref.dtype))


def scatter_nd_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    return ref.scatter_nd_add(indices, tf.convert_to_tensor(updates, ref.dtype))


def scatter_nd_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    return ref.scatter_nd_sub(indices, tf.convert_to_tensor(updates, ref.dtype))


def setdiff1d(x: Any, y: Any, index_dtype: Any = tf.int32, name: str | None = None) -> Any:
    """The elements of the vector `x` that `y` lacks, in order, and where in `x` they are."""
    x = tf.convert_to_tensor(x)
    y = tf.convert_to_tensor(y, x.dtype)
    kept = ~tf.reduce_any(tf.equal(x[:, None], y[None]), axis=1)
    places = tf.boolean_mask(tf.range(tf.size(x), dtype=tf.int32), kept)
    return _Difference(tf.boolean_mask(x, kept), tf.cast(places, index_dtype))


def sparse_matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False, name: str | None = None
) -> Any:
    """The float32 product of two matrices; that many of their elements are zeros is a hint."""
    return tf.matmul(tf.cast(a, tf.float32), tf.cast(b, tf.float32), transpose_a=transpose_a, transpose_b=transpose_b, name=name)


def to_complex64(x: Any, name: str = "ToComplex64") -> Any:
    return tf.cast(x, tf.complex64)


def to_complex128(x: Any, name: str = "ToComplex128") -> Any:
    return tf.cast(x, tf.complex128)


def while_loop(
    cond: Any, body: Any, loop_vars: Any, shape_invariants: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None, maximum_iterations: Any = None, return_same_structure: bool = False,
) -> Any:  # fmt: skip
    """`tf.while_loop`, which gives a single variable as it is unless it is to `return_same_structure`."""
    found = tf.while_loop(cond, body, loop_vars, shape_invariants, parallel_iterations, back_prop, swap_memory, maximum_iterations, name)
    return found[0] if not return_same_structure and isinstance(found, (list, tuple)) and len(found) == 1 else found
