"""`Dataset.cache`: in memory, or in a file that appears when an iteration has come to its end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

from .._engine.convert import convert_to_tensor
from .dataset import Dataset
from .stages import _Unary


class CacheDataset(_Unary):
    """Elements of the first full iteration, kept (`Dataset.cache`)."""

    def __init__(self, source: Dataset, filename: Any) -> None:
        super().__init__(source)
        name = convert_to_tensor(filename).numpy()
        self._file = name.decode() if isinstance(name, bytes) else str(name)
        self._kept: list[Any] | None = None
        self._lock = threading.Lock()

    _not_saved = frozenset(("_kept", "_lock"))

    def _revived(self) -> None:
        self._remade()

    def _remade(self) -> None:
        self._kept, self._lock = None, threading.Lock()

    def _components(self) -> Iterator[Any]:
        if self._file:
            yield from self._from_file()
            return
        if self._kept is not None:
            yield from self._kept
            return
        kept = []
        for flat in self._source._components():
            kept.append(list(flat))
            yield flat
        with self._lock:
            self._kept = kept

    def _from_file(self) -> Iterator[Any]:
        from .saving import read_elements, writing

        path = self._file + ".elements"
        if not os.path.exists(path):
            with writing(path, self._spec) as write:
                for flat in self._source._components():
                    write(flat)
                    yield flat
            return
        yield from read_elements(path, self._spec)
