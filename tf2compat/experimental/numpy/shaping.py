"""Arrays in other shapes, joined, split, repeated, indexed."""

# ruff: noqa: A001 - NumPy's names
from __future__ import annotations

import builtins
from typing import Any

import numpy as np

import tf2compat as tf

from ..._engine import dtypes
from ..._engine.tensor import Tensor
from .kinds import asarray, converted, promoted, result_type


def shape(a: Any) -> Any:
    """The shape."""
    return asarray(a).shape


def ndim(a: Any) -> Any:
    """The number of dimensions."""
    return asarray(a).shape.rank


def size(x: Any, axis: Any = None) -> Any:
    """The number of elements; NotImplementedError for an axis."""
    if axis is not None:
        raise NotImplementedError("axis argument is not supported in the current `np.size` implementation")
    if isinstance(x, (int, float, np.int32, np.int64, np.float32, np.float64)):
        return 1
    x = asarray(x)
    return np.prod(x.shape.as_list(), dtype=int) if x.shape.is_fully_defined() else tf.size(x)


def reshape(a: Any, newshape: Any, order: str = "C") -> Any:
    """The elements in another shape, read and laid out in C or Fortran order."""
    if order not in ("C", "F"):
        raise ValueError(f"Unsupported order argument {order}")
    a = asarray(a)
    if isinstance(newshape, (int, np.integer)):
        newshape = [newshape]
    if order == "F":
        return transpose(tf.reshape(transpose(a), newshape[::-1]))
    return tf.reshape(a, newshape)


def _reshape_method(self: Any, *newshape: Any, order: str = "C") -> Any:
    return reshape(self, newshape[0] if len(newshape) == 1 and not isinstance(newshape[0], (int, np.integer)) else newshape, order)


def ravel(a: Any) -> Any:
    """A vector of the elements."""
    return tf.reshape(asarray(a), [-1])


def flatten(a: Any, order: str = "C") -> Any:
    """A vector of the elements, in C or Fortran order ("A" and "K" are "C")."""
    if order in ("C", "A", "K"):
        return tf.reshape(asarray(a), [-1])
    if order == "F":
        return tf.reshape(transpose(a), [-1])
    raise ValueError(f"order can only be C, A, K (all row major) or F (column major). Got {order}")


def expand_dims(a: Any, axis: Any) -> Any:
    """A new dimension of size 1."""
    return tf.expand_dims(asarray(a), axis)


def squeeze(a: Any, axis: Any = None) -> Any:
    """Without dimensions of size 1."""
    return tf.squeeze(asarray(a), axis)


def transpose(a: Any, axes: Any = None) -> Any:
    """Dimensions in another order, reversed by default."""
    a = asarray(a)
    return tf.transpose(a, axes if axes is None else tf.constant(axes) if not isinstance(axes, Tensor) else axes)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two dimensions exchanged."""
    a = asarray(a)
    order = list(builtins.range(a.shape.rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return tf.transpose(a, order)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Dimensions moved to other places."""
    if source is None and destination is None:
        return a
    a = asarray(a)
    rank = a.shape.rank
    first = [source] if isinstance(source, int) else list(source)
    second = [destination] if isinstance(destination, int) else list(destination)
    if len(first) != len(second):
        raise ValueError("The lengths of source and destination must equal")
    order = np.moveaxis(np.empty((0,) * rank), first, second) if rank else None
    if order is None:
        return a
    kept = [d for d in builtins.range(rank) if d not in {s % rank for s in first}]
    for d, s in sorted(zip([d % rank for d in second], [s % rank for s in first], strict=True)):
        kept.insert(d, s)
    return tf.transpose(a, kept)


def flip(m: Any, axis: Any = None) -> Any:
    """The elements backwards along axes, all by default."""
    m = asarray(m)
    if axis is None:
        return tf.reverse(m, list(builtins.range(m.shape.rank)))
    return tf.reverse(m, [axis] if isinstance(axis, int) else list(axis))


def flipud(m: Any) -> Any:
    """Backwards along the first axis."""
    return flip(m, 0) if asarray(m).shape.rank else asarray(m)


def fliplr(m: Any) -> Any:
    """Backwards along the second axis."""
    return flip(m, 1) if asarray(m).shape.rank else asarray(m)


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """The elements moved on around, of the flattened array without an axis."""
    a = asarray(a)
    if axis is not None:
        return tf.roll(a, shift, axis)
    return tf.reshape(tf.roll(tf.reshape(a, [-1]), shift, 0), tf.shape(a))


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """A quarter turn in the plane of two axes, `k` times."""
    m = asarray(m)
    if m.shape.rank is not None and m.shape.rank < 2:
        raise tf.errors.InvalidArgumentError(None, None, f"rot90 needs an array of rank 2 at least, got shape {m.shape}")
    first, second = (a % m.shape.rank for a in axes)
    k = k % 4
    if k == 0:
        return m
    if k == 2:
        return flip(flip(m, first), second)
    order = list(builtins.range(m.shape.rank))
    order[first], order[second] = order[second], order[first]
    return tf.transpose(flip(m, second), order) if k == 1 else flip(tf.transpose(m, order), second)


