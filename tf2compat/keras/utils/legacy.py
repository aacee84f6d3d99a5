"""`tf.keras.utils.legacy`: configs in the old form."""

from __future__ import annotations

from typing import Any

from .._base.serialization import CustomObjectScope, from_module, get_registered_object, serialize_legacy

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
    if isinstance(identifier, dict) and isinstance(identifier.get("config"), dict) and "module" not in identifier:
        cls = get_registered_object(identifier.get("class_name") or "", custom_objects, module_objects)
        if isinstance(cls, type) and not hasattr(cls, "from_config"):
            with CustomObjectScope(custom_objects or {}):
                return cls(**{k: _named(v, custom_objects) for k, v in identifier["config"].items()})
    return from_module(identifier, module_objects or {}, custom_objects, printable_module_name, legacy=True)


def _named(value: Any, custom_objects: Any) -> Any:
    """The registered class or function of a name, which a config may have among its values."""
    return (get_registered_object(value, custom_objects) or value) if isinstance(value, str) else value
