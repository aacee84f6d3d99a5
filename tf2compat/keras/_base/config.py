"""The process-wide settings of Keras: `floatx`, `epsilon`, `image_data_format`."""

from __future__ import annotations


class Settings:
    floatx = "float32"
    epsilon = 1e-7
    image_data_format = "channels_last"


settings = Settings()
