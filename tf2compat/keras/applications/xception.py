"""Xception: Chollet, Deep Learning with Depthwise Separable Convolutions, arXiv:1610.02357."""

from __future__ import annotations

from typing import Any

from ..layers import Activation, Conv2D, GlobalAveragePooling2D, MaxPooling2D, SeparableConv2D, add
from . import imagenet_utils
from ._building import STORE, Request, norm

_HASHES = ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97")
#: number → widths of the two separable convolutions of a block that halves the size
_SHRINKING = {2: (128, 128), 3: (256, 256), 4: (728, 728), 13: (728, 1024)}


def Xception(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """Xception (`tf.keras.applications.Xception`). ValueError for arguments that do not fit together."""
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    asked.check()
    x = asked.image(299, 71)
    for i, (width, stride) in enumerate(((32, 2), (64, 1)), 1):
        x = Conv2D(width, (3, 3), strides=(stride, stride), use_bias=False, name=f"block1_conv{i}")(x)
        x = _relu(norm(x, f"block1_conv{i}_bn"), f"block1_conv{i}")
    for block in range(2, 14):
        if block in _SHRINKING:
            shortcut = norm(Conv2D(_SHRINKING[block][1], (1, 1), strides=(2, 2), padding="same", use_bias=False)(x))
            for i, width in enumerate(_SHRINKING[block], 1):
                name = f"block{block}_sepconv{i}"
                x = _separable(x if (block, i) == (2, 1) else _relu(x, name), width, name)
            x = MaxPooling2D((3, 3), strides=(2, 2), padding="same", name=f"block{block}_pool")(x)
        else:
            shortcut = x
            for i in range(1, 4):
                name = f"block{block}_sepconv{i}"
                x = _separable(_relu(x, name), 728, name)
        x = add([x, shortcut])
    for i, width in enumerate((1536, 2048), 1):
        x = _relu(_separable(x, width, f"block14_sepconv{i}"), f"block14_sepconv{i}")
    if include_top:
        x = asked.classify(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = asked.pool(x)
    file = f"xception_weights_tf_dim_ordering_tf_kernels{'' if include_top else '_notop'}.h5"
    return asked.load(asked.model(x, "xception"), f"{STORE}xception/{file}", _HASHES[not include_top])


def _relu(x: Any, name: str) -> Any:
    return Activation("relu", name=f"{name}_act")(x)


def _separable(x: Any, width: int, name: str) -> Any:
    return norm(SeparableConv2D(width, (3, 3), padding="same", use_bias=False, name=name)(x), f"{name}_bn")


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [-1, 1] (`tf.keras.applications.xception.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
