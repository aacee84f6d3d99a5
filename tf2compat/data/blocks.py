"""Blocks of elements: columns with one row for each of several elements.

Some sources have many elements at once (rows of a text file, the elements of a batch). A stage that can work on all of them together passes
blocks on; `Elements` makes elements of them. An element that fails ends its block early: the error comes in the place of the next one, and
a reader that goes on after it gets what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from .. import errors
from ..strings.elementwise import boxed
from . import structure
from .indexed import taken

Block = list[Any]

#: from how many rows on a function of whole blocks is faster than a call for each element
WORTH = 8
_SLICE = 64


def length(block: Block) -> int:
    return int(block[0].shape[0])


def cut(block: Block, start: int, stop: int | None) -> Block:
    return [c[start:stop] for c in block]


def joined(blocks: list[Block]) -> Block:
    """Several blocks as one."""
    if len(blocks) == 1:
        return blocks[0]
    return [np.concatenate(parts) if isinstance(parts[0], np.ndarray) else torch.cat(parts) for parts in zip(*blocks, strict=True)]


def _singles(column: Any) -> Any:
    if isinstance(column, torch.Tensor):
        return column.unbind(0)
    return map(boxed, column.tolist()) if column.ndim == 1 else list(column)


def _elements(block: Block) -> Iterator[list[Any]]:
    n = length(block)
    for at in range(0, n, _SLICE):
        part = block if n <= _SLICE else cut(block, at, at + _SLICE)
        yield from map(list, zip(*map(_singles, part), strict=True))


class Elements:
    """The elements of blocks, one by one."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._rows: Iterator[list[Any]] = iter(())

    def __iter__(self) -> Elements:
        return self

    def __next__(self) -> list[Any]:
        for flat in self._rows:
            return flat
        while True:
            self._rows = _elements(next(self._blocks))
            for flat in self._rows:
                return flat


class Batches:
    """Blocks of `size` rows. An error drops the rows that wait for their batch, as TensorFlow drops the elements."""

    def __init__(self, blocks: Iterator[Block], size: int, drop_remainder: bool) -> None:
        self._blocks, self._size, self._drop = blocks, size, drop_remainder
        self._waiting: list[Block] = []
        self._count = 0
        self._at = 0  # rows of the first block that are gone

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Block:
        size = self._size
        while self._count < size:
            try:
                block = next(self._blocks)
            except StopIteration:
                if not self._count or self._drop:
                    self._waiting, self._count = [], 0
                    raise
                size = self._count
                break
            except errors.OpError:
                self._waiting, self._count, self._at = [], 0, 0
                raise
            n = length(block)
            if n:
                self._waiting.append(block)
                self._count += n
        parts: list[Block] = []
        need = size
        while need:
            first = self._waiting[0]
            n = length(first)
            end = min(n, self._at + need)
            parts.append(cut(first, self._at, end) if self._at or end < n else first)
            need -= end - self._at
            self._at = end
            if end == n:
                del self._waiting[0]
                self._at = 0
        self._count -= size
        return joined(parts)


class Limited:
    """The first `count` rows after `skip` rows."""

    def __init__(self, blocks: Iterator[Block], skip: int, count: int | None) -> None:
        self._blocks, self._skip, self._left = blocks, skip, count
        self._all = skip

    def __iter__(self) -> Limited:
        return self

    def __next__(self) -> Block:
        if self._left == 0:
            raise StopIteration
        while True:
            try:
                block = next(self._blocks)
            except errors.OpError:  # what is skipped is counted from the beginning again, as in TensorFlow
                self._skip = self._all if self._skip else 0
                raise
            n = length(block)
            if self._skip:
                gone = min(n, self._skip)
                self._skip -= gone
                block, n = cut(block, gone, None), n - gone
            if not n:
                continue
            if self._left is None:
                return block
            if n > self._left:
                block, n = cut(block, 0, self._left), self._left
            self._left -= n
            return block


class Repeated:
    """The blocks of a dataset over and over."""

    def __init__(self, make: Callable[[], Iterator[Any]], count: int) -> None:
        self._make, self._left = make, count
        self._now: Iterator[Any] | None = None
        self._empty = True

    def __iter__(self) -> Repeated:
        return self

    def __next__(self) -> Any:
        while True:
            if self._now is None:
                if self._left == 0:
                    raise StopIteration
                self._now, self._empty = self._make(), True
            for found in self._now:
                self._empty = False
                return found
            self._now = None
            self._left = 0 if self._left < 0 and self._empty else self._left - (self._left > 0)


