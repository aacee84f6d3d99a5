"""Open dimensions are known by the inputs that they come from, so that regions of open sizes draw their masks beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf
from tf2compat._engine import tiers
from tf2compat._engine.origins import origin


@pytest.fixture(autouse=True)
def _options() -> Any:
    before = tf.compile_options(), tiers.options.scale
    yield
    tf.compile_options(**before[0])
    tiers.options.scale = before[1]


def _translator() -> Any:
    """A step on sentences and translations of any length: masks of both lengths, and of one less."""
    rng = np.random.default_rng(0)
    table = tf.Variable(rng.normal(size=(20, 8)).astype("float32"))
    mixed = tf.Variable(rng.normal(size=(8, 8)).astype("float32"))

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None), tf.int32)])
    def step(source: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            memory = tf.nn.dropout(tf.nn.embedding_lookup(table, source), 0.25)
            query = tf.nn.dropout(tf.nn.embedding_lookup(table, target[:, :-1]) @ mixed, 0.5)
            share = tf.nn.dropout(tf.nn.softmax(tf.matmul(query, memory, transpose_b=True)), 0.1)
            out = tf.matmul(share, memory)
            place = tf.range(tf.shape(target)[1] - 1)
            loss = tf.reduce_mean(tf.square(out)) + 0.0 * tf.cast(tf.reduce_sum(place), tf.float32)
        grads = tape.gradient(loss, [table, mixed])
        table.assign_sub(0.1 * tf.convert_to_tensor(grads[0]))
        mixed.assign_sub(0.1 * grads[1])
        return loss, tf.shape(share)

    return step, (table, mixed)


_LENGTHS = ((4, 6, 9), (4, 6, 6), (2, 3, 7), (4, 6, 5), (1, 1, 2), (3, 8, 4), (5, 5, 5))


def _run(mode: str, flatten: bool, times: int) -> tuple[Any, list[np.ndarray]]:
    tf.compile_options(mode=mode, backend="eager", flatten=flatten)
    tf.random.set_seed(7)
    step, variables = _translator()
    rng = np.random.default_rng(1)
    found = []
    for batch, n, m in _LENGTHS * times:
        loss, shape = step(rng.integers(0, 20, (batch, n)), rng.integers(0, 20, (batch, m)))
        assert shape.numpy().tolist() == [batch, m - 1, n]
        found.append(loss.numpy())
    return step, [np.array(found), *[v.numpy() for v in variables]]


def test_masks_of_open_sizes_compiled_and_replayed() -> None:
    _, expected = _run("never", False, 2)
    step, found = _run("always", False, 2)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert "1 of 1 regions" in step.explain(), step.explain()
    assert "open sizes)" in step.explain(), step.explain()


def test_masks_of_open_sizes_flattened_and_replayed() -> None:
    _, expected = _run("never", False, 60)
    step, found = _run("never", True, 60)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_dimensions_are_told_apart() -> None:
    @tf.function(input_signature=[tf.TensorSpec((None, None, 3)), tf.TensorSpec((None, None, 3)), tf.TensorSpec((None,))])
    def f(x: Any, y: Any, z: Any) -> Any:
        both = tf.matmul(x, y[:, 1:], transpose_b=True)
        return both, tf.transpose(both, [2, 0, 1]), tf.reshape(x, [-1, 3]), tf.concat([x, y], 1), both + z[:, None, None]

    graph = f.get_concrete_function().graph
    x, y, z = graph.inputs
    both, turned, rows, joined, more = graph.outputs

    def at(t: Any, axis: int) -> Any:
        found = origin(graph, t, axis)
        return found and (found[0]._node.name, *found[1:])

    assert [at(both, i) for i in range(3)] == [("x", 0, 0), ("x", 1, 0), ("y", 1, -1)]
    assert [at(turned, i) for i in range(3)] == [("y", 1, -1), ("x", 0, 0), ("x", 1, 0)]
    assert at(more, 0) == ("x", 0, 0)
    assert at(rows, 0) is None  # a product of two
    assert at(joined, 1) is None  # a sum of two
    assert not any(t is None for t in (x, y, z))


def test_no_sizes_of_unknown_ranks() -> None:
    @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec((None, None))])
    def f(x: Any, y: Any) -> Any:
        return tf.nn.dropout(y, 0.5) * tf.reduce_sum(x)

    graph = f.get_concrete_function().graph
    assert origin(graph, graph.inputs[1], 1) is None
    tf.compile_options(mode="always", backend="eager")
    kept = f(tf.ones([2, 2]), tf.ones([40, 50])).numpy()
    assert set(np.unique(kept)) == {0.0, 8.0}
