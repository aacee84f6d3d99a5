"""`tf.keras`, with Keras 2's semantics. Submodules and classes load when they are first asked for."""

from __future__ import annotations

import importlib
from typing import Any

#: defining module -> public names directly under tf.keras
_HOMES: dict[str, str] = {
    "_base.model": "Model",
    "_base.sequential": "Sequential",
    "_base.input_layer": "Input",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_MODULES = frozenset(
    ["activations", "applications", "backend", "callbacks", "constraints", "datasets", "dtensor", "estimator", "experimental", "export", "initializers", "layers", "losses", "metrics", "mixed_precision", "models", "optimizers", "preprocessing", "regularizers", "saving", "utils"]
)
#: the Keras release whose behaviour this package follows
__version__ = "2.21.0"


def __getattr__(name: str) -> Any:
    if name == "__all__":
        from tf2compat._names import star_names

        return star_names("tf.keras")
    if name == "__internal__":
        return importlib.import_module("tf2compat._private.keras_internal")
    home = _HOME_OF.get(name)
    if home is not None:
        value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    from tf2compat._names import missing

    raise missing("tf.keras", name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME_OF) | _MODULES)