class Mapped:
    """A function of blocks, or of elements where it fails or would not pay."""

    def __init__(self, blocks: Iterator[Block], whole: Any) -> None:
        self._blocks, self._whole = blocks, whole
        self._rest: Iterator[list[Any]] = iter(())

    def __iter__(self) -> Mapped:
        return self

    def __next__(self) -> Block:
        for flat in self._rest:
            return [c[None] for c in self._whole.one(flat)]
        block = next(self._blocks)
        if length(block) >= WORTH:
            found = self._whole.together(block)
            if found is not None:
                return found
        if not length(block):
            return next(self)
        self._rest = _elements(block)
        return next(self)


class Chosen:
    """The rows for which a predicate, a function of blocks, is true."""

    def __init__(self, blocks: Iterator[Block], whole: Any) -> None:
        self._blocks, self._whole = blocks, whole
        self._rest: Iterator[list[Any]] = iter(())

    def __iter__(self) -> Chosen:
        return self

    def __next__(self) -> Block:
        while True:
            for flat in self._rest:
                if bool(self._whole.one(flat)[0]):
                    return [c[None] for c in flat]
            block = next(self._blocks)
            if length(block) >= WORTH:
                found = self._whole.together(block)
                if found is not None:
                    rows = found[0].nonzero()[:, 0]
                    if len(rows) == length(block):
                        return block
                    if len(rows):
                        return [c[rows.cpu().numpy()] if isinstance(c, np.ndarray) else c.index_select(0, rows) for c in block]
                    continue
            self._rest = _elements(block)


class Shuffled:
    """Rows drawn at random from a buffer of rows, which the following rows fill again."""

    def __init__(self, blocks: Iterator[Block], size: int, rng: np.random.Generator) -> None:
        self._blocks, self._size, self._rng = blocks, size, rng
        self._filling: list[Block] = []
        self._filled = 0
        self._pool: Block | None = None
        self._next: Block | None = None

    def __iter__(self) -> Shuffled:
        return self

    def __next__(self) -> Block:
        while self._pool is None:
            try:
                block = next(self._blocks)
            except StopIteration:
                if not self._filling:
                    raise
                pool, self._filling = joined(self._filling), []
                return taken(pool, self._rng.permutation(self._filled))
            n = length(block)
            room = self._size - self._filled
            self._filling.append(cut(block, 0, room) if n > room else block)
            self._filled += min(n, room)
            if n > room:
                self._pool = [c.copy() if isinstance(c, np.ndarray) else c.clone() for c in joined(self._filling)]
                self._filling, self._next = [], cut(block, room, None)
        try:
            block = next(self._blocks) if self._next is None else self._next
        except StopIteration:
            if not self._filled:
                raise
            pool, self._filled = self._pool, 0
            return taken(pool, self._rng.permutation(self._size))
        self._next = None
        return self._exchanged(block)

    def _exchanged(self, block: Block) -> Block:
        """What leaves the pool as the rows of a block enter it one after the other."""
        pool, n = self._pool, length(block)
        assert pool is not None
        if not n:
            return block
        places = self._rng.integers(0, self._size, n).tolist()
        last: dict[int, int] = {}
        again: list[tuple[int, int]] = []  # a row of this block that leaves with it
        for row, place in enumerate(places):
            before = last.get(place)
            if before is not None:
                again.append((row, before))
            last[place] = row
        out = taken(pool, np.array(places))
        if again:
            to, source = (np.array(a) for a in zip(*again, strict=True))
            for o, c in zip(out, block, strict=True):
                _put(o, to, c, source)
        to, source = np.fromiter(last.keys(), np.int64), np.fromiter(last.values(), np.int64)
        for p, c in zip(pool, block, strict=True):
            _put(p, to, c, source)
        return out


def _put(into: Any, to: np.ndarray, column: Any, rows: np.ndarray) -> None:
    if isinstance(into, np.ndarray):
        into[to] = column[rows]
    else:
        into[torch.from_numpy(to).to(into.device)] = column[torch.from_numpy(rows).to(column.device)]


def unbatched(source: Iterator[list[Any]]) -> Iterator[Block]:
    """The elements of a dataset of batches, each a block."""
    for flat in source:
        sizes = {structure.rows(c) for c in flat if c is not None}
        if len(sizes) > 1:
            raise errors.InvalidArgumentError(
                None, None, f"Input element must have the same batch size in each component. Got {sorted(sizes)} [Op:IteratorGetNext] name: "
            )
        yield flat

