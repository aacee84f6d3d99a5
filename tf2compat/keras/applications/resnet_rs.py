"""ResNet-RS: Bello et al., Revisiting ResNets: Improved Training and Scaling Strategies, arXiv:2103.07579."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..layers import (
    Activation,
    Add,
    AveragePooling2D,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
    multiply,
)
from . import imagenet_utils
from ._building import FAN_OUT, STORE, Request, channel_axis, norm, published

#: depth → blocks of the four groups, stochastic depth at the last group, dropout before the top
_DEPTHS: dict[int, tuple[tuple[int, ...], float, float]] = {
    50: ((3, 4, 6, 3), 0.0, 0.25),
    101: ((3, 4, 23, 3), 0.0, 0.25),
    152: ((3, 8, 36, 3), 0.0, 0.25),
    200: ((3, 24, 36, 3), 0.1, 0.25),
    270: ((4, 29, 53, 4), 0.1, 0.25),
    350: ((4, 36, 72, 4), 0.1, 0.4),
    420: ((4, 44, 87, 4), 0.1, 0.4),
}
#: depth → image sizes that published weights were trained with: hashes with and without the top
_HASHES: dict[int, dict[int, tuple[str, str]]] = {
    50: {
        160: ("69d9d925319f00a8bdd4af23c04e4102", "90daa68cd26c95aa6c5d25451e095529"),
    },
    101: {
        160: ("544b3434d00efc199d66e9058c7f3379", "82d5b90c5ce9d710da639d6216d0f979"),
        192: ("eb285be29ab42cf4835ff20a5e3b5d23", "f9a0f6b85faa9c3db2b6e233c4eebb5b"),
    },
    152: {
        192: ("8d72a301ed8a6f11a47c4ced4396e338", "5fbf7ac2155cb4d5a6180ee9e3aa8704"),
        224: ("31a46a92ab21b84193d0d71dd8c3d03b", "dc8b2cba2005552eafa3167f00dc2133"),
        256: ("ba6271b99bdeb4e7a9b15c05964ef4ad", "fa79794252dbe47c89130f65349d654a"),
    },
    200: {
        256: ("a76930b741884e09ce90fa7450747d5f", "bbdb3994718dfc0d1cd45d7eff3f3d9c"),
    },
    270: {
        256: ("20d575825ba26176b03cb51012a367a8", "2c42ecb22e35f3e23d2f70babce0a2aa"),
    },
    350: {
        256: ("f4a039dc3c421321b7fc240494574a68", "6e44b55025bbdff8f51692a023143d66"),
        320: ("7ccb858cc738305e8ceb3c0140bee393", "ab0c1f9079d2f85a9facbd2c88aa6079"),
    },
    420: {
        320: ("ae0eb9bed39e64fc8d7e0db4018dc7e8", "fe6217c32be8305b1889657172b98884"),
    },
}
_NORM = {"momentum": 0.0, "epsilon": 1e-5}


def ResNetRS50(
    include_top: bool = True,
    weights: Any = "imagenet",
    classes: int = 1000,
    input_shape: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """ResNet-RS-50 (`tf.keras.applications.ResNetRS50`). `weights` may name the size that they were trained with:
    `imagenet-i160`. ValueError for arguments that do not fit together.
    """
    return _resnet_rs(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 50, include_preprocessing)


def ResNetRS101(
    include_top: bool = True,
    weights: Any = "imagenet",
    classes: int = 1000,
    input_shape: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """ResNet-RS-101 (`tf.keras.applications.ResNetRS101`). `weights` may name the size that they were trained with:
    `imagenet-i160`, `imagenet-i192`. ValueError for arguments that do not fit together.
    """
    return _resnet_rs(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 101, include_preprocessing)


def ResNetRS152(
    include_top: bool = True,
    weights: Any = "imagenet",
    classes: int = 1000,
    input_shape: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """ResNet-RS-152 (`tf.keras.applications.ResNetRS152`). `weights` may name the size that they were trained with:
    `imagenet-i192`, `imagenet-i224`, `imagenet-i256`. ValueError for arguments that do not fit together.
    """
    return _resnet_rs(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 152, include_preprocessing)


def ResNetRS200(
    include_top: bool = True,
    weights: Any = "imagenet",
    classes: int = 1000,
    input_shape: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """ResNet-RS-200 (`tf.keras.applications.ResNetRS200`). `weights` may name the size that they were trained with:
    `imagenet-i256`. ValueError for arguments that do not fit together.
    """
    return _resnet_rs(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 200, include_preprocessing)


def ResNetRS270(
    include_top: bool = True,
    weights: Any = "imagenet",
    classes: int = 1000,
    input_shape: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """ResNet-RS-270 (`tf.keras.applications.ResNetRS270`). `weights` may name the size that they were trained with:
    `imagenet-i256`. ValueError for arguments that do not fit together.
    """
    return _resnet_rs(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 270, include_preprocessing)


def ResNetRS350(
    include_top: bool = True,
    weights: Any = "imagenet",
    classes: int = 1000,
    input_shape: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """ResNet-RS-350 (`tf.keras.applications.ResNetRS350`). `weights` may name the size that they were trained with:
    `imagenet-i256`, `imagenet-i320`. ValueError for arguments that do not fit together.
    """
    return _resnet_rs(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 350, include_preprocessing)


def ResNetRS420(
    include_top: bool = True,
    weights: Any = "imagenet",
    classes: int = 1000,
    input_shape: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """ResNet-RS-420 (`tf.keras.applications.ResNetRS420`). `weights` may name the size that they were trained with:
    `imagenet-i320`. ValueError for arguments that do not fit together.
    """
    return _resnet_rs(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 420, include_preprocessing)


def _resnet_rs(asked: Request, depth: int, include_preprocessing: bool) -> Any:
    repeats, drop_connect, dropout = _DEPTHS[depth]
    sizes = {f"imagenet-i{size}": size for size in _HASHES[depth]}
    if asked.weights == "imagenet":
        asked.weights = f"imagenet-i{max(_HASHES[depth])}"
    asked.check(tuple(sizes))
    x = asked.image(224, 32)
    if include_preprocessing:
        x = Rescaling(scale=1.0 / 255)(x)
        if asked.channels == 3:
            mean, variance = [0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2]
            x = Normalization(mean=mean, variance=variance, axis=1 if channel_axis() == 1 else 3)(x)
    stem = f"stem_{backend.get_uid('stem_')}_stem"
    for i, (width, stride) in enumerate(((32, 2), (32, 1), (64, 1), (64, 2)), 1):
        x = norm(_convolved(x, width, 3, stride, f"{stem}_conv_{i}"), f"{stem}_batch_norm_{i}", **_NORM)
        x = Activation("relu", name=f"{stem}_act_{i}")(x)
    for group, (width, repeat) in enumerate(zip((64, 128, 256, 512), repeats, strict=True), 2):
        drop = drop_connect * group / 5
        for i in range(repeat):
            stride = 2 if i == 0 and group > 2 else 1
            x = _block(x, width, stride, i == 0, drop, f"BlockGroup{group}__block_{i}_")
    if asked.include_top:
        x = Dropout(dropout, name="top_dropout")(GlobalAveragePooling2D(name="avg_pool")(x))
        x = asked.classify(x)
    else:
        x = asked.pool(x, "avg_pool", "max_pool")
    name = f"resnet-rs-{depth}"
    model = asked.model(x, name)
    size = sizes.get(asked.weights)
    if size is not None:
        file = f"{name}-i{size}{'' if asked.include_top else '_notop'}.h5"
        model.load_weights(published(f"{STORE}resnet_rs/{file}", _HASHES[depth][size][not asked.include_top]))
    elif asked.weights is not None:
        model.load_weights(asked.weights)
    return model


def _convolved(x: Any, width: int, kernel: int, stride: int, name: str) -> Any:
    if stride > 1:
        before = (kernel - 1) // 2
        x = ZeroPadding2D(padding=((before, kernel - 1 - before), (before, kernel - 1 - before)))(x)
    padding = "same" if stride == 1 else "valid"
    return Conv2D(width, kernel, strides=stride, padding=padding, use_bias=False, kernel_initializer=FAN_OUT, name=name)(x)


def _block(x: Any, width: int, stride: int, projects: bool, drop_rate: float, name: str) -> Any:
    """A bottleneck with squeeze-and-excite; where it halves the size, the shortcut averages before it projects (ResNet-D)."""
    shortcut = inputs = x
    if projects:
        if stride == 2:
            shortcut = AveragePooling2D(pool_size=(2, 2), strides=(2, 2), padding="same", name=f"{name}_projection_pooling")(inputs)
        shortcut = _convolved(shortcut, 4 * width, 1, 1, f"{name}_projection_conv")
        shortcut = norm(shortcut, f"{name}_projection_batch_norm", **_NORM)
    x = norm(_convolved(inputs, width, 1, 1, f"{name}_conv_1"), f"{name}batch_norm_1", **_NORM)
    x = Activation("relu", name=f"{name}_act_1")(x)
    x = norm(_convolved(x, width, 3, stride, f"{name}_conv_2"), f"{name}_batch_norm_2", **_NORM)
    x = Activation("relu", name=f"{name}_act_2")(x)
    x = norm(_convolved(x, 4 * width, 1, 1, f"{name}_conv_3"), f"{name}_batch_norm_3", **_NORM)
    x = _excited(x, width, f"{name}_se_se")
    if drop_rate:
        x = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
    return Activation("relu", name=f"{name}_output_act")(Add()([x, shortcut]))


def _excited(x: Any, width: int, name: str) -> Any:
    s = GlobalAveragePooling2D(name=f"{name}_squeeze")(x)
    n = s.shape[-1]
    s = Reshape((n, 1, 1) if channel_axis() == 1 else (1, 1, n), name=f"{name}_reshape")(s)
    for channels, activation, label in ((width, "relu", "reduce"), (4 * width, "sigmoid", "expand")):
        s = Conv2D(channels, [1, 1], strides=[1, 1], kernel_initializer=FAN_OUT, padding="same", activation=activation, name=f"{name}_{label}")(s)
    return multiply([x, s], name=f"{name}_excite")


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """The input as it is: the network scales pixels itself (`tf.keras.applications.resnet_rs.preprocess_input`)."""
    return x


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
