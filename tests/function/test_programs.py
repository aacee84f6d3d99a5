"""Whole programs under `tf.function`: a recurrent model with a loop of its own, eager and traced, trained."""

import numpy as np

import tf2compat as tf


class DynamicRNN(tf.keras.Model):
    def __init__(self, units):
        super(DynamicRNN, self).__init__(self)  # noqa: UP008 - as programs write it
        self.cell = tf.keras.layers.LSTMCell(units)

    def call(self, input_data):
        input_data = tf.transpose(input_data, [1, 0, 2])
        outputs = tf.TensorArray(tf.float32, input_data.shape[0])
        state = self.cell.zero_state(input_data.shape[1], dtype=tf.float32)
        for i in tf.range(input_data.shape[0]):
            output, state = self.cell(input_data[i], state)
            outputs = outputs.write(i, output)
        return tf.transpose(outputs.stack(), [1, 0, 2]), state


def train(traced, steps=4):
    x = tf.constant(np.random.default_rng(0).normal(size=(4, 7, 3)).astype(np.float32))
    model = DynamicRNN(5)
    model(x)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape).astype(np.float32) * 0.1 for w in model.get_weights()])
    optimizer = tf.keras.optimizers.SGD(0.1)

    def step(x):
        with tf.GradientTape() as tape:
            out, _ = model(x)
            loss = tf.reduce_mean(tf.square(out - 1.0))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return loss

    step = tf.function(step) if traced else step
    return [float(step(x)) for _ in range(steps)]


def test_dynamic_rnn_trains_alike_eagerly_and_traced():
    eager, traced = train(False), train(True)
    np.testing.assert_allclose(traced, eager, rtol=1e-5)
    assert traced[-1] < traced[0]


def test_a_loop_over_a_dataset_inside_a_function_trains():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 20)).astype(np.float32), rng.integers(0, 3, 32)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(3)])
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam(0.01)

    @tf.function
    def train_epoch(dataset):
        total, n = 0.0, 0
        for x, y in dataset:
            with tf.GradientTape() as tape:
                loss = loss_fn(y, model(x, training=True))
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
            total += loss
            n += 1
        return total / tf.cast(n, tf.float32), n

    model(x[:1])
    losses = []
    for _ in range(4):
        loss, n = train_epoch(dataset)
        losses.append(float(loss))
        assert int(n) == 4
    assert losses[-1] < losses[0]


def test_a_loop_that_carries_only_an_array_has_a_device():
    @tf.function
    def f(x):
        out = tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            out = out.write(i, x)
        return out.stack()

    assert f(tf.constant(2.0)).numpy().tolist() == [2.0, 2.0, 2.0]
