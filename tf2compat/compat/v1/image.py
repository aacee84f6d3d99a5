"""`tf.compat.v1.image`: `tf.image` with the arguments of version 1, and its ways to resize.

Version 1 took a pixel for a point at its corner: output row i is read at input row i · (input rows / output rows), with
`align_corners` at i · (input rows - 1) / (output rows - 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import tf2compat as tf
from tf2compat._engine.dtypes import REALS
from tf2compat._engine.op import INTS, op, tensor
from tf2compat.image.resizing import _area_weights, _cubic

from .arguments import older

__all__ = [
    "ResizeMethod", "resize", "resize_area", "resize_bicubic", "resize_bilinear", "resize_image_with_pad", "resize_images",
    "resize_nearest_neighbor", "transpose_image",
]  # fmt: skip


class ResizeMethod:
    """The ways of `resize`."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, AREA = range(4)


_METHODS = ("bilinear", "nearest", "bicubic", "area")


def _places(size: int, target: int, corners: bool, half: bool) -> np.ndarray:
    """Where in the input each output pixel is read, as float32 computes it."""
    scale = np.float32((size - 1) / (target - 1) if corners and target > 1 else size / target)
    at = np.arange(target, dtype=np.float32)
    return (at + np.float32(0.5)) * scale - np.float32(0.5) if half else at * scale


def _weights(size: int, target: int, method: str, corners: bool, half: bool) -> np.ndarray:
    if method == "area":
        if not corners or target == 1:
            return _area_weights(size, target)
        raise ValueError("tf.compat.v1.image.resize_area: align_corners=True is not supported by tf2compat")
    place = _places(size, target, corners, half)
    base = np.floor(place)
    weights = np.zeros((target, size))
    rows = np.arange(target)
    if method == "bilinear":
        part = place - base
        np.add.at(weights, (rows, np.clip(base, 0, size - 1).astype(int)), 1 - part)
        np.add.at(weights, (rows, np.clip(base + 1, 0, size - 1).astype(int)), part)
        return weights
    part = np.rint((place - base) * 1024) / 1024
    for k in (-1, 0, 1, 2):
        np.add.at(weights, (rows, np.clip(base + k, 0, size - 1).astype(int)), _cubic(part - k, 0.0, 0.75))
    return weights


@op("ResizeCorners", images=tensor(REALS), size=INTS)
def _resized(images: Any, size: Any, method: str, corners: bool, half: bool) -> Any:
    height, width = size
    if images.device.type == "meta":
        kind = images.dtype if method == "nearest" else torch.float32
        return torch.empty((images.shape[0], height, width, images.shape[3]), dtype=kind, device="meta")
    if method == "nearest":
        for axis, target in ((1, height), (2, width)):
            at = _places(images.shape[axis], target, corners, False)
            if half:
                at = at + np.float32(images.shape[axis] / target) * np.float32(0.5)
            at = np.floor(at + 0.5) if corners else np.floor(at)
            index = torch.as_tensor(np.minimum(at, images.shape[axis] - 1).astype(np.int64), device=images.device)
            images = torch.index_select(images, axis, index)
        return images
    x = images.to(torch.float32)
    rows, columns = (
        torch.as_tensor(_weights(n, t, method, corners, half), dtype=x.dtype, device=x.device)
        for n, t in zip(x.shape[1:3], (height, width), strict=True)
    )
    return torch.einsum("hr,brcd,wc->bhwd", rows, x, columns)


def _resize(images: Any, size: Any, method: str, align_corners: bool, half_pixel_centers: bool) -> Any:
    if align_corners and half_pixel_centers:
        raise tf.errors.InvalidArgumentError(None, None, "If half_pixel_centers is True, align_corners must be False.")
    return _resized(tf.convert_to_tensor(images), size, method, bool(align_corners), bool(half_pixel_centers))


def resize_bilinear(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Any:
    """Images [batch, rows, columns, channels] resized to `size` by lines between pixels, as float32."""
    return _resize(images, size, "bilinear", align_corners, half_pixel_centers)


def resize_bicubic(images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False) -> Any:
    """Images resized by cubic curves, as float32."""
    if half_pixel_centers:
        return tf.image.resize(images, size, "bicubic")
    return _resize(images, size, "bicubic", align_corners, False)


def resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Any:
    """Images resized by taking the nearest pixel, in their dtype."""
    return _resize(images, size, "nearest", align_corners, half_pixel_centers)


def resize_area(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Any:
    """Images resized to the means of areas, as float32."""
    return _resize(images, size, "area", align_corners, False)


def resize(
    images: Any, size: Any, method: Any = ResizeMethod.BILINEAR, align_corners: bool = False, preserve_aspect_ratio: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Images, or one, resized to [rows, columns]; unchanged where they have that size already."""
    images = tf.convert_to_tensor(images)
    if images.shape.rank not in (3, 4):
        raise ValueError("'images' must have either 3 or 4 dimensions.")
    method = getattr(method, "value", method)
    kind = _METHODS[method] if isinstance(method, int) and 0 <= method < 4 else method
    if kind not in _METHODS:
        raise ValueError("Resize method is not implemented.")
    batch = images if images.shape.rank == 4 else tf.expand_dims(images, 0)
    known = tf.get_static_value(tf.convert_to_tensor(size))
    if preserve_aspect_ratio:
        if known is None or None in batch.shape[1:3]:
            raise ValueError("tf.compat.v1.image.resize: preserve_aspect_ratio needs images and a size that are known beforehand")
        scale = min(known[0] / batch.shape[1], known[1] / batch.shape[2])
        known = [round(n * scale) for n in batch.shape[1:3]]
    if known is not None:
        size = [int(n) for n in known]
        if batch.shape[1:3].as_list() == size:
            return images
    out = _resize(batch, size, kind, align_corners, False)
    return out if images.shape.rank == 4 else tf.squeeze(out, [0])


resize_images = resize


def resize_image_with_pad(image: Any, target_height: int, target_width: int, method: Any = 0, align_corners: bool = False) -> Any:
    """Images resized so that they fit, and padded with zeros to the size."""
    image = tf.convert_to_tensor(image)
    rows, columns = image.shape[-3], image.shape[-2]
    ratio = max(columns / target_width, rows / target_height)
    height, width = max(int(rows / ratio), 1), max(int(columns / ratio), 1)
    small = resize(image, [height, width], method, align_corners)
    return tf.image.pad_to_bounding_box(small, (target_height - height) // 2, (target_width - width) // 2, target_height, target_width)


def transpose_image(image: Any, name: str | None = None) -> Any:
    return tf.image.transpose(image, name)


def __getattr__(name: str) -> Any:
    return older("image", name) or getattr(tf.image, name)
