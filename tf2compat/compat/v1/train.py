"""`tf.compat.v1.train`: what eager code can use of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import tf2compat as tf
from tf2compat import _ports
from tf2compat.train import _formats

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


def _written(prefix: str) -> float | None:
    found = _formats.find(prefix)
    if found is not None:
        return found.modified(prefix)
    try:
        files = tf.io.gfile.glob(prefix)
    except tf.errors.NotFoundError:
        return None
    return tf.io.gfile.stat(files[0]).mtime_nsec / 1e9 if files else None


def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Whether there is a checkpoint of this prefix, in any format, or a file of this name."""
    return _written(_formats.path_text(checkpoint_prefix)) is not None


def get_checkpoint_mtimes(checkpoint_prefixes: Iterable[Any]) -> list[float]:
    """When the checkpoints of these prefixes were written, in seconds since the epoch; those that are missing are left out."""
    times = (_written(_formats.path_text(prefix)) for prefix in checkpoint_prefixes)
    return [time for time in times if time is not None]


def remove_checkpoint(checkpoint_prefix: Any, checkpoint_format_version: Any = 2, meta_graph_suffix: str = "meta") -> None:
    """Delete the files of a checkpoint, in whatever formats it is there, and the meta graph beside them."""
    prefix = _formats.path_text(checkpoint_prefix)
    if tf.io.gfile.exists(f"{prefix}.{meta_graph_suffix}"):
        tf.io.gfile.remove(f"{prefix}.{meta_graph_suffix}")
    _formats.delete(prefix)


def summary_iterator(path: Any) -> Iterator[Any]:
    """The `Event` messages of a file of summaries. NotFoundError and DataLossError for a file that is not there, or damaged."""
    path = os.fspath(path)
    if not tf.io.gfile.exists(path):
        raise tf.errors.NotFoundError(None, None, f"{path}; No such file or directory")
    records = (record.numpy() for record in tf.data.TFRecordDataset(path))
    return _ports.load("events", "tensorboard").read_events(records, path)


def __getattr__(name: str) -> Any:
    from . import optimizers

    if name in optimizers.__all__:
        return getattr(optimizers, name)
    if name == "NewCheckpointReader":
        return tf.train.load_checkpoint
    if name in ("Saver", "MonitoredSession", "MonitoredTrainingSession", "Supervisor", "start_queue_runners", "Coordinator"):
        raise AttributeError(str(gone(f"train.{name}")) + " Use tf.train.Checkpoint to save.")
    return getattr(tf.train, name)
