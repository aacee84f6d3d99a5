"""TFRecord files: writing them, and reading their records one by one.

A record is its length (8 bytes), the length's checksum, the data, the data's checksum; checksums are masked CRC-32C.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import errors
from .._files import os_error
from .remote import opened

_CHUNK = 1 << 18
_KINDS = ("", "ZLIB", "GZIP")


def _crc(data: Any) -> int:
    import google_crc32c

    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _head(size: int) -> bytes:
    """The first 12 bytes of a record of so many bytes."""
    length = size.to_bytes(8, "little")
    return length + _crc(length).to_bytes(4, "little")


class TFRecordOptions:
    """How the file of a TFRecordWriter is compressed (`tf.io.TFRecordOptions`): `compression_type` is "ZLIB", "GZIP", "" or None."""

    compression_type_map = {0: "", 1: "ZLIB", 2: "GZIP"}

    def __init__(
        self, compression_type: Any = None, flush_mode: int | None = None, input_buffer_size: int | None = None, output_buffer_size: int | None = None,
        window_bits: int | None = None, compression_level: int | None = None, compression_method: int | None = None, mem_level: int | None = None,
        compression_strategy: int | None = None,
    ) -> None:  # fmt: skip
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.flush_mode = flush_mode
        self.input_buffer_size = input_buffer_size
        self.output_buffer_size = output_buffer_size
        self.window_bits = window_bits
        self.compression_level = compression_level
        self.compression_method = compression_method
        self.mem_level = mem_level
        self.compression_strategy = compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """The name of a compression, given as such, as its number, or by TFRecordOptions."""
        if isinstance(options, TFRecordOptions):
            return cls.get_compression_type_string(options.compression_type)
        if not options:
            return ""
        if isinstance(options, int) and options in cls.compression_type_map:
            return cls.compression_type_map[options]
        if options in _KINDS:
            return str(options)
        raise ValueError(f'Not a valid compression_type: "{options}"')


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


class TFRecordWriter:
    """Writes records to a file (`tf.io.TFRecordWriter`), which is complete after `close()` or the end of a `with` block."""

    def __init__(self, path: Any, options: Any = None) -> None:
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(compression_type=options)
        kind = TFRecordOptions.get_compression_type_string(options)
        self._zip: Any = None
        if kind:
            bits = _or(options.window_bits, 15)
            self._zip = zlib.compressobj(
                _or(options.compression_level, -1), _or(options.compression_method, zlib.DEFLATED),
                bits if kind == "ZLIB" or bits > 15 else bits + 16, _or(options.mem_level, 9), _or(options.compression_strategy, 0),
            )  # fmt: skip
        self._path = os.fsdecode(path)
        self._file: Any = opened(self._path, "wb")
        import google_crc32c

        self._checksum = google_crc32c.value
        self._heads: dict[int, bytes] = {}
        self._waiting: list[bytes] = []
        self._bytes = 0

    def write(self, record: Any) -> None:
        """Append a record of bytes (a str is taken as UTF-8)."""
        if type(record) is not bytes:
            if isinstance(record, str):
                record = record.encode()
            elif not isinstance(record, (bytes, bytearray, memoryview)):
                raise TypeError(f"write(): a record must be bytes, not {type(record).__name__}")
            record = bytes(record)
        if self._file is None:
            raise errors.FailedPreconditionError(None, None, "Writer is closed.")
        size = len(record)
        head = self._heads.get(size)
        if head is None:
            if len(self._heads) > 1024:
                self._heads.clear()
            head = self._heads[size] = _head(size)
        crc = self._checksum(record)
        self._waiting += (head, record, ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little"))
        self._bytes += size + 16
        if self._bytes >= _CHUNK:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the file what was written since the last time; records are joined to few large writes."""
        if self._waiting:
            whole = b"".join(self._waiting)
            self._waiting, self._bytes = [], 0
            self._put(whole if self._zip is None else self._zip.compress(whole))

    def _put(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise os_error(error, self._path) from error

    def flush(self) -> None:
        """Hand what was written to the system."""
        if self._file is None:
            raise errors.FailedPreconditionError(None, None, "Writer is closed.")
        self._hand_over()
        if self._zip is not None:
            self._put(self._zip.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Finish and close the file."""
        if self._file is None:
            return
        try:
            self._hand_over()
            if self._zip is not None:
                self._put(self._zip.flush())
        finally:
            self._file.close()
            self._file = None

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()


class Stream:
    """A file's bytes in order, decompressed, in pieces that are never larger than a chunk."""

    def __init__(self, path: str, compression: str, chunk: int = _CHUNK) -> None:
        self._path, self._chunk = path, max(1, chunk)
        self._kind = {"GZIP": 31, "ZLIB": 15}.get(compression)
        self._zip = None if self._kind is None else zlib.decompressobj(self._kind)
        self._rest = b""
        self._file = opened(path, "rb", 0)

    def next(self) -> bytes:
        """The next piece, empty at the end."""
        if self._zip is None:
            return self._raw()
        while True:
            if self._zip.eof:
                left = self._zip.unused_data or self._raw()
                if not left:
                    return b""
                self._zip, self._rest = zlib.decompressobj(self._kind), left
            data = self._rest or self._raw()
            if not data:
                raise errors.DataLossError(None, None, f"{self._path}: the compressed data end too early")
            try:
                out = self._zip.decompress(data, self._chunk)
            except zlib.error as error:
                text = str(error).replace("Error -3 while decompressing data", "inflate() failed with error -3")
                raise errors.DataLossError(None, None, text) from error
            self._rest = self._zip.unconsumed_tail
            if out:
                return out

    def _raw(self) -> bytes:
        try:
            return self._file.read(self._chunk) or b""
        except OSError as error:
            raise os_error(error, self._path) from error

    def close(self) -> None:
        self._file.close()


def read_records(path: str, compression: str = "", chunk: int = _CHUNK) -> Iterator[bytes]:
    """The records of a file; DataLossError at one that is cut off or whose checksum is wrong."""
    for block in record_blocks(path, compression, chunk):
        yield from block


def record_blocks(path: str, compression: str = "", chunk: int = _CHUNK) -> Iterator[list[bytes]]:
    """The records of a file, as many at a time as a piece of the file holds.

    The checksums of a block's records are compared together. At a damaged record: the ones before it, then DataLossError.
    """
    import google_crc32c

    checksum = google_crc32c.value
    stream = Stream(path, compression, chunk)
    heads: dict[bytes, int] = {}
    buffer, offset, needed = b"", 0, 12
    try:
        while True:
            parts, have = [buffer], len(buffer)
            while have < needed:  # grows with what the file has, whatever a length claims
                piece = stream.next()
                if not piece:
                    break
                parts.append(piece)
                have += len(piece)
            buffer = b"".join(parts) if len(parts) > 1 else buffer
            if have < needed:
                if have:
                    raise _cut(offset)
                return
            at, size_of_all = 0, len(buffer)
            block: list[bytes] = []
            ends: list[int] = []
            bad: errors.OpError | None = None
            needed = 12
            while at + 12 <= size_of_all:
                head = buffer[at : at + 12]
                size = heads.get(head)
                if size is None:
                    size = int.from_bytes(head[:8], "little")
                    if _crc(head[:8]) != int.from_bytes(head[8:], "little"):
                        bad = errors.DataLossError(None, None, f"corrupted record at {offset + at}")
                        break
                    if len(heads) > 1024:
                        heads.clear()
                    heads[head] = size
                end = at + 12 + size
                if end + 4 > size_of_all:
                    needed = size + 16
                    break
                alike = _alike(buffer, at, head, size)
                if alike is not None:  # records of one size in a row
                    block += alike
                    ends += range(end, end + len(alike) * (size + 16), size + 16)
                    at += len(alike) * (size + 16)
                    continue
                block.append(buffer[at + 12 : end])
                ends.append(end)
                at = end + 4
            if block:
                sums = list(map(checksum, block))
                good = _agree(buffer, sums, ends)
                if good < len(block):
                    start = ends[good] - len(block[good])
                    bad = errors.DataLossError(None, None, f"corrupted record at {offset + start}")
                    block = block[:good]
                if block:
                    yield block
            if bad is not None:
                raise bad
            buffer = buffer[at:]
            offset += at
    finally:
        stream.close()


def _alike(buffer: bytes, at: int, head: bytes, size: int) -> list[bytes] | None:
    """The records from here on that have the same head, when there are several."""
    step = size + 16
    count = (len(buffer) - at) // step
    if count < 4 or size < 64 or buffer[at + step : at + step + 12] != head or buffer[at + 2 * step : at + 2 * step + 12] != head:
        return None
    table = np.frombuffer(buffer, np.uint8, count * step, at).reshape(count, step)
    same = (table[:, :12] == np.frombuffer(head, np.uint8)).all(1)
    if not same.all():
        count = int(np.argmin(same))
    return [data for (data,) in struct.Struct(f"12x{size}s4x").iter_unpack(memoryview(buffer)[at : at + count * step])]


def _agree(buffer: bytes, sums: list[int], ends: list[int]) -> int:
    """How many records, from the first on, have the checksum that is written behind them."""
    if len(sums) < 8:
        for i, (crc, end) in enumerate(zip(sums, ends, strict=True)):
            if ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF) != int.from_bytes(buffer[end : end + 4], "little"):
                return i
        return len(sums)
    places = np.array(ends)[:, None] + np.arange(4)
    written = np.frombuffer(buffer, np.uint8)[places].view("<u4")[:, 0].astype(np.uint64)
    crc = np.array(sums, np.uint64)
    masked = (((crc >> np.uint64(15)) | (crc << np.uint64(17))) + np.uint64(0xA282EAD8)) & np.uint64(0xFFFFFFFF)
    wrong = np.flatnonzero(masked != written)
    return int(wrong[0]) if len(wrong) else len(sums)


def _cut(offset: int) -> errors.OpError:
    return errors.DataLossError(None, None, f"truncated record at {offset}' failed with Read less bytes than requested")
