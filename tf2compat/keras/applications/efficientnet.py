"""EfficientNet: Tan and Le, Rethinking Model Scaling for Convolutional Neural Networks, arXiv:1905.11946."""

from __future__ import annotations

import math
from typing import Any

from tf2compat import math as tf_math
from tf2compat import reshape

from .. import backend
from ..layers import (
    Activation,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
    add,
    multiply,
)
from . import imagenet_utils
from ._building import FAN_OUT, FAN_OUT_DENSE, Request, channel_axis, divisible, norm, strided_pad

_URL = "https://storage.googleapis.com/keras-applications/"
#: the stages of B0
_STAGES = (
    {"kernel_size": 3, "repeats": 1, "filters_in": 32, "filters_out": 16, "expand_ratio": 1, "id_skip": True, "strides": 1, "se_ratio": 0.25},
    {"kernel_size": 3, "repeats": 2, "filters_in": 16, "filters_out": 24, "expand_ratio": 6, "id_skip": True, "strides": 2, "se_ratio": 0.25},
    {"kernel_size": 5, "repeats": 2, "filters_in": 24, "filters_out": 40, "expand_ratio": 6, "id_skip": True, "strides": 2, "se_ratio": 0.25},
    {"kernel_size": 3, "repeats": 3, "filters_in": 40, "filters_out": 80, "expand_ratio": 6, "id_skip": True, "strides": 2, "se_ratio": 0.25},
    {"kernel_size": 5, "repeats": 3, "filters_in": 80, "filters_out": 112, "expand_ratio": 6, "id_skip": True, "strides": 1, "se_ratio": 0.25},
    {"kernel_size": 5, "repeats": 4, "filters_in": 112, "filters_out": 192, "expand_ratio": 6, "id_skip": True, "strides": 2, "se_ratio": 0.25},
    {"kernel_size": 3, "repeats": 1, "filters_in": 192, "filters_out": 320, "expand_ratio": 6, "id_skip": True, "strides": 1, "se_ratio": 0.25},
)
#: width and depth as multiples of B0's, image size, dropout before the top
_SCALES = {
    "b0": (1.0, 1.0, 224, 0.2),
    "b1": (1.0, 1.1, 240, 0.2),
    "b2": (1.1, 1.2, 260, 0.3),
    "b3": (1.2, 1.4, 300, 0.3),
    "b4": (1.4, 1.8, 380, 0.4),
    "b5": (1.6, 2.2, 456, 0.4),
    "b6": (1.8, 2.6, 528, 0.5),
    "b7": (2.0, 3.1, 600, 0.5),
}
_HASHES = {
    "b0": ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "b1": ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "b2": ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "b3": ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "b4": ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "b5": ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "b6": ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "b7": ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}
_STD = (0.229, 0.224, 0.225)


