"""Enqueuers, timed threads, sidecar evaluation, data set creators, sharpness-aware training, feature spaces, export archives."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tf2compat as tf

U = tf.keras.utils


class Tens(U.Sequence):
    def __init__(self) -> None:
        self.ends = 0

    def __len__(self) -> int:
        return 4

    def __getitem__(self, i: int) -> Any:
        return i * 10

    def on_epoch_end(self) -> None:
        self.ends += 1


def test_ordered_enqueuer_goes_through_epochs_in_order() -> None:
    sequence = Tens()
    enqueuer = U.OrderedEnqueuer(sequence)
    enqueuer.start(workers=2, max_queue_size=3)
    items = enqueuer.get()
    assert [next(items) for _ in range(10)] == [0, 10, 20, 30, 0, 10, 20, 30, 0, 10]
    assert enqueuer.is_running() and sequence.ends >= 2
    enqueuer.stop()
    assert not enqueuer.is_running()


def test_generator_enqueuer_ends_with_the_generator_and_raises_its_error() -> None:
    enqueuer = U.GeneratorEnqueuer(iter(range(5)))
    enqueuer.start()
    assert list(enqueuer.get()) == [0, 1, 2, 3, 4]
    enqueuer.stop()

    def bad() -> Any:
        yield 1
        raise KeyError("x")

    enqueuer = U.GeneratorEnqueuer(bad())
    enqueuer.start()
    with pytest.raises(KeyError):
        list(enqueuer.get())


def test_timed_thread() -> None:
    done = threading.Event()

    class Ticks(U.TimedThread):
        def on_interval(self) -> None:
            done.set()

    with Ticks(0.01) as thread:
        assert done.wait(5)
        assert thread.is_alive()


def _model() -> Any:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_sidecar_evaluator(tmp_path: Path) -> None:
    x, y = np.ones((4, 2), "f"), np.zeros((4, 1), "f")
    trained = _model()
    trained.fit(x, y, epochs=2, verbose=0, callbacks=[tf.keras.callbacks.ModelCheckpoint(tmp_path / "ckpt-{epoch}", save_weights_only=True)])
    other = _model()
    export = tf.keras.callbacks.SidecarEvaluatorModelExport(str(tmp_path / "best-{epoch}"), str(tmp_path / "ckpt-{epoch}"), monitor="loss")
    U.SidecarEvaluator(other, tf.data.Dataset.from_tensor_slices((x, y)).batch(2), str(tmp_path), max_evaluations=2, callbacks=[export]).start()
    np.testing.assert_allclose(other.get_weights()[0], trained.get_weights()[0])


def test_dataset_creator() -> None:
    creator = U.experimental.DatasetCreator(lambda context: tf.data.Dataset.from_tensors((np.ones((4, 2), "f"), np.ones((4, 1), "f"))).repeat())
    assert len(_model().fit(creator, steps_per_epoch=3, verbose=0).history["loss"]) == 1
    with pytest.raises(TypeError, match="must return a Dataset"):
        U.experimental.DatasetCreator(lambda: 3)()


def test_sharpness_aware_minimization_follows_the_gradient_at_the_worst_place() -> None:
    inner = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", input_shape=(1,))])
    model = tf.keras.models.experimental.SharpnessAwareMinimization(inner, rho=0.5)
    model.compile(tf.keras.optimizers.SGD(0.1), "mse")
    model.fit(np.ones((2, 1), "f"), np.zeros((2, 1), "f"), batch_size=2, verbose=0)
    # w = 1, worst place 1.5, where the gradient of w² is 3
    np.testing.assert_allclose(inner.get_weights()[0], [[0.7]], rtol=1e-5)


def test_feature_space_is_saved(tmp_path: Path) -> None:
    space = U.FeatureSpace({"a": "float_normalized", "s": "string_categorical"}, crosses=[("s", "s")], crossing_dim=4)
    data = {"a": tf.constant([1.0, 2.0, 3.0]), "s": tf.constant(["x", "y", "x"])}
    space.adapt(tf.data.Dataset.from_tensor_slices(data))
    space.save(tmp_path / "space.keras")
    again = tf.keras.models.load_model(tmp_path / "space.keras")
    np.testing.assert_array_equal(again(data), space(data))


def test_export_archive(tmp_path: Path, capsys: Any) -> None:
    model = _model()
    archive = tf.keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.call, [tf.TensorSpec((None, 2), tf.float32)])
    archive.write_out(str(tmp_path / "out"))
    assert "* Endpoint 'serve'" in capsys.readouterr().out
    loaded = tf.saved_model.load(str(tmp_path / "out"))
    np.testing.assert_allclose(loaded.serve(tf.ones((3, 2))), model(tf.ones((3, 2))))
    assert sorted(loaded.signatures) == ["serve", "serving_default"]
