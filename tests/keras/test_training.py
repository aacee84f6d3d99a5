"""`fit` and its relatives: kinds of data, custom steps, callbacks, losses of layers, configs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tf2compat as tf

keras = tf.keras
layers = keras.layers
X = np.random.RandomState(0).rand(64, 8).astype("float32")
Y = X.sum(-1, keepdims=True)


def _model() -> Any:
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


class _Batches(keras.utils.Sequence):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return X[index * 16 : (index + 1) * 16], Y[index * 16 : (index + 1) * 16]


def _forever() -> Any:
    while True:
        yield X[:16], Y[:16]


@pytest.mark.parametrize(
    "data",
    [
        lambda: {"x": X, "y": Y},
        lambda: {"x": tf.constant(X), "y": tf.constant(Y)},
        lambda: {"x": torch.tensor(X), "y": torch.tensor(Y)},
        lambda: {"x": _Batches()},
        lambda: {"x": _forever(), "steps_per_epoch": 3},
        lambda: {"x": torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)), batch_size=16)},
        lambda: {"x": X, "y": Y, "sample_weight": np.ones(64)},
        lambda: {"x": X, "y": Y, "validation_split": 0.25},
        lambda: {"x": X, "y": Y, "validation_data": (X, Y), "validation_freq": 2},
    ],
)
def test_kinds_of_data(data: Any) -> None:
    history = _model().fit(epochs=2, verbose=0, **data())
    assert history.epoch == [0, 1]
    assert len(history.history["loss"]) == 2


def test_class_weight_changes_the_loss() -> None:
    labels = np.arange(64) % 3
    found = []
    for weights in (None, {0: 1.0, 1: 5.0, 2: 1.0}):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([layers.Dense(3, activation="softmax", kernel_initializer="zeros")])
        model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
        found.append(model.fit(X, labels, class_weight=weights, verbose=0, shuffle=False).history["loss"][0])
    assert found[1] > 2 * found[0]


def test_custom_train_step() -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)
            self.tracker = keras.metrics.Mean(name="tracked")

        def call(self, x: Any) -> Any:
            return self.dense(x)

        @property
        def metrics(self) -> list[Any]:
            return [self.tracker]

        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(keras.losses.mean_squared_error(y, self(x, training=True)))
            self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables, strict=True))
            self.tracker.update_state(loss)
            return {"tracked": self.tracker.result()}

    model = Model()
    model.compile(keras.optimizers.SGD(0.05))
    history = model.fit(X, Y, epochs=5, verbose=0).history["tracked"]
    assert history[-1] < history[0]


def test_eager_and_traced_steps_agree() -> None:
    found = []
    for eagerly in (False, True):
        model = keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
        model.build((None, 8))
        model.set_weights([np.full(w.shape, 0.1, "float32") for w in model.get_weights()])
        model.compile("adam", "mse", run_eagerly=eagerly)
        found.append(model.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_callbacks(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    model = _model()
    stop = keras.callbacks.EarlyStopping(monitor="loss", min_delta=100.0, patience=2)
    rate = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5)
    history = model.fit(X, Y, epochs=20, verbose=0, callbacks=[stop, rate, keras.callbacks.CSVLogger(log)])
    assert len(history.epoch) == 3
    np.testing.assert_allclose(history.history["lr"], [0.0005, 0.00025, 0.000125], rtol=1e-5)
    assert log.read_text().splitlines()[0].startswith("epoch,loss,")


def test_backup_and_restore(tmp_path: Path) -> None:
    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise KeyboardInterrupt

    folder = os.fspath(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        _model().fit(X, Y, epochs=5, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(folder), Break()])
    model = _model()
    model.build((None, 8))
    assert model.fit(X, Y, epochs=5, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(folder)]).epoch == [3, 4]
    assert not any(files for _, _, files in os.walk(folder))


def test_losses_and_metrics_of_symbols() -> None:
    inputs = keras.Input((8,))
    code = layers.Dense(2)(inputs)
    model = keras.Model(inputs, layers.Dense(8)(code))
    penalty = tf.reduce_mean(tf.square(code))
    model.add_loss(penalty)
    model.add_metric(penalty, name="penalty")
    model.compile("adam", "mse")
    history = model.fit(X, X, verbose=0).history
    assert set(history) == {"loss", "penalty"}
    assert history["loss"][0] > history["penalty"][0]


def test_losses_and_metrics_of_layers() -> None:
    class Tracked(layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(0.01 * tf.reduce_sum(x * x))
            self.add_metric(tf.reduce_mean(x), name="mean_of_x")
            return x

    model = keras.Sequential([Tracked(), layers.Dense(1, kernel_regularizer="l2")])
    model.compile("sgd", "mse")
    assert "mean_of_x" in model.fit(X, Y, verbose=0).history
    assert len(model.losses) == 2


def test_config_round_trip() -> None:
    inputs = keras.Input((8,))
    model = keras.Model(inputs, layers.Dense(1)(tf.nn.relu(layers.Dense(3)(inputs))[:, :2]))
    for copy in (keras.Model.from_config(model.get_config()), keras.models.model_from_json(model.to_json()), keras.models.clone_model(model)):
        copy.set_weights(model.get_weights())
        np.testing.assert_allclose(copy.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_frozen_trunk_keeps_its_statistics() -> None:
    trunk = keras.Sequential([layers.Dense(4, input_shape=(8,)), layers.BatchNormalization()])
    trunk.trainable = False
    inputs = keras.Input((8,))
    model = keras.Model(inputs, layers.Dense(1)(trunk(inputs, training=False)))
    model.compile("adam", "mse")
    before = trunk.get_weights()
    model.fit(X, Y, verbose=0)
    assert len(model.trainable_variables) == 2
    for a, b in zip(before, trunk.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_progress_bar_prints_as_keras(capsys: Any) -> None:
    _model().fit(X, Y, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert re.match(r"2/2 - \d+s - loss: ", lines[1])
    assert lines[1].endswith("ms/step") or lines[1].endswith("us/step")
    _model().fit(X, Y, verbose=1)
    assert "2/2 [==============================] - " in capsys.readouterr().out


def test_mixed_float16_scales_the_loss() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = keras.Sequential([layers.Dense(4), layers.Dense(1, dtype="float32")])
        model.compile("adam", "mse")
        model.fit(X, Y, verbose=0)
        assert isinstance(model.optimizer, keras.mixed_precision.LossScaleOptimizer)
        assert model.weights[0].dtype == tf.float32
    finally:
        keras.mixed_precision.set_global_policy(None)


def test_two_outputs_report_their_losses() -> None:
    inputs = keras.Input((8,))
    model = keras.Model(inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)])
    model.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"a": ["mae"]}, loss_weights={"a": 2.0})
    history = model.fit(X, {"a": Y, "b": Y}, verbose=0).history
    assert list(history) == ["loss", "a_loss", "b_loss", "a_mae"]
    assert model.metrics_names == ["loss", "a_loss", "b_loss", "a_mae"]
