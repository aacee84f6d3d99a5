"""Callbacks that write: TensorBoard, BackupAndRestore, ModelCheckpoint."""

import glob
import os

import numpy as np
import pytest
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2

import tf2compat as tf

RNG = np.random.default_rng(0)
X = RNG.random((32, 4), np.float32)
Y = X.sum(1, keepdims=True)


def model():
    made = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,), name="a"), tf.keras.layers.Dense(1, name="b")])
    made.compile("adam", "mse", metrics=["mae"])
    return made


def tags(directory):
    found = {}
    for path in sorted(glob.glob(os.path.join(str(directory), "*tfevents*"))):
        for record in event_file_loader.RawEventFileLoader(path).Load():
            event = event_pb2.Event.FromString(record)
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
            if event.graph_def:
                found.setdefault("a graph", []).append(event.step)
    return found


def test_tensorboard(tmp_path):
    callback = tf.keras.callbacks.TensorBoard(
        str(tmp_path), histogram_freq=1, write_images=True, update_freq=2, profile_batch=(2, 3), write_steps_per_second=True
    )
    trained = model()
    trained.fit(X, Y, epochs=2, batch_size=8, validation_data=(X, Y), verbose=0, callbacks=[callback])
    train, validation = tags(tmp_path / "train"), tags(tmp_path / "validation")
    assert train["epoch_loss"] == train["epoch_mae"] == train["epoch_steps_per_second"] == [0, 1]
    assert len(train["batch_loss"]) == 4
    assert train["keras"] == [0] and "a graph" in train
    assert train["a/kernel_0/histogram"] == train["a/bias_0/image"] == [0, 1]
    assert validation["epoch_loss"] == [0, 1] and validation["evaluation_loss_vs_iterations"] == [4, 8]
    assert glob.glob(str(tmp_path / "train" / "plugins" / "profile" / "*" / "*.pt.trace.json"))


def test_tensorboard_arguments(tmp_path):
    with pytest.raises(ValueError, match="profile_batch must be"):
        tf.keras.callbacks.TensorBoard(str(tmp_path), profile_batch=(5, 2))
    with pytest.raises(ValueError, match="Unrecognized arguments"):
        tf.keras.callbacks.TensorBoard(str(tmp_path), nonsense=1)


def test_tensorboard_embeddings(tmp_path):
    made = tf.keras.Sequential([tf.keras.layers.Embedding(5, 2, input_length=3), tf.keras.layers.Flatten(), tf.keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    callback = tf.keras.callbacks.TensorBoard(str(tmp_path), embeddings_freq=1, embeddings_metadata="words.tsv")
    made.fit(np.zeros((4, 3), np.int32), np.zeros((4, 1), np.float32), epochs=1, verbose=0, callbacks=[callback])
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_name: "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"' in config and "words.tsv" in config
    assert (tmp_path / "train" / "keras_embedding.ckpt-0.index").exists()


class Interrupted(Exception):
    pass


class Interrupt(tf.keras.callbacks.Callback):
    def __init__(self, epoch, batch=None):
        super().__init__()
        self.at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if self.at == (epoch, None):
            raise Interrupted

    def on_train_batch_end(self, batch, logs=None):
        if self.at == (self.epoch, batch):
            raise Interrupted


@pytest.mark.parametrize(("save_freq", "at"), [("epoch", (2, None)), (2, (1, 2))])
def test_backup_and_restore(save_freq, at, tmp_path):
    def callback(delete=True):
        return tf.keras.callbacks.BackupAndRestore(str(tmp_path), save_freq=save_freq, delete_checkpoint=delete)

    tf.keras.utils.set_random_seed(1)
    first = model()
    initial = first.get_weights()
    with pytest.raises(Interrupted):
        first.fit(X, Y, epochs=4, batch_size=8, verbose=0, shuffle=False, callbacks=[callback(), Interrupt(*at)])
    second = model()
    history = second.fit(X, Y, epochs=4, batch_size=8, verbose=0, shuffle=False, callbacks=[callback()])
    assert history.epoch == ([2, 3] if save_freq == "epoch" else [1, 2, 3])
    if save_freq == "epoch":
        whole = model()
        whole.set_weights(initial)
        whole.fit(X, Y, epochs=4, batch_size=8, verbose=0, shuffle=False)
        for a, b in zip(second.get_weights(), whole.get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert not os.path.exists(tmp_path / "chief")


@pytest.mark.parametrize("name", ["best.keras", "best.h5", "w.weights.h5", "w-{epoch:02d}"])
def test_model_checkpoint(name, tmp_path):
    weights_only = name.startswith("w")
    callback = tf.keras.callbacks.ModelCheckpoint(
        str(tmp_path / name), save_weights_only=weights_only, save_best_only=not weights_only, monitor="loss"
    )
    trained = model()
    trained.fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    other = model()
    if weights_only:
        path = tf.train.latest_checkpoint(tmp_path) if "{" in name else str(tmp_path / name)
        other.load_weights(path)
    else:
        other = tf.keras.models.load_model(str(tmp_path / name))
    np.testing.assert_allclose(other.predict(X, verbose=0), trained.predict(X, verbose=0), rtol=1e-5)
