"""`tf.keras.models`: models, copies of them, and their files."""

from __future__ import annotations

import json
from typing import Any

from .._base.cloning import clone_model
from .._base.model import Model
from .._base.saving_methods import _files
from .._base.sequential import Sequential

__all__ = [
    "Model", "Sequential", "clone_model", "load_model", "model_from_config", "model_from_json", "model_from_yaml", "save_model",
]  # fmt: skip


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True, **kwargs: Any) -> Any:  # noqa: A002
    """The model of a file that `model.save` wrote (`tf.keras.models.load_model`)."""
    return _files().load_model(filepath, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode, **kwargs)


def save_model(model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None, **kwargs: Any) -> None:
    """Same as `model.save` (`tf.keras.models.save_model`)."""
    model.save(filepath, overwrite=overwrite, save_format=save_format, **kwargs)


def model_from_config(config: Any, custom_objects: Any = None) -> Any:
    """The model of a config with a class name (`tf.keras.models.model_from_config`). TypeError for a list."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Received: config={}. Did you meant to use "
            "`Sequential.from_config(config)`?".format(config)
        )
    from .._base.serialization import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects)


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model that `model.to_json` described (`tf.keras.models.model_from_json`)."""
    return model_from_config(json.loads(json_string), custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Any = None) -> Any:
    """RuntimeError, as in Keras: YAML can run code (`tf.keras.models.model_from_yaml`)."""
    raise RuntimeError(
        "Method `model_from_yaml()` has been removed due to security risk of arbitrary code execution. Please use `Model.to_json()` and "
        "`model_from_json()` instead."
    )


def __getattr__(name: str) -> Any:
    if name == "experimental":
        import importlib

        return importlib.import_module(f"{__name__}.experimental")
    from tf2compat._names import missing

    raise missing("tf.keras.models", name)
