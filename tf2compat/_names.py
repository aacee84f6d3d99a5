"""What a name that is not here means: TensorFlow has it and tf2compat does not yet, or nobody has it.

`_names.tsv` beside this file lists TensorFlow's public names with kind and signature.
"""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class PublicName(NamedTuple):
    """A public name of TensorFlow: its path (`tf.math.add`), kind (module, class, function, …) and signature."""

    path: str
    kind: str
    signature: str


class NotYetSupported(AttributeError):
    """TensorFlow has this name; tf2compat does not have it yet."""


@functools.cache
def table() -> dict[str, PublicName]:
    """TensorFlow's public names by path."""
    lines = (Path(__file__).parent / "_names.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines if line)
    return {r[0]: PublicName(r[0], r[1], r[2] if len(r) > 2 else "") for r in rows}


def missing(module: str, name: str) -> AttributeError:
    """The error for `name`, which the namespace `module` ("tf.math") does not define."""
    path = f"{module}.{name}"
    shown = path.replace("tf.", "tensorflow.", 1)
    if not name.startswith("_"):
        known = table()
        if path in known or any(p.startswith(path + ".") for p in known):
            return NotYetSupported(
                f"TensorFlow has {path}; tf2compat does not yet: see docs/coverage.md",
                name=name,
            )
        siblings = [p.rsplit(".", 1)[1] for p in known if p.rsplit(".", 1)[0] == module]
        close = difflib.get_close_matches(name, siblings, 1)
        if close:
            return AttributeError(
                f"module '{shown.rsplit('.', 1)[0]}' has no attribute '{name}'. Did you mean: '{close[0]}'?", name=name
            )
    return AttributeError(f"module '{shown.rsplit('.', 1)[0]}' has no attribute '{name}'", name=name)


def star_names(module: str) -> list[str]:
    """What `from tensorflow.x import *` takes: TensorFlow's public names in the namespace `module` ("tf.x") that exist here."""
    here = importlib.import_module("tf2compat" + module[len("tf") :])
    inside = {p[len(module) + 1 :].split(".")[0] for p in table() if p.startswith(module + ".")}
    return [name for name in sorted(inside) if _has(here, name)]


def _has(module: Any, name: str) -> bool:
    try:
        getattr(module, name)
    except (AttributeError, ImportError):  # not there, or it needs a package that is not
        return False
    return True


def module_getattr(module: str) -> Callable[[str], Any]:
    """A module's `__getattr__` that says whether TensorFlow has the name: `__getattr__ = module_getattr("tf.math")`."""

    def getattr_(name: str) -> Any:
        if name == "__all__":
            return star_names(module)
        raise missing(module, name)

    return getattr_
