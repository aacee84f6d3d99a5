"""Bessel functions, the modified ones included."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import float16, float32, float64
from .._engine.op import op, tensor
from .derivatives import with_derivative

_X = tensor(float16, float32, float64)
_special = torch.special


@op("BesselI0", x=_X)
def bessel_i0(x: Any, name: str | None = None) -> Any:
    """Modified Bessel function I0, element-wise (`tf.math.bessel_i0`)."""
    return torch.i0(x)


@op("BesselI0e", x=_X)
def bessel_i0e(x: Any, name: str | None = None) -> Any:
    """exp(-|x|) I0(x), element-wise (`tf.math.bessel_i0e`)."""
    return _special.i0e(x)


@op("BesselI1", x=_X)
def bessel_i1(x: Any, name: str | None = None) -> Any:
    """Modified Bessel function I1, element-wise (`tf.math.bessel_i1`)."""
    return _special.i1(x)


@op("BesselI1e", x=_X)
def bessel_i1e(x: Any, name: str | None = None) -> Any:
    """exp(-|x|) I1(x), element-wise (`tf.math.bessel_i1e`)."""
    return _special.i1e(x)


# torch does not differentiate the following ones; the derivatives are those of the textbooks.
def _j0(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.bessel_j0, lambda x: -_j1(x))


def _j1(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.bessel_j1, lambda x: _j0(x) - torch.where(x == 0, 0.5, _j1(x) / torch.where(x == 0, 1, x)))


def _y0(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.bessel_y0, lambda x: -_y1(x))


def _y1(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.bessel_y1, lambda x: _y0(x) - _y1(x) / x)


def _k0(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.modified_bessel_k0, lambda x: -_k1(x))


def _k1(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.modified_bessel_k1, lambda x: -_k0(x) - _k1(x) / x)


def _k0e(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.scaled_modified_bessel_k0, lambda x: _k0e(x) - _k1e(x))


def _k1e(x: torch.Tensor) -> torch.Tensor:
    return with_derivative(x, _special.scaled_modified_bessel_k1, lambda x: _k1e(x) * (1 - 1 / x) - _k0e(x))


@op("BesselJ0", x=_X)
def bessel_j0(x: Any, name: str | None = None) -> Any:
    """Bessel function J0, element-wise (`tf.math.special.bessel_j0`)."""
    return _j0(x)


@op("BesselJ1", x=_X)
def bessel_j1(x: Any, name: str | None = None) -> Any:
    """Bessel function J1, element-wise (`tf.math.special.bessel_j1`)."""
    return _j1(x)


@op("BesselY0", x=_X)
def bessel_y0(x: Any, name: str | None = None) -> Any:
    """Bessel function of the second kind Y0, element-wise (`tf.math.special.bessel_y0`)."""
    return _y0(x)


@op("BesselY1", x=_X)
def bessel_y1(x: Any, name: str | None = None) -> Any:
    """Bessel function of the second kind Y1, element-wise (`tf.math.special.bessel_y1`)."""
    return _y1(x)


@op("BesselK0", x=_X)
def bessel_k0(x: Any, name: str | None = None) -> Any:
    """Modified Bessel function of the second kind K0, element-wise (`tf.math.special.bessel_k0`)."""
    return _k0(x)


@op("BesselK1", x=_X)
def bessel_k1(x: Any, name: str | None = None) -> Any:
    """Modified Bessel function of the second kind K1, element-wise (`tf.math.special.bessel_k1`)."""
    return _k1(x)


@op("BesselK0e", x=_X)
def bessel_k0e(x: Any, name: str | None = None) -> Any:
    """exp(x) K0(x), element-wise (`tf.math.special.bessel_k0e`)."""
    return _k0e(x)


@op("BesselK1e", x=_X)
def bessel_k1e(x: Any, name: str | None = None) -> Any:
    """exp(x) K1(x), element-wise (`tf.math.special.bessel_k1e`)."""
    return _k1e(x)


__all__ = [
    "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "bessel_j0", "bessel_j1", "bessel_k0", "bessel_k0e", "bessel_k1",
    "bessel_k1e", "bessel_y0", "bessel_y1",
]  # fmt: skip
