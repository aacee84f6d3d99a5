"""Incomplete gamma and beta functions, zeta and polygamma."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import float16, float32, float64
from .._engine.op import op, tensor

_X = tensor(float32, float64)


# --- incomplete gamma ----------------------------------------------------------------------------------------------------
def _gamma_density(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x + torch.xlogy(a - 1, x) - torch.lgamma(a))


def _by_shape(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The derivative of igamma(a, x) with respect to a: its power series, term by term, in double precision."""
    if a.device.type == "meta":  # torch has no shape rule for the sampling gradient below
        return torch.empty_like(a + x)
    a64, x64 = torch.broadcast_tensors(a.detach().to(torch.float64), x.detach().to(torch.float64))
    safe = torch.clamp(x64, min=1e-300)
    log = torch.log(safe)
    total = torch.zeros_like(safe)
    for n in range(400):
        size = torch.exp((a64 + n) * log - safe - torch.lgamma(a64 + n + 1))
        total = total + size * (log - torch.digamma(a64 + n + 1))
    # the series needs about as many terms as x is large; beyond that torch's sampling gradient is close enough
    far = -_gamma_density(a64, safe) * torch._standard_gamma_grad(a64, safe)
    return torch.where(x64 <= 0, 0.0, torch.where(x64 > 200, far, total)).to(a.dtype)


class _Igamma(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(a: torch.Tensor, x: torch.Tensor, upper: bool) -> torch.Tensor:
        return torch.special.gammaincc(a, x) if upper else torch.special.gammainc(a, x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        a, x, ctx.upper = inputs
        ctx.save_for_backward(a, x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        a, x = ctx.saved_tensors
        if ctx.upper:
            grad = -grad
        by_a = by_x = None
        if ctx.needs_input_grad[0]:
            by_a = (grad * _by_shape(a, x)).sum_to_size(a.shape)
        if ctx.needs_input_grad[1]:
            by_x = (grad * _gamma_density(a, x)).sum_to_size(x.shape)
        return by_a, by_x, None


def _igamma(a: torch.Tensor, x: torch.Tensor, upper: bool) -> torch.Tensor:
    if a.requires_grad or x.requires_grad:
        return _Igamma.apply(a, x, upper)
    return torch.special.gammaincc(a, x) if upper else torch.special.gammainc(a, x)


@op("Igamma", elementwise=True, a=_X, x=_X)
def igamma(a: Any, x: Any, name: str | None = None) -> Any:
    """The lower regularized incomplete gamma function P(a, x), element-wise (`tf.math.igamma`)."""
    return _igamma(a, x, False)


@op("Igammac", elementwise=True, a=_X, x=_X)
def igammac(a: Any, x: Any, name: str | None = None) -> Any:
    """The upper regularized incomplete gamma function Q(a, x) = 1 - P(a, x), element-wise (`tf.math.igammac`)."""
    return _igamma(a, x, True)


# --- incomplete beta -----------------------------------------------------------------------------------------------------
def _log_beta(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)


def _betainc_value(a: torch.Tensor, b: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Lentz' evaluation of the continued fraction, on the side of the mean where it converges fast."""
    p, q, z = a.to(torch.float64), b.to(torch.float64), x.to(torch.float64)
    swap = z > (p + 1) / (p + q + 2)
    p, q, z = torch.where(swap, q, p), torch.where(swap, p, q), torch.where(swap, 1 - z, z)
    inside = (z > 0) & (z < 1)
    y = torch.where(inside, z, 0.5)
    tiny = 1e-300
    c = torch.ones_like(y)
    d = 1 - (p + q) * y / (p + 1)
    d = 1 / torch.where(torch.abs(d) < tiny, tiny, d)
    h = d
    for m in range(1, 201):
        for numerator in (
            m * (q - m) * y / ((p + 2 * m - 1) * (p + 2 * m)),
            -(p + m) * (p + q + m) * y / ((p + 2 * m) * (p + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / torch.where(torch.abs(d) < tiny, tiny, d)
            c = 1 + numerator / c
            c = torch.where(torch.abs(c) < tiny, tiny, c)
            h = h * d * c
    front = torch.exp(p * torch.log(y) + q * torch.log1p(-y) - _log_beta(p, q)) / p
    value = torch.where(inside, front * h, torch.where(z <= 0, 0.0, 1.0))
    value = torch.where(swap, 1 - value, value)
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    return torch.where(valid, value, torch.nan).to(x.dtype)


class _Betainc(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(a: torch.Tensor, b: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return _betainc_value(a, b, x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        a, b, x = ctx.saved_tensors
        density = torch.exp(torch.xlogy(a - 1, x) + torch.xlogy(b - 1, 1 - x) - _log_beta(a, b))
        return None, None, (grad * density).sum_to_size(x.shape)


def _same_or_scalar(*tensors: torch.Tensor) -> None:
    shapes = {tuple(t.shape) for t in tensors if t.ndim}
    if len(shapes) > 1:
        from .._engine.op import invalid

        shown = ", ".join("[" + ",".join(map(str, t.shape)) + "]" for t in tensors)
        raise invalid(f"Shapes of a, b and x are inconsistent: {shown} [Op:Betainc] name: ")


@op("Betainc", a=_X, b=_X, x=_X)
def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Any:
    """The regularized incomplete beta function, element-wise (`tf.math.betainc`).

    The arguments are scalars or have one shape. The gradient flows to `x` only, as TensorFlow's does.
    """
    _same_or_scalar(a, b, x)
    if x.requires_grad:
        return _Betainc.apply(a.detach(), b.detach(), x)
    return _betainc_value(a.detach(), b.detach(), x)


# --- zeta and polygamma --------------------------------------------------------------------------------------------------
@op("Zeta", elementwise=True, x=_X, q=_X)
def zeta(x: Any, q: Any, name: str | None = None) -> Any:
    """Hurwitz' zeta function Σ (k + q)^-x, element-wise (`tf.math.zeta`). The gradient flows to `q` only."""
    return torch.special.zeta(x.detach(), q)


@op("Polygamma", elementwise=True, a=_X, x=_X)
def polygamma(a: Any, x: Any, name: str | None = None) -> Any:
    """The derivative of order `a` (a whole number) of digamma, element-wise (`tf.math.polygamma`). The gradient flows to `x`."""
    n = a.detach()
    zero = n == 0
    order = torch.where(zero, 1, n)
    sign = torch.where(torch.remainder(n, 2) == 0, -1.0, 1.0).to(x.dtype)
    value = sign * torch.exp(torch.lgamma(order + 1)) * torch.special.zeta(order + 1, x)
    value = torch.where(zero, torch.digamma(x), value)
    return torch.where((n < 0) | (n != torch.floor(n)), torch.nan, value)


@op("Lbeta", x=tensor(float16, float32, float64))
def lbeta(x: Any, name: str | None = None) -> Any:
    """log|Beta(x)| along the last axis (`tf.math.lbeta`)."""
    if x.ndim == 0:
        from .._engine.op import invalid

        raise invalid("Invalid reduction dimension (-1 for input with 0 dimension(s)) [Op:Sum] name: ")
    return torch.sum(torch.lgamma(x), -1) - torch.lgamma(torch.sum(x, -1))


__all__ = ["betainc", "igamma", "igammac", "lbeta", "polygamma", "zeta"]
