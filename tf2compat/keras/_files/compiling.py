"""Models and what they were compiled with, as the JSON of Keras' files, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from tf2compat._engine import dtypes, nest
from tf2compat._engine.logs import get_logger
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.wrappers import TrackableDataStructure
from tf2compat.keras._base import serialization
from tf2compat.keras._base.compiling import MetricsContainer

_log = get_logger()
_COMPILE_ARGUMENTS = ("loss", "metrics", "weighted_metrics", "loss_weights")


def jsonable(value: Any) -> Any:
    """For `json.dumps(default=…)`: values that configs hold beside plain ones."""
    if isinstance(value, TensorShape):
        return value.as_list() if value.rank is not None else None
    if isinstance(value, dtypes.DType):
        return value.name
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if hasattr(value, "numpy"):
        return np.asarray(value.numpy()).tolist()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "get_config"):
        return serialization.serialize_keras_object(value)
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    if isinstance(value, TrackableDataStructure):  # of a dict or tuple
        return value._container()
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be written to a model file")


def _models() -> dict[str, Any]:
    from tf2compat.keras._base.functional import Functional
    from tf2compat.keras._base.model import Model
    from tf2compat.keras._base.sequential import Sequential

    return {"Functional": Functional, "Model": Model, "Sequential": Sequential}


@contextlib.contextmanager
def _scope(custom_objects: dict[str, Any] | None, safe_mode: bool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(serialization.CustomObjectScope(custom_objects or {}))
        if not safe_mode:
            stack.enter_context(serialization.TrustedScope())
        yield


def decoded(value: Any) -> Any:
    """JSON of Keras' older files, with the tuples and shapes that it marks."""
    if isinstance(value, list):
        return [decoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") in ("__tuple__", "TensorShape") and "items" in value:
        return tuple(decoded(v) for v in value["items"] or ())
    if value.get("class_name") == "__ellipsis__":
        return Ellipsis
    return {k: decoded(v) for k, v in value.items()}


def model_config(model: Any, include_compilation: bool = True) -> dict[str, Any]:
    """A model as the `.keras` format describes it."""
    config = serialization.serialize_keras_object(model)
    if getattr(model, "_is_compiled", False) and include_compilation:
        config["compile_config"] = model.get_compile_config()
    return config


def model_from_config(config: Any, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    """The model of a `.keras` configuration, compiled if it says how and `compile` is true."""
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError("The configuration of the model is not an object with a class name.")
    compilation = config.pop("compile_config", None)
    with _scope(custom_objects, safe_mode):
        model = serialization.deserialize_keras_object(config, custom_objects, safe_mode, module_objects=_models())
        if compile and compilation:
            model.compile_from_config(compilation)
            build_metrics(model)
    return model


def legacy(config: Any) -> Any:
    """A configuration as HDF5 files have it: objects are a class name and a config."""
    if isinstance(config, dict):
        if "class_name" in config and "config" in config:
            kept = {key: value for key, value in config.items() if key not in ("module", "registered_name", "build_config", "compile_config")}
            if config.get("class_name") == "function":
                return config["config"]
            registered = config.get("registered_name")
            if registered and config.get("module") is None and ">" in registered:
                kept["class_name"] = registered
            return {key: legacy(value) for key, value in kept.items()}
        return {key: legacy(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [legacy(value) for value in config]
    return config


def training_config(model: Any) -> dict[str, Any] | None:
    """What a model was compiled with, as HDF5 files have it; None if it was not, or has a version 1 optimizer, which has no configuration."""
    if not getattr(model, "_is_compiled", False):
        return None
    if not hasattr(model.optimizer, "get_config"):
        _log.warning(
            "TensorFlow optimizers do not make it possible to access optimizer attributes or optimizer state after instantiation. As a result, "
            "we cannot save the optimizer as part of the model save file. You will have to compile your model again after loading it. Prefer "
            "using a TF-Keras optimizer instead (see keras.io/optimizers)."
        )
        return None
    given = legacy(model.get_compile_config())
    out = {name: given.get(name) for name in _COMPILE_ARGUMENTS}
    if isinstance(getattr(model, "compiled_metrics", None), MetricsContainer):  # by their names: "mae" of `metrics=["mae"]` is one
        build_metrics(model)
        for name, metrics in zip(("metrics", "weighted_metrics"), model.compiled_metrics.matched(), strict=True):
            out[name] = legacy(serialization.serialize_keras_object(metrics))
    out["optimizer_config"] = serialization.serialize_legacy(model.optimizer)
    out["optimizer_config"] = legacy(serialization.serialize_keras_object(out["optimizer_config"]))
    return out


def model_from_legacy(config: Any, custom_objects: dict[str, Any] | None, safe_mode: bool) -> Any:
    """The model of an HDF5 file's configuration."""
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ValueError("The configuration of the model is not an object with a class name.")
    if config["class_name"] == "Model" and isinstance(config["config"], dict) and "input_layers" in config["config"]:
        config = {**config, "class_name": "Functional"}  # its name in older versions of Keras
    if config["class_name"] == "Sequential" and isinstance(config["config"], list):
        config = {**config, "config": {"name": None, "layers": config["config"]}}
    with _scope(custom_objects, safe_mode), serialization.OwnFunctionsScope():
        return serialization.deserialize_keras_object(config, custom_objects, safe_mode, module_objects=_models())


def _each(read: Any, config: Any) -> Any:
    if config is None or isinstance(config, (int, float)):
        return config
    if isinstance(config, str) or (isinstance(config, dict) and "class_name" in config):
        return read(config)
    if isinstance(config, dict):
        return {key: _each(read, value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [_each(read, value) for value in config]
    raise ValueError(f"Saved configuration not understood. Configuration should be a dictionary, string, tuple or list. Received: config={config}.")


def compile_from_training_config(model: Any, config: Any, custom_objects: dict[str, Any] | None) -> None:
    """Compiles a model with what an HDF5 file says."""
    from tf2compat.keras import losses, metrics, optimizers
    from tf2compat.keras._base.training import Training

    if not isinstance(config, dict) or not isinstance(config.get("optimizer_config"), dict):
        raise ValueError(f"Saved configuration not understood. Received: config={config}.")

    def metric(item: Any) -> Any:
        return item if item in ("accuracy", "acc", "crossentropy", "ce") else metrics.deserialize(item)

    with serialization.CustomObjectScope(custom_objects or {}):
        optimizer_config = dict(config["optimizer_config"])
        name = str(optimizer_config.get("class_name"))
        if name.startswith("Custom>") and serialization.get_registered_object(name) is None:
            optimizer_config["class_name"] = name.removeprefix("Custom>")  # how Keras 2 names its own optimizers there
        model.compile(
            optimizer=optimizers.deserialize(optimizer_config),
            loss=_each(losses.deserialize, config.get("loss")),
            metrics=_each(metric, config.get("metrics")),
            weighted_metrics=_each(metric, config.get("weighted_metrics")),
            loss_weights=config.get("loss_weights"),
            **({"from_serialized": True} if type(model).compile is Training.compile else {}),
        )
    build_metrics(model)


def build_metrics(model: Any) -> None:
    """Matches losses and metrics with the outputs now, where the model knows its outputs, so that their state can be read."""
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return
    packed = nest.pack_sequence_as(model.output, outputs) if nest.is_nested(model.output) else outputs[0]
    try:
        if not model.compiled_loss.built:
            model.compiled_loss.build(packed)
        if not model.compiled_metrics.built:
            model.compiled_metrics.build(packed, packed)
    except Exception:  # noqa: BLE001 - as in Keras: training will say what does not fit
        _log.warning(
            "Compiled the loaded model, but the compiled metrics have yet to be built. `model.compile_metrics` will be empty until you train "
            "or evaluate the model."
        )


def built(optimizer: Any, variables: Any) -> None:
    """Have an optimizer, of Keras' new or legacy ones, make its variables."""
    if hasattr(type(optimizer), "build"):
        optimizer.build(variables)
    else:
        optimizer._create_all_weights(variables)


def restore_optimizer(model: Any, values: list[np.ndarray]) -> None:
    """Gives a compiled model's optimizer its saved variables; when they do not fit it begins anew, with a warning."""
    optimizer = model.optimizer
    try:
        built(optimizer, model.trainable_variables)
        if type(values) is list and len(values) < len(optimizer.variables) and hasattr(type(optimizer), "build"):
            values = [*values, *(v.numpy() for v in optimizer.variables[len(values) :])]  # of one that had not been used
        if len(values) != len(optimizer.variables):
            raise ValueError(f"{len(values)} saved variables for {len(optimizer.variables)}")
        optimizer.set_weights(values)
    except (ValueError, NotImplementedError, AttributeError):
        _log.warning("Error in loading the saved optimizer state. As a result, your model is starting with a freshly initialized optimizer.")
