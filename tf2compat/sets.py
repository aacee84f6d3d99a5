"""`tf.sets`: the rows of the last axis of tensors as sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ._engine.convert import convert_to_tensor
from ._engine.dtypes import int8, int16, int32, int64, of, string, uint8, uint16
from ._engine.op import invalid, op, tensor
from ._engine.tensor import Tensor, numpy_of
from ._names import module_getattr

_VALUES = tensor(int8, int16, int32, int64, uint8, uint16, string)
_INDEX = tensor(int64, group="")


def _parts(x: Any) -> tuple[Any, Any, Any]:
    """Indices, values and shape of a SparseTensor, or of a dense tensor's every element."""
    if all(hasattr(x, a) for a in ("indices", "values", "dense_shape")):
        return x.indices, x.values, x.dense_shape
    return None, convert_to_tensor(x), None


def _is_sparse(x: Any) -> bool:
    return _parts(x)[0] is not None


def _groups(indices: Any, values: Any, shape: Any, validate: bool) -> tuple[dict[tuple[int, ...], set[Any]], list[int]]:
    """The set of each row, and the shape of the rows."""
    found: dict[tuple[int, ...], set[Any]] = {}
    if indices is None:
        array = numpy_of(values)
        if array.ndim < 2:
            raise invalid(f"Set inputs need a rank of at least 2, got shape {list(array.shape)} [Op:DenseToDenseSetOperation] name: ")
        for row in np.ndindex(array.shape[:-1]):
            found[row] = set(array[row].tolist())
        return found, list(array.shape[:-1])
    places, flat, outer = numpy_of(indices), numpy_of(values).tolist(), numpy_of(shape).tolist()
    if validate:
        order = [tuple(p) for p in places.tolist()]
        if any(a >= b for a, b in zip(order, order[1:], strict=False)):
            raise invalid("Set inputs: indices are repeated or out of order [Op:SparseToSparseSetOperation] name: ")
        bad = next((k for k, p in enumerate(order) if any(not 0 <= i < n for i, n in zip(p, outer, strict=True))), None)
        if bad is not None:
            place, shape_text = (f"[{','.join(map(str, d))}]" for d in (order[bad], outer))
            raise invalid(f"indices[{bad}] = {place} is out of bounds: need 0 <= index < {shape_text} [Op:SparseToSparseSetOperation] name: ")
    for place, value in zip(places.tolist(), flat, strict=True):
        found.setdefault(tuple(place[:-1]), set()).add(value)
    return found, outer[:-1]


@op("SetOperation", multi=True, a_indices=_INDEX, a_values=_VALUES, a_shape=_INDEX, b_indices=_INDEX, b_values=_VALUES, b_shape=_INDEX)
def _operation(
    a_values: Any, b_values: Any, a_indices: Any = None, a_shape: Any = None, b_indices: Any = None, b_shape: Any = None,
    kind: str = "union", validate: bool = True,
) -> Any:  # fmt: skip
    mine, outer = _groups(a_indices, a_values, a_shape, validate)
    other, outer_b = _groups(b_indices, b_values, b_shape, validate)
    if outer != outer_b:
        raise invalid(f"Mismatched group shapes {outer} and {outer_b} [Op:DenseToDenseSetOperation] name: ")
    indices: list[tuple[int, ...]] = []
    values: list[Any] = []
    longest = 0
    for row in np.ndindex(*outer):
        a, b = mine.get(row, set()), other.get(row, set())
        result = a | b if kind == "union" else a & b if kind == "intersection" else a - b if kind == "a-b" else b - a
        longest = max(longest, len(result))
        for i, value in enumerate(sorted(result)):
            indices.append((*row, i))
            values.append(value)
    device = a_values.device if isinstance(a_values, torch.Tensor) else None
    places = torch.tensor(indices, dtype=torch.int64, device=device).reshape(len(indices), len(outer) + 1)
    if isinstance(a_values, torch.Tensor):
        found: Any = torch.tensor(values, dtype=a_values.dtype, device=device)
    else:
        found = np.empty(len(values), dtype=object)
        found[:] = values
    return places, found, torch.tensor([*outer, longest], dtype=torch.int64, device=device)


@_operation.strings
def _(*args: Any) -> Any:
    return _operation.op.fn(*args)


@_operation.infer
def _(a_values: Any, b_values: Any, a_indices: Any, *rest: Any) -> Any:
    rank = a_values.ndim if a_indices is None else a_indices.shape[1]
    return [(int64, (None, rank)), (of(a_values), (None,)), (int64, (rank,))]


def _apply(a: Any, b: Any, kind: str, validate: bool) -> Any:
    from .sparse import SparseTensor

    if _is_sparse(a) and not _is_sparse(b):  # as in TensorFlow, the dense one comes first
        a, b = b, a
        kind = {"a-b": "b-a", "b-a": "a-b"}.get(kind, kind)
    (ai, av, ash), (bi, bv, bsh) = _parts(a), _parts(b)
    if av.dtype is not bv.dtype:
        raise TypeError(f"Types mismatch: {av.dtype!r} != {bv.dtype!r}")
    return SparseTensor(*_operation(av, bv, ai, ash, bi, bsh, kind, validate))


def union(a: Any, b: Any, validate_indices: bool = True) -> Any:
    """The union of the rows of two tensors as sets, a SparseTensor with sorted rows (`tf.sets.union`).

    `a` and `b` are dense or sparse, of one dtype (integers or strings), and agree in all axes but the last.
    """
    return _apply(a, b, "union", validate_indices)


def intersection(a: Any, b: Any, validate_indices: bool = True) -> Any:
    """The elements that the rows of both tensors have, a SparseTensor with sorted rows (`tf.sets.intersection`)."""
    return _apply(a, b, "intersection", validate_indices)


def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> Any:
    """The elements of the rows of `a` that `b` lacks, or with aminusb=False the reverse (`tf.sets.difference`)."""
    return _apply(a, b, "a-b" if aminusb else "b-a", validate_indices)


@op("SetSize", set_indices=_INDEX, set_values=_VALUES, set_shape=_INDEX)
def _size(set_indices: Any, set_values: Any, set_shape: Any, validate: bool) -> Any:
    found, outer = _groups(set_indices, set_values, set_shape, validate)
    out = np.zeros(outer, dtype=np.int32)
    for row, elements in found.items():
        out[row] = len(elements)
    return torch.from_numpy(out)


@_size.strings
def _(*args: Any) -> Any:
    return _size.op.fn(*args)


@_size.infer
def _(set_indices: Any, *rest: Any) -> Any:
    return [(int32, (None,) * (set_indices.shape[1] - 1))]


def size(a: Any, validate_indices: bool = True) -> Tensor:
    """The number of different elements in each row of a SparseTensor, int32 (`tf.sets.size`). TypeError for dense tensors."""
    if not _is_sparse(a):
        raise TypeError(f"Expected `SparseTensor`, got {a}.")
    return _size(a.indices, a.values, a.dense_shape, validate_indices)


__getattr__ = module_getattr("tf.sets")
