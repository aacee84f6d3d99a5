"""Random changes of images, in training only: flips, crops, shifts, rotations, zooms, contrast, brightness, sizes."""

from __future__ import annotations

import math
from typing import Any

import torch

import tf2compat as tf
from tf2compat._engine import dtypes
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.random.seeding import Stream, stream

from .._base.layer import Layer
from .image_preprocessing import check_interpolation, images_of, smart_resize

_X = tensor(FLOATS)


def _uniform(x: Any, shape: Any, low: float, high: float, numbers: Stream) -> Any:
    t = torch.empty(shape, dtype=torch.float32, device=x.device)
    return t.uniform_(low, high, generator=numbers.generator(x.device)) if high > low else t.fill_(low)


def _folded(c: Any, size: int, mode: str) -> Any:
    """Coordinates outside [0, size - 1] brought inside as the fill mode says."""
    if mode == "constant":
        return c
    if mode == "reflect":
        c = torch.remainder(c, 2.0 * size) if size > 1 else torch.zeros_like(c)
        c = torch.where(c >= size, 2 * size - c - 1, c)
    elif mode == "wrap":
        step = max(size - 1, 1)
        below = c + size * (torch.floor(-c / step) + 1)
        above = c - size * torch.floor(c / step)
        c = torch.where(c < 0, below, torch.where(c > size - 1, above, c)) if size > 1 else torch.zeros_like(c)
    return c.clamp(0, size - 1)


def projected(x: Any, maps: Any, fill: str, value: float, smooth: bool) -> Any:
    """Images [batch, height, width, channels], output point (x, y) taken from (a0 x + a1 y + a2, b0 x + b1 y + b2) of maps [batch, 6]."""
    batch, height, width, channels = x.shape
    ys = torch.arange(height, device=x.device, dtype=torch.float32).reshape(1, -1, 1)
    xs = torch.arange(width, device=x.device, dtype=torch.float32).reshape(1, 1, -1)
    m = maps.reshape(batch, 6, 1, 1)
    from_x = _folded(m[:, 0] * xs + m[:, 1] * ys + m[:, 2], width, fill)
    from_y = _folded(m[:, 3] * xs + m[:, 4] * ys + m[:, 5], height, fill)
    flat = x.reshape(batch, height * width, channels)

    def read(py: Any, px: Any) -> Any:
        inside = (py >= 0) & (py < height) & (px >= 0) & (px < width)
        place = (py.clamp(0, height - 1) * width + px.clamp(0, width - 1)).long().reshape(batch, -1, 1)
        got = flat.gather(1, place.expand(-1, -1, channels)).reshape(batch, height, width, channels)
        return torch.where(inside.unsqueeze(-1), got, torch.full_like(got, value))

    if not smooth:
        return read(torch.sign(from_y) * torch.floor(from_y.abs() + 0.5), torch.sign(from_x) * torch.floor(from_x.abs() + 0.5))
    top, left = torch.floor(from_y), torch.floor(from_x)
    dy, dx = (from_y - top).unsqueeze(-1).to(x.dtype), (from_x - left).unsqueeze(-1).to(x.dtype)
    upper = (1 - dx) * read(top, left) + dx * read(top, left + 1)
    lower = (1 - dx) * read(top + 1, left) + dx * read(top + 1, left + 1)
    return (1 - dy) * upper + dy * lower


def _batched(x: Any) -> Any:
    return x.unsqueeze(0) if x.ndim == 3 else x


@op("RandomAffine", stateful=True, x=_X)
def _random_affine(x: Any, kind: str, low: Any, high: Any, fill: str, value: float, smooth: bool, numbers: Stream) -> Any:
    """Shifted, rotated or zoomed images; `low` and `high` hold the bounds of the random numbers."""
    if x.device.type == "meta":
        return torch.empty_like(x)
    images = _batched(x)
    batch, height, width, _ = images.shape
    zero, one = torch.zeros(batch, device=x.device), torch.ones(batch, device=x.device)
    if kind == "shift":
        dy = _uniform(x, (batch,), low[0], high[0], numbers) * height
        dx = _uniform(x, (batch,), low[1], high[1], numbers) * width
        maps = torch.stack([one, zero, -dx, zero, one, -dy], 1)
    elif kind == "rotate":
        angle = _uniform(x, (batch,), low[0] * 2 * math.pi, high[0] * 2 * math.pi, numbers)
        cos, sin = torch.cos(angle), torch.sin(angle)
        off_x = ((width - 1) - (cos * (width - 1) - sin * (height - 1))) / 2
        off_y = ((height - 1) - (sin * (width - 1) + cos * (height - 1))) / 2
        maps = torch.stack([cos, -sin, off_x, sin, cos, off_y], 1)
    else:
        zy = 1 + _uniform(x, (batch,), low[0], high[0], numbers)
        zx = zy if low[1] is None else 1 + _uniform(x, (batch,), low[1], high[1], numbers)
        maps = torch.stack([zx, zero, (width - 1) / 2 * (1 - zx), zero, zy, (height - 1) / 2 * (1 - zy)], 1)
    return projected(images, maps, fill, value, smooth).reshape(x.shape)


