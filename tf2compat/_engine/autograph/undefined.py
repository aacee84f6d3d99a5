"""Stand-ins for variables and return values that have not been set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Undefined", "UndefinedReturnValue", "ld", "ldu", "returned"]


class Undefined:
    """The value of a variable before it is assigned. Reading it raises UnboundLocalError."""

    __slots__ = ("symbol_name",)

    def __init__(self, symbol_name: str) -> None:
        self.symbol_name = symbol_name

    def __repr__(self) -> str:
        return f"<undefined variable '{self.symbol_name}'>"


class UndefinedReturnValue:
    """The return value before a `return` is reached."""

    __slots__ = ()


def ld(value: Any) -> Any:
    """Read a variable that may be undefined."""
    if type(value) is Undefined:
        raise UnboundLocalError(f"'{value.symbol_name}' is used before assignment")
    return value


def ldu(read: Callable[[], Any], symbol: str) -> Any:
    """The value of a symbol such as `d['a']`, or Undefined where it has none."""
    try:
        return read()
    except (KeyError, AttributeError, NameError, IndexError):
        return Undefined(symbol)


def returned(value: Any) -> Any:
    """What a function returns: None when it reached its end without `return`."""
    return None if type(value) is UndefinedReturnValue else value
