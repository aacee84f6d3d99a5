"""DenseNet: Huang et al., Densely Connected Convolutional Networks, arXiv:1608.06993."""

from __future__ import annotations

from typing import Any

from ..layers import Activation, AveragePooling2D, Concatenate, Conv2D, GlobalAveragePooling2D, MaxPooling2D, ZeroPadding2D
from . import imagenet_utils
from ._building import STORE, Request, channel_axis, channels_of, norm

_GROWTH = 32
#: number of layers in each dense block
_REPEATS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
_HASHES = {
    121: ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    169: ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    201: ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


def DenseNet121(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """DenseNet-121 (`tf.keras.applications.DenseNet121`). ValueError for arguments that do not fit together."""
    return _densenet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 121)


def DenseNet169(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """DenseNet-169 (`tf.keras.applications.DenseNet169`). ValueError for arguments that do not fit together."""
    return _densenet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 169)


def DenseNet201(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """DenseNet-201 (`tf.keras.applications.DenseNet201`). ValueError for arguments that do not fit together."""
    return _densenet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 201)


def _densenet(asked: Request, depth: int) -> Any:
    asked.check()
    x = ZeroPadding2D(padding=((3, 3), (3, 3)))(asked.image(224, 32))
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = _activated(x, "conv1/")
    x = ZeroPadding2D(padding=((1, 1), (1, 1)))(x)
    x = MaxPooling2D(3, strides=2, name="pool1")(x)
    axis = 1 if channel_axis() == 1 else 3
    for block, repeat in enumerate(_REPEATS[depth], 2):
        for i in range(1, repeat + 1):
            name = f"conv{block}_block{i}"
            new = Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(_activated(x, f"{name}_0_"))
            new = Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(_activated(new, f"{name}_1_"))
            x = Concatenate(axis=axis, name=f"{name}_concat")([x, new])
        if block < 5:
            x = _activated(x, f"pool{block}_")
            x = Conv2D(channels_of(x) // 2, 1, use_bias=False, name=f"pool{block}_conv")(x)
            x = AveragePooling2D(2, strides=2, name=f"pool{block}_pool")(x)
    x = _activated(x, "")
    x = asked.classify(GlobalAveragePooling2D(name="avg_pool")(x)) if asked.include_top else asked.pool(x, "avg_pool", "max_pool")
    name = f"densenet{depth}"
    file = f"{name}_weights_tf_dim_ordering_tf_kernels{'' if asked.include_top else '_notop'}.h5"
    return asked.load(asked.model(x, name), f"{STORE}densenet/{file}", _HASHES[depth][not asked.include_top])


def _activated(x: Any, prefix: str) -> Any:
    return Activation("relu", name=f"{prefix}relu")(norm(x, f"{prefix}bn", epsilon=1.001e-5))


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [0, 1], less ImageNet's mean, over its standard deviation (`tf.keras.applications.densenet.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="torch")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
