"""Elements on disk: `Dataset.save`, `load`, `snapshot`, and the files of `Dataset.cache`.

A file is a magic line, the element's dtypes as JSON, then records: for each component its dims and bytes, each record with
its length and a CRC-32; of compressed files the records are DEFLATE streams. Nothing is pickled; a damaged file gives DataLossError.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, groupby
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
_PACKED = b"tf2compat elements Z\n"
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
def writing(path: str, spec: Any, packed: bool = False) -> Iterator[Callable[[list[Any]], None]]:
    """A function that appends elements to a file, which appears under its name when the block ends well."""
    specs = _checked(spec)
    temporary = f"{path}.{secrets.token_hex(6)}.tmp"
    head = json.dumps([s.dtype.name for s in specs]).encode() + b"\n"
    try:
        with open(temporary, "wb") as file:
            file.write((_PACKED if packed else _MAGIC) + head)

            def write(flat: list[Any]) -> None:
                record = zlib.compress(_encode(flat)) if packed else _encode(flat)
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
        magic = file.read(len(_MAGIC))
        if magic not in (_MAGIC, _PACKED):
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
                yield _decode(zlib.decompress(record) if magic == _PACKED else record, specs)
            except (struct.error, ValueError, IndexError, zlib.error) as error:
                raise _lost(path, f"damaged record: {error}") from None


class _LoadDataset(Dataset):
    """The elements of shards, one of each in turn. A shard is one file after the other."""

    def __init__(self, files: list[list[str]], spec: Any, count: int = UNKNOWN) -> None:
        self._files, self._spec, self._count = files, spec, count

    def _cardinality(self) -> int:
        return self._count

    def _components(self) -> Iterator[Any]:
        left = [chain.from_iterable(read_elements(f, self._spec) for f in shard) for shard in self._files]
        while left:
            for elements in list(left):
                try:
                    yield next(elements)
                except StopIteration:
                    left.remove(elements)


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


def _packed(compression: Any, method: str) -> bool:
    if compression not in (None, "", "NONE", "AUTO", "GZIP"):
        raise errors.UnimplementedError(None, None, f"Dataset.{method}: compression={compression!r} is not supported")
    return compression == "GZIP"


@contextmanager
def _shards(folder: str, spec: Any, packed: bool) -> Iterator[Callable[[Any, list[Any]], None]]:
    """A function that writes elements to the files of their shards; the dataset is there when the block ends well."""
    os.makedirs(folder, exist_ok=True)
    count, writers = 0, {}
    with ExitStack() as stack:

        def write(shard: Any, flat: list[Any]) -> None:
            nonlocal count
            if shard not in writers:
                if shard < 0:
                    raise errors.InvalidArgumentError(None, None, f"shard_func must return a non-negative number, got {shard}")
                writers[shard] = stack.enter_context(writing(os.path.join(folder, f"{shard:08d}.elements"), spec, packed))
            writers[shard](flat)
            count += 1

        yield write
        if not writers:
            stack.enter_context(writing(os.path.join(folder, "00000000.elements"), spec, packed))
    forget(folder, {f"{shard:08d}.elements" for shard in writers or (0,)})
    describe(folder, spec, count)


def forget(folder: str, kept: set[str]) -> None:
    """Remove the files of a dataset that was saved here before."""
    for name in os.listdir(folder):
        if name.endswith(".elements") and name not in kept:
            os.unlink(os.path.join(folder, name))


def describe(folder: str, spec: Any, count: int) -> None:
    """Write what makes the files of a folder a dataset."""
    text = json.dumps({"element_spec": _describe(spec), "count": count})
    temporary = os.path.join(folder, f"dataset.{secrets.token_hex(6)}.tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, os.path.join(folder, "dataset.json"))


def numbered(dataset: Dataset, shard_func: Any) -> Dataset:
    """The elements, each with the number of its shard."""
    from .. import cast

    several = isinstance(dataset._spec, tuple)
    pairs = dataset.map(lambda *e: (e if several else e[0], cast(shard_func(*e), "int64")))
    if pairs.element_spec[1].shape.rank not in (0, None):
        raise ValueError(f"`shard_func` must return a scalar, got {pairs.element_spec[1]}")
    return pairs


def _sharded(dataset: Dataset, shard_func: Any) -> Iterator[tuple[int, list[Any]]]:
    if shard_func is None:
        for flat in dataset._components():
            yield 0, flat
        return
    for *flat, shard in numbered(dataset, shard_func)._components():
        yield int(numpy_of(shard)), flat


def save(dataset: Dataset, path: Any, compression: Any, shard_func: Any, checkpoint_args: Any) -> None:
    """`Dataset.save`."""
    packed = _packed(compression, "save")
    if checkpoint_args:
        from .resuming import save_with_checkpoints

        save_with_checkpoints(dataset, _path(path), packed, shard_func, checkpoint_args)
        return
    with _shards(_path(path), dataset._spec, packed) as write:
        for shard, flat in _sharded(dataset, shard_func):
            write(shard, flat)


def load(path: Any, element_spec: Any, compression: Any, reader_func: Any, wait: bool) -> Dataset:
    """`Dataset.load`; `wait` until there is a dataset."""
    _packed(compression, "load")  # how they are compressed is in the files
    folder = _path(path)
    while wait and not os.path.exists(os.path.join(folder, "dataset.json")):
        time.sleep(0.1)
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
    names = sorted(f for f in os.listdir(folder) if f.endswith(".elements"))
    files = [[os.path.join(folder, f) for f in shard] for _, shard in groupby(names, lambda f: f.split(".")[0])]
    if reader_func is None:
        return _LoadDataset(files, spec, about["count"])
    return reader_func(_ShardsDataset([_LoadDataset([f], spec, about["count"] if len(files) == 1 else UNKNOWN) for f in files]))


class _ShardsDataset(Dataset):
    """A dataset of datasets, for reader functions."""

    def __init__(self, shards: list[Any]) -> None:
        from .dataset import DatasetSpec

        self._shards = shards
        self._spec = DatasetSpec(shards[0]._spec)

    def _cardinality(self) -> int:
        return len(self._shards)

    def _components(self) -> Iterator[Any]:
        for shard in self._shards:
            yield [shard]


class _SnapshotDataset(Dataset):
    """Elements that are written while they are first gone through to the end, and read afterwards."""

    def __init__(self, source: Dataset, path: str, compression: str, reader_func: Any, shard_func: Any) -> None:
        self._source, self._path, self._compression, self._reader, self._shard = source, path, compression, reader_func, shard_func
        self._spec, self._inputs = source._spec, (source,)

    def _cardinality(self) -> int:
        return self._source._cardinality()

    def _components(self) -> Iterator[Any]:
        if os.path.exists(os.path.join(self._path, "dataset.json")):
            yield from load(self._path, self._spec, self._compression, self._reader, False)._components()
            return
        with _shards(self._path, self._spec, _packed(self._compression, "snapshot")) as write:
            for shard, flat in _sharded(self._source, self._shard):
                write(shard, flat)
                yield flat


def snapshot(dataset: Dataset, path: Any, compression: str, reader_func: Any, shard_func: Any) -> Dataset:
    """`Dataset.snapshot`: written on the first full iteration, read afterwards."""
    _packed(compression, "snapshot")
    _checked(dataset._spec)
    os.makedirs(_path(path), exist_ok=True)
    return _SnapshotDataset(dataset, _path(path), compression, reader_func, shard_func)
