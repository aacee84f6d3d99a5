"""`tf.keras.saving`: objects as configs, and models as files."""

from __future__ import annotations

from typing import Any

from ._base.serialization import (
    CustomObjectScope as custom_object_scope,  # noqa: N813
)
from ._base.serialization import (
    deserialize_keras_object,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from .models import load_model, save_model
from .utils import get_custom_objects

__all__ = [
    "custom_object_scope", "deserialize_keras_object", "get_custom_objects", "get_registered_name", "get_registered_object",
    "load_model", "register_keras_serializable", "save_model", "serialize_keras_object",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from tf2compat._names import missing

    raise missing("tf.keras.saving", name)
