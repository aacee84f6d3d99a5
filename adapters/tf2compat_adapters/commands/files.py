"""Any file of named tensors, by its path: checkpoints of every format, HDF5, `.keras` archives."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from tf2compat import errors
from tf2compat._ports.checkpoint import TensorData, TensorInfo
from tf2compat.train import _formats
from tf2compat.train.checkpoint_state import get_checkpoint_state

_MAX_WEIGHTS = 1 << 40


class Tensors:
    """Named tensors of an open file: what there is, and a way to read each."""

    def __init__(self, kind: str, entries: dict[str, TensorInfo], read: Callable[[str], TensorData]) -> None:
        self.kind = kind
        self.entries = entries
        self.read = read

    def __iter__(self) -> Iterator[tuple[str, TensorData]]:
        for name in sorted(self.entries):
            yield name, self.read(name)


def _hdf5(file: Any, path: str, kind: str) -> Tensors:
    from tf2compat_adapters import hdf5

    found = dict(hdf5.walk(file, path))
    entries = {}
    for name, dataset in found.items():
        dtype = "string" if dataset.dtype.kind in "OS" else dataset.dtype.name
        entries[name] = TensorInfo(dtype, tuple(dataset.shape))
    return Tensors(kind, entries, lambda name: TensorData.of_array(hdf5.read_dataset(found[name], path)))


def _keras(path: str) -> Tensors:
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo("model.weights.h5")
            if member.file_size > min(_MAX_WEIGHTS, 1100 * max(member.compress_size, 1) + (1 << 20)):
                raise errors.DataLossError(None, None, f"{path} is damaged: its weights claim {member.file_size} bytes")
            content = archive.read(member)
        return _hdf5(h5py.File(io.BytesIO(content), "r"), path, "keras")
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, EOFError, RuntimeError) as error:
        raise errors.DataLossError(None, None, f"{path} is not a .keras file with weights: {error}") from error


def open_tensors(path: str) -> Tensors:
    """Opens what lies at a path. Raises NotFoundError if nothing does, DataLossError if it is damaged."""
    if path.endswith((".h5", ".hdf5")):
        from tf2compat_adapters import hdf5

        return _hdf5(hdf5.open_file(path), path, "hdf5")
    if path.endswith(".keras"):
        if not os.path.isfile(path):
            raise errors.NotFoundError(None, None, f"{path}; No such file or directory")
        return _keras(path)
    if os.path.isdir(path) and not _formats.exists(path):
        if os.path.isfile(os.path.join(path, "saved_model.pb")):
            path = os.path.join(path, "variables", "variables")
        else:
            state = get_checkpoint_state(path)
            if state is None:
                raise errors.NotFoundError(None, None, f"{path}; there is no checkpoint in this directory")
            path = state.model_checkpoint_path
    path = path.removesuffix(".index")
    found = _formats.find(path) or _formats.find(path.removesuffix(".safetensors"))
    reader = _formats.open_reader(path)
    return Tensors(found.name if found else "", dict(reader.entries), reader.read)
