"""How ops of tf.signal are written: transforms, frames, windows that are computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import dtypes

from .body import NotExportable
from .export import Call
from .lowering import lowers
from .rules import rule


def _tail(call: Call, count: int) -> Any:
    """The last `count` dimensions of the input, as a tensor."""
    b = call.body
    shape = b.op("Shape", call.ref("input_tensor"), out_type=dtypes.int32)
    return b.op("StridedSlice", shape, b.ints([-count]), b.ints([0]), b.ints([1]), end_mask=1)


def _wide(call: Call, needed: Any, axes: list[int]) -> Any:
    """The input with zeros up to what the transform needs along axes: TensorFlow's ops only cut."""
    b, x, rank = call.body, call.ref("input_tensor"), call.rank("input_tensor")
    sizes = b.op("GatherV2", b.op("Shape", x, out_type=dtypes.int32), b.ints(axes), b.ints(0))
    missing = b.op("Maximum", b.op("Sub", needed, sizes), b.ints(0))
    places = b.ints([[a] for a in axes])
    after = b.op("ScatterNd", places, missing, b.ints([rank]))
    return b.op("Pad", x, b.op("Pack", [b.op("ZerosLike", after), after], axis=1))


def _needed(call: Call, lengths: Any, count: int) -> Any:
    """How many values of each axis make signals of these lengths: half of the last."""
    b = call.body
    return b.op("AddV2", b.op("FloorDiv", lengths, b.ints([1] * (count - 1) + [2])), b.ints([0] * (count - 1) + [1]))


@rule("RFFT")
def _rfft(call: Call) -> Any:
    axes, x = call["axes"], call.ref("input_tensor")
    if call["fft_length"] is None:
        lengths = _tail(call, axes)
    else:
        lengths = call.static(call["fft_length"])
        x = _wide(call, lengths, list(range(call.rank("input_tensor") - axes, call.rank("input_tensor"))))
    return call.op("RFFT" if axes == 1 else f"RFFT{axes}D", x, lengths, Tcomplex=call.node.outputs[0]._dtype)


@rule("IRFFT")
def _irfft(call: Call) -> Any:
    axes, b, x = call["axes"], call.body, call.ref("input_tensor")
    if call["fft_length"] is None:
        less = b.ints([0] * (axes - 1) + [1])
        times = b.ints([1] * (axes - 1) + [2])
        lengths = b.op("Maximum", b.op("Mul", b.op("Sub", _tail(call, axes), less), times), b.ints(0))
    else:
        lengths = call.static(call["fft_length"])
        rank = call.rank("input_tensor")
        x = _wide(call, _needed(call, lengths, axes), list(range(rank - axes, rank)))
    return call.op("IRFFT" if axes == 1 else f"IRFFT{axes}D", x, lengths, Treal=call.node.outputs[0]._dtype)


@rule("FFTND", "IFFTND", "RFFTND", "IRFFTND")
def _fftnd(call: Call) -> Any:
    if call["norm"] is not None:
        raise NotExportable(f"its norm is {call['norm']!r}")
    kind, axes = call.node.type, call["axes"]
    if kind in ("RFFTND", "IRFFTND"):
        raise NotExportable("TensorFlow infers a wrong shape for it")
    rank = call.rank("input_tensor")
    axes = list(range(rank)) if axes is None else [a % rank for a in axes]
    lengths = call["fft_length"]
    if lengths is None:
        dims = [call.dims("input_tensor")[a] for a in axes]
        if None in dims:
            raise NotExportable("the sizes of its axes are not known")
        lengths = dims
    sizes = call.static(lengths)
    return call.op(kind, _wide(call, sizes, axes), sizes, call.static(axes))


