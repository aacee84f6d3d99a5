"""Adam where gradients and variables lie in memory otherwise than row by row (values from TensorFlow)."""

import numpy as np

import tf2compat as tf


def test_transposed_gradients_and_variables() -> None:
    random = np.random.default_rng(0)
    variable = tf.Variable(tf.transpose(tf.constant(random.normal(size=(3, 4)).astype("f"))))
    optimizer = tf.keras.optimizers.Adam(0.1)
    for _ in range(3):
        gradient = tf.transpose(tf.constant(random.normal(size=(3, 4)).astype("f")))
        optimizer.apply_gradients([(gradient, variable)])
    expected = [
        [0.30396214, -0.24317744, -0.5070082],
        [0.05245698, 0.4145096, -1.5095625],
        [0.87076616, 1.219198, -0.52633166],
        [0.30246434, 0.7263951, -0.23969236],
    ]
    np.testing.assert_allclose(variable.numpy(), expected, rtol=2e-6 if not tf.config.list_physical_devices("GPU") else 5e-5)  # powers of the betas in float32


def test_a_convolution_learns_as_under_tensorflow() -> None:
    random = np.random.default_rng(0)
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Conv2D(4, 3, padding="same", activation="relu"), layers.Flatten(), layers.Dense(10)])
    x = tf.constant(random.normal(size=(16, 8, 8, 1)).astype("f"))
    y = tf.constant(random.integers(0, 10, 16))
    model(x)
    for variable in model.trainable_variables:
        variable.assign(random.normal(size=variable.shape).astype("f") * 0.1)
    optimizer = tf.keras.optimizers.Adam(0.01)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = []
    for _ in range(5):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        losses.append(float(loss))
    np.testing.assert_allclose(losses, [2.532137, 2.1808975, 1.8816197, 1.6036, 1.3384969], rtol=1e-5)
