"""Layers that move values around: Flatten, Reshape, Permute, RepeatVector, padding, cropping, upsampling."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS, NUMBERS
from tf2compat._engine.op import TENSOR, op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.tensor import Tensor

from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._common import normalize_data_format, normalize_tuple


@op("Flatten", x=TENSOR)
def _flatten(x: Any, first: bool) -> Any:
    if first and x.ndim > 2:
        x = x.movedim(1, -1)
    return x.unsqueeze(-1) if x.ndim == 1 else x.flatten(1)


class Flatten(Layer):
    """All dimensions but the batch in one (`tf.keras.layers.Flatten`); a vector becomes a column."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self._first = self.data_format == "channels_first"

    def call(self, inputs: Any) -> Any:
        """inputs [batch, ...] as [batch, features]."""
        return _flatten(inputs, self.__dict__["_first"])

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[batch, product of the rest]."""
        shape = TensorShape(input_shape).as_list()
        if not shape[1:]:
            return TensorShape([shape[0], 1])
        return TensorShape([shape[0], None if None in shape[1:] else math.prod(shape[1:])])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["data_format"] = self.data_format
        return config


class Reshape(Layer):
    """The batch's elements in `target_shape`, of which one dimension may be -1 (`tf.keras.layers.Reshape`)."""

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def _fixed(self, input_shape: list[Any], target: list[Any]) -> list[int]:
        message = (
            "total size of new array must be unchanged, "
            f"input_shape = {input_shape}, output_shape = {target}"
        )
        known, unknown = 1, None
        for i, d in enumerate(target):
            if d < 0:
                if unknown is not None:
                    raise ValueError(f"There must be at most one unknown dimension in output_shape. Received: output_shape={target}.")
                unknown = i
            else:
                known *= d
        size = math.prod(input_shape)
        found = list(target)
        if unknown is not None:
            if known == 0 or size % known != 0:
                raise ValueError(message)
            found[unknown] = size // known
        elif size != known:
            raise ValueError(message)
        return found

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[batch, *target_shape]; ValueError when the sizes do not fit."""
        shape = TensorShape(input_shape).as_list()
        if None in shape[1:]:
            return TensorShape([shape[0], *(d if d != -1 else None for d in self.target_shape)])
        return TensorShape([shape[0], *self._fixed(shape[1:], list(self.target_shape))])

    def call(self, inputs: Any) -> Any:
        """inputs in the new shape."""
        if type(inputs) is Tensor:
            return tf.reshape(inputs, [inputs.shape[0], *self.target_shape])
        static = inputs.shape.as_list()
        if None in static[1:] or static[0] is None or static[0] == 0:
            known = list(self.target_shape)
            if None not in static[1:]:
                known = self._fixed(static[1:], known)
            if -1 not in known:
                return tf.reshape(inputs, [-1 if static[0] is None else static[0], *known])
            return tf.reshape(inputs, tf.concat([tf.shape(inputs)[:1], known], 0))
        return tf.reshape(inputs, [static[0], *self._fixed(static[1:], list(self.target_shape))])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["target_shape"] = self.target_shape
        return config


class Permute(Layer):
    """Dimensions in another order, counted from 1 without the batch (`tf.keras.layers.Permute`)."""

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be consecutive and start from "
                f"1. Received dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The input's dimensions in the new order."""
        sizes = TensorShape(input_shape).as_list()
        return TensorShape([sizes[0], *(sizes[d] for d in self.dims)])

    def call(self, inputs: Any) -> Any:
        """inputs, transposed."""
        return tf.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["dims"] = self.dims
        return config


class RepeatVector(Layer):
    """[batch, features] n times as [batch, n, features] (`tf.keras.layers.RepeatVector`)."""

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """The repeated inputs."""
        return tf.repeat(tf.expand_dims(inputs, 1), self.n, axis=1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["n"] = self.n
        return config


@op("SpatialPad", x=tensor(NUMBERS))
def _pad(x: Any, pairs: Any, first: bool) -> Any:
    flat: list[int] = [] if first else [0, 0]
    for lo, hi in reversed(pairs):
        flat += (lo, hi)
    return F.pad(x, flat)


@op("SpatialCrop", x=TENSOR)
def _crop(x: Any, pairs: Any, first: bool) -> Any:
    index: list[Any] = [slice(None)] * (2 if first else 1)
    for lo, hi in pairs:
        index.append(slice(lo, -hi if hi else None))
    return x[tuple(index)]


_WORDS = {
    2: "a tuple of 2 ints (symmetric_height_{0}, symmetric_width_{0}), or a tuple of 2 tuples of 2 ints ((top_{0}, bottom_{0}), "
    "(left_{0}, right_{0})).",
    3: "a tuple of 3 ints (symmetric_dim1_{0}, symmetric_dim2_{0}, symmetric_dim3_{0}), or a tuple of 3 tuples of 2 ints "
    "((left_dim1_{0}, right_dim1_{0}), (left_dim2_{0}, right_dim2_{0}), (left_dim3_{0}, right_dim2_{0})).",
}


def _pairs(value: Any, n: int, name: str) -> tuple[tuple[int, int], ...]:
    if isinstance(value, int):
        return ((value, value),) * n
    if hasattr(value, "__len__"):
        if len(value) != n:
            count = "two" if n == 2 else "3"
            raise ValueError(f"`{name}` should have {count} elements. Received: {value}.")
        place = ("1st", "2nd", "3rd")
        return tuple(
            normalize_tuple(v, 2, f"{place[i]} entry of {name}", allow_zero=True) for i, v in enumerate(value)  # type: ignore[misc]
        )
    raise ValueError(f"`{name}` should be either an int, {_WORDS[n].format('pad' if name == 'padding' else 'crop')} Received: {value}.")


class _Padding(Layer):
    _n: int

    def __init__(self, padding: Any, data_format: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.padding = _pairs(padding, self._n, "padding")
        self.input_spec = InputSpec(ndim=self._n + 2)

    def call(self, inputs: Any) -> Any:
        """inputs with zeros around."""
        return _pad(inputs, self.padding, self.data_format == "channels_first")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"padding": self.padding, "data_format": self.data_format})
        return config


