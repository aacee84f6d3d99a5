"""`tf.keras.preprocessing.image`: images as files and arrays, and batches of augmented ones."""

from __future__ import annotations

from tf2compat._names import module_getattr

from ...utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize
from .files import DataFrameIterator, DirectoryIterator
from .generator import ImageDataGenerator
from .iterators import Iterator, NumpyArrayIterator
from .transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)

__all__ = [
    "DataFrameIterator", "DirectoryIterator", "ImageDataGenerator", "Iterator", "NumpyArrayIterator", "apply_affine_transform",
    "apply_brightness_shift", "apply_channel_shift", "array_to_img", "img_to_array", "load_img", "random_brightness",
    "random_channel_shift", "random_rotation", "random_shear", "random_shift", "random_zoom", "save_img", "smart_resize",
]  # fmt: skip

__getattr__ = module_getattr("tf.keras.preprocessing.image")
