"""Callbacks that save every so many batches count them as Keras 2 does (the expected values are its own)."""

import numpy as np
import pytest

import tf2compat as tf

X, Y = np.ones((40, 3), np.float32), np.ones((40, 1), np.float32)


def _model(steps: int = 1):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", steps_per_execution=steps)
    return model


@pytest.mark.parametrize(
    ("every", "steps", "saved"),
    [
        (3, 1, ["1-3", "1-6", "1-9", "2-2", "2-5", "2-8"]),
        (5, 5, ["1-10", "1-5", "2-10", "2-5"]),
        (4, 10, ["1-10", "2-10"]),
    ],
)
def test_checkpoints_count_the_batches_of_an_execution(tmp_path, every, steps, saved) -> None:
    keep = tf.keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}-{batch}.h5"), save_freq=every, save_weights_only=True)
    _model(steps).fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[keep])
    assert sorted(p.stem for p in tmp_path.iterdir()) == saved


@pytest.mark.parametrize(("every", "at", "goes_on"), [(2, (2, 6), (2, 6)), (3, (1, 4), (1, 5)), (7, (0, 8), (0, 7)), (5, (1, 1), (1, 0))])
def test_backups_count_over_the_ends_of_epochs(tmp_path, every, at, goes_on) -> None:
    class Stop(tf.keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == at:
                raise RuntimeError("stop")

    class First(tf.keras.callbacks.Callback):
        seen = None

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_begin(self, batch, logs=None):
            self.seen = self.seen or (self.epoch, int(batch))

    def backup():
        return tf.keras.callbacks.BackupAndRestore(str(tmp_path), save_freq=every)

    with pytest.raises(RuntimeError, match="stop"):
        _model().fit(X, Y, batch_size=4, epochs=4, verbose=0, callbacks=[backup(), Stop()])
    first, model = First(), _model()
    model.fit(X, Y, batch_size=4, epochs=4, verbose=0, callbacks=[backup(), first])
    assert first.seen == goes_on and int(model.optimizer.iterations) == 40
