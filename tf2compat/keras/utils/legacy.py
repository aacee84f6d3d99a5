"""`tf.keras.utils.legacy`: configs in the old form."""

from __future__ import annotations

from typing import Any

from .._base.serialization import from_module, serialize_legacy

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """{"class_name", "config"} of an object, or a function's name (`tf.keras.utils.legacy.serialize_keras_object`)."""
    return serialize_legacy(instance)


def deserialize_keras_object(
    identifier: Any, module_objects: Any = None, custom_objects: Any = None, printable_module_name: str = "object"
) -> Any:
    """The object of such a config (`tf.keras.utils.legacy.deserialize_keras_object`)."""
    if identifier is None:
        return None
    return from_module(identifier, module_objects or {}, custom_objects, printable_module_name)
