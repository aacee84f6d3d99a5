"""Subclasses of `tf.Variable` that hold another variable and say themselves what reading them gives.

Libraries that quantise, mask or transform weights wrap a layer's variables so: `value`, `__tf_tensor__` or `_dense_var_to_tensor`
compute the value that ops see, and `__getattr__` leads to the variable inside. Such an object has no memory of its own: it is
read through its own methods, and written, differentiated by and saved as the variable that it holds.
"""

from __future__ import annotations

from typing import Any

__all__ = ["adopt"]

_READS = ("__tf_tensor__", "_dense_var_to_tensor", "value")


def _held(self: Any) -> Any:
    """The variable inside."""
    from .variable import Variable

    for found in self.__dict__.values():
        if isinstance(found, Variable):
            return getattr(found, "_of", found)
    raise AttributeError("_of")


def adopt(cls: Any) -> None:
    """Give a class that reads in a way of its own what ops, tapes and optimizers ask of a variable."""
    if "_read" in cls.__dict__:  # one of ours
        return
    how = next((name for name in _READS if name in cls.__dict__), None)
    if how is None:
        return
    plain_tensor, plain_read, plain_own, plain_write = cls._as_tensor, cls._read, cls._own, cls._write

    def as_tensor(self: Any) -> Any:
        if "_t" in self.__dict__:  # it was made as any other variable, so its memory is its own
            return plain_tensor(self)
        from .convert import convert_to_tensor

        return convert_to_tensor(getattr(self, how)())

    def read(self: Any) -> Any:
        if "_t" in self.__dict__:
            return plain_read(self)
        from .op import entering

        return entering(as_tensor(self))

    def own(self: Any) -> Any:
        return plain_own(self) if "_t" in self.__dict__ else self._of._own()

    def write(self: Any, value: Any) -> None:
        plain_write(self, value) if "_t" in self.__dict__ else self._of._write(value)

    def resolve(self: Any) -> Any:
        return self if "_t" in self.__dict__ else self._of._resolve()

    cls._as_tensor, cls._read, cls._own, cls._write, cls._resolve = as_tensor, read, own, write, resolve
    cls._of = property(_held)
