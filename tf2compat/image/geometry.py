"""Cutting, padding, flipping and turning images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import ANY, INT, invalid, op
from .._engine.tensor import Tensor
from ._checks import image_of, image_or_batch


def _flip_axis(image: Any, from_end: int, name: str) -> Tensor:
    from .. import reverse

    image = image_of(image)
    return reverse(image, [-from_end], name)


def flip_left_right(image: Any) -> Tensor:
    """Images mirrored left to right (`tf.image.flip_left_right`)."""
    return _flip_axis(image, 2, "flip_left_right")


def flip_up_down(image: Any) -> Tensor:
    """Images turned upside down (`tf.image.flip_up_down`)."""
    return _flip_axis(image, 3, "flip_up_down")


def _maybe_flip(image: Any, flip: Any, number: Any) -> Tensor:
    """Each image flipped by a random number of its own of [0, 1): one image below one half, images of a batch above it."""
    from .. import reshape, shape, where

    image = image_or_batch(image)
    if image.shape.rank == 4:
        batch = image.shape[0]
        drawn = number([shape(image)[0] if batch is None else batch])
        return where(reshape(drawn > 0.5, [-1, 1, 1, 1]), flip(image), image)
    return where(number([]) < 0.5, flip(image), image)


def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """Each image mirrored left to right with probability one half (`tf.image.random_flip_left_right`)."""
    from ..random import uniform

    return _maybe_flip(image, flip_left_right, lambda shape: uniform(shape, 0, 1.0, seed=seed))


def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """Each image turned upside down with probability one half (`tf.image.random_flip_up_down`)."""
    from ..random import uniform

    return _maybe_flip(image, flip_up_down, lambda shape: uniform(shape, 0, 1.0, seed=seed))


def stateless_random_flip_left_right(image: Any, seed: Any) -> Tensor:
    """`tf.image.random_flip_left_right` as a function of `seed`, two integers (`tf.image.stateless_random_flip_left_right`)."""
    from ..random import stateless_uniform

    return _maybe_flip(image, flip_left_right, lambda shape: stateless_uniform(shape, seed))


def stateless_random_flip_up_down(image: Any, seed: Any) -> Tensor:
    """`tf.image.random_flip_up_down` as a function of `seed`, two integers (`tf.image.stateless_random_flip_up_down`)."""
    from ..random import stateless_uniform

    return _maybe_flip(image, flip_up_down, lambda shape: stateless_uniform(shape, seed))


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Images turned by `k` times 90 degrees, anticlockwise (`tf.image.rot90`)."""
    return _rot90(image_or_batch(image), k, name)


@op("Rot90", image=ANY, k=INT)
def _rot90(image: Any, k: Any, name: str | None = None) -> Any:
    return torch.rot90(image, k % 4, (-3, -2))


def transpose(image: Any, name: str | None = None) -> Tensor:
    """Images with rows and columns exchanged (`tf.image.transpose`)."""
    from .. import transpose as permute

    image = image_or_batch(image)
    return permute(image, [1, 0, 2] if image.shape.rank == 3 else [0, 2, 1, 3])


