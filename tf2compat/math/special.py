"""`tf.math.special`: Bessel functions, and integrals that have no elementary form.

The integrals are computed in double precision: Dawson's by Rybicki's sum, the exponential integral by its power series
and asymptotic one, Fresnel's by Gauss-Legendre quadrature and the asymptotic auxiliary functions, Spence's by the
Bernoulli series of the dilogarithm.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import torch

from .._engine.dtypes import float32, float64
from .._engine.op import op, tensor
from .._names import module_getattr
from .bessel import (
    bessel_i0,
    bessel_i0e,
    bessel_i1,
    bessel_i1e,
    bessel_j0,
    bessel_j1,
    bessel_k0,
    bessel_k0e,
    bessel_k1,
    bessel_k1e,
    bessel_y0,
    bessel_y1,
)
from .derivatives import with_derivative

_X = tensor(float32, float64)


# --- Dawson's integral ---------------------------------------------------------------------------------------------------
def _dawsn_value(x: torch.Tensor) -> torch.Tensor:
    z = x.to(torch.float64)
    h = 0.2
    center = 2 * torch.round(z / (2 * h))
    total = torch.zeros_like(z)
    for odd in range(-33, 35, 2):
        n = center + odd
        total = total + torch.exp(-((z - n * h) ** 2)) / n
    # beyond 1e7 the even centre is no longer exact, and 1 / (2x) is
    return torch.where(torch.abs(z) > 1e7, 0.5 / z, total / math.sqrt(math.pi)).to(x.dtype)


def _dawsn(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _dawsn_value, lambda x: 1 - 2 * x * _dawsn(x))


@op("Dawsn", x=_X)
def dawsn(x: Any, name: str | None = None) -> Any:
    """Dawson's integral exp(-x²) ∫₀ˣ exp(t²) dt, element-wise (`tf.math.special.dawsn`)."""
    return _dawsn(x)


# --- the exponential integral --------------------------------------------------------------------------------------------
def _expint_value(x: torch.Tensor) -> torch.Tensor:
    z = x.to(torch.float64)
    small = torch.clamp(z, max=40.0)
    term, total = torch.ones_like(z), torch.zeros_like(z)
    for k in range(1, 150):
        term = term * small / k
        total = total + term / k
    low = np.euler_gamma + torch.log(small) + total
    large = torch.clamp(z, min=40.0)
    term, total = torch.ones_like(z), torch.ones_like(z)
    for k in range(1, 40):
        term = term * k / large
        total = total + term
    return torch.where(z > 40, torch.exp(large) / large * total, low).to(x.dtype)


def _expint(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _expint_value, lambda x: torch.exp(x) / x)


@op("Expint", x=_X)
def expint(x: Any, name: str | None = None) -> Any:
    """The exponential integral Ei, element-wise, for positive `x` (`tf.math.special.expint`)."""
    return _expint(x)


# --- Fresnel's integrals -------------------------------------------------------------------------------------------------
@functools.cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(64)


def _fresnel_value(x: torch.Tensor, sine: bool) -> torch.Tensor:
    z = torch.abs(x.to(torch.float64))
    near = torch.clamp(z, max=5.0)
    wave = torch.sin if sine else torch.cos
    total = torch.zeros_like(z)
    for node, weight in zip(*_nodes(), strict=True):
        t = near * (0.5 * (node + 1.0))
        total = total + weight * wave(t * t * (math.pi / 2))
    inner = total * near * 0.5
    # farther out: 1/2 plus or minus the auxiliary functions f and g times the wave
    far = torch.clamp(z, min=5.0)
    q = 1 / (math.pi * far * far) ** 2
    f = (1 + q * (-3 + q * (105 + q * (-10395 + q * 2027025)))) / (math.pi * far)
    g = (1 + q * (-15 + q * (945 + q * (-135135 + q * 34459425)))) / (math.pi**2 * far**3)
    phase = torch.fmod(far, 2.0)
    whole = far - phase  # far² = whole² + 2·whole·phase + phase², of which the first is a multiple of 4
    angle = (math.pi / 2) * torch.fmod(2 * whole * phase + phase * phase, 4.0)
    s, c = torch.sin(angle), torch.cos(angle)
    outer = 0.5 - f * c - g * s if sine else 0.5 + f * s - g * c
    outer = torch.where(torch.isinf(z), 0.5, outer)
    return torch.copysign(torch.where(z > 5, outer, inner), x).to(x.dtype)


def _fresnel_sin(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, lambda x: _fresnel_value(x, True), lambda x: torch.sin(x * x * (math.pi / 2)))


def _fresnel_cos(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, lambda x: _fresnel_value(x, False), lambda x: torch.cos(x * x * (math.pi / 2)))


@op("FresnelSin", x=_X)
def fresnel_sin(x: Any, name: str | None = None) -> Any:
    """Fresnel's integral ∫₀ˣ sin(πt²/2) dt, element-wise (`tf.math.special.fresnel_sin`)."""
    return _fresnel_sin(x)


@op("FresnelCos", x=_X)
def fresnel_cos(x: Any, name: str | None = None) -> Any:
    """Fresnel's integral ∫₀ˣ cos(πt²/2) dt, element-wise (`tf.math.special.fresnel_cos`)."""
    return _fresnel_cos(x)


# --- Spence's integral ---------------------------------------------------------------------------------------------------
#: B(n) / (n + 1)! for even n from 2 on; B(n) are Bernoulli's numbers
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
)  # fmt: skip


def _spence_value(x: torch.Tensor) -> torch.Tensor:
    z = x.to(torch.float64)
    big = z > 2
    inner = torch.where(big, 1 / z, z)
    small = inner < 0.5
    y = torch.where(small, 1 - inner, inner)  # from 1/2 to 2, where the series converges fast
    u = -torch.log(y)
    total = u - u * u / 4
    for i, b in enumerate(_BERNOULLI):
        n = 2 * (i + 1)
        total = total + b / math.factorial(n + 1) * u ** (n + 1)
    log = torch.log(torch.where(inner == 0, 1, inner))
    total = torch.where(small, math.pi**2 / 6 - log * torch.log1p(-torch.where(small, inner, 0)) - total, total)
    return torch.where(big, -0.5 * log * log - total, total).to(x.dtype)


def _spence(x: torch.Tensor) -> torch.Tensor:
    def derivative(x: torch.Tensor) -> torch.Tensor:
        one = x == 1
        return torch.where(one, -1, torch.log(x) / torch.where(one, 1, 1 - x))

    return with_derivative(x, _spence_value, derivative)


@op("Spence", x=_X)
def spence(x: Any, name: str | None = None) -> Any:
    """Spence's integral -∫₁ˣ log(t) / (t - 1) dt, element-wise, for x ≥ 0 (`tf.math.special.spence`)."""
    return _spence(x)


__all__ = [
    "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "bessel_j0", "bessel_j1", "bessel_k0", "bessel_k0e", "bessel_k1",
    "bessel_k1e", "bessel_y0", "bessel_y1", "dawsn", "expint", "fresnel_cos", "fresnel_sin", "spence",
]  # fmt: skip

__getattr__ = module_getattr("tf.math.special")
