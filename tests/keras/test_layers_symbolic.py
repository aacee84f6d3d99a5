"""Layers on symbolic inputs: shapes with open dimensions, functional models of them, and in traced functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf

L = tf.keras.layers


def _conv() -> Any:
    i = L.Input((8, 8, 1))
    x = L.BatchNormalization()(L.MaxPooling2D()(L.Conv2D(4, 3, activation="relu", padding="same")(i)))
    return i, L.Dense(10, activation="softmax")(L.Dropout(0.5)(L.Flatten()(x))), (None, 10), [(2, 8, 8, 1)]


def _recurrent() -> Any:
    i = L.Input((None, 3))
    x = L.Bidirectional(L.GRU(3))(L.LSTM(4, return_sequences=True)(L.Masking()(i)))
    return i, L.Dense(2)(x), (None, 2), [(2, 5, 3)]


def _seq2seq() -> Any:
    one, two = L.Input((None, 3)), L.Input((None, 5))
    _, h, c = L.LSTM(4, return_state=True)(one)
    d, _, _ = L.LSTM(4, return_sequences=True, return_state=True)(two, initial_state=[h, c])
    return [one, two], L.Dense(5)(d), (None, None, 5), [(2, 5, 3), (2, 4, 5)]


def _transformer() -> Any:
    i = L.Input((None, 8))
    a = L.MultiHeadAttention(2, 4)(i, i, use_causal_mask=True)
    return i, L.Dense(2)(L.GlobalAveragePooling1D()(L.LayerNormalization()(a + i))), (None, 2), [(2, 3, 8)]


def _cells() -> Any:
    i = L.Input((None, 4))
    return i, L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True)(i), (None, None, 2), [(2, 5, 4)]


def _images() -> Any:
    i = L.Input((None, None, 3))
    x = L.Conv2DTranspose(4, 3, strides=2, padding="same")(L.Conv2D(4, 3, strides=2, padding="same")(i))
    return i, L.Dense(3)(L.GlobalAveragePooling2D()(L.ZeroPadding2D()(L.UpSampling2D()(x)))), (None, 3), [(2, 7, 6, 3)]


@pytest.mark.parametrize("make", [_conv, _recurrent, _seq2seq, _transformer, _cells, _images])
def test_functional(make: Any) -> None:
    inputs, output, shape, sizes = make()
    assert tuple(output.shape.as_list()) == shape
    model = tf.keras.Model(inputs, output)
    given = [np.random.RandomState(0).uniform(size=s).astype("float32") for s in sizes]
    found = model(given if isinstance(inputs, list) else given[0])
    assert all(a is None or a == b for a, b in zip(shape, found.shape.as_list(), strict=True))


def test_in_a_traced_function() -> None:
    layers = [L.LSTM(3, return_sequences=True), L.Conv1D(4, 2), L.BatchNormalization(), L.Dropout(0.5), L.Flatten(), L.Dense(2)]

    def run(x: Any) -> Any:
        for layer in layers[:3]:
            x = layer(x)
        return layers[5](layers[4](x))

    x = tf.constant(np.random.RandomState(0).uniform(size=(2, 4, 3)).astype("float32"))
    np.testing.assert_allclose(tf.function(run)(x).numpy(), run(x).numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [lambda: L.Dropout(0.4), lambda: L.SpatialDropout1D(0.4), lambda: L.GaussianDropout(0.4), lambda: L.GaussianNoise(0.4)],
)
def test_random_layers_keep_the_mean(layer: Any) -> None:
    x = tf.ones([200, 20, 30])
    out = layer()(x, training=True).numpy()
    assert abs(out.mean() - 1) < 0.05
    assert out.std() > 0.1


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = tf.constant(np.random.RandomState(0).normal(size=(200, 500)).astype("float32"))
    out = L.AlphaDropout(0.3)(x, training=True).numpy()
    assert abs(out.mean()) < 0.05 and abs(out.std() - 1) < 0.05


def test_dropout_zeroes_its_share_and_follows_the_seed() -> None:
    x = tf.ones([1000, 10])
    out = L.Dropout(0.3)(x, training=True).numpy()
    assert abs((out == 0).mean() - 0.3) < 0.03
    np.testing.assert_allclose(out[out != 0], 1 / 0.7, rtol=1e-6)
    whole = L.Dropout(0.5, noise_shape=(None, 1))(x, training=True).numpy()
    assert ((whole == 0).all(1) | (whole != 0).all(1)).all()
    drawn = []
    for _ in range(2):
        tf.random.set_seed(1)  # kernels with the same seeds go on where the last one stopped, until the global seed is set
        drawn.append(L.Dropout(0.5, seed=3)(x, training=True).numpy())
    np.testing.assert_array_equal(*drawn)


def test_stateful_recurrence_goes_on() -> None:
    x = tf.constant(np.random.RandomState(0).uniform(size=(2, 6, 3)).astype("float32"))
    whole = L.LSTM(4)
    kept = L.LSTM(4, stateful=True)
    expected = whole(x).numpy()
    kept(x[:, :3])
    kept.set_weights(whole.get_weights())
    kept.reset_states()
    kept(x[:, :3])
    np.testing.assert_allclose(kept(x[:, 3:]).numpy(), expected, rtol=1e-5)


def test_mixed_precision_layers() -> None:
    layer = L.Dense(3, dtype=tf.keras.mixed_precision.Policy("mixed_bfloat16"))
    out = layer(tf.ones([2, 4]))
    assert out.dtype == tf.bfloat16 and layer.kernel.dtype == tf.float32
    norm = L.BatchNormalization(dtype=tf.keras.mixed_precision.Policy("mixed_bfloat16"))
    assert norm(out, training=True).dtype == tf.bfloat16
    assert norm.gamma.dtype == tf.float32


def test_cells_around_cells() -> None:
    x = tf.constant(np.random.RandomState(0).uniform(size=(2, 4, 3)).astype("float32"))
    inner = L.GRUCell(3)
    plain = L.RNN(inner)(x)
    assert plain.shape == (2, 3)
    step, _ = inner(x[:, 0], [tf.zeros([2, 3])])
    wrapped = tf.nn.RNNCellResidualWrapper(inner)
    found, _ = wrapped(x[:, 0], [tf.zeros([2, 3])])
    np.testing.assert_allclose(found.numpy(), (step + x[:, 0]).numpy(), rtol=1e-6)
    assert L.RNN(wrapped)(x).shape == (2, 3)
    dropped, _ = tf.nn.RNNCellDropoutWrapper(inner, output_keep_prob=0.5)(tf.ones([50, 3]), [tf.zeros([50, 3])])
    assert 0.3 < (dropped.numpy() == 0).mean() < 0.7
    assert tf.nn.RNNCellDeviceWrapper(inner, "/cpu:0")(x[:, 0], [tf.zeros([2, 3])])[0].shape == (2, 3)


def test_a_layer_with_a_compute_mask_of_its_own_supports_masking() -> None:
    class Wrapped(tf.keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = tf.keras.layers.Embedding(5, 2, mask_zero=True)

        def compute_mask(self, *args, **kwargs):
            return self.embedding.compute_mask(*args, **kwargs)

        def call(self, x):
            return self.embedding(x) * 2.0

    layer = Wrapped()
    assert layer.supports_masking
    assert layer(tf.constant([[1, 0]]))._keras_mask.numpy().tolist() == [[True, False]]
    assert not tf.keras.layers.Layer().supports_masking
