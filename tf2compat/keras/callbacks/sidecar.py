"""SidecarEvaluatorModelExport: keeps the best of the models that a SidecarEvaluator evaluated."""

from __future__ import annotations

import os
import re
from typing import Any

from .monitoring import ModelCheckpoint


class SidecarEvaluatorModelExport(ModelCheckpoint):
    """For `SidecarEvaluator`: saves the model when it is the best so far (`tf.keras.callbacks.SidecarEvaluatorModelExport`).

    `checkpoint_filepath` is the pattern of the training's checkpoints, whose names end in "ckpt-" and a number, which becomes the
    `{epoch}` of `export_filepath`.
    """

    def __init__(self, export_filepath: Any, checkpoint_filepath: Any, **kwargs: Any) -> None:
        super().__init__(filepath=export_filepath, save_best_only=True, **kwargs)
        self._checkpoint_filepath = os.fspath(checkpoint_filepath)
        self.export_index = 0

    def on_test_begin(self, logs: Any = None) -> None:
        """Find out the number of the checkpoint that is evaluated."""
        found = self._latest(self._checkpoint_filepath)
        number = None if found is None else re.match(r".*ckpt-(\d+)", found)
        self.export_index = int(number[1]) - 1 if number else 0

    def on_test_end(self, logs: Any = None) -> None:
        """Save the model if it is better than those before."""
        self.epochs_since_last_save += 1
        self._save(self.export_index, None, logs or {})
