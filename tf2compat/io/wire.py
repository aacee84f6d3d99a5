"""The wire format of `tf.train.Example`, read without a message object for each.

An Example is a map from names to lists of values. The messages of one file mostly agree in everything but the values: a
message is therefore compared with a *layout* that an earlier one of its size had: cut at the same places, and if all that lies
between the values is the same, the pieces are the values. What is unusual (an unknown field, unpacked numbers, a name twice,
damage) makes `Reader.columns` give None, and the caller asks the protobuf library.
"""

from __future__ import annotations

import functools
import struct
from typing import Any, NamedTuple

import numpy as np

BYTES, FLOAT, INT64 = 0x0A, 0x12, 0x1A  # tags of a Feature's three lists
_PAD = bytes(16)  # what reads past a message's end may see
_LAYOUTS = 256  # kept; messages whose size is always another gain nothing from layouts


class Column(NamedTuple):
    """One feature of a batch: which messages have it, how many values each, and all values in one array."""

    present: np.ndarray
    lengths: np.ndarray
    values: np.ndarray


class _Layout(NamedTuple):
    """Where messages of one size have their values: the pieces to cut them into, what every second piece is, and where the
    values of each wanted feature are among the pieces, -1 for a feature that is not there. `bounds` are the pieces' ends, `at` and
    `expected` all the bytes that are fixed."""

    unpack: Any
    fixed: tuple[bytes, ...]
    places: tuple[int, ...]
    bounds: tuple[int, ...]
    at: np.ndarray
    expected: np.ndarray


@functools.lru_cache(256)
def reader(wanted: tuple[tuple[str, int], ...]) -> Reader:
    """The reader of some features: pairs of name and tag of the list."""
    return Reader(wanted)


class Reader:
    """Reads some features of Examples, and remembers the layouts it has seen."""

    def __init__(self, wanted: tuple[tuple[str, int], ...]) -> None:
        self._tags = [tag for _, tag in wanted]
        self._number = {name.encode(): i for i, (name, _) in enumerate(wanted)}
        self._layouts: dict[int, _Layout] = {}

    def columns(self, serialized: list[bytes]) -> list[Column] | None:
        """The wanted features of messages, in order; None where only protobuf can tell."""
        if len(serialized) >= 8:
            together = self._alike(serialized)
            if together is not None:
                return together
        rows: list[list[Any]] = [[] for _ in self._tags]
        appends = [r.append for r in rows]
        layouts = self._layouts
        for data in serialized:
            known = layouts.get(len(data))
            if known is not None:
                pieces = known.unpack(data)
                if pieces[::2] == known.fixed:
                    for append, place in zip(appends, known.places):  # noqa: B905 - as many as there are wanted
                        append(pieces[place] if place >= 0 else None)
                    continue
            found = self._walked(data)
            if found is None:
                return None
            for append, value in zip(appends, found, strict=True):
                append(value)
        out = []
        for row, tag in zip(rows, self._tags, strict=True):
            column = _column(row, tag)
            if column is None:
                return None
            out.append(column)
        return out

    def _alike(self, serialized: list[bytes]) -> list[Column] | None:
        """The columns of messages that all have one known layout, cut all together; None for others."""
        size = len(serialized[0])
        known = self._layouts.get(size)
        if known is None or len(set(map(len, serialized))) > 1:
            return None
        n = len(serialized)
        table = np.frombuffer(b"".join(serialized), np.uint8).reshape(n, size)
        if not (table[:, known.at] == known.expected).all():
            return None
        out = []
        for place, tag in zip(known.places, self._tags, strict=True):
            if place < 0:
                column = _column([None] * n, tag)
            else:
                start, stop = known.bounds[place], known.bounds[place + 1]
                there = np.ones(n, dtype=np.bool_)
                if tag == BYTES:
                    texts = np.empty(n, dtype=object)
                    texts[:] = [data[start:stop] for data in serialized]
                    column = Column(there, np.ones(n, dtype=np.int64), texts)
                elif tag == FLOAT:
                    lengths = np.full(n, (stop - start) >> 2)
                    column = Column(there, lengths, table[:, start:stop].copy().reshape(-1).view("<f4"))
                else:
                    decoded = varints(table[:, start:stop].tobytes(), np.full(n, stop - start))
                    column = None if decoded is None else Column(there, decoded[1], decoded[0])
            if column is None:
                return None
            out.append(column)
        return out

    def _walked(self, data: bytes) -> list[Any] | None:
        """The values of one message, read entry by entry: bytes (packed numbers, one string), a list of strings, or None."""
        entries = _entries(data)
        if entries is None:
            return None
        out: list[Any] = [None] * len(self._tags)
        places = [-1] * len(self._tags)
        cuts: list[int] = []
        plain = True
        for name, tag, start, stop in entries:
            number = self._number.get(name)
            if number is None:
                cuts += (start, stop)
                continue
            if tag != self._tags[number] or out[number] is not None:
                return None
            if tag == BYTES:
                texts = _texts(data, start, stop)
                if texts is None:
                    return None
                if len(texts) == 1:
                    start = stop - len(texts[0])
                    out[number] = texts[0]
                else:
                    out[number] = texts
                    plain = False
            else:
                if start < stop:
                    size, at = _varint(data + _PAD if stop - start < 8 else data, start + 1)
                    if data[start] != 0x0A or at + size != stop:
                        return None
                    start = at
                if tag == FLOAT and (stop - start) % 4:
                    return None
                out[number] = data[start:stop]
            places[number] = len(cuts) + 1
            cuts += (start, stop)
        if plain and entries and len(self._layouts) < _LAYOUTS:
            bounds = [0, *cuts, len(data)]
            sizes = [b - a for a, b in zip(bounds, bounds[1:], strict=False)]
            cut = struct.Struct("".join(f"{n}s" for n in sizes))
            # the pieces' numbers: fixed, values, fixed, values, …, fixed
            fixed = cut.unpack(data)[::2]
            at = np.array([i for a, b in zip(bounds[::2], bounds[1::2], strict=True) for i in range(a, b)], dtype=np.int64)
            expected = np.frombuffer(b"".join(fixed), np.uint8)
            self._layouts[len(data)] = _Layout(cut.unpack, fixed, tuple(places), tuple(bounds), at, expected)
        return out


