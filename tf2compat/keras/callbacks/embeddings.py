"""UpdateEmbeddingCallback: the words of a DynamicEmbedding follow what the model sees."""

from __future__ import annotations

import threading
from typing import Any

from tf2compat.distribute import get_strategy

from ..utils.timed_threads import TimedThread
from .base import Callback


class UpdateEmbeddingCallback(TimedThread, Callback):
    """Gives a DynamicEmbedding the most frequent words every `interval` seconds (`tf.keras.callbacks.experimental.UpdateEmbeddingCallback`).

    Used as a context manager around `fit`, which it is also a callback of. What the optimizer knows of the layer's rows is forgotten each time.

    Differs from TensorFlow: rows change between two batches, never within a step.
    """

    def __init__(self, dynamic_embedding_layer: Any, interval: float) -> None:
        TimedThread.__init__(self, interval)
        Callback.__init__(self)
        self._epoch = 0
        self._dynamic_embedding_layer = dynamic_embedding_layer
        self.strategy = get_strategy()
        self._due = threading.Event()

    def on_interval(self) -> None:
        """Have the layer updated: after the batch that is under way, when it is the thread that says so."""
        if threading.current_thread() is self.thread:
            self._due.set()
        else:
            self._update()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._due.is_set():
            self._due.clear()
            self._update()

    def on_train_end(self, logs: Any = None) -> None:
        if self._due.is_set():
            self._due.clear()
            self._update()

    def _update(self) -> None:
        self._dynamic_embedding_layer.update_embeddings(self.strategy)
        self._reset_optimizer()

    def _reset_optimizer(self) -> None:
        from tf2compat import zeros_like

        variables = self.model.optimizer.variables
        for v in variables() if callable(variables) else variables:
            if "dynamic_embedding" in v.name:
                v.assign(zeros_like(v))
