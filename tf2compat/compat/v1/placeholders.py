"""`tf.compat.v1.placeholder_with_default`, which eager code has: there it is its default."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.op import ANY, op


@op("PlaceholderWithDefault", input=ANY)
def _default(input: Any, shape: Any) -> Any:  # noqa: A002 - TensorFlow's name
    return input


_default.infer(lambda input, shape: [(tf.as_dtype(input.dtype) if hasattr(input, "device") else tf.string, shape)])
_default.strings(_default.op.fn)


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's name
    """`input`; in a function its static shape is `shape` (`tf.compat.v1.placeholder_with_default`)."""
    value, declared = tf.convert_to_tensor(input), tf.TensorShape(shape)
    if not declared.is_compatible_with(value.shape):
        raise tf.errors.InvalidArgumentError(None, None, f"Input shape {value.shape} is not compatible with the placeholder's shape {declared}")
    return tf.identity(value) if tf.executing_eagerly() else _default(value, None if declared.rank is None else tuple(declared.as_list()))
