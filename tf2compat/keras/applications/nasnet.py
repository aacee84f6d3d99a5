"""NASNet: Zoph et al., Learning Transferable Architectures for Scalable Image Recognition, arXiv:1707.07012."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.logs import get_logger

from .. import backend
from ..layers import (
    Activation,
    AveragePooling2D,
    Conv2D,
    Cropping2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
    add,
    concatenate,
)
from . import imagenet_utils
from ._building import STORE, Request, channels_of, norm, size_of, strided_pad

_NORM = {"momentum": 0.9997, "epsilon": 1e-3}
#: image size → (channels before the top, normal cells in a row, channels of the stem, whether a reduction's input is skipped, file, hashes)
_SIZES: dict[int, Any] = {
    224: (1056, 4, 32, False, "mobile", ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63")),
    331: (4032, 6, 96, True, "large", ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5")),
}


def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """NASNet-A mobile, for images of 224×224 (`tf.keras.applications.NASNetMobile`). ValueError for arguments that do not fit together."""
    return _nasnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 224)


def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """NASNet-A large, for images of 331×331 (`tf.keras.applications.NASNetLarge`). ValueError for arguments that do not fit together."""
    return _nasnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), 331)


def _nasnet(asked: Request, size: int) -> Any:
    """The network; its cells know channels-last images only, so that is what it sets while it builds."""
    asked.check()
    if isinstance(asked.input_shape, tuple) and None in asked.input_shape and asked.weights == "imagenet":
        raise ValueError(
            "When specifying the input shape of a NASNet and loading `ImageNet` weights, the input_shape argument must be static (no None "
            f"entries). Got: `input_shape={asked.input_shape}`."
        )
    before = backend.image_data_format()
    if before != "channels_last":
        get_logger().warning(
            "The NASNet family of models is only available for the input data format channels_last (rows, columns, channels), which the "
            "model being returned will expect, although the default data format is %s.",
            before,
        )
        backend.set_image_data_format("channels_last")
    try:
        return _built(asked, size)
    finally:
        backend.set_image_data_format(before)


def _built(asked: Request, size: int) -> Any:
    last, repeat, stem, skips, file, hashes = _SIZES[size]
    width = last // 24
    x = Conv2D(
        stem, (3, 3), strides=(2, 2), padding="valid", use_bias=False, name="stem_conv1", kernel_initializer="he_normal"
    )(asked.image(size, 32))  # fmt: skip
    x = norm(x, "stem_bn1", **_NORM)
    x, p = _reduction(x, None, width // 4, "stem_1")
    x, p = _reduction(x, p, width // 2, "stem_2")
    for stage in range(3):
        if stage:
            x, skipped = _reduction(x, p, width * 2**stage, f"reduce_{repeat * stage}")
            p = p if skips else skipped
        for i in range(repeat):  # a reduction takes a number, too
            x, p = _normal(x, p, width * 2**stage, str(repeat * stage + i + min(stage, 1)))
    x = Activation("relu")(x)
    x = asked.classify(GlobalAveragePooling2D()(x)) if asked.include_top else asked.pool(x)
    rest = "" if asked.include_top else "-no-top"
    return asked.load(
        asked.model(x, "NASNet"), f"{STORE}nasnet/NASNet-{file}{rest}.h5", hashes[not asked.include_top],
        f"nasnet_{file}{rest.replace('-', '_')}.h5",
    )  # fmt: skip


def _projected(x: Any, width: int, name: str) -> Any:
    return Conv2D(width, (1, 1), strides=(1, 1), padding="same", name=name, use_bias=False, kernel_initializer="he_normal")(x)


def _separable(x: Any, width: int, kernel: int, name: str, stride: int = 1) -> Any:
    """Two separable convolutions, each after a rectifier; the first one may halve the size."""
    for i in (1, 2):
        x = Activation("relu")(x)
        padding = "same"
        if i == 1 and stride == 2:
            x = ZeroPadding2D(padding=strided_pad(x, kernel), name=f"separable_conv_1_pad_{name}")(x)
            padding = "valid"
        steps = (stride, stride) if i == 1 else (1, 1)
        x = SeparableConv2D(
            width, (kernel, kernel), strides=steps, name=f"separable_conv_{i}_{name}", padding=padding, use_bias=False,
            kernel_initializer="he_normal",
        )(x)  # fmt: skip
        x = norm(x, f"separable_conv_{i}_bn_{name}", **_NORM)
    return x


def _adjusted(p: Any, x: Any, width: int, name: str) -> Any:
    """The output of the cell before the last one, in the size and width of the last one's."""
    if p is None:
        return x
    if size_of(p)[1] != size_of(x)[1]:
        p = Activation("relu", name=f"adjust_relu_1_{name}")(p)
        halves = []
        for i in (1, 2):
            half = p
            if i == 2:
                half = Cropping2D(cropping=((1, 0), (1, 0)))(ZeroPadding2D(padding=((0, 1), (0, 1)))(half))
            half = AveragePooling2D((1, 1), strides=(2, 2), padding="valid", name=f"adjust_avg_pool_{i}_{name}")(half)
            halves.append(
                Conv2D(
                    width // 2, (1, 1), padding="same", use_bias=False, name=f"adjust_conv_{i}_{name}", kernel_initializer="he_normal"
                )(half)
            )
        return norm(concatenate(halves, axis=-1), f"adjust_bn_{name}", **_NORM)
    if channels_of(p) != width:
        return norm(_projected(Activation("relu")(p), width, f"adjust_conv_projection_{name}"), f"adjust_bn_{name}", **_NORM)
    return p