def atleast_1d(*arys: Any) -> Any:
    """Of one dimension at least."""
    return _atleast(1, arys)


def atleast_2d(*arys: Any) -> Any:
    """Of two dimensions at least; new ones come first."""
    return _atleast(2, arys)


def atleast_3d(*arys: Any) -> Any:
    """Of three dimensions at least: vectors lie along the second."""

    def deep(a: Any) -> Any:
        a = asarray(a)
        rank = a.shape.rank
        return tf.reshape(a, [1, 1, 1]) if rank == 0 else a[None, :, None] if rank == 1 else a[:, :, None] if rank == 2 else a

    out = [deep(a) for a in arys]
    return out[0] if len(out) == 1 else out


def _atleast(n: int, arys: Any) -> Any:
    from .creation import array

    out = [array(a, ndmin=n) for a in arys]
    return out[0] if len(out) == 1 else out


def broadcast_to(array: Any, shape: Any) -> Any:
    """Repeated to a shape without a copy's meaning."""
    return tf.broadcast_to(asarray(array), [shape] if isinstance(shape, int) else shape)


def broadcast_arrays(*args: Any, **kwargs: Any) -> list[Any]:
    """All arguments in their joint shape; ValueError for `subok=True`."""
    if kwargs.get("subok", False):
        raise ValueError(f"Received unsupported arguments: subok={kwargs['subok']}")
    arrays = [asarray(a) for a in args]
    shape = tf.shape(arrays[0])
    for a in arrays[1:]:
        shape = tf.broadcast_dynamic_shape(shape, tf.shape(a))
    return [tf.broadcast_to(a, shape) for a in arrays]


# --- joining and splitting -------------------------------------------------------------------------------------------
def concatenate(arys: Any, axis: Any = 0) -> Any:
    """Arrays one after the other along an axis; flattened for None."""
    items = list(arys) if isinstance(arys, (list, tuple)) else [arys]
    if not items:
        raise ValueError(f"Need at least one array to concatenate. Received empty input: arys={arys}")
    kind = result_type(*items)
    parts = [converted(a, kind) for a in items]
    return tf.concat([tf.reshape(p, [-1]) for p in parts], 0) if axis is None else tf.concat(parts, axis)


def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """`values` after `arr`; both flattened without an axis."""
    return concatenate([ravel(arr), ravel(values)], 0) if axis is None else concatenate([arr, values], axis)


def stack(arrays: Any, axis: int = 0) -> Any:
    """Arrays of one shape on a new axis."""
    if isinstance(arrays, (np.ndarray, Tensor)):
        arrays = asarray(arrays)
        return arrays if axis == 0 else swapaxes(arrays, 0, axis)
    parts = promoted(*arrays)
    return tf.stack(parts, axis)


def vstack(tup: Any) -> Any:
    """Rows below each other."""
    parts = promoted(*[atleast_2d(a) for a in tup])
    return tf.concat(parts, 0)


def hstack(tup: Any) -> Any:
    """Columns beside each other; vectors one after the other."""
    parts = promoted(*[atleast_1d(a) for a in tup])
    return tf.concat(parts, 0 if parts[0].shape.rank == 1 else 1)


