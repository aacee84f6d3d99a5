"""Variables of a library's own that wrap a layer's: what they compute is what ops see, and the variable inside is trained and saved."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest

import tf2compat as tf


class Halved(tf.Variable):
    """Reads as half of the variable that it holds."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def value(self) -> Any:
        return self.inner.value() * 0.5

    read_value = value

    def _dense_var_to_tensor(self, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
        return self.inner._dense_var_to_tensor(dtype=dtype, name=name) * 0.5

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return self._dense_var_to_tensor(dtype=dtype, name=name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    shape = property(lambda self: self.inner.shape)
    dtype = property(lambda self: self.inner.dtype)
    name = property(lambda self: self.inner.name)
    trainable = property(lambda self: self.inner.trainable)
    constraint = property(lambda self: self.inner.constraint)
    _shared_name = property(lambda self: self.inner._shared_name)


class HalvedDense(tf.keras.layers.Dense):
    def _add_variable_with_custom_getter(self, name: Any, **kwargs: Any) -> Any:
        getter = kwargs.pop("getter")

        def wrapped(*args: Any, **kw: Any) -> Any:
            found = getter(*args, **kw)
            return Halved(found) if name == "kernel" else found

        return super()._add_variable_with_custom_getter(name, getter=wrapped, **kwargs)


def test_ops_see_what_a_wrapper_computes() -> None:
    h = Halved(tf.Variable([2.0, 4.0]))
    assert (tf.convert_to_tensor(h).numpy() == [1, 2]).all()
    assert ((h * 3.0).numpy() == [3, 6]).all()
    assert (tf.concat([h, h], 0).numpy() == [1, 2, 1, 2]).all()
    assert (tf.function(lambda: tf.square(h))().numpy() == [1, 4]).all()
    assert isinstance(h, tf.Variable)


def test_gradients_are_the_held_variables() -> None:
    v = tf.Variable([2.0, 4.0])
    h = Halved(v)

    def both() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(h * h)
        return tape.gradient(loss, [h, v])

    for grads in (both(), tf.function(both)()):
        for g in grads:
            assert (g.numpy() == [1, 2]).all()


@pytest.mark.parametrize("family", [tf.keras.optimizers, tf.keras.optimizers.legacy])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_optimizers_update_the_held_variable(family: Any, name: str) -> None:
    v = tf.Variable([2.0, 4.0])
    getattr(family, name)(0.5).apply_gradients([(tf.constant([1.0, 1.0]), Halved(v))])
    assert np.allclose(v.numpy(), [1.5, 3.5], atol=1e-4)


def test_layers_whose_variables_are_wrapped(tmp_path: Any) -> None:
    model = tf.keras.Sequential([HalvedDense(2, kernel_initializer="ones", input_shape=(3,))])
    assert type(model.weights[0]) is Halved
    assert (model(tf.ones((1, 3))).numpy() == 1.5).all()
    assert (model.predict(np.ones((1, 3)), verbose=0) == 1.5).all()
    model.compile("sgd", "mse")
    assert model.train_on_batch(np.ones((2, 3)), np.ones((2, 2))) == pytest.approx(0.25)
    assert np.allclose(model.weights[0].inner.numpy(), 0.9975)
    plain = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
    for path in (str(tmp_path / "w"), str(tmp_path / "w.h5")):
        model.save_weights(path)
        plain.load_weights(path)
        assert np.allclose(plain.weights[0].numpy(), 0.9975)
    model.save(str(tmp_path / "saved"), save_format="tf")
    served = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"](tf.ones((1, 3)))
    assert np.allclose(next(iter(served.values())).numpy(), model.predict(np.ones((1, 3)), verbose=0))


def test_a_layer_leaves_a_variables_dtype() -> None:
    class Same(tf.keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.identity(x)

    v = tf.Variable(np.ones((2, 3)))
    assert Same()(v).dtype == tf.float64
    assert Same()(tf.constant(v)).dtype == tf.float32
    assert tf.keras.layers.Dense(2)(v).dtype == tf.float32


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs SIGALRM")
def test_what_a_signal_handler_raises_comes_through() -> None:
    class TooLate(Exception):
        pass

    def late(*_: Any) -> None:
        raise TooLate

    x = tf.random.normal((400, 400))

    @tf.function
    def long(x: Any) -> Any:
        for _ in tf.range(100_000):
            x = tf.tanh(tf.matmul(x, x))
        return x

    old = signal.signal(signal.SIGALRM, late)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(TooLate):
            long(x)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
