"""Functions of one tensor, element by element: powers, exponentials, trigonometry, rounding, tests for NaN and infinity."""

# ruff: noqa: A001 - TensorFlow's public names
from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import logsigmoid as _logsigmoid
from torch.nn.functional import softplus as _softplus
from torch.nn.functional import softsign as _softsign

from .._engine.dtypes import COMPLEXES, FLOATS, NUMBERS, SIGNED, float16, float32, float64
from .._engine.op import op, tensor
from . import roots
from .kernels import no_kernel

_SMOOTH = tensor(FLOATS, COMPLEXES)
_FLOAT = tensor(FLOATS)
_SIGNED = frozenset(d.torch for d in SIGNED)
_FULL = frozenset((torch.float32, torch.float64))


# --- exponentials and powers -------------------------------------------------------------------------------------------
@op("Exp", x=_SMOOTH)
def exp(x: Any, name: str | None = None) -> Any:
    """e to the power `x`, element-wise, for floats and complex numbers (`tf.math.exp`)."""
    return torch.exp(x)


@op("Expm1", x=_SMOOTH)
def expm1(x: Any, name: str | None = None) -> Any:
    """exp(x) - 1, element-wise, exact near 0 (`tf.math.expm1`)."""
    return torch.expm1(x)


@op("Log", x=_SMOOTH)
def log(x: Any, name: str | None = None) -> Any:
    """Natural logarithm, element-wise; NaN for negative floats (`tf.math.log`)."""
    return torch.log(x)


@op("Log1p", x=_SMOOTH)
def log1p(x: Any, name: str | None = None) -> Any:
    """log(1 + x), element-wise, exact near 0 (`tf.math.log1p`)."""
    return torch.log1p(x)


@op("Sqrt", x=_SMOOTH)
def sqrt(x: Any, name: str | None = None) -> Any:
    """Square root, element-wise; NaN for negative floats (`tf.math.sqrt`)."""
    return roots.root(x)


@op("Rsqrt", x=_SMOOTH)
def rsqrt(x: Any, name: str | None = None) -> Any:
    """1 / sqrt(x), element-wise (`tf.math.rsqrt`)."""
    return roots.inverse_root(x)


@op("Square", x=tensor(NUMBERS))
def square(x: Any, name: str | None = None) -> Any:
    """x * x, element-wise, for every numeric dtype (`tf.math.square`)."""
    return torch.square(x)


@op("Reciprocal", x=tensor(FLOATS, SIGNED, COMPLEXES))
def reciprocal(x: Any, name: str | None = None) -> Any:
    """1 / x, element-wise, for floats and complex numbers (`tf.math.reciprocal`)."""
    if x.dtype in _SIGNED:
        raise no_kernel("Reciprocal", x)
    return roots.inverse(x)


# --- trigonometry ------------------------------------------------------------------------------------------------------
@op("Sin", x=_SMOOTH)
def sin(x: Any, name: str | None = None) -> Any:
    """Sine of radians, element-wise (`tf.math.sin`)."""
    return torch.sin(x)


@op("Cos", x=_SMOOTH)
def cos(x: Any, name: str | None = None) -> Any:
    """Cosine of radians, element-wise (`tf.math.cos`)."""
    return torch.cos(x)


@op("Tan", x=_SMOOTH)
def tan(x: Any, name: str | None = None) -> Any:
    """Tangent of radians, element-wise (`tf.math.tan`)."""
    return torch.tan(x)


@op("Asin", x=_SMOOTH)
def asin(x: Any, name: str | None = None) -> Any:
    """Inverse sine, in radians, element-wise; NaN outside [-1, 1] (`tf.math.asin`)."""
    return torch.asin(x)


@op("Acos", x=_SMOOTH)
def acos(x: Any, name: str | None = None) -> Any:
    """Inverse cosine, in radians, element-wise; NaN outside [-1, 1] (`tf.math.acos`)."""
    return torch.acos(x)


@op("Atan", x=_SMOOTH)
def atan(x: Any, name: str | None = None) -> Any:
    """Inverse tangent, in radians, element-wise (`tf.math.atan`)."""
    return torch.atan(x)


@op("Sinh", x=_SMOOTH)
def sinh(x: Any, name: str | None = None) -> Any:
    """Hyperbolic sine, element-wise (`tf.math.sinh`)."""
    return torch.sinh(x)


@op("Cosh", x=_SMOOTH)
def cosh(x: Any, name: str | None = None) -> Any:
    """Hyperbolic cosine, element-wise (`tf.math.cosh`)."""
    return torch.cosh(x)


@op("Tanh", x=_SMOOTH)
def tanh(x: Any, name: str | None = None) -> Any:
    """Hyperbolic tangent, element-wise (`tf.math.tanh`)."""
    return torch.tanh(x)


@op("Asinh", x=_SMOOTH)
def asinh(x: Any, name: str | None = None) -> Any:
    """Inverse hyperbolic sine, element-wise (`tf.math.asinh`)."""
    return torch.asinh(x)


@op("Acosh", x=_SMOOTH)
def acosh(x: Any, name: str | None = None) -> Any:
    """Inverse hyperbolic cosine, element-wise; NaN below 1 (`tf.math.acosh`)."""
    return torch.acosh(x)


@op("Atanh", x=_SMOOTH)
def atanh(x: Any, name: str | None = None) -> Any:
    """Inverse hyperbolic tangent, element-wise; NaN outside [-1, 1] (`tf.math.atanh`)."""
    return torch.atanh(x)


