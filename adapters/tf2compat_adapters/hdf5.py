"""HDF5 files as named tensors, with limits: what a file says of itself is not to be believed."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from tf2compat import errors
from tf2compat._files import os_error

_MAX_OBJECTS = 1_000_000
_MAX_DEPTH = 64
_MAX_ATTRIBUTE = 256 << 20


def damaged(path: str, problem: object) -> errors.DataLossError:
    return errors.DataLossError(None, None, f"{path} is damaged: {problem}")


@contextlib.contextmanager
def consistent(path: str) -> Iterator[None]:
    """While a model is made of a file's content: what shows that it does not hang together becomes a DataLossError."""
    try:
        yield
    except (KeyError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        raise damaged(path, f"it does not describe a model: {type(error).__name__}: {error}") from error


def open_file(path: str) -> Any:
    """Opens a file to read. Raises FileNotFoundError, as h5py does, or DataLossError."""
    if not os.path.isfile(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    try:
        return h5py.File(path, "r")
    except PermissionError as error:
        raise os_error(error, path) from error
    except Exception as error:  # h5py raises many kinds for a damaged file
        raise damaged(path, error) from error


def walk(group: Any, path: str, prefix: str = "", depth: int = 0, seen: list[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Every dataset of a group by its path. Links to other files and to outside of the group's file are refused."""
    seen = [0] if seen is None else seen
    if depth > _MAX_DEPTH:
        raise damaged(path, "its groups are nested too deeply")
    for name in group:
        seen[0] += 1
        if seen[0] > _MAX_OBJECTS:
            raise damaged(path, "it has too many objects")
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise damaged(path, f"'{prefix}{name}' is a link to elsewhere, which is not followed")
        try:
            item = group[name]
        except Exception as error:
            raise damaged(path, error) from error
        if isinstance(item, h5py.Dataset):
            yield prefix + name, item
        elif isinstance(item, h5py.Group):
            yield from walk(item, path, f"{prefix}{name}/", depth + 1, seen)


def read_dataset(dataset: Any, path: str) -> np.ndarray:
    """A dataset's values. Raises DataLossError when it is damaged, or claims more data than the file can hold."""
    try:
        if dataset.is_virtual or dataset.external:
            raise ValueError(f"the values of '{dataset.name}' lie in another file")
        size = int(np.prod(dataset.shape, dtype=object)) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        # A compressed dataset may be larger than its file, within reason.
        if size > max(1 << 20, 1100 * max(stored, 1)):
            raise ValueError(f"'{dataset.name}' claims {size} bytes of which {stored} are stored")
        return np.asarray(dataset[()])
    except Exception as error:
        raise damaged(path, error) from error


def attribute(item: Any, name: str, path: str, default: Any = None) -> Any:
    """An attribute as str, list of str, or NumPy value; `default` if it is not there."""
    try:
        if name not in item.attrs:
            return default
        identifier = item.attrs.get_id(name)
        if int(np.prod(identifier.shape, dtype=object)) * max(1, identifier.dtype.itemsize) > _MAX_ATTRIBUTE:
            raise ValueError(f"the attribute '{name}' is too large")
        value = item.attrs[name]
    except errors.OpError:
        raise
    except Exception as error:
        raise damaged(path, error) from error
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
        return [text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text) for text in value.reshape(-1)]
    return value


def text_list(item: Any, name: str, path: str) -> list[str]:
    """A list of names that may have been split over several attributes (`name0`, `name1`, …) for its length."""
    whole = attribute(item, name, path)
    if isinstance(whole, list):
        return whole
    if whole is not None and getattr(whole, "size", 1) == 0:
        return []
    parts: list[str] = []
    number = 0
    while isinstance(part := attribute(item, f"{name}{number}", path), list):
        parts += part
        number += 1
    return parts


def put_text_list(item: Any, name: str, texts: list[str]) -> None:
    """Writes what `text_list` reads: HDF5 limits an attribute to 64 kB."""
    encoded = [text.encode() for text in texts]
    parts = 1
    while any(np.asarray(part).nbytes > 64512 for part in np.array_split(np.asarray(encoded), parts) if len(part)):
        parts += 1
    if parts == 1:
        item.attrs[name] = encoded
        return
    for number, part in enumerate(np.array_split(np.asarray(encoded), parts)):
        item.attrs[f"{name}{number}"] = part