@op("RandomFlip", stateful=True, x=_X)
def _random_flip(x: Any, horizontal: bool, vertical: bool, numbers: Stream) -> Any:
    if x.device.type == "meta":
        return torch.empty_like(x)
    images = _batched(x)
    for wanted, axis in ((horizontal, 2), (vertical, 1)):
        if wanted:
            chosen = _uniform(x, (images.shape[0], 1, 1, 1), 0.0, 1.0, numbers) < 0.5
            images = torch.where(chosen, images.flip(axis), images)
    return images.reshape(x.shape)


@op("RandomContrast", stateful=True, x=_X)
def _random_contrast(x: Any, low: float, high: float, numbers: Stream) -> Any:
    if x.device.type == "meta":
        return torch.empty_like(x)
    factor = _uniform(x, (), low, high, numbers).to(x.dtype)
    mean = x.mean((-3, -2), keepdim=True)
    return ((x - mean) * factor + mean).clamp(0, 255)


@op("RandomBrightness", stateful=True, x=_X)
def _random_brightness(x: Any, low: float, high: float, bounds: Any, numbers: Stream) -> Any:
    if x.device.type == "meta":
        return torch.empty_like(x)
    shape = (1, 1, 1) if x.ndim == 3 else (x.shape[0], 1, 1, 1)
    delta = _uniform(x, shape, low, high, numbers) * (bounds[1] - bounds[0])
    return (x + delta.to(x.dtype)).clamp(bounds[0], bounds[1])


@op("RandomCrop", stateful=True, x=_X)
def _random_crop(x: Any, height: int, width: int, numbers: Stream) -> Any:
    if x.device.type == "meta":
        return x.new_empty((*x.shape[:-3], height, width, x.shape[-1]))
    generator = numbers.generator(torch.device("cpu"))
    top = int(torch.randint(0, x.shape[-3] - height + 1, (), generator=generator))
    left = int(torch.randint(0, x.shape[-2] - width + 1, (), generator=generator))
    return x[..., top : top + height, left : left + width, :]


@op("RandomSize", stateful=True, x=_X)
def _random_size(x: Any, low: float, high: float, axis: int, method: str, numbers: Stream) -> Any:
    from .image_preprocessing import _TORCH, _resized

    generator = numbers.generator(torch.device("cpu"))
    factor = float(torch.empty(()).uniform_(1.0 + low, 1.0 + high, generator=generator)) if high > low else 1.0 + low
    size = [x.shape[-3], x.shape[-2]]
    size[axis] = max(int(factor * size[axis]), 1)
    return _resized.op.fn(x, tuple(size), _TORCH[method])


@_random_size.infer
def _(x: Any, low: float, high: float, axis: int, method: str, numbers: Stream) -> Any:
    shape: list[Any] = list(x.shape)
    shape[-3 + axis] = None
    return [(dtypes.of(x), tuple(shape))]


class _RandomImages(Layer):
    def __init__(self, seed: Any, kwargs: dict[str, Any]) -> None:
        kwargs.pop("rng_type", None)
        super().__init__(**kwargs)
        self.seed = seed
        self.__dict__["_numbers"] = None if seed is None else Stream((0, int(seed)))

    def _stream(self) -> Stream:
        own = self.__dict__["_numbers"]
        return stream(None) if own is None else own

    def _changed(self, inputs: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any, training: Any = True) -> Any:
        """The changed images in training, else the images, in the layer's dtype."""
        inputs = images_of(inputs, self.compute_dtype)
        return self._changed(inputs) if training else inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)


    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "rng_type": "stateful"}


def _bounds(factor: Any) -> tuple[float, float]:
    return (factor[0], factor[1]) if isinstance(factor, (tuple, list)) else (-factor, factor)


