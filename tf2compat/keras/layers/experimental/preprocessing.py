"""`tf.keras.layers.experimental.preprocessing`: the old place of the preprocessing layers."""

from __future__ import annotations

from ...._names import module_getattr
from .._adapting import PreprocessingLayer
from ..crossing import HashedCrossing
from ..image_augmentation import (
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomHeight,
    RandomRotation,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
)
from ..image_preprocessing import CenterCrop, Rescaling, Resizing
from ..lookup import IntegerLookup, StringLookup
from ..statistics import CategoryEncoding, Discretization, Hashing, Normalization
from ..text_vectorization import TextVectorization

__getattr__ = module_getattr("tf.keras.layers.experimental.preprocessing")
__all__ = [
    "CategoryEncoding", "CenterCrop", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "Normalization", "PreprocessingLayer",
    "RandomContrast", "RandomCrop", "RandomFlip", "RandomHeight", "RandomRotation", "RandomTranslation", "RandomWidth", "RandomZoom",
    "Rescaling", "Resizing", "StringLookup", "TextVectorization",
]  # fmt: skip
