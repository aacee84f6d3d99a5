"""Constructors of ragged tensors, and functions that are made of several ops, on symbolic tensors of Keras: each is a layer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any


def _symbolic(values: Iterable[Any]) -> bool:
    return any(
        hasattr(type(x), "_is_keras_tensor") or (type(x) in (list, tuple) and any(hasattr(type(y), "_is_keras_tensor") for y in x)) for x in values
    )


def constructor(method: Callable[..., Any]) -> Callable[..., Any]:
    """A class method of RaggedTensor that is a layer where it is called on symbols."""

    @functools.wraps(method)
    def called(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if _symbolic(args) or _symbolic(kwargs.values()):
            from ..keras._base.oplayers import ClassMethod

            return ClassMethod("RaggedTensor", method.__name__)(*args, **kwargs)
        return method(cls, *args, **kwargs)

    return called


def function(path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A public function, by its path below tf, that is a layer where it is called on symbols."""

    def decorated(fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def called(*args: Any, **kwargs: Any) -> Any:
            if _symbolic(args) or _symbolic(kwargs.values()):
                from ..keras._base.oplayers import TFOpLambda

                return TFOpLambda(path)(*args, **kwargs)
            return fn(*args, **kwargs)

        return called

    return decorated