class ZeroPadding1D(Layer):
    """Zeros before and after the time steps of [batch, time, features] (`tf.keras.layers.ZeroPadding1D`)."""

    def __init__(self, padding: Any = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = normalize_tuple(padding, 2, "padding", allow_zero=True)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """inputs with zeros around."""
        return _pad(inputs, (self.padding,), False)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["padding"] = self.padding
        return config


class ZeroPadding2D(_Padding):
    """Zeros around images (`tf.keras.layers.ZeroPadding2D`)."""

    _n = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, kwargs)


class ZeroPadding3D(_Padding):
    """Zeros around volumes (`tf.keras.layers.ZeroPadding3D`)."""

    _n = 3

    def __init__(self, padding: Any = (1, 1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, kwargs)


class _Cropping(Layer):
    _n: int

    def __init__(self, cropping: Any, data_format: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.cropping = _pairs(cropping, self._n, "cropping")
        self.input_spec = InputSpec(ndim=self._n + 2)

    def call(self, inputs: Any) -> Any:
        """inputs without the margins; ValueError when nothing is left."""
        first = self.data_format == "channels_first"
        sizes = inputs.shape.as_list()[2:] if first else inputs.shape.as_list()[1:-1]
        if any(size is not None and sum(pair) >= size for size, pair in zip(sizes, self.cropping, strict=True)):
            raise ValueError(
                f"Argument `cropping` must be greater than the input shape. Received: inputs.shape={inputs.shape}, and "
                f"cropping={self.cropping}"
            )
        return _crop(inputs, self.cropping, first)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"cropping": self.cropping, "data_format": self.data_format})
        return config


class Cropping1D(Layer):
    """[batch, time, features] without the first and last time steps (`tf.keras.layers.Cropping1D`)."""

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = normalize_tuple(cropping, 2, "cropping", allow_zero=True)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """inputs without the margins; ValueError when nothing is left."""
        if inputs.shape[1] is not None and sum(self.cropping) >= inputs.shape[1]:
            raise ValueError(
                "cropping parameter of Cropping layer must be greater than the input shape. Received: inputs.shape="
                f"{inputs.shape}, and cropping={self.cropping}"
            )
        return _crop(inputs, (self.cropping,), False)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["cropping"] = self.cropping
        return config


class Cropping2D(_Cropping):
    """Images without their margins (`tf.keras.layers.Cropping2D`)."""

    _n = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, kwargs)


class Cropping3D(_Cropping):
    """Volumes without their margins (`tf.keras.layers.Cropping3D`)."""

    _n = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, kwargs)


@op("UpSampling", x=TENSOR)
def _repeated(x: Any, sizes: Any, first: bool) -> Any:
    at = 2 if first else 1
    for i, n in enumerate(sizes):
        if n != 1:
            x = torch.repeat_interleave(x, n, dim=at + i)
    return x


class UpSampling1D(Layer):
    """Every time step `size` times (`tf.keras.layers.UpSampling1D`)."""

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = int(size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """The repeated steps."""
        return _repeated(inputs, (self.size,), False)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["size"] = self.size
        return config


_INTERPOLATIONS = {"area", "bicubic", "bilinear", "gaussian", "lanczos3", "lanczos5", "mitchellcubic", "nearest"}


@op("UpSamplingBilinear", x=tensor(FLOATS))
def _smooth(x: Any, size: Any, mode: str, first: bool) -> Any:
    x = x if first else x.permute(0, 3, 1, 2)
    out = F.interpolate(x, scale_factor=tuple(float(s) for s in size), mode=mode, align_corners=False)
    return out if first else out.permute(0, 2, 3, 1)


class UpSampling2D(Layer):
    """Every pixel `size` times, or interpolated (`tf.keras.layers.UpSampling2D`)."""

    def __init__(self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.size = normalize_tuple(size, 2, "size")
        interpolation = interpolation.lower()
        if interpolation not in _INTERPOLATIONS:
            raise NotImplementedError(
                f"Value not recognized for `interpolation`: {interpolation}. Supported values are: {sorted(_INTERPOLATIONS)}"
            )
        self.interpolation = interpolation
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """The enlarged images."""
        first = self.data_format == "channels_first"
        if self.interpolation == "nearest":
            return _repeated(inputs, self.size, first)
        if self.interpolation == "bilinear":
            return _smooth(inputs, self.size, "bilinear", first)
        x = tf.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        whole = tf.shape(x)[1:3] * tf.constant(self.size)
        x = tf.image.resize(x, whole, method=self.interpolation)
        return tf.transpose(x, (0, 3, 1, 2)) if first else x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"size": self.size, "data_format": self.data_format, "interpolation": self.interpolation})
        return config


class UpSampling3D(Layer):
    """Every voxel `size` times (`tf.keras.layers.UpSampling3D`)."""

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        self.data_format = normalize_data_format(data_format)
        self.size = normalize_tuple(size, 3, "size")
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        """The enlarged volumes."""
        return _repeated(inputs, self.size, self.data_format == "channels_first")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"size": self.size, "data_format": self.data_format})
        return config
