"""The process-wide settings of Keras: `floatx`, `epsilon`, `image_data_format`."""

from __future__ import annotations

import numpy as np

from tf2compat._engine import dtypes


class Settings:
    floatx = "float32"
    epsilon = 1e-7
    image_data_format = "channels_last"


settings = Settings()


def as_floatx(value: float) -> float:
    """The number as Keras' default float type holds it; configs show it so."""
    return float(np.asarray(value, dtypes.as_dtype(settings.floatx).as_numpy_dtype))
