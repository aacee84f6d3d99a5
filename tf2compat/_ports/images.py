"""The image port: files of images as arrays. Adapters are named `images.<name>`; `images.pillow` knows
all formats, `images.jpeg` decodes JPEG as TensorFlow does."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class ImageCodec(Protocol):
    """Decodes and encodes files that are held in memory. Broken data raises ValueError."""

    def decode(self, data: bytes, channels: int = 0, wide: bool = False, ratio: int = 1, frames: bool = False) -> np.ndarray:
        """[rows, columns, channels], or with `frames` [frames, rows, columns, channels]; uint8, or uint16 when `wide`."""

    def shape(self, data: bytes) -> tuple[int, int, int]:
        """Rows, columns and channels, from the header."""

    def encode_png(self, array: np.ndarray, level: int) -> bytes:
        """A PNG file; `level` of compression 0 to 9, or -1 for the library's own."""

    def encode_jpeg(
        self, array: np.ndarray, quality: int, progressive: bool, optimize: bool, subsample: bool, density: tuple[int, int], xmp: bytes
    ) -> bytes:
        """A JPEG file."""


class JpegDecoder(Protocol):
    """Decodes JPEG files that are held in memory. Broken data raises ValueError."""

    def decode(self, data: bytes, channels: int = 0, ratio: int = 1, fast: bool = True, smooth: bool = True) -> np.ndarray:
        """uint8 [rows, columns, channels] at one `ratio`-th of the size, by the `fast` transform or the accurate one, colours interpolated if `smooth`."""
