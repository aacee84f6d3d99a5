"""The "safe" and "all" modes: dtypes that give way to others, and the table of what two dtypes become.

Python numbers, and tensors made of them without a dtype, are *weak*: beside another dtype of their kind they take it. The table
is the lattice of TensorFlow's type promotion guide: a kind goes up from bool over integers and floats to complex, weak types
below the others of their kind; where the join would lose digits, mode "safe" refuses with a TypeError.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from ..._engine import dtypes, nest, state
from ..._engine.convert import convert_to_tensor
from ..._engine.dtypes import DType
from ..._engine.shapes import TensorShape
from ..._engine.specs import TensorSpec, TypeSpec
from ..._engine.tensor import Tensor
from ..._engine.variable import Variable

_LETTER = {
    "b": dtypes.bool, "u8": dtypes.uint8, "u16": dtypes.uint16, "u32": dtypes.uint32, "u64": dtypes.uint64, "i8": dtypes.int8,
    "i16": dtypes.int16, "i32": dtypes.int32, "i64": dtypes.int64, "bf": dtypes.bfloat16, "f16": dtypes.float16, "f32": dtypes.float32,
    "f64": dtypes.float64, "c64": dtypes.complex64, "c128": dtypes.complex128,
}  # fmt: skip
_BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "i8": 8, "i16": 16, "i32": 32, "i64": 64}
#: the integers that a float holds without loss
_DIGITS = {"bf": 8, "f16": 8, "f32": 16, "f64": 32, "c64": 16, "c128": 32}
_RANK = {"b": 0, **dict.fromkeys(_BITS, 1), "bf": 2, "f16": 2, "f32": 2, "f64": 2, "c64": 3, "c128": 3}
_ORDER = ("i32", "i64", "f32", "f64", "c128")  # of weak types


def _kind(name: str) -> str:
    return {0: "b", 1: "u" if name[0] == "u" else "i", 2: "f", 3: "c"}[_RANK[name]]


def _weak_join(strong: str, weak: str) -> tuple[str, bool, bool]:
    """(dtype, weak, safe) of a dtype and a weak one."""
    if strong == "b":
        return weak, True, True
    a, b = _RANK[strong], _RANK[weak]
    if b <= a:
        return strong, False, True
    if a == 1:  # an integer beside a weak float or complex number
        if weak == "c128":
            return "c128", True, strong not in ("u64", "i64")
        return "f64", True, weak == "f64" and strong not in ("u64", "i64")
    return ("c128", False, True) if strong == "f64" else ("c64", False, False)


def _strong_join(a: str, b: str) -> tuple[str, bool, bool]:
    if a == b:
        return a, False, True
    if _RANK[a] > _RANK[b]:
        a, b = b, a
    if a == "b":
        return b, False, True
    if _RANK[a] == _RANK[b] == 1:
        if a[0] == b[0]:
            return max(a, b, key=_BITS.__getitem__), False, True
        unsigned, signed = (a, b) if a[0] == "u" else (b, a)
        if _BITS[unsigned] < _BITS[signed]:
            return signed, False, True
        return ("f64", True, False) if unsigned == "u64" else (f"i{_BITS[unsigned] * 2}", False, False)
    if _RANK[a] == 1:
        return b, False, _BITS[a] <= _DIGITS[b]
    if {a, b} == {"bf", "f16"}:
        return "f32", False, False
    if _RANK[a] == _RANK[b]:
        order = ["bf", "f16", "f32", "f64"] if _RANK[a] == 2 else ["c64", "c128"]
        return max(a, b, key=order.index), False, True
    return ("c128", False, b == "c128") if a == "f64" else (b, False, True)


def _join(a: tuple[str, bool], b: tuple[str, bool]) -> tuple[str, bool, bool]:
    if a[1] and b[1]:
        return max(a[0], b[0], key=_ORDER.index), True, True
    if a[1]:
        return _weak_join(b[0], a[0])
    if b[1]:
        return _weak_join(a[0], b[0])
    return _strong_join(a[0], b[0])


_NAME = {d: n for n, d in _LETTER.items()}
_TABLE = {
    (p, q): _join(p, q)
    for names in [[*[(n, False) for n in _LETTER], *[(n, True) for n in _ORDER]]] for p in names for q in names
}  # fmt: skip


class NoPromotion(Exception):
    """Arguments that the modes say nothing about."""


def _described(x: Any) -> tuple[str, bool]:
    if isinstance(x, WeakTensor):
        return _NAME[x.dtype], True
    found = x if isinstance(x, DType) else getattr(x, "dtype", None)
    if isinstance(found, DType):
        return _name(found), False
    if isinstance(found, np.dtype):
        return _name(dtypes.as_dtype(found)), False
    if isinstance(x, bool) or x is bool:
        return "b", False
    if isinstance(x, int):
        if not -(2**31) <= x < 2**31:
            raise OverflowError(f"Python int {x} too large to convert to np.int32")
        return "i32", True
    if x is int:
        return "i32", True
    if isinstance(x, float) or x is float:
        return "f32", True
    if isinstance(x, complex) or x is complex:
        return "c128", True
    if isinstance(x, TensorShape):
        return "i32", False
    if isinstance(x, (type, np.dtype)):
        return _name(dtypes.as_dtype(x)), False
    raise NoPromotion


def _name(dtype: DType) -> str:
    if dtype not in _NAME:
        raise NoPromotion
    return _NAME[dtype]


def _shown(described: tuple[str, bool]) -> str:
    return f"({_LETTER[described[0]]!s}, weak={described[1]})"


def joint_type(values: Any) -> tuple[DType, bool]:
    """The dtype of several values together, and whether it is weak. TypeError where mode "safe" refuses."""
    flat = [_described(x) for x in nest.flatten(values) if x is not None] or [("f32", True)]
    out = flat[0]
    for other in flat[1:]:
        name, weak, safe = _TABLE[out, other]
        if not safe and state.PROMOTION is _safe:
            raise TypeError(
                f"In promotion mode PromoMode.SAFE, implicit dtype promotion between {_shown(out)} and {_shown(other)} is disallowed. You "
                "need to explicitly specify the dtype in your op, or relax your dtype promotion rules (such as from SAFE mode to ALL mode)."
            )
        out = (name, weak)
    return _LETTER[out[0]], out[1]


def is_weak(value: Any) -> bool:
    """Whether a value that is no tensor yet consists of Python numbers."""
    if isinstance(value, (list, tuple)):
        flat = nest.flatten(value)
        return bool(flat) and all(is_weak(v) for v in flat)
    return type(value) in (int, float, complex) or isinstance(value, WeakTensor)


class WeakTensor:
    """A tensor whose dtype gives way to another's; `tensor` is the plain one."""

    __slots__ = ("tensor", "_keras_mask")
    __array_priority__ = 100

    def __init__(self, tensor: Any) -> None:
        if isinstance(tensor, WeakTensor):
            tensor = tensor.tensor
        if _NAME.get(tensor.dtype) not in _ORDER:
            raise TypeError(f"{tensor.dtype} not allowed as a weak type. The allowed types are {[_LETTER[n] for n in _ORDER]}.")
        self.tensor: Tensor = tensor

    @property
    def dtype(self) -> DType:
        return self.tensor.dtype

    @property
    def shape(self) -> TensorShape:
        return self.tensor.shape

    def to_tensor(self) -> Tensor:
        """The plain tensor."""
        return self.tensor

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        return self.tensor if dtype is None or dtype is self.dtype else tf.cast(self.tensor, dtype)

    def _tf_components(self) -> list[Any]:
        return [self.tensor]

    def _tf_from_components(self, components: list[Any]) -> WeakTensor:
        return WeakTensor(components[0])

    @property
    def _type_spec(self) -> WeakTensorSpec:
        return WeakTensorSpec(self.shape, self.dtype)

    def _tf_op(self, op: Any, args: tuple[Any, ...]) -> Any:
        return op.public(*[_plain(a) for a in args])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.tensor.__array__(dtype, copy)

    def __repr__(self) -> str:
        return f"{repr(self.tensor)[:-1]}, weak=True>"

    def __str__(self) -> str:
        return f"{str(self.tensor)[:-1]}, weak=True)"

    def __bool__(self) -> bool:
        return bool(self.tensor)

    def __int__(self) -> int:
        return int(self.tensor)

    def __float__(self) -> float:
        return float(self.tensor)

    def __index__(self) -> int:
        return self.tensor.__index__()

    def __len__(self) -> int:
        return len(self.tensor)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return self.tensor[key]

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tensor, name)


