"""Columns of ids: of hashes, vocabularies, integers, crosses."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

import tf2compat as tf

from .._engine.dtypes import as_dtype
from ..ragged.crossing import NO_ID, cross_single
from .base import CategoricalColumn, FeatureColumn, check_key, check_string_or_int, nothing, to_sparse
from .numeric import BucketizedColumn


class _OfKey(CategoricalColumn):
    """A column whose ids come from one feature's values, each by itself."""

    __slots__ = ()

    key: str
    dtype: Any

    def _ids(self, values: Any, state_manager: Any) -> Any:
        """The ids of a tensor of values."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        return self.key

    @property
    def parents(self) -> list[Any]:
        return [self.key]

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: tf.io.VarLenFeature(self.dtype)}

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        found = to_sparse(transformation_cache.get(self.key, state_manager))
        return tf.SparseTensor(found.indices, self._ids(found.values, state_manager), found.dense_shape)

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return CategoricalColumn.IdWeightPair(transformation_cache.get(self, state_manager), None)

    def dense_ids(self, transformation_cache: Any, state_manager: Any) -> Any:
        found = transformation_cache.get(self.key, state_manager)
        if isinstance(found, tf.SparseTensor) or found.shape.rank != 2:
            return None

        def make() -> Any:
            ids = self._ids(found, state_manager)
            return tf.where(tf.equal(found, tf.constant(nothing(found.dtype), found.dtype)), tf.constant(NO_ID, tf.int64), ids)

        return transformation_cache.once((self, "dense"), make)

    def _check(self, values: Any) -> None:
        check_string_or_int(values.dtype, f"column_name: {self.key} input_tensor")
        if self.dtype.is_integer != values.dtype.is_integer:
            raise ValueError(
                f"Column dtype and SparseTensors dtype must be compatible. key: {self.key}, column dtype: {self.dtype}, "
                f"tensor dtype: {values.dtype}"
            )


class HashedCategoricalColumn(_OfKey, namedtuple("HashedCategoricalColumn", ("key", "hash_bucket_size", "dtype"))):
    """See `categorical_column_with_hash_bucket`."""

    __slots__ = ()

    @property
    def num_buckets(self) -> int:
        return self.hash_bucket_size

    def _ids(self, values: Any, state_manager: Any) -> Any:
        self._check(values)
        return tf.strings.to_hash_bucket_fast(values if self.dtype is tf.string else tf.as_string(values), self.hash_bucket_size)


class _Vocabulary(_OfKey):
    """A column whose ids a table holds."""

    __slots__ = ()

    def _table(self, dtype: Any) -> Any:
        raise NotImplementedError

    def _ids(self, values: Any, state_manager: Any) -> Any:
        self._check(values)
        kind = tf.int64 if values.dtype.is_integer else self.dtype
        if kind is tf.int64:
            values = tf.cast(values, tf.int64)
        name = f"{self.key}_lookup"
        if state_manager is not None and state_manager.has_resource(self, name):
            table = state_manager.get_resource(self, name)
        else:
            with tf.init_scope():
                table = self._table(kind)
            if state_manager is not None:
                state_manager.add_resource(self, name, table)
        return table.lookup(values)


def _table_of(initializer: Any, oov: int, default: int) -> Any:
    return tf.lookup.StaticVocabularyTable(initializer, oov) if oov else tf.lookup.StaticHashTable(initializer, default)


class VocabularyListCategoricalColumn(
    _Vocabulary, namedtuple("VocabularyListCategoricalColumn", ("key", "vocabulary_list", "dtype", "default_value", "num_oov_buckets"))
):
    """See `categorical_column_with_vocabulary_list`."""

    __slots__ = ()

    @property
    def num_buckets(self) -> int:
        return len(self.vocabulary_list) + self.num_oov_buckets

    def _table(self, dtype: Any) -> Any:
        keys = tf.constant(list(self.vocabulary_list), dtype)
        ids = tf.range(len(self.vocabulary_list), dtype=tf.int64)
        return _table_of(tf.lookup.KeyValueTensorInitializer(keys, ids), self.num_oov_buckets, self.default_value)


class VocabularyFileCategoricalColumn(
    _Vocabulary,
    namedtuple(
        "VocabularyFileCategoricalColumn",
        ("key", "vocabulary_file", "vocabulary_size", "num_oov_buckets", "dtype", "default_value", "file_format"),
    ),
):
    """See `categorical_column_with_vocabulary_file`."""

    __slots__ = ()

    @property
    def num_buckets(self) -> int:
        return self.vocabulary_size + self.num_oov_buckets

    def _table(self, dtype: Any) -> Any:
        if self.file_format == "tfrecord_gzip":
            lines = list(tf.data.TFRecordDataset(self.vocabulary_file, "GZIP").take(self.vocabulary_size).as_numpy_iterator())
            keys = tf.constant(lines, tf.string)
            keys = keys if dtype is tf.string else tf.strings.to_number(keys, dtype)
            initializer: Any = tf.lookup.KeyValueTensorInitializer(keys, tf.range(len(lines), dtype=tf.int64))
        else:
            initializer = tf.lookup.TextFileInitializer(
                self.vocabulary_file, dtype, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
                vocab_size=self.vocabulary_size,
            )  # fmt: skip
        return _table_of(initializer, self.num_oov_buckets, self.default_value)


class IdentityCategoricalColumn(_OfKey, namedtuple("IdentityCategoricalColumn", ("key", "number_buckets", "default_value"))):
    """See `categorical_column_with_identity`."""

    __slots__ = ()
    dtype = tf.int64

    @property
    def num_buckets(self) -> int:
        return self.number_buckets

    def _ids(self, values: Any, state_manager: Any) -> Any:
        if not values.dtype.is_integer:
            raise ValueError(f"Invalid input, not integer. key: {self.key} dtype: {values.dtype}")
        ids = tf.cast(values, tf.int64)
        if self.default_value is None:
            return ids
        outside = tf.logical_or(ids < 0, ids >= self.number_buckets)
        return tf.where(outside, tf.constant(self.default_value, tf.int64), ids)


class WeightedCategoricalColumn(
    CategoricalColumn, namedtuple("WeightedCategoricalColumn", ("categorical_column", "weight_feature_key", "dtype"))
):
    """See `weighted_categorical_column`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec = dict(self.categorical_column.parse_example_spec)
        if self.weight_feature_key in spec:
            raise ValueError(f"Parse config {spec[self.weight_feature_key]} already exists for {self.weight_feature_key}.")
        spec[self.weight_feature_key] = tf.io.VarLenFeature(self.dtype)
        return spec

    @property
    def parents(self) -> list[Any]:
        return [self.categorical_column, self.weight_feature_key]

    @property
    def num_buckets(self) -> int:
        return self.categorical_column.num_buckets

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        weights = transformation_cache.get(self.weight_feature_key, state_manager)
        if weights.dtype != self.dtype:
            raise ValueError(f"Bad dtype, expected {self.dtype}, but got {weights.dtype}.")
        weights = to_sparse(weights, 0)
        if not weights.dtype.is_floating:
            weights = tf.cast(weights, tf.float32)
        return self.categorical_column.get_sparse_tensors(transformation_cache, state_manager).id_tensor, weights

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return CategoricalColumn.IdWeightPair(*transformation_cache.get(self, state_manager))


