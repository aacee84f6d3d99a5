"""Users' methods inside a function being traced: AutoGraph rewrites them once, then they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def converted(fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn` as AutoGraph rewrites it for the graph being traced; `fn` itself where conversion is off."""
    from tf2compat._engine.autograph import converted_call

    def call(*args: Any, **kwargs: Any) -> Any:
        return converted_call(fn, args, kwargs)

    return call
