"""`tf.keras.datasets.imdb`: reviews of films, as numbers of words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ._reading import arrays, cached, limited, lists, short, worded


def load_data(
    path: str = "imdb.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None, seed: int = 113,
    start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3, cache_dir: str | None = None, **kwargs: Any,
) -> Any:  # fmt: skip
    """((x_train, y_train), (x_test, y_test)): lists of word numbers, and labels 0 and 1. ValueError when none is short enough."""
    num_words = kwargs.pop("nb_words", num_words)
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}.")
    found = cached(path, "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f", cache_dir)
    x_train, y_train, x_test, y_test = arrays(found, "x_train", "y_train", "x_test", "y_test")
    random = np.random.RandomState(seed)
    parts = []
    for x, y in ((x_train, y_train), (x_test, y_test)):
        order = np.arange(len(x))
        random.shuffle(order)
        sequences: Any = worded(x[order], start_char, index_from)
        labels: Any = y[order]
        if maxlen:
            sequences, labels = short(maxlen, sequences, labels)
            if not sequences:
                raise ValueError(f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen.")
        parts.append((sequences, labels))
    n = len(parts[0][0])
    xs = limited(parts[0][0] + parts[1][0], num_words, skip_top, oov_char)
    labels = np.concatenate([parts[0][1], parts[1][1]])
    return (lists(xs[:n]), labels[:n]), (lists(xs[n:]), labels[n:])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Word → number."""
    found = cached(path, "imdb_word_index.json", "bfafd718b763782e994055a2d397834f", None)
    with open(found, encoding="utf-8") as f:
        return json.load(f)


