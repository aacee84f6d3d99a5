"""flat_map and interleave over elements that are ragged or sparse; numbers are TensorFlow's."""

from __future__ import annotations

import tf2compat as tf


def _lists(dataset) -> list:
    return [x.numpy().tolist() for x in dataset]


def test_windows_of_ragged_rows() -> None:
    rows = tf.ragged.constant([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10]], [[5, 5]]], ragged_rank=1)

    def windows(row):
        parts = tf.data.Dataset.from_tensor_slices(row).window(2, 1, drop_remainder=True)
        return parts.flat_map(lambda w: w.batch(2))

    made = tf.data.Dataset.from_tensor_slices(rows).flat_map(windows)
    assert made.element_spec == tf.TensorSpec([None, 2], tf.int32)
    assert _lists(made) == [[[1, 2], [3, 4]], [[3, 4], [5, 6]], [[7, 8], [9, 10]]]
    sums = tf.data.Dataset.from_tensor_slices(rows).interleave(lambda row: tf.data.Dataset.from_tensors(tf.reduce_sum(row, 0)), cycle_length=2)
    assert _lists(sums) == [[9, 12], [16, 18], [5, 5]]


def test_ragged_elements() -> None:
    elements = tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[[1], [2, 3]], [[4, 5, 6]]]))
    assert _lists(elements.flat_map(lambda row: tf.data.Dataset.from_tensors(tf.reduce_sum(row)))) == [6, 15]
    assert _lists(elements.flat_map(tf.data.Dataset.from_tensor_slices)) == [[1], [2, 3], [4, 5, 6]]


def test_sparse_elements() -> None:
    elements = tf.data.Dataset.from_tensor_slices(tf.sparse.from_dense([[1, 0, 2], [0, 3, 0]]))
    assert _lists(elements.flat_map(lambda row: tf.data.Dataset.from_tensors(tf.sparse.to_dense(row)))) == [[1, 0, 2], [0, 3, 0]]
