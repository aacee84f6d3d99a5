"""Sparse tensors as rows of three strings: indices, values and shape, each a serialized tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.devices import hosted
from .._engine.dtypes import as_dtype, int64, string
from .._engine.op import DTYPE, TENSOR, invalid, op, tensor
from ..sparse.arranging import sparse
from ..sparse.sparse_tensor import SparseTensor
from .tensors import _serialize

_INDICES = tensor(int64, group="indices")
_SHAPE = tensor(int64, group="shape")


def _out(out_type: Any) -> Any:
    kind = as_dtype(out_type)
    if kind is not string:
        if kind is dtypes.variant:
            raise NotImplementedError("sparse tensors are serialized as strings; tf2compat has no variant tensors")
        raise TypeError(f"out_type must be tf.string or tf.variant, got {kind!r}")
    return kind


def _row(indices: Any, values: Any, shape: Any) -> list[bytes]:
    return [_serialize(part, packed=True)[()] for part in (indices, values, shape)]


def _objects(rows: list[list[bytes]]) -> np.ndarray:
    out = np.empty((len(rows), 3), dtype=object)
    for i, row in enumerate(rows):
        out[i, :] = row
    return out


@op("SerializeSparse", indices=_INDICES, values=TENSOR, shape=_SHAPE)
def _serialize_one(indices: Any, values: Any, shape: Any) -> Any:
    return _objects([_row(indices, values, shape)])[0]


@op("SerializeManySparse", indices=_INDICES, values=TENSOR, shape=_SHAPE)
def _serialize_many(indices: Any, values: Any, shape: Any) -> Any:
    if shape.shape[0] < 2:
        raise invalid("Rank of input SparseTensor should be > 1, but saw rank: 1 [Op:SerializeManySparse] name: ")
    rows = indices[:, 0].cpu().numpy()
    out = []
    for i in range(int(shape[0])):
        mine = np.flatnonzero(rows == i)
        out.append(_row(indices[mine][:, 1:], values[mine], shape[1:]))
    return _objects(out)


@op("DeserializeManySparse", multi=True, serialized=tensor(string, group="serialized"), dtype=DTYPE)
def _deserialize(serialized: Any, dtype: Any, rank: Any, name_: str) -> Any:
    tail = f"[Op:{name_}] name: "
    if serialized.ndim < 1 or serialized.shape[-1] != 3:
        raise invalid(f"Serialized sparse should have 3 columns but got {serialized.shape[-1] if serialized.ndim else 0} {tail}")
    outer = serialized.shape[:-1]
    indices, values, shapes = [], [], []
    for i, (a, b, c) in enumerate(serialized.reshape(-1, 3).tolist()):
        at, value, dims = (_parsed(text, i, tail) for text in (a, b, c))
        if dtypes.of(value) is not dtype:
            raise invalid(
                f"Requested SparseTensor of type {dtype._cpp} but SparseTensor[{i}].values.dtype() == {dtypes.of(value)._cpp} {tail}"
            )
        if at.ndim != 2 or value.ndim != 1 or dims.ndim != 1 or at.shape[0] != value.shape[0] or at.shape[1] != dims.shape[0]:
            raise invalid(
                f"Expected serialized_sparse[{i}, 0] to represent an index matrix, but received shapes {list(at.shape)}, "
                f"{list(value.shape)}, {list(dims.shape)} {tail}"
            )
        if rank is not None and dims.shape[0] != rank - len(outer):
            raise invalid(f"Inconsistent rank of serialized_sparse[{i}]: {dims.shape[0]} is not {rank - len(outer)} {tail}")
        if shapes and len(shapes[0]) != len(dims):
            raise invalid(f"Inconsistent shape across SparseTensors: rank prior to SparseTensor[{i}] was: {len(shapes[0])} but rank of it is: {len(dims)} {tail}")
        places = np.unravel_index(i, outer) if outer else ()
        lead = torch.tensor([int(p) for p in places], dtype=torch.int64).expand(at.shape[0], len(places))
        indices.append(torch.cat([lead, at], 1))
        values.append(value)
        shapes.append(dims)
    if not shapes:
        raise invalid(f"Must have at least 1 serialized SparseTensor, but input matrix has 0 rows {tail}")
    biggest = torch.stack(shapes).amax(0)
    joined = np.concatenate(values) if isinstance(values[0], np.ndarray) else torch.cat(values)
    return torch.cat(indices), joined, torch.cat([torch.tensor(outer, dtype=torch.int64), biggest])


@hosted
def _parsed(text: bytes, i: int, tail: str) -> Any:
    from google.protobuf.message import DecodeError

    from .tensors import _message, storage_of

    message = _message()
    try:
        message.ParseFromString(text)
        return storage_of(message, len(text), tail)
    except DecodeError:
        raise invalid(f"Could not parse serialized proto {tail}") from None


for _f in (_serialize_one, _serialize_many, _deserialize):
    _f.strings(_f.op.fn)
_serialize_one.infer(lambda indices, values, shape: [(string, (3,))])
_serialize_many.infer(lambda indices, values, shape: [(string, (None, 3))])
_deserialize.infer(lambda serialized, dtype, rank, name_: [(int64, (None, rank)), (dtype, (None,)), (int64, (rank,))])


def serialize_sparse(sp_input: Any, out_type: Any = dtypes.string, name: str | None = None) -> Any:
    """A sparse tensor as a vector of 3 strings (`tf.io.serialize_sparse`)."""
    _out(out_type)
    value = sparse(sp_input)
    return _serialize_one(value.indices, value.values, value.dense_shape)


def serialize_many_sparse(sp_input: Any, out_type: Any = dtypes.string, name: str | None = None) -> Any:
    """A sparse tensor [n, …] as n rows of 3 strings (`tf.io.serialize_many_sparse`)."""
    _out(out_type)
    value = sparse(sp_input)
    return _serialize_many(value.indices, value.values, value.dense_shape)


def deserialize_many_sparse(serialized_sparse: Any, dtype: Any, rank: Any = None, name: str | None = None) -> SparseTensor:
    """The sparse tensor [n, …] of n rows of 3 strings (`tf.io.deserialize_many_sparse`); InvalidArgumentError for others."""
    return SparseTensor(*_deserialize(serialized_sparse, as_dtype(dtype), None if rank is None else int(rank), "DeserializeManySparse"))
