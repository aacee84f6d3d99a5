"""What all feature columns are, and what they are computed from."""

from __future__ import annotations

import abc
from typing import Any, NamedTuple

import tf2compat as tf

from .._engine import nest
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import DType


class FeatureColumn(abc.ABC):
    """A recipe for one feature: which keys of the examples it reads and what becomes of them.

    Columns are immutable and equal when their arguments are, so that what was computed for one serves the other.
    """

    #: of the namedtuple that each column is besides
    _fields: tuple[str, ...]

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The name, by which a layer sorts its columns."""

    @property
    @abc.abstractmethod
    def parse_example_spec(self) -> dict[str, Any]:
        """What `tf.io.parse_example` is to be given to get the keys that the column reads."""

    @property
    @abc.abstractmethod
    def parents(self) -> list[Any]:
        """The keys and columns that this one is made of."""

    @abc.abstractmethod
    def transform_feature(self, transformation_cache: FeatureTransformationCache, state_manager: Any) -> Any:
        """What the column makes of its keys; called once for each batch, through the cache."""

    def create_state(self, state_manager: Any) -> None:
        """Create variables; most columns have none."""

    def get_config(self) -> dict[str, Any]:
        """The column's arguments as plain values."""
        from .serialization import plain

        return {k: plain(k, v) for k, v in zip(self._fields, self, strict=True)}  # type: ignore[call-overload]

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, columns_by_name: Any = None) -> Any:
        """The column of what `get_config` returned; ValueError when keys are missing or unknown."""
        from .serialization import revive

        if set(config) != set(cls._fields):
            raise ValueError(f"Invalid config: {config}, expected keys: {cls._fields}")
        return cls(**{k: revive(k, v, custom_objects, columns_by_name) for k, v in config.items()})

    # columns stand in sorted lists and dicts
    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)

    def __gt__(self, other: Any) -> bool:
        return str(self) > str(other)


class DenseColumn(FeatureColumn):
    """A column that gives a dense tensor [batch, …], which a model can take."""

    @property
    @abc.abstractmethod
    def variable_shape(self) -> Any:
        """The shape of one example's part of the tensor."""

    @abc.abstractmethod
    def get_dense_tensor(self, transformation_cache: FeatureTransformationCache, state_manager: Any) -> Any:
        """The tensor of a batch."""


class SequenceDenseColumn(FeatureColumn):
    """A column that gives a dense tensor [batch, time, …] and the length of each sequence."""

    class TensorSequenceLengthPair(NamedTuple):
        """What `get_sequence_dense_tensor` returns."""

        dense_tensor: Any
        sequence_length: Any

    @property
    @abc.abstractmethod
    def variable_shape(self) -> Any:
        """The shape of one step's part of the tensor."""

    @abc.abstractmethod
    def get_sequence_dense_tensor(self, transformation_cache: FeatureTransformationCache, state_manager: Any) -> Any:
        """The tensor of a batch and the lengths."""


class CategoricalColumn(FeatureColumn):
    """A column that gives ids below `num_buckets`, any number of them for each example."""

    class IdWeightPair(NamedTuple):
        """What `get_sparse_tensors` returns: SparseTensors, or None for weights that are all 1."""

        id_tensor: Any
        weight_tensor: Any

    @property
    @abc.abstractmethod
    def num_buckets(self) -> int:
        """How many ids there are."""

    @abc.abstractmethod
    def get_sparse_tensors(self, transformation_cache: FeatureTransformationCache, state_manager: Any) -> Any:
        """The ids of a batch, sparse, and their weights."""

    def dense_ids(self, transformation_cache: FeatureTransformationCache, state_manager: Any) -> Any:
        """The ids of a batch as a tensor [batch, n] in which NO_ID stands for none; None where only the sparse form will do."""
        return None


