"""`tf.keras.callbacks`: what happens between batches and epochs."""

from __future__ import annotations

from typing import Any

from .base import Callback, CallbackList, History, LambdaCallback
from .monitoring import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from .progbar import ProgbarLogger
from .simple import BaseLogger, CSVLogger, LearningRateScheduler, RemoteMonitor, TerminateOnNaN

__all__ = [
    "BackupAndRestore", "BaseLogger", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback",
    "LearningRateScheduler", "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "RemoteMonitor", "TensorBoard", "TerminateOnNaN",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "BackupAndRestore":
        from .backup import BackupAndRestore

        return BackupAndRestore
    if name == "SidecarEvaluatorModelExport":
        from .sidecar import SidecarEvaluatorModelExport

        return SidecarEvaluatorModelExport
    if name == "TensorBoard":
        from .tensorboard import TensorBoard

        return TensorBoard
    if name == "experimental":
        import importlib

        return importlib.import_module(f"{__name__}.experimental")
    from tf2compat._names import missing

    raise missing("tf.keras.callbacks", name)
