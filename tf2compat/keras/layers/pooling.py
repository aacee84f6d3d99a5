"""Pooling layers, local and global."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS, REALS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.nn._spatial import TO_FIRST, TO_LAST
from tf2compat.nn.pooling import avg_pooled, max_pooled

from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._common import conv_output_length, normalize_data_format, normalize_padding, normalize_tuple


@op("KerasMaxPool", x=tensor(REALS))
def _max(x: Any, window: Any, strides: Any, padding: str, first: bool) -> Any:
    return _pooled(x, window, strides, padding, first, True)


@op("KerasAvgPool", x=tensor(FLOATS))
def _avg(x: Any, window: Any, strides: Any, padding: str, first: bool) -> Any:
    return _pooled(x, window, strides, padding, first, False)


def _pooled(x: Any, window: Any, strides: Any, padding: str, first: bool, largest: bool) -> Any:
    n = len(window)
    if n == 1:
        at = 2 if first else 1
        return _pooled(x.unsqueeze(at), (1, *window), (1, *strides), padding, first, largest).squeeze(at)
    y = x if first else x.permute(TO_FIRST[n])
    out = max_pooled(y, n, window, strides, padding, (1,) * n) if largest else avg_pooled(y, n, window, strides, padding)
    return out if first else out.permute(TO_LAST[n])


class _Pooling(Layer):
    _n: int
    _op: Any

    def __init__(self, pool_size: Any, strides: Any, padding: str, data_format: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(**kwargs)
        n = self._n
        if strides is None:
            strides = pool_size
        self.pool_size = normalize_tuple(pool_size, n, "pool_size")
        self.strides = normalize_tuple(strides, n, "strides", allow_zero=True)
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=n + 2)
        self._first = self.data_format == "channels_first"
        self._upper = self.padding.upper()

    def call(self, inputs: Any) -> Any:
        """The pooled inputs."""
        d = self.__dict__
        return type(self)._op(inputs, d["pool_size"], d["strides"], d["_upper"], d["_first"])

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the result."""
        sizes = TensorShape(input_shape).as_list()
        spatial = sizes[2:] if self._first else sizes[1:-1]
        found = [conv_output_length(d, k, self.padding, s) for d, k, s in zip(spatial, self.pool_size, self.strides, strict=True)]
        return TensorShape([*sizes[:2], *found] if self._first else [sizes[0], *found, sizes[-1]])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        if self._n == 1:
            config.update({
                "strides": self.strides, "pool_size": self.pool_size, "padding": self.padding, "data_format": self.data_format,
            })  # fmt: skip
        else:
            config.update({
                "pool_size": self.pool_size, "padding": self.padding, "strides": self.strides, "data_format": self.data_format,
            })  # fmt: skip
        return config


class MaxPooling1D(_Pooling):
    """Maxima over windows of [batch, steps, features] (`tf.keras.layers.MaxPooling1D`)."""

    _n = 1
    _op = staticmethod(_max)

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = "channels_last", **kwargs: Any
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, kwargs)


class MaxPooling2D(_Pooling):
    """Maxima over windows of images (`tf.keras.layers.MaxPooling2D`)."""

    _n = 2
    _op = staticmethod(_max)

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, kwargs)


class MaxPooling3D(_Pooling):
    """Maxima over windows of volumes (`tf.keras.layers.MaxPooling3D`)."""

    _n = 3
    _op = staticmethod(_max)

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, kwargs)


class AveragePooling1D(_Pooling):
    """Means over windows of [batch, steps, features] (`tf.keras.layers.AveragePooling1D`)."""

    _n = 1
    _op = staticmethod(_avg)

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = "channels_last", **kwargs: Any
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, kwargs)


class AveragePooling2D(_Pooling):
    """Means over windows of images (`tf.keras.layers.AveragePooling2D`)."""

    _n = 2
    _op = staticmethod(_avg)

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, kwargs)


