"""A `tf.Module` or other object with variables, as a layer."""

from __future__ import annotations

import inspect
from typing import Any

from .layer import Layer


class ModuleWrapper(Layer):
    """Calls a callable object that owns variables, so that a Sequential can hold it."""

    def __init__(self, module: Any, method_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        method_name = method_name or ("__call__" if hasattr(module, "__call__") else "call")  # noqa: B004
        if not hasattr(module, method_name):
            raise ValueError(f"{method_name} is not defined on object {module}")
        self._module = module
        self.__dict__["_method_name"] = method_name
        self.__dict__["_taken"] = set(inspect.signature(getattr(module, method_name)).parameters)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        for name in ("training", "mask"):
            if name not in self._taken:
                kwargs.pop(name, None)
        return getattr(self._module, self._method_name)(*args, **kwargs)
