"""The names that Keras gives to objects that the user did not name."""

from __future__ import annotations

import collections
import contextlib
import re
from collections.abc import Iterator
from typing import Any

_counts: dict[str, int] = collections.defaultdict(int)
_chosen: set[str] = set()
_CAMEL = re.compile(r"(.)([A-Z][a-z]+)")
_LOWER_UPPER = re.compile(r"([a-z])([A-Z])")


def snake_case(name: str) -> str:
    """`BatchNormalization` → `batch_normalization`, `Conv2D` → `conv2d`; a leading underscore becomes `private_`."""
    insecure = _LOWER_UPPER.sub(r"\1_\2", _CAMEL.sub(r"\1_\2", name)).lower()
    return "private" + insecure if insecure[0] == "_" else insecure


def unique(name: str, zero_based: bool = True, avoid_chosen: bool = False) -> str:
    """`name`, `name_1`, … in the order of the calls (`input_1` first where not `zero_based`).

    As in Keras it may be one that the user chose elsewhere, unless those are to be avoided: layers made of ops do that.
    """
    while True:
        n = _counts[name]
        _counts[name] = n + 1
        proposed = (f"{name}_{n}" if n else name) if zero_based else f"{name}_{n + 1}"
        if not avoid_chosen or proposed not in _chosen:
            return proposed


def reserve(name: str) -> None:
    """Remember a name that the user chose, so that no layer made of ops gets it."""
    _chosen.add(name)


def count_of(name: str) -> int:
    return _counts[name]


def reset() -> None:
    _counts.clear()
    _chosen.clear()


@contextlib.contextmanager
def of_a_graph() -> Iterator[None]:
    """Number from the beginning, as Keras does for what is made while a graph is recorded, and leave the numbers outside as they are."""
    outside = dict(_counts), set(_chosen)
    reset()
    try:
        yield
    finally:
        reset()
        _counts.update(outside[0])
        _chosen.update(outside[1])


def name_of(instance: Any) -> str:
    return unique(snake_case(type(instance).__name__))
