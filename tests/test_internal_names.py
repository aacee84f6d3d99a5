"""`tf.__internal__`: what libraries ask of it; the answers are TensorFlow's."""

from __future__ import annotations

import pytest

import tf2compat as tf

INTERNAL = tf.__internal__


def test_kinds_of_tensors() -> None:
    x, v = tf.constant(1.0), tf.Variable(1.0)
    any_tensor, eager = INTERNAL.types.Tensor, INTERNAL.EagerTensor
    assert isinstance(x, any_tensor) and isinstance(v, any_tensor)
    assert isinstance(x, eager) and not isinstance(v, eager)
    assert issubclass(tf.Tensor, any_tensor) and issubclass(tf.Variable, any_tensor)
    for other in (tf.ragged.constant([[1]]), tf.sparse.from_dense([1]), tf.keras.Input((3,))):
        assert not isinstance(other, any_tensor)
    seen = []

    @tf.function
    def f(a):
        seen.append((isinstance(a, any_tensor), isinstance(a, eager), INTERNAL.get_name_scope()))
        with tf.name_scope("a"), tf.name_scope("b"):
            seen.append(INTERNAL.get_name_scope().rpartition("/")[2])
        return a

    f(x)
    assert seen == [(True, False, ""), "b"]
    assert INTERNAL.get_name_scope() == ""
    with tf.name_scope("a"):
        assert INTERNAL.get_name_scope() == "a"


def test_decorated_functions() -> None:
    def adapted(s):
        return s.upper()

    made = INTERNAL.decorator.make_decorator(len, adapted)
    assert made("a") == "A" and INTERNAL.decorator.unwrap(made)[1] is len


def test_weights_are_broadcast() -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    cast = INTERNAL.ops.broadcast_weights
    assert cast(2.0, values).numpy().tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert cast([[1.0], [2.0]], values).numpy().tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert cast([[1, 2]], values).numpy().tolist() == [[1.0, 2.0], [1.0, 2.0]]
    for weights, told in (
        ([1.0, 2.0], r"values.rank=2. weights.rank=1. values.shape=\(2, 2\). weights.shape=\(2,\)"),
        ([[1.0, 2.0, 3.0]], "Mismatch at dim 1"),
    ):
        with pytest.raises(ValueError, match="weights can not be broadcast to values. " + told):
            cast(weights, values)


def test_a_target_is_its_own_source() -> None:
    def unused():
        with tf.GradientTape() as tape:
            pass
        return tape

    x, n, v = tf.constant([1.0, 2.0]), tf.constant([1, 2]), tf.Variable(3.0)
    assert unused().gradient(x, x).numpy().tolist() == [1.0, 1.0]
    assert unused().gradient([x, x], x).numpy().tolist() == [2.0, 2.0]
    assert unused().gradient(n, n).numpy().tolist() == [1, 1]
    assert unused().gradient(tf.identity(x), x) is None
    first, second = unused().gradient([x], [x, v], output_gradients=[tf.constant([2.0, 3.0])])
    assert first.numpy().tolist() == [2.0, 3.0] and second is None
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * 2
    assert tape.gradient([y, x], x).numpy().tolist() == [3.0, 3.0]

    @tf.function
    def f(a):
        b = a * 2
        with tf.GradientTape() as tape:
            c = b
        return tape.gradient(c, b)

    assert f(x).numpy().tolist() == [1.0, 1.0]


def test_eager_loops_let_gradients_through() -> None:
    """`back_prop=False` is a matter of graphs; arrays are loop variables of eager loops."""

    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            _, y, kept = tf.while_loop(
                lambda i, y, kept: i < 3, lambda i, y, kept: (i + 1, y * x, kept.write(i, y)), [0, x, tf.TensorArray(tf.float32, 3)], back_prop=False
            )
            z = y + tf.reduce_sum(kept.stack())
        return tape.gradient(z, x), z

    x = tf.constant(2.0)
    gradient, z = run(x)
    assert float(gradient) == 49.0 and float(z) == 30.0
    gradient, z = tf.function(run)(x)
    assert gradient is None and float(z) == 30.0


def test_eager_execution_is_on_already() -> None:
    from tf2compat._private import places

    assert places.HELPERS["framework.ops.enable_eager_execution_internal"] == places.HELPERS["framework.ops.enable_eager_execution"]
    tf.compat.v1.enable_eager_execution()
    assert tf.executing_eagerly()
