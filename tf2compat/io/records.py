"""TFRecord files: writing them, and reading their records one by one.

A record is its length (8 bytes), the length's checksum, the data, the data's checksum; checksums are masked CRC-32C.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from .. import errors
from .._files import os_error

_CHUNK = 1 << 18
_KINDS = ("", "ZLIB", "GZIP")


def _crc(data: Any) -> int:
    import google_crc32c

    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


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
        try:
            self._file: Any = open(path, "wb", buffering=_CHUNK)
        except OSError as error:
            raise os_error(error, path) from error
        self._path = os.fsdecode(path)

    def write(self, record: Any) -> None:
        """Append a record of bytes (a str is taken as UTF-8)."""
        if isinstance(record, str):
            record = record.encode()
        elif not isinstance(record, (bytes, bytearray, memoryview)):
            raise TypeError(f"write(): a record must be bytes, not {type(record).__name__}")
        data = bytes(record)
        if self._file is None:
            raise errors.FailedPreconditionError(None, None, "Writer is closed.")
        length = struct.pack("<Q", len(data))
        whole = b"".join((length, struct.pack("<I", _crc(length)), data, struct.pack("<I", _crc(data))))
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
        if self._zip is not None:
            self._put(self._zip.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Finish and close the file."""
        if self._file is None:
            return
        try:
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
        try:
            self._file = open(path, "rb", buffering=0)
        except OSError as error:
            raise os_error(error, path) from error

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
    stream = Stream(path, compression, chunk)
    buffer, at, offset = b"", 0, 0

    def filled(needed: int) -> bool:
        """Whether so many bytes from `at` on are in the buffer now; grows with what the file has, whatever it claims."""
        nonlocal buffer, at
        have = len(buffer) - at
        if have >= needed:
            return True
        parts = [buffer[at:]]
        while have < needed:
            piece = stream.next()
            if not piece:
                break
            parts.append(piece)
            have += len(piece)
        buffer, at = b"".join(parts), 0
        return have >= needed

    try:
        while True:
            if not filled(12):
                if len(buffer) > at:
                    raise _cut(offset)
                return
            if _crc(buffer[at : at + 8]) != int.from_bytes(buffer[at + 8 : at + 12], "little"):
                raise errors.DataLossError(None, None, f"corrupted record at {offset}")
            size = int.from_bytes(buffer[at : at + 8], "little")
            if not filled(size + 16):
                raise _cut(offset)
            data = buffer[at + 12 : at + 12 + size]
            if _crc(data) != int.from_bytes(buffer[at + 12 + size : at + 16 + size], "little"):
                raise errors.DataLossError(None, None, f"corrupted record at {offset + 12}")
            yield data
            at += size + 16
            offset += size + 16
    finally:
        stream.close()


def _cut(offset: int) -> errors.OpError:
    return errors.DataLossError(None, None, f"truncated record at {offset}' failed with Read less bytes than requested")