class AveragePooling3D(_Pooling):
    """Means over windows of volumes (`tf.keras.layers.AveragePooling3D`)."""

    _n = 3
    _op = staticmethod(_avg)

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, kwargs)


@op("GlobalMaxPool", x=tensor(REALS))
def _global_max(x: Any, axes: Any, keepdims: bool) -> Any:
    return x.amax(axes, keepdim=keepdims)


@op("GlobalAvgPool", x=tensor(FLOATS))
def _global_avg(x: Any, axes: Any, keepdims: bool) -> Any:
    return x.mean(axes, keepdim=keepdims)


class _Global(Layer):
    _n: int
    _op: Any

    def __init__(self, data_format: Any = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._n + 2)
        self.keepdims = keepdims
        self._axes = tuple(range(2, self._n + 2) if self.data_format == "channels_first" else range(1, self._n + 1))

    def build(self, input_shape: Any) -> None:
        """Nothing to create. ValueError when there is nothing to pool."""
        sizes = TensorShape(input_shape).as_list()
        if any(sizes[axis] == 0 for axis in self._axes):
            raise ValueError(f"Incorrect input shape {sizes} with dimension 0 at reduction axis {next(a for a in self._axes if sizes[a] == 0)}.")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The pooled inputs, [batch, channels] or with dimensions of one."""
        d = self.__dict__
        if isinstance(inputs, tf.RaggedTensor):
            reduce = tf.reduce_max if type(self)._op is _global_max else tf.reduce_mean
            return reduce(inputs, axis=list(d["_axes"]) if len(d["_axes"]) > 1 else d["_axes"][0], keepdims=d["keepdims"])
        return type(self)._op(inputs, d["_axes"], d["keepdims"])

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[batch, channels], with ones between when `keepdims`."""
        sizes = TensorShape(input_shape).as_list()
        if self.keepdims:
            return TensorShape([1 if i in self._axes else d for i, d in enumerate(sizes)])
        return TensorShape([d for i, d in enumerate(sizes) if i not in self._axes])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"data_format": self.data_format, "keepdims": self.keepdims})
        return config


class GlobalMaxPooling1D(_Global):
    """The maximum over all steps (`tf.keras.layers.GlobalMaxPooling1D`)."""

    _n = 1
    _op = staticmethod(_global_max)

    def __init__(self, data_format: str | None = "channels_last", keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)


class GlobalMaxPooling2D(_Global):
    """The maximum over all pixels (`tf.keras.layers.GlobalMaxPooling2D`)."""

    _n = 2
    _op = staticmethod(_global_max)


class GlobalMaxPooling3D(_Global):
    """The maximum over all voxels (`tf.keras.layers.GlobalMaxPooling3D`)."""

    _n = 3
    _op = staticmethod(_global_max)


class GlobalAveragePooling1D(_Global):
    """The mean over all steps that the mask keeps (`tf.keras.layers.GlobalAveragePooling1D`)."""

    _n = 1
    _op = staticmethod(_global_avg)

    def __init__(self, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The mean over steps, [batch, features]."""
        if isinstance(inputs, tf.RaggedTensor):
            return tf.reduce_mean(inputs, axis=self._axes[0])
        if mask is None:
            return _global_avg(inputs, self._axes, self.keepdims)
        kept = tf.cast(mask, inputs.dtype)
        kept = tf.expand_dims(kept, 2 if self._axes == (1,) else 1)
        axis = self._axes[0]
        return tf.reduce_sum(inputs * kept, axis=axis, keepdims=self.keepdims) / tf.reduce_sum(kept, axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the steps are gone."""
        return None


class GlobalAveragePooling2D(_Global):
    """The mean over all pixels (`tf.keras.layers.GlobalAveragePooling2D`)."""

    _n = 2
    _op = staticmethod(_global_avg)


class GlobalAveragePooling3D(_Global):
    """The mean over all voxels (`tf.keras.layers.GlobalAveragePooling3D`)."""

    _n = 3
    _op = staticmethod(_global_avg)
