"""Datasets of the records of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import entering
from .._engine.specs import TensorSpec
from ..io.records import Stream, record_blocks
from ..io.remote import local, size_of
from ..strings.elementwise import boxed, vector
from .dataset import UNKNOWN, Dataset


class _FileDataset(Dataset):
    """Records of several files: file after file, or round about `num_parallel_reads` of them."""

    def __init__(self, filenames: Any, compression_type: Any, buffer_size: Any, num_parallel_reads: Any) -> None:
        if isinstance(filenames, Dataset):
            found = filenames.element_spec
            if getattr(found, "dtype", None) is not dtypes.string:
                raise TypeError(
                    f"The `filenames` argument must contain `tf.string` elements. Got a dataset of `{getattr(found, 'dtype', found)!r}` elements."
                )
            self._inputs = (filenames,)
            self._files: Any = filenames
        else:
            names = convert_to_tensor(filenames if not isinstance(filenames, os.PathLike) else os.fspath(filenames))
            if names.dtype is not dtypes.string:
                raise TypeError(f"The `filenames` argument must contain `tf.string` elements. Got `{names.dtype!r}` elements.")
            self._files = names
        self._compression = _text(compression_type)
        self._buffer = _number(buffer_size)
        self._parallel = _number(num_parallel_reads)
        self._spec = TensorSpec([], dtypes.string)

    def _cardinality(self) -> int:
        return UNKNOWN

    def _paths(self) -> Iterator[str]:
        if isinstance(self._files, Dataset):
            for flat in self._files._components():
                yield from (os.fsdecode(f) for f in flat[0].reshape(-1))
        else:
            yield from (os.fsdecode(f) for f in entering(self._files).reshape(-1))

    def _records_of(self, path: str) -> Iterator[list[bytes]]:
        """The records of a file, in blocks of any size."""
        raise NotImplementedError(type(self).__name__)

    def _local(self, path: str) -> Iterator[bytes]:
        for block in self._records_of(local(path)):
            yield from block

    def _blocks(self) -> Any:
        """All records, as many at a time as are read; None when files are read in turn."""
        if self._parallel is not None:
            return None
        return ([vector(block)] for path in self._paths() for block in self._records_of(local(path)))

    def _components(self) -> Iterator[Any]:
        width = self._parallel
        if width is None:
            for path in self._paths():
                for block in self._records_of(local(path)):
                    for record in block:
                        yield [boxed(record)]
            return
        paths = self._paths()
        open_: list[Iterator[bytes] | None] = []
        for _ in range(max(1, (os.cpu_count() or 1) if width < 0 else width)):
            path = next(paths, None)
            open_.append(None if path is None else self._local(path))
        while any(r is not None for r in open_):
            for i, reader in enumerate(open_):
                while reader is not None:
                    record = next(reader, None)
                    if record is not None:
                        yield [boxed(record)]
                        break
                    path = next(paths, None)
                    reader = open_[i] = None if path is None else self._local(path)


def _text(value: Any) -> str:
    if value is None:
        return ""
    found = convert_to_tensor(value).numpy()
    return found.decode() if isinstance(found, bytes) else str(found)


def _number(value: Any) -> int | None:
    return None if value is None else int(np.asarray(value))


class TextLineDataset(_FileDataset):
    """The lines of text files, without their ends (`tf.data.TextLineDataset`): scalar strings."""

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None, name: str | None = None
    ) -> None:
        super().__init__(filenames, compression_type, buffer_size, num_parallel_reads)

    def _records_of(self, path: str) -> Iterator[list[bytes]]:
        stream = Stream(path, self._compression, self._buffer or 1 << 18)
        rest: list[bytes] = []
        try:
            while piece := stream.next():
                if b"\r" in piece:
                    piece = piece.replace(b"\r", b"")
                lines = piece.split(b"\n")
                rest.append(lines[0])
                if len(lines) > 1:
                    lines[0] = b"".join(rest)
                    rest = [lines.pop()]
                    yield lines
            last = b"".join(rest)
            if last:
                yield [last]
        finally:
            stream.close()


class TFRecordDataset(_FileDataset):
    """The records of TFRecord files (`tf.data.TFRecordDataset`): scalar strings; DataLossError at a damaged record."""

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None, name: str | None = None
    ) -> None:
        super().__init__(filenames, compression_type, buffer_size, num_parallel_reads)

    def _records_of(self, path: str) -> Iterator[list[bytes]]:
        return record_blocks(path, self._compression, self._buffer or 1 << 18)


class FixedLengthRecordDataset(_FileDataset):
    """Records of one size between a header and a footer (`tf.data.FixedLengthRecordDataset`): scalar strings."""

    def __init__(
        self, filenames: Any, record_bytes: Any, header_bytes: Any = None, footer_bytes: Any = None, buffer_size: Any = None,
        compression_type: Any = None, num_parallel_reads: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(filenames, compression_type, buffer_size, num_parallel_reads)
        self._size, self._header, self._footer = _number(record_bytes) or 0, _number(header_bytes) or 0, _number(footer_bytes) or 0

    def _records_of(self, path: str) -> Iterator[list[bytes]]:
        for what, value, least in (("record_bytes", self._size, 1), ("header_bytes", self._header, 0), ("footer_bytes", self._footer, 0)):
            if value < least:
                raise errors.InvalidArgumentError(None, None, f"`{what}` must be {'>' if least else '>='} 0")
        stream = Stream(path, self._compression, self._buffer or 1 << 18)
        buffer, skip, whole = b"", self._header, 0
        try:
            if not self._compression:  # as the whole size is known, a file that does not fit gives no record at all
                self._check(path, size_of(path))
            while piece := stream.next():
                whole += len(piece)
                buffer += piece
                if skip:
                    cut = min(skip, len(buffer))
                    buffer, skip = buffer[cut:], skip - cut
                end = max(0, (len(buffer) - self._footer) // self._size * self._size) if not skip else 0
                if end:
                    yield [buffer[i : i + self._size] for i in range(0, end, self._size)]
                buffer = buffer[end:]
            self._check(path, whole)
        finally:
            stream.close()

    def _check(self, path: str, size: int) -> None:
        body = size - self._header - self._footer
        if body < 0 or body % self._size:
            raise errors.InvalidArgumentError(
                None, None,
                f'Excluding the header ({self._header} bytes) and footer ({self._footer} bytes), input file "{path}" has body length {body} '
                f"bytes, which is not an exact multiple of the record length ({self._size} bytes).",
            )  # fmt: skip


# what TensorFlow prints
TextLineDataset.__name__ = "TextLineDatasetV2"
TFRecordDataset.__name__ = "TFRecordDatasetV2"
FixedLengthRecordDataset.__name__ = "FixedLengthRecordDatasetV2"
