"""Window functions."""

from __future__ import annotations

import math
from typing import Any

import torch

from .._engine.convert import convert_to_tensor
from .._engine.devices import current
from .._engine.dtypes import as_dtype, float32, int32
from .._engine.op import DTYPE, INT, invalid, op
from .._engine.tensor import Tensor


def _checked(window_length: Any, dtype: Any) -> tuple[Any, Any]:
    dtype = as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {dtype}")
    if isinstance(window_length, int):
        return window_length, dtype
    length = convert_to_tensor(window_length, int32 if not isinstance(window_length, Tensor) or window_length.dtype is not int32 else None)
    length.shape.assert_has_rank(0)
    return length, dtype


def _count(window_length: int, low: str = "0", high: Any = None) -> None:
    if window_length < 0:
        raise invalid(f"Requires start <= limit when delta > 0: {low}/{window_length if high is None else high} [Op:Range] name: ")


@op("RaisedCosineWindow", window_length=INT, dtype=DTYPE)
def _raised_cosine(window_length: Any, periodic: bool, dtype: Any, a: float, b: float, name: str | None = None) -> Any:
    _count(window_length)
    if window_length == 1:
        return torch.ones(1, dtype=dtype.torch, device=current())
    # a window of odd length is symmetric also when it is called periodic, as in TensorFlow
    period = window_length + bool(periodic) * (1 - window_length % 2) - 1
    count = torch.arange(window_length, dtype=torch.float64, device=current())
    return (a - b * torch.cos(2 * math.pi * count / max(period, 1))).to(dtype.torch)


def hann_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """The Hann window of [window_length] samples, for spectra when `periodic`, else symmetric (`tf.signal.hann_window`)."""
    window_length, dtype = _checked(window_length, dtype)
    return _raised_cosine(window_length, bool(periodic), dtype, 0.5, 0.5, name)


def hamming_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """The Hamming window of [window_length] samples, for spectra when `periodic`, else symmetric (`tf.signal.hamming_window`)."""
    window_length, dtype = _checked(window_length, dtype)
    return _raised_cosine(window_length, bool(periodic), dtype, 0.54, 0.46, name)


def _kaiser(length: int, beta: float, dtype: torch.dtype) -> torch.Tensor:
    if length == 1:
        return torch.ones(1, dtype=dtype, device=current())
    half = (length - 1) / 2
    arg = (torch.arange(length, dtype=torch.float64, device=current()) - half) / half
    peak = torch.special.i0e(torch.tensor(beta, dtype=torch.float64, device=current()))
    inner = beta * torch.sqrt(torch.clamp(1 - arg * arg, min=0))
    return (torch.exp(inner - beta) * torch.special.i0e(inner) / peak).to(dtype)


@op("KaiserWindow", window_length=INT, dtype=DTYPE)
def _kaiser_window(window_length: Any, beta: float, dtype: Any, name: str | None = None) -> Any:
    _count(window_length, "1", f"{-(window_length - 1) / 2 - 1.9:.1f}")
    return _kaiser(window_length, float(beta), dtype.torch)


def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Kaiser's window of [window_length] samples with the shape parameter `beta` (`tf.signal.kaiser_window`)."""
    window_length, dtype = _checked(window_length, dtype)
    return _kaiser_window(window_length, float(beta), dtype, name)


@op("KaiserBesselDerivedWindow", window_length=INT, dtype=DTYPE)
def _kbd_window(window_length: Any, beta: float, dtype: Any, name: str | None = None) -> Any:
    _count(window_length)
    total = torch.cumsum(_kaiser(window_length // 2 + 1, float(beta), torch.float64), 0)
    half = torch.sqrt(total[:-1] / total[-1])
    return torch.cat((half, torch.flip(half, (0,)))).to(dtype.torch)


def kaiser_bessel_derived_window(window_length: Any, beta: Any = 12.0, dtype: Any = float32, name: str | None = None) -> Tensor:
    """The window derived from Kaiser's for modified cosine transforms (`tf.signal.kaiser_bessel_derived_window`)."""
    window_length, dtype = _checked(window_length, dtype)
    return _kbd_window(window_length, float(beta), dtype, name)


@op("VorbisWindow", window_length=INT, dtype=DTYPE)
def _vorbis_window(window_length: Any, dtype: Any, name: str | None = None) -> Any:
    _count(window_length)
    count = torch.arange(window_length, dtype=torch.float64, device=current())
    return torch.sin(math.pi / 2 * torch.sin(math.pi / max(window_length, 1) * (count + 0.5)) ** 2).to(dtype.torch)


def vorbis_window(window_length: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Vorbis' power-complementary window of [window_length] samples (`tf.signal.vorbis_window`)."""
    window_length, dtype = _checked(window_length, dtype)
    return _vorbis_window(window_length, dtype, name)


__all__ = ["hamming_window", "hann_window", "kaiser_bessel_derived_window", "kaiser_window", "vorbis_window"]
