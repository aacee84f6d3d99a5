"""`tf.keras.callbacks.experimental`: callbacks under their former names."""

from __future__ import annotations

from tf2compat._names import module_getattr

from .backup import BackupAndRestore

__all__ = ["BackupAndRestore"]

__getattr__ = module_getattr("tf.keras.callbacks.experimental")
