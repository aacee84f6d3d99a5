"""Crosses of features: all combinations of the values in corresponding rows, as text or hashed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .._engine.convert import convert_to_tensor
from .._engine.devices import current
from .._engine.dtypes import int64, string
from .._engine.op import ANYS, op, tensors
from .._engine.tensor import Tensor
from .ragged_tensor import RaggedTensor

_DEFAULT_KEY = 0xDECAFCAFFE
_MASK = (1 << 64) - 1
_MUL = np.uint64(0xC6A4A7935BD1E995)
#: what stands for no value among ids, where any integer may be one
NO_ID = -(2**62)
_SHIFT = np.uint64(47)


def _shifted(value: Any) -> Any:
    return value ^ (value >> _SHIFT)


def _both(a: Any, b: Any) -> Any:
    """TensorFlow's combination of two fingerprints (FingerprintCat64), elementwise on uint64."""
    out = a ^ _MUL ^ (_shifted(b * _MUL) * _MUL)
    return _shifted(_shifted(out * _MUL) * _MUL)


def _prints(flat: Any) -> Any:
    """What is hashed of each value: a string's fingerprint, an integer itself."""
    from ..strings.hashing import fingerprint64

    if isinstance(flat, np.ndarray):
        return np.fromiter(map(fingerprint64, flat), np.uint64, len(flat))
    return flat.cpu().numpy().astype(np.int64).view(np.uint64)


def _bins(prints: list[Any], buckets: int, key: int) -> torch.Tensor:
    """The bins of combinations, given each column's part."""
    out: Any = np.uint64(key & _MASK)
    for part in prints:
        out = _both(out, part)
    return torch.from_numpy((out % np.uint64(buckets or 2**63 - 1)).astype(np.int64))


@op("SparseCrossHashed", values=ANYS)
def cross_single(values: Any, buckets: int, key: int | None, skipped: Any = ()) -> Any:
    """Bins of crosses of one value each, in the values' shape; NO_ID where one of the values at the places `skipped` is NO_ID."""
    first = values[0]
    bins = _bins([_prints(v.reshape(-1)) for v in values], buckets, _DEFAULT_KEY if key is None else key)
    bins = bins.reshape(tuple(first.shape))
    for i in skipped:
        bins = torch.where(values[i].cpu() == NO_ID, NO_ID, bins)
    return bins.to(current())


cross_single.strings(cross_single.op.fn)
cross_single.infer(lambda values, buckets, key, skipped=(): [(int64, tuple(values[0].shape))])


@op("RaggedCross", multi=True, values=ANYS, splits=tensors(int64, group="S"))
def _cross(values: Any, splits: Any, hashed: bool, buckets: int, key: int, separator: str) -> Any:
    """Crossed values and their row splits."""
    flats = [v.reshape(-1) for v in values]
    bounds = [s.cpu().numpy().astype(np.int64) for s in splits]
    counts = [np.diff(b) for b in bounds]
    total = np.prod(np.stack(counts), 0) if counts else np.zeros(0, np.int64)
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(total)])
    rows = np.repeat(np.arange(len(total)), total)
    # which combination of its row each result is, written in the mixed base of the columns' counts: the last column runs fastest
    rest = np.arange(ends[-1]) - ends[rows]
    picked: list[Any] = []
    for count, bound in zip(counts[::-1], bounds[::-1], strict=True):
        each = count[rows]
        picked.append(bound[rows] + rest % each)
        rest = rest // each
    picked.reverse()
    where = torch.from_numpy(ends)
    if hashed:
        return _bins([_prints(v)[p] for v, p in zip(flats, picked, strict=True)], buckets, key).to(current()), where.to(current())
    between = separator.encode()
    words = [v if isinstance(v, np.ndarray) else np.array([b"%d" % x for x in v.tolist()], dtype=object) for v in flats]
    flat_text = np.empty(len(rows), dtype=object)
    flat_text[:] = [between.join(w) for w in zip(*[w[p] for w, p in zip(words, picked, strict=True)], strict=True)]
    return flat_text, where.to(current())


_cross.strings(_cross.op.fn)
_cross.infer(
    lambda values, splits, hashed, buckets, key, separator: [(int64 if hashed else string, (None,)), (int64, tuple(splits[0].shape))]
)


def crossed(inputs: Any, hashed: bool, buckets: Any, key: Any, separator: str, what: str) -> RaggedTensor:
    """Ragged, sparse and dense features of rank 2, crossed row by row."""
    if not isinstance(inputs, (list, tuple)):
        raise TypeError("Inputs must be a list")
    if hashed:
        if key is not None and not isinstance(key, int):
            raise TypeError(f"Argument `hash_key` must be an int, got {key!r}")
        if buckets < 0:
            raise ValueError(f"Argument `num_buckets` must be non-negative. Received num_buckets={buckets}.")
    if not inputs:
        raise ValueError("At least one input is needed")
    values, splits = [], []
    for given in inputs:
        if isinstance(given, tf.SparseTensor):
            part: Any = RaggedTensor.from_value_rowids(given.values, given.indices[:, 0], nrows=given.dense_shape[0], validate=False)
        elif isinstance(given, RaggedTensor):
            if given.ragged_rank != 1 or given.flat_values.shape.rank != 1:
                raise ValueError(f"tf.ragged.{what} only supports inputs with rank=2.")
            part = given.with_row_splits_dtype(int64)
        else:
            t = given if isinstance(given, Tensor) else convert_to_tensor(given)
            if t.shape.rank != 2:
                raise ValueError(f"tf.ragged.{what} only supports inputs with rank=2.")
            part = RaggedTensor.from_tensor(t)
        flat = part.values
        if flat.dtype is not string:
            if not flat.dtype.is_integer:
                raise ValueError(f"Unexpected dtype for inputs of tf.ragged.{what}: {flat.dtype.name}")
            flat = tf.cast(flat, int64)
        values.append(flat)
        splits.append(part.row_splits)
    known = {s.shape[0] for s in splits if s.shape[0] is not None}
    if len(known) > 1:
        sizes = [s.shape[0] - 1 for s in splits if s.shape[0] is not None]
        at = next(i for i, n in enumerate(sizes) if n != sizes[0])
        raise tf.errors.InvalidArgumentError(None, None, f"Expected batch size {sizes[0]} got {sizes[at]} at position {at} [Op:SparseCrossV2] name: ")
    out, ends = _cross(values, splits, hashed, int(buckets or 0), _DEFAULT_KEY if key is None else int(key), separator)
    return RaggedTensor.from_row_splits(out, ends, validate=False)


def cross(inputs: Any, name: str | None = None) -> RaggedTensor:
    """Values of corresponding rows joined by "_X_", in all combinations (`tf.ragged.cross`)."""
    return crossed(inputs, False, 0, None, "_X_", "cross")


def cross_hashed(inputs: Any, num_buckets: Any = 0, hash_key: Any = None, name: str | None = None) -> RaggedTensor:
    """As `cross`, hashed into buckets, or int64 without (`tf.ragged.cross_hashed`)."""
    return crossed(inputs, True, num_buckets, hash_key, "", "cross_hashed")
