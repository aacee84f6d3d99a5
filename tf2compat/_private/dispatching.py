"""`tensorflow.python.util.dispatch`: other implementations of functions, asked when a function does not take its arguments."""

from __future__ import annotations

import functools
from typing import Any


class OpDispatcher:
    """The base of other implementations of a function; `handle` returns `NOT_SUPPORTED` for arguments it is not about."""

    NOT_SUPPORTED = object()

    def handle(self, args: Any, kwargs: Any) -> Any:
        return self.NOT_SUPPORTED

    def register(self, op: Any) -> None:
        """Have this implementation asked for `op`, a function decorated by `add_dispatch_support` (AssertionError)."""
        found = getattr(op, "_tf_fallback_dispatchers", None)
        if found is None:
            raise AssertionError(f"Dispatching not enabled for {op}")
        found.append(self)


def add_dispatch_support(target: Any = None, iterable_parameters: Any = None) -> Any:
    """A decorator that lets dispatchers take over calls that raise TypeError or ValueError."""

    def decorate(fn: Any) -> Any:
        dispatchers: list[OpDispatcher] = []

        @functools.wraps(fn)
        def dispatched(*args: Any, **kwargs: Any) -> Any:
            try:
                return fn(*args, **kwargs)
            except (TypeError, ValueError):
                for one in dispatchers:
                    found = one.handle(args, kwargs)
                    if found is not OpDispatcher.NOT_SUPPORTED:
                        return found
                raise

        dispatched._tf_fallback_dispatchers = dispatchers  # type: ignore[attr-defined]
        return dispatched

    return decorate if target is None else decorate(target)
