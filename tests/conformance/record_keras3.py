"""Writes `files/keras3/`: models as Keras 3 writes them, with what they predict, and predict after one more epoch.

Runs under Keras 3 with any backend: `KERAS_BACKEND=torch python tests/conformance/record_keras3.py`.
"""

import os

import keras
import numpy as np

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "keras3")
layers = keras.layers


def random(*shape):
    return np.random.RandomState(0).randn(*shape).astype("float32")


def models():
    yield "sequential", keras.Sequential(
        [layers.Input((4,)), layers.Dense(5, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01)), layers.BatchNormalization(),
         layers.Dense(2)],
    ), random(6, 4)  # fmt: skip
    inputs = keras.Input((4,), name="features")
    left = layers.Dense(3, activation="tanh")(inputs)
    both = layers.Concatenate()([layers.Add()([left, layers.Dense(3)(inputs)]), left * 2.0])
    yield "functional", keras.Model(inputs, layers.Dense(2, name="out")(both), name="branches"), random(6, 4)
    yield "image", keras.Sequential(
        [layers.Input((8, 8, 3)), layers.Rescaling(0.5), layers.Conv2D(4, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
         layers.DepthwiseConv2D(3), layers.SeparableConv2D(3, 2), layers.GlobalAveragePooling2D(), layers.Dense(2)],
    ), random(3, 8, 8, 3)  # fmt: skip
    yield "text", keras.Sequential(
        [layers.Input((5,), dtype="int32"), layers.Embedding(7, 3), layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
         layers.GRU(3), layers.Dense(2, activation="softmax")],
    ), (np.arange(20).reshape(4, 5) % 7).astype("int32")  # fmt: skip
    inputs = keras.Input((6, 8))
    hidden = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(inputs, inputs) + inputs)
    hidden = layers.Flatten()(layers.TimeDistributed(layers.Dense(3))(hidden))
    inner = keras.Sequential([layers.Input((18,)), layers.Dense(4, activation="gelu"), layers.Dense(2)], name="inner")
    yield "attention", keras.Model(inputs, inner(hidden)), random(3, 6, 8)


keras.utils.set_random_seed(1)
os.makedirs(HERE, exist_ok=True)
for name, model, x in models():
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    y = np.linspace(0, 1, 2 * len(x)).reshape(-1, 2).astype("float32")
    model.fit(x, y, batch_size=3, epochs=2, verbose=0, shuffle=False)
    predictions = model.predict(x, verbose=0)
    model.save(os.path.join(HERE, name + ".keras"))
    if name in ("functional", "text"):
        model.save(os.path.join(HERE, name + ".h5"))
    if name == "sequential":
        model.save_weights(os.path.join(HERE, name + ".weights.h5"))
    model.fit(x, y, batch_size=3, epochs=1, verbose=0, shuffle=False)
    np.savez_compressed(os.path.join(HERE, name + ".npz"), x=x, y=y, predictions=predictions, after=model.predict(x, verbose=0))
