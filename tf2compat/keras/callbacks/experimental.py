"""`tf.keras.callbacks.experimental`: callbacks under their former names, and UpdateEmbeddingCallback."""

from __future__ import annotations

from tf2compat._names import module_getattr

from .backup import BackupAndRestore
from .embeddings import UpdateEmbeddingCallback

__all__ = ["BackupAndRestore", "UpdateEmbeddingCallback"]

__getattr__ = module_getattr("tf.keras.callbacks.experimental")
