"""Parts of complex numbers."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.convert import operand
from .._engine.dtypes import NUMBERS, of
from .._engine.op import op, tensor

_NUM = tensor(NUMBERS)


@op("Real", input=_NUM)
def real(input: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's parameter
    """The real part; a real tensor as it is (`tf.math.real`)."""
    return torch.real(input)


@op("Imag", input=_NUM)
def imag(input: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's parameter
    """The imaginary part; zeros for a real tensor (`tf.math.imag`)."""
    return torch.imag(input) if input.is_complex() else torch.zeros_like(input)


@op("Conj", x=_NUM)
def conj(x: Any, name: str | None = None) -> Any:
    """The complex conjugate; a real tensor as it is (`tf.math.conj`)."""
    return torch.conj(x).resolve_conj() if x.is_complex() else x


@op("Angle", input=_NUM)
def angle(input: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's parameter
    """The argument in (-pi, pi]; for a real tensor pi where it is negative and 0 elsewhere (`tf.math.angle`)."""
    if input.is_complex():
        return torch.angle(input)
    if not input.is_floating_point():
        raise TypeError(f"Cannot convert {torch.pi} to EagerTensor of dtype {of(input).name}")
    return torch.where(input < 0, torch.pi, 0.0).to(input.dtype)


def _checked(what: str) -> Any:
    def check(x: Any) -> tuple[Any]:
        x = operand(x)
        if not x.dtype.is_numeric:
            raise TypeError(f"{what} {x.dtype!r}")
        return (x,)

    return check


real.prepare(_checked("input must be a numeric tensor, but got tensor with dtype"))
imag.prepare(_checked("input must be a numeric tensor, but got tensor with dtype"))
conj.prepare(_checked("Expected numeric or variant tensor, got dtype"))
angle.prepare(_checked("input must be a numeric tensor, but got tensor with dtype"))

__all__ = ["angle", "conj", "imag", "real"]
