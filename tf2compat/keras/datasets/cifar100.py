"""`tf.keras.datasets.cifar100`: small pictures of a hundred kinds of things."""

from __future__ import annotations

import os
from typing import Any

from ._cifar import batch, folder, placed


def load_data(label_mode: str = "fine", cache_dir: str | None = None) -> Any:
    """((x_train, y_train), (x_test, y_test)); `label_mode` "fine" has 100 classes, "coarse" 20. ValueError for another."""
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.')
    path = folder(
        "cifar-100-python", "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7", cache_dir,
    )  # fmt: skip
    x, y = batch(os.path.join(path, "train"), f"{label_mode}_labels")
    x_test, y_test = batch(os.path.join(path, "test"), f"{label_mode}_labels")
    return (placed(x), y), (placed(x_test), y_test)
