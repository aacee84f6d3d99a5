"""The names that Keras gives to objects that the user did not name."""

from __future__ import annotations

import collections
import re
from typing import Any

_counts: dict[str, int] = collections.defaultdict(int)
_chosen: set[str] = set()
_CAMEL = re.compile(r"(.)([A-Z][a-z]+)")
_LOWER_UPPER = re.compile(r"([a-z])([A-Z])")


def snake_case(name: str) -> str:
    """`BatchNormalization` → `batch_normalization`, `Conv2D` → `conv2d`; a leading underscore becomes `private_`."""
    insecure = _LOWER_UPPER.sub(r"\1_\2", _CAMEL.sub(r"\1_\2", name)).lower()
    return "private" + insecure if insecure[0] == "_" else insecure


def unique(name: str, zero_based: bool = True) -> str:
    """`name`, `name_1`, … in the order of the calls (`input_1` first where not `zero_based`); none that the user chose."""
    while True:
        n = _counts[name]
        _counts[name] = n + 1
        proposed = (f"{name}_{n}" if n else name) if zero_based else f"{name}_{n + 1}"
        if proposed not in _chosen:
            return proposed


def reserve(name: str) -> None:
    """Remember a name that the user chose, so that no automatic name equals it."""
    _chosen.add(name)


def count_of(name: str) -> int:
    return _counts[name]


def reset() -> None:
    _counts.clear()
    _chosen.clear()


def name_of(instance: Any) -> str:
    return unique(snake_case(type(instance).__name__))