@lowers("FFTShift")
def fftshift(x: Any, axes: Any) -> Any:
    return _shifted(x, axes, lambda n: n // 2)


@lowers("IFFTShift")
def ifftshift(x: Any, axes: Any) -> Any:
    return _shifted(x, axes, lambda n: -(n // 2))


def _shifted(x: Any, axes: Any, by: Any) -> Any:
    if x.shape.rank is None:
        raise NotExportable("the rank of its input is not known")
    over = list(range(x.shape.rank)) if axes is None else [axes] if isinstance(axes, int) else list(axes)
    sizes = tf.shape(x)
    return tf.roll(x, [by(x.shape[a] if x.shape[a] is not None else sizes[a]) for a in over], over)


@lowers("DCT")
def dct(x: Any, kind: int, n: Any, norm: Any) -> Any:
    if n is not None and x.shape[-1] is not None:
        rest = [[0, 0]] * (x.shape.rank - 1)
        x = x[..., :n] if n <= x.shape[-1] else tf.pad(x, [*rest, [0, n - x.shape[-1]]])
    size = x.shape[-1]
    if size is None:
        raise NotExportable("the size of its last axis is not known")
    kept = (2.0 * size) ** -0.5
    scale = np.full(size, kept)
    if kind == 1:
        return tf.math.real(tf.signal.rfft(tf.concat((x, tf.reverse(x[..., 1:-1], [-1])), -1)))
    if kind == 2:
        scale[0] *= 0.5**0.5
        return _dct2(x) * tf.constant(scale, x.dtype) if norm == "ortho" else _dct2(x)
    if kind == 3:
        if norm == "ortho":
            scale[0] *= 2**0.5
            x = x * tf.constant(scale, x.dtype)
        turned = tf.complex(x, tf.zeros_like(x)) * _turn(size, x.dtype, 1.0)
        return tf.signal.irfft(turned, [2 * size])[..., :size] * (2.0 * size)
    out = _dct2(tf.pad(x, [[0, 0]] * (x.shape.rank - 1) + [[0, size]]))[..., 1::2]
    return out * kept if norm == "ortho" else out


def _turn(size: int, dtype: Any, sign: float) -> Any:
    return tf.constant(np.exp(1j * sign * math.pi * np.arange(size) / (2 * size)), tf.complex64 if dtype == tf.float32 else tf.complex128)


def _dct2(x: Any) -> Any:
    size = x.shape[-1]
    found = tf.signal.rfft(x, [2 * size])[..., :size]
    return 2.0 * tf.math.real(found * _turn(size, x.dtype, -1.0))


@lowers("Frame")
def frame(signal: Any, length: Any, step: Any, pad_end: bool, pad_value: Any, axis: Any) -> Any:
    rank = signal.shape.rank
    if rank is None or not isinstance(length, int) or not isinstance(step, int):
        raise NotExportable("its lengths are computed, or the rank of its input is not known")
    axis %= rank
    size = signal.shape[axis] if signal.shape[axis] is not None else tf.shape(signal)[axis]
    if pad_end:
        count = -(-size // step)
        missing = length + step * (count - 1) - size
        missing = max(0, missing) if isinstance(missing, int) else tf.maximum(0, missing)
        pairs = [[0, missing if i == axis else 0] for i in range(rank)]
        signal = tf.pad(signal, pairs, constant_values=tf.cast(pad_value, signal.dtype))
    else:
        count = 1 + (size - length) // step
        count = max(0, count) if isinstance(count, int) else tf.maximum(0, count)
    places = tf.expand_dims(tf.range(count) * step, 1) + tf.range(length)
    return tf.gather(signal, places, axis=axis)


@lowers("OverlapAndAdd")
def overlap_and_add(signal: Any, step: Any) -> Any:
    rank = signal.shape.rank
    if rank is None or not isinstance(step, int):
        raise NotExportable("its step is computed, or the rank of its input is not known")
    frames, length = (signal.shape[a] if signal.shape[a] is not None else tf.shape(signal)[a] for a in (-2, -1))
    places = tf.reshape(tf.expand_dims(tf.range(frames) * step, 1) + tf.range(length), [-1])
    size = (frames - 1) * step + length
    rows = tf.reshape(signal, [-1, frames * length])
    added = tf.transpose(tf.math.unsorted_segment_sum(tf.transpose(rows), places, size))
    return tf.reshape(added, tf.concat([tf.shape(signal)[:-2], [size]], 0))


@lowers("InverseWindow")
def inverse_window(window: Any, step: int) -> Any:
    length = window.shape[0]
    if length is None:
        raise NotExportable("the length of its window is not known")
    overlaps = -(-length // step)
    power = tf.reshape(tf.pad(tf.square(window), [[0, overlaps * step - length]]), [overlaps, step])
    return tf.math.divide_no_nan(window, tf.tile(tf.reduce_sum(power, 0), [overlaps])[:length])
