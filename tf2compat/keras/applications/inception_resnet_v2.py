"""Inception-ResNet V2: Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections, arXiv:1602.07261."""

from __future__ import annotations

from typing import Any

from ..layers import Activation, AveragePooling2D, Concatenate, Conv2D, GlobalAveragePooling2D, Layer, MaxPooling2D
from ..utils import register_keras_serializable
from . import imagenet_utils
from ._building import STORE, Request, channel_axis, channels_of, norm, only_our_layers

_HASHES = ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4")
#: a convolution is (width, kernel) or (width, kernel, stride, padding); a branch is convolutions in a row
_STEM = (((32, 3, 2, "valid"), (32, 3, 1, "valid"), (64, 3)), ((80, 1, 1, "valid"), (192, 3, 1, "valid")))
_MIXED_5B = (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))
_MIXED_6A = (((384, 3, 2, "valid"),), ((256, 1), (256, 3), (384, 3, 2, "valid")))
_MIXED_7A = (((256, 1), (384, 3, 2, "valid")), ((256, 1), (288, 3, 2, "valid")), ((256, 1), (288, 3), (320, 3, 2, "valid")))
#: residual blocks by name: branches
_BLOCKS: dict[str, Any] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, [1, 7]), (192, [7, 1]))),
    "block8": (((192, 1),), ((192, 1), (224, [1, 3]), (256, [3, 1]))),
}


def InceptionResNetV2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    **kwargs: Any,
) -> Any:
    """Inception-ResNet V2 (`tf.keras.applications.InceptionResNetV2`). ValueError for arguments that do not fit together."""
    only_our_layers(kwargs)
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    asked.check()
    x = asked.image(299, 75)
    for part in _STEM:
        x = MaxPooling2D(3, strides=2)(_row(x, part))
    made = [_row(x, branch) for branch in _MIXED_5B]
    pooled = _row(AveragePooling2D(3, strides=1, padding="same")(x), ((64, 1),))
    x = Concatenate(axis=_axis(), name="mixed_5b")([*made, pooled])
    for i in range(1, 11):
        x = _residual(x, "block35", 0.17, i)
    x = _shrunk(x, _MIXED_6A, "mixed_6a")
    for i in range(1, 21):
        x = _residual(x, "block17", 0.1, i)
    x = _shrunk(x, _MIXED_7A, "mixed_7a")
    for i in range(1, 10):
        x = _residual(x, "block8", 0.2, i)
    x = _residual(x, "block8", 1.0, 10, activate=False)
    x = norm(Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x), "conv_7b_bn", scale=False)
    x = Activation("relu", name="conv_7b_ac")(x)
    if include_top:
        x = asked.classify(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = asked.pool(x)
    file = f"inception_resnet_v2_weights_tf_dim_ordering_tf_kernels{'' if include_top else '_notop'}.h5"
    return asked.load(asked.model(x, "inception_resnet_v2"), f"{STORE}inception_resnet_v2/{file}", _HASHES[not include_top])


@register_keras_serializable()
class CustomScaleLayer(Layer):
    """`inputs[0] + scale * inputs[1]`; Keras' name, which saved models contain."""

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"scale": self.scale}

    def call(self, inputs: Any) -> Any:
        """The first input plus the second, scaled."""
        return inputs[0] + inputs[1] * self.scale


def _axis() -> int:
    return 1 if channel_axis() == 1 else 3


def _row(x: Any, convolutions: Any) -> Any:
    for width, kernel, *rest in convolutions:
        stride, padding = rest or (1, "same")
        x = Conv2D(width, kernel, strides=stride, padding=padding, use_bias=False)(x)
        x = Activation("relu")(norm(x, scale=False))
    return x


def _shrunk(x: Any, branches: Any, name: str) -> Any:
    made = [_row(x, branch) for branch in branches]
    return Concatenate(axis=_axis(), name=name)([*made, MaxPooling2D(3, strides=2, padding="valid")(x)])


def _residual(x: Any, kind: str, scale: float, number: int, activate: bool = True) -> Any:
    """Branches side by side, projected back and added, scaled, to the input."""
    name = f"{kind}_{number}"
    mixed = Concatenate(axis=_axis(), name=f"{name}_mixed")([_row(x, branch) for branch in _BLOCKS[kind]])
    up = Conv2D(channels_of(x), 1, padding="same", use_bias=True, name=f"{name}_conv")(mixed)
    x = CustomScaleLayer(scale)([x, up])
    return Activation("relu", name=f"{name}_ac")(x) if activate else x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [-1, 1] (`tf.keras.applications.inception_resnet_v2.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
