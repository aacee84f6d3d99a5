"""The checkpoint-format adapter for safetensors: one file, `<prefix>.safetensors`, that every PyTorch tool reads.

The file format is 8 bytes of length, a JSON header and the raw values. What TensorFlow's dtypes need beyond it (strings, complex
and quantized values) is stored as plain numbers, with the real dtype and shape in the header's `__metadata__`, beside a
CRC-32C of every tensor and of the header. Files of other programs, without those, are read as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from tf2compat import errors
from tf2compat._files import Commit, os_error
from tf2compat._ports.checkpoint import ITEM_SIZE, TensorData, TensorInfo
from tf2compat._threads import each
from tf2compat_adapters import crc32c as crc
from tf2compat_adapters.mapped_file import MappedFile

_CODES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "float8_e5m2": "F8_E5M2", "float8_e4m3fn": "F8_E4M3", "int16": "I16",
    "uint16": "U16", "float16": "F16", "bfloat16": "BF16", "int32": "I32", "uint32": "U32", "float32": "F32", "float64": "F64",
    "int64": "I64", "uint64": "U64",
}  # fmt: skip
_NAMES = {code: name for name, code in _CODES.items()} | {"C64": "complex64"}
# How dtypes that the format lacks are stored: as which dtype, and whether with a further dimension (real, imaginary).
_STORED_AS = {
    "complex64": ("float32", True), "complex128": ("float64", True), "qint8": ("int8", False), "quint8": ("uint8", False),
    "qint16": ("int16", False), "quint16": ("uint16", False), "qint32": ("int32", False),
}  # fmt: skip
_MAX_HEADER = 100_000_000  # the limit the format's own library sets
_MAX_ELEMENTS = 1 << 60
_SUMS, _TYPES, _HEADER_SUM = "tf2compat.crc32c", "tf2compat.types", "tf2compat.header_crc32c"


def _damaged(message: str) -> errors.DataLossError:
    return errors.DataLossError(None, None, message)


def _pack_strings(data: np.ndarray) -> np.ndarray:
    lengths = np.fromiter((len(item) for item in data), "<u8", len(data))
    return np.frombuffer(lengths.tobytes() + b"".join(data), np.uint8)


def _unpack_strings(content: bytes, count: int, name: str) -> np.ndarray:
    if 8 * count > len(content):
        raise _damaged(f"The string tensor '{name}' has {count} elements but only {len(content)} bytes")
    lengths = np.frombuffer(content, "<u8", count).tolist()
    position = 8 * count
    if position + sum(lengths) != len(content):
        raise _damaged(f"The lengths of the string tensor '{name}' do not add up to its {len(content)} bytes")
    out = np.empty(count, object)
    for i, length in enumerate(lengths):
        out[i] = content[position : position + length]
        position += length
    return out


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a name occurs twice")
    return out


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > 254 or any(type(dim) is not int or dim < 0 for dim in value):
        raise ValueError(f"{value!r} is not a shape")
    if TensorInfo("", tuple(value)).elements > _MAX_ELEMENTS:
        raise ValueError(f"{value!r} is too large a shape")
    return tuple(value)


class SafetensorsReader:
    """An open safetensors file, mapped (see `tf2compat._ports.checkpoint.CheckpointReader`)."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.entries: dict[str, TensorInfo] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._sums: dict[str, int] = {}
        try:
            self._file = MappedFile(path)
        except FileNotFoundError as error:
            raise errors.NotFoundError(None, None, f"{path}; No such file or directory") from error
        except OSError as error:
            raise os_error(error, path) from error
        whole = self._file.data
        length = int.from_bytes(whole[:8].tobytes(), "little")
        if len(whole) < 8 or length > min(len(whole) - 8, _MAX_HEADER):
            raise _damaged(f"{path}: a header of {length} bytes does not fit a file of {len(whole)} bytes")
        self._start = 8 + length
        self._data: np.ndarray = whole[8 + length :]
        try:
            self._read_header(whole[8 : 8 + length].tobytes())
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _damaged(f"{path}: the header is damaged: {error}") from error

    def _read_header(self, content: bytes) -> None:
        header = json.loads(content.decode(), object_pairs_hook=_no_duplicates)
        if not isinstance(header, dict):
            raise ValueError("it is not an object")
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or any(not isinstance(text, str) for text in metadata.values()):
            raise ValueError("the metadata are not texts")
        types: dict[str, Any] = {}
        if _HEADER_SUM in metadata:
            stored = metadata.pop(_HEADER_SUM)
            if stored != f"{crc.value(_dump([header, metadata])):08x}":
                raise ValueError("its checksum does not match")
            self._sums = {name: int(text, 16) for name, text in json.loads(metadata[_SUMS]).items()}
            types = json.loads(metadata[_TYPES])
        elif _SUMS in metadata or _TYPES in metadata:
            raise ValueError("its checksum is missing")
        self.metadata: dict[str, str] = metadata
        end = 0
        for name, item in sorted(header.items(), key=lambda pair: pair[1]["data_offsets"]):
            dtype, shape = _NAMES.get(item["dtype"]), _shape(item["shape"])
            if dtype is None:
                raise ValueError(f"the tensor '{name}' has an unknown dtype, {item['dtype']!r}")
            start, stop = item["data_offsets"]
            info = TensorInfo(dtype, shape)
            if type(start) is not int or start != end or stop - start != info.elements * ITEM_SIZE[dtype]:
                raise ValueError(f"the tensor '{name}' ({dtype}, shape {list(shape)}) does not fit its place {start}:{stop}")
            end = stop
            self._places[name] = start, stop
            self.entries[name] = self._real_type(name, info, types[name]) if name in types else info
        if end != len(self._data):
            raise ValueError(f"{len(self._data)} bytes of values where {end} are described (the file is cut off or too long)")

    @staticmethod
    def _real_type(name: str, stored: TensorInfo, real: Any) -> TensorInfo:
        dtype, shape = real[0], _shape(real[1])
        if dtype == "string":
            fits = stored.dtype == "uint8"
        else:
            fits = dtype in _STORED_AS
            if fits:
                other, paired = _STORED_AS[dtype]
                fits = stored == TensorInfo(other, (*shape, 2) if paired else shape)
        if not fits:
            raise ValueError(f"the tensor '{name}' cannot be {dtype} of shape {list(shape)}")
        return TensorInfo(dtype, shape)

    def read(self, name: str) -> TensorData:
        if name not in self._places:
            raise errors.NotFoundError(None, None, f"Key {name} not found in checkpoint")
        start, stop = self._places[name]
        content = self._data[start:stop]
        if name in self._sums:
            actual = crc.value(content)
            if actual != self._sums[name]:
                raise _damaged(
                    f"Checksum does not match: the tensor '{name}' in {self._path} is damaged "
                    f"(stored {self._sums[name]:#010x} vs. calculated {actual:#010x})"
                )
        info = self.entries[name]
        if info.dtype == "string":
            return TensorData("string", info.shape, _unpack_strings(content.tobytes(), info.elements, name))
        return TensorData(info.dtype, info.shape, content, self._file.filler(self._start + start, self._start + stop))

    def close(self) -> None:
        """Forgets the mapping; arrays that were handed out keep it."""
        self._data = self._data[:0]
        self._places = {}


