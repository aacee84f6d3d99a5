"""The names that Keras gives to objects that the user did not name."""

from __future__ import annotations

import collections
import re
import weakref
from typing import Any

from tf2compat._engine import state


class _Names:
    """How often each name was asked for, and those that the user chose."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = collections.defaultdict(int)
        self.chosen: set[str] = set()


_eager = _Names()
#: what is made while a graph is recorded is numbered from the beginning: of a function, or what a layer is connected by
_of_graphs: weakref.WeakKeyDictionary[Any, _Names] = weakref.WeakKeyDictionary()
_CAMEL = re.compile(r"(.)([A-Z][a-z]+)")
_LOWER_UPPER = re.compile(r"([a-z])([A-Z])")


def snake_case(name: str) -> str:
    """`BatchNormalization` → `batch_normalization`, `Conv2D` → `conv2d`; a leading underscore becomes `private_`."""
    insecure = _LOWER_UPPER.sub(r"\1_\2", _CAMEL.sub(r"\1_\2", name)).lower()
    return "private" + insecure if insecure[0] == "_" else insecure


def _here() -> _Names:
    graph = state.local.graph if state.local.graph is not None else state.local.left
    if graph is None:
        return _eager
    found = _of_graphs.get(graph)
    if found is None:
        found = _of_graphs[graph] = _Names()
    return found


def unique(name: str, zero_based: bool = True, avoid_chosen: bool = False) -> str:
    """`name`, `name_1`, … in the order of the calls (`input_1` first where not `zero_based`).

    As in Keras it may be one that the user chose elsewhere, unless those are to be avoided: layers made of ops do that.
    """
    names = _here()
    while True:
        n = names.counts[name]
        names.counts[name] = n + 1
        proposed = (f"{name}_{n}" if n else name) if zero_based else f"{name}_{n + 1}"
        if not avoid_chosen or proposed not in names.chosen:
            return proposed


def reserve(name: str) -> None:
    """Remember a name that the user chose, so that no layer made of ops gets it."""
    _here().chosen.add(name)


def count_of(name: str) -> int:
    return _here().counts[name]


def reset() -> None:
    _eager.__init__()  # type: ignore[misc]
    _of_graphs.clear()


def name_of(instance: Any) -> str:
    return unique(snake_case(type(instance).__name__))
