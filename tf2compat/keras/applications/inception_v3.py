"""Inception V3: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567."""

from __future__ import annotations

from typing import Any

from ..layers import Activation, AveragePooling2D, Conv2D, GlobalAveragePooling2D, MaxPooling2D, concatenate
from . import imagenet_utils
from ._building import STORE, Request, channel_axis, norm

_HASHES = ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63")
#: a convolution is (width, kernel) or (width, kernel, stride); a branch is convolutions in a row. Strided ones are not padded.
_STEM = (((32, 3, 2, "valid"), (32, 3, 1, "valid"), (64, 3)), ((80, 1, 1, "valid"), (192, 3, 1, "valid")))
_SMALL = (((64, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))
_SHRINK_A = (((384, 3, 2, "valid"),), ((64, 1), (96, 3), (96, 3, 2, "valid")))
_SHRINK_B = (((192, 1), (320, 3, 2, "valid")), ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, "valid")))


def InceptionV3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """Inception V3 (`tf.keras.applications.InceptionV3`). ValueError for arguments that do not fit together."""
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    asked.check()
    x = asked.image(299, 75)
    for part in _STEM:
        x = MaxPooling2D((3, 3), strides=(2, 2))(_row(x, part))
    for i, pooled in enumerate((32, 64, 64)):
        x = _mixed(x, _SMALL, pooled, f"mixed{i}")
    x = _shrunk(x, _SHRINK_A, "mixed3")
    for i, n in enumerate((128, 160, 160, 192), 4):
        seven = ((n, 1), (n, (1, 7)), (192, (7, 1)))
        twice = ((n, 1), (n, (7, 1)), (n, (1, 7)), (n, (7, 1)), (192, (1, 7)))
        x = _mixed(x, (((192, 1),), seven, twice), 192, f"mixed{i}")
    x = _shrunk(x, _SHRINK_B, "mixed8")
    for i in range(2):
        single = _row(x, ((320, 1),))
        forked = _forked(_row(x, ((384, 1),)), f"mixed9_{i}")
        longer = _forked(_row(x, ((448, 1), (384, 3))), None)
        x = concatenate([single, forked, longer, _pooled(x, 192)], axis=_axis(), name=f"mixed{9 + i}")
    if include_top:
        x = asked.classify(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = asked.pool(x)
    file = f"inception_v3_weights_tf_dim_ordering_tf_kernels{'' if include_top else '_notop'}.h5"
    return asked.load(asked.model(x, "inception_v3"), f"{STORE}inception_v3/{file}", _HASHES[not include_top])


def _axis() -> int:
    return 1 if channel_axis() == 1 else 3


def _row(x: Any, convolutions: Any) -> Any:
    """Convolutions in a row, each normalised without a scale and rectified."""
    for width, kernel, *rest in convolutions:
        stride, padding = rest or (1, "same")
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        x = Conv2D(width, kernel, strides=(stride, stride), padding=padding, use_bias=False)(x)
        x = Activation("relu")(norm(x, scale=False))
    return x


def _pooled(x: Any, width: int) -> Any:
    return _row(AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x), ((width, 1),))


def _mixed(x: Any, branches: Any, pooled: int, name: str) -> Any:
    made = [_row(x, branch) for branch in branches]
    return concatenate([*made, _pooled(x, pooled)], axis=_axis(), name=name)


def _shrunk(x: Any, branches: Any, name: str) -> Any:
    made = [_row(x, branch) for branch in branches]
    return concatenate([*made, MaxPooling2D((3, 3), strides=(2, 2))(x)], axis=_axis(), name=name)


def _forked(x: Any, name: str | None) -> Any:
    return concatenate([_row(x, ((384, (1, 3)),)), _row(x, ((384, (3, 1)),))], axis=_axis(), name=name)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [-1, 1] (`tf.keras.applications.inception_v3.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
