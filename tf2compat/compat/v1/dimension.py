"""`tf.compat.v1.Dimension`: a dimension of a shape as an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Dimension:
    """One dimension, perhaps unknown; arithmetic with an unknown one is unknown (`tf.compat.v1.Dimension`)."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        if isinstance(value, Dimension):
            self._value: int | None = value._value
        elif value is None:
            self._value = None
        else:
            try:
                self._value = int(value.__index__())
            except AttributeError:
                raise TypeError(
                    f"Dimension value must be integer or None or have an __index__ method, got value '{value!r}' with type '{type(value)!r}'"
                ) from None
            if self._value < 0:
                raise ValueError(f"Dimension {self._value} must be >= 0")

    @property
    def value(self) -> int | None:
        return self._value

    def __repr__(self) -> str:
        return f"Dimension({self._value})"

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)

    def __int__(self) -> int:
        return self._value  # type: ignore[return-value]

    def __index__(self) -> int:
        return self._value  # type: ignore[return-value]

    def __hash__(self) -> int:
        return hash(self._value)

    def _with(self, other: Any, fn: Callable[[int, int], Any]) -> Any:
        try:
            b = Dimension(other)._value
        except (TypeError, ValueError):
            return NotImplemented
        return None if self._value is None or b is None else fn(self._value, b)

    def _dimension(self, other: Any, fn: Callable[[int, int], Any]) -> Any:
        found = self._with(other, fn)
        return found if found is NotImplemented else Dimension(found)

    def __eq__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a == b)

    def __ne__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a != b)

    def __lt__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a < b)

    def __le__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a <= b)

    def __gt__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a > b)

    def __ge__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a >= b)

    def __add__(self, other: Any) -> Any:
        return self._dimension(other, lambda a, b: a + b)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._dimension(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return self._dimension(other, lambda a, b: b - a)

    def __mul__(self, other: Any) -> Any:
        return self._dimension(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return self._dimension(other, lambda a, b: a // b)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._dimension(other, lambda a, b: b // a)

    def __mod__(self, other: Any) -> Any:
        return self._dimension(other, lambda a, b: a % b)

    def __truediv__(self, other: Any) -> Any:
        raise TypeError(
            f"unsupported operand type(s) for /: 'Dimension' and '{type(other).__name__}', please use // instead"
        )

    def is_compatible_with(self, other: Any) -> bool:
        b = Dimension(other)._value
        return self._value is None or b is None or self._value == b

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {Dimension(other)} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        self.assert_is_compatible_with(other)
        return Dimension(other) if self._value is None else self
