"""`tf.keras.callbacks.BackupAndRestore`: a training that goes on where an interrupted one stopped."""

from __future__ import annotations

import os
import shutil
from typing import Any

from tf2compat._engine import dtypes, state
from tf2compat._engine.variable import Variable
from tf2compat.train import Checkpoint, CheckpointManager

from .base import Callback


class BackupAndRestore(Callback):
    """Backs a training up to `backup_dir` and, when `fit` is called again, goes on from there (`tf.keras.callbacks.BackupAndRestore`).

    `save_freq` is "epoch" or a number of batches. A backup holds the model with its optimizer, and how far the training was; after a training
    that was not interrupted it is deleted, unless `delete_checkpoint` is false.
    """

    def __init__(self, backup_dir: Any, save_freq: Any = "epoch", delete_checkpoint: bool = True, save_before_preemption: bool = False) -> None:
        super().__init__()
        self._supports_tf_logs = True
        if save_before_preemption:
            raise ValueError("BackupAndRestore: save_before_preemption is not supported by tf2compat; use save_freq.")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or isinstance(save_freq, bool) or save_freq <= 0):
            raise ValueError(
                'Either `save_freq` or `save_before_preemption` must be set. `save_freq` is "epoch" or a positive number of batches. '
                f"Received: save_freq={save_freq}"
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self._count = 0
        self.delete_checkpoint = delete_checkpoint
        self._manager: CheckpointManager | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        model = self.model
        with state.outside():
            self._epoch = Variable(-1, dtype=dtypes.int64, trainable=False, name="ckpt_saved_epoch")
            self._batch = Variable(-1, dtype=dtypes.int64, trainable=False, name="ckpt_saved_batch")
        counter = model.__dict__.get("_train_counter")
        extra = {} if counter is None else {"train_counter": counter}
        checkpoint = Checkpoint(model=model, ckpt_saved_epoch=self._epoch, ckpt_saved_batch=self._batch, **extra)
        self._manager = CheckpointManager(checkpoint, os.path.join(self.backup_dir, "chief"), max_to_keep=1, checkpoint_name="chief-0")
        if model.built and hasattr(model.optimizer, "build"):
            model.optimizer.build(model.trainable_variables)
        if self._manager.latest_checkpoint is not None:
            checkpoint.restore(self._manager.latest_checkpoint).expect_partial()

    def _resume(self, initial_epoch: int, steps: int | None) -> tuple[int, int]:
        """The epoch and batch at which `fit` goes on. `steps`: how many batches an epoch has, where that is known."""
        epoch, batch = int(self._epoch), int(self._batch)
        if epoch < 0:
            return initial_epoch, 0
        return (epoch, batch + 1) if batch >= 0 and batch + 1 != steps else (epoch + 1, 0)

    def _save(self, epoch: int, batch: int) -> None:
        assert self._manager is not None
        self._epoch.assign(epoch)
        self._batch.assign(batch)
        self._manager.save()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._current = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._count += 1  # over the ends of epochs, as in Keras
        if self._count >= self.save_freq:
            self._count = 0
            self._save(self._current, batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch" or self._count == 0:  # after a save of its last batch, training goes on with the next epoch
            self._save(epoch, -1)

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint:
            shutil.rmtree(os.path.join(self.backup_dir, "chief"), ignore_errors=True)
