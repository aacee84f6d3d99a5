"""`tf.compat.v1.train`: what eager code can use of it."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .graph_mode import gone


def get_or_create_global_step(graph: Any = None) -> Any:
    """An int64 variable that counts steps; eager code should keep one of its own."""
    global _step
    if _step is None:
        _step = tf.Variable(0, dtype=tf.int64, trainable=False, name="global_step")
    return _step


_step: Any = None


def get_global_step(graph: Any = None) -> Any:
    return _step


def __getattr__(name: str) -> Any:
    from . import optimizers

    if name in optimizers.__all__:
        return getattr(optimizers, name)
    if name == "NewCheckpointReader":
        return tf.train.load_checkpoint
    if name in ("Saver", "MonitoredSession", "MonitoredTrainingSession", "Supervisor", "start_queue_runners", "Coordinator"):
        raise AttributeError(str(gone(f"train.{name}")) + " Use tf.train.Checkpoint to save.")
    return getattr(tf.train, name)
