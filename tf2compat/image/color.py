"""Colours: spaces, adjustments, and dtypes of images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.bounds import clamp
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, as_dtype
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from .._engine.unregistered import without_gradient
from ._checks import image_of

_FLOAT = tensor(FLOATS)


# --- dtypes ----------------------------------------------------------------------------------------------------------
def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """An image in another dtype, scaled so that floats are in [0, 1] and integers fill their range
    (`tf.image.convert_image_dtype`). `saturate` clips before the conversion instead of wrapping around."""
    from .. import cast, identity, saturate_cast

    image = convert_to_tensor(image)
    dtype = as_dtype(dtype)
    if not dtype.is_floating and not dtype.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    if not image.dtype.is_floating and not image.dtype.is_integer:
        raise AttributeError("image dtype must be either floating point or integer")
    if dtype is image.dtype:
        return identity(image, name)
    if image.dtype.is_integer and dtype.is_integer:
        scale_in, scale_out = int(image.dtype.max), int(dtype.max)
        if scale_in > scale_out:
            scaled = image // convert_to_tensor((scale_in + 1) // (scale_out + 1), image.dtype)
            return (saturate_cast if saturate else cast)(scaled, dtype, name)
        wide = saturate_cast(image, dtype) if saturate else cast(image, dtype)
        return wide * convert_to_tensor((scale_out + 1) // (scale_in + 1), dtype)
    if image.dtype.is_floating and dtype.is_floating:
        return cast(image, dtype, name)
    if image.dtype.is_integer:
        return cast(image, dtype) * convert_to_tensor(1.0 / int(image.dtype.max), dtype)
    scale = int(dtype.max) + 0.5
    scaled = image * convert_to_tensor(scale, image.dtype)
    return (saturate_cast if saturate else cast)(scaled, dtype, name)


def _as_floats(image: Any) -> tuple[Tensor, Any]:
    """The image as floats, and its own dtype."""
    image = convert_to_tensor(image)
    if image.dtype in (dtypes.float16, dtypes.float32):
        return image, image.dtype
    return convert_image_dtype(image, dtypes.float32), image.dtype


# --- HSV -------------------------------------------------------------------------------------------------------------
def _three(images: Any, op_name: str) -> None:
    if images.ndim < 1 or images.shape[-1] != 3:
        raise invalid(f"last dimension must be size 3 but shape is {list(images.shape)} [Op:{op_name}] name: ")


@op("RGBToHSV", images=_FLOAT)
def rgb_to_hsv(images: Any, name: str | None = None) -> Any:
    """Hue, saturation and value, each in [0, 1], of RGB in [0, 1] (`tf.image.rgb_to_hsv`)."""
    _three(images, "RGBToHSV")
    return _hsv(images)


def _planes(images: Any) -> Any:
    """The channels first, each for itself in memory, where what is done to all its elements goes several times as fast."""
    return images.movedim(-1, 0).contiguous()


def _pixels(planes: Any) -> Any:
    """The channels last again."""
    return planes.movedim(0, -1).contiguous()


def _hsv(images: Any) -> Any:
    return _pixels(torch.stack(_hue_saturation_value(*_planes(images))))


def _hue_saturation_value(r: Any, g: Any, b: Any) -> tuple[Any, Any, Any]:
    value = torch.maximum(torch.maximum(r, g), b)
    span = value - torch.minimum(torch.minimum(r, g), b)
    zero = torch.zeros_like(value)
    saturation = torch.where(value > 0, span / torch.where(value > 0, value, 1.0), zero)
    norm = 1.0 / 6.0 / torch.where(span > 0, span, 1.0)
    hue = torch.where(r == value, norm * (g - b), torch.where(g == value, norm * (b - r) + 2.0 / 6.0, norm * (r - g) + 4.0 / 6.0))
    hue = torch.where(span > 0, hue, zero)
    hue = torch.where(hue < 0, hue + 1, hue)
    return hue, saturation, value


@op("HSVToRGB", images=_FLOAT)
def hsv_to_rgb(images: Any, name: str | None = None) -> Any:
    """RGB in [0, 1] of hue, saturation and value in [0, 1] (`tf.image.hsv_to_rgb`)."""
    _three(images, "HSVToRGB")
    return _rgb(images)


def _rgb(images: Any) -> Any:
    return _red_green_blue(*_planes(images))


def _red_green_blue(h: Any, s: Any, v: Any) -> Any:
    turn = h * 6
    red = ((turn - 3).abs() - 1).clamp(0, 1)
    green = (2 - (turn - 2).abs()).clamp(0, 1)
    blue = (2 - (turn - 4).abs()).clamp(0, 1)
    rest = 1 - s
    return _pixels((rest + s * torch.stack([red, green, blue])) * v)


# --- linear spaces ---------------------------------------------------------------------------------------------------
_YIQ = ((0.299, 0.59590059, 0.2115), (0.587, -0.27455667, -0.52273617), (0.114, -0.32134392, 0.31119955))
_YIQ_INVERSE = ((1.0, 1.0, 1.0), (0.95598634, -0.27201283, -1.10674021), (0.6208248, -0.64720424, 1.70423049))
_YUV = ((0.299, -0.14714119, 0.61497538), (0.587, -0.28886916, -0.51496512), (0.114, 0.43601035, -0.10001026))
_YUV_INVERSE = ((1.0, 1.0, 1.0), (0.0, -0.394642334, 2.03206185), (1.13988303, -0.58062185, 0.0))


def _mixed(images: Any, matrix: Any) -> Tensor:
    from .. import tensordot

    images = convert_to_tensor(images)
    rank = images.shape.rank
    return tensordot(images, convert_to_tensor(matrix, images.dtype), [[rank - 1], [0]])


def rgb_to_yiq(images: Any) -> Tensor:
    """RGB images in YIQ (`tf.image.rgb_to_yiq`)."""
    return _mixed(images, _YIQ)


def yiq_to_rgb(images: Any) -> Tensor:
    """YIQ images in RGB (`tf.image.yiq_to_rgb`)."""
    return _mixed(images, _YIQ_INVERSE)


def rgb_to_yuv(images: Any) -> Tensor:
    """RGB images in YUV (`tf.image.rgb_to_yuv`)."""
    return _mixed(images, _YUV)


def yuv_to_rgb(images: Any) -> Tensor:
    """YUV images in RGB (`tf.image.yuv_to_rgb`)."""
    return _mixed(images, _YUV_INVERSE)


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """The brightness of RGB images, with one channel, in their dtype (`tf.image.rgb_to_grayscale`)."""
    from .. import expand_dims, tensordot

    images = convert_to_tensor(images)
    flt = convert_image_dtype(images, dtypes.float32)
    gray = tensordot(flt, [0.2989, 0.5870, 0.1140], [-1, -1])
    return convert_image_dtype(expand_dims(gray, -1), images.dtype, name=name)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Images of one channel with that channel three times (`tf.image.grayscale_to_rgb`)."""
    from .. import concat

    images = convert_to_tensor(images)
    if images.shape.rank is not None and images.shape.rank < 2:
        raise ValueError(f"A grayscale image (shape {images.shape}) must be at least two-dimensional.")
    if images.shape.rank is not None and images.shape[-1] not in (1, None):
        raise ValueError("Last dimension of a grayscale image should be size 1.")
    return concat([images, images, images], -1, name or "concat")


