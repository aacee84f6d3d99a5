"""Rescaling, Resizing, CenterCrop."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat._engine.dtypes import REALS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape

from .._base.layer import Layer

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
_TORCH = {"bilinear": "bilinear", "nearest": "nearest-exact", "area": "area"}


def check_interpolation(value: str) -> str:
    """NotImplementedError for an unknown method of interpolation."""
    value = value.lower()
    if value not in INTERPOLATIONS:
        raise NotImplementedError(f"Value not recognized for `interpolation`: {value}. Supported values are: {list(INTERPOLATIONS)}")
    return value


@op("KerasResize", x=tensor(REALS))
def _resized(x: Any, size: Any, mode: str) -> Any:
    lead = x.shape[:-3]
    y = x.reshape(-1, *x.shape[-3:]).permute(0, 3, 1, 2)
    kind = y.dtype
    if mode != "nearest-exact" or not y.is_floating_point():
        y = y.to(torch.float32) if kind is not torch.float64 else y
    options = {"align_corners": False} if mode == "bilinear" else {}
    y = F.interpolate(y, size=size, mode=mode, **options).permute(0, 2, 3, 1)
    return y.reshape(*lead, *y.shape[1:]).to(kind if mode == "nearest-exact" else y.dtype)


def resize(images: Any, size: Any, method: str) -> Any:
    """Images [..., height, width, channels] in another size; float32 except for "nearest"."""
    mode = _TORCH.get(method)
    if mode is None:
        return tf.image.resize(images, size=list(size), method=method)
    return _resized(images, tuple(size), mode)


@op("CenterPart", x=tensor(REALS))
def _middle(x: Any, height: int, width: int, top: int, left: int) -> Any:
    return x[..., top : top + height, left : left + width, :]


def smart_resize(images: Any, size: Any, method: str) -> Any:
    """The largest middle part of the target's aspect ratio, resized."""
    dims = images.shape.as_list()
    height, width = dims[-3], dims[-2]
    if height is None or width is None:
        return tf.keras.preprocessing.image.smart_resize(images, size, method)
    h, w = min(height, int(width * size[0] / size[1])), min(width, int(height * size[1] / size[0]))
    top, left = int((height - h) / 2), int((width - w) / 2)
    return resize(_middle(images, h, w, top, left), size, method)


def images_of(inputs: Any, dtype: Any) -> Any:
    """Inputs as a tensor of `dtype`; ValueError for a dict."""
    if isinstance(inputs, dict):
        raise ValueError(
            f"This layer can only process a tensor representing an image or a batch of images. Received: type(inputs)={type(inputs)}."
        )
    inputs = inputs if hasattr(getattr(inputs, "shape", None), "rank") else tf.convert_to_tensor(inputs)
    return tf.cast(inputs, dtype)


class Rescaling(Layer):
    """inputs * scale + offset (`tf.keras.layers.Rescaling`)."""

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        self.scale = scale
        self.offset = offset
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        """The rescaled inputs, in the layer's dtype."""
        dtype = self.compute_dtype
        inputs = images_of(inputs, dtype)
        return inputs * tf.cast(self.scale, dtype) + tf.cast(self.offset, dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"scale": self.scale, "offset": self.offset})
        return config


class Resizing(Layer):
    """Images in another size (`tf.keras.layers.Resizing`); `crop_to_aspect_ratio` cuts instead of distorting."""

    def __init__(self, height: int, width: int, interpolation: str = "bilinear", crop_to_aspect_ratio: bool = False, **kwargs: Any) -> None:
        self.height = height
        self.width = width
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self._method = check_interpolation(interpolation)
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        """The resized images, in the layer's dtype; those of a ragged batch one by one."""
        if isinstance(inputs, tf.RaggedTensor):
            spec = tf.TensorSpec([self.height, self.width, inputs.shape[-1]], self.compute_dtype)
            return tf.map_fn(lambda x: self.call(x.to_tensor() if isinstance(x, tf.RaggedTensor) else x), inputs, fn_output_signature=spec)
        inputs = images_of(inputs, self.compute_dtype if self._method == "nearest" else "float32")
        size = (self.height, self.width)
        out = smart_resize(inputs, size, self._method) if self.crop_to_aspect_ratio else resize(inputs, size, self._method)
        return tf.cast(out, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The input's shape with the new height and width."""
        dims = TensorShape(input_shape).as_list()
        dims[-3], dims[-2] = self.height, self.width
        return TensorShape(dims)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "height": self.height, "width": self.width, "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
        })  # fmt: skip
        return config


class CenterCrop(Layer):
    """The middle part of images; smaller images are resized (`tf.keras.layers.CenterCrop`)."""

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        self.height = height
        self.width = width
        super().__init__(**kwargs, autocast=False)

    def call(self, inputs: Any) -> Any:
        """The middle parts, in the layer's dtype."""
        inputs = images_of(inputs, self.compute_dtype)
        dims = inputs.shape.as_list()
        if dims[-3] is None or dims[-2] is None:
            return self._of_unknown_size(inputs)
        h_rest, w_rest = dims[-3] - self.height, dims[-2] - self.width
        if h_rest >= 0 and w_rest >= 0:
            return _middle(inputs, self.height, self.width, int(h_rest / 2), int(w_rest / 2))
        return tf.cast(smart_resize(inputs, (self.height, self.width), "bilinear"), self.compute_dtype)

    def _of_unknown_size(self, inputs: Any) -> Any:
        sizes = tf.shape(inputs)
        rest = [sizes[-3] - self.height, sizes[-2] - self.width]

        def cropped() -> Any:
            return tf.image.crop_to_bounding_box(inputs, rest[0] // 2, rest[1] // 2, self.height, self.width)

        def resized() -> Any:
            return tf.cast(smart_resize(inputs, (self.height, self.width), "bilinear"), self.compute_dtype)

        out = tf.cond(tf.reduce_all([r >= 0 for r in rest]), cropped, resized)
        return tf.ensure_shape(out, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The input's shape with the new height and width."""
        dims = TensorShape(input_shape).as_list()
        dims[-3], dims[-2] = self.height, self.width
        return TensorShape(dims)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"height": self.height, "width": self.width})
        return config
