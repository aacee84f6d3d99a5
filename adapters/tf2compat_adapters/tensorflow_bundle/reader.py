"""Reading TensorFlow's bundles, from files that may be damaged or hostile."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from tf2compat import errors
from tf2compat._engine import dtypes
from tf2compat._files import os_error
from tf2compat._ports.checkpoint import ITEM_SIZE, TensorData, TensorInfo
from tf2compat_adapters import crc32c as crc
from tf2compat_adapters.mapped_file import MappedFile
from tf2compat_adapters.protos import BundleEntryProto, BundleHeaderProto
from tf2compat_adapters.tensorflow_bundle import slices, sstable

_MAX_INDEX = 1 << 30
_MAX_SHARDS = 100_000
_MAX_RANK = 254


def shard_path(prefix: str, shard: int, shards: int) -> str:
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


def _damaged(message: str) -> errors.DataLossError:
    return errors.DataLossError(None, None, message)


def _read_index(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > _MAX_INDEX:
                raise _damaged(f"{path}: an index of {size} bytes is implausibly large")
            return file.read(size)
    except FileNotFoundError as error:
        prefix = path.removesuffix(".index")
        raise errors.NotFoundError(
            None, None, f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {prefix}"
        ) from error
    except OSError as error:
        raise os_error(error, path) from error


def _header(path: str, content: bytes) -> Any:
    try:
        header = BundleHeaderProto.FromString(content)
    except DecodeError as error:
        raise _damaged(f"{path}: the header of the bundle cannot be read") from error
    if not 0 <= header.num_shards <= _MAX_SHARDS or header.endianness not in (0, 1):
        raise _damaged(f"{path}: the header names {header.num_shards} shards and endianness {header.endianness}")
    if header.version.min_consumer > 1:
        raise errors.UnimplementedError(
            None, None, f"{path}: only readers of bundle version {header.version.min_consumer} or later can read it"
        )
    return header


def read_header(prefix: str) -> int:
    """The number of shards of the bundle at a prefix."""
    path = prefix + ".index"
    for key, value in _table(path, _read_index(path)):
        if key == b"":
            return _header(path, value).num_shards
        break
    raise _damaged(f"{path}: the header of the bundle is missing")


def _table(path: str, content: bytes) -> Any:
    try:
        yield from sstable.read(content)
    except sstable.Damaged as error:
        raise _damaged(f"{path} is damaged: {error}") from error


class BundleReader:
    """An open bundle (see `tf2compat._ports.checkpoint.CheckpointReader`). Shards are mapped when first needed."""

    def __init__(self, prefix: str) -> None:
        path = prefix + ".index"
        self._prefix = prefix
        self._shards: dict[int, MappedFile] = {}
        self._protos: dict[str, Any] = {}
        self._slices: dict[bytes, Any] = {}
        self.entries: dict[str, TensorInfo] = {}
        header = None
        for key, value in _table(path, _read_index(path)):
            if key == b"":
                header = _header(path, value)
                continue
            if header is None:
                raise _damaged(f"{path}: the header of the bundle is missing")
            try:
                entry = BundleEntryProto.FromString(value)
                if key[0] == 0:
                    self._slices[key] = entry
                    continue
                name = key.decode()
                self.entries[name] = self._info(entry, name)
            except (DecodeError, UnicodeDecodeError) as error:
                raise _damaged(f"{path}: the entry {key[:200]!r} cannot be read") from error
            self._protos[name] = entry
        if header is None:
            raise _damaged(f"{path}: the header of the bundle is missing")
        self._count = header.num_shards
        self._swap = header.endianness == 1

    def _info(self, entry: Any, name: str) -> TensorInfo:
        shape = tuple(dim.size for dim in entry.shape.dim)
        if len(shape) > _MAX_RANK or any(size < 0 for size in shape):
            raise _damaged(f"{self._prefix}: the tensor '{name}' has the impossible shape {shape}")
        try:
            dtype = dtypes.as_dtype(entry.dtype).name
        except TypeError as error:
            raise _damaged(f"{self._prefix}: the tensor '{name}' has an unknown dtype, {entry.dtype}") from error
        return TensorInfo(dtype, shape)

    def _shard(self, number: int, name: str) -> MappedFile:
        shard = self._shards.get(number)
        if shard is None:
            if not 0 <= number < max(self._count, 1):
                raise _damaged(f"{self._prefix}: the tensor '{name}' is said to be in shard {number} of {self._count}")
            path = shard_path(self._prefix, number, self._count)
            try:
                shard = MappedFile(path)
            except FileNotFoundError as error:
                raise errors.NotFoundError(None, None, f"{path} is missing; the tensor '{name}' should be in it") from error
            except OSError as error:
                raise os_error(error, path) from error
            self._shards[number] = shard
        return shard

    def _content(self, entry: Any, name: str) -> np.ndarray:
        shard = self._shard(entry.shard_id, name).data
        if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > len(shard):
            raise _damaged(
                f"{shard_path(self._prefix, entry.shard_id, self._count)} is too short ({len(shard)} bytes): the tensor '{name}' "
                f"should be at offset {entry.offset}, size {entry.size}"
            )
        return shard[entry.offset : entry.offset + entry.size]

    def _check(self, entry: Any, name: str, checksum: int) -> None:
        actual = crc.mask(checksum)
        if actual != entry.crc32c:
            raise _damaged(
                f"Checksum does not match: the tensor '{name}' in {shard_path(self._prefix, entry.shard_id, self._count)} is "
                f"damaged (stored {entry.crc32c:#010x} vs. calculated {actual:#010x})"
            )

    def read(self, name: str) -> TensorData:
        entry = self._protos.get(name)
        if entry is None:
            raise errors.NotFoundError(None, None, f"Key {name} not found in checkpoint")
        info = self.entries[name]
        if entry.slices:
            return self._read_slices(entry, name, info)
        return self._read_entry(entry, name, info)

    def _read_entry(self, entry: Any, name: str, info: TensorInfo) -> TensorData:
        content = self._content(entry, name)
        if info.dtype == "string":
            return TensorData("string", info.shape, self._strings(entry, name, content.tobytes(), info.elements))
        size = ITEM_SIZE.get(info.dtype)
        if size is None:
            raise errors.UnimplementedError(None, None, f"The tensor '{name}' has dtype {info.dtype}, which cannot be read.")
        if entry.size != size * info.elements:
            raise _damaged(
                f"{self._prefix}: the tensor '{name}' ({info.dtype}, shape {list(info.shape)}) has {entry.size} bytes "
                f"where {size * info.elements} are needed"
            )
        self._check(entry, name, crc.value(content))
        if self._swap and size > 1:
            part = size // 2 if info.dtype.startswith("complex") else size
            content = content.reshape(-1, part)[:, ::-1].reshape(-1)
            return TensorData(info.dtype, info.shape, content)
        filler = self._shard(entry.shard_id, name).filler(entry.offset, entry.offset + entry.size)
        return TensorData(info.dtype, info.shape, content, filler)

    def _strings(self, entry: Any, name: str, content: bytes, count: int) -> np.ndarray:
        if count > len(content):
            raise _damaged(f"{self._prefix}: the string tensor '{name}' has {count} elements but only {len(content)} bytes")
        out = np.empty(count, object)
        lengths: list[int] = []
        position = 0
        try:
            for _ in range(count):
                length, position = sstable.get_varint(content, position, len(content))
                lengths.append(length)
        except sstable.Damaged as error:
            raise _damaged(f"{self._prefix}: the lengths of the string tensor '{name}' are damaged") from error
        fixed = b"".join(length.to_bytes(4 if length <= 0xFFFFFFFF else 8, "little") for length in lengths)
        stored = content[position : position + 4]
        position += 4
        checksum = crc.value(fixed)
        if stored != crc.mask(checksum).to_bytes(4, "little"):
            raise _damaged(f"Checksum does not match: the lengths of the string tensor '{name}' in {self._prefix} are damaged")
        self._check(entry, name, crc.extend(crc.extend(checksum, stored), content[position:]))
        if sum(lengths) != len(content) - position:
            raise _damaged(f"{self._prefix}: the string tensor '{name}' has {len(content) - position} bytes, not {sum(lengths)}")
        for i, length in enumerate(lengths):
            out[i] = content[position : position + length]
            position += length
        return out

    def _read_slices(self, entry: Any, name: str, info: TensorInfo) -> TensorData:
        """A variable that was saved in parts (a partitioned variable of TensorFlow 1)."""
        size = ITEM_SIZE.get(info.dtype)
        if size is None:
            raise errors.UnimplementedError(None, None, f"The tensor '{name}' has parts of dtype {info.dtype}, which cannot be read.")
        parts: list[tuple[tuple[slice, ...], TensorData]] = []
        covered = 0
        for item in entry.slices:
            extents = [(e.start, e.length if e.WhichOneof("has_length_hack") else -1) for e in item.extent]
            part = self._slices.get(slices.key(name.encode(), extents))
            if part is None or len(extents) != len(info.shape):
                raise _damaged(f"{self._prefix}: the part {extents} of the tensor '{name}' is missing")
            places = tuple(
                slice(start, dim if length < 0 else start + length) for (start, length), dim in zip(extents, info.shape, strict=True)
            )
            shape = tuple(place.stop - place.start for place in places)
            within = all(0 <= p.start <= p.stop <= dim for p, dim in zip(places, info.shape, strict=True))
            part_info = self._info(part, name)
            if not within or part_info != TensorInfo(info.dtype, shape):
                raise _damaged(f"{self._prefix}: the part {extents} of the tensor '{name}' does not fit its shape {info.shape}")
            parts.append((places, self._read_entry(part, name, part_info)))
            covered += part_info.elements
        if covered != info.elements:
            raise _damaged(f"{self._prefix}: the parts of the tensor '{name}' do not make up its shape {info.shape}")
        out = np.zeros((*info.shape, size), np.uint8)
        for places, data in parts:
            out[places] = data.data.reshape(*data.shape, size)
        return TensorData(info.dtype, info.shape, out.reshape(-1))

    def close(self) -> None:
        """Forgets the mappings; arrays that were handed out keep theirs."""
        self._shards.clear()
