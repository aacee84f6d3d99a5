"""The model-file adapter for `.keras` archives, and for `.weights.h5` files, which have the layout of the weights in them.

A weight's place is the path of attributes that leads to its layer; the layers in a list go by their class names.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from tf2compat._files import Commit
from tf2compat.keras._base import serialization
from tf2compat.keras._base.layer import Layer
from tf2compat.keras._base.naming import snake_case
from tf2compat.keras._files import compiling
from tf2compat.keras.metrics import Metric
from tf2compat.keras.optimizers import Optimizer
from tf2compat_adapters import hdf5, keras3

_WEIGHTS = "model.weights.h5"
_MAX_CONFIG = 256 << 20
_MAX_MEMBERS = 1_000_000
_MAX_RATIO = 1100  # deflate makes at most one byte of 1032


# --- the tree as Keras walks it --------------------------------------------------------------------------------------
def _children(owner: Any) -> Iterator[tuple[str, Any]]:
    """What an object holds under which attribute, in Keras' order: backwards by name."""
    names = set(owner._tracked().edges) if hasattr(owner, "_tracked") else set()
    names = {name for name in names if not (isinstance(owner, Optimizer) and name.startswith("_"))}
    if hasattr(owner, "layers"):
        names |= {"layers", "metrics", "optimizer"}
    for name in sorted(names, reverse=True):
        with contextlib.suppress(Exception):  # a property may not be ready, as in Keras
            yield name, getattr(owner, name)


def _is_holder(value: Any) -> bool:
    return isinstance(value, (Layer, Optimizer, Metric))


