"""What sessions gave for tensors with several parts, as NumPy arrays; `tf.test.TestCase.evaluate` still does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import tf2compat as tf

from .dropped import SparseTensorValue


class IndexedSlicesValue(NamedTuple):
    """The parts of IndexedSlices (`tf.compat.v1.IndexedSlicesValue`)."""

    values: Any
    indices: Any
    dense_shape: Any


class RaggedTensorValue:
    """The parts of a RaggedTensor (`tf.compat.v1.ragged.RaggedTensorValue`); ops take it for one."""

    __slots__ = ("_row_splits", "_values")

    def __init__(self, values: Any, row_splits: Any) -> None:
        if not (isinstance(row_splits, (np.ndarray, np.generic)) and row_splits.dtype in (np.int64, np.int32) and row_splits.ndim == 1):
            raise TypeError("row_splits must be a 1D int32 or int64 numpy array")
        if not isinstance(values, (np.ndarray, np.generic, RaggedTensorValue)):
            raise TypeError("values must be a numpy array or a RaggedTensorValue")
        if isinstance(values, RaggedTensorValue) and row_splits.dtype != values.row_splits.dtype:
            raise ValueError("row_splits and values.row_splits must have the same dtype")
        self._values, self._row_splits = values, row_splits

    @property
    def row_splits(self) -> Any:
        return self._row_splits

    @property
    def values(self) -> Any:
        """The contents of all rows, one after the other."""
        return self._values

    @property
    def dtype(self) -> Any:
        return self._values.dtype

    @property
    def flat_values(self) -> Any:
        """The innermost values."""
        return self._values.flat_values if isinstance(self._values, RaggedTensorValue) else self._values

    @property
    def nested_row_splits(self) -> tuple[Any, ...]:
        inner = self._values.nested_row_splits if isinstance(self._values, RaggedTensorValue) else ()
        return (self._row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        return len(self.nested_row_splits)

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (self._row_splits.shape[0] - 1, None, *self._values.shape[1:])

    def to_list(self) -> list[Any]:
        """Nested Python lists."""
        inner = self._values.to_list() if isinstance(self._values, RaggedTensorValue) else self._values.tolist()
        return [inner[a:b] for a, b in zip(self._row_splits[:-1], self._row_splits[1:], strict=True)]

    def __str__(self) -> str:
        return f"<tf.RaggedTensorValue {self.to_list()}>"

    def __repr__(self) -> str:
        return f"tf.RaggedTensorValue(values={self._values!r}, row_splits={self._row_splits!r})"

    def _tensor(self) -> Any:
        return tf.RaggedTensor.from_nested_row_splits(self.flat_values, self.nested_row_splits, validate=False)

    def _tf_op(self, op: Any, args: tuple[Any, ...]) -> Any:
        return op.public(*(_tensors(a) for a in args))


def _tensors(value: Any) -> Any:
    if isinstance(value, RaggedTensorValue):
        return value._tensor()
    return [_tensors(v) for v in value] if type(value) is list else value


def value_of(tensor: Any) -> Any:
    """A tensor's value, or the values of its parts."""
    if isinstance(tensor, tf.SparseTensor):
        return SparseTensorValue(tensor.indices.numpy(), tensor.values.numpy(), tensor.dense_shape.numpy())
    if isinstance(tensor, tf.RaggedTensor):
        return RaggedTensorValue(value_of(tensor.values), tensor.row_splits.numpy())
    if isinstance(tensor, tf.IndexedSlices):
        shape = tensor.dense_shape
        return IndexedSlicesValue(tensor.values.numpy(), tensor.indices.numpy(), None if shape is None else shape.numpy())
    return tensor.numpy() if hasattr(tensor, "numpy") else tensor