def _check_fill(fill_mode: str, interpolation: str) -> None:
    if fill_mode not in {"reflect", "wrap", "constant", "nearest"}:
        raise NotImplementedError(
            f"Unknown `fill_mode` {fill_mode}. Only `reflect`, `wrap`, `constant` and `nearest` are supported."
        )
    if interpolation not in {"nearest", "bilinear"}:
        raise NotImplementedError(f"Unknown `interpolation` {interpolation}. Only `nearest` and `bilinear` are supported.")


class RandomFlip(_RandomImages):
    """Flips images at random, "horizontal", "vertical" or "horizontal_and_vertical" (`tf.keras.layers.RandomFlip`)."""

    def __init__(self, mode: str = "horizontal_and_vertical", seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, kwargs)
        self.mode = mode
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(f"RandomFlip layer {self.name} received an unknown mode argument {mode}")
        self.horizontal = mode != "vertical"
        self.vertical = mode != "horizontal"

    def _changed(self, inputs: Any) -> Any:
        return _random_flip(inputs, self.horizontal, self.vertical, self._stream())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "mode": self.mode, "seed": self.seed}


class RandomTranslation(_RandomImages):
    """Shifts images by random shares of their height and width (`tf.keras.layers.RandomTranslation`)."""

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, kwargs)
        for word, factor in (("height_factor", height_factor), ("width_factor", width_factor)):
            low, high = _bounds(factor)
            if high < low:
                raise ValueError(f"`{word}` cannot have upper bound less than lower bound, got {factor}")
            if abs(low) > 1.0 or abs(high) > 1.0:
                raise ValueError(f"`{word}` argument must have values between [-1, 1]. Received: {word}={factor}")
        self.height_factor = height_factor
        self.width_factor = width_factor
        self.height_lower, self.height_upper = _bounds(height_factor)
        self.width_lower, self.width_upper = _bounds(width_factor)
        _check_fill(fill_mode, interpolation)
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.interpolation = interpolation

    def _changed(self, inputs: Any) -> Any:
        return _random_affine(
            inputs, "shift", (self.height_lower, self.width_lower), (self.height_upper, self.width_upper), self.fill_mode,
            float(self.fill_value), self.interpolation == "bilinear", self._stream(),
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor, "fill_mode": self.fill_mode,
            "fill_value": self.fill_value, "interpolation": self.interpolation, "seed": self.seed,
        }  # fmt: skip


class RandomRotation(_RandomImages):
    """Rotates images by a random share of a full turn (`tf.keras.layers.RandomRotation`)."""

    def __init__(
        self, factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear", seed: Any = None, fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed, kwargs)
        self.factor = factor
        self.lower, self.upper = _bounds(factor)
        if self.upper < self.lower:
            raise ValueError(f"`factor` argument cannot have a negative value. Received: factor={factor}")
        _check_fill(fill_mode, interpolation)
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.interpolation = interpolation

    def _changed(self, inputs: Any) -> Any:
        return _random_affine(
            inputs, "rotate", (self.lower,), (self.upper,), self.fill_mode, float(self.fill_value), self.interpolation == "bilinear",
            self._stream(),
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "factor": self.factor, "fill_mode": self.fill_mode, "fill_value": self.fill_value,
            "interpolation": self.interpolation, "seed": self.seed,
        }  # fmt: skip


class RandomZoom(_RandomImages):
    """Zooms images by random factors, out for positive ones (`tf.keras.layers.RandomZoom`)."""

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, kwargs)
        self.height_factor = height_factor
        self.height_lower, self.height_upper = _bounds(height_factor)
        if abs(self.height_lower) > 1.0 or abs(self.height_upper) > 1.0:
            raise ValueError(f"`height_factor` argument must have values between [-1, 1]. Received: height_factor={height_factor}")
        self.width_factor = width_factor
        self._width: Any = (None, None)
        if width_factor is not None:
            self._width = _bounds(width_factor)
            if self._width[0] < -1.0 or self._width[1] < -1.0:
                raise ValueError(f"`width_factor` argument must have values larger than -1. Received: width_factor={width_factor}")
        _check_fill(fill_mode, interpolation)
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.interpolation = interpolation

    def _changed(self, inputs: Any) -> Any:
        return _random_affine(
            inputs, "zoom", (self.height_lower, self._width[0]), (self.height_upper, self._width[1]), self.fill_mode,
            float(self.fill_value), self.interpolation == "bilinear", self._stream(),
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor, "fill_mode": self.fill_mode,
            "fill_value": self.fill_value, "interpolation": self.interpolation, "seed": self.seed,
        }  # fmt: skip


