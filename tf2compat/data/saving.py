"""Elements on disk: `Dataset.save`, `load`, `snapshot`, and the files of `Dataset.cache`.

A file is a magic line, the element's dtypes as JSON, then records: for each component its dims and bytes, each record with
its length and a CRC-32. Nothing is pickled; a damaged file gives DataLossError.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from .. import errors
from .._engine import dtypes
from .._engine.convert import numpy_storage
from .._engine.specs import TensorSpec
from .._engine.tensor import numpy_of
from . import structure
from .dataset import UNKNOWN, Dataset

_MAGIC = b"tf2compat elements 1\n"
_LIMIT = 2**40


def _checked(spec: Any) -> list[Any]:
    specs = structure.leaves(spec)
    for s in specs:
        if type(s) is not TensorSpec:
            raise errors.UnimplementedError(None, None, f"Datasets of {s!r} cannot be written to disk; only dense tensors can.")
    return specs


def _encode(flat: list[Any]) -> bytes:
    parts = []
    for c in flat:
        array = numpy_of(c)
        dims = struct.pack(f"<B{array.ndim}Q", array.ndim, *array.shape)
        if array.dtype == object:
            items = [bytes(v) for v in array.reshape(-1)]
            body = struct.pack(f"<{len(items)}Q", *map(len, items)) + b"".join(items)
        else:
            body = np.ascontiguousarray(array).tobytes()
        parts.append(dims + struct.pack("<Q", len(body)) + body)
    return b"".join(parts)


def _decode(record: bytes, specs: list[Any]) -> list[Any]:
    at = 0
    out = []
    for s in specs:
        ndim = record[at]
        dims = struct.unpack_from(f"<{ndim}Q", record, at + 1)
        at += 1 + 8 * ndim
        (size,) = struct.unpack_from("<Q", record, at)
        at += 8
        body = record[at : at + size]
        at += size
        count = int(np.prod(dims, dtype=object)) if dims else 1
        if s.dtype is dtypes.string:
            lengths = struct.unpack_from(f"<{count}Q", body, 0)
            array = np.empty(count, dtype=object)
            pos = 8 * count
            for i, n in enumerate(lengths):
                array[i] = body[pos : pos + n]
                pos += n
            out.append(array.reshape(dims))
        else:
            array = np.frombuffer(body, dtype=s.dtype.as_numpy_dtype, count=count).reshape(dims)
            out.append(numpy_storage(array, None))
    return out


@contextmanager
def writing(path: str, spec: Any) -> Iterator[Callable[[list[Any]], None]]:
    """A function that appends elements to a file, which appears under its name when the block ends well."""
    specs = _checked(spec)
    temporary = f"{path}.{secrets.token_hex(6)}.tmp"
    head = json.dumps([s.dtype.name for s in specs]).encode() + b"\n"
    try:
        with open(temporary, "wb") as file:
            file.write(_MAGIC + head)

            def write(flat: list[Any]) -> None:
                record = _encode(flat)
                file.write(struct.pack("<QI", len(record), zlib.crc32(record)) + record)

            yield write
            file.write(struct.pack("<QI", 0, 0))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _lost(path: str, why: str) -> errors.DataLossError:
    return errors.DataLossError(None, None, f"{path}: {why}")


def read_elements(path: str, spec: Any) -> Iterator[list[Any]]:
    """The elements of a file; DataLossError at the first damaged record."""
    specs = _checked(spec)
    try:
        file: BinaryIO = open(path, "rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        raise errors.NotFoundError(None, None, f"{path}; No such file or directory") from None
    with file:
        total = os.fstat(file.fileno()).st_size
        if file.read(len(_MAGIC)) != _MAGIC:
            raise _lost(path, "not a file of dataset elements")
        try:
            names = json.loads(file.readline(1 << 20))
        except ValueError:
            raise _lost(path, "damaged header") from None
        if names != [s.dtype.name for s in specs]:
            raise errors.InvalidArgumentError(None, None, f"{path} holds elements of dtypes {names}, not {[s.dtype.name for s in specs]}")
        while True:
            head = file.read(12)
            if len(head) < 12:
                raise _lost(path, "truncated")
            size, crc = struct.unpack("<QI", head)
            if size == 0:
                return
            if size > min(_LIMIT, total - file.tell()):
                raise _lost(path, f"a record claims {size} bytes, more than the file has")
            record = file.read(size)
            if zlib.crc32(record) != crc:
                raise _lost(path, "checksum of a record does not match")
            try:
                yield _decode(record, specs)
            except (struct.error, ValueError, IndexError) as error:
                raise _lost(path, f"damaged record: {error}") from None


class _LoadDataset(Dataset):
    def __init__(self, files: list[str], spec: Any, count: int = UNKNOWN) -> None:
        self._files, self._spec, self._count = files, spec, count

    def _cardinality(self) -> int:
        return self._count

    def _components(self) -> Iterator[Any]:
        for f in self._files:
            yield from read_elements(f, self._spec)


def _path(path: Any) -> str:
    return os.fspath(path) if not isinstance(path, bytes) else path.decode()


def _describe(spec: Any) -> Any:
    """A structure of TensorSpecs as JSON."""
    if isinstance(spec, dict):
        return {"dict": {k: _describe(v) for k, v in spec.items()}}
    if isinstance(spec, tuple):
        return {"tuple": [_describe(v) for v in spec]}
    return {"spec": [None if spec.shape.rank is None else spec.shape.as_list(), spec.dtype.name]}


def _described(value: Any) -> Any:
    if "dict" in value:
        return {k: _described(v) for k, v in value["dict"].items()}
    if "tuple" in value:
        return tuple(_described(v) for v in value["tuple"])
    shape, dtype = value["spec"]
    return TensorSpec(shape, dtypes.as_dtype(dtype))


def save(dataset: Dataset, path: Any, compression: Any, shard_func: Any, checkpoint_args: Any) -> None:
    """`Dataset.save`."""
    if compression not in (None, "NONE", "AUTO"):
        raise errors.UnimplementedError(None, None, f"Dataset.save: compression={compression!r} is not supported")
    if shard_func is not None or checkpoint_args is not None:
        raise errors.UnimplementedError(None, None, "Dataset.save: shard_func and checkpoint_args are not supported")
    folder = _path(path)
    os.makedirs(folder, exist_ok=True)
    count = 0
    with writing(os.path.join(folder, "00000000.elements"), dataset._spec) as write:
        for flat in dataset._components():
            write(flat)
            count += 1
    text = json.dumps({"element_spec": _describe(dataset._spec), "count": count})
    temporary = os.path.join(folder, f"dataset.{secrets.token_hex(6)}.tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, os.path.join(folder, "dataset.json"))


def load(path: Any, element_spec: Any, compression: Any, reader_func: Any, wait: bool) -> Dataset:
    """`Dataset.load`."""
    if compression not in (None, "NONE", "AUTO") or wait:
        raise errors.UnimplementedError(None, None, "Dataset.load: compression and wait are not supported")
    folder = _path(path)
    try:
        with open(os.path.join(folder, "dataset.json"), encoding="utf-8") as file:
            about = json.loads(file.read(1 << 24))
        spec = _described(about["element_spec"])
    except FileNotFoundError:
        raise errors.NotFoundError(None, None, f"{folder}: no dataset was saved there") from None
    except (ValueError, KeyError, TypeError):
        raise _lost(folder, "damaged dataset.json") from None
    if element_spec is not None and structure.compatible(element_spec, spec) is None:
        raise ValueError(f"{folder} holds elements of {spec}, not {element_spec}")
    files = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".elements"))
    loaded = _LoadDataset(files, spec, about["count"])
    if reader_func is None:
        return loaded
    shards = Dataset.range(len(files))
    return reader_func(shards.map(lambda i: i).flat_map(lambda i: loaded)) if len(files) > 1 else reader_func(_OneDataset(loaded))


class _OneDataset(Dataset):
    """A dataset of one dataset, for reader functions."""

    def __init__(self, inner: Dataset) -> None:
        from .dataset import DatasetSpec

        self._inner = inner
        self._spec = DatasetSpec(inner._spec)

    def _cardinality(self) -> int:
        return 1

    def _components(self) -> Iterator[Any]:
        yield [self._inner]


def snapshot(dataset: Dataset, path: Any, compression: str, reader_func: Any, shard_func: Any) -> Dataset:
    """`Dataset.snapshot`: written on the first full iteration, read afterwards."""
    if compression not in ("AUTO", "NONE", None) or reader_func is not None or shard_func is not None:
        raise errors.UnimplementedError(None, None, "Dataset.snapshot: compression, reader_func and shard_func are not supported")
    folder = _path(path)
    os.makedirs(folder, exist_ok=True)
    cached = dataset.cache(os.path.join(folder, "snapshot"))
    return cached.map(lambda *e: e if len(e) > 1 else e[0]) if not isinstance(dataset._spec, tuple) else cached.map(lambda *e: e)
