"""Changing the size of images. Each method is a pair of matrices, one for the rows and one for the columns."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import constant_value, convert_to_tensor
from .._engine.dtypes import REALS
from .._engine.op import INTS, invalid, op, tensor
from .._engine.tensor import Tensor
from ._checks import image_or_batch

_transforms, _dispatching = torch._C._functorch.maybe_current_level, torch._C._len_torch_dispatch_stack


class ResizeMethod:
    """The names of the methods of `tf.image.resize` (`tf.image.ResizeMethod`)."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


# --- kernels ---------------------------------------------------------------------------------------------------------
def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0.0, 1.0 - np.abs(x))


def _lanczos(radius: float) -> Callable[[np.ndarray], np.ndarray]:
    def kernel(x: np.ndarray) -> np.ndarray:
        x = np.abs(x)
        return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0.0)

    return kernel


def _gaussian(x: np.ndarray) -> np.ndarray:
    x = np.abs(x)
    return np.where(x >= 1.5, 0.0, np.exp(-(x**2) / (2 * 0.5**2)))


def _cubic(x: np.ndarray, b: float, c: float) -> np.ndarray:
    """Mitchell's and Netravali's family of cubics."""
    x = np.abs(x)
    near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)) / 6
    far = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)) / 6
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


_KERNELS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1.0, _triangle),
    "bicubic": (2.0, lambda x: _cubic(x, 0.0, 0.5)),
    "lanczos3": (3.0, _lanczos(3.0)),
    "lanczos5": (5.0, _lanczos(5.0)),
    "gaussian": (1.5, _gaussian),
    "mitchellcubic": (2.0, lambda x: _cubic(x, 1 / 3, 1 / 3)),
}


# --- matrices --------------------------------------------------------------------------------------------------------
@functools.lru_cache(maxsize=64)
def _weights(size: int, target: int, method: str, antialias: bool) -> np.ndarray:
    """The matrix [target, size] that resizes one axis."""
    scale = size / target
    if method == "area":
        return _area_weights(size, target)
    if method == "bicubic" and not antialias:
        return _table_cubic_weights(size, target)
    radius, kernel = _KERNELS[method]
    stretch = max(scale, 1.0) if antialias else 1.0
    centre = (np.arange(target) + 0.5) * scale
    places = np.arange(size)
    distance = (places[None, :] + 0.5 - centre[:, None]) / stretch
    # the span of inputs around each centre, whatever the kernel says at its ends
    first = np.ceil(centre - radius * stretch - 0.5)[:, None]
    last = np.floor(centre + radius * stretch - 0.5)[:, None]
    weights = np.where((places >= first) & (places <= last), kernel(distance), 0.0)
    total = weights.sum(1, keepdims=True)
    return np.where(np.abs(total) >= 1000 * np.finfo(np.float32).tiny, weights / np.where(total == 0, 1, total), 0.0)


def _area_weights(size: int, target: int) -> np.ndarray:
    scale = size / target
    start = np.arange(target)[:, None] * scale
    places = np.arange(size)[None, :]
    overlap = np.minimum(start + scale, places + 1) - np.maximum(start, places)
    return np.maximum(overlap, 0.0) / scale


def _table_cubic_weights(size: int, target: int) -> np.ndarray:
    """TensorFlow's bicubic reads the kernel from a table of 1024 steps and leaves out what is beyond the border."""
    place = (np.arange(target) + 0.5) * (size / target) - 0.5
    base = np.floor(place)
    fraction = np.rint((place - base) * 1024) / 1024
    weights = np.zeros((target, size))
    for k in (-1, 0, 1, 2):
        at = (base + k).astype(int)
        value = _cubic(fraction - k, 0.0, 0.5)
        inside = (at >= 0) & (at < size)
        weights[np.arange(target)[inside], at[inside]] += value[inside]
    return weights / weights.sum(1, keepdims=True)


