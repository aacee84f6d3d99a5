"""Reading the data sets' files: arrays, and pickles of nothing but arrays, lists, numbers and strings."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from typing import Any

import numpy as np

from ..utils.files import get_file

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

_ALLOWED = frozenset(
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray", "numpy", "numpy.core.numeric", "numpy._core.numeric")
    for name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer")
) | {("_codecs", "encode")}


class _Plain(pickle.Unpickler):
    """Unpickles plain data; anything that could run code is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"The file wants {module}.{name}, which plain data does not need: it is refused.")
        return super().find_class(module, name)


def unpickled(data: bytes, encoding: str = "ASCII") -> Any:
    """The plain value of a pickle. UnpicklingError for anything else."""
    return _Plain(io.BytesIO(data), encoding=encoding).load()


def arrays(path: str, *names: str) -> list[np.ndarray]:
    """Arrays of an `.npz` file by name; arrays of lists included."""
    out = []
    with zipfile.ZipFile(path) as archive:
        for name in names:
            with archive.open(f"{name}.npy") as f:
                data = f.read()
            stream = io.BytesIO(data)
            version = np.lib.format.read_magic(stream)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(stream)
            if dtype.hasobject:
                out.append(np.asarray(unpickled(data[stream.tell() :]), dtype=object).reshape(shape))
            else:
                out.append(np.load(io.BytesIO(data), allow_pickle=False))
    return out


def cached(name: str, file: str, file_hash: str | None, cache_dir: str | None, subdir: str = "datasets", **kwargs: Any) -> str:
    """The path of a data set's file in Keras' cache, downloaded where it is not there."""
    if cache_dir:
        cache_dir = os.path.expanduser(cache_dir)
        os.makedirs(cache_dir, exist_ok=True)
    return get_file(name, origin=ORIGIN + file, file_hash=file_hash, cache_dir=cache_dir, cache_subdir=subdir, **kwargs)


def shuffled(seed: int, *parts: Any) -> list[Any]:
    """Arrays of one length in one random order."""
    order = np.arange(len(parts[0]))
    np.random.RandomState(seed).shuffle(order)
    return [p[order] for p in parts]


def worded(sequences: Any, start_char: int | None, index_from: int) -> list[list[int]]:
    """Sequences with their numbers raised by `index_from`, and a start before each."""
    if start_char is not None:
        return [[start_char] + [w + index_from for w in x] for x in sequences]
    return [[w + index_from for w in x] for x in sequences] if index_from else [list(x) for x in sequences]


def short(maxlen: int, sequences: list[Any], labels: Any) -> tuple[list[Any], list[Any]]:
    """The sequences shorter than `maxlen`, and their labels."""
    kept = [(x, y) for x, y in zip(sequences, labels, strict=True) if len(x) < maxlen]
    return [x for x, _ in kept], [y for _, y in kept]


def limited(sequences: list[Any], num_words: int | None, skip_top: int, oov_char: int | None) -> list[list[int]]:
    """Sequences without rare words and the most frequent ones: replaced by `oov_char`, or left out."""
    if not num_words:
        num_words = max(max(x) for x in sequences)
    if oov_char is not None:
        return [[w if skip_top <= w < num_words else oov_char for w in x] for x in sequences]
    return [[w for w in x if skip_top <= w < num_words] for x in sequences]


def lists(sequences: list[Any]) -> np.ndarray:
    out = np.empty(len(sequences), dtype=object)
    out[:] = sequences
    return out