# --- cropping and padding --------------------------------------------------------------------------------------------
def _static(value: Any) -> int | None:
    """The number that `value` is, None when it is not known yet."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    from .._engine.convert import constant_value

    static = constant_value(value)
    return None if static is None else int(np.asarray(static).reshape(()))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def crop_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any) -> Tensor:
    """The part of images at an offset, of a given size (`tf.image.crop_to_bounding_box`). ValueError when it is not inside."""
    image = image_or_batch(image)
    known = [_static(v) for v in (offset_height, offset_width, target_height, target_width)]
    for v, what in zip(known, ("offset_height", "offset_width", "target_height", "target_width"), strict=True):
        if v is not None:
            _require(v >= 0 if what.startswith("offset") else v > 0, f"{what} must be {'>= 0' if what.startswith('offset') else '> 0'}.")
    height, width = (None, None) if image.shape.rank is None else tuple(image.shape)[-3:-1]
    if image.shape.rank is not None and 0 in tuple(image.shape)[-3:]:
        shape = tuple(image.shape) if image.shape.rank == 4 else (1, *image.shape)
        raise ValueError(f"inner 3 dims of 'image.shape' must be > 0: {shape}")
    if height is not None and None not in (known[0], known[2]):
        _require(height >= known[0] + known[2], "height must be >= target + offset.")  # type: ignore[operator]
    if width is not None and None not in (known[1], known[3]):
        _require(width >= known[1] + known[3], "width must be >= target + offset.")  # type: ignore[operator]
    return _crop(image, offset_height, offset_width, target_height, target_width)


@op("CropToBoundingBox", image=ANY, top=INT, left=INT, height=INT, width=INT)
def _crop(image: Any, top: Any, left: Any, height: Any, width: Any, name: str | None = None) -> Any:
    if image.device.type != "meta" and (top + height > image.shape[-3] or left + width > image.shape[-2]):
        raise invalid(f"assertion failed: [size must be >= target + offset.] image {list(image.shape)} [Op:Assert] name: Assert/Assert")
    return image[..., top : top + height, left : left + width, :]


@_crop.infer
def _(image: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    return [(dtypes.of(image), (*image.shape[:-3], height, width, image.shape[-1]))]


def pad_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any) -> Tensor:
    """Images put at an offset into zeros of a given size (`tf.image.pad_to_bounding_box`). ValueError when they do not fit."""
    image = image_or_batch(image)
    known = [_static(v) for v in (offset_height, offset_width, target_height, target_width)]
    _require(known[0] is None or known[0] >= 0, "offset_height must be >= 0")
    _require(known[1] is None or known[1] >= 0, "offset_width must be >= 0")
    height, width = (None, None) if image.shape.rank is None else tuple(image.shape)[-3:-1]
    if height is not None and None not in (known[0], known[2]):
        _require(height <= known[2] - known[0], "height must be <= target - offset")  # type: ignore[operator]
    if width is not None and None not in (known[1], known[3]):
        _require(width <= known[3] - known[1], "width must be <= target - offset")  # type: ignore[operator]
    return _pad(image, offset_height, offset_width, target_height, target_width)


@op("PadToBoundingBox", image=ANY, top=INT, left=INT, height=INT, width=INT)
def _pad(image: Any, top: Any, left: Any, height: Any, width: Any, name: str | None = None) -> Any:
    below, right = height - top - image.shape[-3], width - left - image.shape[-2]
    if below < 0 or right < 0:
        raise invalid(f"assertion failed: [size must be <= target - offset] image {list(image.shape)} [Op:Assert] name: Assert/Assert")
    return torch.constant_pad_nd(image, [0, 0, left, right, top, below])


@_pad.infer
def _(image: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    return [(dtypes.of(image), (*image.shape[:-3], height, width, image.shape[-1]))]


def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """The middle of images, `central_fraction` of each side (`tf.image.central_crop`)."""
    image = convert_to_tensor(image)
    fraction = _static_float(central_fraction)
    if fraction is not None and not 0.0 < fraction <= 1.0:
        raise ValueError("central_fraction must be within (0, 1]")
    if image.shape.rank not in (None, 3, 4):
        raise ValueError(f"`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = {image.shape.rank}.")
    if fraction == 1.0:
        return image
    return _central_crop(image, convert_to_tensor(central_fraction) if fraction is None else fraction)


def _static_float(value: Any) -> float | None:
    if isinstance(value, (int, float)):
        return float(value)
    from .._engine.convert import constant_value

    static = constant_value(value)
    return None if static is None else float(np.asarray(static).reshape(()))


@op("CentralCrop", image=ANY)
def _central_crop(image: Any, fraction: Any, name: str | None = None) -> Any:
    fraction = float(fraction) if not isinstance(fraction, torch.Tensor) else fraction.item()
    height, width = image.shape[-3], image.shape[-2]
    top, left = int((height - height * fraction) / 2), int((width - width * fraction) / 2)
    return image[..., top : height - top, left : width - left, :]


def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Images cut or zero-padded in the middle to a given size (`tf.image.resize_with_crop_or_pad`)."""
    image = image_or_batch(image)
    for v, what in ((target_height, "target_height"), (target_width, "target_width")):
        known = _static(v)
        if known is not None and known <= 0:
            raise ValueError(f"{what} must be > 0.")
    return _crop_or_pad(image, target_height, target_width)


@op("ResizeWithCropOrPad", image=ANY, height=INT, width=INT)
def _crop_or_pad(image: Any, height: Any, width: Any, name: str | None = None) -> Any:
    out = image
    for axis, target in ((-3, height), (-2, width)):
        size = image.shape[axis]
        if size > target:
            out = out.narrow(axis, (size - target) // 2, target)
        elif size < target:
            before = (target - size) // 2
            flat = [0, 0] * (-1 - axis) + [before, target - size - before]
            out = torch.constant_pad_nd(out, flat)
    return out


@_crop_or_pad.infer
def _(image: Any, height: Any, width: Any) -> Any:
    return [(dtypes.of(image), (*image.shape[:-3], height, width, image.shape[-1]))]


def _random_crop(value: Any, size: Any, name: str | None, numbers: Any) -> Tensor:
    from .. import reduce_all, shape, slice

    value, size = convert_to_tensor(value), convert_to_tensor(size, dtypes.int32)
    extent = shape(value)
    if value.shape.is_fully_defined() and type(size) is Tensor:
        if any(d < s for d, s in zip(value.shape, size.numpy().tolist(), strict=True)):
            raise invalid(
                f"Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data: b'Need value.shape >= size, got ' "
                f"{value.shape.as_list()} {size.numpy().tolist()} [Op:Assert] name: Assert/Assert"
            )
    else:
        from .. import Assert

        Assert(reduce_all(extent >= size), ["Need value.shape >= size, got ", extent, size], summarize=1000)
    limit = extent - size + 1
    offset = numbers(extent.shape) % limit
    return slice(value, offset, size, name)


def random_crop(value: Any, size: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """A part of `value` of the given size, at a random place (`tf.image.random_crop`)."""
    from ..random import uniform

    return _random_crop(
        value, size, name, lambda shape: uniform(shape, 0, dtypes.int32.max, dtype=dtypes.int32, seed=seed)
    )


def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Tensor:
    """A part of `value` of the given size, at a place that `seed` decides (`tf.image.stateless_random_crop`)."""
    from ..random import stateless_uniform

    return _random_crop(value, size, name, lambda shape: stateless_uniform(shape, seed, 0, dtypes.int32.max, dtypes.int32))
