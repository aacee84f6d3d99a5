"""Lookups of many whole numbers at once."""

from __future__ import annotations

from typing import Any

import numpy as np

#: lookups of fewer keys go through the dictionary one by one
FEWEST = 256


class Numbered:
    """Entries of a table whose keys are whole numbers, as vectors: found by a vector over the keys' range where that is short, else by bisection."""

    def __init__(self, items: dict[int, Any], key_dtype: Any, value_dtype: Any) -> None:
        n = len(items)
        keys = np.fromiter(items, key_dtype, n)
        self.values = np.zeros(n + 1, value_dtype)  # the last is for keys that are not there
        self.values[:n] = np.fromiter(items.values(), value_dtype, n)
        self.low, self.high = (int(keys.min()), int(keys.max())) if n else (0, 0)
        self.keys: np.ndarray | None = None
        if self.high - self.low < 4 * n + 1024:
            self.rows = np.full(self.high - self.low + 1, n)
            self.rows[self._places(keys)] = np.arange(n)
        else:
            self.rows = np.argsort(keys)
            self.keys = keys[self.rows]

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values of keys, and which keys are there."""
        last = len(self.values) - 1
        if self.keys is not None:
            at = np.minimum(np.searchsorted(self.keys, keys), last - 1)
            known = self.keys[at] == keys
            return self.values[np.where(known, self.rows[at], last)], known
        inside = (keys >= self.low) & (keys <= self.high)
        at = self.rows[np.where(inside, self._places(keys), 0)]
        at[~inside] = last
        return self.values[at], at < last

    def _places(self, keys: np.ndarray) -> np.ndarray:
        """Where keys of the range are in `rows`; of others anything."""
        wide = keys if keys.dtype.itemsize == 8 else keys.astype(np.int64)
        return (wide - wide.dtype.type(self.low)).astype(np.intp)
