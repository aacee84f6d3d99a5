"""The checkpoint-format adapter for TensorFlow's bundles: which files there are, and writing them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tf2compat import errors
from tf2compat._engine import dtypes
from tf2compat._files import Commit, os_error
from tf2compat._ports.checkpoint import Part, TensorData
from tf2compat_adapters import crc32c as crc
from tf2compat_adapters.protos import BundleEntryProto, BundleHeaderProto
from tf2compat_adapters.tensorflow_bundle import slices, sstable
from tf2compat_adapters.tensorflow_bundle.reader import BundleReader, read_header, shard_path

_ALIGNMENT = 64  # so that a mapped tensor can be used where it lies


def encode_strings(data: np.ndarray) -> tuple[list[bytes], int]:
    """The stored parts of a string tensor and the checksum (not masked) its entry holds."""
    lengths = np.fromiter((len(item) for item in data), np.uint64, len(data))
    # Lengths enter the checksum at fixed width, though they are stored with variable width.
    fixed = b"".join(int(n).to_bytes(4 if n <= 0xFFFFFFFF else 8, "little") for n in lengths)
    sum_of_lengths = crc.mask(crc.value(fixed)).to_bytes(4, "little")
    joined = b"".join(data)
    stored = [b"".join(sstable.put_varint(int(n)) for n in lengths), sum_of_lengths, joined]
    return stored, crc.extend(crc.extend(crc.value(fixed), sum_of_lengths), joined)


def _entry(dtype: str, shape: Sequence[int]) -> Any:
    entry = BundleEntryProto(dtype=dtypes.as_dtype(dtype).as_datatype_enum)
    entry.shape.SetInParent()
    for extent in shape:
        entry.shape.dim.add(size=extent)
    return entry


class _Format:
    name = "tensorflow"

    def exists(self, prefix: str) -> bool:
        return os.path.isfile(prefix + ".index")

    def files(self, prefix: str) -> list[str]:
        index = [prefix + ".index"] if self.exists(prefix) else []
        return index + sorted(glob.glob(glob.escape(prefix) + ".data-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]"))

    def modified(self, prefix: str) -> float:
        try:
            return os.path.getmtime(prefix + ".index")
        except OSError as error:
            raise os_error(error, prefix + ".index") from error

    def open(self, prefix: str) -> BundleReader:
        return BundleReader(prefix)

    def delete(self, prefix: str) -> None:
        # The index goes first: without it the rest is not a checkpoint.
        for path in self.files(prefix):
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise os_error(error, path) from error

    def write(self, prefix: str, tensors: Iterable[tuple[str, TensorData]]) -> None:
        """Writes one shard and the index.

        A bundle that already lies at the prefix must stay whole until the index is renamed, so the new data go to names the
        old index does not refer to: another number of shards (the further shard is then empty).
        """
        self._write(prefix, [[(name, None, tensor) for name, tensor in tensors]], _ALIGNMENT)

    def write_shards(self, prefix: str, shards: Sequence[Sequence[tuple[str, Part | None, TensorData]]]) -> None:
        """Writes the shards as given; a tensor may lie in several, in parts."""
        self._write(prefix, shards, 1)

    def _write(self, prefix: str, groups: Sequence[Sequence[tuple[str, Part | None, TensorData]]], alignment: int) -> None:
        shards = max(len(groups), 1)
        if self._shards_in_use(prefix) == shards:
            shards += 1
        entries: dict[bytes, bytes] = {}
        whole: dict[str, Any] = {}
        with Commit() as commit:
            files = [commit.open(shard_path(prefix, shard, shards)) for shard in range(shards)]
            index = commit.open(prefix + ".index")
            for number, (data, group) in enumerate(zip(files, groups, strict=False)):
                offset = 0
                for name, part, tensor in group:
                    key = name.encode() if part is None else slices.key(name.encode(), part.extents)
                    if not name or key in entries or (part is None and name in whole):
                        raise errors.InvalidArgumentError(None, None, f"A checkpoint cannot hold two tensors named {name!r}.")
                    padding = -offset % alignment
                    data.write(bytes(padding))
                    offset += padding
                    if tensor.dtype == "string":
                        stored, checksum = encode_strings(tensor.data)
                    else:
                        stored, checksum = [tensor.data], crc.value(tensor.data)
                    size = 0
                    for piece in stored:
                        data.write(piece)
                        size += len(piece)
                    entry = _entry(tensor.dtype, tensor.shape)
                    entry.shard_id, entry.offset, entry.size, entry.crc32c = number, offset, size, crc.mask(checksum)
                    entries[key] = entry.SerializeToString(deterministic=True)
                    offset += size
                    if part is not None:
                        full = whole.get(name)
                        if full is None:
                            full = whole[name] = _entry(tensor.dtype, part.full_shape)
                        extents = full.slices.add()
                        for start, length in part.extents:
                            extents.extent.add(start=start, length=length)
            for name, full in whole.items():
                if name.encode() in entries:
                    raise errors.InvalidArgumentError(None, None, f"A checkpoint cannot hold two tensors named {name!r}.")
                entries[name.encode()] = full.SerializeToString(deterministic=True)
            header = BundleHeaderProto(num_shards=shards)
            header.version.producer = 1
            entries[b""] = header.SerializeToString(deterministic=True)
            index.write(sstable.build(sorted(entries.items())))
        for path in self.files(prefix):
            if path.endswith(".index") or path.endswith(f"-of-{shards:05d}"):
                continue
            try:
                os.unlink(path)  # what the replaced index referred to
            except OSError:
                continue  # no index refers to it any longer, so it does no harm

    @staticmethod
    def _shards_in_use(prefix: str) -> int:
        try:
            return read_header(prefix)
        except errors.OpError:
            return 0


TensorFlowBundle = _Format()
