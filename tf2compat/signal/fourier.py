"""Discrete Fourier transforms."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.convert import convert_to_tensor, operand
from .._engine.dtypes import COMPLEXES, float32, float64
from .._engine.op import AXES, INTS, TENSOR, invalid, op, tensor
from .._engine.tensor import Tensor

_COMPLEX = tensor(COMPLEXES, group="Tcomplex")
_REAL = tensor(float32, float64, group="Treal")


def _rank(x: Any, least: int, name: str) -> None:
    if x.ndim < least:
        shape = "[" + ",".join(map(str, x.shape)) + "]"
        raise invalid(f"Input must have rank of at least {least} but got: {shape} [Op:{name}] name: ")


def _empty(x: Any) -> bool:
    return 0 in x.shape


@op("FFT", input=_COMPLEX)
def fft(input: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's parameter
    """Discrete Fourier transform over the last axis of a complex tensor (`tf.signal.fft`)."""
    _rank(input, 1, "FFT")
    return input if _empty(input) else torch.fft.fft(input)


@op("IFFT", input=_COMPLEX)
def ifft(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Inverse of `fft` (`tf.signal.ifft`)."""
    _rank(input, 1, "IFFT")
    return input if _empty(input) else torch.fft.ifft(input)


@op("FFT2D", input=_COMPLEX)
def fft2d(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Discrete Fourier transform over the last two axes of a complex tensor (`tf.signal.fft2d`)."""
    _rank(input, 2, "FFT2D")
    return input if _empty(input) else torch.fft.fftn(input, dim=(-2, -1))


@op("IFFT2D", input=_COMPLEX)
def ifft2d(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Inverse of `fft2d` (`tf.signal.ifft2d`)."""
    _rank(input, 2, "IFFT2D")
    return input if _empty(input) else torch.fft.ifftn(input, dim=(-2, -1))


@op("FFT3D", input=_COMPLEX)
def fft3d(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Discrete Fourier transform over the last three axes of a complex tensor (`tf.signal.fft3d`)."""
    _rank(input, 3, "FFT3D")
    return input if _empty(input) else torch.fft.fftn(input, dim=(-3, -2, -1))


@op("IFFT3D", input=_COMPLEX)
def ifft3d(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Inverse of `fft3d` (`tf.signal.ifft3d`)."""
    _rank(input, 3, "IFFT3D")
    return input if _empty(input) else torch.fft.ifftn(input, dim=(-3, -2, -1))


def _lengths(x: Any, given: Any, axes: int, name: str) -> list[int]:
    for i, n in enumerate(given or ()):
        if not isinstance(n, torch.Tensor) and n < 0:
            raise invalid(f"fft_length[{i}] must >= 0, but got: {n} [Op:{name}] name: ")
    return list(x.shape[-axes:] if given is None else given)


# --- real transforms -----------------------------------------------------------------------------------------------------
@op("RFFT", input_tensor=_REAL, fft_length=INTS)
def _rfft(input_tensor: Any, fft_length: Any, axes: int, name: str | None = None) -> Any:
    _rank(input_tensor, axes, f"RFFT{axes}D" if axes > 1 else "RFFT")
    if fft_length is not None and len(fft_length) != axes:
        raise invalid(f"fft_length must have shape [{axes}], got {len(fft_length)} lengths [Op:RFFT] name: ")
    lengths = _lengths(input_tensor, fft_length, axes, "RFFT")
    if 0 in lengths or _empty(input_tensor):
        last = lengths[-1] // 2 + 1 if lengths[-1] else 0
        kind = torch.complex64 if input_tensor.dtype is torch.float32 else torch.complex128
        return input_tensor.new_zeros((*input_tensor.shape[:-axes], *lengths[:-1], last), dtype=kind)
    return torch.fft.rfftn(input_tensor, fft_length, tuple(range(-axes, 0)))


@op("IRFFT", input_tensor=_COMPLEX, fft_length=INTS)
def _irfft(input_tensor: Any, fft_length: Any, axes: int, name: str | None = None) -> Any:
    _rank(input_tensor, axes, f"IRFFT{axes}D" if axes > 1 else "IRFFT")
    if fft_length is not None and len(fft_length) != axes:
        raise invalid(f"fft_length must have shape [{axes}], got {len(fft_length)} lengths [Op:IRFFT] name: ")
    last = max(0, 2 * (input_tensor.shape[-1] - 1))
    lengths = [*_lengths(input_tensor, fft_length, axes, "IRFFT")[:-1], last if fft_length is None else fft_length[-1]]
    if 0 in lengths or _empty(input_tensor):
        kind = torch.float32 if input_tensor.dtype is torch.complex64 else torch.float64
        return input_tensor.new_zeros((*input_tensor.shape[:-axes], *lengths), dtype=kind)
    return torch.fft.irfftn(input_tensor, fft_length, tuple(range(-axes, 0)))


def _real(x: Any) -> Any:
    x = operand(x, float32)
    if x.dtype not in (float32, float64):
        raise ValueError(f"RFFT requires tf.float32 or tf.float64 inputs, got: {x!s}")
    return x


def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Fourier transform of real values over the last axis; the n // 2 + 1 frequencies that matter (`tf.signal.rfft`).

    `fft_length` is [n]: the axis is cut or padded with zeros to that length. ValueError unless float32 or float64.
    """
    return _rfft(_real(input_tensor), fft_length, 1, name)


def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Fourier transform of real values over the last two axes; `fft_length` is [m, n] (`tf.signal.rfft2d`)."""
    return _rfft(_real(input_tensor), fft_length, 2, name)


def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Fourier transform of real values over the last three axes; `fft_length` is [l, m, n] (`tf.signal.rfft3d`)."""
    return _rfft(_real(input_tensor), fft_length, 3, name)


def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Inverse of `rfft`; the length is even unless `fft_length`, [n], says otherwise (`tf.signal.irfft`)."""
    return _irfft(input_tensor, fft_length, 1, name)


def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Inverse of `rfft2d` (`tf.signal.irfft2d`)."""
    return _irfft(input_tensor, fft_length, 2, name)


def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Inverse of `rfft3d` (`tf.signal.irfft3d`)."""
    return _irfft(input_tensor, fft_length, 3, name)


# --- any axes ------------------------------------------------------------------------------------------------------------
@op("FFTND", input_tensor=_COMPLEX, fft_length=INTS, axes=INTS)
def fftnd(input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None) -> Any:
    """Fourier transform of complex values over `axes`, all when None (`tf.signal.fftnd`). `norm` as in NumPy."""
    return torch.fft.fftn(input_tensor, fft_length, axes, norm)


@op("IFFTND", input_tensor=_COMPLEX, fft_length=INTS, axes=INTS)
def ifftnd(input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None) -> Any:
    """Inverse of `fftnd` (`tf.signal.ifftnd`)."""
    return torch.fft.ifftn(input_tensor, fft_length, axes, norm)


@op("RFFTND", input_tensor=_REAL, fft_length=INTS, axes=INTS)
def rfftnd(input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None) -> Any:
    """Fourier transform of real values over `axes`, half of the last one (`tf.signal.rfftnd`)."""
    return torch.fft.rfftn(input_tensor, fft_length, axes, norm)


@op("IRFFTND", input_tensor=_COMPLEX, fft_length=INTS, axes=INTS)
def irfftnd(input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None) -> Any:
    """Inverse of `rfftnd` (`tf.signal.irfftnd`)."""
    return torch.fft.irfftn(input_tensor, fft_length, axes, norm)


# --- order of the frequencies --------------------------------------------------------------------------------------------
@op("FFTShift", x=TENSOR, axes=AXES)
def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Any:
    """The zero frequency moved to the middle of `axes`, all when None (`tf.signal.fftshift`)."""
    return torch.fft.fftshift(x, axes)


@op("IFFTShift", x=TENSOR, axes=AXES)
def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Any:
    """Inverse of `fftshift` (`tf.signal.ifftshift`)."""
    return torch.fft.ifftshift(x, axes)


# --- cosine transforms ---------------------------------------------------------------------------------------------------
def _turn(n: int, like: torch.Tensor, sign: float) -> torch.Tensor:
    """exp(± iπk / 2n) for k below n."""
    k = torch.arange(n, dtype=like.dtype, device=like.device)
    return torch.polar(torch.ones_like(k), k * (sign * torch.pi / (2 * n)))


def _dct2(x: torch.Tensor) -> torch.Tensor:
    n = x.shape[-1]
    return 2.0 * (torch.fft.rfft(x, 2 * n)[..., :n] * _turn(n, x, -1.0)).real


@op("DCT", input=tensor(float32, float64))
def _dct(input: Any, kind: int, n: Any, norm: Any, name: str | None = None) -> Any:  # noqa: A002
    x = input
    if x.ndim < 1:
        raise ValueError("Shape () must have rank at least 1")
    if n is not None:
        x = x[..., :n] if n <= x.shape[-1] else torch.nn.functional.pad(x, (0, n - x.shape[-1]))
    size = x.shape[-1]
    if kind == 1:
        return torch.fft.rfft(torch.cat((x, torch.flip(x[..., 1:-1], (-1,))), -1)).real
    if kind == 2:
        out = _dct2(x)
        if norm == "ortho":
            scale = torch.full((size,), (2.0 * size) ** -0.5, dtype=x.dtype, device=x.device)
            out = out * torch.cat((scale[:1] * 0.5**0.5, scale[1:]))
        return out
    if kind == 3:
        if norm == "ortho":
            scale = torch.full((size,), (2.0 * size) ** -0.5, dtype=x.dtype, device=x.device)
            x = x * torch.cat((scale[:1] * 2**0.5, scale[1:]))
        return torch.fft.irfft(x * _turn(size, x, 1.0), 2 * size)[..., :size] * (2.0 * size)
    out = _dct2(torch.nn.functional.pad(x, (0, size)))[..., 1::2]
    return out * (2.0 * size) ** -0.5 if norm == "ortho" else out


def _checked(x: Any, kind: Any, n: Any, axis: Any, norm: Any) -> Any:
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if kind not in (1, 2, 3, 4):
        raise ValueError("Types I, II, III and IV (I)DCT are supported.")
    x = convert_to_tensor(x)
    if kind == 1:
        if norm == "ortho":
            raise ValueError("Normalization is not supported for the Type-I DCT.")
        if x.shape[-1] is not None and x.shape[-1] < 2:
            raise ValueError("Type-I DCT requires the dimension to be greater than one.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")
    return x


def dct(input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None, name: str | None = None) -> Tensor:  # noqa: A002
    """Discrete cosine transform of `type` 1 to 4 over the last axis, cut or padded to `n` (`tf.signal.dct`).

    `norm` "ortho" makes it orthogonal. ValueError for what does not exist.
    """
    return _dct(_checked(input, type, n, axis, norm), type, n, norm, name)


def idct(input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None, name: str | None = None) -> Tensor:  # noqa: A002
    """The transform that undoes `dct` of the same type, up to its factor unless `norm` is "ortho" (`tf.signal.idct`)."""
    x = _checked(input, type, n, axis, norm)
    return _dct(x, {1: 1, 2: 3, 3: 2, 4: 4}[type], n, norm, name)


__all__ = [
    "dct", "fft", "fft2d", "fft3d", "fftnd", "fftshift", "idct", "ifft", "ifft2d", "ifft3d", "ifftnd", "ifftshift", "irfft",
    "irfft2d", "irfft3d", "irfftnd", "rfft", "rfft2d", "rfft3d", "rfftnd",
]  # fmt: skip
