"""Gamma and Poisson numbers from Philox, by the rejection methods and with the order of draws that TensorFlow's CPU kernels have.

Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); Hörmann, "The transformed rejection method for
generating Poisson random variables" (1993); Knuth's multiplication for small rates. Each number has a stretch of the stream to
itself, so that all are worked on at once, in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .._engine import philox

__all__ = ["gammas", "poissons"]

#: blocks of the stream that each number has to itself
_STRETCH = 256


class _Draws:
    """Uniform and normal numbers for each of many stretches, two to a block, the second of a block first."""

    def __init__(self, key: torch.Tensor, counter: torch.Tensor, count: int) -> None:
        self._key, self._counter = key, counter
        self._next = np.arange(count, dtype=np.int64) * _STRETCH
        self._held = {kind: (np.empty((count, 2)), np.zeros(count, dtype=np.int64)) for kind in ("uniform", "normal")}

    def _take(self, kind: str, who: np.ndarray) -> np.ndarray:
        held, left = self._held[kind]
        empty = who[left[who] == 0]
        if len(empty):
            words = philox.blocks(self._key, self._counter, torch.from_numpy(self._next[empty]))
            self._next[empty] += 1
            if kind == "uniform":
                pairs = words.reshape(-1, 2)
                held[empty] = philox._unit64(pairs[:, 0], pairs[:, 1]).reshape(-1, 2).numpy()
            else:
                held[empty] = philox._normal_pairs(words, torch.float64).numpy()
            left[empty] = 2
        left[who] -= 1
        return held[who, left[who]]

    def uniform(self, who: np.ndarray) -> np.ndarray:
        return self._take("uniform", who)

    def normal(self, who: np.ndarray) -> np.ndarray:
        return self._take("normal", who)


def gamma(key: torch.Tensor, counter: torch.Tensor, alphas: np.ndarray, samples: int) -> np.ndarray:
    """[samples, n] numbers of scale 1 for n shapes."""
    alpha = np.repeat(alphas.astype(np.float64), samples)
    draws = _Draws(key, counter, len(alpha))
    out = np.empty(len(alpha))
    one = np.flatnonzero(alpha == 1.0)
    if len(one):
        out[one] = -np.log1p(-draws.uniform(one))
    small = alpha < 1.0
    d = alpha + np.where(small, 2.0 / 3, -1.0 / 3)
    with np.errstate(all="ignore"):
        c = 1.0 / 3 / np.sqrt(d)
        who = np.flatnonzero(alpha != 1.0)
        bad = who[~(d[who] > 0)]  # no shape of a gamma distribution
        out[bad] = np.nan
        who = who[d[who] > 0]
        while len(who):
            x = draws.normal(who)
            v = 1 + c[who] * x
            good = v > 0
            some, x, v = who[good], x[good], v[good] ** 3
            u = draws.uniform(some)
            taken = (u < 1 - 0.0331 * (x * x) * (x * x)) | (np.log(u) < 0.5 * x * x + d[some] * (1 - v + np.log(v)))
            done = some[taken]
            found = d[done] * v[taken]
            below = small[done]
            if below.any():
                less = done[below]
                found[below] *= draws.uniform(less) ** (1 / alpha[less])
            out[done] = found
            who = np.setdiff1d(who, done, assume_unique=True)
    return out.reshape(len(alphas), samples).T


def poisson(key: torch.Tensor, counter: torch.Tensor, rates: np.ndarray, samples: int, most: float) -> np.ndarray:
    """[samples, n] numbers for n rates; `most`: the largest that the result's dtype can hold."""
    rate = np.repeat(rates.astype(np.float64), samples)
    draws = _Draws(key, counter, len(rate))
    out = np.full(len(rate), np.nan)
    with np.errstate(all="ignore"):
        _multiplied(draws, rate, out, most)
        _transformed(draws, rate, out, most)
    return out.reshape(len(rates), samples).T


def _multiplied(draws: _Draws, rate: np.ndarray, out: np.ndarray, most: float) -> None:
    who = np.flatnonzero((rate >= 0) & (rate < 10))
    limit, product, x = np.exp(-rate), np.ones(len(rate)), np.zeros(len(rate))
    while len(who):
        product[who] *= draws.uniform(who)
        done = (product[who] <= limit[who]) & (x[who] <= most)
        out[who[done]] = x[who[done]]
        who = who[~done]
        x[who] += 1


def _transformed(draws: _Draws, rate: np.ndarray, out: np.ndarray, most: float) -> None:
    who = np.flatnonzero((rate >= 10) & np.isfinite(rate))
    b = 0.931 + 2.53 * np.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    while len(who):
        u = draws.uniform(who) - 0.5
        v = draws.uniform(who)
        shifted = 0.5 - np.abs(u)
        r, aw, bw = rate[who], a[who], b[who]
        k = np.floor((2 * aw / shifted + bw) * u + r + 0.43)
        fits = k <= most
        inside = fits & (shifted >= 0.07) & (v <= 0.9277 - 3.6224 / (bw - 2))
        outside = ~fits | (k < 0) | ((shifted < 0.013) & (v > shifted))
        s = np.log(v * inverse[who] / (aw / (shifted * shifted) + bw))
        t = -r + k * np.log(r) - _lgamma(np.where(outside, 0, k) + 1)
        done = inside | (~outside & (s <= t))
        out[who[done]] = k[done]
        who = who[~done]


def _lgamma(x: np.ndarray) -> Any:
    return torch.lgamma(torch.from_numpy(x)).numpy() if len(x) > 8 else np.array([math.lgamma(n) for n in x.tolist()])


class _Sampled(torch.autograd.Function):
    """Gamma numbers that were drawn already, with the gradient by their shape parameter."""

    @staticmethod
    def forward(ctx: Any, alpha: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(alpha, drawn)
        return drawn.view_as(drawn)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        alpha, drawn = ctx.saved_tensors
        return grad * torch._standard_gamma_grad(alpha, drawn), None


def gammas(key: torch.Tensor, counter: torch.Tensor, alpha: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Gamma numbers of shape `shape + alpha.shape`, differentiable in `alpha`."""
    found = gamma(key, counter, alpha.detach().double().reshape(-1).numpy(), math.prod(shape))
    drawn = torch.from_numpy(np.ascontiguousarray(found)).to(alpha.dtype).reshape((*shape, *alpha.shape))
    return _Sampled.apply(alpha.expand(drawn.shape), drawn) if alpha.requires_grad else drawn


def poissons(key: torch.Tensor, counter: torch.Tensor, rate: torch.Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Poisson numbers of shape `shape + rate.shape`."""
    most = float(torch.iinfo(dtype).max if not dtype.is_floating_point else torch.finfo(dtype).max)
    found = poisson(key, counter, rate.detach().double().reshape(-1).numpy(), math.prod(shape), most)
    return torch.from_numpy(np.ascontiguousarray(found)).to(dtype).reshape((*shape, *rate.shape))
