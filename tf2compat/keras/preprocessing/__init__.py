"""`tf.keras.preprocessing`: data sets from folders and series, texts and images."""

from __future__ import annotations

from typing import Any

from . import image, sequence, text

__all__ = ["image", "sequence", "text"]


def __getattr__(name: str) -> Any:
    if name in ("image_dataset_from_directory", "text_dataset_from_directory", "timeseries_dataset_from_array"):
        from .. import utils

        return getattr(utils, name)
    from tf2compat._names import missing

    raise missing("tf.keras.preprocessing", name)
