"""EfficientNet V2: Tan and Le, Smaller Models and Faster Training, arXiv:2104.00298."""

from __future__ import annotations

import math
from typing import Any

from tf2compat import constant_initializer

from ..layers import (
    Activation,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Normalization,
    Rescaling,
    add,
)
from . import imagenet_utils
from ._building import FAN_OUT, FAN_OUT_DENSE, STORE, Request, channel_axis, norm
from .efficientnet import excited

#: (repeats, width, expansion, stride, whether expansion and depthwise convolution are fused into one), after a stem of so many channels
_STAGES: dict[str, tuple[int, tuple[tuple[int, int, int, int, bool], ...]]] = {
    "b": (32, (
        (1, 16, 1, 1, True), (2, 32, 4, 2, True), (2, 48, 4, 2, True), (3, 96, 4, 2, False),
        (5, 112, 6, 1, False), (8, 192, 6, 2, False),
    )),
    "s": (24, (
        (2, 24, 1, 1, True), (4, 48, 4, 2, True), (4, 64, 4, 2, True), (6, 128, 4, 2, False),
        (9, 160, 6, 1, False), (15, 256, 6, 2, False),
    )),
    "m": (24, (
        (3, 24, 1, 1, True), (5, 48, 4, 2, True), (5, 80, 4, 2, True), (7, 160, 4, 2, False),
        (14, 176, 6, 1, False), (18, 304, 6, 2, False), (5, 512, 6, 1, False),
    )),
    "l": (32, (
        (4, 32, 1, 1, True), (7, 64, 4, 2, True), (7, 96, 4, 2, True), (10, 192, 4, 2, False),
        (19, 224, 6, 1, False), (25, 384, 6, 2, False), (7, 640, 6, 1, False),
    )),
}  # fmt: skip
#: stages, width and depth as multiples of theirs, image size
_SCALES = {
    "b0": ("b", 1.0, 1.0, 224),
    "b1": ("b", 1.0, 1.1, 240),
    "b2": ("b", 1.1, 1.2, 260),
    "b3": ("b", 1.2, 1.4, 300),
    "s": ("s", 1.0, 1.0, 384),
    "m": ("m", 1.0, 1.0, 480),
    "l": ("l", 1.0, 1.0, 480),
}
_HASHES = {
    "b0": ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "b1": ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "b2": ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "b3": ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "s": ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "m": ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "l": ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
}
_NORM = {"momentum": 0.9}
_DROP_CONNECT = 0.2


