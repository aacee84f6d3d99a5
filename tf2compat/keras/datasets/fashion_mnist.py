"""`tf.keras.datasets.fashion_mnist`: pictures of clothes."""

from __future__ import annotations

import gzip
import os
from typing import Any

import numpy as np

from ._reading import cached


def load_data(cache_dir: str | None = None) -> Any:
    """((x_train, y_train), (x_test, y_test)) of 60,000 and 10,000 pictures, 28×28, uint8."""
    folder = os.path.join("datasets", "fashion-mnist")
    parts = []
    for kind in ("train", "t10k"):
        names = (f"{kind}-labels-idx1-ubyte.gz", f"{kind}-images-idx3-ubyte.gz")
        labels, images = (cached(name, name, None, cache_dir, folder) for name in names)
        with gzip.open(labels, "rb") as f:
            y = np.frombuffer(f.read(), np.uint8, offset=8)
        with gzip.open(images, "rb") as f:
            x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(len(y), 28, 28)
        parts.append((x, y))
    return parts[0], parts[1]