def _apply(images: torch.Tensor, height: int, width: int, method: str, antialias: bool) -> torch.Tensor:
    """[batch, rows, columns, channels] resized, as float32."""
    size = tuple(images.shape[1:3])
    if (height, width) == size:
        return images.to(torch.float32)
    if method == "bilinear" and not antialias:
        planes = images.to(torch.float32).permute(0, 3, 1, 2)
        out = torch.nn.functional.interpolate(planes, (height, width), mode="bilinear", align_corners=False, antialias=False)
        return out.permute(0, 2, 3, 1)
    x = images.to(torch.float32)
    if x.device.type == "meta":
        return x.new_empty((x.shape[0], height, width, x.shape[3])) + x.sum() * 0
    rows = torch.as_tensor(_weights(size[0], height, method, antialias), dtype=x.dtype, device=x.device)
    columns = torch.as_tensor(_weights(size[1], width, method, antialias), dtype=x.dtype, device=x.device)
    return torch.einsum("hr,brcd,wc->bhwd", rows, x, columns)


class _Scratch(threading.local):
    """Memory of a thread for pixels as floats: the system hands out fresh pages more slowly than pixels are resized."""

    memory: torch.Tensor | None = None
    array: np.ndarray

    def floats(self, count: int) -> torch.Tensor:
        if self.memory is None or self.memory.numel() < count:
            self.memory = torch.empty(count, dtype=torch.float32, device="cpu")
            self.array = self.memory.numpy()
        return self.memory


_scratch = _Scratch()
#: as many floats, 8 MiB of them, are kept
_KEPT = 1 << 21


def _plain(images: torch.Tensor) -> bool:
    """Whether these are values in the host's memory, which nobody follows."""
    return type(images) is torch.Tensor and images.is_cpu and images.is_contiguous() and _transforms() is None and not _dispatching()


