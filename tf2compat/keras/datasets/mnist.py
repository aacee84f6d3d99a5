"""`tf.keras.datasets.mnist`: handwritten digits."""

from __future__ import annotations

from typing import Any

from ._reading import arrays, cached


def load_data(path: str = "mnist.npz", cache_dir: str | None = None) -> Any:
    """((x_train, y_train), (x_test, y_test)) of 60,000 and 10,000 digits, 28×28, uint8."""
    found = cached(path, "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1", cache_dir)
    x_train, y_train, x_test, y_test = arrays(found, "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)
