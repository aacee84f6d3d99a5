"""The operators of Tensor and Variable: the ops themselves, attached as methods."""

from __future__ import annotations

from typing import Any

from .._top import indexing as _indexing
from ..math import arithmetic as _arithmetic
from ..math import comparison as _comparison
from . import assigning as _assigning  # noqa: F401 - gives Variable its assign methods
from .convert import convert_to_tensor
from .op import as_operator, or_reflected
from .tensor import Tensor
from .variable import Variable


def _reflect(fn: Any) -> Any:
    def reflected(self: Any, other: Any) -> Any:
        return fn(other, self)

    return reflected


def _radd(self: Any, other: Any) -> Any:
    if isinstance(other, (str, bytes)):
        other = convert_to_tensor(other, self.dtype)
    return _arithmetic.add(other, self)


def _matmul(self: Any, other: Any) -> Any:
    from ..linalg import matmul

    try:
        return matmul(self, other)
    except (TypeError, ValueError):
        return or_reflected(matmul, "__rmatmul__")(self, other)


def _rmatmul(self: Any, other: Any) -> Any:
    from ..linalg import matmul

    return matmul(other, self)


def _attach(cls: Any) -> None:
    cls.__add__ = as_operator(_arithmetic.add, "__radd__")
    cls.__radd__ = _radd
    cls.__sub__ = as_operator(_arithmetic.subtract, "__rsub__")
    cls.__rsub__ = _reflect(_arithmetic.subtract)
    cls.__mul__ = as_operator(_arithmetic.multiply, "__rmul__")
    cls.__rmul__ = _reflect(_arithmetic.multiply)
    cls.__truediv__ = as_operator(_arithmetic.truediv, "__rtruediv__")
    cls.__rtruediv__ = _reflect(_arithmetic.truediv)
    cls.__div__ = cls.__truediv__
    cls.__rdiv__ = cls.__rtruediv__
    cls.__floordiv__ = as_operator(_arithmetic.floordiv, "__rfloordiv__")
    cls.__rfloordiv__ = _reflect(_arithmetic.floordiv)
    cls.__mod__ = as_operator(_arithmetic.floormod, "__rmod__")
    cls.__rmod__ = _reflect(_arithmetic.floormod)
    cls.__pow__ = as_operator(_arithmetic.pow, "__rpow__")
    cls.__rpow__ = _reflect(_arithmetic.pow)
    cls.__matmul__ = _matmul
    cls.__rmatmul__ = _rmatmul
    cls.__neg__ = _arithmetic.negative
    cls.__abs__ = _arithmetic.abs
    cls.__and__ = _comparison.and_operator
    cls.__rand__ = _reflect(_comparison.and_operator)
    cls.__or__ = _comparison.or_operator
    cls.__ror__ = _reflect(_comparison.or_operator)
    cls.__xor__ = _comparison.xor_operator
    cls.__rxor__ = _reflect(_comparison.xor_operator)
    cls.__invert__ = _comparison.invert_operator
    cls.__lt__ = _comparison.less
    cls.__le__ = _comparison.less_equal
    cls.__gt__ = _comparison.greater
    cls.__ge__ = _comparison.greater_equal
    cls.__eq__ = _comparison.tensor_equals
    cls.__ne__ = _comparison.tensor_not_equals
    cls.__getitem__ = _indexing.getitem


def _variable_getitem(self: Any, key: Any) -> Any:
    """A slice of the value, whose `assign` writes into the variable."""
    out = _indexing.getitem(self, key)
    if isinstance(out, Tensor):
        out._sliced = (self, key)
    return out


_attach(Tensor)
_attach(Variable)
Variable.__getitem__ = _variable_getitem  # type: ignore[attr-defined]
