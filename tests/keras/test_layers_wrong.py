"""Wrong use of layers raises the exception class that Keras 2 raised (recorded), with a message that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tf2compat as tf

L = tf.keras.layers
one = lambda *sizes: tf.ones(sizes)  # noqa: E731

#: what is called, and the class of what Keras raised
WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: L.Dense(-3), "ValueError"),
    (lambda: L.Dense(2)(one(3)), "ValueError"),
    (lambda: L.Dense(2).build((None, None)), "ValueError"),
    (lambda: L.Dense(2, activation="nope"), "ValueError"),
    (lambda: L.Dense(2, kernel_initializer="nope"), "ValueError"),
    (lambda: L.Dense(2, foo=1), "TypeError"),
    (lambda: (lambda d: (d(one(2, 3)), d(one(2, 4))))(L.Dense(2)), "ValueError"),
    (lambda: L.Dense(2, dtype="int32")(tf.ones([2, 3], tf.int32)), "TypeError"),
    (lambda: L.Dense("a"), "ValueError"),
    (lambda: L.Conv2D(0, 3), "ValueError"),
    (lambda: L.Conv2D(4, (3, 3, 3)), "ValueError"),
    (lambda: L.Conv2D(4, 0), "ValueError"),
    (lambda: L.Conv2D(4, 3, padding="foo"), "ValueError"),
    (lambda: L.Conv2D(4, 3, padding="causal"), "ValueError"),
    (lambda: L.Conv2D(4, 3, data_format="foo"), "ValueError"),
    (lambda: L.Conv2D(4, 3, strides=2, dilation_rate=2), "ValueError"),
    (lambda: L.Conv2D(3, 3, groups=2), "ValueError"),
    (lambda: L.Conv2D(4, 3, groups=3)(one(1, 5, 5, 4)), "ValueError"),
    (lambda: L.Conv2D(4, 3)(one(5, 5, 3)), "ValueError"),
    (lambda: L.Conv2D(4, 7)(one(1, 5, 5, 3)), "ValueError"),
    (lambda: L.Conv2D(4, 3).build((None, 5, 5, None)), "ValueError"),
    (lambda: (lambda d: (d(one(1, 5, 5, 3)), d(one(1, 5, 5, 2))))(L.Conv2D(2, 3)), "ValueError"),
    (lambda: L.Conv2DTranspose(2, 3, strides=2, output_padding=2), "ValueError"),
    (lambda: L.Conv2DTranspose(2, 3)(one(5, 5, 2)), "ValueError"),
    (lambda: L.Conv1D(2, 3)(one(5, 3)), "ValueError"),
    (lambda: L.MaxPooling2D(2)(one(5, 5, 3)), "ValueError"),
    (lambda: L.MaxPooling2D((2, 2, 2)), "ValueError"),
    (lambda: L.MaxPooling2D(0), "ValueError"),
    (lambda: L.AveragePooling1D(2, padding="x"), "ValueError"),
    (lambda: L.GlobalAveragePooling2D()(one(2, 3)), "ValueError"),
    (lambda: L.Dropout(2), "ValueError"),
    (lambda: L.Dropout(-0.5), "ValueError"),
    (lambda: L.Dropout(1.0)(one(2, 3), training=True), "ValueError"),
    (lambda: L.SpatialDropout2D(0.5, data_format="x"), "ValueError"),
    (lambda: L.SpatialDropout1D(0.5)(one(2, 3)), "ValueError"),
    (lambda: L.Flatten()(tf.constant(1.0)), "ValueError"),
    (lambda: L.Reshape((3, 5))(one(2, 4)), "InvalidArgumentError"),
    (lambda: L.Reshape((-1, -1))(one(2, 4)), "InvalidArgumentError"),
    (lambda: L.Permute((1, 3)), "ValueError"),
    (lambda: L.Permute((2, 1))(one(2, 3)), "ValueError"),
    (lambda: L.RepeatVector("a"), "TypeError"),
    (lambda: L.RepeatVector(2)(one(2, 3, 4)), "ValueError"),
    (lambda: L.ZeroPadding2D((1, 2, 3)), "ValueError"),
    (lambda: L.ZeroPadding2D("a"), "ValueError"),
    (lambda: L.Cropping2D(4)(one(1, 5, 5, 1)), "ValueError"),
    (lambda: L.Cropping1D(4)(one(1, 5, 1)), "ValueError"),
    (lambda: L.UpSampling2D(2, interpolation="foo"), "NotImplementedError"),
    (lambda: L.BatchNormalization(axis="a"), "TypeError"),
    (lambda: L.BatchNormalization(axis=5)(one(2, 3)), "ValueError"),
    (lambda: L.LayerNormalization(axis=4)(one(2, 3)), "ValueError"),
    (lambda: L.LayerNormalization(axis="a"), "TypeError"),
    (lambda: L.GroupNormalization(groups=3)(one(2, 4)), "ValueError"),
    (lambda: L.GroupNormalization(groups=8)(one(2, 4)), "ValueError"),
    (lambda: L.Add()(one(2, 3)), "ValueError"),
    (lambda: L.Add()([one(2, 3), one(2, 4)]), "ValueError"),
    (lambda: L.Add()([one(2, 3), one(3, 3)]), "ValueError"),
    (lambda: L.Subtract()([one(2, 3)] * 3), "ValueError"),
    (lambda: L.Concatenate()([one(2, 3), one(3, 3)]), "ValueError"),
    (lambda: L.Concatenate(axis=1)([one(2, 3, 4), one(2, 3)]), "ValueError"),
    (lambda: L.Dot(axes=1)([one(2, 3), one(2, 4)]), "ValueError"),
    (lambda: L.Dot(axes="a"), "TypeError"),
    (lambda: L.Dot(axes=[1, 2, 3]), "ValueError"),
    (lambda: L.Embedding(0, 3), "ValueError"),
    (lambda: L.Embedding(3, 2)(tf.constant([[5]])), "InvalidArgumentError", pytest.mark.host),
    (lambda: L.Embedding(3, 2, input_length=4).compute_output_shape((None, 3)), "ValueError"),
    (lambda: L.EinsumDense("foo", output_shape=3)(one(2, 3)), "ValueError"),
    (lambda: L.EinsumDense("ab,bc->ac", output_shape=3, bias_axes="q")(one(2, 3)), "ValueError"),
    (lambda: L.Attention()(one(2, 3)), "ValueError"),
    (lambda: L.Attention()([one(2, 3, 4)]), "ValueError"),
    (lambda: L.Attention(score_mode="foo"), "ValueError"),
    (lambda: L.LSTM(0), "ValueError"),
    (lambda: L.LSTM(2)(one(2, 3)), "ValueError"),
    (lambda: L.LSTM(2)(one(2, 3, 4), initial_state=[one(2, 2)]), "ValueError"),
    (lambda: L.LSTM(2).reset_states(), "AttributeError"),
    (lambda: L.RNN(3), "ValueError"),
    (lambda: L.RNN(L.Dense(2)), "ValueError"),
    (lambda: L.StackedRNNCells([L.Dense(2)]), "ValueError"),
    (lambda: L.GRU(2, activation="nope"), "ValueError"),
    (lambda: L.Bidirectional(3), "ValueError"),
    (lambda: L.Bidirectional(L.LSTM(2), merge_mode="foo"), "ValueError"),
    (lambda: L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2)), "ValueError"),
    (lambda: L.TimeDistributed(3), "ValueError"),
    (lambda: L.TimeDistributed(L.Dense(2))(one(2, 3)), "ValueError"),
    (lambda: L.ReLU(max_value=-1.0), "ValueError"),
    (lambda: L.LeakyReLU(alpha=None), "ValueError"),
    (lambda: L.ThresholdedReLU(theta=-1.0), "ValueError"),
    (lambda: L.PReLU(shared_axes=[1])(one(2, 3), 4, 5), "TypeError"),
    (lambda: L.Softmax(axis=3)(one(2, 3)), "InvalidArgumentError"),
    (lambda: L.LocallyConnected1D(2, 3, padding="same"), "ValueError"),
    (lambda: L.LocallyConnected2D(2, 7)(one(1, 5, 5, 1)), "ValueError"),
    (lambda: L.SpectralNormalization(L.Dense(2), power_iterations=0), "ValueError"),
    (lambda: L.SpectralNormalization(L.Flatten())(one(2, 3)), "ValueError"),
    (lambda: L.CategoryEncoding(), "ValueError"),
    (lambda: L.CategoryEncoding(num_tokens=0), "ValueError"),
    (lambda: L.CategoryEncoding(num_tokens=3, output_mode="foo"), "ValueError"),
    (lambda: L.Discretization(num_bins=3, bin_boundaries=[1.0]), "ValueError"),
    (lambda: L.Hashing(num_bins=0), "ValueError"),
    (lambda: L.RandomFlip("foo"), "ValueError"),
    (lambda: L.RandomZoom(3.0), "ValueError"),
    (lambda: L.RandomContrast(-1.0), "ValueError"),
    (lambda: L.RandomBrightness(3), "ValueError"),
    (lambda: L.RandomTranslation(0.1, 0.1, fill_mode="foo"), "NotImplementedError"),
    (lambda: L.Resizing(2, 2, interpolation="foo"), "NotImplementedError"),
    (lambda: L.TextVectorization(output_mode="foo"), "ValueError"),
    (lambda: L.StringLookup(num_oov_indices=-1), "ValueError"),
    (lambda: L.deserialize({}), "ValueError"),
]


@pytest.mark.parametrize(("call", "expected"), [pytest.param(c, e, id=str(i), marks=marks) for i, (c, e, *marks) in enumerate(WRONG)])
def test_wrong_use(call: Callable[[], Any], expected: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the class is compared by name
        call()
    assert expected in [k.__name__ for k in type(caught.value).__mro__], repr(caught.value)
    assert len(str(caught.value)) > 15


def test_there_are_enough() -> None:
    assert len(WRONG) >= 60