class WeakTensorSpec(TypeSpec):
    """The spec of a weak tensor."""

    def __init__(self, shape: Any, dtype: Any) -> None:
        self.shape, self.dtype = TensorShape(shape), dtypes.as_dtype(dtype)

    @property
    def value_type(self) -> type:
        return WeakTensor

    def _serialize(self) -> tuple[Any, ...]:
        return self.shape, self.dtype

    @property
    def _component_specs(self) -> Any:
        return (TensorSpec(self.shape, self.dtype),)

    def _from_components(self, components: Any) -> WeakTensor:
        return WeakTensor(components[0])


def _plain(value: Any) -> Any:
    if isinstance(value, WeakTensor):
        return value.tensor
    if type(value) in (list, tuple):
        return type(value)([_plain(v) for v in value])
    return value


#: ops of one tensor whose result is weak where the argument is
_UNARY = frozenset((
    "Abs", "Acos", "Acosh", "Angle", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Conj", "Cos", "Cosh", "Digamma", "Elu", "Erf", "Erfc",
    "Erfinv", "Exp", "Expm1", "Floor", "Gelu", "Identity", "Imag", "Lgamma", "Log", "Log1p", "LogSigmoid", "Neg", "Ndtri",
    "OnesLike", "Real", "Reciprocal", "Rint", "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus",
    "Softsign", "Sqrt", "Square", "Tan", "Tanh", "ZerosLike", "Reshape", "ExpandDims", "Transpose", "Squeeze", "Sum", "Max", "Min", "Prod",
    "Mean", "Cumsum", "Cumprod", "ReverseV2", "Fill", "BroadcastTo", "Tile",
))  # fmt: skip
_COMPARISONS = frozenset(("Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "ApproximateEqual"))


def _all(op: Any, args: tuple[Any, ...]) -> Any:
    """An op under automatic conversion: what its arguments become together, and whether the result is weak."""
    group = next((p for p in op.groups.values() if len(p) == 2 and (op.elementwise or "MatMul" in op.name)), None)
    try:
        if group is not None:
            i, j = group
            dtype, weak = joint_type([args[i], args[j]])
            changed = list(args)
            for k in group:
                changed[k] = _as(args[k], dtype)
            out = op.slow_plain(*changed)
            return WeakTensor(out) if weak and op.name not in _COMPARISONS and isinstance(out, Tensor) else out
        if op.name in _UNARY and args and is_weak(args[0]):
            first = args[0].tensor if isinstance(args[0], WeakTensor) else convert_to_tensor(args[0])
            out = op.slow_plain(first, *args[1:])
            kept = isinstance(out, Tensor) and _NAME.get(out.dtype) in _ORDER and "dtype" not in [
                p for p, v in zip(op.params, args, strict=False) if v is not None
            ]  # fmt: skip
            return WeakTensor(out) if kept else out
    except NoPromotion:
        pass
    return NotImplemented


def _safe(op: Any, args: tuple[Any, ...]) -> Any:
    return _all(op, args)


def _as(value: Any, dtype: DType) -> Any:
    if isinstance(value, WeakTensor):
        value = value.tensor
    if isinstance(value, Variable):
        value = value.read_value()
    t = value if isinstance(value, Tensor) else convert_to_tensor(value)
    return t if t.dtype is dtype else tf.cast(t, dtype)


def constant(value: Any, dtype: Any) -> Any:
    """What `tf.constant` gives under automatic conversion; NotImplemented where that is nothing special."""
    if dtype is None and is_weak(value):
        return value if isinstance(value, WeakTensor) else WeakTensor(convert_to_tensor(value))
    if dtype is not None and isinstance(value, (Tensor, WeakTensor)):
        return tf.cast(value, dtype)
    return NotImplemented


def assigned(variable: Any, value: Any) -> Any:
    """A value on its way into a variable, whose dtype it must not widen."""
    try:
        dtype, weak = joint_type([variable, value])
    except NoPromotion:
        return value
    if dtype is not variable.dtype:
        raise TypeError(f"Variable dtype is immutable. Attempted to assign a value of dtype {dtype} to a variable of {variable.dtype}.")
    return _as(value, dtype)


def modes() -> dict[str, Any]:
    return {"all": _all, "safe": _safe}
