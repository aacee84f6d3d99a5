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