def _entries(data: bytes) -> list[tuple[bytes, int, int, int]] | None:
    """(name, tag of the list, its start, its end) for every feature of a message."""
    end = len(data)
    if not end:
        return []
    raw = data + _PAD
    size, at = _varint(raw, 1)
    if raw[0] != 0x0A or at + size != end:
        return None
    out = []
    while at < end:
        size, p = _varint(raw, at + 1)
        stop = p + size
        if raw[at] != 0x0A or size < 0 or stop > end or raw[p] != 0x0A:
            return None
        size, k = _varint(raw, p + 1)
        v = k + size
        if size < 0 or v >= stop or raw[v] != 0x12:
            return None
        name = raw[k:v]
        size, v = _varint(raw, v + 1)
        if size < 2 or v + size != stop:
            return None
        tag = raw[v]
        size, v = _varint(raw, v + 1)
        if size < 0 or v + size != stop:
            return None
        out.append((name, tag, v, stop))
        at = stop
    return out


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A size of at most 35 bits and what follows it; -1 for anything else. `raw` goes on for some bytes after its end."""
    value = raw[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for shift in (7, 14, 21, 28):
        at += 1
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
    return -1, at


def _texts(data: bytes, at: int, end: int) -> list[bytes] | None:
    """The strings of a list."""
    out = []
    while at < end:
        if data[at] != 0x0A or at + 1 >= end:
            return None
        size = data[at + 1]
        if size < 0x80:
            at += 2
        else:
            size, at = _varint(data[at + 1 : end] + _PAD, 0) if end - at < 8 else _from(data, at + 1)
            if at < 0:
                return None
        if size < 0 or at + size > end:
            return None
        out.append(data[at : at + size])
        at += size
    return out


def _from(data: bytes, at: int) -> tuple[int, int]:
    size, at = _varint(data, at)
    return (size, at) if size >= 0 else (0, -1)


_DTYPES: dict[int, Any] = {BYTES: object, FLOAT: np.float32, INT64: np.int64}


def _column(row: list[Any], tag: int) -> Column | None:
    """The values of all messages as a column."""
    n = len(row)
    if None in row:
        present = np.fromiter((r is not None for r in row), np.bool_, n)
        row = [b"" if r is None and tag != BYTES else [] if r is None else r for r in row]
    else:
        present = np.ones(n, dtype=np.bool_)
    if tag == BYTES:
        if all(type(r) is bytes for r in row):
            lengths = np.ones(n, dtype=np.int64)
        else:
            row = [[r] if type(r) is bytes else r for r in row]
            lengths = np.fromiter(map(len, row), np.int64, n)
            row = [v for r in row for v in r]
        values = np.empty(len(row), dtype=object)
        values[:] = row
        return Column(present, lengths, values)
    if n == 1:
        data = row[0]
        sizes = np.array([len(data)], dtype=np.int64)
    else:
        sizes = np.fromiter(map(len, row), np.int64, n)
        data = b"".join(row)
    if tag == FLOAT:
        return Column(present, sizes >> 2, np.frombuffer(bytearray(data), dtype="<f4"))
    decoded = varints(data, sizes)
    return None if decoded is None else Column(present, decoded[1], decoded[0])


def varints(data: bytes, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Packed int64 numbers, and how many there are in each stretch of so many bytes; None for damaged ones."""
    if len(sizes) == 1 and len(data) < 64:
        return _few(data)
    raw = np.frombuffer(data, dtype=np.uint8)
    last = raw < 0x80
    if last.all():
        return raw.astype(np.int64), sizes
    ends = np.cumsum(sizes)
    if not last[ends[sizes > 0] - 1].all():
        return None
    stops = np.flatnonzero(last)
    starts = np.concatenate([[0], stops[:-1] + 1])
    width = stops - starts
    longest = int(width.max())
    if longest > 9:
        return None
    out = np.zeros(len(stops), dtype=np.uint64)
    for k in range(longest + 1):
        there = np.flatnonzero(width >= k) if k else slice(None)
        out[there] |= (raw[starts[there] + k].astype(np.uint64) & np.uint64(0x7F)) << np.uint64(7 * k)
    if len(stops) == len(sizes) and (sizes > 0).all():
        return out.view(np.int64), np.ones(len(sizes), dtype=np.int64)
    counted = np.concatenate([[0], np.cumsum(last)])
    return out.view(np.int64), np.diff(counted[ends], prepend=0)


def _few(data: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """`varints` of one short stretch."""
    out, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            value &= 0xFFFFFFFFFFFFFFFF
            out.append(value - (1 << 64) if value >> 63 else value)
            value, shift = 0, 0
        else:
            shift += 7
            if shift > 63:
                return None
    return None if shift else (np.array(out, dtype=np.int64), np.array([len(out)]))