def _normal(x: Any, p: Any, width: int, name: str) -> tuple[Any, Any]:
    """The cell that keeps the size; it and its input are what the next cells see."""
    p = _adjusted(p, x, width, name)
    h = norm(_projected(Activation("relu")(x), width, f"normal_conv_1_{name}"), f"normal_bn_1_{name}", **_NORM)

    def average(t: Any, place: str) -> Any:
        return AveragePooling2D((3, 3), strides=(1, 1), padding="same", name=f"normal_{place}_{name}")(t)

    x1 = add([_separable(h, width, 5, f"normal_left1_{name}"), _separable(p, width, 3, f"normal_right1_{name}")], name=f"normal_add_1_{name}")
    x2 = add([_separable(p, width, 5, f"normal_left2_{name}"), _separable(p, width, 3, f"normal_right2_{name}")], name=f"normal_add_2_{name}")
    x3 = add([average(h, "left3"), p], name=f"normal_add_3_{name}")
    x4 = add([average(p, "left4"), average(p, "right4")], name=f"normal_add_4_{name}")
    x5 = add([_separable(h, width, 3, f"normal_left5_{name}"), h], name=f"normal_add_5_{name}")
    return concatenate([p, x1, x2, x3, x4, x5], axis=-1, name=f"normal_concat_{name}"), x


def _reduction(x: Any, p: Any, width: int, name: str) -> tuple[Any, Any]:
    """The cell that halves the size."""
    p = _adjusted(p, x, width, name)
    h = norm(_projected(Activation("relu")(x), width, f"reduction_conv_1_{name}"), f"reduction_bn_1_{name}", **_NORM)
    padded = ZeroPadding2D(padding=strided_pad(h, 3), name=f"reduction_pad_1_{name}")(h)

    def pool(kind: Any, place: str) -> Any:
        return kind((3, 3), strides=(2, 2), padding="valid", name=f"reduction_{place}_{name}")(padded)

    left = _separable(h, width, 5, f"reduction_left1_{name}", 2)
    x1 = add([left, _separable(p, width, 7, f"reduction_right1_{name}", 2)], name=f"reduction_add_1_{name}")
    left = pool(MaxPooling2D, "left2")
    x2 = add([left, _separable(p, width, 7, f"reduction_right2_{name}", 2)], name=f"reduction_add_2_{name}")
    left = pool(AveragePooling2D, "left3")
    x3 = add([left, _separable(p, width, 5, f"reduction_right3_{name}", 2)], name=f"reduction_add3_{name}")
    x4 = add([x2, AveragePooling2D((3, 3), strides=(1, 1), padding="same", name=f"reduction_left4_{name}")(x1)])
    left = _separable(x1, width, 3, f"reduction_left4_{name}")
    x5 = add([left, pool(MaxPooling2D, "right5")], name=f"reduction_add4_{name}")
    return concatenate([x2, x3, x4, x5], axis=-1, name=f"reduction_concat_{name}"), x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels scaled to [-1, 1] (`tf.keras.applications.nasnet.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
