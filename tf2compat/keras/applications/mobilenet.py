"""MobileNet: Howard et al., Efficient Convolutional Neural Networks for Mobile Vision Applications, arXiv:1704.04861."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.logs import get_logger

from ..layers import Activation, Conv2D, DepthwiseConv2D, Dropout, GlobalAveragePooling2D, ReLU, Reshape, ZeroPadding2D
from . import imagenet_utils
from ._building import STORE, Request, norm, only_our_layers

#: (width, stride) of the thirteen separable convolutions
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
_SIZES = (128, 160, 192, 224)
_ALPHAS = {1.0: "1_0", 0.75: "7_5", 0.50: "5_0", 0.25: "2_5"}


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 0.001,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """MobileNet of width `alpha` (`tf.keras.applications.MobileNet`).

    Published weights exist for alpha 0.25, 0.5, 0.75 and 1. ValueError for arguments that do not fit together.
    """
    only_our_layers(kwargs)
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    asked.check()
    image = asked.image(published_size(input_shape, _SIZES), 32)
    rows, columns = asked.rows_and_columns()
    if weights == "imagenet":
        if depth_multiplier != 1:
            raise ValueError(f"If imagenet weights are being loaded, depth multiplier must be 1.  Received depth_multiplier={depth_multiplier}")
        if alpha not in _ALPHAS:
            raise ValueError(
                f"If imagenet weights are being loaded, alpha can be one of`0.25`, `0.50`, `0.75` or `1.0` only.  Received alpha={alpha}"
            )
        rows = weights_size(rows, columns, _SIZES)
    x = _convolved(image, int(32 * alpha), 3, 2, "conv1", "conv1")
    for i, (width, stride) in enumerate(_BLOCKS, 1):
        if stride == 2:
            x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
        x = DepthwiseConv2D(
            (3, 3), padding="same" if stride == 1 else "valid", depth_multiplier=depth_multiplier, strides=stride, use_bias=False,
            name=f"conv_dw_{i}",
        )(x)  # fmt: skip
        x = ReLU(6.0, name=f"conv_dw_{i}_relu")(norm(x, f"conv_dw_{i}_bn"))
        x = _convolved(x, int(width * alpha), 1, 1, f"conv_pw_{i}", f"conv_pw_{i}")
    if include_top:
        x = GlobalAveragePooling2D(keepdims=True)(x)
        x = Dropout(dropout, name="dropout")(x)
        x = Conv2D(classes, (1, 1), padding="same", name="conv_preds")(x)
        x = Reshape((classes,), name="reshape_2")(x)
        asked.check_activation()
        x = Activation(activation=classifier_activation, name="predictions")(x)
    else:
        x = asked.pool(x)
    model = asked.model(x, f"mobilenet_{alpha:0.2f}_{rows}")
    file = f"mobilenet_{_ALPHAS.get(alpha)}_{rows}_tf{'' if include_top else '_no_top'}.h5"
    return asked.load(model, f"{STORE}mobilenet/{file}", None)


def _convolved(x: Any, width: int, kernel: int, stride: int, name: str, rest: str) -> Any:
    x = Conv2D(width, (kernel, kernel), padding="same", use_bias=False, strides=(stride, stride), name=name)(x)
    return ReLU(6.0, name=f"{rest}_relu")(norm(x, f"{rest}_bn"))


def published_size(shape: Any, sizes: tuple[int, ...]) -> int:
    """The image size that goes without saying: `shape`'s when weights were published for it."""
    from .. import backend

    if shape is None:
        return 224
    rows, columns = shape[1:3] if backend.image_data_format() == "channels_first" else shape[0:2]
    return int(rows) if rows == columns and rows in sizes else 224


def weights_size(rows: Any, columns: Any, sizes: tuple[int, ...]) -> Any:
    """The image size whose published weights to load, with a warning when it is another one."""
    if rows == columns and rows in sizes:
        return rows
    get_logger().warning(
        "`input_shape` is undefined or non-square, or `rows` is not in %s. Weights for input shape (224, 224) will be loaded as the default.",
        list(sizes),
    )
    return 224


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [-1, 1] (`tf.keras.applications.mobilenet.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
