"""RegNet: Radosavovic et al., Designing Network Design Spaces, arXiv:2003.13678."""

from __future__ import annotations

from typing import Any

from tf2compat import math

from .. import backend
from ..layers import Conv2D, Dense, GlobalAveragePooling2D, ReLU, Rescaling
from . import imagenet_utils
from ._building import STORE, Request
from ._regnet_table import HASHES, STAGES


def RegNetX002(
    model_name: str = "regnetx002",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 200 MF (`tf.keras.applications.RegNetX002`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x002", model_name, include_preprocessing)


def RegNetX004(
    model_name: str = "regnetx004",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 400 MF (`tf.keras.applications.RegNetX004`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x004", model_name, include_preprocessing)


def RegNetX006(
    model_name: str = "regnetx006",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 600 MF (`tf.keras.applications.RegNetX006`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x006", model_name, include_preprocessing)


def RegNetX008(
    model_name: str = "regnetx008",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 800 MF (`tf.keras.applications.RegNetX008`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x008", model_name, include_preprocessing)


def RegNetX016(
    model_name: str = "regnetx016",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 1.6 GF (`tf.keras.applications.RegNetX016`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x016", model_name, include_preprocessing)


def RegNetX032(
    model_name: str = "regnetx032",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 3.2 GF (`tf.keras.applications.RegNetX032`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x032", model_name, include_preprocessing)


def RegNetX040(
    model_name: str = "regnetx040",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 4 GF (`tf.keras.applications.RegNetX040`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x040", model_name, include_preprocessing)


def RegNetX064(
    model_name: str = "regnetx064",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 6.4 GF (`tf.keras.applications.RegNetX064`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x064", model_name, include_preprocessing)


def RegNetX080(
    model_name: str = "regnetx080",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 8 GF (`tf.keras.applications.RegNetX080`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x080", model_name, include_preprocessing)


def RegNetX120(
    model_name: str = "regnetx120",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 12 GF (`tf.keras.applications.RegNetX120`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x120", model_name, include_preprocessing)


def RegNetX160(
    model_name: str = "regnetx160",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 16 GF (`tf.keras.applications.RegNetX160`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x160", model_name, include_preprocessing)


def RegNetX320(
    model_name: str = "regnetx320",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-X of 32 GF (`tf.keras.applications.RegNetX320`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "x320", model_name, include_preprocessing)


def RegNetY002(
    model_name: str = "regnety002",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 200 MF (`tf.keras.applications.RegNetY002`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y002", model_name, include_preprocessing)


def RegNetY004(
    model_name: str = "regnety004",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 400 MF (`tf.keras.applications.RegNetY004`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y004", model_name, include_preprocessing)


def RegNetY006(
    model_name: str = "regnety006",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 600 MF (`tf.keras.applications.RegNetY006`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y006", model_name, include_preprocessing)


def RegNetY008(
    model_name: str = "regnety008",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 800 MF (`tf.keras.applications.RegNetY008`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y008", model_name, include_preprocessing)


def RegNetY016(
    model_name: str = "regnety016",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 1.6 GF (`tf.keras.applications.RegNetY016`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y016", model_name, include_preprocessing)


def RegNetY032(
    model_name: str = "regnety032",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 3.2 GF (`tf.keras.applications.RegNetY032`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y032", model_name, include_preprocessing)


def RegNetY040(
    model_name: str = "regnety040",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 4 GF (`tf.keras.applications.RegNetY040`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y040", model_name, include_preprocessing)


def RegNetY064(
    model_name: str = "regnety064",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 6.4 GF (`tf.keras.applications.RegNetY064`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y064", model_name, include_preprocessing)


def RegNetY080(
    model_name: str = "regnety080",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 8 GF (`tf.keras.applications.RegNetY080`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y080", model_name, include_preprocessing)


def RegNetY120(
    model_name: str = "regnety120",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 12 GF (`tf.keras.applications.RegNetY120`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y120", model_name, include_preprocessing)


def RegNetY160(
    model_name: str = "regnety160",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 16 GF (`tf.keras.applications.RegNetY160`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y160", model_name, include_preprocessing)


def RegNetY320(
    model_name: str = "regnety320",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """RegNet-Y of 32 GF (`tf.keras.applications.RegNetY320`). ValueError for arguments that do not fit together."""
    return _regnet(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "y320", model_name, include_preprocessing)


def _regnet(asked: Request, variant: str, name: str, include_preprocessing: bool) -> Any:
    depths, widths, group_width = STAGES[variant]
    asked.check()
    asked.image(224, 32)
    x = asked.source()
    if include_preprocessing:
        x = Rescaling(scale=1.0 / 255.0, name=f"{name}_prestem_rescaling")(x)
    x = _convolved(x, 32, 3, f"{name}_stem_conv", strides=2, padding="same")
    x = ReLU(name=f"{name}_stem_relu")(_normed(x, f"{name}_stem_bn"))
    given, kind = 32, variant[0].upper()
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        for i in range(depth):
            excites = int(given * 0.25) if kind == "Y" else 0
            x = _block(x, width, group_width, excites, 2 if i == 0 else 1, f"{name}_Stage_{stage}_{kind}Block_{i}")
            given = width
    if asked.include_top:
        head = str(backend.get_uid("head"))
        x = Dense(asked.classes, name=f"{head}head_dense")(GlobalAveragePooling2D(name=f"{head}_head_gap")(x))
        asked.check_activation()
    else:
        x = asked.pool(x)
    file = f"{name}{'' if asked.include_top else '_notop'}.h5"
    hashes = HASHES.get(name[-4:])
    if hashes is None and asked.weights == "imagenet":
        raise ValueError(f"There are no published weights for model_name={name!r}; there are for regnet followed by {', '.join(HASHES)}.")
    return asked.load(asked.model(x, name), f"{STORE}regnet/{file}", hashes[not asked.include_top] if hashes else None)


def _convolved(x: Any, width: int, kernel: int, name: str, **options: Any) -> Any:
    return Conv2D(width, (kernel, kernel), use_bias=False, kernel_initializer="he_normal", name=name, **options)(x)


def _normed(x: Any, name: str) -> Any:
    from ..layers import BatchNormalization

    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def _block(inputs: Any, width: int, group_width: int, squeezed: int, stride: int, name: str) -> Any:
    """The X block: a residual bottleneck with a grouped 3×3 convolution; the Y block is one with squeeze-and-excite."""
    skip = inputs
    if stride != 1:
        skip = _normed(_convolved(inputs, width, 1, f"{name}_skip_1x1", strides=stride), f"{name}_skip_bn")
    x = _normed(_convolved(inputs, width, 1, f"{name}_conv_1x1_1"), f"{name}_conv_1x1_1_bn")
    x = ReLU(name=f"{name}_conv_1x1_1_relu")(x)
    x = _convolved(x, width, 3, f"{name}_conv_3x3", strides=stride, groups=width // group_width, padding="same")
    x = ReLU(name=f"{name}_conv_3x3_relu")(_normed(x, f"{name}_conv_3x3_bn"))
    if squeezed:
        s = GlobalAveragePooling2D(name=f"{name}_squeeze_and_excite_gap", keepdims=True)(x)
        for n, activation, label in ((squeezed, "relu", "squeeze"), (width, "sigmoid", "excite")):
            label = f"{name}_squeeze_and_excite_{label}"
            s = Conv2D(n, (1, 1), activation=activation, kernel_initializer="he_normal", name=label)(s)
        x = math.multiply(s, x)
    x = _normed(_convolved(x, width, 1, f"{name}_conv_1x1_2"), f"{name}_conv_1x1_2_bn")
    return ReLU(name=f"{name}_exit_relu")(x + skip)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """The input as it is: the network scales pixels itself (`tf.keras.applications.regnet.preprocess_input`)."""
    return x


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