class RandomContrast(_RandomImages):
    """Changes the contrast of images by one random factor a call (`tf.keras.layers.RandomContrast`)."""

    def __init__(self, factor: Any, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, kwargs)
        self.factor = factor
        self.lower, self.upper = (factor[0], factor[1]) if isinstance(factor, (tuple, list)) else (factor, factor)
        if self.lower < 0.0 or self.upper < 0.0 or self.lower > 1.0:
            raise ValueError(f"`factor` argument cannot have negative values or values greater than 1.Received: factor={factor}")

    def _changed(self, inputs: Any) -> Any:
        return _random_contrast(inputs, 1.0 - self.lower, 1.0 + self.upper, self._stream())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "seed": self.seed}


class RandomBrightness(_RandomImages):
    """Makes each image brighter or darker by a random share of `value_range` (`tf.keras.layers.RandomBrightness`)."""

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, kwargs)
        wrong = "The `factor` argument should be a number (or a list of two numbers) in the range [-1.0, 1.0]. "
        if isinstance(factor, (tuple, list)):
            if len(factor) != 2:
                raise ValueError(f"{wrong}Got {factor}")
            found = sorted(factor)
        elif isinstance(factor, (int, float)):
            found = [-abs(factor), abs(factor)]
        else:
            raise ValueError(f"{wrong}Got {factor}")
        for v in found:
            if v > 1.0 or v < -1.0:
                raise ValueError(f"{wrong}Got {v}")
        self._factor = found
        if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
            raise ValueError(f"The `value_range` argument should be a list of two numbers. Got {value_range}")
        self._value_range = sorted(value_range)

    def _changed(self, inputs: Any) -> Any:
        if inputs.shape.rank not in (3, 4):
            raise ValueError(f"Expected the input image to be rank 3 or 4. Got inputs.shape = {inputs.shape}")
        return _random_brightness(inputs, self._factor[0], self._factor[1], tuple(self._value_range), self._stream())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self._factor, "value_range": self._value_range, "seed": self.seed}


class RandomCrop(_RandomImages):
    """A random part of images in training, the resized middle part else (`tf.keras.layers.RandomCrop`)."""

    def __init__(self, height: int, width: int, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, {**kwargs, "autocast": False})
        self.height = height
        self.width = width

    def call(self, inputs: Any, training: Any = True) -> Any:
        """The parts, in the layer's dtype."""
        inputs = images_of(inputs, self.compute_dtype)
        dims = inputs.shape.as_list()
        if training and dims[-3] >= self.height and dims[-2] >= self.width:
            return _random_crop(inputs, self.height, self.width, self._stream())
        return tf.cast(smart_resize(inputs, (self.height, self.width), "bilinear"), self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The input's shape with the new height and width."""
        dims = TensorShape(input_shape).as_list()
        dims[-3], dims[-2] = self.height, self.width
        return TensorShape(dims)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "height": self.height, "width": self.width, "seed": self.seed}


class _RandomSize(_RandomImages):
    _axis: int

    def __init__(self, factor: Any, interpolation: str = "bilinear", seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, kwargs)
        self.factor = factor
        self._low, self._high = _bounds(factor)
        if self._high < self._low:
            raise ValueError(f"`factor` argument cannot have an upper bound lesser than the lower bound. Received: factor={factor}")
        if self._low < -1.0 or self._high < -1.0:
            raise ValueError(f"`factor` argument must have values larger than -1. Received: factor={factor}")
        self.interpolation = interpolation
        self._method = check_interpolation(interpolation)
        if self._method not in ("bilinear", "nearest", "area"):
            raise ValueError(f"{type(self).__name__} does not support interpolation='{interpolation}' in tf2compat.")

    def _changed(self, inputs: Any) -> Any:
        return _random_size(inputs, float(self._low), float(self._high), self._axis, self._method, self._stream())

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The input's shape with an unknown size in the dimension that changes."""
        dims = TensorShape(input_shape).as_list()
        dims[-3 + self._axis] = None
        return TensorShape(dims)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "interpolation": self.interpolation, "seed": self.seed}


class RandomHeight(_RandomSize):
    """Changes the height of a batch of images by a random factor (`tf.keras.layers.RandomHeight`)."""

    _axis = 0


class RandomWidth(_RandomSize):
    """Changes the width of a batch of images by a random factor (`tf.keras.layers.RandomWidth`)."""

    _axis = 1


