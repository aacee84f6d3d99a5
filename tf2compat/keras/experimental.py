"""`tf.keras.experimental`: names from before they were settled, and layers and models of feature columns."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "CosineDecay": "optimizers.schedules",
    "CosineDecayRestarts": "optimizers.schedules",
    "LinearModel": "_base.premade",
    "SequenceFeatures": "layers.features",
    "WideDeepModel": "_base.premade",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"tf2compat.keras.{_HOMES[name]}"), name)
    if name == "SidecarEvaluator":
        from .utils.evaluating import SidecarEvaluator

        return SidecarEvaluator
    from tf2compat._names import missing

    raise missing("tf.keras.experimental", name)


def __dir__() -> list[str]:
    return sorted((*_HOMES, "SidecarEvaluator"))
