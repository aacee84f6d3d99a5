"""The model-file adapter for HDF5: Keras' `.h5` files of weights and of whole models."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np

from tf2compat._engine.logs import get_logger
from tf2compat._files import Commit
from tf2compat.keras._base import serialization
from tf2compat.keras._files import compiling
from tf2compat.keras._files.weights import assign_all
from tf2compat_adapters import hdf5, keras3

_log = get_logger()


# --- writing ---------------------------------------------------------------------------------------------------------
def _layer_weights(layer: Any) -> list[Any]:
    return list(layer.trainable_weights) + list(layer.non_trainable_weights)


def _put(group: Any, weights: list[Any]) -> None:
    names: list[str] = []
    for weight in weights:
        name = getattr(weight, "name", None) or "weight"
        unique, number = name, 1
        while unique in names:  # nested layers may hold weights of one name
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    hdf5.put_text_list(group, "weight_names", names)
    for name, weight in zip(names, weights, strict=True):
        value = weight.numpy()
        group.create_dataset(name, data=np.asarray(value, np.float32) if getattr(value, "dtype", None) == "bfloat16" else value)


def _put_model(group: Any, model: Any, version: str) -> None:
    for layer in model._flatten_layers():
        if getattr(layer, "adapted_vocabulary", bool)():
            raise NotImplementedError(
                "Save or restore weights that is not an instance of `tf.Variable` is not supported in h5, use `save_format='tf'` instead. "
                f"Received a model or layer {type(layer).__name__} whose vocabulary comes from `adapt`: {layer.name}"
            )
    hdf5.put_text_list(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = version.encode()
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        _put(group.create_group(layer.name), _layer_weights(layer))
    _put(group.create_group("top_level_model_weights"), model._trainable_weights + model._non_trainable_weights)


def _write(path: str, fill: Any) -> None:
    with Commit() as commit:
        raw = commit.open(path)
        with h5py.File(raw, "w") as file:
            fill(file)


def _version() -> str:
    from tf2compat.keras import __version__

    return __version__


def save_weights(model: Any, path: str) -> None:
    """Writes a model's weights."""
    _write(path, lambda file: _put_model(file, model, _version()))


def save(model: Any, path: str, include_optimizer: bool = True) -> None:
    """Writes a model: architecture, weights, compile arguments, optimizer."""

    model._assert_weights_created()

    def fill(file: Any) -> None:
        config = {"class_name": type(model).__name__, "config": model.get_config()}
        file.attrs["keras_version"] = _version()
        file.attrs["backend"] = "tensorflow"
        _put_json(file, "model_config", compiling.legacy(config))
        optimizer = getattr(model, "optimizer", None)
        training = compiling.training_config(model) if optimizer is not None and include_optimizer else None
        if training is not None:
            compiling.build_metrics(model)
        if training is not None:
            _put_json(file, "training_config", training)
        _put_model(file.create_group("model_weights"), model, _version())
        if training is not None and optimizer.variables:
            _put(file.create_group("optimizer_weights"), list(optimizer.variables))

    _write(path, fill)


def _put_json(item: Any, name: str, value: Any) -> None:
    # HDF5 keeps long attributes only as variable-length text.
    item.attrs.create(name, json.dumps(value, default=compiling.jsonable), dtype=h5py.string_dtype())


# --- reading ---------------------------------------------------------------------------------------------------------
def _values(group: Any, path: str) -> list[np.ndarray]:
    found = []
    for name in hdf5.text_list(group, "weight_names", path):
        try:
            item = group[name]
        except Exception as error:
            raise hdf5.damaged(path, f"the weight '{name}' is missing") from error
        if not isinstance(item, h5py.Dataset):
            raise hdf5.damaged(path, f"the weight '{name}' is not an array")
        found.append(hdf5.read_dataset(item, path))
    return found


def _group(parent: Any, name: str, path: str) -> Any:
    link = parent.get(name, getlink=True)
    item = parent.get(name) if isinstance(link, h5py.HardLink) else None
    if not isinstance(item, h5py.Group):
        raise hdf5.damaged(path, f"the group '{name}' is missing")
    return item


def _fits(weights: list[Any], values: list[np.ndarray]) -> bool:
    return len(weights) == len(values) and all(w.shape.is_compatible_with(v.shape) for w, v in zip(weights, values, strict=True))


