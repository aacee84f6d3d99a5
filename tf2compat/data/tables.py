"""Look-up tables filled from datasets."""

from __future__ import annotations

import collections
from typing import Any

from .. import errors
from .._engine.dtypes import as_dtype, int64, string
from . import structure
from .dataset import Dataset

HasherSpec = collections.namedtuple("HasherSpec", ["hasher", "key"])
FastHashSpec = HasherSpec("fasthash", None)


class DatasetInitializer:
    """Keys and values from a dataset of pairs of scalars (`tf.data.experimental.DatasetInitializer`)."""

    def __init__(self, dataset: Any) -> None:
        spec = getattr(dataset, "element_spec", None)
        leaves = structure.leaves(spec) if isinstance(spec, tuple) else []
        if len(leaves) != 2 or any(getattr(s, "shape", None) is None or s.shape.rank != 0 for s in leaves):
            raise ValueError(f"Invalid `dataset`: it must give pairs of scalars, not {spec}")
        self._dataset = dataset
        self.key_dtype, self.value_dtype = leaves[0].dtype, leaves[1].dtype

    def _pairs(self) -> tuple[list[Any], list[Any]]:
        keys, values = [], []
        for key, value in self._dataset._components():
            keys.append(key[()] if hasattr(key, "nonzero") and not hasattr(key, "device") else key.item())
            values.append(value.item())
        return keys, values


def _table(initializer: Any, oov: int, default: Any, key_dtype: Any) -> Any:
    from ..lookup import StaticHashTable, StaticVocabularyTable

    if oov:
        return StaticVocabularyTable(initializer, oov, key_dtype)
    return StaticHashTable(initializer, default)


def table_from_dataset(
    dataset: Any = None, num_oov_buckets: int = 0, vocab_size: Any = None, default_value: Any = None, hasher_spec: Any = FastHashSpec,
    key_dtype: Any = string, name: str | None = None,
) -> Any:  # fmt: skip
    """A table of the (key, value) pairs of a dataset (`tf.data.experimental.table_from_dataset`)."""
    spec = getattr(dataset, "element_spec", None)
    if not isinstance(spec, tuple) or len(spec) != 2:
        raise ValueError(f"`dataset` must give (key, value) pairs, not {spec}")
    if hasher_spec.hasher != "fasthash":
        raise errors.UnimplementedError(None, None, f"table_from_dataset: hasher {hasher_spec.hasher!r} is not supported, only fasthash")
    if num_oov_buckets and vocab_size is not None and vocab_size < 1:
        raise ValueError(f"`vocab_size` must be greater than 0, got {vocab_size}")
    if num_oov_buckets and spec[1].dtype is not int64:
        raise TypeError("If `num_oov_buckets` > 0, the values of `dataset` must be tf.int64")
    if not as_dtype(key_dtype).is_integer and as_dtype(key_dtype) is not string:
        raise TypeError(f"`key_dtype` must be an integer or string type, got {key_dtype}")
    if vocab_size is not None:
        dataset = dataset.take(vocab_size).apply(_exactly(vocab_size))
    if default_value is None:
        default_value = "" if spec[1].dtype is string else -1
    return _table(DatasetInitializer(dataset), num_oov_buckets, default_value, as_dtype(key_dtype))


def _exactly(count: int) -> Any:
    from .experimental import assert_cardinality

    return assert_cardinality(int(count))


def index_table_from_dataset(
    dataset: Any = None, num_oov_buckets: int = 0, vocab_size: Any = None, default_value: Any = -1, hasher_spec: Any = FastHashSpec,
    key_dtype: Any = string, name: str | None = None,
) -> Any:  # fmt: skip
    """A table from the elements of a dataset to their numbers (`tf.data.experimental.index_table_from_dataset`)."""
    if not isinstance(dataset, Dataset):
        raise ValueError(f"`dataset` must be a tf.data.Dataset, got {type(dataset)}")
    pairs = dataset.enumerate().map(lambda i, key: (key, i))
    found = table_from_dataset(pairs, num_oov_buckets, vocab_size, default_value, hasher_spec, key_dtype)
    return found


