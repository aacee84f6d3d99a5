"""`experimental_enable_numpy_behavior`: tensors with NumPy's methods, indexing and promotion of dtypes."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

import tf2compat as tf

from ..._engine import dtypes, operators, state
from ..._engine.symbolic import SymbolicTensor
from ..._engine.tensor import Tensor
from ..._engine.variable import Variable
from . import elementwise, reductions, shaping
from .kinds import converted, prefer_float32, result_type

_BINARY = (
    "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__floordiv__", "__rfloordiv__",
    "__mod__", "__rmod__", "__pow__", "__rpow__", "__matmul__", "__rmatmul__", "__and__", "__rand__", "__or__", "__ror__", "__xor__",
    "__rxor__", "__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__",
)  # fmt: skip
assert operators.__name__  # loaded here: it attaches the plain operators, which these replace
_plain_operators: dict[str, Any] = {}
_enabled = False
_ERROR = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid indices"
)


def _promoting(plain: Callable[..., Any]) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        kind = type(other)
        if kind is Tensor:
            if type(self) is Tensor and self._t.dtype is other._t.dtype:
                return plain(self, other)
        elif other is None or hasattr(kind, "_tf_op"):
            return plain(self, other)
        if state.PROMOTION is not None:
            return plain(self, other)
        try:
            dtype = result_type(self, other)
        except TypeError:
            return plain(self, other)
        return plain(converted(self, dtype), converted(other, dtype))

    operator.__name__ = plain.__name__
    return operator


def experimental_enable_numpy_behavior(prefer_float32: bool = False, dtype_conversion_mode: str = "legacy") -> None:
    """NumPy's methods and indexing on tensors, and its rules for operands of different dtypes.

    `prefer_float32`: Python floats are float32. `dtype_conversion_mode`: "legacy" promotes in operators as NumPy does; "safe" and
    "all" in every elementwise function by TensorFlow's table, "safe" without loss of digits; "off" not at all. ValueError for others.
    """
    from . import weak

    modes: dict[str, Any] = {"off": None, "legacy": None, **weak.modes()}
    if dtype_conversion_mode not in modes:
        raise ValueError(f"The provided promotion mode {dtype_conversion_mode} does not exist. Make sure the provided dtype conversion mode is one of ['off', 'legacy', 'safe', 'all'].")
    _attach_methods()
    _operators(dtype_conversion_mode == "legacy")
    _set(prefer_float32)
    state.PROMOTION = modes[dtype_conversion_mode]
    if state.PROMOTION is not None:
        for name in (*_BINARY, "__neg__", "__abs__", "__invert__"):
            setattr(weak.WeakTensor, name, Tensor.__dict__[name])


_set = prefer_float32


def _operators(promote: bool) -> None:
    for name in _BINARY:
        plain = _plain_operators.setdefault(name, Tensor.__dict__[name])
        for cls in (Tensor, Variable):
            setattr(cls, name, _promoting(plain) if promote else plain)


def _attach_methods() -> None:
    global _enabled
    if _enabled:
        return
    _enabled = True
    for cls in (Tensor, SymbolicTensor):
        for name, value in _METHODS.items():
            setattr(cls, name, value)
    _plain_operators["__getitem__"] = Tensor.__dict__["__getitem__"]
    Tensor.__getitem__ = getitem  # type: ignore[method-assign,assignment]


def _size(self: Any) -> Any:
    return np.prod(self.shape.as_list()) if self.shape.is_fully_defined() else None


def _tolist(self: Any) -> Any:
    if isinstance(self, SymbolicTensor):
        raise ValueError("Symbolic Tensors do not support the tolist API.")
    return self._numpy().tolist()


def _transpose(self: Any, axes: Any = None) -> Any:
    return shaping.transpose(self, axes)


_METHODS: dict[str, Any] = {
    "T": property(lambda self: shaping.transpose(self)), "size": property(_size), "data": property(lambda self: self),
    "__pos__": lambda self: self, "tolist": _tolist, "transpose": _transpose, "flatten": shaping.flatten,
    "reshape": shaping._reshape_method, "ravel": shaping.ravel, "clip": elementwise.clip,
    "astype": lambda self, dtype: tf.cast(self, dtype), "__round__": elementwise.around, "max": reductions.amax, "mean": reductions.mean,
    "min": reductions.amin,
}  # fmt: skip


# --- indexing --------------------------------------------------------------------------------------------------------
def getitem(self: Any, key: Any) -> Any:
    """`tensor[key]` with NumPy's integer arrays and masks beside TensorFlow's slices."""
    plain = _plain_operators["__getitem__"]
    if isinstance(key, bool) or (isinstance(key, (Tensor, np.ndarray)) and _is_bool(key)):
        return tf.boolean_mask(self, key)
    keys = key if isinstance(key, tuple) else _as_tuple(key)
    if not any(_is_array(k) for k in keys):
        return plain(self, key if isinstance(key, tuple) or not isinstance(key, list) else tuple(key))
    return _advanced(self, keys, plain)


def _is_bool(key: Any) -> bool:
    return key.dtype == np.bool_ if isinstance(key, np.ndarray) else key.dtype is dtypes.bool


def _as_tuple(key: Any) -> tuple[Any, ...]:
    """A list is an array of indices, unless something else than indices is in it."""
    if isinstance(key, list) and any(k is None or k is Ellipsis or isinstance(k, (list, tuple, slice)) for k in key):
        return tuple(key)
    return (key,)


def _is_array(k: Any) -> bool:
    if k is None or k is Ellipsis or isinstance(k, (slice, numbers.Integral)):
        return False
    if isinstance(k, (list, tuple)):
        return True
    if isinstance(k, (Tensor, np.ndarray)):
        return (k.shape.rank if isinstance(k, Tensor) else k.ndim) != 0 or _is_bool(k)
    raise IndexError(f"{_ERROR}, got {k!r}")


def _indices(k: Any) -> Any:
    t = converted(k, None)
    if t.dtype is dtypes.bool:
        if t.shape.rank != 1:
            raise NotImplementedError(f"Need rank 1 for bool index {k}")
        t = tf.reshape(tf.where(t), [-1])
    if not t.dtype.is_integer:
        raise IndexError(f"{_ERROR}, got {k!r}")
    return t if t.dtype in (dtypes.int32, dtypes.int64) else tf.cast(t, dtypes.int64)


def _advanced(self: Any, keys: tuple[Any, ...], plain: Callable[..., Any]) -> Any:
    """Slices first; then the arrays, broadcast together, pick along their dimensions."""
    basic: list[Any] = []
    arrays: list[tuple[int, Any]] = []
    rank = self.shape.rank
    consumed = sum(1 for k in keys if k is not None and k is not Ellipsis)
    at = 0
    for k in keys:
        if k is Ellipsis:
            basic.extend([slice(None)] * (rank - consumed))
            at += rank - consumed
        elif _is_array(k):
            arrays.append((at, _indices(k)))
            basic.append(slice(None))
            at += 1
        else:
            basic.append(k)
            at += not isinstance(k, (numbers.Integral, Tensor, np.ndarray))
    part = plain(self, tuple(basic)) if any(not (isinstance(b, slice) and b == slice(None)) for b in basic) else self
    dims = [d for d, _ in arrays]
    together = dims == list(range(dims[0], dims[0] + len(dims)))
    kind = result_type(*[a for _, a in arrays])
    index = shaping.broadcast_arrays(*[tf.cast(a, kind) for _, a in arrays])
    if len(dims) == 1:
        size = tf.cast(tf.shape(part)[dims[0]], kind)
        return tf.gather(part, tf.where(index[0] < 0, index[0] + size, index[0]), axis=dims[0])
    front = shaping.moveaxis(part, dims, list(range(len(dims))))
    places = tf.stack(index, -1)
    sizes = tf.cast(tf.shape(front)[: len(dims)], kind)
    out = tf.gather_nd(front, tf.where(places < 0, places + sizes, places))
    if together and dims[0]:
        count = places.shape.rank - 1
        return shaping.moveaxis(out, list(range(count)), list(range(dims[0], dims[0] + count)))
    return out


