"""ConvNeXt: Liu et al., A ConvNet for the 2020s, arXiv:2201.03545."""

from __future__ import annotations

from typing import Any

from tf2compat import floor, random, shape

from .. import initializers
from .._base.sequential import Sequential
from ..layers import Activation, Conv2D, Dense, GlobalAveragePooling2D, Layer, LayerNormalization, Normalization
from . import imagenet_utils
from ._building import STORE, Request

#: blocks and widths of the four stages
_STAGES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
    "small": ((3, 3, 27, 3), (96, 192, 384, 768)),
    "base": ((3, 3, 27, 3), (128, 256, 512, 1024)),
    "large": ((3, 3, 27, 3), (192, 384, 768, 1536)),
    "xlarge": ((3, 3, 27, 3), (256, 512, 1024, 2048)),
}
_HASHES = {
    "convnext_tiny": (
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "convnext_small": (
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "convnext_base": (
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "convnext_large": (
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "convnext_xlarge": (
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}
_EPSILON = 1e-6
_LAYER_SCALE = 1e-6


def ConvNeXtTiny(
    model_name: str = "convnext_tiny",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ConvNeXt tiny (`tf.keras.applications.ConvNeXtTiny`). ValueError for arguments that do not fit together."""
    return _convnext(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "tiny", model_name, include_preprocessing)


def ConvNeXtSmall(
    model_name: str = "convnext_small",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ConvNeXt small (`tf.keras.applications.ConvNeXtSmall`). ValueError for arguments that do not fit together."""
    return _convnext(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "small", model_name, include_preprocessing)


def ConvNeXtBase(
    model_name: str = "convnext_base",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ConvNeXt base (`tf.keras.applications.ConvNeXtBase`). ValueError for arguments that do not fit together."""
    return _convnext(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "base", model_name, include_preprocessing)


def ConvNeXtLarge(
    model_name: str = "convnext_large",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ConvNeXt large (`tf.keras.applications.ConvNeXtLarge`). ValueError for arguments that do not fit together."""
    return _convnext(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "large", model_name, include_preprocessing)


def ConvNeXtXLarge(
    model_name: str = "convnext_xlarge",
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Any:
    """ConvNeXt xlarge (`tf.keras.applications.ConvNeXtXLarge`). ValueError for arguments that do not fit together."""
    return _convnext(Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation), "xlarge", model_name, include_preprocessing)


def _convnext(asked: Request, variant: str, name: str, include_preprocessing: bool) -> Any:
    depths, widths = _STAGES[variant]
    asked.check()
    asked.image(224, 32)
    x = asked.source()
    if include_preprocessing and asked.channels == 3:
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        x = Normalization(
            mean=[m * 255 for m in mean], variance=[(s * 255) ** 2 for s in std], name=f"{name}_prestem_normalization"
        )(x)
    shrink = _shrinking(widths, name)
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        x = shrink[stage](x)
        for i in range(depth):
            x = _block(x, width, f"{name}_stage_{stage}_block_{i}")
    if asked.include_top:
        asked.check_activation()
        x = GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
        x = LayerNormalization(epsilon=_EPSILON, name=f"{name}_head_layernorm")(x)
        x = Dense(asked.classes, activation=asked.classifier_activation, name=f"{name}_head_dense")(x)
    else:
        x = LayerNormalization(epsilon=_EPSILON)(asked.pool(x))
    file = f"{name}{'' if asked.include_top else '_notop'}.h5"
    hashes = _HASHES.get(name)
    if hashes is None and asked.weights == "imagenet":
        raise ValueError(f"There are no published weights for model_name={name!r}; there are for {', '.join(_HASHES)}.")
    return asked.load(asked.model(x, name), f"{STORE}convnext/{file}", hashes[not asked.include_top] if hashes else None)


def _shrinking(widths: tuple[int, ...], name: str) -> list[Any]:
    """What stands before each stage: patches of 4×4, then halvings."""

    def normalised(label: str) -> Any:
        return LayerNormalization(epsilon=_EPSILON, name=f"{name}_{label}")

    patches = Conv2D(widths[0], kernel_size=4, strides=4, name=f"{name}_stem_conv")
    made = [Sequential([patches, normalised("stem_layernorm")], name=f"{name}_stem")]
    for i, width in enumerate(widths[1:]):
        before = normalised(f"downsampling_layernorm_{i}")
        half = Conv2D(width, kernel_size=2, strides=2, name=f"{name}_downsampling_conv_{i}")
        made.append(Sequential([before, half], name=f"{name}_downsampling_block_{i}"))
    return made


def _block(inputs: Any, width: int, name: str) -> Any:
    """A 7×7 depthwise convolution and a two-layer perceptron for each pixel, scaled and added to the input."""
    x = Conv2D(filters=width, kernel_size=7, padding="same", groups=width, name=f"{name}_depthwise_conv")(inputs)
    x = LayerNormalization(epsilon=_EPSILON, name=f"{name}_layernorm")(x)
    x = Activation("gelu", name=f"{name}_gelu")(Dense(4 * width, name=f"{name}_pointwise_conv_1")(x))
    x = Dense(width, name=f"{name}_pointwise_conv_2")(x)
    x = LayerScale(_LAYER_SCALE, width, name=f"{name}_layer_scale")(x)
    return inputs + Activation("linear", name=f"{name}_identity")(x)


class LayerScale(Layer):
    """A factor for each channel, trained from `init_values` (arXiv:2103.17239)."""

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any) -> None:
        """Create `gamma`, of shape `[projection_dim]`."""
        self.gamma = self.add_weight(
            name="gamma", shape=(self.projection_dim,), initializer=initializers.Constant(self.init_values), trainable=True
        )

    def call(self, x: Any) -> Any:
        """The input times the factors."""
        return x * self.gamma

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"init_values": self.init_values, "projection_dim": self.projection_dim}


class StochasticDepth(Layer):
    """In training, whole examples of a residual branch are zero with probability `drop_path_rate` (arXiv:1603.09382)."""

    def __init__(self, drop_path_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop_path_rate = drop_path_rate

    def call(self, x: Any, training: Any = None) -> Any:
        """The input, or, in training, the input scaled or zeroed for each example."""
        if not training:
            return x
        keep = 1 - self.drop_path_rate
        draws = random.uniform((shape(x)[0],) + (1,) * (len(x.shape) - 1), 0, 1)
        return (x / keep) * floor(keep + draws)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"drop_path_rate": self.drop_path_rate}


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """The input as it is: the network scales pixels itself (`tf.keras.applications.convnext.preprocess_input`)."""
    return x


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
