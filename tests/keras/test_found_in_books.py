"""What programs of books, courses and collections of tutorials do with Keras, answered as TensorFlow answers."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf

MARKS = np.array([[0, 1, 0], [1, 0, 0]], bool)
SCORES = np.array([[0.1, 0.5, 0.4], [0.2, 0.7, 0.1]], np.float32)


def test_one_hot_labels_of_bool() -> None:
    assert tf.keras.metrics.categorical_accuracy(MARKS, SCORES).numpy().tolist() == [1.0, 0.0]
    assert tf.keras.metrics.top_k_categorical_accuracy(MARKS, SCORES, k=1).numpy().tolist() == [1.0, 0.0]
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, "softmax", kernel_initializer="ones", input_shape=(3,))])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(SCORES, MARKS, epochs=2, verbose=0).history
    assert history["accuracy"] == [0.5, 1.0]
    assert history["loss"] == pytest.approx([1.0986123, 1.0960348], rel=1e-6)


@pytest.mark.parametrize("layer", [tf.keras.layers.StringLookup, tf.keras.layers.IntegerLookup, tf.keras.layers.TextVectorization])
def test_an_empty_vocabulary(layer: type) -> None:
    with pytest.raises(ValueError, match=r"Cannot set an empty vocabulary, you passed \[\]\."):
        layer(vocabulary=[])
    with pytest.raises(ValueError, match=r"Cannot set an empty vocabulary, you passed \[\]\."):
        layer().set_vocabulary([])
