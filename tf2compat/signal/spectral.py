"""Frames of signals, and short-time transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor, operand
from .._engine.dtypes import NUMBERS, as_dtype, float32
from .._engine.op import INT, TENSOR, op, tensor
from .._engine.symbolic import PROBES
from .._engine.tensor import Tensor
from .fourier import dct, irfft, rfft
from .windows import hann_window, vorbis_window


@op("Frame", signal=TENSOR, frame_length=INT, frame_step=INT, axis=INT)
def _frame(signal: Any, frame_length: Any, frame_step: Any, pad_end: bool, pad_value: Any, axis: Any, name: str | None = None) -> Any:
    if signal.ndim == 0:
        raise ValueError("Shape () must have rank at least 1")
    axis = axis % signal.ndim
    size = signal.shape[axis]
    if frame_length < 1 or frame_step < 1:
        raise ValueError(f"frame_length and frame_step must be positive, got {frame_length} and {frame_step}")
    if pad_end:
        count = -(-size // frame_step)
        missing = max(0, frame_length + frame_step * (count - 1) - size)
        if missing:
            shape = list(signal.shape)
            shape[axis] = missing
            signal = torch.cat((signal, torch.full(shape, pad_value, dtype=signal.dtype, device=signal.device)), axis)
    else:
        count = max(0, 1 + (size - frame_length) // frame_step)
    if count == 0:
        shape = list(signal.shape)
        shape[axis : axis + 1] = [0, frame_length]
        return torch.empty(shape, dtype=signal.dtype, device=signal.device)
    return torch.movedim(signal.unfold(axis, frame_length, frame_step), -1, axis + 1)


@_frame.infer
def _(signal: Any, frame_length: Any, frame_step: Any, pad_end: bool, pad_value: Any, axis: Any) -> Any:
    if signal.device.type != "meta" or signal.ndim == 0 or type(frame_length) is not int or signal.shape[axis] not in PROBES:
        return NotImplemented
    # the sizes that stand for an unknown one may both be too short for a frame
    dims: list[int | None] = list(signal.shape)
    axis = axis % signal.ndim
    dims[axis : axis + 1] = [None, frame_length]
    return [(dtypes.of(signal), tuple(dims))]


_frame.op.infer_fn.aid = True


def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: Any = -1,
    name: str | None = None,
) -> Tensor:
    """Overlapping frames of a signal: `axis` becomes [frames, frame_length] (`tf.signal.frame`).

    Frames begin every `frame_step` samples. Without `pad_end` those that do not fit are left out; with it every start
    counts, and `pad_value` fills the end.
    """
    if isinstance(pad_value, Tensor):
        pad_value = pad_value.numpy().item()
    for given in (frame_length, frame_step, pad_value):
        shape = np.shape(given) if isinstance(given, (list, tuple, np.ndarray)) else ()
        if shape:
            raise ValueError(f"Shape {shape} must have rank 0")
    return _frame(signal, frame_length, frame_step, pad_end, pad_value, axis, name)


@op("OverlapAndAdd", signal=tensor(NUMBERS), frame_step=INT)
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Any:
    """The signal of which [..., frames, frame_length] are frames `frame_step` apart, overlaps added (`tf.signal.overlap_and_add`)."""
    if signal.ndim < 2:
        raise ValueError(f"Shape {tuple(signal.shape)} must have rank at least 2")
    frames, length = signal.shape[-2:]
    size = (frames - 1) * frame_step + length if frames else 0
    starts = torch.arange(frames, device=signal.device) * frame_step
    index = (starts[:, None] + torch.arange(length, device=signal.device)).reshape(-1)
    out = torch.zeros((*signal.shape[:-2], size), dtype=signal.dtype, device=signal.device)
    return out.index_add(-1, index, signal.flatten(-2))


def _next_power_of_two(n: Any) -> Any:
    n = int(n)
    return 1 << max(n - 1, 0).bit_length()


def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Tensor:
    """Short-time Fourier transform of real signals: [..., frames, fft_length // 2 + 1] (`tf.signal.stft`).

    `fft_length` is the next power of two when None. `window_fn(frame_length, dtype=...)` weighs each frame; None for no
    window.
    """
    signals = operand(signals)
    fft_length = _next_power_of_two(frame_length) if fft_length is None else fft_length
    frames = frame(signals, frame_length, frame_step, pad_end=pad_end)
    if window_fn is not None:
        frames = frames * window_fn(frame_length, dtype=frames.dtype)
    return rfft(frames, [fft_length], name)


def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    name: str | None = None,
) -> Tensor:
    """The signals whose frames have the given transforms, overlaps added (`tf.signal.inverse_stft`).

    For exact reconstruction, `window_fn` is `inverse_stft_window_fn(frame_step)`.
    """
    stfts = convert_to_tensor(stfts)
    fft_length = _next_power_of_two(frame_length) if fft_length is None else fft_length
    frames = irfft(stfts, [fft_length])
    size, length = int(fft_length), int(frame_length)
    if size > length:
        frames = frames[..., :length]
    elif size < length:
        from .. import pad

        frames = pad(frames, [[0, 0]] * (frames.shape.rank - 1) + [[0, length - size]])
    if window_fn is not None:
        frames = frames * window_fn(frame_length, dtype=stfts.dtype.real_dtype)
    return overlap_and_add(frames, frame_step, name)


@op("InverseWindow", window=tensor())
def _inverse_window(window: Any, frame_step: int, name: str | None = None) -> Any:
    length = window.shape[0]
    overlaps = -(-length // frame_step)
    power = torch.nn.functional.pad(torch.square(window), (0, overlaps * frame_step - length))
    total = torch.sum(power.reshape(overlaps, frame_step), 0).repeat(overlaps)[:length]
    return torch.where(total == 0, 0, window / torch.where(total == 0, 1, total))


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable[..., Any] = hann_window, name: str | None = None
) -> Callable[..., Tensor]:
    """A `window_fn` for `inverse_stft` that undoes `forward_window_fn` where frames overlap (`tf.signal.inverse_stft_window_fn`)."""

    def inverse_stft_window_fn_inner(frame_length: Any, dtype: Any) -> Tensor:
        return _inverse_window(forward_window_fn(frame_length, dtype=dtype), int(frame_step), name)

    return inverse_stft_window_fn_inner


# --- the modified cosine transform ---------------------------------------------------------------------------------------
@op("MdctFold", frames=tensor())
def _fold(frames: Any) -> Any:
    a, b, c, d = torch.chunk(frames, 4, -1)
    return torch.cat((-torch.flip(c, (-1,)) - d, a - torch.flip(b, (-1,))), -1)


@op("MdctUnfold", values=tensor())
def _unfold(values: Any) -> Any:
    first, second = torch.chunk(values, 2, -1)
    return torch.cat((second, -torch.flip(second, (-1,)), -torch.flip(first, (-1,)), -first), -1)


def mdct(
    signals: Any,
    frame_length: Any,
    window_fn: Callable[..., Any] | None = vorbis_window,
    pad_end: bool = False,
    norm: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Modified discrete cosine transform: [..., frames, frame_length // 2], frames half overlapping (`tf.signal.mdct`).

    ValueError when `frame_length` is no multiple of 4.
    """
    signals = operand(signals)
    frame_length = int(frame_length)
    if frame_length % 4:
        raise ValueError("The frame length must be a multiple of 4.")
    frames = frame(signals, frame_length, frame_length // 2, pad_end=pad_end)
    frames = frames * (0.5**0.5 if window_fn is None else window_fn(frame_length, dtype=frames.dtype))
    return dct(_fold(frames), type=4, norm=norm)


def inverse_mdct(
    mdcts: Any, window_fn: Callable[..., Any] | None = vorbis_window, norm: str | None = None, name: str | None = None
) -> Tensor:
    """The signals of which `mdcts`, [..., frames, half length], are the transforms (`tf.signal.inverse_mdct`)."""
    mdcts = operand(mdcts)
    half = mdcts.shape[-1]
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")
    values = dct(mdcts, type=4, norm=norm)
    if norm is None:
        values = values * (0.5 / half)
    frames = _unfold(values)
    frames = frames * (0.5**0.5 if window_fn is None else window_fn(2 * half, dtype=mdcts.dtype))
    return overlap_and_add(frames, half, name)


# --- mel scale -----------------------------------------------------------------------------------------------------------
@op("MelWeights", shape=INT)
def _mel_weights(shape: Any, bins: int, rate: float, lower: float, upper: float, dtype: Any, name: str | None = None) -> Any:
    from .._engine.devices import current

    def mel(hertz: torch.Tensor) -> torch.Tensor:
        return 1127.0 * torch.log1p(hertz / 700.0)

    where = current()
    spectrum = mel(torch.linspace(0, rate / 2, bins, dtype=torch.float64, device=where)[1:])[:, None]
    ends = mel(torch.tensor([lower, upper], dtype=torch.float64, device=where))
    edges = ends[0] + (ends[1] - ends[0]) * torch.linspace(0, 1, shape + 2, dtype=torch.float64, device=where)
    low, center, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (spectrum - low) / (center - low), (high - spectrum) / (high - center)
    weights = torch.clamp(torch.minimum(rising, falling), min=0)
    return torch.nn.functional.pad(weights, (0, 0, 1, 0)).to(dtype.torch)


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """The matrix [num_spectrogram_bins, num_mel_bins] that takes linear spectra to the mel scale
    (`tf.signal.linear_to_mel_weight_matrix`). ValueError for edges and numbers that make no sense."""
    dtype = as_dtype(dtype)
    sample_rate = float(sample_rate) if isinstance(sample_rate, Tensor) else sample_rate
    if num_mel_bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {num_mel_bins}")
    if lower_edge_hertz < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {lower_edge_hertz}")
    if lower_edge_hertz >= upper_edge_hertz:
        raise ValueError(f"lower_edge_hertz {lower_edge_hertz:.1f} >= upper_edge_hertz {upper_edge_hertz:.1f}")
    if sample_rate <= 0.0:
        raise ValueError(f"sample_rate must be positive. Got: {sample_rate}")
    if upper_edge_hertz > sample_rate / 2:
        raise ValueError(
            "upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). "
            f"Got {upper_edge_hertz} for sample_rate: {sample_rate}"
        )
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {dtype}")
    return _mel_weights(num_mel_bins, int(num_spectrogram_bins), float(sample_rate), float(lower_edge_hertz), float(upper_edge_hertz), dtype, name)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Mel-frequency cepstral coefficients [..., num_mel_bins] (`tf.signal.mfccs_from_log_mel_spectrograms`)."""
    x = operand(log_mel_spectrograms)
    bins = x.shape[-1]
    if bins == 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {x!s}")
    return dct(x, type=2) * (2.0 * bins) ** -0.5


__all__ = [
    "frame", "inverse_mdct", "inverse_stft", "inverse_stft_window_fn", "linear_to_mel_weight_matrix", "mdct",
    "mfccs_from_log_mel_spectrograms", "overlap_and_add", "stft",
]  # fmt: skip