class CrossedColumn(CategoricalColumn, namedtuple("CrossedColumn", ("keys", "hash_bucket_size", "hash_key"))):
    """See `crossed_column`."""

    __slots__ = ()

    @property
    def _leaves(self) -> list[Any]:
        """The keys and columns that are crossed; those of crosses among them, not the crosses."""
        out: list[Any] = []
        for key in self.keys:
            out.extend(key._leaves if isinstance(key, CrossedColumn) else [key])
        return out

    @property
    def name(self) -> str:
        return "_X_".join(sorted(k.name if isinstance(k, FeatureColumn) else k for k in self._leaves))

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        for key in self.keys:
            spec.update(key.parse_example_spec if isinstance(key, FeatureColumn) else {key: tf.io.VarLenFeature(tf.string)})
        return spec

    @property
    def parents(self) -> list[Any]:
        return list(self.keys)

    @property
    def num_buckets(self) -> int:
        return self.hash_bucket_size

    def _ordered(self, transformation_cache: Any, state_manager: Any) -> list[Any]:
        """The keys and columns in the order in which their values are hashed: what is sparse, as columns are, before dense features."""
        leaves = self._leaves
        sparse = [isinstance(k, CategoricalColumn) or isinstance(transformation_cache.get(k, state_manager), tf.SparseTensor) for k in leaves]
        return [k for k, s in zip(leaves, sparse, strict=True) if s] + [k for k, s in zip(leaves, sparse, strict=True) if not s]

    def _inputs(self, transformation_cache: Any, state_manager: Any) -> list[Any]:
        found = []
        for key in self._ordered(transformation_cache, state_manager):
            if isinstance(key, BucketizedColumn):
                found.append(key.dense_ids(transformation_cache, state_manager))
            elif isinstance(key, CategoricalColumn):
                pair = key.get_sparse_tensors(transformation_cache, state_manager)
                if pair.weight_tensor is not None:
                    raise ValueError(
                        "crossed_column does not support weight_tensor, but the given column populates weight_tensor. "
                        f"Given column: {key.name}"
                    )
                found.append(pair.id_tensor)
            else:
                found.append(transformation_cache.get(key, state_manager))
        return found

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        found = tf.ragged.cross_hashed(self._inputs(transformation_cache, state_manager), self.hash_bucket_size, self.hash_key)
        return found.to_sparse()

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return CategoricalColumn.IdWeightPair(transformation_cache.get(self, state_manager), None)

    def dense_ids(self, transformation_cache: Any, state_manager: Any) -> Any:
        """Where each feature has one value for each example, so has the cross."""
        found, skipped = [], []
        for key in self._ordered(transformation_cache, state_manager):
            if isinstance(key, CategoricalColumn):
                ids = key.dense_ids(transformation_cache, state_manager)
                if isinstance(key, _OfKey):
                    skipped.append(len(found))
            else:
                ids = transformation_cache.get(key, state_manager)
                if isinstance(ids, tf.SparseTensor) or not (ids.dtype is tf.string or ids.dtype.is_integer):
                    return None
            if ids is None or ids.shape.rank != 2 or ids.shape[1] != 1:
                return None
            found.append(ids if ids.dtype is tf.string else tf.cast(ids, tf.int64))
        make = lambda: cross_single(found, self.hash_bucket_size, self.hash_key, tuple(skipped))  # noqa: E731
        return transformation_cache.once((self, "dense"), make)


