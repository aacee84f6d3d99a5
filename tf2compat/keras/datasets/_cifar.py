"""What the two CIFAR data sets share."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._base.config import settings
from ..utils.files import get_file
from ._reading import unpickled


def folder(name: str, origin: str, file_hash: str, cache_dir: str | None) -> str:
    if cache_dir:
        cache_dir = os.path.expanduser(cache_dir)
        os.makedirs(cache_dir, exist_ok=True)
    return get_file(name, origin=origin, untar=True, file_hash=file_hash, cache_dir=cache_dir)


def batch(path: str, key: str = "labels") -> tuple[np.ndarray, np.ndarray]:
    """Images [n, 3, 32, 32] and labels [n, 1] of a file."""
    with open(path, "rb") as f:
        found = {k.decode() if isinstance(k, bytes) else k: v for k, v in unpickled(f.read(), encoding="bytes").items()}
    return found["data"].reshape(-1, 3, 32, 32), np.reshape(found[key], (-1, 1))


def placed(x: np.ndarray) -> np.ndarray:
    return x.transpose(0, 2, 3, 1) if settings.image_data_format == "channels_last" else x


def joined(parts: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts]).astype("uint8")
