"""Columns as plain values, and back."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .base import FeatureColumn


def serialize(column: Any) -> Any:
    """A key as it is, a column as its class' name and its config; ValueError for others."""
    if isinstance(column, str):
        return column
    if isinstance(column, FeatureColumn):
        return {"class_name": type(column).__name__, "config": column.get_config()}
    raise ValueError(f"Instance: {column} is not a FeatureColumn")


def deserialize(config: Any, custom_objects: Any = None, columns_by_name: Any = None) -> Any:
    """What `serialize` returned as a column; equal ones of one `columns_by_name` are one object. ValueError for an unknown class."""
    if isinstance(config, str):
        return config
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ValueError(f"Improper config format: {config}")
    name = config["class_name"]
    cls = (custom_objects or {}).get(name) or _classes().get(name)
    if cls is None:
        raise ValueError(f"Unknown feature_column_v2: {name}")
    if not (isinstance(cls, type) and issubclass(cls, FeatureColumn)):
        raise ValueError(f"Expected FeatureColumn class, instead found: {cls}")
    column = cls.from_config(dict(config["config"]), custom_objects=custom_objects, columns_by_name=columns_by_name)
    if columns_by_name is None:
        return column
    return columns_by_name.setdefault(f"{name}:{column.name}", column)


def _classes() -> dict[str, Any]:
    from . import categorical, dense, numeric

    found = {}
    for module in (numeric, categorical, dense):
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, FeatureColumn) and not name.startswith("_"):
                found[name] = value
    return found


def plain(key: str, value: Any) -> Any:
    """An argument of a column as a plain value."""
    if isinstance(value, FeatureColumn):
        return serialize(value)
    if key == "keys":
        return tuple(serialize(v) for v in value)
    if key == "dtype":
        return value.name
    if key == "normalizer_fn" and value is not None:
        return getattr(value, "__name__", None) or _object(value)
    if key == "initializer":
        return _object(value)
    return value


def _object(value: Any) -> Any:
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if hasattr(value, "__name__"):
        return value.__name__
    raise ValueError("Cannot serialize", value)


def revive(key: str, value: Any, custom_objects: Any, columns_by_name: Any) -> Any:
    """The argument of a column that `plain` made this value of."""
    if key in ("source_column", "categorical_column"):
        return deserialize(value, custom_objects, columns_by_name)
    if key == "keys":
        return tuple(deserialize(v, custom_objects, columns_by_name) for v in value)
    if key == "dtype":
        return tf.as_dtype(value)
    if key == "normalizer_fn" and value is not None:
        return _function(value, custom_objects)
    if key == "initializer":
        return _initializer(value, custom_objects)
    return _tuples(value) if isinstance(value, list) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _function(value: Any, custom_objects: Any) -> Any:
    from ..keras.utils import get_registered_object

    if callable(value):
        return value
    name = value["class_name"] if isinstance(value, dict) else value
    found = get_registered_object(name, custom_objects)
    if found is None:
        raise ValueError(f"Unknown object: {name}. A normalizer_fn is saved by its name; give it in custom_objects.")
    return found.from_config(value["config"]) if isinstance(value, dict) and hasattr(found, "from_config") else found


def _initializer(value: Any, custom_objects: Any) -> Any:
    from .dense import TruncatedNormal

    if isinstance(value, dict) and value.get("class_name") == "TruncatedNormal" and "dtype" in value["config"]:
        return TruncatedNormal.from_config(value["config"])
    if isinstance(value, str) and custom_objects and value in custom_objects:
        return custom_objects[value]
    return value if callable(value) else tf.keras.initializers.deserialize(value, custom_objects)
