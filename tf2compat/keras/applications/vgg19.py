"""VGG-19: Simonyan and Zisserman, arXiv:1409.1556."""

from __future__ import annotations

from typing import Any

from . import imagenet_utils
from ._building import Request
from .vgg16 import vgg

_HASHES = ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6")


def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """VGG-19, 144 million parameters (`tf.keras.applications.VGG19`). ValueError for arguments that do not fit together."""
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return vgg(asked, "vgg19", (2, 2, 4, 4, 4), _HASHES)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """BGR pixels less ImageNet's mean (`tf.keras.applications.vgg19.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="caffe")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
