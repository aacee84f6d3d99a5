"""JPEG files on libjpeg-turbo, through simplejpeg: the pixels that TensorFlow's decoder gives, bit by bit, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import simplejpeg

from .pillow_images import MAX_PIXELS
from .pillow_images import decode as _tolerant

_COLORS = {1: "GRAY", 3: "RGB"}


def _from_cmyk(data: bytes, **options: Any) -> np.ndarray:
    inks = simplejpeg.decode_jpeg(data, "CMYK", **options).astype(np.uint16)
    if b"Adobe" not in data[: data.find(b"\xff\xda")]:  # Adobe's programs store the inks' complement
        inks = 255 - inks
    return (inks[..., :3] * inks[..., 3:] // 255).astype(np.uint8)


def decode(data: bytes, channels: int = 0, ratio: int = 1, fast: bool = True, smooth: bool = True) -> np.ndarray:
    """uint8 [rows, columns, channels] at one `ratio`-th of the size; ValueError for data that is no image.

    `fast` takes libjpeg's fast integer transform, as TensorFlow does unless told otherwise, rather than its accurate one;
    `smooth` interpolates colours between their coarser samples. What libjpeg only warns of is left to Pillow.
    """
    try:
        rows, columns, colors, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return _tolerant(data, channels, ratio=ratio)
    if rows * columns > min(MAX_PIXELS, max(1 << 20, len(data) * 10_000)):
        raise ValueError(f"image of {columns} x {rows} pixels is too large")
    inks = colors in ("CMYK", "YCCK")
    if inks and channels == 1:
        raise ValueError("an image of four inks has no grey")
    options: dict[str, Any] = {"fastdct": fast, "fastupsample": not smooth}
    if ratio > 1:
        options |= {"min_factor": ratio, "min_height": -(-rows // ratio), "min_width": -(-columns // ratio)}
    try:
        return _from_cmyk(data, **options) if inks else simplejpeg.decode_jpeg(data, _COLORS[channels or (1 if colors == "Gray" else 3)], **options)
    except ValueError:
        return _tolerant(data, channels, ratio=ratio)
