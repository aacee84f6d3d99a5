"""Dtypes of `tf.experimental.numpy`: NumPy's own, and which dtype several arguments have together."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from ..._engine import dtypes, nest, state
from ..._engine.convert import convert_to_tensor
from ..._engine.tensor import Tensor
from ..._engine.variable import Variable

bool_ = np.bool_
complex128 = complex_ = np.complex128
complex64 = np.complex64
float16 = np.float16
float32 = np.float32
float64 = float_ = np.float64
inexact = np.inexact
int_ = np.int_
int8 = np.int8
int16 = np.int16
int32 = np.int32
int64 = np.int64
object_ = np.object_
string_ = np.bytes_
uint8 = np.uint8
uint16 = np.uint16
uint32 = np.uint32
uint64 = np.uint64
unicode_ = np.str_
iinfo = np.iinfo
ndarray = Tensor

pi = np.pi
e = np.e
inf = np.inf
newaxis = None

_prefer_float32 = False
_pairs: dict[Any, dtypes.DType] = {}


def prefer_float32(on: bool) -> None:
    """Whether Python floats are float32 and not float64."""
    global _prefer_float32
    _prefer_float32 = bool(on)
    _pairs.clear()


def default_float() -> dtypes.DType:
    """The dtype of a Python float."""
    if state.PROMOTION is not None:
        return dtypes.float32
    return dtypes.float32 if _prefer_float32 else dtypes.float64


def finfo(dtype: Any) -> Any:
    """Limits of a floating dtype, NumPy's object (`tf.experimental.numpy.finfo`)."""
    return np.finfo(_numpy_type(dtype))


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """NumPy's `issubdtype`."""
    return np.issubdtype(arg1, arg2)


def promote_types(type1: Any, type2: Any) -> Any:
    """NumPy's `promote_types`, of TensorFlow's dtypes too."""
    return np.promote_types(_numpy_type(type1), _numpy_type(type2))


def _numpy_type(dtype: Any) -> Any:
    if isinstance(dtype, dtypes.DType):
        return dtype.as_numpy_dtype
    if isinstance(dtype, (Tensor, Variable)):
        return dtype.dtype.as_numpy_dtype
    return dtype


def _described(x: Any) -> Any:
    """What NumPy decides by: Python numbers, which give way, and dtypes, which do not."""
    if isinstance(x, (numbers.Number, np.generic)):
        if _prefer_float32 and type(x) in (float, complex):
            return np.float32(x) if type(x) is float else np.complex64(x)
        return x
    if isinstance(x, dtypes.DType):
        return x.as_numpy_dtype
    found = getattr(x, "dtype", None)
    if isinstance(found, dtypes.DType):
        return found.as_numpy_dtype
    if x is float and _prefer_float32:
        return np.float32
    return x


def result_type(*arrays_and_dtypes: Any) -> dtypes.DType:
    """The dtype that NumPy's rules, or the chosen mode's, give arrays, numbers and dtypes together."""
    if state.PROMOTION is not None:
        from .weak import joint_type

        return joint_type(nest.flatten(arrays_and_dtypes))[0]
    flat = [_described(x) for x in nest.flatten(arrays_and_dtypes)]
    if any(isinstance(x, (str, bytes)) for x in flat):
        return dtypes.string
    return dtypes.as_dtype(np.result_type(*flat) if flat else np.dtype(np.float32 if _prefer_float32 else np.float64))


def _pair_type(a: Any, b: Any) -> dtypes.DType:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        key = (a.dtype, b.dtype, state.PROMOTION is None)
        found = _pairs.get(key)
        if found is None:
            found = _pairs[key] = result_type(a, b)
        return found
    return result_type(a, b)


def asarray(a: Any, dtype: Any = None) -> Any:
    """`a` as a tensor, of NumPy's dtype for it or of `dtype` (`tf.experimental.numpy.asarray`)."""
    if dtype is not None:
        dtype = result_type(dtype)
    if isinstance(a, Tensor) and (dtype is None or dtype is a.dtype):
        return a
    return converted(a, dtype)


def converted(a: Any, dtype: dtypes.DType | None) -> Any:
    """`a` as a tensor of `dtype`, also where that loses something."""
    from tf2compat import cast

    if state.PROMOTION is not None:
        from . import weak

        if isinstance(a, weak.WeakTensor):
            return a if dtype is None else cast(a.tensor, dtype)
        if dtype is None and weak.is_weak(a):
            return weak.WeakTensor(convert_to_tensor(a))
    if isinstance(a, Tensor):
        return a if dtype is None or a.dtype is dtype else cast(a, dtype)
    if isinstance(a, (str, bytes)):
        return convert_to_tensor(a)
    if dtype is None:
        dtype = result_type(a)
    try:
        t = convert_to_tensor(a, dtype_hint=dtype)
    except (TypeError, ValueError):
        if not isinstance(a, (list, tuple)):
            raise
        from ..._top.joining import stack

        t = stack([converted(v, dtype) for v in a])
    return t if t.dtype is dtype else cast(t, dtype)


def promoted(*arrays: Any) -> list[Any]:
    """The arguments as tensors of their joint dtype."""
    dtype = result_type(*arrays)
    return [a if isinstance(a, Tensor) and a.dtype is dtype else converted(a, dtype) for a in arrays]


def pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Two arguments as tensors of their joint dtype."""
    if type(a) is Tensor and type(b) is Tensor and a._t.dtype is b._t.dtype:
        return a, b
    if state.PROMOTION is not None:
        from . import weak

        dtype, is_weak = weak.joint_type([a, b])
        if is_weak:
            return weak.WeakTensor(converted(a, dtype)), weak.WeakTensor(converted(b, dtype))
    else:
        dtype = _pair_type(a, b)
    return converted(a, dtype), converted(b, dtype)


def inexact_of(a: Any) -> Any:
    """`a` as a tensor of a floating or complex dtype."""
    t = asarray(a)
    if t.dtype.is_floating or t.dtype.is_complex:
        return t
    from tf2compat import cast

    if state.PROMOTION is not None:
        from . import weak

        if isinstance(t, weak.WeakTensor):
            return weak.WeakTensor(cast(t.tensor, default_float()))
    return cast(t, default_float())
