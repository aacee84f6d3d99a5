"""Columns that make vectors of ids: indicators and embeddings."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import tf2compat as tf

from .base import CategoricalColumn, DenseColumn, FeatureColumn, SequenceDenseColumn, sequence_length
from .categorical import SequenceCategoricalColumn, WeightedCategoricalColumn


class _OfIds(DenseColumn, SequenceDenseColumn):
    """What indicators and embeddings have in common."""

    __slots__ = ()

    categorical_column: Any
    #: the function that makes such columns, for messages
    _made_by = ""

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        return [self.categorical_column]

    def _vectors(self, transformation_cache: Any, state_manager: Any) -> Any:
        raise NotImplementedError

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        """ValueError for columns of sequences."""
        if isinstance(self.categorical_column, SequenceCategoricalColumn):
            raise ValueError(
                f"In {self._made_by}: {self.name}. categorical_column must not be of type SequenceCategoricalColumn. "
                "Suggested fix A: If you wish to use DenseFeatures, use a non-sequence categorical_column_with_*. Suggested fix B: If you "
                "wish to create sequence input, use SequenceFeatures instead of DenseFeatures. "
                f"Given (type {type(self.categorical_column)}): {self.categorical_column}"
            )
        return self._vectors(transformation_cache, state_manager)

    def get_sequence_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        """ValueError for columns of no sequences."""
        if not isinstance(self.categorical_column, SequenceCategoricalColumn):
            raise ValueError(
                f"In {self._made_by}: {self.name}. categorical_column must be of type SequenceCategoricalColumn to use SequenceFeatures. "
                "Suggested fix: Use one of sequence_categorical_column_with_*. "
                f"Given (type {type(self.categorical_column)}): {self.categorical_column}"
            )
        ids = self.categorical_column.get_sparse_tensors(transformation_cache, state_manager).id_tensor
        return SequenceDenseColumn.TensorSequenceLengthPair(self._vectors(transformation_cache, state_manager), sequence_length(ids))


class IndicatorColumn(_OfIds, namedtuple("IndicatorColumn", ("categorical_column",))):
    """See `indicator_column`."""

    __slots__ = ()
    _made_by = "indicator_column"

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_indicator"

    @property
    def variable_shape(self) -> Any:
        return tf.TensorShape([1, self.categorical_column.num_buckets])

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        size = int(self.categorical_column.num_buckets)
        ids = self.categorical_column.dense_ids(transformation_cache, state_manager)
        if ids is not None:
            return tf.reduce_sum(tf.one_hot(ids, size), -2)
        ids, weights = self.categorical_column.get_sparse_tensors(transformation_cache, state_manager)
        if weights is None:
            return tf.reduce_sum(tf.one_hot(tf.sparse.to_dense(ids, -1), size), -2)
        known = tf.logical_and(ids.values >= 0, ids.values < size)
        places = tf.boolean_mask(tf.concat([ids.indices[:, :-1], ids.values[:, tf.newaxis]], 1), known)
        shape = tf.concat([ids.dense_shape[:-1], tf.constant([size], tf.int64)], 0)
        return tf.scatter_nd(places, tf.boolean_mask(weights.values, known), shape)

    def _vectors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self, state_manager)


class TruncatedNormal:
    """The initializer of embeddings, whose numbers are those of `tf.random.truncated_normal`."""

    def __init__(self, mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        self.mean, self.stddev, self.seed, self.dtype = mean, stddev, seed, tf.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return tf.random.truncated_normal(shape, self.mean, self.stddev, tf.as_dtype(dtype or self.dtype), self.seed)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed, "dtype": self.dtype.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The initializer of what `get_config` returned."""
        return cls(**config)


def _initialized(initializer: Any, path: Any, name: Any) -> Any:
    """The initializer, or one that reads a variable from a checkpoint."""
    if path is None:
        return initializer

    def saved(shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return tf.reshape(tf.constant(tf.train.load_variable(path, name), dtype), shape)

    return saved


def _looked_up(column: Any, table: Any, transformation_cache: Any, state_manager: Any) -> Any:
    ids = None if column.max_norm is not None else column.categorical_column.dense_ids(transformation_cache, state_manager)
    if ids is not None and column.combiner in ("mean", "sqrtn", "sum"):
        return _combined(table, ids, column.combiner)
    found, weights = column.categorical_column.get_sparse_tensors(transformation_cache, state_manager)
    safe = column.use_safe_embedding_lookup or found.shape.rank is None or found.shape.rank > 2
    look_up = tf.nn.safe_embedding_lookup_sparse if safe else tf.nn.embedding_lookup_sparse
    return look_up(table, found, weights, combiner=column.combiner, max_norm=column.max_norm)


def _combined(table: Any, ids: Any, combiner: str) -> Any:
    """The rows of ids [batch, n], those of -1 and less left out, combined over n; zeros where nothing is left."""
    there = tf.cast(ids >= 0, tf.float32)
    rows = tf.gather(table, tf.maximum(ids, 0))
    if ids.shape[-1] == 1:
        return tf.squeeze(rows, 1) * there
    total = tf.reduce_sum(rows * there[..., tf.newaxis], 1)
    if combiner == "sum":
        return total
    count = tf.reduce_sum(there, 1, keepdims=True)
    return total / tf.maximum(tf.sqrt(count) if combiner == "sqrtn" else count, 1.0)


class EmbeddingColumn(
    _OfIds,
    namedtuple(
        "EmbeddingColumn",
        ("categorical_column", "dimension", "combiner", "initializer", "ckpt_to_load_from", "tensor_name_in_ckpt", "max_norm", "trainable",
         "use_safe_embedding_lookup"),
    ),
):  # fmt: skip
    """See `embedding_column`."""

    __slots__ = ()
    _made_by = "embedding_column"

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_embedding"

    @property
    def variable_shape(self) -> Any:
        return tf.TensorShape([self.dimension])

    def create_state(self, state_manager: Any) -> None:
        state_manager.create_variable(
            self, "embedding_weights", (self.categorical_column.num_buckets, self.dimension), tf.float32, self.trainable, True,
            _initialized(self.initializer, self.ckpt_to_load_from, self.tensor_name_in_ckpt),
        )  # fmt: skip

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self.categorical_column, state_manager)

    def _vectors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return _looked_up(self, state_manager.get_variable(self, "embedding_weights"), transformation_cache, state_manager)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, columns_by_name: Any = None) -> Any:
        return super().from_config({"use_safe_embedding_lookup": True} | config, custom_objects, columns_by_name)