# --- adjustments -----------------------------------------------------------------------------------------------------
def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """`image` with `delta` added, in terms of [0, 1] (`tf.image.adjust_brightness`)."""
    from .. import cast

    flt, dtype = _as_floats(image)
    return convert_image_dtype(flt + cast(delta, flt.dtype), dtype, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Images with each channel's distance from its mean multiplied by a factor (`tf.image.adjust_contrast`)."""
    from .. import cast

    flt, dtype = _as_floats(images)
    return convert_image_dtype(_contrast(flt, cast(contrast_factor, dtypes.float32)), dtype, saturate=True)


@op("AdjustContrastv2", images=tensor(FLOATS, group=""), factor=tensor(dtypes.float32, group=""))
def _contrast(images: Any, factor: Any, name: str | None = None) -> Any:
    if images.ndim < 3:
        raise invalid(f"input must be at least 3-D, got shape{list(images.shape)} [Op:AdjustContrastv2] name: ")
    wide = images.float()
    mean = wide.mean((-3, -2), keepdim=True)
    return without_gradient(((wide - mean) * factor + mean).to(images.dtype), "AdjustContrastv2")


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """`image` raised to the power `gamma`, times `gain` (`tf.image.adjust_gamma`). ValueError for a negative `gamma`."""
    if isinstance(gamma, (int, float)) and gamma < 0:
        raise ValueError("Gamma should be a non-negative real number.")
    if not isinstance(gamma, (int, float)):
        from .. import debugging, reduce_all

        gamma = convert_to_tensor(gamma)
        debugging.Assert(reduce_all(gamma >= 0), ["Gamma should be a non-negative real number."])
    flt, dtype = _as_floats(image)
    return convert_image_dtype(gain * flt**gamma, dtype, saturate=True)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """RGB `image` with its hue turned by `delta`, in [-1, 1] (`tf.image.adjust_hue`)."""
    from .. import cast

    flt, dtype = _as_floats(image)
    return convert_image_dtype(_hue(flt, cast(delta, dtypes.float32), name), dtype)


def _channels(images: Any, op_name: str) -> None:
    if images.ndim < 3:
        raise invalid(f"input must be at least 3-D, got shape{list(images.shape)} [Op:{op_name}] name: ")
    if images.shape[-1] != 3:
        raise invalid(f"input must have 3 channels but instead has {images.shape[-1]} channels. [Op:{op_name}] name: ")


@op("AdjustHue", images=tensor(FLOATS, group=""), delta=tensor(dtypes.float32, group=""))
def _hue(images: Any, delta: Any, name: str | None = None) -> Any:
    _channels(images, "AdjustHue")
    r, g, b = _planes(images.float())
    value = torch.maximum(torch.maximum(r, g), b)
    span = value - torch.minimum(torch.minimum(r, g), b)
    norm = 1.0 / 6.0 / span.clamp_min(torch.finfo(torch.float32).tiny)  # of gray pixels, whose differences are 0
    turn = torch.where(r == value, norm * (g - b), torch.where(g == value, norm * (b - r) + 2.0 / 6.0, norm * (r - g) + 4.0 / 6.0)) + delta
    turn = (turn - turn.floor()) * 6
    weights = torch.stack([2 - (turn - 3).abs(), (turn - 2).abs() - 1, (turn - 4).abs() - 1]).clamp_(0, 1)
    return without_gradient(_pixels(value - weights * (span * (value > 0))).to(images.dtype), "AdjustHue")


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """RGB `image` with its saturation multiplied by a factor (`tf.image.adjust_saturation`)."""
    from .. import cast

    flt, dtype = _as_floats(image)
    return convert_image_dtype(_saturation(flt, cast(saturation_factor, dtypes.float32), name), dtype)


@op("AdjustSaturation", images=tensor(FLOATS, group=""), factor=tensor(dtypes.float32, group=""))
def _saturation(images: Any, factor: Any, name: str | None = None) -> Any:
    _channels(images, "AdjustSaturation")
    planes = _planes(images.float())
    value = torch.maximum(torch.maximum(planes[0], planes[1]), planes[2])
    span = value - torch.minimum(torch.minimum(planes[0], planes[1]), planes[2])
    # a channel is value * (1 - saturation * weight); the weight, its hue, stays, and saturation goes no further than from 0 to 1
    times = torch.minimum(value / span.clamp_min(torch.finfo(torch.float32).tiny), factor).clamp_min(0)
    return without_gradient(_pixels(value - (value - planes) * times).to(images.dtype), "AdjustSaturation")


def per_image_standardization(image: Any) -> Tensor:
    """Each image with mean 0 and variance 1 (`tf.image.per_image_standardization`)."""
    from .. import cast

    image = image_of(image)
    image = image if image.dtype is dtypes.float16 or image.dtype is dtypes.float32 else cast(image, dtypes.float32)
    return _standardized(image)


@op("PerImageStandardization", image=_FLOAT)
def _standardized(image: Any, name: str | None = None) -> Any:
    axes = (-3, -2, -1)
    count = image.shape[-3] * image.shape[-2] * image.shape[-1]
    mean = image.mean(axes, keepdim=True)
    deviation = image.std(axes, correction=0, keepdim=True)
    return (image - mean) / clamp(deviation, min=1.0 / np.sqrt(max(count, 1)))


# --- by chance -------------------------------------------------------------------------------------------------------
def _bounds(lower: float, upper: float) -> None:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


def _largest(max_delta: float, limit: float | None = None) -> None:
    if limit is not None and max_delta > limit:
        raise ValueError(f"max_delta must be <= {limit}.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")


def _drawn(low: float, high: float, seed: Any) -> Tensor:
    from ..random import uniform

    return uniform([], low, high, seed=seed)


def _decided(low: float, high: float, seed: Any) -> Tensor:
    from ..random import stateless_uniform

    return stateless_uniform([], seed, low, high)


def random_brightness(image: Any, max_delta: float, seed: Any = None) -> Tensor:
    """Brightness changed by a random number of [-max_delta, max_delta) (`tf.image.random_brightness`)."""
    _largest(max_delta)
    return adjust_brightness(image, _drawn(-max_delta, max_delta, seed))


def stateless_random_brightness(image: Any, max_delta: float, seed: Any) -> Tensor:
    """`tf.image.random_brightness` as a function of `seed`, two integers (`tf.image.stateless_random_brightness`)."""
    _largest(max_delta)
    return adjust_brightness(image, _decided(-max_delta, max_delta, seed))


def random_contrast(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """Contrast changed by a random factor of [lower, upper) (`tf.image.random_contrast`)."""
    _bounds(lower, upper)
    return adjust_contrast(image, _drawn(lower, upper, seed))


def stateless_random_contrast(image: Any, lower: float, upper: float, seed: Any) -> Tensor:
    """`tf.image.random_contrast` as a function of `seed`, two integers (`tf.image.stateless_random_contrast`)."""
    _bounds(lower, upper)
    return adjust_contrast(image, _decided(lower, upper, seed))


def random_hue(image: Any, max_delta: float, seed: Any = None) -> Tensor:
    """Hue turned by a random number of [-max_delta, max_delta) (`tf.image.random_hue`)."""
    _largest(max_delta, 0.5)
    return adjust_hue(image, _drawn(-max_delta, max_delta, seed))


def stateless_random_hue(image: Any, max_delta: float, seed: Any) -> Tensor:
    """`tf.image.random_hue` as a function of `seed`, two integers (`tf.image.stateless_random_hue`)."""
    _largest(max_delta, 0.5)
    return adjust_hue(image, _decided(-max_delta, max_delta, seed))


def random_saturation(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """Saturation changed by a random factor of [lower, upper) (`tf.image.random_saturation`)."""
    _bounds(lower, upper)
    return adjust_saturation(image, _drawn(lower, upper, seed))


def stateless_random_saturation(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """`tf.image.random_saturation` as a function of `seed`, two integers (`tf.image.stateless_random_saturation`)."""
    _bounds(lower, upper)
    return adjust_saturation(image, _decided(lower, upper, seed))
