"""`tf.keras.preprocessing.image`: images as files and arrays."""

from __future__ import annotations

from tf2compat._names import module_getattr

from ..utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

__getattr__ = module_getattr("tf.keras.preprocessing.image")
