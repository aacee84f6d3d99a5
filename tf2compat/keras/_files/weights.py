"""Weights as checkpoints, and assigning many values at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf2compat._engine.variable import Variable
from tf2compat.train import CheckpointOptions
from tf2compat.train.checkpoint import Checkpoint
from tf2compat.train.checkpoint_state import update_checkpoint_state


def _checkpoint_of(model: Any) -> Checkpoint:
    return Checkpoint(root=model)


def save_checkpoint(model: Any, path: str, options: CheckpointOptions | None) -> None:
    """Writes a model's weights, and its optimizer's, as a checkpoint, and makes it the latest one of its directory."""
    written = _checkpoint_of(model).write(path, options)
    update_checkpoint_state(os.path.dirname(written), written, [written])


def load_checkpoint(model: Any, path: str, options: CheckpointOptions | None) -> Any:
    """Restores a model from a checkpoint; values of weights that are not there yet arrive when they are created."""
    status = _checkpoint_of(model).read(path, options)
    status.assert_nontrivial_match()
    return status


def assign_all(pairs: Sequence[tuple[Variable, Any]], what: str) -> None:
    """Assigns values to variables: all of them, or, when one does not fit, none (ValueError)."""
    arrays = []
    for variable, value in pairs:
        array = np.asarray(value)
        if not variable.shape.is_compatible_with(array.shape):
            raise ValueError(
                f"Cannot assign a value of shape {array.shape} to the variable {variable.name} of shape {tuple(variable.shape)} ({what})."
            )
        arrays.append(array if variable.dtype.name == "string" else array.astype(variable.dtype.as_numpy_dtype, copy=False))
    for (variable, _), array in zip(pairs, arrays, strict=True):
        variable.assign(array)
