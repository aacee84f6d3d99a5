"""ResNet V2: He et al., Identity Mappings in Deep Residual Networks, arXiv:1603.05027."""

from __future__ import annotations

from typing import Any

from ..layers import Add, Conv2D, MaxPooling2D, ZeroPadding2D
from . import imagenet_utils
from ._building import Request
from .resnet import REPEATS, activated, finish, shrunk, stem


def ResNet50V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ResNet-50 V2 (`tf.keras.applications.ResNet50V2`). ValueError for arguments that do not fit together."""
    return _resnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 50)


def ResNet101V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ResNet-101 V2 (`tf.keras.applications.ResNet101V2`). ValueError for arguments that do not fit together."""
    return _resnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 101)


def ResNet152V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ResNet-152 V2 (`tf.keras.applications.ResNet152V2`). ValueError for arguments that do not fit together."""
    return _resnet_v2(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 152)


def _resnet_v2(asked: Request, depth: int) -> Any:
    """The network with its activations before the convolutions; a stack halves the size in its last block."""
    x = shrunk(stem(asked))
    for stack, (width, repeat) in enumerate(zip((64, 128, 256, 512), REPEATS[f"resnet{depth}"], strict=True), 2):
        for i in range(1, repeat + 1):
            x = _block(x, width, 2 if i == repeat and stack < 5 else 1, i == 1, f"conv{stack}_block{i}")
    return finish(asked, activated(x, "post"), f"resnet{depth}v2")


def _block(x: Any, width: int, stride: int, projects: bool, name: str) -> Any:
    start = activated(x, f"{name}_preact")
    if projects:
        shortcut = Conv2D(4 * width, 1, strides=stride, name=f"{name}_0_conv")(start)
    else:
        shortcut = MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = activated(Conv2D(width, 1, strides=1, use_bias=False, name=f"{name}_1_conv")(start), f"{name}_1")
    x = ZeroPadding2D(padding=((1, 1), (1, 1)), name=f"{name}_2_pad")(x)
    x = activated(Conv2D(width, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x), f"{name}_2")
    return Add(name=f"{name}_out")([shortcut, Conv2D(4 * width, 1, name=f"{name}_3_conv")(x)])


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [-1, 1] (`tf.keras.applications.resnet_v2.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
