"""Lets torch find shapes on its meta device without loading torch's compiler.

Many of torch's meta kernels are Python functions that Dynamo must not trace. Each of them imports all of `torch._dynamo` at its first call
to say so, which takes one to three seconds of a program that may never compile anything. Until somebody imports Dynamo there is nobody
to tell: the functions are marked as told, and the marks go away when Dynamo is imported.
"""

from __future__ import annotations

import gc
import sys
import types
from typing import Any

__all__ = ["prepare"]

_MARK = "__dynamo_disable"  # the attribute in which `torch._compile._disable_dynamo` keeps what Dynamo gave for a function


class _Watch:
    """Takes the marks away when Dynamo is about to be imported."""

    def __init__(self, marked: list[Any]) -> None:
        self.marked = marked

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "torch._dynamo":
            if self in sys.meta_path:
                sys.meta_path.remove(self)  # type: ignore[arg-type]
            for fn in self.marked:
                fn.__dict__.pop(_MARK, None)
            self.marked = []


def _wrapped() -> list[Any]:
    """The functions behind all wrappers that `_disable_dynamo` has made; none where torch is built otherwise."""
    try:
        from torch._compile import _disable_dynamo

        code = next(c for c in _disable_dynamo.__code__.co_consts if isinstance(c, types.CodeType) and _MARK in c.co_consts)
        place = code.co_freevars.index("fn")
    except (ImportError, AttributeError, StopIteration, ValueError):
        return []
    found = []
    for wrapper in gc.get_referrers(code):
        if isinstance(wrapper, types.FunctionType) and wrapper.__closure__:
            fn = wrapper.__closure__[place].cell_contents
            if isinstance(fn, types.FunctionType):
                found.append(fn)
    return found


def prepare() -> None:
    """To be called once, before the first shape inference."""
    if "torch._dynamo" in sys.modules:
        return
    marked = [fn for fn in _wrapped() if _MARK not in fn.__dict__]
    for fn in marked:
        fn.__dict__[_MARK] = fn
    sys.meta_path.insert(0, _Watch(marked))  # type: ignore[arg-type]
