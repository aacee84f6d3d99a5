"""Operators of Tensor and Variable that load with their first use, so that `import tf2compat` need not load the ops.

The first operator used imports `operators`, which puts the real ones in the place of these.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from .tensor import Tensor
from .variable import Variable

_NAMES = (
    "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__floordiv__",
    "__rfloordiv__", "__mod__", "__rmod__", "__pow__", "__rpow__", "__matmul__", "__rmatmul__", "__neg__", "__abs__", "__and__",
    "__rand__", "__or__", "__ror__", "__xor__", "__rxor__", "__invert__", "__lt__", "__le__", "__gt__", "__ge__", "__eq__",
    "__ne__", "__getitem__",
)  # fmt: skip


def load() -> None:
    """Attach the real operators."""
    importlib.import_module("tf2compat._engine.operators")


def _first(name: str) -> Callable[..., Any]:
    def operator(self: Any, *args: Any) -> Any:
        load()
        return getattr(type(self), name)(self, *args)

    return operator


for _name in _NAMES:
    for _cls in (Tensor, Variable):
        setattr(_cls, _name, _first(_name))