class SharedTable:
    """The one variable behind several columns, created when it is first read."""

    def __init__(self, dimension: int, make: Any) -> None:
        self.dimension = dimension
        self._make = make
        self._variable: Any = None

    @property
    def embedding_weights(self) -> Any:
        if self._variable is None:
            with tf.init_scope():
                self._variable = self._make()
        return self._variable


class SharedEmbeddingColumn(
    _OfIds,
    namedtuple(
        "SharedEmbeddingColumn",
        ("categorical_column", "shared_embedding_column_creator", "combiner", "max_norm", "use_safe_embedding_lookup"),
    ),
):
    """See `shared_embeddings`."""

    __slots__ = ()
    _made_by = "embedding_column"

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_shared_embedding"

    @property
    def variable_shape(self) -> Any:
        return tf.TensorShape([self.shared_embedding_column_creator.dimension])

    def create_state(self, state_manager: Any) -> None:
        state_manager.add_variable(self, self.shared_embedding_column_creator.embedding_weights)

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self.categorical_column, state_manager)

    def _vectors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return _looked_up(self, self.shared_embedding_column_creator.embedding_weights, transformation_cache, state_manager)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("Must be implemented in subclasses.")


def indicator_column(categorical_column: Any) -> Any:
    """How often each id occurs in an example, or the sum of its weights (`tf.feature_column.indicator_column`)."""
    if not isinstance(categorical_column, CategoricalColumn):
        raise ValueError(f"Unsupported input type. Input must be a CategoricalColumn. Given: {categorical_column}")
    return IndicatorColumn(categorical_column)


def _checked(dimension: Any, ckpt_to_load_from: Any, tensor_name_in_ckpt: Any, initializer: Any, of: str) -> Any:
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if (ckpt_to_load_from is None) != (tensor_name_in_ckpt is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified.{of}")
    return TruncatedNormal(0.0, 1 / math.sqrt(dimension)) if initializer is None else initializer


def embedding_column(
    categorical_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: Any = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> Any:
    """A trained vector for each id, several of an example combined (`tf.feature_column.embedding_column`).

    The vectors begin as truncated normal numbers of deviation 1/√dimension, or as a variable of a checkpoint.
    """
    of = f" Embedding of column_name: {categorical_column.name}"
    initializer = _checked(dimension, ckpt_to_load_from, tensor_name_in_ckpt, initializer, of)
    return EmbeddingColumn(
        categorical_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable,
        use_safe_embedding_lookup,
    )  # fmt: skip


def _inner(column: Any) -> Any:
    while isinstance(column, (WeightedCategoricalColumn, SequenceCategoricalColumn)):
        column = column.categorical_column
    return column


def shared_embeddings(
    categorical_columns: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: Any = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> Any:
    """A list of columns that share their vectors (`tf.feature_column.shared_embeddings`).

    RuntimeError outside of graphs, where TensorFlow has none either; ValueError for columns of different kinds or sizes.
    """
    if tf.executing_eagerly():
        raise RuntimeError("shared_embedding_columns are not supported when eager execution is enabled.")
    initializer = _checked(dimension, ckpt_to_load_from, tensor_name_in_ckpt, initializer, "")
    ordered = sorted(categorical_columns, key=lambda c: c.name)
    first = ordered[0]
    if not isinstance(first, CategoricalColumn):
        raise ValueError(f"All categorical_columns must be subclasses of CategoricalColumn. Given: {first}, of type: {type(first)}")
    size, first = first.num_buckets, _inner(first)
    for other in map(_inner, ordered[1:]):
        if not isinstance(other, type(first)):
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same type, or be weighted_categorical_column or "
                f"sequence column of the same type. Given column: {first} of type: {type(first)} does not match given column: {other} of "
                f"type: {type(other)}"
            )
        if size != other.num_buckets:
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same number of buckets. Given column: "
                f"{first} with buckets: {size} does  not match column: {other} with buckets: {other.num_buckets}"
            )
    name = shared_embedding_collection_name or "_".join(c.name for c in ordered) + "_shared_embedding"
    begin = _initialized(initializer, ckpt_to_load_from, tensor_name_in_ckpt)
    table = SharedTable(
        dimension, lambda: tf.Variable(lambda: begin((size, dimension), dtype=tf.float32), trainable=trainable, name=name)
    )
    return [SharedEmbeddingColumn(c, table, combiner, max_norm, use_safe_embedding_lookup) for c in categorical_columns]


def make_parse_example_spec(feature_columns: Any) -> dict[str, Any]:
    """What `tf.io.parse_example` has to be told for these columns (`tf.feature_column.make_parse_example_spec`).

    ValueError when two columns want the same key in different forms.
    """
    found: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"All feature_columns must be FeatureColumn instances. Given: {column}")
        for key, value in column.parse_example_spec.items():
            if key in found and value != found[key]:
                raise ValueError(f"feature_columns contain different parse_spec for key {key}. Given {value} and {found[key]}")
            found[key] = value
    return found