def EfficientNetV2B0(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """EfficientNet V2 B0, for images of 224×224 (`tf.keras.applications.EfficientNetV2B0`). ValueError for arguments that do not fit
    together.
    """
    return _efficientnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b0", include_preprocessing)


def EfficientNetV2B1(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """EfficientNet V2 B1, for images of 240×240 (`tf.keras.applications.EfficientNetV2B1`). ValueError for arguments that do not fit
    together.
    """
    return _efficientnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b1", include_preprocessing)


def EfficientNetV2B2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """EfficientNet V2 B2, for images of 260×260 (`tf.keras.applications.EfficientNetV2B2`). ValueError for arguments that do not fit
    together.
    """
    return _efficientnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b2", include_preprocessing)


def EfficientNetV2B3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """EfficientNet V2 B3, for images of 300×300 (`tf.keras.applications.EfficientNetV2B3`). ValueError for arguments that do not fit
    together.
    """
    return _efficientnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "b3", include_preprocessing)


def EfficientNetV2S(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """EfficientNet V2 S, for images of 384×384 (`tf.keras.applications.EfficientNetV2S`). ValueError for arguments that do not fit
    together.
    """
    return _efficientnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "s", include_preprocessing)


def EfficientNetV2M(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """EfficientNet V2 M, for images of 480×480 (`tf.keras.applications.EfficientNetV2M`). ValueError for arguments that do not fit
    together.
    """
    return _efficientnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "m", include_preprocessing)


def EfficientNetV2L(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """EfficientNet V2 L, for images of 480×480 (`tf.keras.applications.EfficientNetV2L`). ValueError for arguments that do not fit
    together.
    """
    return _efficientnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "l", include_preprocessing)


def _efficientnet_v2(asked: Request, variant: str, include_preprocessing: bool) -> Any:
    kind, width, depth, size = _SCALES[variant]
    stem, stages = _STAGES[kind]

    def channels(n: int) -> int:
        return int(max(8, int(n * width + 4) // 8 * 8))

    asked.check()
    x = asked.image(size, 32)
    if include_preprocessing:
        if kind == "b" and asked.channels == 3:
            x = Rescaling(scale=1.0 / 255)(x)
            mean, variance = [0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2]
            x = Normalization(mean=mean, variance=variance, axis=1 if channel_axis() == 1 else 3)(x)
        else:
            x = Rescaling(scale=1.0 / 128.0, offset=-1)(x)
    x = _convolved(x, channels(stem), 3, 2, "stem_conv")
    x = Activation("swish", name="stem_activation")(norm(x, "stem_bn", **_NORM))
    total = float(sum(stage[0] for stage in stages))
    done, given = 0, channels(stem)
    for number, (repeats, out, expansion, stride, fused) in enumerate(stages, 1):
        for i in range(math.ceil(depth * repeats)):
            name = f"block{number}{chr(97 + i)}_"
            x = _block(x, given, channels(out), expansion, stride if i == 0 else 1, fused, _DROP_CONNECT * done / total, name)
            given = channels(out)
            done += 1
    x = _convolved(x, channels(1280), 1, 1, "top_conv")
    x = Activation("swish", name="top_activation")(norm(x, "top_bn", **_NORM))
    if asked.include_top:
        x = Dropout(0.2, name="top_dropout")(GlobalAveragePooling2D(name="avg_pool")(x))
        x = asked.classify(x, kernel_initializer=FAN_OUT_DENSE, bias_initializer=constant_initializer(0))
    else:
        x = asked.pool(x, "avg_pool", "max_pool")
    name = f"efficientnetv2-{variant}"
    file = f"{name}{'' if asked.include_top else '_notop'}.h5"
    return asked.load(asked.model(x, name), f"{STORE}efficientnet_v2/{file}", _HASHES[variant][not asked.include_top])


def _convolved(x: Any, width: int, kernel: int, stride: int, name: str) -> Any:
    return Conv2D(width, kernel_size=kernel, strides=stride, kernel_initializer=FAN_OUT, padding="same", use_bias=False, name=name)(x)


def _block(x: Any, given: int, width: int, expansion: int, stride: int, fused: bool, drop_rate: float, name: str) -> Any:
    """An inverted bottleneck, depthwise with squeeze-and-excite, or fused into one 3×3 convolution; with stochastic depth."""
    inputs, inner = x, given * expansion
    if expansion != 1:
        x = _convolved(x, inner, 3 if fused else 1, stride if fused else 1, f"{name}expand_conv")
        x = Activation("swish", name=f"{name}expand_activation")(norm(x, f"{name}expand_bn", **_NORM))
    if not fused:
        x = DepthwiseConv2D(
            kernel_size=3, strides=stride, depthwise_initializer=FAN_OUT, padding="same", use_bias=False, name=f"{name}dwconv2"
        )(x)
        x = Activation("swish", name=f"{name}activation")(norm(x, f"{name}bn", **_NORM))
        x = excited(x, inner, max(1, int(given * 0.25)), "swish", name)
    alone = fused and expansion == 1
    x = _convolved(x, width, 3 if alone else 1, stride if alone else 1, f"{name}project_conv")
    x = norm(x, f"{name}project_bn", **_NORM)
    if alone:
        x = Activation("swish", name=f"{name}project_activation")(x)
    if stride == 1 and given == width:
        if drop_rate:
            x = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = add([x, inputs], name=f"{name}add")
    return x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """The input as it is: the network scales pixels itself (`tf.keras.applications.efficientnet_v2.preprocess_input`)."""
    return x


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