def _walk(owner: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Every layer, metric and optimizer with its path, each once."""
    if id(owner) in seen:
        return
    seen.add(id(owner))
    yield path, owner
    for name, value in _children(owner):
        inner = f"{path}/{name}" if path else name
        if _is_holder(value):
            yield from _walk(value, inner, seen)
        elif isinstance(value, (list, dict, tuple, set)):
            used: dict[str, int] = {}
            for item in list(value.values()) if isinstance(value, dict) else list(value):
                if not _is_holder(item) or id(item) in seen:
                    continue
                own = snake_case(type(item).__name__)
                number = used.get(own, -1) + 1
                used[own] = number
                yield from _walk(item, f"{inner}/{own}_{number}" if number else f"{inner}/{own}", seen)


# --- writing ---------------------------------------------------------------------------------------------------------
class _Store(dict):
    """Collects what `save_own_variables` puts, as plain arrays."""

    def __setitem__(self, key: str, value: Any) -> None:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        super().__setitem__(str(key), array.astype(np.float32) if array.dtype.name == "bfloat16" else array)


def _put_weights(file: Any, model: Any, include_optimizer: bool = True) -> None:
    for path, item in _walk(model, "", set()):
        if isinstance(item, Optimizer) and not include_optimizer:
            continue
        if not hasattr(item, "save_own_variables"):
            continue
        store = _Store()
        item.save_own_variables(store)
        group = file.create_group(f"{path}/vars" if path else "vars")
        for key, value in store.items():
            group.create_dataset(key, data=value)


def save_weights(model: Any, path: str) -> None:
    """Writes `.weights.h5`."""
    if not path.endswith(".weights.h5"):
        raise ValueError(f"Invalid `filepath` argument: expected a `.weights.h5` extension. Received: filepath={path}")
    with Commit() as commit:
        with h5py.File(commit.open(path), "w") as file:
            _put_weights(file, model)


def save(model: Any, path: str, include_optimizer: bool = True) -> None:
    """Writes a `.keras` archive."""
    if not model.built:
        warnings.warn(
            "You are saving a model that has not yet been built. It might not contain any weights yet. Consider building the model first by "
            "calling it on some data.",
            stacklevel=3,
        )
    from tf2compat.keras import __version__

    config = compiling.model_config(model, include_optimizer)
    metadata = {"keras_version": __version__, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        _put_weights(file, model, include_optimizer)
    with Commit() as commit:
        with zipfile.ZipFile(commit.open(path), "w") as archive:
            archive.writestr("metadata.json", json.dumps(metadata))
            archive.writestr("config.json", json.dumps(config, default=compiling.jsonable))
            archive.writestr(_WEIGHTS, weights.getbuffer())
            _put_assets(archive, model)


def _put_assets(archive: zipfile.ZipFile, model: Any) -> None:
    """Files of layers that have some, such as vocabularies."""
    for path, item in _walk(model, "", set()):
        if not hasattr(item, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as directory:
            item.save_assets(directory)
            for folder, _, files in os.walk(directory):
                for name in files:
                    full = os.path.join(folder, name)
                    inside = os.path.relpath(full, directory).replace(os.sep, "/")
                    archive.write(full, "/".join(part for part in ("assets", path, inside) if part))


# --- reading ---------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _open_archive(path: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > _MAX_MEMBERS:
                raise hdf5.damaged(path, "it has too many members")
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise hdf5.damaged(path, error) from error


def _member(archive: zipfile.ZipFile, name: str, path: str, limit: int | None = None) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise ValueError(f"Expected a {name} file in {path}.") from error
    if info.file_size > _MAX_RATIO * max(info.compress_size, 1) + (1 << 16) or (limit is not None and info.file_size > limit):
        raise hdf5.damaged(path, f"'{name}' claims {info.file_size} bytes")
    try:
        with archive.open(info) as file:
            content = file.read(info.file_size + 1)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise hdf5.damaged(path, f"'{name}': {error}") from error
    except Exception as error:  # zlib's own class
        raise hdf5.damaged(path, f"'{name}': {error}") from error
    if len(content) != info.file_size:
        raise hdf5.damaged(path, f"'{name}' has not the length it claims")
    return content


def _get_weights(file: Any, model: Any, path: str, skip_mismatch: bool, third: bool = False) -> None:
    """Reads everything first, and lets the objects take it afterwards. `third`: Keras 3 wrote it."""
    stored: dict[str, dict[str, np.ndarray]] = {}
    third = third or hdf5.attribute(file.get("optimizer/vars", file), "name", path) is not None
    for name, dataset in hdf5.walk(file, path):
        place, _, key = name.rpartition("/")
        if place == "vars" or place.endswith("/vars"):
            stored.setdefault(place[: -len("vars")].rstrip("/"), {})[key] = hdf5.read_dataset(dataset, path)
    work = []
    for place, item in _walk(model, "", set()):
        if not hasattr(item, "load_own_variables"):
            continue
        store = stored.get(place, {})
        if third and not store:  # attributes that Keras 2 keeps to itself are public names there
            store = stored.get("/".join(part.lstrip("_") for part in place.split("/")), {})
        if isinstance(item, Metric) and not store:
            continue  # metrics begin anew
        if isinstance(item, Optimizer) and not store:
            continue  # saved without optimizer
        if third and isinstance(item, Optimizer):
            compiling.restore_optimizer(model, _without_rate(store))
            continue
        problem = None if skip_mismatch else _problem(item, store)
        if problem is not None:
            raise ValueError(f"{path}: the weights of '{place or 'the model'}' do not fit: {problem}")
        work.append((item, store))
    for item, store in work:
        try:
            with hdf5.consistent(path):
                item.load_own_variables(store)
        except Exception as error:  # noqa: BLE001 - whatever an own method raises
            if not skip_mismatch:
                raise
            warnings.warn(f"Could not load weights in object {item}. Skipping object. Exception encountered: {error}", stacklevel=4)


def _without_rate(store: dict[str, np.ndarray]) -> list[np.ndarray]:
    """An optimizer's variables in order, without the learning rate, which Keras 3 has among them."""
    return [store[key] for key in sorted(store, key=lambda text: int(text) if text.isdecimal() else 1 << 30) if key != "1"]


def _problem(item: Any, store: dict[str, np.ndarray]) -> str | None:
    """Why a layer that takes its variables in order cannot take these, or None."""
    if type(item).load_own_variables is not Layer.load_own_variables:
        return None
    own = item._trainable_weights + item._non_trainable_weights
    for number, variable in enumerate(own):
        value = store.get(str(number))
        if value is not None and not variable.shape.is_compatible_with(value.shape):
            return (
                f"Cannot assign value to variable '{variable.name}': Shape mismatch. The variable shape {tuple(variable.shape)}, and the "
                f"assigned value shape {value.shape} are incompatible."
            )
    return None


def _open_weights(content: bytes, path: str) -> Any:
    try:
        return h5py.File(io.BytesIO(content), "r")
    except Exception as error:
        raise hdf5.damaged(path, f"'{_WEIGHTS}': {error}") from error


def load_weights(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Reads weights from `.weights.h5`, or from a `.keras` archive."""
    if path.endswith(".keras"):
        with _open_archive(path) as archive:
            content = _member(archive, _WEIGHTS, path)
        with _open_weights(content, path) as file:
            _get_weights(file, model, path, skip_mismatch)
        return
    with hdf5.open_file(path) as file:
        _get_weights(file, model, path, skip_mismatch)


def load(path: str, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    """Reads a `.keras` archive."""
    with _open_archive(path) as archive:
        try:
            config = json.loads(_member(archive, "config.json", path, _MAX_CONFIG))
        except (ValueError, RecursionError) as error:
            raise hdf5.damaged(path, f"its configuration is not JSON: {error}") from error
        third = keras3.written_by(_version(archive, path))
        if third:
            with serialization.CustomObjectScope(custom_objects or {}):
                config = _translated(config, path)
        with hdf5.consistent(path):
            model = compiling.model_from_config(config, custom_objects, compile, safe_mode)
        with _open_weights(_member(archive, _WEIGHTS, path), path) as file:
            _get_weights(file, model, path, False, third)
        _get_assets(archive, model, path)
    return model


def _version(archive: zipfile.ZipFile, path: str) -> str:
    """The version of Keras that wrote an archive."""
    if "metadata.json" not in archive.namelist():
        return ""
    try:
        metadata = json.loads(_member(archive, "metadata.json", path, _MAX_CONFIG))
    except (ValueError, RecursionError) as error:
        raise hdf5.damaged(path, f"its metadata are not JSON: {error}") from error
    return str(metadata.get("keras_version", "")) if isinstance(metadata, dict) else ""


def _translated(config: Any, path: str) -> Any:
    with hdf5.consistent(path):
        return keras3.model_config(config)


def _get_assets(archive: zipfile.ZipFile, model: Any, path: str) -> None:
    members = [name for name in archive.namelist() if name.startswith("assets/") and not name.endswith("/")]
    if not members:
        return
    for place, item in _walk(model, "", set()):
        if not hasattr(item, "load_assets"):
            continue
        prefix = "/".join(part for part in ("assets", place) if part) + "/"
        directory = tempfile.mkdtemp()
        try:
            for name in members:
                inside = name[len(prefix) :]
                if not name.startswith(prefix):
                    continue
                target = os.path.normpath(os.path.join(directory, inside))
                if not target.startswith(directory + os.sep):
                    raise hdf5.damaged(path, f"the member '{name}' would be written outside")
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "wb") as file:
                    file.write(_member(archive, name, path))
            item.load_assets(directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