def _bilinear_pixels(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """uint8 images, resized with few calls: at each call of torch a thread of a pipeline gives up the interpreter's lock, and waits for it."""
    *batch, rows, columns, channels = images.shape
    size = rows * columns * channels
    count = images.numel()
    memory = _scratch.floats(count)
    np.copyto(_scratch.array[:count], images.numpy().reshape(-1))
    planes = memory.as_strided((count // size, channels, rows, columns), (size, 1, columns * channels, channels))
    out = torch._C._nn.upsample_bilinear2d(planes, (height, width), False)  # torch.nn.functional's checks take longer than a small image
    if not batch and out.is_contiguous(memory_format=torch.channels_last):
        return out.as_strided((height, width, channels), (width * channels, channels, 1))
    out = out.permute(0, 2, 3, 1)
    return out if batch else out[0]


def _nearest(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    for axis, target in ((1, height), (2, width)):
        size = images.shape[axis]
        if size != target:
            at = ((torch.arange(target, device=images.device) + 0.5) * (size / target)).floor().long().clamp(max=size - 1)
            images = torch.index_select(images, axis, at)
    return images


# --- public ----------------------------------------------------------------------------------------------------------
def _size(size: Any) -> Any:
    from .. import ensure_shape

    try:
        t = convert_to_tensor(size)
        if t.dtype.is_floating and not isinstance(size, Tensor):
            # a list with tensors, or a NumPy array, is converted to int32 by TensorFlow; Python's numbers are not
            size = t = convert_to_tensor(size, dtypes.int32)
    except TypeError:
        raise ValueError("'size' must be a 1-D int32 Tensor") from None
    if not t.shape.is_compatible_with([2]):
        raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
    if t.dtype not in (dtypes.int32, dtypes.int64):
        raise ValueError("'size' must be a 1-D int32 Tensor")
    if constant_value(t) is not None:
        return size
    return ensure_shape(t, [2]) if not t.shape.is_fully_defined() else t


def _method(method: Any) -> str:
    name = getattr(method, "value", method)
    if name not in _KERNELS and name not in ("nearest", "area"):
        raise ValueError(f"Resize method is not implemented: {method}")
    return name


def resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False, name: str | None = None
) -> Tensor:
    """Images resized to `size`, [height, width], with one of `tf.image.ResizeMethod` (`tf.image.resize`).

    The result is float32, for "nearest" of the images' dtype. `antialias` widens the kernel when the images shrink;
    `preserve_aspect_ratio` makes them fit into `size`. Ragged images, [batch, (height), (width), channels], become dense ones.
    """
    if hasattr(images, "nested_row_splits"):
        return _each(images, size, method, preserve_aspect_ratio, antialias)
    images = convert_to_tensor(images)
    if images.shape.rank not in (3, 4):
        raise ValueError("'images' contains no shape." if images.shape.rank is None else "'images' must have either 3 or 4 dimensions.")
    return _resize(images, _size(size), _method(method), bool(preserve_aspect_ratio), bool(antialias), name)


def _each(images: Any, size: Any, *options: Any) -> Tensor:
    """A batch of images of their own sizes, each resized."""
    from .. import TensorSpec, concat, map_fn, zeros

    if images.shape.rank != 4:
        raise ValueError(f"tf.image.resize: images.shape.rank must be 4 if images is ragged, got shape {images.shape}")
    size = convert_to_tensor(size, dtypes.int32)
    dtype = images.dtype if _method(options[0]) == "nearest" else dtypes.float32
    if images.shape[0] == 0:
        return zeros(concat([[0], size, [images.shape[-1]]], 0), dtype)

    def one(image: Any) -> Tensor:
        return resize(image.to_tensor() if hasattr(image, "nested_row_splits") else image, size, *options)

    return map_fn(one, images, fn_output_signature=TensorSpec([None, None, images.shape[-1]], dtype))


@op("ResizeImages", images=tensor(REALS), size=INTS)
def _resize(images: Any, size: Any, method: str, preserve: bool, antialias: bool, name: str | None = None) -> Any:
    rows, columns = images.shape[-3:-1]
    height, width = _fitted((rows, columns), size) if preserve else size
    if height <= 0 or width <= 0:
        raise invalid("output dimensions must be positive [Op:ResizeBilinear] name: ")
    if rows == 0 or columns == 0:
        raise invalid(f"input image must be of non-zero size, got {list(images.shape)} [Op:ResizeBilinear] name: ")
    pixels = images.dtype is torch.uint8 and method == "bilinear" and not antialias and (rows != height or columns != width)
    if pixels and 0 < images.numel() <= _KEPT and _plain(images):
        return _bilinear_pixels(images, height, width)
    batch = images if images.ndim == 4 else images.unsqueeze(0)
    out = _nearest(batch, height, width) if method == "nearest" else _apply(batch, height, width, method, antialias)
    return out if images.ndim == 4 else out[0]


def _fitted(have: Any, size: Any) -> tuple[int, int]:
    scale = np.minimum(np.float32(size[0]) / np.float32(have[0]), np.float32(size[1]) / np.float32(have[1]))
    return int(np.rint(scale * np.float32(have[0]))), int(np.rint(scale * np.float32(have[1])))


@_resize.infer
def _(images: Any, size: Any, method: str, preserve: bool, antialias: bool) -> Any:
    dtype = dtypes.of(images) if method == "nearest" else dtypes.float32
    shape = tuple(images.shape)
    height, width = (None, None) if preserve else size
    return [(dtype, (*shape[:-3], height, width, shape[-1]))]


def resize_with_pad(image: Any, target_height: Any, target_width: Any, method: Any = "bilinear", antialias: bool = False) -> Tensor:
    """Images resized to fit into a size with their aspect ratio kept, and zero-padded around (`tf.image.resize_with_pad`)."""
    return _resize_with_pad(image_or_batch(image), [target_height, target_width], _method(method), antialias)


@op("ResizeWithPad", image=tensor(REALS), size=INTS)
def _resize_with_pad(image: Any, size: Any, method: str, antialias: bool, name: str | None = None) -> Any:
    height, width = size
    if height <= 0 or width <= 0:
        raise ValueError(f"{'target_height' if height <= 0 else 'target_width'} must be > 0.")
    ratio = max(image.shape[-3] / height, image.shape[-2] / width)
    inner_height, inner_width = math.floor(image.shape[-3] / ratio), math.floor(image.shape[-2] / ratio)
    resized = _resize.op.fn(image, (inner_height, inner_width), method, False, antialias)
    top = max(0, math.floor((height - image.shape[-3] / ratio) / 2))
    left = max(0, math.floor((width - image.shape[-2] / ratio) / 2))
    return torch.constant_pad_nd(resized, [0, 0, left, width - inner_width - left, top, height - inner_height - top])


@_resize_with_pad.infer
def _(image: Any, size: Any, method: str, antialias: bool) -> Any:
    dtype = dtypes.of(image) if method == "nearest" else dtypes.float32
    return [(dtype, (*image.shape[:-3], *size, image.shape[-1]))]


@op("CropAndResize", image=tensor(REALS, group=""), boxes=tensor(dtypes.float32, group=""), box_indices=tensor(dtypes.int32, group=""), crop_size=INTS)
def _crop_and_resize(
    image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: str, extrapolation_value: float, name: str | None = None
) -> Any:
    if image.ndim != 4:
        raise invalid(f"input image must be 4-D{list(image.shape)} [Op:CropAndResize] name: ")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise invalid(f"boxes must have 4 columns{list(boxes.shape)} [Op:CropAndResize] name: ")
    height, width = crop_size
    n = boxes.shape[0]
    if image.device.type != "meta":
        tail = "[Op:CropAndResize] name: "
        if height <= 0 or width <= 0:
            raise invalid(f"crop dimensions must be positive {tail}")
        if 0 in image.shape[1:3]:
            raise invalid(f"image dimensions must be positive {tail}")
        if box_indices.shape != (n,):
            raise invalid(f"box_index has incompatible shape {tail}")
        if not boxes.is_cuda and not bool(torch.isfinite(boxes).all()):
            raise invalid(f"Boxes contains at least one element that is not finite {tail}")
    if image.device.type == "cpu" and n and (int(box_indices.min()) < 0 or int(box_indices.max()) >= image.shape[0]):
        from ..errors import OutOfRangeError

        raise OutOfRangeError(None, None, "box_index has values outside [0, batch_size) [Op:CropAndResize] name: ")
    x = image.to(torch.float32)
    rows, inside_rows = _positions(boxes[:, 0], boxes[:, 2], image.shape[1], height)
    columns, inside_columns = _positions(boxes[:, 1], boxes[:, 3], image.shape[2], width)
    b = box_indices.long().reshape(n, 1, 1)
    if image.is_cuda:  # where they are not looked at, and would abort
        b = b.clamp(0, image.shape[0] - 1)

    _, tall, wide, depth = image.shape
    pixels = x.reshape(-1, depth)

    def at(r: Any, c: Any) -> Any:
        places = (b * tall + r.long().clamp(0, tall - 1).unsqueeze(2)) * wide + c.long().clamp(0, wide - 1).unsqueeze(1)
        return pixels.index_select(0, places.reshape(-1)).reshape(*places.shape, depth)

    if method == "nearest":
        out = at((rows + 0.5).floor(), (columns + 0.5).floor())
    else:
        top, left = rows.floor(), columns.floor()
        fr, fc = (rows - top).reshape(n, height, 1, 1), (columns - left).reshape(n, 1, width, 1)
        upper = at(top, left) + (at(top, columns.ceil()) - at(top, left)) * fc
        lower = at(rows.ceil(), left) + (at(rows.ceil(), columns.ceil()) - at(rows.ceil(), left)) * fc
        out = upper + (lower - upper) * fr
    inside = (inside_rows.unsqueeze(2) & inside_columns.unsqueeze(1)).unsqueeze(3)
    return torch.where(inside, out, torch.full((), extrapolation_value, dtype=out.dtype, device=out.device))


def _positions(low: Any, high: Any, size: int, count: int) -> tuple[Any, Any]:
    """Where along an axis each of `count` samples of each box lies, and whether that is inside of the image."""
    i = torch.arange(count, device=low.device, dtype=low.dtype)
    if count > 1:
        at = low.unsqueeze(1) * (size - 1) + i * ((high - low) * (size - 1) / (count - 1)).unsqueeze(1)
    else:
        at = (0.5 * (low + high) * (size - 1)).unsqueeze(1)
    return at, (at >= 0) & (at <= size - 1)


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_indices: Any,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """Parts of images, given as boxes [y1, x1, y2, x2] of the unit square, resized to `crop_size`
    (`tf.image.crop_and_resize`)."""
    if method not in ("bilinear", "nearest"):
        raise invalid(f"Value for attr 'method' of \"{method}\" is not in the list of allowed values: \"bilinear\", \"nearest\" [Op:CropAndResize] name: ")
    return _crop_and_resize(image, boxes, box_indices, crop_size, method, float(extrapolation_value), name)
