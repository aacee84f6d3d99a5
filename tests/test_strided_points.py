"""Convolutions of 1x1 filters with strides, of few channels: torch's kernel for their derivatives damages memory where it is left to itself."""

import subprocess
import sys

import numpy as np
import pytest

import tf2compat as tf

PROGRAM = """
import tf2compat as tf
for transposed in (False, True):
    make = tf.keras.layers.Conv2DTranspose if transposed else tf.keras.layers.Conv2D
    for channels in (2, 3, 5):
        layer = make(channels if transposed else 48, 1, strides=2)
        x = tf.random.normal([1, 128, 128, 48 if transposed else channels])
        for _ in range(5):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(layer(x) ** 2)
            tape.gradient(y, [x, *layer.trainable_variables])
"""


def test_derivatives_leave_memory_alone():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)  # it ended in free()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize("size", [4, 5])
def test_values_and_derivatives(size, padding):
    x = tf.Variable(np.arange(size * size * 3, dtype="f").reshape(1, size, size, 3))
    w = tf.Variable(np.array([[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]], "f"))
    with tf.GradientTape() as tape:
        y = tf.nn.conv2d(x, w, 2, padding)
        total = tf.reduce_sum(y)
    dx, dw = tape.gradient(total, [x, w])
    picked = x.numpy()[:, ::2, ::2]
    np.testing.assert_allclose(y.numpy(), picked @ w.numpy()[0, 0], rtol=1e-6)
    expected = np.zeros_like(x.numpy())
    expected[:, ::2, ::2] = w.numpy()[0, 0].sum(-1)
    np.testing.assert_allclose(dx.numpy(), expected)
    np.testing.assert_allclose(dw.numpy()[0, 0], np.repeat(picked.sum((0, 1, 2))[:, None], 2, 1))


@pytest.mark.parametrize("size", [7, 8])
def test_transposed(size):
    x = tf.Variable(np.arange(4 * 4 * 2, dtype="f").reshape(1, 4, 4, 2))
    w = tf.Variable(np.array([[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]], "f"))
    with tf.GradientTape() as tape:
        y = tf.nn.conv2d_transpose(x, w, [1, size, size, 3], 2, "VALID")
        total = tf.reduce_sum(y)
    expected = np.zeros((1, size, size, 3), "f")
    expected[:, ::2, ::2] = x.numpy() @ w.numpy()[0, 0].T
    np.testing.assert_allclose(y.numpy(), expected)
    np.testing.assert_allclose(tape.gradient(total, w).numpy()[0, 0], np.repeat(x.numpy().sum((0, 1, 2))[None], 3, 0))
    layer = tf.keras.layers.Conv2DTranspose(3, 1, strides=2, bias_initializer="ones")
    assert float(layer(x)[0, 1, 1, 0]) == 1


@pytest.mark.parametrize("strides", [1, 2])
def test_one_filter_of_several_channels(strides):
    x, w = tf.random.normal([1, 5, 5, 2]), tf.random.normal([3, 3, 2, 1])
    with tf.GradientTape() as tape:
        tape.watch(w)
        y = tf.nn.conv2d(x, w, strides, "SAME")
    found = tape.gradient(y, w)
    with tf.GradientTape() as tape:
        two = tf.concat([w, w], -1)
        tape.watch(two)
        y = tf.nn.conv2d(x, two, strides, "SAME")[..., :1]
    np.testing.assert_allclose(found, tape.gradient(y, two)[..., :1], rtol=1e-5, atol=1e-5)
