"""Fingerprints of tensors, and the edit distance between sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.dtypes import int64
from .._engine.op import ANY, invalid, op, tensor
from .._engine.tensor import Tensor, numpy_of
from ..errors import InternalError
from ..strings.hashing import fingerprint64


# --- fingerprint ---------------------------------------------------------------------------------------------------------
def _bytes_of(values: list[int]) -> torch.Tensor:
    return torch.from_numpy(np.array(values, dtype="<u8").view(np.uint8).reshape(len(values), 8).copy())


def _method(method: Any, ndim: int) -> None:
    value = method.numpy() if isinstance(method, Tensor) else method
    if value not in ("farmhash64", b"farmhash64"):
        raise invalid(f"Unsupported fingerprint method: {value!r} [Op:Fingerprint]")
    if ndim == 0:
        raise invalid("`data` should have at least one dimension: [] [Op:Fingerprint]")


@op("Fingerprint", data=ANY)
def fingerprint(data: Any, method: Any = "farmhash64", name: str | None = None) -> Any:
    """The FarmHash fingerprint of each entry of the first axis, uint8 [n, 8], lowest byte first (`tf.fingerprint`)."""
    _method(method, data.ndim)
    rows = numpy_of(data.contiguous())
    return _bytes_of([fingerprint64(row.tobytes()) for row in rows]).to(data.device)


@fingerprint.strings
def _(data: Any, method: Any) -> Any:
    _method(method, data.ndim)
    rows = data.reshape(data.shape[0], -1) if data.size else np.empty((data.shape[0], 0), dtype=object)
    if rows.shape[1] == 1:
        return _bytes_of([fingerprint64(row[0]) for row in rows])
    hashes = [np.array([fingerprint64(s) for s in row], dtype="<u8").tobytes() for row in rows]
    return _bytes_of([fingerprint64(h) for h in hashes])


@fingerprint.infer
def _(data: Any, method: Any) -> Any:
    return [(dtypes.uint8, (data.shape[0], 8))]


# --- edit distance -------------------------------------------------------------------------------------------------------
def _levenshtein(a: list[Any], b: list[Any]) -> int:
    if len(a) < len(b):
        a, b = b, a
    row = list(range(len(b) + 1))
    for i, p in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, q in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (p != q))
    return row[-1]


def _sequences(indices: Any, values: Any) -> dict[tuple[int, ...], list[Any]]:
    found: dict[tuple[int, ...], list[Any]] = {}
    for index, value in zip(numpy_of(indices).tolist(), numpy_of(values).tolist(), strict=True):
        found.setdefault(tuple(index[:-1]), []).append(value)
    return found


_INDEX = tensor(int64, group="")


@op("EditDistance", hypothesis_indices=_INDEX, hypothesis_values=tensor(), hypothesis_shape=_INDEX, truth_indices=_INDEX,
    truth_values=tensor(), truth_shape=_INDEX)  # fmt: skip
def _edit_distance(
    hypothesis_indices: Any, hypothesis_values: Any, hypothesis_shape: Any, truth_indices: Any, truth_values: Any,
    truth_shape: Any, normalize: bool, name: str | None = None,
) -> Any:  # fmt: skip
    shapes = [numpy_of(s).tolist() for s in (hypothesis_shape, truth_shape)]
    if len(shapes[0]) != len(shapes[1]) or len(shapes[0]) < 2:
        raise invalid(f"hypothesis and truth must have one rank of at least 2: shapes {shapes[0]} and {shapes[1]} [Op:EditDistance] name: ")
    outer = [max(a, b) for a, b in zip(shapes[0][:-1], shapes[1][:-1], strict=True)]
    strides = [int(np.prod(outer[i + 1 :], dtype=np.int64)) for i in range(len(outer))]
    for indices in (hypothesis_indices, truth_indices):
        for index in numpy_of(indices).tolist():
            place = sum(i * s for i, s in zip(index, strides, strict=False))
            if not 0 <= place < max(1, int(np.prod(outer))):
                raise InternalError(
                    None, None,
                    f"Got an inner product {place} which would require writing to outside of the buffer for the output tensor (max elements "
                    f"{int(np.prod(outer))}) [Op:EditDistance] name: ",
                )  # fmt: skip
    mine, truth = _sequences(hypothesis_indices, hypothesis_values), _sequences(truth_indices, truth_values)
    out = np.zeros(outer, dtype=np.float32)
    for key in set(mine) | set(truth):
        a, b = mine.get(key, []), truth.get(key, [])
        distance = float(_levenshtein(a, b))
        if normalize:
            distance = distance / len(b) if b else (np.inf if a else 0.0)
        out[key] = distance
    return torch.from_numpy(out)


@_edit_distance.strings
def _(*args: Any) -> Any:
    return _edit_distance.op.fn(*args)


@_edit_distance.infer
def _(hypothesis_indices: Any, hypothesis_values: Any, hypothesis_shape: Any, *rest: Any) -> Any:
    return [(dtypes.float32, (None,) * (hypothesis_shape.shape[0] - 1))]


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance") -> Tensor:
    """Levenshtein's distance between the sequences in the last axis of two SparseTensors, float32 (`tf.edit_distance`).

    `normalize` divides by the length of the truth; infinity where that is empty and the hypothesis is not.
    """
    for what in (hypothesis, truth):
        if isinstance(what, Tensor) or not all(hasattr(what, a) for a in ("indices", "values", "dense_shape")):
            which = "Hypothesis" if what is hypothesis else "Truth"
            raise TypeError(f"{which} must be a SparseTensor.")
    return _edit_distance(
        hypothesis.indices, hypothesis.values, hypothesis.dense_shape, truth.indices, truth.values, truth.dense_shape, normalize, name
    )


__all__ = ["edit_distance", "fingerprint"]
