"""Models in pickles and as copies: by way of a `.keras` file, as Keras 2 does it."""

from __future__ import annotations

import os
import tempfile
from typing import Any


def as_bytes(model: Any) -> bytes:
    """The `.keras` file of a built model."""
    from .._files import save_model

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        save_model(model, path)
        with open(path, "rb") as file:
            return file.read()


def from_bytes(data: bytes, classes: dict[str, Any] | None = None) -> Any:
    """The model of `as_bytes`; `classes` are the program's own, which the pickle names. A pickle is trusted by whoever loads it."""
    from .._files import load_model

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        with open(path, "wb") as file:
            file.write(data)
        return load_model(path, custom_objects=classes, safe_mode=False)


def own_classes(model: Any) -> dict[str, Any]:
    """The classes of a model and its layers that are not this package's, by name."""
    found = {type(layer) for layer in model._flatten_layers()}
    found |= {type(part) for part in (getattr(model, "optimizer", None), getattr(model, "loss", None)) if part is not None}
    return {cls.__name__: cls for cls in found if not cls.__module__.startswith(("tf2compat.", "builtins"))}