class _Format:
    name = "safetensors"

    def exists(self, prefix: str) -> bool:
        return os.path.isfile(prefix + ".safetensors")

    def files(self, prefix: str) -> list[str]:
        return [prefix + ".safetensors"] if self.exists(prefix) else []

    def modified(self, prefix: str) -> float:
        try:
            return os.path.getmtime(prefix + ".safetensors")
        except OSError as error:
            raise os_error(error, prefix + ".safetensors") from error

    def open(self, prefix: str) -> SafetensorsReader:
        return SafetensorsReader(prefix + ".safetensors")

    def delete(self, prefix: str) -> None:
        for path in self.files(prefix):
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise os_error(error, path) from error

    def write(self, prefix: str, tensors: Iterable[tuple[str, TensorData]]) -> None:
        header: dict[str, Any] = {}
        sums: dict[str, str] = {}
        types: dict[str, Any] = {}
        stored: list[tuple[int, str, str, tuple[int, ...], np.ndarray]] = []
        for name, tensor in tensors:
            if name in sums or name == "__metadata__":
                raise errors.InvalidArgumentError(None, None, f"A checkpoint cannot hold two tensors named {name!r}.")
            dtype, shape, data = tensor.dtype, tensor.shape, tensor.data
            if dtype not in _CODES:
                types[name] = [dtype, list(shape)]
                if dtype == "string":
                    data = _pack_strings(data)
                    dtype, shape = "uint8", (len(data),)
                elif dtype in _STORED_AS:
                    dtype, paired = _STORED_AS[dtype]
                    shape = (*shape, 2) if paired else shape
                else:
                    raise errors.UnimplementedError(None, None, f"The tensor '{name}' of dtype {dtype} cannot be saved.")
            sums[name] = ""
            stored.append((-ITEM_SIZE[dtype], name, dtype, shape, data))
        contents = [item[-1] for item in stored]
        for item, total in zip(stored, each(crc.value, contents, sum(map(len, contents))), strict=True):
            sums[item[1]] = f"{total:08x}"
        # Wide elements first: then every tensor lies at a multiple of its element size, without gaps (which are not allowed).
        stored.sort(key=lambda item: item[:2])
        offset = 0
        for _, name, dtype, shape, data in stored:
            header[name] = {"dtype": _CODES[dtype], "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
            offset += len(data)
        metadata = {"format": "pt", _SUMS: _dump(sums).decode(), _TYPES: _dump(types).decode()}
        metadata[_HEADER_SUM] = f"{crc.value(_dump([header, metadata])):08x}"
        content = _dump({"__metadata__": metadata, **header})
        content += b" " * (-(len(content) + 8) % 64)
        if len(content) > _MAX_HEADER:
            raise errors.InvalidArgumentError(None, None, f"Too many tensors for one safetensors file: {len(stored)}.")
        with Commit() as commit:
            file = commit.open(prefix + ".safetensors")
            file.write(len(content).to_bytes(8, "little") + content)
            for *_, data in stored:
                file.write(data)


Safetensors = _Format()
