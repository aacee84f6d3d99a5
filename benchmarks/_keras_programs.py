"""The Keras programs that are timed, the same under TensorFlow, Keras 3 on torch, and tf2compat; prints seconds as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

STEPS, BATCH = 60, 32


def models(keras: Any) -> dict[str, tuple[Any, Any]]:
    """Each program's model and its samples."""
    layers = keras.layers
    n = STEPS * BATCH
    rng = np.random.RandomState(0)
    flat, image, series = rng.rand(n, 64).astype("float32"), rng.rand(n, 8, 8, 1).astype("float32"), rng.rand(n, 16, 8).astype("float32")
    mlp = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(10)])
    convnet = keras.Sequential(
        [layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(10)]
    )
    lstm = keras.Sequential([layers.LSTM(32), layers.Dense(10)])
    x = layers.Input((16, 8))
    y = layers.Dense(32)(x)
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 16)(y, y))
    y = layers.LayerNormalization()(y + layers.Dense(32)(layers.Dense(64, activation="relu")(y)))
    transformer = keras.Model(x, layers.Dense(10)(layers.GlobalAveragePooling1D()(y)))
    return {"MLP": (mlp, flat), "convnet": (convnet, image), "LSTM": (lstm, series), "transformer": (transformer, series)}


def labels() -> Any:
    """Classes for the samples of each program."""
    return np.random.RandomState(1).randint(0, 10, STEPS * BATCH)


def compile_model(keras: Any, model: Any) -> None:
    """As each program is trained."""
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])


def measure(keras: Any) -> dict[str, float]:
    """Seconds of the first epoch, of a later one (best of 3), and of `predict` for each program."""
    out: dict[str, float] = {}
    classes = labels()
    for name, (model, x) in models(keras).items():
        compile_model(keras, model)
        start = time.perf_counter()
        model.fit(x, classes, batch_size=BATCH, epochs=1, verbose=0)
        out[f"{name}: first epoch"] = time.perf_counter() - start
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            model.fit(x, classes, batch_size=BATCH, epochs=1, verbose=0)
            best = min(best, time.perf_counter() - start)
        out[f"{name}: epoch"] = best
        if name == "MLP":
            rows = np.random.rand(10_000, 64).astype("float32")
            model.predict(rows, verbose=0)
            start = time.perf_counter()
            model.predict(rows, verbose=0)
            out["MLP: predict 10,000 rows"] = time.perf_counter() - start
    return out


def rows(keras: Any) -> float:
    """Seconds of an epoch (best of 3) of an LSTM(64) over the 28 rows of images, 100 batches of 32."""
    model = keras.Sequential([keras.layers.LSTM(64), keras.layers.Dense(10)])
    compile_model(keras, model)
    rng = np.random.RandomState(0)
    x, y = rng.rand(3200, 28, 28).astype("float32"), rng.randint(0, 10, 3200)
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "tensorflow"
    if which == "keras":  # Keras 3, on the backend that KERAS_BACKEND names
        import keras
    elif which == "tensorflow":
        from tensorflow import keras
    else:
        from tf2compat import keras
    print(json.dumps(rows(keras) if "rows" in sys.argv[2:] else measure(keras)))
