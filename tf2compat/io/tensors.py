"""Tensors as serialized TensorProto messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._engine import dtypes
from .._engine.convert import numpy_storage
from .._engine.dtypes import string
from .._engine.op import DTYPE, TENSOR, invalid, op, tensor
from .._engine.tensor import numpy_of
from ..strings.elementwise import boxed
from .wire import _varint


def _message() -> Any:
    from tensorboard.compat.proto import tensor_pb2

    return tensor_pb2.TensorProto()


def _serialize(value: Any, packed: bool = False) -> Any:
    """A TensorProto; with `packed`, strings too are one piece of bytes, as sparse tensors have them."""
    message = _message()
    message.dtype = dtypes.of(value).as_datatype_enum
    message.tensor_shape.SetInParent()
    for d in value.shape:
        message.tensor_shape.dim.add(size=int(d))
    if isinstance(value, np.ndarray) and packed:
        message.tensor_content = _packed(value.reshape(-1).tolist())
    elif isinstance(value, np.ndarray):
        message.string_val.extend(value.reshape(-1).tolist())
    else:
        message.tensor_content = np.ascontiguousarray(numpy_of(value)).tobytes()
    return boxed(message.SerializeToString())


def _packed(strings: list[bytes]) -> bytes:
    """The lengths of all strings, each in groups of 7 bits from the lowest, then the strings."""
    lengths = bytearray()
    for text in strings:
        n = len(text)
        while n > 0x7F:
            lengths.append(n & 0x7F | 0x80)
            n >>= 7
        lengths.append(n)
    return bytes(lengths) + b"".join(strings)


def _unpacked(content: bytes, count: int) -> np.ndarray | None:
    """The `count` strings of `_packed`; None if it is not so many."""
    lengths, at, raw = [], 0, content + bytes(8)
    for _ in range(count):
        n, at = _varint(raw, at)
        if n < 0 or at > len(content):
            return None
        lengths.append(n)
    if at + sum(lengths) != len(content):
        return None
    out = np.empty(count, dtype=object)
    for i, n in enumerate(lengths):
        out[i] = content[at : at + n]
        at += n
    return out


@op("SerializeTensor", tensor=TENSOR)
def serialize_tensor(tensor: Any, name: str | None = None) -> Any:
    """A tensor as a scalar string, a TensorProto (`tf.io.serialize_tensor`)."""
    return _serialize(tensor)


serialize_tensor.strings(_serialize)
serialize_tensor.infer(lambda tensor: [(string, ())])


def storage_of(message: Any, size: int, tail: str, wanted: Any = None) -> Any:
    """The tensor of a TensorProto that was read from `size` bytes; InvalidArgumentError when it claims what it does not hold."""
    try:
        found = dtypes.DType(message.dtype)
    except (TypeError, KeyError):
        raise invalid(f"Cannot parse tensor from proto: unknown dtype {message.dtype} {tail}") from None
    if wanted is not None and found is not wanted:
        raise invalid(f"Type mismatch between parsed tensor ({found._cpp}) and dtype ({wanted._cpp}) {tail}")
    shape = [d.size for d in message.tensor_shape.dim]
    if message.tensor_shape.unknown_rank or any(d < 0 for d in shape):
        raise invalid(f"Cannot parse tensor from proto: its shape {shape} is not known {tail}")
    count = 1
    for d in shape:
        count *= d
    if message.tensor_content and found is string:
        strings = _unpacked(message.tensor_content, count) if count <= len(message.tensor_content) else None
        if strings is None:
            raise invalid(f"Cannot parse tensor from proto: {len(message.tensor_content)} bytes for {count} strings {tail}")
        return strings.reshape(shape)
    if message.tensor_content:
        kind = np.dtype(found.as_numpy_dtype)
        if len(message.tensor_content) != count * kind.itemsize:
            raise invalid(f"Cannot parse tensor from proto: {len(message.tensor_content)} bytes for shape {shape} of {found.name} {tail}")
        return numpy_storage(np.frombuffer(bytearray(message.tensor_content), dtype=kind).reshape(shape), found)
    if count > 1 << 20 and count > 64 * size:
        raise invalid(f"Cannot parse tensor from proto: {size} bytes for shape {shape} {tail}")
    try:
        from tensorboard.util.tensor_util import make_ndarray

        array = make_ndarray(message)
    except (TypeError, ValueError) as error:
        raise invalid(f"Cannot parse tensor from proto: {error} {tail}") from error
    return numpy_storage(array.reshape(shape), found)


@op("ParseTensor", serialized=tensor(string, group="serialized"), out_type=DTYPE)
def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Any:
    """The tensor of a serialized TensorProto (`tf.io.parse_tensor`); InvalidArgumentError for other contents or another dtype."""
    from google.protobuf.message import DecodeError

    tail = "[Op:ParseTensor] name: "
    if serialized.ndim:
        raise invalid(f"Expected `serialized` to be a scalar, got shape: {list(serialized.shape)} {tail}")
    message = _message()
    try:
        message.ParseFromString(serialized[()])
    except DecodeError as error:
        raise invalid(f"Could not parse `serialized` as TensorProto, it has {len(serialized[()])} bytes: {error} {tail}") from error
    return storage_of(message, len(serialized[()]), tail, out_type)


parse_tensor.strings(parse_tensor.op.fn)
parse_tensor.infer(lambda serialized, out_type: [(out_type, None)])
