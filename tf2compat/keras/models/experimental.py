"""`tf.keras.models.experimental`."""

from __future__ import annotations

from .._base.sharpness import SharpnessAwareMinimization

__all__ = ["SharpnessAwareMinimization"]
