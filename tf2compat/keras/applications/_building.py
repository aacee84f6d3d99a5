"""What the architectures have in common: their arguments, the layers at both ends, and where weights come from."""

from __future__ import annotations

import dataclasses
import os
import warnings
from typing import Any

from .. import activations, backend
from .._base.input_layer import Input
from .._base.model import Model
from .._base.symbolic import is_symbol
from ..layers import BatchNormalization, Dense, GlobalAveragePooling2D, GlobalMaxPooling2D

#: Keras' store of published weights
STORE = "https://storage.googleapis.com/tensorflow/keras-applications/"
#: the initializers of the EfficientNets' and ResNet-RS' published training
FAN_OUT = {"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"}}
FAN_OUT_DENSE = {"class_name": "VarianceScaling", "config": {"scale": 1.0 / 3.0, "mode": "fan_out", "distribution": "uniform"}}


@dataclasses.dataclass
class Request:
    """The arguments that all architectures share, and what follows from them."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any = "softmax"

    def check(self, published: tuple[str, ...] = ("imagenet",)) -> None:
        """ValueError for weights that do not exist, or that do not fit the number of classes."""
        w = self.weights
        if not (w is None or w in published or isinstance(w, (str, os.PathLike)) and _exists(w)):
            names = " or ".join(f"`{name}`" for name in published)
            raise ValueError(
                f"The `weights` argument should be either `None` (random initialization), {names} (pre-training on ImageNet), or the path "
                f"to the weights file to be loaded. Received: weights={w}"
            )
        if w in published and self.include_top and self.classes != 1000:
            raise ValueError(
                f'If using `weights` as `"{w}"` with `include_top` as true, `classes` should be 1000. Received: classes={self.classes}'
            )

    def image(self, default_size: int, min_size: int) -> Any:
        """The symbolic image that the network starts from; `input_shape` becomes the whole shape of an image."""
        self.input_shape = image_shape(self.input_shape, default_size, min_size, bool(self.include_top), self.weights)
        return self.start()

    def start(self) -> Any:
        """The symbolic image of shape `input_shape`, or the tensor that was given."""
        if self.input_tensor is None:
            self._input = Input(shape=self.input_shape)
        elif is_symbol(self.input_tensor):
            self._input = self.input_tensor
        else:
            self._input = Input(tensor=self.input_tensor, shape=self.input_shape)
        return self._input

    def rows_and_columns(self) -> tuple[Any, Any]:
        first = backend.image_data_format() == "channels_first"
        return (self.input_shape[1], self.input_shape[2]) if first else (self.input_shape[0], self.input_shape[1])

    @property
    def channels(self) -> Any:
        return self.input_shape[0 if backend.image_data_format() == "channels_first" else -1]

    def check_activation(self) -> None:
        """ValueError for an activation that published weights were not trained with."""
        if self.weights is None:
            return
        given = activations.get(self.classifier_activation)
        if given not in (activations.get("softmax"), activations.get(None)):
            raise ValueError(
                "Only `None` and `softmax` activations are allowed for the `classifier_activation` argument when using pretrained "
                f"weights, with `include_top=True`; Received: classifier_activation={self.classifier_activation}"
            )

    def classify(self, x: Any, **options: Any) -> Any:
        """The last layer, `predictions`."""
        self.check_activation()
        return Dense(self.classes, activation=self.classifier_activation, name="predictions", **options)(x)

    def pool(self, x: Any, avg: str | None = None, max: str | None = None) -> Any:  # noqa: A002
        """Global pooling as asked for when there is no top; `avg` and `max` name the layer."""
        if self.pooling == "avg":
            return GlobalAveragePooling2D(name=avg)(x)
        if self.pooling == "max":
            return GlobalMaxPooling2D(name=max)(x)
        return x

    def source(self) -> Any:
        """The `Input` that the image comes from: the network starts there, and what lies between is left out."""
        if self.input_tensor is None:
            return self._input
        from ..utils import get_source_inputs

        self._input, self.input_tensor = get_source_inputs(self.input_tensor)[0], None
        return self._input

    def model(self, outputs: Any, name: str) -> Any:
        """The model from its sources to `outputs`."""
        if self.input_tensor is None:
            return Model(self._input, outputs, name=name)
        from ..utils import get_source_inputs

        return Model(get_source_inputs(self.input_tensor), outputs, name=name)

    def load(self, model: Any, url: str, file_hash: str | None, fname: str | None = None) -> Any:
        """Load the published weights at `url`, or the file that was asked for."""
        if self.weights == "imagenet":
            model.load_weights(published(url, file_hash, fname))
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model


def published(url: str, file_hash: str | None, fname: str | None = None) -> str:
    """The path of a file of published weights, from the cache or downloaded to it."""
    from ..utils import get_file

    return get_file(fname or url.rsplit("/", 1)[1], url, cache_subdir="models", file_hash=file_hash)


def _exists(path: Any) -> bool:
    from tf2compat.io import gfile

    return bool(gfile.exists(os.fspath(path)))


def image_shape(given: Any, default_size: int, min_size: int, static: bool, weights: Any = None) -> Any:
    """The shape of an image for `input_shape=given`.

    ValueError for a shape that is no three dimensions, is smaller than `min_size`, is not static where it must be, or does not
    suit published weights.
    """
    first = backend.image_data_format() == "channels_first"
    at = 0 if first else -1

    def of(size: Any, channels: Any) -> tuple[Any, ...]:
        return (channels, size, size) if first else (size, size, channels)

    default = of(default_size, 3)
    if weights != "imagenet" and given and len(given) == 3:
        if given[at] not in (1, 3):
            warnings.warn(
                f"This model usually expects 1 or 3 input channels. However, it was passed an input_shape with {given[at]} input channels.",
                stacklevel=4,
            )
        default = of(default_size, given[at])
    if weights == "imagenet" and static:
        if given is not None and tuple(given) != default:
            raise ValueError(
                f"When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be {default}.  Received: "
                f"input_shape={given}"
            )
        return default
    if not given:
        given = default if static else of(None, 3)
    else:
        if len(given) != 3:
            raise ValueError("`input_shape` must be a tuple of three integers.")
        if given[at] != 3 and weights == "imagenet":
            raise ValueError(f"The input must have 3 channels; Received `input_shape={given}`")
        if any(n is not None and n < min_size for n in (given[1:] if first else given[:2])):
            raise ValueError(f"Input size must be at least {min_size}x{min_size}; Received: input_shape={given}")
    if static and None in given:
        raise ValueError(f"If `include_top` is True, you should specify a static `input_shape`. Received: input_shape={given}")
    return given


def size_of(x: Any) -> tuple[Any, Any]:
    """Rows and columns of a symbolic image."""
    shape = x.shape.as_list()
    return tuple(shape[2:4] if backend.image_data_format() == "channels_first" else shape[1:3])


def channels_of(x: Any) -> int:
    return int(x.shape[channel_axis()])


def channel_axis() -> int:
    return 1 if backend.image_data_format() == "channels_first" else -1


def norm(x: Any, name: str | None = None, **options: Any) -> Any:
    """Batch normalisation over the channels."""
    return BatchNormalization(axis=channel_axis(), name=name, **options)(x)


def strided_pad(x: Any, kernel: int | tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding before a convolution of stride 2 that makes it see what `same` padding of the original implementations showed it."""
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    sizes = size_of(x)
    odd = (1, 1) if sizes[0] is None else (1 - sizes[0] % 2, 1 - sizes[1] % 2)
    return ((rows // 2 - odd[0], rows // 2), (columns // 2 - odd[1], columns // 2))


def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value` that is at least 90 % of it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def only_our_layers(kwargs: dict[str, Any]) -> None:
    """Take the keyword `layers`, which once named the implementation to build from. ValueError for others and for other keywords."""
    from .. import layers

    given = kwargs.pop("layers", layers)
    if kwargs:
        raise ValueError(f"Unknown argument(s): {kwargs}")
    if getattr(given, "Conv2D", None) is not layers.Conv2D:
        raise ValueError(f"`layers` may only be tf.keras.layers, got {given!r}")