def EfficientNetB0(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B0, for images of 224×224 (`tf.keras.applications.EfficientNetB0`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b0", **kwargs)


def EfficientNetB1(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B1, for images of 240×240 (`tf.keras.applications.EfficientNetB1`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b1", **kwargs)


def EfficientNetB2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B2, for images of 260×260 (`tf.keras.applications.EfficientNetB2`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b2", **kwargs)


def EfficientNetB3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B3, for images of 300×300 (`tf.keras.applications.EfficientNetB3`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b3", **kwargs)


def EfficientNetB4(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B4, for images of 380×380 (`tf.keras.applications.EfficientNetB4`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b4", **kwargs)


def EfficientNetB5(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B5, for images of 456×456 (`tf.keras.applications.EfficientNetB5`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b5", **kwargs)


def EfficientNetB6(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B6, for images of 528×528 (`tf.keras.applications.EfficientNetB6`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b6", **kwargs)


def EfficientNetB7(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """EfficientNet-B7, for images of 600×600 (`tf.keras.applications.EfficientNetB7`).

    Further keywords: `drop_connect_rate`, `depth_divisor`, `activation`, `blocks_args`. ValueError for arguments that do not fit
    together.
    """
    return _efficientnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b7", **kwargs)


def _efficientnet(
    asked: Request, variant: str, drop_connect_rate: float = 0.2, depth_divisor: int = 8, activation: Any = "swish", blocks_args: Any = "default"
) -> Any:
    width, depth, size, dropout = _SCALES[variant]

    def channels(n: int) -> int:
        return int(divisible(n * width, depth_divisor))

    asked.check()
    axis = 1 if channel_axis() == 1 else 3
    x = Rescaling(1.0 / 255.0)(asked.image(size, 32))
    x = Normalization(axis=axis)(x)
    if asked.weights == "imagenet":
        # the published weights were trained on pixels divided by the variance only once
        x = tf_math.multiply(x, reshape([1.0 / math.sqrt(s) for s in _STD], [1, 3, 1, 1] if axis == 1 else [1, 1, 1, 3]))
    x = ZeroPadding2D(padding=strided_pad(x, 3), name="stem_conv_pad")(x)
    x = Conv2D(channels(32), 3, strides=2, padding="valid", use_bias=False, kernel_initializer=FAN_OUT, name="stem_conv")(x)
    x = Activation(activation, name="stem_activation")(norm(x, "stem_bn"))
    stages = _STAGES if blocks_args == "default" else blocks_args
    repeats = [math.ceil(depth * stage["repeats"]) for stage in stages]
    done = 0
    for number, (stage, repeat) in enumerate(zip(stages, repeats, strict=True), 1):
        options = {k: v for k, v in stage.items() if k != "repeats"}
        options["filters_in"], options["filters_out"] = channels(stage["filters_in"]), channels(stage["filters_out"])
        for i in range(repeat):
            x = _block(x, activation, drop_connect_rate * done / float(sum(repeats)), f"block{number}{chr(97 + i)}_", **options)
            options["strides"], options["filters_in"] = 1, options["filters_out"]
            done += 1
    x = Conv2D(channels(1280), 1, padding="same", use_bias=False, kernel_initializer=FAN_OUT, name="top_conv")(x)
    x = Activation(activation, name="top_activation")(norm(x, "top_bn"))
    if asked.include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = asked.classify(Dropout(dropout, name="top_dropout")(x), kernel_initializer=FAN_OUT_DENSE)
    else:
        x = asked.pool(x, "avg_pool", "max_pool")
    name = f"efficientnet{variant}"
    file = f"{name}{'' if asked.include_top else '_notop'}.h5"
    return asked.load(asked.model(x, name), f"{_URL}{file}", _HASHES[variant][not asked.include_top])


def _block(
    inputs: Any,
    activation: Any,
    drop_rate: float,
    name: str,
    filters_in: int = 32,
    filters_out: int = 16,
    kernel_size: int = 3,
    strides: int = 1,
    expand_ratio: int = 1,
    se_ratio: float = 0.0,
    id_skip: bool = True,
) -> Any:
    """A mobile inverted bottleneck with squeeze-and-excite and stochastic depth."""
    x, inner = inputs, filters_in * expand_ratio
    if expand_ratio != 1:
        x = Conv2D(inner, 1, padding="same", use_bias=False, kernel_initializer=FAN_OUT, name=f"{name}expand_conv")(x)
        x = Activation(activation, name=f"{name}expand_activation")(norm(x, f"{name}expand_bn"))
    if strides == 2:
        x = ZeroPadding2D(padding=strided_pad(x, kernel_size), name=f"{name}dwconv_pad")(x)
    x = DepthwiseConv2D(
        kernel_size, strides=strides, padding="valid" if strides == 2 else "same", use_bias=False, depthwise_initializer=FAN_OUT,
        name=f"{name}dwconv",
    )(x)  # fmt: skip
    x = Activation(activation, name=f"{name}activation")(norm(x, f"{name}bn"))
    if 0 < se_ratio <= 1:
        x = excited(x, inner, max(1, int(filters_in * se_ratio)), activation, name)
    x = Conv2D(filters_out, 1, padding="same", use_bias=False, kernel_initializer=FAN_OUT, name=f"{name}project_conv")(x)
    x = norm(x, f"{name}project_bn")
    if id_skip and strides == 1 and filters_in == filters_out:
        if drop_rate > 0:
            x = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = add([x, inputs], name=f"{name}add")
    return x


def excited(x: Any, width: int, reduced: int, activation: Any, name: str) -> Any:
    """Squeeze-and-excite: the channels weighted by what their means say through two 1×1 convolutions."""
    first = backend.image_data_format() == "channels_first"
    s = GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    s = Reshape((width, 1, 1) if first else (1, 1, width), name=f"{name}se_reshape")(s)
    s = Conv2D(reduced, 1, padding="same", activation=activation, kernel_initializer=FAN_OUT, name=f"{name}se_reduce")(s)
    s = Conv2D(width, 1, padding="same", activation="sigmoid", kernel_initializer=FAN_OUT, name=f"{name}se_expand")(s)
    return multiply([x, s], name=f"{name}se_excite")


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """The input as it is: the network scales pixels itself (`tf.keras.applications.efficientnet.preprocess_input`)."""
    return x


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
