"""Columns of numbers."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

import tf2compat as tf

from .._engine import nest
from .._engine.dtypes import as_dtype
from ..keras.layers.statistics import bucketize
from .base import CategoricalColumn, DenseColumn, SequenceDenseColumn, check_key, checked_shape, sequence_length


class NumericColumn(
    DenseColumn, namedtuple("NumericColumn", ("key", "shape", "default_value", "dtype", "normalizer_fn"))
):
    """See `numeric_column`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: tf.io.FixedLenFeature(self.shape, self.dtype, self.default_value)}

    @property
    def parents(self) -> list[Any]:
        return [self.key]

    @property
    def variable_shape(self) -> Any:
        return tf.TensorShape(self.shape)

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        found = transformation_cache.get(self.key, state_manager)
        if isinstance(found, tf.SparseTensor):
            raise ValueError(
                f"The corresponding Tensor of numerical column must be a Tensor. SparseTensor is not supported. key: {self.key}"
            )
        if self.normalizer_fn is not None:
            found = self.normalizer_fn(found)
        return tf.cast(found, tf.float32)

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self, state_manager)


class BucketizedColumn(DenseColumn, CategoricalColumn, namedtuple("BucketizedColumn", ("source_column", "boundaries"))):
    """See `bucketized_column`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.source_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        return [self.source_column]

    @property
    def variable_shape(self) -> Any:
        return tf.TensorShape((*self.source_column.shape, len(self.boundaries) + 1))

    @property
    def num_buckets(self) -> int:
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return bucketize(transformation_cache.get(self.source_column, state_manager), self.boundaries)

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        return tf.one_hot(transformation_cache.get(self, state_manager), len(self.boundaries) + 1)

    def dense_ids(self, transformation_cache: Any, state_manager: Any) -> Any:
        """Buckets of the second number follow those of the first, and so on."""
        found = tf.cast(transformation_cache.get(self, state_manager), tf.int64)
        width = self.source_column.shape[0]
        return found if width == 1 else found + tf.range(width, dtype=tf.int64) * (len(self.boundaries) + 1)

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        ids = self.dense_ids(transformation_cache, state_manager)
        rows, columns = tf.meshgrid(tf.range(tf.shape(ids, tf.int64)[0]), tf.range(ids.shape[1], dtype=tf.int64), indexing="ij")
        where = tf.stack([tf.reshape(rows, [-1]), tf.reshape(columns, [-1])], 1)
        return CategoricalColumn.IdWeightPair(tf.SparseTensor(where, tf.reshape(ids, [-1]), tf.shape(ids, tf.int64)), None)


class SequenceNumericColumn(
    SequenceDenseColumn, namedtuple("SequenceNumericColumn", ("key", "shape", "default_value", "dtype", "normalizer_fn"))
):
    """See `sequence_numeric_column`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: tf.io.VarLenFeature(self.dtype)}

    @property
    def parents(self) -> list[Any]:
        return [self.key]

    @property
    def variable_shape(self) -> Any:
        return tf.TensorShape(self.shape)

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        found = transformation_cache.get(self.key, state_manager)
        return found if self.normalizer_fn is None else self.normalizer_fn(found)

    def get_sequence_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        found = transformation_cache.get(self, state_manager)
        dense = tf.sparse.to_dense(found, default_value=self.default_value)
        dense = tf.reshape(dense, tf.concat([tf.shape(dense)[:1], [-1], self.shape], 0))
        each = int(np.prod(self.shape)) if found.shape.rank == 2 else 1
        return SequenceDenseColumn.TensorSequenceLengthPair(dense, sequence_length(found, each))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if nest.is_nested(value) else value


def _filled(shape: tuple[int, ...], value: Any) -> Any:
    return tuple(_filled(shape[1:], value) for _ in range(shape[0])) if shape else value


def _checked_default(shape: tuple[int, ...], value: Any, dtype: Any, key: str) -> Any:
    if value is None:
        return None
    if isinstance(value, int) or (isinstance(value, float) and dtype.is_floating):
        return _filled(shape, value)
    if callable(getattr(value, "tolist", None)):
        value = value.tolist()
    if nest.is_nested(value):
        if np.shape(value) != shape:
            raise ValueError(f"The shape of default_value must be equal to given shape. default_value: {value}, shape: {shape}, key: {key}")
        flat = nest.flatten(value)
        if all(isinstance(v, int) for v in flat) or (any(isinstance(v, float) for v in flat) and dtype.is_floating):
            return _tuples(value)
    raise TypeError(f"default_value must be compatible with dtype. default_value: {value}, dtype: {dtype}, key: {key}")


def _checked_number(dtype: Any, key: str, normalizer_fn: Any) -> Any:
    dtype = as_dtype(dtype)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, key: {key}")
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    return dtype


def numeric_column(key: str, shape: Any = (1,), default_value: Any = None, dtype: Any = tf.float32, normalizer_fn: Any = None) -> Any:
    """The numbers of a feature, as float32 (`tf.feature_column.numeric_column`).

    `shape` is one example's, `normalizer_fn` is called with the batch. ValueError for a dtype that is no number's and for a
    shape that is none, TypeError for a default of another kind.
    """
    shape = checked_shape(shape, key)
    dtype = _checked_number(dtype, key, None)
    default_value = _checked_default(shape, default_value, dtype, key)
    _checked_number(dtype, key, normalizer_fn)
    check_key(key)
    return NumericColumn(key, shape, default_value, dtype, normalizer_fn)


def sequence_numeric_column(
    key: str, shape: Any = (1,), default_value: Any = 0.0, dtype: Any = tf.float32, normalizer_fn: Any = None
) -> Any:
    """The numbers of a sequence: a sparse feature of any length (`tf.feature_column.sequence_numeric_column`)."""
    shape = checked_shape(shape, key)
    dtype = _checked_number(dtype, key, normalizer_fn)
    return SequenceNumericColumn(key, shape, default_value, dtype, normalizer_fn)


def bucketized_column(source_column: Any, boundaries: Any) -> Any:
    """Which of the intervals between `boundaries` each number falls into (`tf.feature_column.bucketized_column`).

    ValueError unless the source is a numeric column of one dimension and the boundaries rise.
    """
    if not isinstance(source_column, NumericColumn):
        raise ValueError(f"source_column must be a column generated with numeric_column(). Given: {source_column}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not boundaries:
        raise ValueError("boundaries must not be empty.")
    if not isinstance(boundaries, (list, tuple)) or any(a >= b for a, b in zip(boundaries, boundaries[1:], strict=False)):
        raise ValueError("boundaries must be a sorted list.")
    return BucketizedColumn(source_column, tuple(boundaries))
