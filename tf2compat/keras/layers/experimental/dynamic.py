"""DynamicLookup and DynamicEmbedding: a vocabulary that follows what a model sees."""

from __future__ import annotations

import os
import random
import string
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine.logs import get_logger

from ..._base.layer import Layer
from ..embedding import Embedding

log = get_logger()

_WORDS = (tf.string, tf.int32, tf.int64)


def _absent(dtype: Any) -> Any:
    """The key of a row of the table that is not in use."""
    return "unk" if dtype == tf.string else -1


def _padded(tensor: Any, size: int) -> Any:
    fill = _absent(tensor.dtype)
    more = tf.maximum(size - tf.shape(tensor)[0], 0)
    return tf.pad(tensor, [[0, more]], constant_values=fill)[:size]


def _drawn(size: int, dtype: Any) -> Any:
    if dtype == tf.string:
        return tf.constant(["".join(random.choices(string.ascii_letters, k=10)) for _ in range(size)])
    return tf.random.uniform([size], 0, size, dtype)


def _most_frequent(keys: Any, counts: Any, k: int) -> Any:
    _, rows = tf.nn.top_k(counts, k=tf.minimum(tf.shape(keys)[0], k))
    return tf.gather(keys, rows)


class DynamicLookup(Layer):
    """Numbers for words, while a table counts what comes by (`tf.keras.layers.experimental.DynamicLookup`).

    Words are numbered by their place in `vocabulary`, which stays as it is until it is assigned; all others are `vocabulary_size`. The table
    `vocabulary_table_keys`, `vocabulary_table_values` holds a fifth more words than that; the least frequent make way for new ones.
    """

    def __init__(self, vocabulary_size: int, initial_vocabulary: Any, eviction_policy: str = "LFU", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.eviction_policy = eviction_policy
        if isinstance(initial_vocabulary, (list, tuple)):  # from a config
            initial_vocabulary = tf.constant(initial_vocabulary)
        if not tf.is_tensor(initial_vocabulary):
            if initial_vocabulary not in _WORDS:
                raise ValueError(
                    "Either specify the initial vocabulary or provide a valid dtype. The dtype argument must be one of the following: "
                    "tf.string, tf.int32, tf.int64."
                )
            initial_vocabulary = _drawn(vocabulary_size, initial_vocabulary)
        if eviction_policy != "LFU":
            raise ValueError(
                f"{eviction_policy} eviction policy is currently unsupported by DynamicLookup layer. It currently only supports `LFU`"
            )
        self.initial_vocabulary = initial_vocabulary
        self.vocabulary_dtype = initial_vocabulary.dtype
        self.internal_table_size = int(np.floor(np.float32(vocabulary_size) * np.float32(1.2)))
        counts = tf.zeros(tf.shape(initial_vocabulary), tf.int32)
        self.vocabulary_table_keys = tf.Variable(
            _padded(initial_vocabulary, self.internal_table_size), trainable=False, name="vocabulary_table_keys"
        )
        self.vocabulary_table_values = tf.Variable(_padded(counts, self.internal_table_size), trainable=False, name="vocabulary_table_values")

    def build(self, input_shape: Any = None) -> None:
        """Create vocabulary [vocabulary_size]."""
        self.vocabulary = self.add_weight(
            shape=self.initial_vocabulary.shape, dtype=self.vocabulary_dtype, trainable=False, name="vocabulary",
            initializer=lambda shape, dtype=None, **_: tf.reshape(self.initial_vocabulary, shape),
        )  # fmt: skip
        super().build(input_shape)

    def call(self, inputs: Any, learn_vocab: bool = True) -> Any:
        """Numbers, int64, of the shape of the words; with `learn_vocab` the words are counted."""
        words = tf.reshape(inputs, [-1])
        if learn_vocab:
            self.update_internal_vocabulary(tf.cast(tf.unique(words)[0], self.vocabulary_dtype))
        same = tf.equal(self.vocabulary, words[:, tf.newaxis])
        numbers = tf.where(tf.reduce_any(same, axis=-1), tf.argmax(tf.cast(same, tf.int32), axis=-1), self.vocabulary_size)
        return tf.reshape(numbers, tf.shape(inputs))

    def update_internal_vocabulary(self, unique: Any) -> Any:
        """Count words, each of them once, and return them."""
        size = self.internal_table_size
        used = tf.not_equal(self.vocabulary_table_keys, _absent(self.vocabulary_dtype))
        keys = tf.boolean_mask(self.vocabulary_table_keys, used)
        counts = tf.boolean_mask(self.vocabulary_table_values, self.vocabulary_table_values != -1)
        new = tf.sets.difference(unique[tf.newaxis], keys[tf.newaxis]).values
        surplus = tf.maximum(tf.shape(keys)[0] + tf.shape(new)[0] - size, 0)
        _, rarest = tf.nn.top_k(-counts, k=tf.minimum(surplus, tf.shape(keys)[0]))
        stays = tf.tensor_scatter_nd_update(tf.ones_like(counts, tf.bool), rarest[:, tf.newaxis], tf.zeros_like(rarest, tf.bool))
        keys, counts = tf.boolean_mask(keys, stays), tf.boolean_mask(counts, stays)
        counts += tf.cast(tf.reduce_any(tf.equal(keys[:, tf.newaxis], unique), axis=-1), tf.int32)
        self.vocabulary_table_keys.assign(_padded(tf.concat([keys, new], 0), size))
        self.vocabulary_table_values.assign(_padded(tf.concat([counts, tf.ones_like(new, tf.int32)], 0), size))
        return unique

    def get_top_vocabulary(self, k: int) -> Any:
        """The k most frequent words of the table, of equally frequent ones those that came first."""
        return _most_frequent(self.vocabulary_table_keys, self.vocabulary_table_values, k)

    def get_vocabulary(self) -> Any:
        """The words that are looked up: a variable."""
        return self.vocabulary

    def get_config(self) -> dict[str, Any]:
        own = {
            "vocabulary_size": self.vocabulary_size,
            "initial_vocabulary": self.initial_vocabulary.numpy().tolist(),
            "eviction_policy": self.eviction_policy,
        }
        return {**super().get_config(), **own}

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary, a word a line, for people to read."""
        _write(os.path.join(dir_path, "vocabulary.txt"), self.vocabulary)


def _write(path: str, words: Any) -> None:
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(str(w) for w in words.numpy().tolist()))


class DynamicEmbedding(Layer):
    """An embedding whose words may change while it is trained (`tf.keras.layers.experimental.DynamicEmbedding`).

    `tf.keras.callbacks.experimental.UpdateEmbeddingCallback` gives the rows of words that are no longer among the `input_dim` most frequent to
    the words that are; without it the vocabulary stays `initial_vocabulary`: words, or one of the dtypes string, int32 and int64, for random ones.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        initial_vocabulary: Any,
        eviction_policy: str = "LFU",
        input_length: int | None = None,
        embedding_initializer: Any = "uniform",
        num_oov_indices: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding_layer = Embedding(
            input_dim + num_oov_indices, output_dim, embeddings_initializer=embedding_initializer, input_length=input_length, **kwargs
        )
        self.dynamic_lookup_layer = DynamicLookup(
            input_dim, initial_vocabulary=initial_vocabulary, eviction_policy=eviction_policy, **kwargs
        )
        self.embedding_initializer = embedding_initializer
        self.num_oov_indices = num_oov_indices

    def build(self, input_shape: Any = None) -> None:
        """Create the vocabulary and the rows of its words."""
        self.embedding_layer.build(input_shape)
        self.dynamic_lookup_layer.build(input_shape)

    def call(self, inputs: Any, learn_vocab: bool = True) -> Any:
        """The rows of words; with `learn_vocab` the words are counted."""
        return self.embedding_layer(self.dynamic_lookup_layer(inputs, learn_vocab=learn_vocab))

    def get_vocabulary(self) -> Any:
        """The words that have rows: a variable."""
        return self.dynamic_lookup_layer.get_vocabulary()

    def get_config(self) -> dict[str, Any]:
        lookup, embedding = self.dynamic_lookup_layer, self.embedding_layer
        own = {
            "input_dim": lookup.vocabulary_size,
            "output_dim": embedding.output_dim,
            "input_length": embedding.input_length,
            "eviction_policy": lookup.eviction_policy,
            "initial_vocabulary": lookup.initial_vocabulary.numpy().tolist(),
            "embedding_initializer": self.embedding_initializer,
            "num_oov_indices": self.num_oov_indices,
        }
        return {**super().get_config(), **own}

    def save_assets(self, dir_path: str) -> None:
        """Write the initial vocabulary, a word a line, for people to read."""
        _write(os.path.join(dir_path, "initial_vocabulary.txt"), self.dynamic_lookup_layer.initial_vocabulary)

    def update_embeddings(self, strategy: Any) -> None:
        """Make the most frequent words the vocabulary: words that stay keep their rows, others begin with new ones."""
        from ...utils import warmstart_embedding_matrix

        lookup = self.dynamic_lookup_layer
        if not lookup.built or not self.embedding_layer.built:
            log.info("Time interval specified by the UpdateEmbeddingCallback may be too small, please try increasing the value of `interval`.")
            return
        words = self.get_top_vocabulary(lookup.vocabulary_table_keys, lookup.vocabulary_table_values, lookup.vocabulary_size)
        rest = [f"\0 out of vocabulary {i}" for i in range(self.num_oov_indices)]
        rows = warmstart_embedding_matrix(
            base_vocabulary=lookup.vocabulary.numpy().tolist(),
            new_vocabulary=words.numpy().tolist() + rest,
            base_embeddings=self.embedding_layer.embeddings,
            new_embeddings_initializer=self.embedding_initializer,
        )
        lookup.vocabulary.assign(words)
        self.embedding_layer.embeddings.assign(rows)

    def aggregate_lookup_table(self, keys_list: Any, values_list: Any) -> tuple[Any, Any]:
        """One table of several: the words, and for each the sum of its counts."""
        keys, which, _ = tf.unique_with_counts(tf.reshape(keys_list, [-1]))
        return keys, tf.math.unsorted_segment_sum(tf.reshape(values_list, [-1]), which, tf.shape(keys)[0])

    def get_top_vocabulary(self, keys: Any, values: Any, k: int) -> Any:
        """The k most frequent words of a table."""
        return _most_frequent(keys, values, k)