class SequenceCategoricalColumn(CategoricalColumn, namedtuple("SequenceCategoricalColumn", ("categorical_column",))):
    """A categorical column whose values are the steps of a sequence."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self.categorical_column.name

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        return [self.categorical_column]

    @property
    def num_buckets(self) -> int:
        return self.categorical_column.num_buckets

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self.categorical_column.transform_feature(transformation_cache, state_manager)

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        ids, weights = self.categorical_column.get_sparse_tensors(transformation_cache, state_manager)
        shape = ids.dense_shape
        steps = tf.stack([shape[0], shape[1], tf.reduce_prod(shape[2:])])
        return CategoricalColumn.IdWeightPair(
            tf.sparse.reshape(ids, steps), None if weights is None else tf.sparse.reshape(weights, steps)
        )


def _checked_oov(key: str, num_oov_buckets: Any, has_default: bool) -> None:
    if num_oov_buckets:
        if has_default:
            raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
        if num_oov_buckets < 0:
            raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}.")


def categorical_column_with_hash_bucket(key: str, hash_bucket_size: int, dtype: Any = tf.string) -> Any:
    """Hashes of strings or integers, TensorFlow's own (`tf.feature_column.categorical_column_with_hash_bucket`).

    Empty strings and -1 stand for none in dense features, here as in the other categorical columns.
    """
    if hash_bucket_size is None:
        raise ValueError(f"hash_bucket_size must be set. key: {key}")
    if hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    check_key(key)
    dtype = as_dtype(dtype)
    check_string_or_int(dtype, f"column_name: {key}")
    return HashedCategoricalColumn(key, hash_bucket_size, dtype)


def categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Any, dtype: Any = None, default_value: Any = -1, num_oov_buckets: int = 0
) -> Any:
    """Places in a list of strings or integers (`tf.feature_column.categorical_column_with_vocabulary_list`).

    Other values get `default_value`, or one of the ids after the list's by their hash. ValueError for an empty list,
    for duplicates and for both ways at once.
    """
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    if len(set(vocabulary_list)) != len(vocabulary_list):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    found = as_dtype(np.array(vocabulary_list).dtype)
    _checked_oov(key, num_oov_buckets, default_value != -1)
    check_string_or_int(found, f"column_name: {key} vocabulary")
    if dtype is None:
        dtype = found
    dtype = as_dtype(dtype)
    if dtype.is_integer != found.is_integer:
        raise ValueError(f"dtype {dtype} and vocabulary dtype {found} do not match, column_name: {key}")
    check_string_or_int(dtype, f"column_name: {key}")
    check_key(key)
    return VocabularyListCategoricalColumn(key, tuple(vocabulary_list), dtype, default_value, num_oov_buckets)


def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    dtype: Any = tf.string,
    default_value: Any = None,
    num_oov_buckets: int = 0,
    file_format: str | None = None,
) -> Any:
    """Numbers of the lines of a file (`tf.feature_column.categorical_column_with_vocabulary_file`).

    `file_format` "tfrecord_gzip" reads compressed records instead. ValueError when there is no such file.
    """
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    if file_format is None and str(vocabulary_file).endswith("tfrecord.gz"):
        file_format = "tfrecord_gzip"
    if vocabulary_size is None:
        if not tf.io.gfile.exists(vocabulary_file):
            raise ValueError(f"vocabulary_file in {key} does not exist.")
        if file_format == "tfrecord_gzip":
            vocabulary_size = sum(1 for _ in tf.data.TFRecordDataset(vocabulary_file, "GZIP").as_numpy_iterator())
        else:
            with tf.io.gfile.GFile(vocabulary_file, "rb") as lines:
                vocabulary_size = sum(1 for _ in lines)
    if vocabulary_size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}.")
    _checked_oov(key, num_oov_buckets, default_value is not None)
    dtype = as_dtype(dtype)
    check_string_or_int(dtype, f"column_name: {key}")
    check_key(key)
    return VocabularyFileCategoricalColumn(
        key, vocabulary_file, vocabulary_size, num_oov_buckets or 0, dtype, -1 if default_value is None else default_value, file_format
    )


def categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> Any:
    """Integers that are ids already; those outside become `default_value` (`tf.feature_column.categorical_column_with_identity`)."""
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    check_key(key)
    return IdentityCategoricalColumn(key, num_buckets, default_value)


def weighted_categorical_column(categorical_column: Any, weight_feature_key: str, dtype: Any = tf.float32) -> Any:
    """Ids with weights, which another feature holds (`tf.feature_column.weighted_categorical_column`)."""
    found = None if dtype is None else as_dtype(dtype)
    if found is None or not (found.is_integer or found.is_floating):
        raise ValueError(f"dtype {dtype} is not convertible to float.")
    return WeightedCategoricalColumn(categorical_column, weight_feature_key, found)


def crossed_column(keys: Any, hash_bucket_size: int, hash_key: int | None = None) -> Any:
    """All combinations of features' values in an example, hashed as TensorFlow hashes them (`tf.feature_column.crossed_column`).

    `keys` are names of string features and categorical columns, but not hashed ones.
    """
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise ValueError(
                "Unsupported key type. All keys must be either string, or categorical column except HashedCategoricalColumn. "
                f"Given: {key}"
            )
        if isinstance(key, HashedCategoricalColumn):
            raise ValueError(
                "categorical_column_with_hash_bucket is not supported for crossing. Hashing before crossing will increase probability of "
                f"collision. Instead, use the feature name as a string. Given: {key}"
            )
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key)


def sequence_categorical_column_with_hash_bucket(key: str, hash_bucket_size: int, dtype: Any = tf.string) -> Any:
    """A sequence of hashes (`tf.feature_column.sequence_categorical_column_with_hash_bucket`)."""
    return SequenceCategoricalColumn(categorical_column_with_hash_bucket(key, hash_bucket_size, dtype))


def sequence_categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> Any:
    """A sequence of integers (`tf.feature_column.sequence_categorical_column_with_identity`)."""
    return SequenceCategoricalColumn(categorical_column_with_identity(key, num_buckets, default_value))


def sequence_categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Any, dtype: Any = None, default_value: Any = -1, num_oov_buckets: int = 0
) -> Any:
    """A sequence of places in a list (`tf.feature_column.sequence_categorical_column_with_vocabulary_list`)."""
    return SequenceCategoricalColumn(
        categorical_column_with_vocabulary_list(key, vocabulary_list, dtype, default_value, num_oov_buckets)
    )


def sequence_categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: Any = None,
    dtype: Any = tf.string,
) -> Any:
    """A sequence of numbers of lines (`tf.feature_column.sequence_categorical_column_with_vocabulary_file`)."""
    return SequenceCategoricalColumn(
        categorical_column_with_vocabulary_file(key, vocabulary_file, vocabulary_size, dtype, default_value, num_oov_buckets)
    )
