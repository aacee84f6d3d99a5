"""Models of the kinds that people train, the same under TensorFlow and tf2compat; prints seconds as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Program = tuple[Callable[[], Any], Any, Any, int]


def _unet(keras: Any) -> Any:
    layers = keras.layers
    x = entry = keras.Input((64, 64, 3))
    kept = []
    for filters in (16, 32, 64):
        x = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
        kept.append(x)
        x = layers.MaxPool2D()(x)
    x = layers.Conv2D(128, 3, padding="same", activation="relu")(x)
    for filters, beside in zip((64, 32, 16), reversed(kept), strict=True):
        x = layers.Concatenate()([layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x), beside])
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return keras.Model(entry, layers.Conv2D(10, 1)(x))


def _vgg(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential()
    for filters in (32, 64, 128):
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPool2D())
        model.add(layers.Dropout(0.25))
    for layer in (layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.5), layers.Dense(10)):
        model.add(layer)
    return model


def _vit(keras: Any) -> Any:
    layers = keras.layers
    entry = keras.Input((32, 32, 3))
    x = layers.Reshape((-1, 64))(layers.Conv2D(64, 4, strides=4)(entry))
    for _ in range(4):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + layers.MultiHeadAttention(4, 16, dropout=0.1)(y, y)
        y = layers.Dense(128, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(x))
        x = x + layers.Dense(64)(layers.Dropout(0.1)(y))
    return keras.Model(entry, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))


def _text(keras: Any, *between: Any, masked: bool = False) -> Any:
    return keras.Sequential([keras.layers.Embedding(5000, 64, mask_zero=masked), *between, keras.layers.Dense(2)])


def _filtering(keras: Any) -> Any:
    layers = keras.layers
    user, item = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    x = layers.Concatenate()([layers.Embedding(20000, 32)(user), layers.Embedding(20000, 32)(item)])
    for units in (64, 32, 16):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model([user, item], layers.Dense(2)(x))


def _image_to_image(keras: Any) -> Any:
    """The generator of an image-to-image network: filters of up to 128 channels for down to one pixel, and three channels at the end."""
    layers = keras.layers
    image = keras.Input((64, 64, 3))
    x, levels = image, []
    for filters in (16, 32, 64, 128, 128, 128):
        x = layers.LeakyReLU()(layers.Conv2D(filters, 4, strides=2, padding="same", use_bias=False)(x))
        levels.append(x)
    for filters, level in zip((128, 128, 64, 32, 16), levels[-2::-1], strict=True):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)(x)))
        x = layers.Concatenate()([x, level])
    return keras.Model(image, layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x))


def _frozen(keras: Any) -> Any:
    trunk = keras.applications.MobileNetV2((96, 96, 3), include_top=False, weights=None)
    trunk.trainable = False
    image = keras.Input((96, 96, 3))
    return keras.Model(image, keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(trunk(image, training=False))))


def programs(keras: Any) -> dict[str, Program]:
    """How each model is made, its samples, their classes, and the size of a batch."""
    layers, rng = keras.layers, np.random.default_rng(0)

    def images(n: int, size: int) -> tuple[Any, Any]:
        return rng.random((n, size, size, 3), dtype="float32"), rng.integers(0, 10, n)

    def known(name: str, size: int, n: int, batch: int) -> Program:
        make = getattr(keras.applications, name)
        return lambda: make(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None), *images(n, size), batch

    words = rng.integers(1, 5000, (256, 80)), rng.integers(0, 2, 256)
    convolved = [layers.Conv1D(128, 5, activation="relu"), layers.MaxPool1D(5), layers.Conv1D(128, 5, activation="relu"), layers.GlobalMaxPool1D()]
    return {
        "VGG-like, 32 x 32": (lambda: _vgg(keras), *images(256, 32), 32),
        "ResNet50, 64 x 64": known("ResNet50", 64, 32, 16),
        "MobileNetV2, 96 x 96": known("MobileNetV2", 96, 32, 16),
        "EfficientNetB0, 64 x 64": known("EfficientNetB0", 64, 32, 16),
        "DenseNet121, 64 x 64": known("DenseNet121", 64, 16, 8),
        "U-Net, 64 x 64": (lambda: _unet(keras), images(32, 64)[0], rng.integers(0, 10, (32, 64, 64)), 8),
        "image to image, 64 x 64": (lambda: _image_to_image(keras), images(16, 64)[0], rng.random((16, 64, 64, 3), dtype="float32"), 2),
        "MobileNetV2 with a frozen trunk, 96 x 96": (lambda: _frozen(keras), *images(32, 96), 8),
        "vision transformer, 32 x 32": (lambda: _vit(keras), *images(128, 32), 32),
        "LSTM on text": (lambda: _text(keras, layers.LSTM(64)), *words, 32),
        "masked LSTM": (lambda: _text(keras, layers.LSTM(64), masked=True), *words, 32),
        "bidirectional LSTM": (lambda: _text(keras, layers.Bidirectional(layers.LSTM(64))), *words, 32),
        "GRU on text": (lambda: _text(keras, layers.GRU(64)), *words, 32),
        "convolutions on text": (lambda: _text(keras, *convolved), *words, 32),
        "ConvLSTM": (
            lambda: keras.Sequential([layers.ConvLSTM2D(16, 3, padding="same"), layers.Flatten(), layers.Dense(10)]),
            rng.random((64, 6, 24, 24, 1), dtype="float32"), rng.integers(0, 10, 64), 16,
        ),
        "neural collaborative filtering": (
            lambda: _filtering(keras), [rng.integers(0, 20000, 4096), rng.integers(0, 20000, 4096)], rng.integers(0, 2, 4096), 256,
        ),
    }  # fmt: skip


def measure(tf: Any) -> dict[str, list[float]]:
    """Seconds of each model's first epoch, of a later one, and of a batch through the model in a function: the best of some."""
    found = {}
    only = os.environ.get("TF2COMPAT_MODELS", "")
    for name, (make, x, y, batch) in programs(tf.keras).items():
        if only not in name:
            continue
        model = make()
        classes = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", "mse" if y.dtype.kind == "f" else classes, metrics=[] if y.dtype.kind == "f" else ["accuracy"])
        epochs = []
        for _ in range(5):
            start = time.perf_counter()
            model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
            epochs.append(time.perf_counter() - start)
        forward = tf.function(lambda given, model=model: model(given, training=False))
        rows = tf.nest.map_structure(lambda a, batch=batch: tf.constant(a[:batch]), x)
        passes = []
        for _ in range(12):
            start = time.perf_counter()
            forward(rows).numpy()
            passes.append(time.perf_counter() - start)
        found[name] = [epochs[0], min(epochs[1:]), min(passes[3:])]
    return found


if __name__ == "__main__":
    import tensorflow

    print(json.dumps(measure(tensorflow)), file=sys.stdout)
