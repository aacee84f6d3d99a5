"""Functions element by element."""

# ruff: noqa: A001 - NumPy's names
from __future__ import annotations

import builtins
import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

import tf2compat as tf

from ..._engine import dtypes
from ..._engine.tensor import Tensor
from ..._engine.variable import Variable
from .kinds import asarray, converted, inexact_of, pair, result_type

_bool = dtypes.bool


def _binary(fn: Callable[..., Any], x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    return fn(a, b)


def _numbers(fn: Callable[..., Any], x1: Any, x2: Any) -> Any:
    """`fn` of numbers: bools count as int8."""
    a, b = pair(x1, x2)
    return fn(tf.cast(a, tf.int8), tf.cast(b, tf.int8)) if a.dtype is _bool else fn(a, b)


def _floats(fn: Callable[..., Any], x1: Any, x2: Any) -> Any:
    """`fn` of floats: ints and bools become the default float."""
    a, b = pair(x1, x2)
    return fn(inexact_of(a), inexact_of(b))


# --- two arguments ---------------------------------------------------------------------------------------------------
def add(x1: Any, x2: Any) -> Any:
    """x1 + x2; bools are or-ed."""
    a, b = pair(x1, x2)
    return tf.logical_or(a, b) if a.dtype is _bool else tf.add(a, b)


def subtract(x1: Any, x2: Any) -> Any:
    """x1 - x2."""
    return _binary(tf.subtract, x1, x2)


def multiply(x1: Any, x2: Any) -> Any:
    """x1 * x2; bools are and-ed."""
    a, b = pair(x1, x2)
    return tf.logical_and(a, b) if a.dtype is _bool else tf.multiply(a, b)


def true_divide(x1: Any, x2: Any) -> Any:
    """x1 / x2."""
    a, b = pair(x1, x2)
    if a.dtype is _bool:
        a, b = inexact_of(a), inexact_of(b)
    return tf.truediv(a, b)


def divide(x1: Any, x2: Any) -> Any:
    """x1 / x2."""
    return true_divide(x1, x2)


def floor_divide(x1: Any, x2: Any) -> Any:
    """floor(x1 / x2)."""
    return _numbers(tf.math.floordiv, x1, x2)


def mod(x1: Any, x2: Any) -> Any:
    """The remainder with the sign of `x2`."""
    return _numbers(tf.math.floormod, x1, x2)


def remainder(x1: Any, x2: Any) -> Any:
    """As `mod`."""
    return mod(x1, x2)


def divmod(x1: Any, x2: Any) -> tuple[Any, Any]:
    """`floor_divide` and `mod`."""
    return floor_divide(x1, x2), mod(x1, x2)


def power(x1: Any, x2: Any) -> Any:
    """x1 to the power of x2."""
    return _binary(tf.pow, x1, x2)


def float_power(x1: Any, x2: Any) -> Any:
    """x1 to the power of x2; integers stay integers, as in TensorFlow."""
    return power(x1, x2)


def maximum(x1: Any, x2: Any) -> Any:
    """The larger of two; bools are or-ed."""
    a, b = pair(x1, x2)
    return tf.logical_or(a, b) if a.dtype is _bool else tf.maximum(a, b)


def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of two; bools are and-ed."""
    a, b = pair(x1, x2)
    return tf.logical_and(a, b) if a.dtype is _bool else tf.minimum(a, b)


def arctan2(x1: Any, x2: Any) -> Any:
    """The angle of the point (x2, x1)."""
    return _floats(tf.atan2, x1, x2)


def hypot(x1: Any, x2: Any) -> Any:
    """√(x1² + x2²)."""
    return sqrt(add(square(x1), square(x2)))


def nextafter(x1: Any, x2: Any) -> Any:
    """The next number after `x1` towards `x2`."""
    return _floats(tf.math.nextafter, x1, x2)


def heaviside(x1: Any, x2: Any) -> Any:
    """0 where x1 < 0, 1 where it is above, x2 where it is 0."""

    def step(a: Any, b: Any) -> Any:
        out = tf.where(a < 0, tf.zeros_like(a), tf.where(a > 0, tf.ones_like(a), b))
        return tf.where(tf.math.is_nan(a), a, out)

    return _floats(step, x1, x2)


def logaddexp(x1: Any, x2: Any) -> Any:
    """log(exp(x1) + exp(x2))."""

    def both(a: Any, b: Any) -> Any:
        high = tf.maximum(a, b)
        return tf.where(tf.math.is_inf(high), a + b, high + tf.math.log1p(tf.exp(-tf.abs(a - b))))

    return _floats(both, x1, x2)


def logaddexp2(x1: Any, x2: Any) -> Any:
    """log2(2^x1 + 2^x2), in float64 as TensorFlow gives it."""

    def both(a: Any, b: Any) -> Any:
        high = tf.maximum(a, b)
        added = tf.math.log1p(tf.exp(-tf.abs(a - b) * tf.constant(math.log(2), a.dtype))) / tf.constant(math.log(2), a.dtype)
        return tf.where(tf.math.is_inf(high), a + b, high + added)

    out = _floats(both, x1, x2)
    return converted(out, result_type(out, np.float64(0)))


def _euclid(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of the magnitudes."""
    a, b = tf.abs(x1), tf.abs(x2)
    shape = tf.broadcast_dynamic_shape(tf.shape(a), tf.shape(b))
    a, b = tf.broadcast_to(a, shape), tf.broadcast_to(b, shape)

    def step(x: Any, y: Any) -> Any:
        safe = tf.where(y == 0, tf.ones_like(y), y)
        return tf.where(y == 0, x, y), tf.where(y == 0, y, tf.math.floormod(x, safe))

    return tf.while_loop(lambda x, y: tf.reduce_any(y != 0), step, (a, b))[0]


def _integers(x1: Any, x2: Any) -> tuple[Any, Any]:
    a, b = pair(x1, x2)
    if not a.dtype.is_integer:
        raise ValueError(f"Arguments to gcd must be integers. Received: x1.dtype={a.dtype} x2.dtype={b.dtype}")
    return a, b


def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of integers."""
    return _euclid(*_integers(x1, x2))


def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple of integers."""
    a, b = _integers(x1, x2)
    d = _euclid(a, b)
    return tf.abs(tf.math.floordiv(a, tf.where(d == 0, tf.ones_like(d), d)) * b)


def _bits(fn: Any, logical: Any, x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    return logical(a, b) if a.dtype is _bool else fn(a, b)


def bitwise_and(x1: Any, x2: Any) -> Any:
    """x1 & x2."""
    return _bits(tf.bitwise.bitwise_and, tf.logical_and, x1, x2)


def bitwise_or(x1: Any, x2: Any) -> Any:
    """x1 | x2."""
    return _bits(tf.bitwise.bitwise_or, tf.logical_or, x1, x2)


def bitwise_xor(x1: Any, x2: Any) -> Any:
    """x1 ^ x2."""
    return _bits(tf.bitwise.bitwise_xor, tf.math.logical_xor, x1, x2)


def bitwise_not(x: Any) -> Any:
    """~x."""
    x = asarray(x)
    return tf.logical_not(x) if x.dtype is _bool else tf.bitwise.invert(x)


def _ordered(fn: Any, x1: Any, x2: Any) -> Any:
    """Comparisons of bools are those of ints."""
    return _numbers(fn, x1, x2)


def equal(x1: Any, x2: Any) -> Any:
    """x1 == x2."""
    return _binary(tf.equal, x1, x2)


def not_equal(x1: Any, x2: Any) -> Any:
    """x1 != x2."""
    return _binary(tf.not_equal, x1, x2)


def greater(x1: Any, x2: Any) -> Any:
    """x1 > x2."""
    return _ordered(tf.greater, x1, x2)


def greater_equal(x1: Any, x2: Any) -> Any:
    """x1 >= x2."""
    return _ordered(tf.greater_equal, x1, x2)


def less(x1: Any, x2: Any) -> Any:
    """x1 < x2."""
    return _ordered(tf.less, x1, x2)


def less_equal(x1: Any, x2: Any) -> Any:
    """x1 <= x2."""
    return _ordered(tf.less_equal, x1, x2)


def _truth(x: Any) -> Any:
    return asarray(x, np.bool_)


def logical_and(x1: Any, x2: Any) -> Any:
    """Whether both are true."""
    return tf.logical_and(_truth(x1), _truth(x2))


def logical_or(x1: Any, x2: Any) -> Any:
    """Whether one is true."""
    return tf.logical_or(_truth(x1), _truth(x2))


def logical_xor(x1: Any, x2: Any) -> Any:
    """Whether exactly one is true."""
    return tf.math.logical_xor(_truth(x1), _truth(x2))


def logical_not(x: Any) -> Any:
    """Whether it is false."""
    return tf.logical_not(_truth(x))


def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether |a - b| ≤ atol + rtol |b|."""
    a, b = pair(a, b)
    if not (a.dtype.is_floating or a.dtype.is_complex):
        return tf.equal(a, b)
    near = tf.abs(a - b) <= tf.cast(atol, tf.abs(b).dtype) + tf.cast(rtol, tf.abs(b).dtype) * tf.abs(b)
    finite = tf.logical_and(isfinite(a), isfinite(b))
    out = tf.where(finite, near, tf.equal(a, b))
    return tf.logical_or(out, tf.logical_and(isnan(a), isnan(b))) if equal_nan else out


def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all elements are close."""
    return tf.reduce_all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any) -> Any:
    """Whether shapes and elements are equal."""
    a, b = pair(a1, a2)
    if a.shape.is_fully_defined() and b.shape.is_fully_defined():
        return tf.reduce_all(tf.equal(a, b)) if a.shape == b.shape else tf.constant(False)
    if a.shape.rank is not None and b.shape.rank is not None and a.shape.rank != b.shape.rank:
        return tf.constant(False)
    return tf.cond(tf.reduce_all(tf.equal(tf.shape(a), tf.shape(b))), lambda: tf.reduce_all(tf.equal(a, b)), lambda: tf.constant(False))


# --- one argument ----------------------------------------------------------------------------------------------------
def abs(x: Any) -> Any:
    """|x|."""
    x = asarray(x)
    return x if x.dtype is _bool or x.dtype.is_unsigned else tf.abs(x)


def absolute(x: Any) -> Any:
    """|x|."""
    return abs(x)


def fabs(x: Any) -> Any:
    """|x|; integers stay integers, as in TensorFlow."""
    return abs(x)


def negative(x: Any) -> Any:
    """-x."""
    return tf.negative(asarray(x))


def positive(x: Any) -> Any:
    """+x."""
    return tf.identity(asarray(x))


def sign(x: Any, out: Any = None, where: Any = None, **kwargs: Any) -> Any:
    """-1, 0 or 1; x / |x| of a complex number. ValueError for `out`, `where` and other arguments."""
    if out is not None or where is not None or kwargs:
        raise ValueError(f"tf.numpy doesnt support setting out, where or other arguments: out={out}, where={where}, kwargs={kwargs}")
    return tf.sign(asarray(x))


def signbit(x: Any) -> Any:
    """Whether the sign bit is set."""
    x = asarray(x)
    if x.dtype is _bool or x.dtype.is_unsigned:
        return tf.zeros_like(x, tf.bool)
    return x < 0


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return tf.math.reciprocal(asarray(x)) if asarray(x).dtype.is_floating or asarray(x).dtype.is_complex else tf.math.floordiv(tf.ones_like(asarray(x)), x)


def square(x: Any) -> Any:
    """x²."""
    return tf.square(asarray(x))


def sqrt(x: Any) -> Any:
    """√x."""
    return tf.sqrt(inexact_of(x))


def cbrt(x: Any) -> Any:
    """The cube root."""
    x = inexact_of(x)
    return tf.sign(x) * tf.pow(tf.abs(x), tf.constant(1 / 3, x.dtype))


def exp(x: Any) -> Any:
    """e to the power of x."""
    return tf.exp(inexact_of(x))


def exp2(x: Any) -> Any:
    """2 to the power of x."""
    x = inexact_of(x)
    return tf.pow(tf.constant(2, x.dtype), x)


def expm1(x: Any) -> Any:
    """exp(x) - 1."""
    return tf.math.expm1(inexact_of(x))


def log(x: Any) -> Any:
    """The natural logarithm."""
    return tf.math.log(inexact_of(x))


def log1p(x: Any) -> Any:
    """log(1 + x)."""
    return tf.math.log1p(inexact_of(x))


def log2(x: Any) -> Any:
    """The logarithm to base 2, in float64 as TensorFlow gives it."""
    return true_divide(log(x), np.float64(math.log(2)))


def log10(x: Any) -> Any:
    """The logarithm to base 10, in float64 as TensorFlow gives it."""
    return true_divide(log(x), np.float64(math.log(10)))


def sin(x: Any) -> Any:
    """The sine."""
    return tf.sin(inexact_of(x))


def cos(x: Any) -> Any:
    """The cosine."""
    return tf.cos(inexact_of(x))


def tan(x: Any) -> Any:
    """The tangent."""
    return tf.tan(inexact_of(x))


def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    return tf.sinh(inexact_of(x))


def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    return tf.cosh(inexact_of(x))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return tf.tanh(inexact_of(x))


def arcsin(x: Any) -> Any:
    """The inverse sine."""
    return tf.asin(inexact_of(x))


def arccos(x: Any) -> Any:
    """The inverse cosine."""
    return tf.acos(inexact_of(x))


def arctan(x: Any) -> Any:
    """The inverse tangent."""
    return tf.atan(inexact_of(x))


def arcsinh(x: Any) -> Any:
    """The inverse hyperbolic sine."""
    return tf.asinh(inexact_of(x))


def arccosh(x: Any) -> Any:
    """The inverse hyperbolic cosine."""
    return tf.acosh(inexact_of(x))


def arctanh(x: Any) -> Any:
    """The inverse hyperbolic tangent."""
    return tf.atanh(inexact_of(x))


def deg2rad(x: Any) -> Any:
    """Degrees as radians."""
    x = inexact_of(x)
    return x * tf.constant(math.pi / 180, x.dtype)


def rad2deg(x: Any) -> Any:
    """Radians as degrees."""
    x = inexact_of(x)
    return x * tf.constant(180 / math.pi, x.dtype)


def sinc(x: Any) -> Any:
    """sin(πx) / πx, 1 at 0."""
    x = inexact_of(x)
    y = x * tf.constant(math.pi, x.dtype)
    zero = tf.equal(x, 0)
    safe = tf.where(zero, tf.ones_like(y), y)
    return tf.where(zero, tf.ones_like(y), tf.sin(safe) / safe)


def ceil(x: Any) -> Any:
    """The least integer not below x."""
    return tf.math.ceil(inexact_of(x))


def floor(x: Any) -> Any:
    """The greatest integer not above x."""
    return tf.floor(inexact_of(x))


def fix(x: Any) -> Any:
    """The integer nearest to x towards 0."""
    x = inexact_of(x)
    return tf.where(x < 0, tf.math.ceil(x), tf.floor(x))


def around(a: Any, decimals: int = 0) -> Any:
    """`a` rounded to `decimals` places, halves to even."""
    a = asarray(a)
    kind, factor = a.dtype, math.pow(10, decimals)
    if not (kind.is_floating or kind.is_complex):
        if decimals >= 0:
            return a
        a = inexact_of(a)
    scale = tf.constant(factor, a.dtype)
    return tf.cast(tf.round(a * scale) / scale, kind)


def round(a: Any, decimals: int = 0) -> Any:
    """As `around`."""
    return around(a, decimals)


def clip(a: Any, a_min: Any, a_max: Any) -> Any:
    """`a` between two limits, of which one may be None."""
    if a_min is None and a_max is None:
        raise ValueError("Not more than one of `a_min` and `a_max` may be `None`.")
    if a_min is None:
        return minimum(a, a_max)
    if a_max is None:
        return maximum(a, a_min)
    kind = result_type(a, a_min, a_max)
    a, low, high = (converted(v, kind) for v in (a, a_min, a_max))
    return tf.maximum(tf.minimum(a, high), low)


def isfinite(x: Any) -> Any:
    """Whether x is neither infinite nor NaN."""
    x = inexact_of(x)
    return tf.logical_and(isfinite(tf.math.real(x)), isfinite(tf.math.imag(x))) if x.dtype.is_complex else tf.math.is_finite(x)


def isinf(x: Any) -> Any:
    """Whether x is infinite."""
    x = inexact_of(x)
    return tf.logical_or(isinf(tf.math.real(x)), isinf(tf.math.imag(x))) if x.dtype.is_complex else tf.math.is_inf(x)


def isnan(x: Any) -> Any:
    """Whether x is NaN."""
    x = inexact_of(x)
    return tf.logical_or(isnan(tf.math.real(x)), isnan(tf.math.imag(x))) if x.dtype.is_complex else tf.math.is_nan(x)


def isneginf(x: Any) -> Any:
    """Whether x is -∞."""
    x = inexact_of(x)
    return tf.equal(x, tf.constant(-math.inf, x.dtype))


def isposinf(x: Any) -> Any:
    """Whether x is +∞."""
    x = inexact_of(x)
    return tf.equal(x, tf.constant(math.inf, x.dtype))


def real(val: Any) -> Any:
    """The real part."""
    return tf.math.real(asarray(val))


def imag(val: Any) -> Any:
    """The imaginary part."""
    return tf.math.imag(asarray(val))


def conj(x: Any) -> Any:
    """The complex conjugate."""
    return tf.math.conj(asarray(x))


def conjugate(x: Any) -> Any:
    """The complex conjugate."""
    return conj(x)


def angle(z: Any, deg: bool = False) -> Any:
    """The angle of a complex number, in radians or degrees."""
    z = inexact_of(z)
    y = tf.math.angle(z) if z.dtype.is_complex else tf.cast(tf.math.angle(z), tf.float32)  # TensorFlow's dtype for real numbers
    return y * tf.constant(180 / math.pi, y.dtype) if deg else y


def iscomplex(x: Any) -> Any:
    """Whether the imaginary part is not 0."""
    return not_equal(imag(x), 0) if iscomplexobj(x) else tf.zeros_like(asarray(x), tf.bool)


def isreal(x: Any) -> Any:
    """Whether the imaginary part is 0."""
    return tf.logical_not(iscomplex(x))


def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex."""
    return bool(asarray(x).dtype.is_complex)


def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex."""
    return not iscomplexobj(x)


def isscalar(num: Any) -> bool:
    """Whether it is a number, string or tensor without dimensions."""
    if isinstance(num, (Tensor, Variable)):
        return num.shape.rank == 0
    return isinstance(num, (numbers.Number, np.generic, str, bytes)) or (isinstance(num, np.ndarray) and num.ndim == 0)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition holds, else y; without them the indices where it holds."""
    condition = asarray(condition, np.bool_)
    if x is None and y is None:
        from .reductions import nonzero

        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("Both x and y must be ndarrays, or both must be None.")
    a, b = pair(x, y)
    return tf.where(condition, a, b)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Of each element, the choice of the first condition that holds."""
    if len(condlist) != len(choicelist):
        raise ValueError(f"condlist must have length equal to choicelist ({len(condlist)} vs {len(choicelist)})")
    if len(condlist) == 0:
        raise ValueError("condlist must be non-empty")
    kind = result_type(default, *choicelist)
    out = converted(default, kind)
    for condition, choice in builtins.reversed(list(builtins.zip(condlist, choicelist, strict=True))):
        out = tf.where(asarray(condition, np.bool_), converted(choice, kind), out)
    return out


def polyval(p: Any, x: Any) -> Any:
    """A polynomial's value, highest power first."""
    coefficients, x = pair(p, x)
    if coefficients.shape.rank == 0:
        return coefficients
    return tf.math.polyval(tf.unstack(coefficients), x)


