"""Attributes of nodes, and constants, as Python values."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import dtypes

_MAX_BYTES = 1 << 30


class Damaged(ValueError):
    """A graph that is not one; the message says why."""


def dtype_of(number: int) -> Any:
    """A dtype by its number; a reference to it (of TensorFlow 1) counts as the dtype."""
    try:
        return dtypes.as_dtype(number - 100 if 100 < number < 200 else number)
    except TypeError as error:
        raise Damaged(f"it has an unknown dtype, {number}") from error


def shape_of(proto: Any) -> list[int | None] | None:
    """The dimensions of a TensorShapeProto, or None for an unknown rank."""
    if proto.unknown_rank:
        return None
    if len(proto.dim) > 254:
        raise Damaged(f"it has a shape of {len(proto.dim)} dimensions")
    return [None if dim.size < 0 else dim.size for dim in proto.dim]


def constant_of(proto: Any) -> Any:
    """A TensorProto as a tensor, with bounds on what a few bytes may stand for."""
    dtype = dtype_of(proto.dtype)
    dims = shape_of(proto.tensor_shape)
    if dims is None or None in dims:
        raise Damaged("a constant has no definite shape")
    count = int(np.prod(dims, dtype=object))
    if count * max(1, dtype.size) > max(_MAX_BYTES, proto.ByteSize()):
        raise Damaged(f"a constant of shape {dims} is implausibly large")
    try:
        array = tf.make_ndarray(proto)
    except (ValueError, TypeError) as error:
        raise Damaged(f"a constant cannot be read: {error}") from error
    if array.shape != tuple(dims):
        raise Damaged(f"a constant of shape {dims} has {array.size} values")
    if dtype is dtypes.string:
        array = array.astype(object)
    return tf.constant(array, dtype=dtype)


def value_of(attribute: Any) -> Any:
    """An AttrValue: int, float, bool, bytes, dtype, shape, tensor, name of a function, or a list of these."""
    kind = attribute.WhichOneof("value")
    if kind == "type":
        return dtype_of(attribute.type)
    if kind == "shape":
        return shape_of(attribute.shape)
    if kind == "tensor":
        return attribute.tensor
    if kind == "func":
        return attribute.func.name
    if kind == "list":
        content = attribute.list
        for name in ("s", "i", "f", "b"):
            if len(getattr(content, name)):
                return list(getattr(content, name))
        if len(content.type):
            return [dtype_of(number) for number in content.type]
        if len(content.shape):
            return [shape_of(item) for item in content.shape]
        if len(content.func):
            return [item.name for item in content.func]
        return list(content.tensor)
    return None if kind is None else getattr(attribute, kind)