class FeatureTransformationCache:
    """The features of a batch, and what columns have made of them so far."""

    def __init__(self, features: dict[str, Any]) -> None:
        self._features = features
        self._made: dict[Any, Any] = {}

    def get(self, key: Any, state_manager: Any = None, training: Any = None) -> Any:
        """The feature of that name with at least two dimensions, or what that column makes of the features.

        ValueError for an unknown name and for scalars; TypeError for what is neither name nor column.
        """
        found = self._made.get(key)
        if found is not None:
            return found
        if key in self._features:
            found = _with_rank_two(key, self._features[key])
        elif isinstance(key, str):
            raise ValueError(f"Feature {key} is not in features dictionary.")
        elif not isinstance(key, FeatureColumn):
            raise TypeError(f'"key" must be either a "str" or "FeatureColumn". Provided: {key}')
        else:
            found = key.transform_feature(self, state_manager)
            if found is None:
                raise ValueError(f"Column {key.name} is not supported.")
        self._made[key] = found
        return found

    def once(self, key: Any, make: Any) -> Any:
        """`make()`, called the first time that this key is asked for."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def sparse_or_dense(value: Any) -> Any:
    return value if isinstance(value, tf.SparseTensor) or tf.is_tensor(value) else convert_to_tensor(value)


def _with_rank_two(key: str, value: Any) -> Any:
    found = sparse_or_dense(value)
    if isinstance(found, tf.RaggedTensor):
        raise TypeError(f"Feature (key: {key}) is a RaggedTensor; feature columns take tensors and SparseTensors: call its to_sparse().")
    rank = found.shape.rank
    if rank == 0:
        raise ValueError(f"Feature (key: {key}) cannot have rank 0. Given: {found}")
    if rank is None:
        raise ValueError(f"Feature (key: {key}) has an unknown number of dimensions. Given: {found}")
    if rank > 1:
        return found
    if isinstance(found, tf.SparseTensor):
        return tf.sparse.reshape(found, tf.stack([found.dense_shape[0], tf.constant(1, tf.int64)]))
    return tf.expand_dims(found, -1)


def nothing(dtype: DType) -> Any:
    """The value that stands for none in a dense feature."""
    return "" if dtype is tf.string else -1 if dtype.is_integer else 0.0


def to_sparse(value: Any, ignored: Any = None) -> Any:
    """A dense feature as a SparseTensor without the values that stand for none."""
    if isinstance(value, tf.SparseTensor):
        return value
    where = tf.where(tf.not_equal(value, tf.constant(nothing(value.dtype) if ignored is None else ignored, value.dtype)))
    return tf.SparseTensor(where, tf.gather_nd(value, where), tf.shape(value, out_type=tf.int64))


def sequence_length(found: Any, num_elements: int = 1) -> Any:
    """How many steps each row of a SparseTensor has: the last place that holds something, in steps of `num_elements` values."""
    rows = found.dense_shape[0]
    ends = found.indices[:, 1] + 1
    longest = tf.math.unsorted_segment_max(ends, found.indices[:, 0], rows)
    longest = tf.maximum(longest, tf.zeros_like(longest))  # the least integer where a row is empty
    return (longest + (num_elements - 1)) // num_elements


def check_key(key: Any) -> None:
    """ValueError unless the key is a string."""
    if not isinstance(key, str):
        raise ValueError(f"key must be a string. Got: type {type(key)}. Given key: {key}.")


def check_string_or_int(dtype: DType, prefix: str) -> None:
    """ValueError for other dtypes."""
    if dtype != tf.string and not dtype.is_integer:
        raise ValueError(f"{prefix} dtype must be string or integer. dtype: {dtype}.")


def checked_shape(shape: Any, key: str) -> tuple[int, ...]:
    """A shape as a tuple of positive ints."""
    found = tuple(shape) if nest.is_nested(shape) else (shape,)
    for dimension in found:
        if not isinstance(dimension, int):
            raise TypeError(f"shape dimensions must be integer. shape: {found}, key: {key}")
        if dimension < 1:
            raise ValueError(f"shape dimensions must be greater than 0. shape: {found}, key: {key}")
    return found
