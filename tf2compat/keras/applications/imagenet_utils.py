"""`tf.keras.applications.imagenet_utils`: pixels as the published networks want them, and the names of their classes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .. import backend

_INDEX_URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"
_index: dict[str, list[str]] = {}

#: mode → (whether channels are reversed, scale, mean, standard deviation)
_MODES: dict[str, tuple[bool, float | None, list[float], list[float] | None]] = {
    "caffe": (True, None, [103.939, 116.779, 123.68], None),
    "torch": (False, 255.0, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "tf": (False, 127.5, [1.0, 1.0, 1.0], None),
}


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Scale and centre RGB pixels of [0, 255], `[..., rows, columns, 3]`, as a network was trained with (`preprocess_input`).

    `caffe`: BGR, less ImageNet's mean; `tf`: [-1, 1]; `torch`: [0, 1], less the mean, over the standard deviation. A floating
    NumPy array is changed in place. ValueError for an unknown mode or data format.
    """
    if mode not in _MODES:
        raise ValueError(f"Expected mode to be one of `caffe`, `tf` or `torch`. Received: mode={mode}")
    if data_format is None:
        data_format = backend.image_data_format()
    elif data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Expected data_format to be one of `channels_first` or `channels_last`. Received: data_format={data_format}")
    first = data_format == "channels_first"
    return (_array if isinstance(x, np.ndarray) else _tensor)(x, first, mode)


def _array(x: np.ndarray, first: bool, mode: str) -> np.ndarray:
    swap, scale, mean, std = _MODES[mode]
    if not issubclass(x.dtype.type, np.floating):
        x = x.astype(backend.floatx(), copy=False)
    if scale is not None:
        x /= scale
    if mode == "tf":
        x -= 1.0
        return x
    axis = -1 if not first else 0 if x.ndim == 3 else 1
    if swap:
        x = np.flip(x, axis)
    channels = np.moveaxis(x, axis, 0)
    for i in range(3):
        channels[i] -= mean[i]
        if std is not None:
            channels[i] /= std[i]
    return x


def _tensor(x: Any, first: bool, mode: str) -> Any:
    swap, scale, mean, std = _MODES[mode]
    if scale is not None:
        x /= scale
    if mode == "tf":
        x -= 1.0
        return x
    if swap:
        if not first:
            x = x[..., ::-1]
        else:
            x = x[::-1, ...] if len(x.shape) == 3 else x[:, ::-1, ...]
    # Keras' order of operations: the mean is a float32 that is then cast
    offset = backend.cast(backend.constant(-np.array(mean)), backend.dtype(x))
    x = backend.bias_add(x, offset, "channels_first" if first else "channels_last")
    if std is not None:
        divisor = backend.constant(np.array(std), dtype=backend.dtype(x))
        x /= backend.reshape(divisor, (-1, 1, 1)) if first else divisor
    return x


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """For each row of `[n, 1000]` scores the `top` classes as (WordNet id, name, score), best first (`decode_predictions`).

    The names come from a file that is downloaded once. ValueError for another shape.
    """
    if len(preds.shape) != 2 or preds.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape (samples, 1000)). Found array with shape: "
            + str(preds.shape)
        )
    names = _class_index()
    rows = []
    for row in np.asarray(preds):
        best = row.argsort()[-top:][::-1]
        found = [(*names[str(i)], row[i]) for i in best]
        found.sort(key=lambda entry: entry[2], reverse=True)
        rows.append(found)
    return rows


def _class_index() -> dict[str, list[str]]:
    if not _index:
        from ..utils import get_file

        path = get_file("imagenet_class_index.json", _INDEX_URL, cache_subdir="models", file_hash=_INDEX_HASH)
        with open(path, encoding="utf-8") as f:
            _index.update(json.load(f))
    return _index