# --- activations that tf.nn shares -------------------------------------------------------------------------------------
@op("Sigmoid", x=_SMOOTH)
def sigmoid(x: Any, name: str | None = None) -> Any:
    """1 / (1 + exp(-x)), element-wise (`tf.math.sigmoid`)."""
    return torch.sigmoid(x)


@op("LogSigmoid", x=_FLOAT)
def log_sigmoid(x: Any, name: str | None = None) -> Any:
    """log(sigmoid(x)), element-wise, without overflow (`tf.math.log_sigmoid`)."""
    return _logsigmoid(x)


@op("Softplus", features=tensor(FLOATS))
def softplus(features: Any, name: str | None = None) -> Any:
    """log(exp(features) + 1), element-wise, without overflow (`tf.math.softplus`)."""
    return _softplus(features, 1.0, 40.0)  # beyond 40 the result is the argument in double precision too


@op("Softsign", features=tensor(FLOATS))
def softsign(features: Any, name: str | None = None) -> Any:
    """features / (abs(features) + 1), element-wise (`tf.math.softsign`)."""
    return _softsign(features)


# --- signs and rounding: steps, through which TensorFlow passes no gradient ----------------------------------------------
@op("Sign", x=tensor(FLOATS, SIGNED, COMPLEXES))
def sign(x: Any, name: str | None = None) -> Any:
    """-1, 0 or 1; z / |z| for complex numbers; NaN for NaN (`tf.math.sign`)."""
    if x.is_floating_point():
        return torch.where(x != x, x.detach(), torch.sign(x))
    return torch.sgn(x)


@op("Floor", x=_FLOAT)
def floor(x: Any, name: str | None = None) -> Any:
    """Largest integer not above `x`, as a float (`tf.math.floor`). No gradient passes."""
    return torch.floor(x).detach()


@op("Ceil", x=_FLOAT)
def ceil(x: Any, name: str | None = None) -> Any:
    """Smallest integer not below `x`, as a float (`tf.math.ceil`). No gradient passes."""
    return torch.ceil(x).detach()


@op("Rint", x=tensor(FLOATS))
def rint(x: Any, name: str | None = None) -> Any:
    """Nearest integer, halves to the even one, as a float (`tf.math.rint`). No gradient passes."""
    return torch.round(x).detach()


@op("Round", x=tensor(NUMBERS))
def round(x: Any, name: str | None = None) -> Any:
    """Nearest integer, halves to the even one, in the dtype of `x` (`tf.math.round`). No gradient passes."""
    if x.is_complex():
        raise no_kernel("Round", x)
    return torch.round(x).detach() if x.is_floating_point() else x


# --- tests ---------------------------------------------------------------------------------------------------------------
@op("IsNan", x=_FLOAT)
def is_nan(x: Any, name: str | None = None) -> Any:
    """Where `x`, a float tensor, is NaN, as bool (`tf.math.is_nan`)."""
    return torch.isnan(x)


@op("IsInf", x=_FLOAT)
def is_inf(x: Any, name: str | None = None) -> Any:
    """Where `x`, a float tensor, is infinite, as bool (`tf.math.is_inf`)."""
    return torch.isinf(x)


@op("IsFinite", x=_FLOAT)
def is_finite(x: Any, name: str | None = None) -> Any:
    """Where `x`, a float tensor, is neither infinite nor NaN, as bool (`tf.math.is_finite`)."""
    return torch.isfinite(x)


# --- the error function, gamma and their relatives -----------------------------------------------------------------------
@op("Erf", x=_FLOAT)
def erf(x: Any, name: str | None = None) -> Any:
    """Gauss' error function, element-wise (`tf.math.erf`)."""
    return torch.erf(x)


@op("Erfc", x=_FLOAT)
def erfc(x: Any, name: str | None = None) -> Any:
    """1 - erf(x), element-wise (`tf.math.erfc`)."""
    return torch.erfc(x)


@op("Erfinv", x=_FLOAT)
def erfinv(x: Any, name: str | None = None) -> Any:
    """Inverse of the error function, element-wise; NaN outside [-1, 1] (`tf.math.erfinv`)."""
    if x.dtype not in _FULL:
        raise no_kernel("Erfinv", x)
    return torch.erfinv(x)


@op("Ndtri", x=_FLOAT)
def ndtri(x: Any, name: str | None = None) -> Any:
    """Quantile of the standard normal distribution, element-wise (`tf.math.ndtri`)."""
    if x.dtype not in _FULL:
        raise no_kernel("Ndtri", x)
    return torch.special.ndtri(x)


@op("Ndtri", x=_FLOAT)
def erfcinv(x: Any, name: str | None = None) -> Any:
    """Inverse of erfc, element-wise; NaN outside [0, 2] (`tf.math.erfcinv`)."""
    if x.dtype not in _FULL:
        raise no_kernel("Ndtri", x)
    return torch.special.ndtri(x * 0.5) * -0.7071067811865476


@op("Lgamma", x=tensor(float16, float32, float64))
def lgamma(x: Any, name: str | None = None) -> Any:
    """Logarithm of |gamma(x)|, element-wise (`tf.math.lgamma`)."""
    return torch.lgamma(x)


@op("Digamma", x=tensor(float16, float32, float64))
def digamma(x: Any, name: str | None = None) -> Any:
    """Derivative of lgamma, element-wise (`tf.math.digamma`)."""
    return torch.digamma(torch.where(x == 0, torch.nan, x))


__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "digamma", "erf", "erfc", "erfcinv", "erfinv",
    "exp", "expm1", "floor", "is_finite", "is_inf", "is_nan", "lgamma", "log", "log1p", "log_sigmoid", "ndtri", "reciprocal",
    "rint", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "softplus", "softsign", "sqrt", "square", "tan", "tanh",
]  # fmt: skip
