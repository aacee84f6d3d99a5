"""ResNet: He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385."""

from __future__ import annotations

from typing import Any

from ..layers import Activation, Add, Conv2D, GlobalAveragePooling2D, MaxPooling2D, ZeroPadding2D
from . import imagenet_utils
from ._building import STORE, Request, norm, only_our_layers

EPSILON = 1.001e-5
#: repeats of the four stacks
REPEATS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}
_HASHES = {
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}


def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet-50 (`tf.keras.applications.ResNet50`). `classifier_activation` is a further keyword. ValueError for arguments that do
    not fit together.
    """
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs.pop("classifier_activation", "softmax"))
    only_our_layers(kwargs)
    return resnet(asked, "resnet50")

def ResNet101(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet-101 (`tf.keras.applications.ResNet101`). `classifier_activation` is a further keyword. ValueError for arguments that do
    not fit together.
    """
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs.pop("classifier_activation", "softmax"))
    only_our_layers(kwargs)
    return resnet(asked, "resnet101")

def ResNet152(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet-152 (`tf.keras.applications.ResNet152`). `classifier_activation` is a further keyword. ValueError for arguments that do
    not fit together.
    """
    asked = Request(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs.pop("classifier_activation", "softmax"))
    only_our_layers(kwargs)
    return resnet(asked, "resnet152")


def resnet(asked: Request, name: str) -> Any:
    """The network with its activations after the additions."""
    x = stem(asked)
    x = activated(x, "conv1")
    x = shrunk(x)
    for stack, (width, repeat) in enumerate(zip((64, 128, 256, 512), REPEATS[name], strict=True), 2):
        for i in range(1, repeat + 1):
            x = _block(x, width, 1 if i > 1 or stack == 2 else 2, i == 1, f"conv{stack}_block{i}")
    return finish(asked, x, name)


def stem(asked: Request) -> Any:
    asked.check()
    x = ZeroPadding2D(padding=((3, 3), (3, 3)), name="conv1_pad")(asked.image(224, 32))
    return Conv2D(64, 7, strides=2, use_bias=True, name="conv1_conv")(x)


def shrunk(x: Any) -> Any:
    x = ZeroPadding2D(padding=((1, 1), (1, 1)), name="pool1_pad")(x)
    return MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def activated(x: Any, name: str) -> Any:
    """Normalised, then rectified."""
    return Activation("relu", name=f"{name}_relu")(norm(x, f"{name}_bn", epsilon=EPSILON))


def _block(x: Any, width: int, stride: int, projects: bool, name: str) -> Any:
    """A bottleneck of 1×1, 3×3 and 1×1 convolutions beside a shortcut, which is a projection in the first block of a stack."""
    shortcut = x
    if projects:
        shortcut = norm(Conv2D(4 * width, 1, strides=stride, name=f"{name}_0_conv")(x), f"{name}_0_bn", epsilon=EPSILON)
    x = activated(Conv2D(width, 1, strides=stride, name=f"{name}_1_conv")(x), f"{name}_1")
    x = activated(Conv2D(width, 3, padding="same", name=f"{name}_2_conv")(x), f"{name}_2")
    x = norm(Conv2D(4 * width, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn", epsilon=EPSILON)
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([shortcut, x]))


def finish(asked: Request, x: Any, name: str) -> Any:
    """The top or the pooling, the model and its weights."""
    x = asked.classify(GlobalAveragePooling2D(name="avg_pool")(x)) if asked.include_top else asked.pool(x, "avg_pool", "max_pool")
    file = f"{name}_weights_tf_dim_ordering_tf_kernels{'' if asked.include_top else '_notop'}.h5"
    return asked.load(asked.model(x, name), f"{STORE}resnet/{file}", _HASHES[name][not asked.include_top])


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """BGR pixels less ImageNet's mean (`tf.keras.applications.resnet.preprocess_input`); a floating NumPy array is changed in place."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="caffe")


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """The best classes of each row of scores (`tf.keras.applications.imagenet_utils.decode_predictions`)."""
    return imagenet_utils.decode_predictions(preds, top=top)
