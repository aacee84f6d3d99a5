"""`tf.keras.layers`. Classes load when they are first asked for; `_HOMES` says where each is defined."""

from __future__ import annotations

import importlib
from typing import Any

from ..._names import module_getattr

#: defining module -> public names
_HOMES: dict[str, str] = {
    ".._base.layer": "Layer",
    ".._base.input_spec": "InputSpec",
    ".._base.input_layer": "Input InputLayer",
    ".core": "Dense Activation Identity ActivityRegularization Masking Lambda",
    ".reshaping": "Flatten Reshape Permute RepeatVector ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D "
    "UpSampling1D UpSampling2D UpSampling3D",
    ".activation": "ReLU LeakyReLU ELU ThresholdedReLU Softmax PReLU",
    ".convolution": "Conv1D Conv2D Conv3D",
    ".transposed_convolution": "Conv1DTranspose Conv2DTranspose Conv3DTranspose",
    ".depthwise_convolution": "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D",
    ".pooling": "MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D GlobalMaxPooling1D "
    "GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D",
    ".regularization": "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout",
    ".normalization": "BatchNormalization LayerNormalization GroupNormalization UnitNormalization",
    ".spectral": "SpectralNormalization",
    ".merging": "Add Subtract Multiply Average Maximum Minimum Concatenate Dot add subtract multiply average maximum minimum concatenate dot",
    ".embedding": "Embedding",
    ".einsum_dense": "EinsumDense",
    ".attention": "Attention AdditiveAttention",
    ".multi_head_attention": "MultiHeadAttention",
    ".wrapper": "Wrapper TimeDistributed",
    ".bidirectional": "Bidirectional",
    ".rnn": "RNN AbstractRNNCell StackedRNNCells",
    ".rnn_cells": "SimpleRNNCell GRUCell LSTMCell",
    ".recurrent": "SimpleRNN GRU LSTM",
    ".conv_lstm": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
    ".locally_connected": "LocallyConnected1D LocallyConnected2D",
    ".image_preprocessing": "Rescaling Resizing CenterCrop",
    ".image_augmentation": "RandomBrightness RandomContrast RandomCrop RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth "
    "RandomZoom",
    ".crossing": "HashedCrossing",
    ".features": "DenseFeatures",
    ".statistics": "Normalization Discretization CategoryEncoding Hashing",
    ".lookup": "StringLookup IntegerLookup",
    ".text_vectorization": "TextVectorization",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

#: Keras' other names for the same class
_ALIASES = {
    "AvgPool1D": "AveragePooling1D", "AvgPool2D": "AveragePooling2D", "AvgPool3D": "AveragePooling3D", "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D", "MaxPool3D": "MaxPooling3D", "Convolution1D": "Conv1D", "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D", "Convolution1DTranspose": "Conv1DTranspose", "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose", "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D", "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalAvgPool3D": "GlobalAveragePooling3D", "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D", "GlobalMaxPool3D": "GlobalMaxPooling3D",
}  # fmt: skip

_missing = module_getattr("tf.keras.layers")


def __getattr__(name: str) -> Any:
    if name == "experimental":
        return importlib.import_module(".experimental", __name__)
    public = _ALIASES.get(name, name)
    home = _HOME_OF.get(public)
    if home is None:
        return _missing(name)
    try:
        module = importlib.import_module(home, __name__)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("tf2compat.keras."):
            return _missing(name)
        raise
    value = getattr(module, public)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME_OF) | set(_ALIASES))


def serialize(layer: Any, use_legacy_format: bool = False) -> Any:
    """The config of a layer (`tf.keras.layers.serialize`)."""
    from .._base.serialization import serialize_keras_object, serialize_legacy

    if type(layer).__mro__ and any(c.__name__ == "Metric" and c.__module__.startswith("tf2compat.keras.metrics") for c in type(layer).__mro__):
        raise ValueError(
            f"Cannot serialize {layer} since it is a metric. Please use the `keras.metrics.serialize()` and `keras.metrics.deserialize()` APIs "
            "to serialize and deserialize metrics."
        )
    return serialize_legacy(layer) if use_legacy_format else serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """The layer of a config (`tf.keras.layers.deserialize`). ValueError without one, or for an unknown class."""
    from .._base.serialization import deserialize_keras_object, from_module

    if not config:
        raise ValueError(f"Cannot deserialize empty config. Received: config={config}")
    if isinstance(config, (dict, list, tuple)) and not (isinstance(config, dict) and "class_name" not in config):
        return deserialize_keras_object(config, custom_objects)
    return from_module(config, globals(), custom_objects, "layer", use_legacy_format)
