"""`tensorflow.python.util.object_identity`: containers that compare by identity."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterable, Iterator
from typing import Any

from tf2compat._engine.tensor import Reference

__all__ = ["ObjectIdentityDictionary", "ObjectIdentitySet", "Reference"]


class ObjectIdentityDictionary(collections.abc.MutableMapping):
    """A dict whose keys compare by identity."""

    def __init__(self, *args: Any) -> None:
        self._items: dict[int, tuple[Any, Any]] = {}
        self.update(*args)

    def __getitem__(self, key: Any) -> Any:
        return self._items[id(key)][1]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items[id(key)] = (key, value)

    def __delitem__(self, key: Any) -> None:
        del self._items[id(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter([key for key, _ in self._items.values()])

    def __len__(self) -> int:
        return len(self._items)


class ObjectIdentitySet(collections.abc.MutableSet):
    """A set whose elements compare by identity."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._items = {id(item): item for item in items}

    def __contains__(self, item: Any) -> bool:
        return id(item) in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def add(self, value: Any) -> None:
        self._items[id(value)] = value

    def discard(self, value: Any) -> None:
        self._items.pop(id(value), None)

    def update(self, items: Iterable[Any]) -> None:
        for item in items:
            self.add(item)
