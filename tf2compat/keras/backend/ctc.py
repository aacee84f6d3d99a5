"""Connectionist temporal classification by Keras' names."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat.nn.ctc import kernel_loss

from .._base.config import settings


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Any:
    """The first `label_lengths` labels of each row of [batch, most labels] as a SparseTensor (`tf.keras.backend.ctc_label_dense_to_sparse`)."""
    labels = tf.convert_to_tensor(labels)
    size = tf.shape(labels)
    inside = tf.sequence_mask(tf.cast(label_lengths, tf.int32), size[1])
    return tf.SparseTensor(tf.where(inside), tf.boolean_mask(labels, inside), tf.cast(size, tf.int64))


def _log(y_pred: Any) -> Any:
    return tf.math.log(tf.transpose(y_pred, [1, 0, 2]) + settings.epsilon)


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """The CTC loss [batch, 1] of labels [batch, most labels] under probabilities [batch, time, classes] (`tf.keras.backend.ctc_batch_cost`).

    Both lengths are [batch, 1]; the blank is the last class.
    """
    label_length = tf.cast(tf.squeeze(label_length, -1), tf.int32)
    input_length = tf.cast(tf.squeeze(input_length, -1), tf.int32)
    loss = kernel_loss(tf.cast(y_true, tf.int32), _log(y_pred), label_length, input_length)
    return tf.expand_dims(loss, 1)


def ctc_decode(y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1) -> tuple[list[Any], Any]:
    """Labels decoded from probabilities [batch, time, classes] (`tf.keras.backend.ctc_decode`).

    A list of the `top_paths` best labels [batch, time], filled up with -1, and their log probabilities. The blank is the last class.
    """
    size = tf.shape(y_pred)
    logits = _log(y_pred)
    lengths = tf.cast(input_length, tf.int32)
    if greedy:
        decoded, score = tf.nn.ctc_greedy_decoder(logits, lengths)
    else:
        from tf2compat.nn.ctc import beam_search

        decoded, score = beam_search(logits, lengths, beam_width, top_paths, merge_repeated=True)
    shape = tf.cast(size[:2], tf.int64)
    return [tf.sparse.to_dense(tf.SparseTensor(d.indices, d.values, shape), default_value=-1) for d in decoded], score
