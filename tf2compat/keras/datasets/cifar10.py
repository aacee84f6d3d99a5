"""`tf.keras.datasets.cifar10`: small pictures of ten kinds of things."""

from __future__ import annotations

import os
from typing import Any

from ._cifar import batch, folder, joined, placed


def load_data(cache_dir: str | None = None) -> Any:
    """((x_train, y_train), (x_test, y_test)) of 50,000 and 10,000 pictures, 32×32×3, uint8; labels have shape [n, 1]."""
    path = folder(
        "cifar-10-batches-py", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce", cache_dir,
    )  # fmt: skip
    x, y = joined([batch(os.path.join(path, f"data_batch_{i}")) for i in range(1, 6)])
    x_test, y_test = joined([batch(os.path.join(path, "test_batch"))])
    return (placed(x), y), (placed(x_test), y_test)
