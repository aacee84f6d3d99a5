"""Ports: the small interfaces through which the core reaches other libraries and file formats.

An adapter is an object named `<port>.<name>` in the entry-point group `tf2compat.adapters`, for example
`checkpoint.safetensors`. A third party adds one by declaring such an entry point in its own distribution.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from typing import Any

GROUP = "tf2compat.adapters"


@functools.cache
def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    found = {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}
    if not any(name.startswith("checkpoint.") for name in found):
        # A source checkout on PYTHONPATH has no installed metadata: its own table says the same.
        try:
            table = importlib.import_module("tf2compat_adapters.entry_points").ENTRY_POINTS
        except ImportError:
            table = {}
        for name, value in table.items():
            found.setdefault(name, importlib.metadata.EntryPoint(name, value, GROUP))
    return found


def names(port: str) -> list[str]:
    """The names of the adapters there are for a port, sorted."""
    start = port + "."
    return sorted(name[len(start) :] for name in _entry_points() if name.startswith(start))


@functools.cache
def load(port: str, name: str) -> Any:
    """The adapter `name` of a port. Raises ImportError, saying what to install, if there is none or it cannot be loaded."""
    point = _entry_points().get(f"{port}.{name}")
    if point is None:
        raise ImportError(
            f"No adapter '{name}' for the port '{port}' is installed (there are: {', '.join(names(port)) or 'none'}). "
            f"Adapters come with the package tf2compat; others are found through the entry-point group '{GROUP}'."
        )
    try:
        return point.load()
    except ImportError as error:
        raise ImportError(f"The adapter '{port}.{name}' ({point.value}) needs a package that is not installed: {error}") from error
