"""`tf.keras.callbacks.BackupAndRestore`: going on after an interruption."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import numpy as np

from .base import Callback


class BackupAndRestore(Callback):
    """Keeps weights, optimizer state and the epoch in `backup_dir`, and goes on from there (`tf.keras.callbacks.BackupAndRestore`).

    `save_freq` is "epoch" or a number of batches; the folder is removed when training ends, if `delete_checkpoint`.
    """

    def __init__(
        self, backup_dir: Any, save_freq: Any = "epoch", delete_checkpoint: bool = True, save_before_preemption: bool = False
    ) -> None:
        super().__init__()
        self._supports_tf_logs = True
        if save_before_preemption:
            raise ValueError("save_before_preemption needs a cluster manager that announces preemptions; there is none.")
        if not save_freq:
            raise ValueError("Either `save_freq` or `save_before_preemption` must be set.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._start = 0
        self._batches = 0

    def _paths(self) -> tuple[str, str]:
        return os.path.join(self.backup_dir, "state.npz"), os.path.join(self.backup_dir, "progress.json")

    def initial_epoch(self, given: int) -> int:
        """The epoch at which `fit` begins: that of the backup, if there is one."""
        return max(given, self._start)

    def on_train_begin(self, logs: Any = None) -> None:
        self._start = 0
        state, progress = self._paths()
        if os.path.exists(progress) and os.path.exists(state):
            with open(progress, encoding="utf-8") as f:
                self._start = int(json.load(f)["epoch"])
            with np.load(state, allow_pickle=False) as found:
                weights = [found[f"w{i}"] for i in range(sum(k.startswith("w") for k in found.files))]
                slots = [found[f"o{i}"] for i in range(sum(k.startswith("o") for k in found.files))]
            self.model.set_weights(weights)
            optimizer = self.model.optimizer
            if slots and hasattr(optimizer, "build"):
                optimizer.build(self.model.trainable_variables)
                optimizer.set_weights(slots)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches % int(self.save_freq) == 0:
                self._backup(self._epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._backup(epoch + 1)

    def _backup(self, epoch: int) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        state, progress = self._paths()
        values = {f"w{i}": w for i, w in enumerate(self.model.get_weights())}
        values |= {f"o{i}": np.asarray(w) for i, w in enumerate(self.model.optimizer.get_weights())}
        partial = state + ".part.npz"
        np.savez(partial, **values)
        os.replace(partial, state)
        with open(progress + ".part", "w", encoding="utf-8") as f:
            json.dump({"epoch": epoch}, f)
        os.replace(progress + ".part", progress)

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            shutil.rmtree(self.backup_dir, ignore_errors=True)
