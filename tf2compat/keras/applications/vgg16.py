"""VGG: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv:1409.1556."""

from __future__ import annotations

from typing import Any

from ..layers import Conv2D, Dense, Flatten, MaxPooling2D
from . import imagenet_utils
from ._building import STORE, Request

_WIDTHS = (64, 128, 256, 512, 512)
_HASHES = ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc")


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """VGG-16, 138 million parameters (`tf.keras.applications.VGG16`). ValueError for arguments that do not fit together."""
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return vgg(asked, "vgg16", (2, 2, 3, 3, 3), _HASHES)


def vgg(asked: Request, name: str, repeats: tuple[int, ...], hashes: tuple[str, str]) -> Any:
    """Blocks of 3×3 convolutions, each `repeats` long and halved in size after it."""
    asked.check()
    x = asked.image(224, 32)
    for block, (width, repeat) in enumerate(zip(_WIDTHS, repeats, strict=True), 1):
        for i in range(1, repeat + 1):
            x = Conv2D(width, (3, 3), activation="relu", padding="same", name=f"block{block}_conv{i}")(x)
        x = MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if asked.include_top:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
        x = asked.classify(x)
    else:
        x = asked.pool(x)
    file = f"{name}_weights_tf_dim_ordering_tf_kernels{'' if asked.include_top else '_notop'}.h5"
    return asked.load(asked.model(x, name), f"{STORE}{name}/{file}", hashes[not asked.include_top])


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """BGR pixels less ImageNet's mean (`tf.keras.applications.vgg16.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="caffe")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
