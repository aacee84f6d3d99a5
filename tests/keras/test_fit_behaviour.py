"""What `fit`, `evaluate` and the callbacks report, as Keras 2 was seen to report it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tf2compat as tf

K, L = tf.keras, tf.keras.layers
X = np.arange(30, dtype="float32").reshape(10, 3) / 30
Y = (np.arange(10) % 2).astype("float32")


def _softmax() -> Any:
    return K.Sequential([L.Dense(2, activation="softmax", input_shape=(3,), kernel_initializer="ones")])


def _two() -> Any:
    i = K.Input((3,), name="inp")
    return K.Model(i, [L.Dense(1, name="a", kernel_initializer="ones")(i), L.Dense(2, name="b", kernel_initializer="ones")(i)])


def test_losses_of_outputs_are_reported_without_their_weights() -> None:
    model = _two()
    model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 0.5, "b": 2.0}, metrics={"a": ["mae", "mse"], "b": "mae"})
    found = model.evaluate(X, [Y, np.stack([Y, Y], 1)], verbose=0, return_dict=True)
    assert list(found) == ["loss", "a_loss", "b_loss", "a_mae", "a_mse", "b_mae"]
    assert found["a_loss"] == pytest.approx(found["a_mse"], rel=1e-6)
    assert found["b_loss"] == pytest.approx(found["b_mae"], rel=1e-6)
    assert found["loss"] == pytest.approx(0.5 * found["a_loss"] + 2 * found["b_loss"], rel=1e-6)


def test_weighted_metrics_of_the_same_name() -> None:
    model = _softmax()
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    history = model.fit(X, np.stack([Y, 1 - Y], 1), verbose=0, sample_weight=np.arange(10.0)).history
    assert list(history) == ["loss", "mae", "weighted_mae"]
    model = _two()
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    model.fit(X, [Y, np.stack([Y, Y], 1)], verbose=0)
    assert model.metrics_names == ["loss", "a_loss", "b_loss", "a_mae", "a_weighted_mae", "b_mae", "b_weighted_mae"]


def test_metrics_need_unique_names() -> None:
    model = _softmax()
    model.compile("sgd", "mse", metrics=["mse", K.metrics.MeanAbsoluteError(name="mse")])
    with pytest.raises(ValueError, match="Found two metrics with the same name: mse"):
        model.fit(X, np.stack([Y, Y], 1), verbose=0)


def test_running_out_of_data(caplog: pytest.LogCaptureFixture) -> None:
    model = _softmax()
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    with caplog.at_level(logging.WARNING, "tensorflow"):
        history = model.fit(data, epochs=3, steps_per_epoch=2, verbose=0)
    assert history.epoch == [0, 1]
    assert "(in this case, 6 batches)" in caplog.text
    with pytest.raises(ValueError, match="When providing an infinite dataset, you must specify the number of steps"):
        model.fit(data.repeat(), verbose=0)


def test_stopping_early_restores_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    model = _softmax()
    model.compile("sgd", "sparse_categorical_crossentropy")
    stop = K.callbacks.EarlyStopping("loss", patience=0, min_delta=10, verbose=1, restore_best_weights=True)
    rate = K.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=10, verbose=1)
    history = model.fit(X, Y, epochs=4, verbose=0, callbacks=[rate, stop])
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Epoch 2: early stopping", "Restoring model weights from the end of the best epoch: 1.",
    ]  # fmt: skip
    assert type(history.history["lr"][0]) is np.float32
    once = K.callbacks.EarlyStopping("loss", verbose=1, restore_best_weights=True)
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[once])  # all epochs ran
    assert "end of the best epoch: 1." in capsys.readouterr().out


def test_csv_logger_leaves_room_for_validation(tmp_path: Path) -> None:
    model = _softmax()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0, epochs=3, validation_data=(X, Y), validation_freq=2, callbacks=[K.callbacks.CSVLogger(tmp_path / "log.csv")])
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,val_loss"
    assert [line.split(",")[2] == "NA" for line in lines[1:]] == [True, False, True]


def test_callbacks_get_arrays_of_predictions() -> None:
    seen: list[Any] = []

    class Watch(K.callbacks.Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["outputs"])

    ended = []
    _softmax().predict(X, verbose=0, callbacks=[Watch(), K.callbacks.LambdaCallback(on_predict_batch_end=lambda b, logs: ended.append(b))])
    assert type(seen[0]) is np.ndarray
    assert ended == [0]


def test_the_first_step_draws_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    model = _softmax()
    model.predict(X, verbose=1)
    out = capsys.readouterr().out
    assert out.count("1/1 [==============================]") == 2
    assert "ETA: 0s" in out


def test_sequential_models_are_built_for_any_batch_size(capsys: pytest.CaptureFixture[str]) -> None:
    model = K.Sequential([L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.output_shape == (None, 1)
    model = K.Sequential([L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(tf.data.Dataset.from_tensor_slices((np.ones((8, 3, 2), "int64"), np.ones((8, 1)))).batch(4), verbose=0)
    assert model.output_shape == (None, 1)


def test_weights_for_an_output_that_there_is_not():
    x = tf.keras.Input((3,))
    model = tf.keras.Model(x, [tf.keras.layers.Dense(1, name="d1")(x), tf.keras.layers.Dense(1, name="d2")(x)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="unknown"):
        model.fit(np.ones((2, 3)), [np.ones((2, 1))] * 2, sample_weight={"unknown": np.ones(2)}, verbose=0)


def test_weights_without_weighted_metrics_are_told_of(caplog):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with caplog.at_level("WARNING", "tensorflow"):
        model.evaluate(np.ones((2, 3)), np.ones((2, 1)), sample_weight=np.ones(2), verbose=0)
    assert "`weighted_metrics` were not provided" in caplog.text


def test_losses_and_metrics_of_no_call_are_refused():
    x = tf.keras.Input((1,))
    model = tf.keras.Model(x, tf.keras.layers.Dense(1)(x))
    for owner in (model, tf.keras.layers.Dense(1)):
        with pytest.raises(ValueError, match="Expected a symbolic Tensor for the metric value"):
            owner.add_metric(tf.constant(1.0), name="a")
        with pytest.raises(ValueError, match="Expected a symbolic Tensors or a callable"):
            owner.add_loss(tf.constant(1.0))
        owner.add_loss(lambda: tf.constant(2.0))