def dstack(tup: Any) -> Any:
    """Along the third axis."""
    return tf.concat(promoted(*[atleast_3d(a) for a in tup]), 2)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Parts of equal size, or cut at the given places."""
    ary = asarray(ary)
    if isinstance(indices_or_sections, (int, np.integer)):
        return tf.split(ary, int(indices_or_sections), axis)
    places = [int(p) for p in np.asarray(indices_or_sections)]
    total = ary.shape[axis]
    bounds = [builtins.min(builtins.max(p + total if p < 0 else p, 0), total) for p in places]
    ends = [*bounds, total]
    index: list[Any] = [slice(None)] * ary.shape.rank
    out = []
    for a, b in zip([0, *bounds], ends, strict=True):
        index[axis] = slice(a, builtins.max(a, b))
        out.append(ary[tuple(index)])
    return out


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Parts along the first axis; ValueError for a vector."""
    if asarray(ary).shape.rank < 2:
        raise ValueError(f"Expect array of rank at least 2, got shape {asarray(ary).shape}")
    return split(ary, indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Parts along the second axis, or the only one."""
    ary = asarray(ary)
    return split(ary, indices_or_sections, 0 if ary.shape.rank == 1 else 1)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Parts along the third axis."""
    if asarray(ary).shape.rank < 3:
        raise ValueError(f"Expect array of rank at least 3, got shape {asarray(ary).shape}")
    return split(ary, indices_or_sections, 2)


def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element several times."""
    a = asarray(a)
    return tf.repeat(a, tf.cast(tf.convert_to_tensor(repeats), tf.int32) if not isinstance(repeats, int) else repeats, axis)


def tile(a: Any, reps: Any) -> Any:
    """The whole several times along each axis."""
    a = asarray(a)
    counts = [reps] if isinstance(reps, (int, np.integer)) else list(tf.get_static_value(asarray(reps, np.int32)).reshape(-1))
    counts = [1] * (a.shape.rank - len(counts)) + [int(c) for c in counts]
    missing = len(counts) - a.shape.rank
    if missing > 0:
        a = tf.reshape(a, tf.concat([tf.ones([missing], tf.int32), tf.shape(a)], 0))
    return tf.tile(a, counts)


def pad(array: Any, pad_width: Any, mode: str, **kwargs: Any) -> Any:
    """A border of constants, or of reflected elements. ValueError for modes other than constant, reflect and symmetric."""
    fill = kwargs.pop("constant_values", 0)
    if not (mode == "constant" or mode == "reflect" or mode == "symmetric"):
        raise ValueError(f"Unsupported padding mode: {mode}")
    if kwargs:
        raise ValueError(f"Unsupported arguments of pad: {sorted(kwargs)}")
    array = asarray(array)
    widths = np.broadcast_to(np.asarray(pad_width), (array.shape.rank, 2)).tolist()
    return tf.pad(array, widths, mode.upper(), tf.cast(fill, array.dtype))


def tril(m: Any, k: int = 0) -> Any:
    """Zeros above diagonal `k`."""
    return _triangle(m, k, True)


def triu(m: Any, k: int = 0) -> Any:
    """Zeros below diagonal `k`."""
    return _triangle(m, k, False)


def _triangle(m: Any, k: int, lower: bool) -> Any:
    m = asarray(m)
    if m.shape.rank < 2:
        raise ValueError(f"Argument to tril must have rank at least 2, got shape {m.shape}")
    rows, columns = tf.range(tf.shape(m)[-2])[:, None], tf.range(tf.shape(m)[-1])[None]
    keep = columns - rows <= k if lower else columns - rows >= k
    return tf.where(keep, m, tf.zeros_like(m))


# --- picking ---------------------------------------------------------------------------------------------------------
def ix_(*args: Any) -> list[Any]:
    """Vectors that, as indices, span a grid."""
    out = []
    for i, a in enumerate(args):
        a = asarray(a)
        if a.shape.rank != 1:
            raise ValueError(f"Arguments must be 1-d, got arg {i} of rank {a.shape.rank}")
        if a.dtype is dtypes.bool:
            a = tf.where(a)[:, 0]
        out.append(tf.reshape(a, [-1 if j == i else 1 for j in builtins.range(len(args))]))
    return out


def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "clip") -> Any:
    """Elements by number; numbers outside are clipped, or wrapped around. ValueError for `out` and mode "raise"."""
    if out is not None:
        raise ValueError("out argument is not supported in take.")
    if mode not in ("raise", "clip", "wrap"):
        raise ValueError(f"Invalid mode '{mode}' for take")
    if mode == "raise":
        raise ValueError("mode='raise' is not supported in take; use 'clip' or 'wrap'")
    a, indices = asarray(a), asarray(indices)
    if axis is None:
        a, axis = tf.reshape(a, [-1]), 0
    count = tf.cast(tf.shape(a)[axis], indices.dtype)
    indices = tf.clip_by_value(indices, tf.zeros_like(count), count - 1) if mode == "clip" else tf.math.floormod(indices, count)
    return tf.gather(a, indices, axis=axis)


def take_along_axis(arr: Any, indices: Any, axis: Any) -> Any:
    """Of each vector along an axis, the elements that a vector of `indices` numbers."""
    arr, indices = asarray(arr), asarray(indices)
    if axis is None:
        return tf.gather(tf.reshape(arr, [-1]), tf.reshape(indices, [-1]))
    rank = arr.shape.rank
    at = axis % rank
    count = tf.cast(tf.shape(arr)[at], indices.dtype)
    indices = tf.where(indices < 0, indices + count, indices)
    last = moveaxis(arr, at, -1), moveaxis(indices, at, -1)
    outer = tf.broadcast_dynamic_shape(tf.shape(last[0])[:-1], tf.shape(last[1])[:-1])
    whole = tf.broadcast_to(last[0], tf.concat([outer, tf.shape(last[0])[-1:]], 0))
    places = tf.broadcast_to(last[1], tf.concat([outer, tf.shape(last[1])[-1:]], 0))
    return moveaxis(tf.gather(whole, places, batch_dims=rank - 1), -1, at)


def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    """The slices along an axis where the vector `condition` holds."""
    condition, a = asarray(condition, np.bool_), asarray(a)
    if condition.shape.rank != 1:
        raise ValueError("condition must be a 1-d array.")
    if a.shape.rank == 0 or axis is None:
        a, axis = tf.reshape(a, [-1]), 0
    axis = axis % a.shape.rank
    missing = a.shape[axis] - condition.shape[0]
    if missing > 0:
        condition = tf.concat([condition, tf.fill([missing], False)], 0)
    return tf.boolean_mask(a, condition, axis=axis)


