"""Images as files, PIL images and arrays."""

from __future__ import annotations

import io
import os
import pathlib
from typing import Any

import numpy as np

from .._base.config import settings


def _pil() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("Could not import PIL.Image. The use of `load_img` requires PIL.") from None
    return Image


def _resampling(name: str) -> Any:
    image = _pil()
    known = {
        "nearest": image.Resampling.NEAREST, "bilinear": image.Resampling.BILINEAR, "bicubic": image.Resampling.BICUBIC,
        "hamming": image.Resampling.HAMMING, "box": image.Resampling.BOX, "lanczos": image.Resampling.LANCZOS,
    }  # fmt: skip
    if name not in known:
        raise ValueError(f"Invalid interpolation method {name} specified. Supported methods are {', '.join(known)}")
    return known[name]


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """A PIL image of an array of rank 3 (`tf.keras.utils.array_to_img`). ValueError for other ranks or channels."""
    data_format = data_format or settings.image_data_format
    image = _pil()
    x = np.asarray(x, dtype=dtype or settings.floatx)
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Invalid data_format: {data_format}")
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - np.min(x)
        top = np.max(x)
        if top != 0:
            x /= top
        x *= 255
    if x.shape[2] == 4:
        return image.fromarray(x.astype("uint8"), "RGBA")
    if x.shape[2] == 3:
        return image.fromarray(x.astype("uint8"), "RGB")
    if x.shape[2] == 1:
        if np.max(x) > 255:
            return image.fromarray(x[:, :, 0].astype("int32"), "I")
        return image.fromarray(x[:, :, 0].astype("uint8"), "L")
    raise ValueError(f"Unsupported channel number: {x.shape[2]}")


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """An array of rank 3 of a PIL image (`tf.keras.utils.img_to_array`)."""
    data_format = data_format or settings.image_data_format
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Unknown data_format: {data_format}")
    x = np.asarray(img, dtype=dtype or settings.floatx)
    if x.ndim == 3:
        return x.transpose(2, 0, 1) if data_format == "channels_first" else x
    if x.ndim == 2:
        return x.reshape((1, *x.shape)) if data_format == "channels_first" else x.reshape((*x.shape, 1))
    raise ValueError(f"Unsupported image shape: {x.shape}")


def load_img(
    path: Any,
    grayscale: bool = False,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """A PIL image of a file, with a colour mode and size (`tf.keras.utils.load_img`). ValueError for an unknown mode."""
    if grayscale:
        color_mode = "grayscale"
    image = _pil()
    if isinstance(path, io.BytesIO):
        img = image.open(path)
    elif isinstance(path, (pathlib.Path, bytes, str)):
        if isinstance(path, bytes):
            path = path.decode()
        with open(os.fspath(path), "rb") as f:
            img = image.open(io.BytesIO(f.read()))
    else:
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    if color_mode == "grayscale":
        if img.mode not in ("L", "I;16", "I"):
            img = img.convert("L")
    elif color_mode == "rgba":
        img = img.convert("RGBA") if img.mode != "RGBA" else img
    elif color_mode == "rgb":
        img = img.convert("RGB") if img.mode != "RGB" else img
    else:
        raise ValueError('color_mode must be "grayscale", "rgb", or "rgba"')
    if target_size is not None:
        size = (target_size[1], target_size[0])
        if img.size != size:
            how = _resampling(interpolation)
            if keep_aspect_ratio:
                width, height = img.size
                tw, th = size
                crop_h = min(height, width * th // tw) or height
                crop_w = min(width, height * tw // th) or width
                top, left = (height - crop_h) // 2, (width - crop_w) // 2
                img = img.resize(size, how, box=[left, top, left + crop_w, top + crop_h])
            else:
                img = img.resize(size, how)
    return img


def save_img(path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any) -> None:
    """Write an array as an image file (`tf.keras.utils.save_img`)."""
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format in ("jpg", "jpeg"):
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


def smart_resize(x: Any, size: Any, interpolation: str = "bilinear") -> Any:
    """Images resized without distortion: the middle of the right proportions (`tf.keras.preprocessing.image.smart_resize`)."""
    import tf2compat as tf

    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    img = tf.convert_to_tensor(x)
    if img.shape.rank not in (3, 4):
        raise ValueError(
            "Expected an image array with shape `(height, width, channels)`, or `(batch_size, height, width, channels)`, but got input "
            f"with incorrect rank, of shape {img.shape}."
        )
    height, width = img.shape[-3], img.shape[-2]
    th, tw = size
    if height is None or width is None:
        height, width = tf.shape(img)[-3], tf.shape(img)[-2]
        crop_h = tf.minimum(height, tf.cast(tf.cast(width * th, tf.float32) / tw, tf.int32))
        crop_w = tf.minimum(width, tf.cast(tf.cast(height * tw, tf.float32) / th, tf.int32))
        top, left = (height - crop_h) // 2, (width - crop_w) // 2
    else:
        crop_h = min(height, int(float(width * th) / tw))
        crop_w = min(width, int(float(height * tw) / th))
        top, left = int(float(height - crop_h) / 2), int(float(width - crop_w) / 2)
    img = img[..., top : top + crop_h, left : left + crop_w, :]
    out = tf.image.resize(img, size=size, method=interpolation)
    return out.numpy() if isinstance(x, np.ndarray) else out