def _load_in_order(group: Any, model: Any, path: str, skip_mismatch: bool) -> None:
    layers = [layer for layer in model.layers if _layer_weights(layer)]
    names = [name for name in hdf5.text_list(group, "layer_names", path) if hdf5.text_list(_group(group, name, path), "weight_names", path)]
    if len(names) != len(layers):
        raise ValueError(
            f"Layer count mismatch when loading weights from file. Model expected {len(layers)} layers, found {len(names)} saved layers."
        )
    pairs: list[tuple[Any, Any]] = []
    for number, (name, layer) in enumerate(zip(names, layers, strict=True)):
        weights, values = _layer_weights(layer), _values(_group(group, name, path), path)
        if len(weights) != len(values):
            raise ValueError(
                f"Weight count mismatch for layer #{number} (named {layer.name} in the current model, {name} in the save file). Layer "
                f"expects {len(weights)} weight(s). Received {len(values)} saved weight(s)"
            )
        if skip_mismatch and not _fits(weights, values):
            _warn_skipped(layer)
            continue
        for weight, value in zip(weights, values, strict=True):
            if not weight.shape.is_compatible_with(value.shape):
                raise ValueError(
                    f"Shape mismatch in layer #{number} (named {layer.name}) for weight {weight.name}. Weight expects shape "
                    f"{tuple(weight.shape)}. Received saved weight with shape {value.shape}"
                )
        pairs += zip(weights, values, strict=True)
    if "top_level_model_weights" in group:
        own = model._trainable_weights + model._non_trainable_weights
        values = _values(_group(group, "top_level_model_weights", path), path)
        if len(own) != len(values):
            raise ValueError(
                f"Weight count mismatch for top-level weights when loading weights from file. Model expects {len(own)} top-level weight(s). "
                f"Received {len(values)} saved top-level weight(s)"
            )
        pairs += zip(own, values, strict=True)
    assign_all(pairs, path)


def _warn_skipped(layer: Any) -> None:
    _log.warning("Skipping loading of weights for layer %s due to mismatch in number or shape of weights.", layer.name)


def _load_by_name(group: Any, model: Any, path: str, skip_mismatch: bool) -> None:
    by_name: dict[str, list[Any]] = {}
    for layer in model.layers:
        by_name.setdefault(layer.name, []).append(layer)
    pairs: list[tuple[Any, Any]] = []
    for name in hdf5.text_list(group, "layer_names", path):
        values = _values(_group(group, name, path), path)
        for layer in by_name.get(name, []):
            weights = _layer_weights(layer)
            if not _fits(weights, values):
                if skip_mismatch:
                    _warn_skipped(layer)
                    continue
                raise ValueError(
                    f"Weight count or shape mismatch for layer {layer.name} when loading weights from file: it expects "
                    f"{[tuple(w.shape) for w in weights]}, the file has {[v.shape for v in values]}."
                )
            pairs += zip(weights, values, strict=True)
    assign_all(pairs, path)


def load_weights(model: Any, path: str, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Reads weights from a file of weights, or from one of a whole model."""
    with hdf5.open_file(path) as file:
        group = file
        if "layer_names" not in file.attrs and "layer_names0" not in file.attrs and "model_weights" in file:
            group = _group(file, "model_weights", path)
        (_load_by_name if by_name else _load_in_order)(group, model, path, skip_mismatch)


def load(path: str, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    """Reads a model."""
    with hdf5.open_file(path) as file:
        text = hdf5.attribute(file, "model_config", path)
        if text is None:
            raise ValueError(f"No model config found in the file at {file}.")
        third = keras3.written_by(hdf5.attribute(file, "keras_version", path))
        config = _json(text, path)
        if third:
            with serialization.CustomObjectScope(custom_objects or {}):
                config = _translated(config, path)
        with hdf5.consistent(path):
            model = compiling.model_from_legacy(config, custom_objects, safe_mode)
        _load_in_order(_group(file, "model_weights", path), model, path, False)
        if not compile:
            return model
        text = hdf5.attribute(file, "training_config", path)
        if text is None:
            _log.warning("No training configuration found in the save file, so the model was *not* compiled. Compile it manually.")
            return model
        training = _json(text, path)
        with hdf5.consistent(path):
            compiling.compile_from_training_config(model, keras3.training_config(training) if third else training, custom_objects)
        if "optimizer_weights" in file:
            values = _values(_group(file, "optimizer_weights", path), path)
            if third:
                del values[1:2]  # the learning rate
            compiling.restore_optimizer(model, values)
    return model


def _translated(config: Any, path: str) -> Any:
    with hdf5.consistent(path):
        return keras3.model_config(config)


def _json(text: Any, path: str) -> Any:
    try:
        return compiling.decoded(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise hdf5.damaged(path, f"its configuration is not JSON: {error}") from error
