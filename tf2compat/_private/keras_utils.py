"""`tensorflow.python.keras.utils.conv_utils` and `tf_utils`: helpers that layers of other libraries are written with."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .._engine.shapes import TensorShape

__all__ = ["conv_input_length", "conv_kernel_mask", "convert_data_format", "convert_shapes", "shape_type_conversion"]

_FORMATS = {3: ("NWC", "NCW"), 4: ("NHWC", "NCHW"), 5: ("NDHWC", "NCDHW")}


def convert_data_format(data_format: str, ndim: int) -> str:
    """Keras' name of a layout as that of `tf.nn`, for tensors of `ndim` dimensions."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f'Invalid data_format: {data_format}. Expected values are ["channels_first", "channels_last"]')
    if ndim not in _FORMATS:
        raise ValueError(f"Input rank not supported: {ndim}. Expected values are [3, 4, 5]")
    return _FORMATS[ndim][data_format == "channels_first"]


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """How long the input of a convolution is; None for None."""
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def conv_kernel_mask(input_shape: Any, kernel_shape: Any, strides: Any, padding: str) -> np.ndarray:
    """Which places of the input each place of a convolution's result is made of: a boolean array of input_shape + output_shape."""
    from ..keras.layers._common import conv_output_length, normalize_tuple

    if padding not in ("same", "valid"):
        raise NotImplementedError(f'Padding type {padding} not supported. Only "valid" and "same" are implemented.')
    n = len(input_shape)
    kernel, steps = ((v,) * n if isinstance(v, int) else tuple(v) for v in (kernel_shape, strides))
    if len(kernel) != n:
        raise ValueError(f"The rank of kernel_shape {kernel} should match the number of dimensions of input_shape, {n}")
    steps = normalize_tuple(steps, n, "strides")
    sizes = tuple(conv_output_length(i, k, padding, s) for i, k, s in zip(input_shape, kernel, steps, strict=True))
    mask = np.zeros((*input_shape, *sizes), bool)
    for place in itertools.product(*map(range, sizes)):
        window = []
        for i, k, s, at in zip(input_shape, kernel, steps, place, strict=True):
            first = at * s - (0 if padding == "valid" else k // 2)
            window.append(slice(max(first, 0), max(min(first + k, i), 0)))
        mask[(*window, *place)] = True
    return mask


def convert_shapes(input_shape: Any, to_tuples: bool = True) -> Any:
    """Shapes in a structure as tuples, or as TensorShapes. A tuple or list of sizes is a shape."""
    if input_shape is None:
        return None
    if isinstance(input_shape, TensorShape):
        return tuple(input_shape.as_list()) if to_tuples else input_shape
    if isinstance(input_shape, dict):
        return {k: convert_shapes(v, to_tuples) for k, v in input_shape.items()}
    if all(d is None or isinstance(d, (int, np.integer)) for d in input_shape):
        return tuple(input_shape) if to_tuples else TensorShape(input_shape)
    return type(input_shape)(convert_shapes(v, to_tuples) for v in input_shape)


def shape_type_conversion(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A layer's `build` or `compute_output_shape` that is given tuples and whose result, if any, is made a TensorShape."""

    @functools.wraps(fn)
    def wrapper(instance: Any, input_shape: Any) -> Any:
        return convert_shapes(fn(instance, convert_shapes(input_shape)), to_tuples=False)

    return wrapper
