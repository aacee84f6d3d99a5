"""`tf.keras.__internal__.losses`."""

from __future__ import annotations

from tf2compat.keras.losses.classes import LossFunctionWrapper
from tf2compat.keras.losses.weighting import compute_weighted_loss

__all__ = ["LossFunctionWrapper", "compute_weighted_loss"]
