"""MobileNet V2: Sandler et al., Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381."""

from __future__ import annotations

from typing import Any

from .. import backend
from .._base.symbolic import is_symbol
from ..layers import Add, Conv2D, DepthwiseConv2D, GlobalAveragePooling2D, ReLU, ZeroPadding2D
from . import imagenet_utils
from ._building import STORE, Request, channels_of, divisible, norm, only_our_layers, size_of, strided_pad
from .mobilenet import published_size, weights_size

#: (width, stride, repeats) of the inverted residual blocks; the first of all does not expand
_BLOCKS = ((16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1))
_SIZES = (96, 128, 160, 192, 224)
_NORM = {"epsilon": 1e-3, "momentum": 0.999}


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """MobileNet V2 of width `alpha` (`tf.keras.applications.MobileNetV2`).

    Published weights exist for alpha 0.35, 0.5, 0.75, 1, 1.3 and 1.4. ValueError for arguments that do not fit together.
    """
    only_our_layers(kwargs)
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    asked.check()
    default = published_size(input_shape, _SIZES)
    if input_tensor is not None:
        default = agreed_size(input_tensor, input_shape, _SIZES, default)
    x = asked.image(default, 32)
    rows, columns = asked.rows_and_columns()
    if weights == "imagenet":
        if alpha not in (0.35, 0.50, 0.75, 1.0, 1.3, 1.4):
            raise ValueError(
                "If imagenet weights are being loaded, alpha must be one of `0.35`, `0.50`, `0.75`, `1.0`, `1.3` or `1.4` only; "
                f"Received `alpha={alpha}`"
            )
        rows = weights_size(rows, columns, _SIZES)
    x = Conv2D(divisible(32 * alpha), kernel_size=3, strides=(2, 2), padding="same", use_bias=False, name="Conv1")(x)
    x = ReLU(6.0, name="Conv1_relu")(norm(x, "bn_Conv1", **_NORM))
    count = 0
    for width, first_stride, repeats in _BLOCKS:
        for i in range(repeats):
            x = _block(x, divisible(int(width * alpha)), first_stride if i == 0 else 1, count)
            count += 1
    x = Conv2D(divisible(1280 * alpha) if alpha > 1.0 else 1280, kernel_size=1, use_bias=False, name="Conv_1")(x)
    x = ReLU(6.0, name="out_relu")(norm(x, "Conv_1_bn", **_NORM))
    x = asked.classify(GlobalAveragePooling2D()(x)) if include_top else asked.pool(x)
    model = asked.model(x, f"mobilenetv2_{alpha:0.2f}_{rows}")
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}{'' if include_top else '_no_top'}.h5"
    return asked.load(model, f"{STORE}mobilenet_v2/{file}", None)


def agreed_size(tensor: Any, shape: Any, sizes: tuple[int, ...], default: int) -> int:
    """The default image size for an input tensor. ValueError when it and the input shape contradict each other."""
    if not is_symbol(tensor):
        raise ValueError(f"input_tensor is not a TF-Keras tensor; Received `input_tensor={tensor}`")
    if shape is None:
        rows, columns = size_of(tensor)
        return int(rows) if rows == columns and rows in sizes else 224
    at = 1 if backend.image_data_format() == "channels_first" else 2
    if tensor.shape.as_list()[at] != shape[1]:
        raise ValueError(
            f"input_tensor.shape[{at}] must equal input_shape[1]; Received `input_tensor.shape={tensor.shape}`, `input_shape={shape}`"
        )
    return default


def _block(x: Any, width: int, stride: int, number: int) -> Any:
    """1×1 expansion, 3×3 depthwise and linear 1×1 projection, with a shortcut between equal shapes."""
    inputs, given = x, channels_of(x)
    prefix = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = Conv2D(6 * given, kernel_size=1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = ReLU(6.0, name=f"{prefix}expand_relu")(norm(x, f"{prefix}expand_BN", **_NORM))
    if stride == 2:
        x = ZeroPadding2D(padding=strided_pad(x, 3), name=f"{prefix}pad")(x)
    x = DepthwiseConv2D(
        kernel_size=3, strides=stride, use_bias=False, padding="same" if stride == 1 else "valid", name=f"{prefix}depthwise"
    )(x)
    x = ReLU(6.0, name=f"{prefix}depthwise_relu")(norm(x, f"{prefix}depthwise_BN", **_NORM))
    x = Conv2D(width, kernel_size=1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = norm(x, f"{prefix}project_BN", **_NORM)
    return Add(name=f"{prefix}add")([inputs, x]) if given == width and stride == 1 else x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [-1, 1] (`tf.keras.applications.mobilenet_v2.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
