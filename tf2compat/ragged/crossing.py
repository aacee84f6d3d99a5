"""Crosses of features: all combinations of the values in corresponding rows, as text or hashed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import int64, string
from .._engine.op import ANYS, op, tensors
from .._engine.tensor import Tensor
from .ragged_tensor import RaggedTensor

_DEFAULT_KEY = 0xDECAFCAFFE
_MASK = (1 << 64) - 1
_MUL = 0xC6A4A7935BD1E995


def _shifted(value: int) -> int:
    return value ^ (value >> 47)


def _both(a: int, b: int) -> int:
    """TensorFlow's combination of two fingerprints (FingerprintCat64)."""
    out = a ^ _MUL
    out ^= (_shifted((b * _MUL) & _MASK) * _MUL) & _MASK
    out = (out * _MUL) & _MASK
    return _shifted((_shifted(out) * _MUL) & _MASK)


@op("RaggedCross", multi=True, values=ANYS, splits=tensors(int64, group="S"))
def _cross(values: Any, splits: Any, hashed: bool, buckets: int, key: int, separator: str) -> Any:
    """Crossed values and their row splits."""
    from ..strings.hashing import fingerprint64

    items: list[list[Any]] = []
    for v in values:
        flat = list(v.reshape(-1)) if isinstance(v, np.ndarray) else v.reshape(-1).tolist()
        if hashed:
            items.append([fingerprint64(x) if isinstance(x, bytes) else x & _MASK for x in flat])
        else:
            items.append([x if isinstance(x, bytes) else b"%d" % x for x in flat])
    bounds = [s.tolist() for s in splits]
    between = separator.encode()
    found: list[Any] = []
    ends = [0]
    for row in range(len(bounds[0]) - 1):
        for combination in itertools.product(*[c[b[row] : b[row + 1]] for c, b in zip(items, bounds, strict=True)]):
            if hashed:
                out = key
                for h in combination:
                    out = _both(out, h)
                found.append(out % buckets if buckets else out % (2**63 - 1))
            else:
                found.append(between.join(combination))
        ends.append(len(found))
    if hashed:
        return torch.tensor(found, dtype=torch.int64), torch.tensor(ends)
    flat_text = np.empty(len(found), dtype=object)
    flat_text[:] = found
    return flat_text, torch.tensor(ends)


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
        raise tf.errors.InvalidArgumentError(None, None, f"Expected the same number of rows in all inputs, got {sorted(n - 1 for n in known)}")
    out, ends = _cross(values, splits, hashed, int(buckets or 0), _DEFAULT_KEY if key is None else int(key), separator)
    return RaggedTensor.from_row_splits(out, ends, validate=False)


def cross(inputs: Any, name: str | None = None) -> RaggedTensor:
    """Values of corresponding rows joined by "_X_", in all combinations (`tf.ragged.cross`)."""
    return crossed(inputs, False, 0, None, "_X_", "cross")


def cross_hashed(inputs: Any, num_buckets: Any = 0, hash_key: Any = None, name: str | None = None) -> RaggedTensor:
    """As `cross`, hashed into buckets, or int64 without (`tf.ragged.cross_hashed`)."""
    return crossed(inputs, True, num_buckets, hash_key, "", "cross_hashed")
