"""Random changes of images, in training only: flips, crops, shifts, rotations, zooms, contrast, brightness, sizes."""

from __future__ import annotations

import math
from typing import Any

import torch

import tf2compat as tf
from tf2compat._engine import dtypes, state
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.trackable import AutoTrackable
from tf2compat.image._projective import projected

from .._base.layer import Layer
from .._base.seeds import draw
from .image_preprocessing import check_interpolation, images_of, smart_resize

_X = tensor(FLOATS)


@op("ImageProjectiveTransform", x=_X, maps=tensor(dtypes.float32, group="M"))
def _project(x: Any, maps: Any, fill: str, value: float, smooth: bool) -> Any:
    if x.device.type == "meta":
        return torch.empty_like(x)
    return projected(x.unsqueeze(0) if x.ndim == 3 else x, maps, fill, value, smooth).reshape(x.shape)


class _RandomImages(Layer):
    def __init__(self, seed: Any, kwargs: dict[str, Any]) -> None:
        kwargs.pop("rng_type", None)
        super().__init__(**kwargs)
        self.seed = seed
        self.__dict__["_numbers"] = None

    def build(self, input_shape: Any) -> None:
        """Make the generator of the random numbers, from a new seed where none was given."""
        super().build(input_shape)
        self._generator()

    def _generator(self) -> Any:
        found = self.__dict__["_numbers"]
        if found is None:
            with state.outside():
                found = self.__dict__["_numbers"] = tf.random.Generator.from_seed(draw()[0] if self.seed is None else self.seed)
        return found

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Any:
        found = dict(super()._trackable_children(save_type, **kwargs))
        if self.__dict__["_numbers"] is not None:
            holder = self.__dict__.get("_numbers_holder")
            if holder is None:
                holder = self.__dict__["_numbers_holder"] = AutoTrackable()
                holder._generator = self.__dict__["_numbers"]
            found["_random_generator"] = holder
        return found

    def _uniform(self, shape: Any, low: float, high: float) -> Any:
        return self._generator().uniform(shape, low, high, tf.float32)

    def _next_seed(self) -> Any:
        """A seed for one of the stateless functions of `tf.image`."""
        return self._generator().make_seeds()[:, 0]

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


class _Projecting(_RandomImages):
    """Images whose points are taken from other places."""

    fill_mode: str
    fill_value: float
    interpolation: str

    def _projected(self, inputs: Any, parts: list[Any]) -> Any:
        like = next(p for p in parts if not isinstance(p, float))
        maps = tf.concat([tf.fill(tf.shape(like), p) if isinstance(p, float) else p for p in parts], 1)
        wide = inputs if inputs.dtype in (tf.float32, tf.float64) else tf.cast(inputs, tf.float32)
        out = _project(wide, maps, self.fill_mode, float(self.fill_value), self.interpolation == "bilinear")
        return tf.cast(out, inputs.dtype)


def _sizes(images: Any) -> tuple[Any, Any, Any]:
    """The number of images, and their height and width as floats."""
    sizes = tf.shape(images)
    batch = 1 if images.shape.rank == 3 else sizes[0] if images.shape[0] is None else images.shape[0]
    return batch, tf.cast(sizes[-3], tf.float32), tf.cast(sizes[-2], tf.float32)


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
        if self.horizontal:
            inputs = tf.image.stateless_random_flip_left_right(inputs, self._next_seed())
        if self.vertical:
            inputs = tf.image.stateless_random_flip_up_down(inputs, self._next_seed())
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "mode": self.mode, "seed": self.seed}


class RandomTranslation(_Projecting):
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
        batch, height, width = _sizes(inputs)
        dy = self._uniform([batch, 1], self.height_lower, self.height_upper) * height
        dx = self._uniform([batch, 1], self.width_lower, self.width_upper) * width
        return self._projected(inputs, [1.0, 0.0, -dx, 0.0, 1.0, -dy])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor, "fill_mode": self.fill_mode,
            "fill_value": self.fill_value, "interpolation": self.interpolation, "seed": self.seed,
        }  # fmt: skip


class RandomRotation(_Projecting):
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
        batch, height, width = _sizes(inputs)
        angle = tf.reshape(self._uniform([batch], self.lower * 2.0 * math.pi, self.upper * 2.0 * math.pi), [-1, 1])
        cos, sin = tf.cos(angle), tf.sin(angle)
        off_x = ((width - 1) - (cos * (width - 1) - sin * (height - 1))) / 2.0
        off_y = ((height - 1) - (sin * (width - 1) + cos * (height - 1))) / 2.0
        return self._projected(inputs, [cos, -sin, off_x, sin, cos, off_y])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "factor": self.factor, "fill_mode": self.fill_mode, "fill_value": self.fill_value,
            "interpolation": self.interpolation, "seed": self.seed,
        }  # fmt: skip


class RandomZoom(_Projecting):
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
        batch, height, width = _sizes(inputs)
        zy = self._uniform([batch, 1], 1.0 + self.height_lower, 1.0 + self.height_upper)
        zx = zy if self.width_factor is None else self._uniform([batch, 1], 1.0 + self._width[0], 1.0 + self._width[1])
        return self._projected(inputs, [zx, 0.0, (width - 1) / 2.0 * (1.0 - zx), 0.0, zy, (height - 1) / 2.0 * (1.0 - zy)])

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
        changed = tf.image.stateless_random_contrast(inputs, 1.0 - self.lower, 1.0 + self.upper, self._next_seed())
        return tf.clip_by_value(changed, 0, 255)

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
        low, high = self._value_range
        shape = [1, 1, 1] if inputs.shape.rank == 3 else [_sizes(inputs)[0], 1, 1, 1]
        delta = self._uniform(shape, self._factor[0], self._factor[1]) * float(high - low)
        return tf.clip_by_value(inputs + tf.cast(delta, inputs.dtype), low, high)

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
        if dims[-3] is None or dims[-2] is None:
            return self._of_unknown_size(inputs, training)
        if training and dims[-3] >= self.height and dims[-2] >= self.width:
            top, left = tf.unstack(self._generator().uniform([2], 0, tf.int32.max, tf.int32))
            return tf.image.crop_to_bounding_box(
                inputs, top % (dims[-3] - self.height + 1), left % (dims[-2] - self.width + 1), self.height, self.width
            )
        return tf.cast(smart_resize(inputs, (self.height, self.width), "bilinear"), self.compute_dtype)

    def _of_unknown_size(self, inputs: Any, training: Any) -> Any:
        sizes = tf.shape(inputs)
        rest = [sizes[-3] - self.height, sizes[-2] - self.width]

        def cropped() -> Any:
            top, left = tf.unstack(self._generator().uniform([2], 0, tf.int32.max, tf.int32))
            return tf.image.crop_to_bounding_box(inputs, top % (rest[0] + 1), left % (rest[1] + 1), self.height, self.width)

        def resized() -> Any:
            return tf.cast(smart_resize(inputs, (self.height, self.width), "bilinear"), self.compute_dtype)

        out = tf.cond(tf.reduce_all([r >= 0 for r in rest]), cropped, resized) if training else resized()
        return tf.ensure_shape(out, self.compute_output_shape(inputs.shape))

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
        size = [inputs.shape[-3], inputs.shape[-2]]
        size = [tf.shape(inputs)[-3 + i] if d is None else d for i, d in enumerate(size)]
        factor = self._uniform([], 1.0 + self._low, 1.0 + self._high)
        size[self._axis] = tf.cast(factor * tf.cast(size[self._axis], tf.float32), tf.int32)
        return tf.cast(tf.image.resize(inputs, tf.stack(size), self._method), self.compute_dtype)

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


