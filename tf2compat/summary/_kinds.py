"""The kinds of summaries: scalar, histogram, image, audio, text."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf2compat import errors
from tf2compat._engine.tensor import Tensor
from tf2compat.summary._writing import current, emit, messages, tag_of

_metadata: dict[tuple[str, str | None], bytes] = {}


def _metadata_of(kind: str, description: str | None) -> bytes:
    key = (kind, description)
    found = _metadata.get(key)
    if found is None:
        make = {"scalar": messages().scalar, "histogram": messages().histogram, "image": messages().image, "audio": messages().audio,
                "text": messages().text}[kind]  # fmt: skip
        found = _metadata.setdefault(key, make(description)) if len(_metadata) < 1000 else make(description)
    return found


def _check_rank(array: Any, rank: int) -> None:
    if array.ndim != rank:
        raise ValueError(f"Tensor  must have rank {rank}.  Received rank {array.ndim}, shape {tuple(array.shape)}")


def _numbers(array: np.ndarray, target: str) -> np.ndarray:
    if array.dtype.kind == "O":
        raise errors.UnimplementedError(None, None, f"Cast string to {target} is not supported [Op:Cast] name: ")
    return array


def scalar(name: str, data: Any, step: Any = None, description: str | None = None) -> Tensor:
    """Writes a number to the default writer (`tf.summary.scalar`).

    The tag is `name` within the current name scopes. Returns a bool tensor, whether it was recorded. Raises ValueError when `data` is
    not a scalar, or when there is a writer but no step.
    """
    if current.writer is None:
        return emit(data, step, _never)
    tag = tag_of(name)
    metadata = _metadata_of("scalar", description)

    def make(array: np.ndarray, number: int) -> bytes:
        if array.ndim:
            raise ValueError(f"Expected scalar shape, saw shape: {array.shape}.")
        return messages().summary_event(number, tag, _numbers(array, "float").real.astype(np.float32), metadata)

    return emit(data, step, make)


def _never(array: np.ndarray, number: int) -> bytes:
    raise AssertionError("no writer")


def bucket(data: np.ndarray, count: int) -> np.ndarray:
    """A histogram as TensorBoard takes it: float64 rows of (left edge, right edge, number of values)."""
    count = max(0, count)
    data = data.reshape(-1).astype(np.float64)
    out = np.zeros((count, 3))
    if count == 0 or data.size == 0:
        return out
    low, high = data.min(), data.max()
    if low == high:
        out[:, :2] = high
        out[-1, 2] = data.size
        return out
    if not np.isfinite(high - low):
        data = data[np.isfinite(data)]  # the rest has no place on an axis
        return bucket(data, count)
    places = np.minimum(np.floor((data - low) / ((high - low) / count)).astype(np.int64), count - 1)
    edges = np.linspace(low, high, count + 1)
    out[:, 0], out[:, 1], out[:, 2] = edges[:-1], edges[1:], np.bincount(places, minlength=count)
    return out


def histogram(name: str, data: Any, step: Any = None, buckets: int | None = None, description: str | None = None) -> Tensor:
    """Writes the distribution of all elements of a tensor, in `buckets` (30) of equal width (`tf.summary.histogram`).

    Returns a bool tensor, whether it was recorded. Raises ValueError when there is a writer but no step.
    """
    tag = tag_of(name)
    count = 30 if buckets is None else int(buckets)

    def make(array: np.ndarray, number: int) -> bytes:
        rows = bucket(_numbers(array, "double"), count)
        return messages().summary_event(number, tag, rows, _metadata_of("histogram", description))

    return emit(data, step, make)


def _pixels(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        scaled = np.nan_to_num(array.astype(np.float64)) * 255.5  # as tf.image.convert_image_dtype rounds
        return np.clip(scaled, 0, 255).astype(np.uint8)
    limits = np.iinfo(array.dtype)
    shift = (limits.bits - (limits.min < 0)) - 8
    wide = array.astype(np.int64)
    return np.clip(wide >> shift if shift >= 0 else wide << -shift, 0, 255).astype(np.uint8)


def image(name: str, data: Any, step: Any = None, max_outputs: Any = 3, description: str | None = None) -> Tensor:
    """Writes the first `max_outputs` images of a (k, height, width, channels) tensor (`tf.summary.image`).

    Floats are taken from 0 to 1, integers over their range. Returns a bool tensor, whether it was recorded. Raises ValueError for
    another rank, or when there is a writer but no step; InvalidArgumentError for more than four channels.
    """
    tag = tag_of(name)
    limit = int(max_outputs)
    if limit < 0:
        raise errors.InvalidArgumentError(None, None, f"max_outputs must be non-negative, got {limit}")

    def make(array: np.ndarray, number: int) -> bytes:
        _check_rank(array, 4)
        height, width = array.shape[1:3]
        encoded = [str(width).encode(), str(height).encode()]
        encoded += [messages().encode_png(np.ascontiguousarray(picture)) for picture in _pixels(array[:limit])]
        values = np.empty(len(encoded), object)
        values[:] = encoded
        return messages().summary_event(number, tag, values, _metadata_of("image", description))

    return emit(data, step, make)


def audio(
    name: str,
    data: Any,
    sample_rate: Any,
    step: Any = None,
    max_outputs: Any = 3,
    encoding: str | None = None,
    description: str | None = None,
) -> Tensor:
    """Writes the first `max_outputs` clips of a (k, frames, channels) tensor of floats from -1 to 1 (`tf.summary.audio`).

    `encoding` is None or "wav". Returns a bool tensor, whether it was recorded. Raises ValueError for another rank or encoding, or when
    there is a writer but no step.
    """
    if encoding is not None and encoding != "wav":
        raise ValueError(f"Unknown encoding: {encoding!r}")
    tag = tag_of(name)
    limit, rate = int(max_outputs), int(sample_rate)

    def make(array: np.ndarray, number: int) -> bytes:
        _check_rank(array, 3)
        values = np.empty((min(limit, len(array)), 2), object)
        for row, clip in zip(values, array, strict=False):
            row[:] = [messages().encode_wav(clip, rate), b""]
        return messages().summary_event(number, tag, values, _metadata_of("audio", description))

    return emit(data, step, make)


def text(name: str, data: Any, step: Any = None, description: str | None = None) -> Tensor:
    """Writes a string tensor, which TensorBoard shows as Markdown (`tf.summary.text`).

    Returns a bool tensor, whether it was recorded. Raises TypeError for another dtype, ValueError when there is a writer but no step.
    """
    tag = tag_of(name)

    def make(array: np.ndarray, number: int) -> bytes:
        if array.dtype.kind != "O":
            raise TypeError(f"tensor must be of type tf.string; got tf.{array.dtype.name}")
        return messages().summary_event(number, tag, array, _metadata_of("text", description))

    return emit(data, step, make)
