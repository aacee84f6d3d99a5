"""Immutable sorted tables in LevelDB's file format, as TensorFlow writes them: with checksums, compressed by
Snappy in older releases, not compressed today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tf2compat import errors
from tf2compat_adapters import crc32c as crc

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
_BLOCK_SIZE = 262144
_RESTART_INTERVAL = 16
_MAX_KEY = 1 << 20
_SNAPPY = 1
_RATIO = 64  # a copy of 64 bytes takes 3 in Snappy's format


class Damaged(Exception):
    """The bytes are not a table; the message says what is wrong."""


def put_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def get_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """An unsigned integer of at most 64 bits and the position after it. Raises Damaged past `end`."""
    result = shift = 0
    while shift < 70:
        if position >= end:
            break
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            if result >> 64:
                break
            return result, position
        shift += 7
    raise Damaged("a variable-length integer is cut off or too long")


def _block(data: bytes, offset: int, size: int, what: str) -> bytes:
    if offset + size + _TRAILER > len(data):
        raise Damaged(f"the {what} (offset {offset}, size {size}) reaches beyond the end of the file of {len(data)} bytes")
    stored = int.from_bytes(data[offset + size + 1 : offset + size + _TRAILER], "little")
    actual = crc.mask(crc.value(data[offset : offset + size + 1]))
    if stored != actual:
        raise Damaged(f"the checksum of the {what} does not match: stored {stored:#010x}, computed {actual:#010x}")
    kind = data[offset + size]
    block = data[offset : offset + size]
    if kind == _SNAPPY:
        return _uncompressed(block, what)
    if kind:
        raise errors.UnimplementedError(None, None, f"The {what} has compression type {kind}, which is not supported.")
    return block


def _uncompressed(block: bytes, what: str) -> bytes:
    """A block as TensorFlow wrote it until 2.2 or so: compressed by Snappy, which says how long the result is."""
    try:
        import cramjam
    except ImportError as error:
        raise errors.UnimplementedError(
            None, None, f"The {what} is compressed by Snappy, which takes the package cramjam: pip install 'tf2compat[checkpoints]'."
        ) from error
    length, _ = get_varint(block, 0, len(block))
    if length > _RATIO * len(block):
        raise Damaged(f"the {what} of {len(block)} bytes claims to hold {length}")
    out = bytearray(length)
    try:
        filled = cramjam.snappy.decompress_raw_into(block, out)
    except cramjam.DecompressionError as error:
        raise Damaged(f"the {what} cannot be decompressed: {error}") from error
    if filled != length:
        raise Damaged(f"the {what} holds {filled} bytes, not {length}")
    return bytes(out)


def _entries(block: bytes, what: str, budget: list[int]) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise Damaged(f"the {what} is too short")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise Damaged(f"the {what} has an impossible number of restarts, {restarts}")
    position = 0
    key = b""
    while position < end:
        shared, position = get_varint(block, position, end)
        fresh, position = get_varint(block, position, end)
        length, position = get_varint(block, position, end)
        if shared > len(key) or fresh > end - position or length > end - position - fresh or shared + fresh > _MAX_KEY:
            raise Damaged(f"an entry of the {what} has impossible lengths ({shared}, {fresh}, {length})")
        # Prefix compression lets few bytes stand for many: a forged table must not make gigabytes of keys.
        budget[0] -= shared + fresh
        if budget[0] < 0:
            raise Damaged(f"the keys of the {what} are implausibly long for the size of the file")
        key = key[:shared] + block[position : position + fresh]
        position += fresh
        yield key, block[position : position + length]
        position += length


def read(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a table, in order. Raises Damaged when anything about it is wrong."""
    if len(data) < _FOOTER:
        raise Damaged(f"a file of {len(data)} bytes is too short to be a table")
    footer = data[-_FOOTER:]
    if int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise Damaged("it does not end with the magic number of a table")
    _, position = get_varint(footer, 0, 40)
    _, position = get_varint(footer, position, 40)
    offset, position = get_varint(footer, position, 40)
    size, position = get_varint(footer, position, 40)
    budget = [64 * len(data) + (1 << 20)]
    previous: bytes | None = None
    seen = 0
    for number, (_, handle) in enumerate(_entries(_block(data, offset, size, "index block"), "index block", budget)):
        offset, position = get_varint(handle, 0, len(handle))
        size, position = get_varint(handle, position, len(handle))
        what = f"data block {number}"
        seen += size
        if seen > len(data):
            raise Damaged("its data blocks overlap")
        for key, value in _entries(_block(data, offset, size, what), what, budget):
            if previous is not None and key <= previous:
                raise Damaged(f"the keys of {what} are not in order")
            previous = key
            yield key, value


class _BlockWriter:
    def __init__(self, interval: int) -> None:
        self._interval = interval
        self.reset()

    def reset(self) -> None:
        self.buffer = bytearray()
        self._restarts = [0]
        self._count = 0
        self.last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._count == self._interval:
            self._restarts.append(len(self.buffer))
            self._count = 0
        elif self.buffer:
            limit = min(len(key), len(self.last))
            while shared < limit and key[shared] == self.last[shared]:
                shared += 1
        self.buffer += put_varint(shared) + put_varint(len(key) - shared) + put_varint(len(value)) + key[shared:] + value
        self._count += 1
        self.last = key

    def finish(self) -> bytes:
        words = [*self._restarts, len(self._restarts)]
        return bytes(self.buffer) + b"".join(word.to_bytes(4, "little") for word in words)


def build(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A table of entries, which must come in the order of their keys."""
    out = bytearray()
    index = _BlockWriter(1)
    block = _BlockWriter(_RESTART_INTERVAL)

    def emit(writer: _BlockWriter) -> bytes:
        content = writer.finish() + b"\0"
        handle = put_varint(len(out)) + put_varint(len(content) - 1)
        out.extend(content + crc.mask(crc.value(content)).to_bytes(4, "little"))
        return handle

    for key, value in entries:
        block.add(key, value)
        if len(block.buffer) >= _BLOCK_SIZE:
            index.add(block.last, emit(block))
            block.reset()
    if block.buffer:
        index.add(block.last, emit(block))
    meta = emit(_BlockWriter(1))
    footer = meta + emit(index)
    out.extend(footer.ljust(40, b"\0") + _MAGIC.to_bytes(8, "little"))
    return bytes(out)
