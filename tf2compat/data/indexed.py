"""Rows of tensors in some order: how `from_tensor_slices → shuffle → batch` becomes a gather of rows.

An `Indexed` view has columns (tensors with one row for each element), a stream of row numbers, and functions that are
applied to the gathered batch. A stage that keeps to rows passes the view on; a batch gathers; anything else falls back to
elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from . import structure
from .randomness import ExactPicks


class Indexed:
    """Columns, a function that makes a new stream of arrays of row numbers, and functions of batches."""

    def __init__(self, columns: list[Any], order: Callable[[], Iterator[np.ndarray]], functions: tuple[Any, ...] = (), steps: str = "") -> None:
        self.columns = columns
        self.order = order
        self.functions = functions
        self.steps = steps

    def then(self, order: Callable[[], Iterator[np.ndarray]], step: str) -> Indexed:
        return Indexed(self.columns, order, self.functions, f"{self.steps}, {step}" if self.steps else step)

    def mapped(self, function: Any) -> Indexed:
        step = "map (whole batches)"
        return Indexed(self.columns, self.order, (*self.functions, function), f"{self.steps}, {step}" if self.steps else step)

    def text(self) -> str:
        return f"{len(self.columns)} tensors" + (f"; {self.steps}" if self.steps else "")

    def gather(self, rows: np.ndarray) -> list[Any]:
        """One batch: the rows of every column, through the functions."""
        n = len(rows)
        first = int(rows[0]) if n else 0
        contiguous = n > 0 and int(rows[-1]) - first == n - 1 and bool((np.diff(rows) == 1).all())
        if contiguous:
            flat = [c[first : first + n] for c in self.columns]
        else:
            flat = taken(self.columns, rows)
        for function in self.functions:
            flat = function(flat)
        return flat

    def elements(self) -> Iterator[list[Any]]:
        """The elements one by one."""
        for rows in self.order():
            for row in rows:
                flat = [structure.take_row(c, int(row)) for c in self.columns]
                for function in self.functions:
                    flat = function.one(flat)
                yield flat

    def batches(self, size: int, drop_remainder: bool) -> Iterator[list[Any]]:
        """The elements in batches."""
        waiting: list[np.ndarray] = []
        count = 0
        for rows in self.order():
            waiting.append(rows)
            count += len(rows)
            if count < size:
                continue
            joined = np.concatenate(waiting) if len(waiting) > 1 else waiting[0]
            full = count - count % size
            for at in range(0, full, size):
                yield self.gather(joined[at : at + size])
            rest = joined[full:]
            waiting, count = ([rest], len(rest)) if len(rest) else ([], 0)
        if count and not drop_remainder:
            yield self.gather(np.concatenate(waiting) if len(waiting) > 1 else waiting[0])


def _rows(column: Any, rows: np.ndarray) -> Any:
    """Some rows of a column. NumPy copies rows in this thread; torch would wake its pool for a copy that memory bounds."""
    if isinstance(column, np.ndarray):
        return column[rows]
    if column.device.type == "cpu" and column.dtype not in structure.NOT_NUMPY:
        return torch.from_numpy(column.numpy().take(rows, axis=0))
    return column.index_select(0, torch.from_numpy(rows).to(column.device))


def taken(columns: list[Any], rows: np.ndarray) -> list[Any]:
    """Some rows of columns."""
    return [_rows(c, rows) for c in columns]


def shuffled(order: Callable[[], Iterator[np.ndarray]], buffer: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """A stream of row numbers drawn at random from a buffer, as `shuffle` draws elements."""
    if buffer >= 2**31:
        buffer = 2**31
    pool: list[np.ndarray] = []
    size = 0
    stream = order()
    for rows in stream:
        pool.append(rows)
        size += len(rows)
        if size > buffer:
            break
    else:
        if size:
            whole = np.concatenate(pool)
            yield whole[rng.permutation(size)]
        return
    held = np.concatenate(pool)
    ready, rest = held[:buffer].tolist(), held[buffer:].tolist()
    out: list[int] = []

    def source() -> Iterator[int]:
        yield from rest
        for rows in stream:
            yield from rows.tolist()

    picks: list[int] = []
    exact = isinstance(rng, ExactPicks)  # of which no more may be drawn than there are elements
    for row in source():
        if exact:
            at = rng.integers(0, buffer)
        else:
            if not picks:
                picks = rng.integers(0, buffer, 4096).tolist()
            at = picks.pop()
        out.append(ready[at])
        ready[at] = row
        if len(out) == 4096:
            yield np.array(out, dtype=np.int64)
            out = []
    tail = np.array(ready, dtype=np.int64)[rng.permutation(len(ready))]
    yield np.concatenate([np.array(out, dtype=np.int64), tail])
