"""Lists of elements of different shapes, and values of version 1 as elements; the answers are TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf

from_list = tf.data.experimental.from_list


def test_elements_of_different_shapes() -> None:
    dataset = from_list([[[1]], [[2, 3]]])
    assert dataset.element_spec == tf.TensorSpec([1, None], tf.int32) and len(dataset) == 2
    assert [e.numpy().tolist() for e in dataset] == [[[1]], [[2, 3]]]


@pytest.mark.parametrize("elements", [[(1, b"x"), (2, "y")], [(np.int64(1), b"x"), (np.int64(2), b"y")]])
def test_tuples(elements: Any) -> None:
    assert [(int(a), b.numpy()) for a, b in from_list(elements)] == [(1, b"x"), (2, b"y")]


def test_lists_in_dicts_are_tensors() -> None:
    dataset = from_list([{"a": [1, 2], "b": 1.0}, {"a": [3, 4], "b": 2.0}])
    assert dataset.element_spec == {"a": tf.TensorSpec([2], tf.int32), "b": tf.TensorSpec([], tf.float32)}
    assert [e["a"].numpy().tolist() for e in dataset] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("elements", "message"), [([], "empty"), ((1, 2), "list"), ([1, (2,)], "structure")])
def test_what_is_no_list_of_elements(elements: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_list(elements)


def test_values_of_sparse_tensors() -> None:
    value = tf.compat.v1.SparseTensorValue
    dataset = tf.data.Dataset.range(3).map(lambda i: value(np.array([[0, 0]]), tf.reshape(i, [1]), np.array([1, 1])))
    assert dataset.element_spec == tf.SparseTensorSpec([1, 1], tf.int64) and [e.values.numpy().tolist() for e in dataset] == [[0], [1], [2]]
    assert tf.data.Dataset.from_tensors(value(np.array([[0, 0]]), np.array([5]), np.array([1, 1]))).element_spec == tf.SparseTensorSpec([1, 1], tf.int64)


def test_values_of_ragged_tensors() -> None:
    dataset = tf.data.Dataset.from_tensors(tf.compat.v1.ragged.constant_value([[1], [2, 3]]))
    assert [e.to_list() for e in dataset] == [[[1], [2, 3]]]


def test_a_generator_goes_on_after_an_element_that_does_not_fit() -> None:
    def generator() -> Any:
        yield np.array([1, 2, 3])
        yield np.array([7, 8, 9, 10])
        yield np.array([4, 5, 6])

    elements = iter(tf.data.Dataset.from_generator(generator, output_signature=tf.TensorSpec([3], tf.int64)))
    assert next(elements).numpy().tolist() == [1, 2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        next(elements)
    assert next(elements).numpy().tolist() == [4, 5, 6]
    with pytest.raises(StopIteration):
        next(elements)


@pytest.mark.parametrize("calls", [None, 2])
def test_an_end_within_a_function_is_an_error(calls: Any) -> None:
    def stop(x: Any) -> Any:
        raise StopIteration

    dataset = tf.data.Dataset.from_tensors(0).map(lambda x: tf.numpy_function(stop, [x], tf.int64), num_parallel_calls=calls)
    with pytest.raises(tf.errors.InvalidArgumentError, match="OutOfRangeError"):
        list(dataset)


def test_ragged_batches_of_many_dimensions() -> None:
    dataset = tf.data.Dataset.range(3).map(lambda i: tf.fill(tf.stack([2, tf.cast(i, tf.int32), 3, 2 * tf.cast(i, tf.int32), 1]), i))
    (batch,) = dataset.ragged_batch(3)
    assert batch.to_list() == [e.numpy().tolist() for e in dataset] and batch.ragged_rank == 5


def test_row_lengths_of_an_axis_from_the_last() -> None:
    rows = tf.ragged.constant([[[1, 2], []], [[3]]])
    assert rows.row_lengths(-1).to_list() == [[2, 0], [1]] and rows.row_lengths(-2).numpy().tolist() == [2, 1] and int(rows.row_lengths(-3)) == 2
