"""The image adapter on Pillow: JPEG, PNG, GIF, BMP and WebP, from bytes to arrays and back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

#: what a file may claim to hold, in pixels of all its frames
MAX_PIXELS = 1 << 28

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _open(data: bytes) -> Any:
    image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "GIF", "BMP", "WEBP"))
    # no format but WebP puts more than some thousand pixels into a byte: a header that claims more is broken
    limit = MAX_PIXELS if image.format == "WEBP" else min(MAX_PIXELS, max(1 << 20, len(data) * 10_000))
    if image.size[0] * image.size[1] > limit:
        raise ValueError(f"image of {image.size[0]} x {image.size[1]} pixels is too large")
    if image.format == "PNG" and b"IEND" not in data:
        raise ValueError("the file ends too early")
    return image


def _natural(image: Any) -> int:
    """The number of channels that a file has by itself."""
    if image.mode == "P":
        return 4 if "transparency" in image.info else 3
    if image.mode in ("1", "L", "I", "I;16", "I;16B", "F"):
        return 2 if "transparency" in image.info else 1
    return {"LA": 2, "RGBA": 4, "PA": 4}.get(image.mode, 3)


def _array(image: Any, channels: int, wide: bool) -> np.ndarray:
    if image.mode in ("I", "I;16", "I;16B"):  # 16 bits of grey
        gray = np.asarray(image).astype(np.uint16)
        if not wide:
            gray = (gray >> 8).astype(np.uint8)
        planes = [gray] * (channels if channels != 4 else 3)
        if channels == 4:
            planes.append(np.full_like(gray, np.iinfo(gray.dtype).max))
        return np.stack(planes, -1)
    if channels == 1 and image.format == "PNG" and image.mode in ("RGB", "RGBA", "P"):
        r, g, b = (np.asarray(image.convert("RGB")).astype(np.int32)[..., i] for i in range(3))
        gray = ((r * 9798 + g * 19235 + b * 3735) >> 15).astype(np.uint8)[..., None]  # as libpng does: without rounding
        return gray.astype(np.uint16) * 257 if wide else gray
    out = np.asarray(image if image.mode == _MODES[channels] else image.convert(_MODES[channels]))
    out = out[..., None] if out.ndim == 2 else out
    return out.astype(np.uint16) * 257 if wide else out.copy()


def decode(data: bytes, channels: int = 0, wide: bool = False, ratio: int = 1, frames: bool = False) -> np.ndarray:
    """[rows, columns, channels], or [frames, rows, columns, channels]; ValueError for data that is no image.

    `channels` 0 keeps the file's own; `wide` gives 16 bits; a JPEG can be read at one `ratio`-th of its size.
    """
    try:
        image = _open(data)
        if ratio > 1 and image.format == "JPEG":
            size = tuple(-(-side // ratio) for side in image.size)
            image.draft(None, size)
            if image.size != size:
                image = image.resize(size, Image.Resampling.BOX)
        if frames:
            count = getattr(image, "n_frames", 1)
            if count * image.size[0] * image.size[1] > MAX_PIXELS:
                raise ValueError(f"{count} frames of {image.size[0]} x {image.size[1]} pixels are too large")
            return np.stack([_array(frame.copy(), channels or 3, wide) for frame in ImageSequence.Iterator(image)])
        image.load()
        return _array(image, channels or _natural(image), wide)
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def shape(data: bytes) -> tuple[int, int, int]:
    """Rows, columns and channels, read from the header alone."""
    try:
        image = _open(data)
        return image.size[1], image.size[0], _natural(image)
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def encode_png(array: np.ndarray, level: int) -> bytes:
    """A PNG file of uint8 [rows, columns, 1 to 4] or uint16 [rows, columns, 1]."""
    if array.dtype == np.uint16:
        image = Image.fromarray(array[..., 0].astype(np.uint16))
    else:
        image = Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array, _MODES[array.shape[-1]])
    out = io.BytesIO()
    image.save(out, "PNG", **({} if level < 0 else {"compress_level": level}))
    return out.getvalue()


def encode_jpeg(
    array: np.ndarray, quality: int, progressive: bool, optimize: bool, subsample: bool, density: tuple[int, int], xmp: bytes
) -> bytes:
    """A JPEG file of uint8 [rows, columns, 1 or 3]."""
    image = Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array, _MODES[array.shape[-1]])
    out = io.BytesIO()
    options: dict[str, Any] = {"xmp": xmp} if xmp else {}
    image.save(
        out, "JPEG", quality=quality, progressive=progressive, optimize=optimize, subsampling=2 if subsample else 0, dpi=density, **options
    )
    return out.getvalue()
