"""MobileNet V3: Howard et al., Searching for MobileNetV3, arXiv:1905.02244."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.logs import get_logger

from .. import backend
from .._base.symbolic import is_symbol
from ..layers import (
    Activation,
    Add,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Multiply,
    ReLU,
    Rescaling,
    ZeroPadding2D,
)
from . import imagenet_utils
from ._building import STORE, Request, channels_of, divisible, norm, size_of, strided_pad

#: (expansion, width, kernel, stride, squeeze-and-excite, hard swish); kernel 5, excitation and swish are not minimalistic
_BLOCKS: dict[str, tuple[tuple[float, int, int, int, bool, bool], ...]] = {
    "small": (
        (1, 16, 3, 2, True, False), (72.0 / 16, 24, 3, 2, False, False), (88.0 / 24, 24, 3, 1, False, False), (4, 40, 5, 2, True, True),
        (6, 40, 5, 1, True, True), (6, 40, 5, 1, True, True), (3, 48, 5, 1, True, True), (3, 48, 5, 1, True, True),
        (6, 96, 5, 2, True, True), (6, 96, 5, 1, True, True), (6, 96, 5, 1, True, True),
    ),
    "large": (
        (1, 16, 3, 1, False, False), (4, 24, 3, 2, False, False), (3, 24, 3, 1, False, False), (3, 40, 5, 2, True, False),
        (3, 40, 5, 1, True, False), (3, 40, 5, 1, True, False), (6, 80, 3, 2, False, True), (2.5, 80, 3, 1, False, True),
        (2.3, 80, 3, 1, False, True), (2.3, 80, 3, 1, False, True), (6, 112, 3, 1, True, True), (6, 112, 3, 1, True, True),
        (6, 160, 5, 2, True, True), (6, 160, 5, 1, True, True), (6, 160, 5, 1, True, True),
    ),
}  # fmt: skip
_LAST = {"small": 1024, "large": 1280}
_NORM = {"epsilon": 1e-3, "momentum": 0.999}
_HASHES = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}


def MobileNetV3Small(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """MobileNet V3 small of width `alpha` (`tf.keras.applications.MobileNetV3Small`).

    `minimalistic` leaves out 5×5 kernels, hard swish and squeeze-and-excite. Published weights exist for alpha 0.75 and 1.
    ValueError for arguments that do not fit together.
    """
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _mobilenet_v3(asked, "small", alpha, minimalistic, dropout_rate, include_preprocessing)


def MobileNetV3Large(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """MobileNet V3 large of width `alpha` (`tf.keras.applications.MobileNetV3Large`).

    `minimalistic` leaves out 5×5 kernels, hard swish and squeeze-and-excite. Published weights exist for alpha 0.75 and 1.
    ValueError for arguments that do not fit together.
    """
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _mobilenet_v3(asked, "large", alpha, minimalistic, dropout_rate, include_preprocessing)


def _mobilenet_v3(asked: Request, size: str, alpha: float, minimalistic: bool, dropout_rate: float, include_preprocessing: bool) -> Any:
    asked.check()
    _agree(asked)
    rows, columns = asked.rows_and_columns()
    if rows and columns and (rows < 32 or columns < 32):
        raise ValueError(f"Input size must be at least 32x32; Received `input_shape={asked.input_shape}`")
    if asked.weights == "imagenet":
        if alpha not in ((1.0,) if minimalistic else (0.75, 1.0)):
            raise ValueError(
                "If imagenet weights are being loaded, alpha can be one of `0.75`, `1.0` for non minimalistic or `1.0` for minimalistic only."
            )
        if rows != columns or rows != 224:
            get_logger().warning(
                "`input_shape` is undefined or non-square, or `rows` is not 224. Weights for input shape (224, 224) will be loaded as the "
                "default."
            )
    x = asked.start()
    if include_preprocessing:
        x = Rescaling(scale=1.0 / 127.5, offset=-1.0)(x)
    swish = _relu if minimalistic else _hard_swish
    x = Conv2D(16, kernel_size=3, strides=(2, 2), padding="same", use_bias=False, name="Conv")(x)
    x = swish(norm(x, "Conv/BatchNorm", **_NORM))
    for i, (expansion, width, kernel, stride, excites, swishes) in enumerate(_BLOCKS[size]):
        kernel = 3 if minimalistic else kernel
        x = _block(x, expansion, divisible(width * alpha), kernel, stride, excites and not minimalistic, swish if swishes else _relu, i)
    x = Conv2D(divisible(channels_of(x) * 6), kernel_size=1, padding="same", use_bias=False, name="Conv_1")(x)
    x = swish(norm(x, "Conv_1/BatchNorm", **_NORM))
    if asked.include_top:
        x = GlobalAveragePooling2D(keepdims=True)(x)
        last = divisible(_LAST[size] * alpha) if alpha > 1.0 else _LAST[size]
        x = swish(Conv2D(last, kernel_size=1, padding="same", use_bias=True, name="Conv_2")(x))
        if dropout_rate > 0:
            x = Dropout(dropout_rate)(x)
        x = Flatten()(Conv2D(asked.classes, kernel_size=1, padding="same", name="Logits")(x))
        asked.check_activation()
        x = Activation(activation=asked.classifier_activation, name="Predictions")(x)
    else:
        x = asked.pool(x, "avg_pool", "max_pool")
    model = asked.model(x, f"MobilenetV3{size}")
    variant = f"{size}{'_minimalistic' if minimalistic else ''}_224_{alpha}_float"
    file = f"weights_mobilenet_v3_{variant}{'' if asked.include_top else '_no_top_v2'}.h5"
    hashes = _HASHES.get(variant, (None, None))
    return asked.load(model, f"{STORE}mobilenet_v3/{file}", hashes[not asked.include_top])


def _agree(asked: Request) -> None:
    """Fill in the shape. ValueError when input tensor and shape contradict each other."""
    first = backend.image_data_format() == "channels_first"
    tensor = asked.input_tensor
    if tensor is not None:
        if not is_symbol(tensor):
            raise ValueError("input_tensor specified: ", tensor, "is not a keras tensor")
        if asked.input_shape is None:
            rows, columns = size_of(tensor)
            asked.input_shape = (3, columns, rows) if first else (columns, rows, 3)
        elif tensor.shape.as_list()[1 if first else 2] != asked.input_shape[1]:
            raise ValueError(
                f"input_shape[1] must equal backend.int_shape(input_tensor)[{1 if first else 2}].  Received "
                f"input_shape={asked.input_shape}, backend.int_shape(input_tensor)={tensor.shape}"
            )
    elif asked.input_shape is None:
        asked.input_shape = (3, None, None) if first else (None, None, 3)


def _relu(x: Any) -> Any:
    return ReLU()(x)


def _hard_sigmoid(x: Any) -> Any:
    return ReLU(6.0)(x + 3.0) * (1.0 / 6.0)


def _hard_swish(x: Any) -> Any:
    return Multiply()([x, _hard_sigmoid(x)])


def _block(x: Any, expansion: float, width: int, kernel: int, stride: int, excites: bool, activation: Any, number: int) -> Any:
    """The inverted residual block of MobileNet V2, with squeeze-and-excite after the depthwise convolution."""
    inputs, given = x, channels_of(x)
    prefix = f"expanded_conv_{number}/" if number else "expanded_conv/"
    inner = divisible(given * expansion)
    if number:
        x = Conv2D(inner, kernel_size=1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = activation(norm(x, f"{prefix}expand/BatchNorm", **_NORM))
    if stride == 2:
        x = ZeroPadding2D(padding=strided_pad(x, kernel), name=f"{prefix}depthwise/pad")(x)
    x = DepthwiseConv2D(
        kernel, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False, name=f"{prefix}depthwise"
    )(x)
    x = activation(norm(x, f"{prefix}depthwise/BatchNorm", **_NORM))
    if excites:
        prefix += "squeeze_excite/"
        s = GlobalAveragePooling2D(keepdims=True, name=f"{prefix}AvgPool")(x)
        s = ReLU(name=f"{prefix}Relu")(Conv2D(divisible(inner * 0.25), kernel_size=1, padding="same", name=f"{prefix}Conv")(s))
        s = _hard_sigmoid(Conv2D(inner, kernel_size=1, padding="same", name=f"{prefix}Conv_1")(s))
        x = Multiply(name=f"{prefix}Mul")([x, s])
        prefix = prefix[: -len("squeeze_excite/")]
    x = Conv2D(width, kernel_size=1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = norm(x, f"{prefix}project/BatchNorm", **_NORM)
    return Add(name=f"{prefix}Add")([inputs, x]) if stride == 1 and given == width else x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """The input as it is: the network scales pixels itself (`tf.keras.applications.mobilenet_v3.preprocess_input`)."""
    return x


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
