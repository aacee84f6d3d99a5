"""`tf.keras.datasets.reuters`: news, as numbers of words, by topic."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ._reading import arrays, cached, limited, lists, short, shuffled, worded


def load_data(
    path: str = "reuters.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None, test_split: float = 0.2,
    seed: int = 113, start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3, cache_dir: str | None = None,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """((x_train, y_train), (x_test, y_test)): lists of word numbers, and 46 topics."""
    num_words = kwargs.pop("nb_words", num_words)
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
    found = cached(path, "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916", cache_dir)
    x, labels = shuffled(seed, *arrays(found, "x", "y"))
    xs = worded(x, start_char, index_from)
    if maxlen:
        xs, labels = short(maxlen, xs, labels)
    xs = limited(xs, num_words, skip_top, oov_char)
    n = int(len(xs) * (1 - test_split))
    return (lists(xs[:n]), np.array(labels[:n])), (lists(xs[n:]), np.array(labels[n:]))


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Word → number."""
    found = cached(path, "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921", None)
    with open(found, encoding="utf-8") as f:
        return json.load(f)


def get_label_names() -> tuple[str, ...]:
    """The names of the topics."""
    return _TOPICS


_TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar", "trade",
    "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp", "meal-feed", "alum",
    "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel", "rubber", "heat", "jobs",
    "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip
