"""What libraries import from `tensorflow.python.ops.ragged`."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat.compat.v1.values import RaggedTensorValue


def is_ragged(value: Any) -> bool:
    """Whether a value is a ragged tensor, or a ragged NumPy value."""
    return isinstance(value, (tf.RaggedTensor, RaggedTensorValue))


def convert_to_tensor_or_ragged_tensor(value: Any, dtype: Any = None, preferred_dtype: Any = None, name: str | None = None) -> Any:
    """A ragged tensor as it is, a ragged value as a ragged tensor, and all else as a tensor. ValueError for another dtype than `dtype`."""
    if isinstance(value, RaggedTensorValue):
        flat = tf.convert_to_tensor(value.flat_values, dtype, preferred_dtype)
        return tf.RaggedTensor.from_nested_row_splits(flat, value.nested_row_splits, validate=False)
    if isinstance(value, tf.RaggedTensor):
        if dtype is not None and not tf.as_dtype(dtype).is_compatible_with(value.dtype):
            raise ValueError(f"Tensor conversion requested dtype {tf.as_dtype(dtype).name} for RaggedTensor with dtype {value.dtype.name}: {value}.")
        return value
    return tf.convert_to_tensor(value, dtype, preferred_dtype, name)


def match_row_splits_dtypes(*tensors: Any, **kwargs: Any) -> Any:
    """The tensors, the ragged ones with row splits of one dtype; with `return_dtype=True`, that dtype before them."""
    with_dtype = kwargs.pop("return_dtype", False)
    if kwargs:
        raise ValueError(f"Unexpected keyword args {','.join(kwargs)}.")
    found = {t.row_splits.dtype for t in tensors if isinstance(t, tf.RaggedTensor)}
    kind = tf.int64 if tf.int64 in found else tf.int32 if found else None
    if len(found) > 1:
        tensors = tuple(t.with_row_splits_dtype(kind) if isinstance(t, tf.RaggedTensor) else t for t in tensors)
    return (kind, tensors) if with_dtype else tensors


def to_tensor(rt_input: Any, default_value: Any = None, name: str | None = None) -> Any:
    return rt_input.to_tensor(default_value) if isinstance(rt_input, tf.RaggedTensor) else rt_input


def from_tensor(tensor: Any, lengths: Any = None, padding: Any = None, ragged_rank: int = 1, row_splits_dtype: Any = "int64", name: str | None = None) -> Any:
    if isinstance(tensor, tf.RaggedTensor):
        return tensor
    return tf.RaggedTensor.from_tensor(tensor, lengths, padding, ragged_rank, name, tf.as_dtype(row_splits_dtype))


def to_sparse(rt_input: Any, name: str | None = None) -> Any:
    return rt_input.to_sparse(name)


def from_sparse(st_input: Any, name: str | None = None) -> Any:
    return tf.RaggedTensor.from_sparse(st_input, name)


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """Of each row of `params`, those values that a row of `indices` numbers."""
    return tf.gather(params, indices, batch_dims=-1, name=name)


def ragged_tensor_to_string(rt: Any, summarize: int | None = None) -> Any:
    """The text that `tf.print` shows for a ragged tensor."""
    return tf.strings.format("{}", [rt], summarize=-1 if summarize is None else summarize)
