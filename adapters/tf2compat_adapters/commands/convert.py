"""`python -m tf2compat convert IN OUT`: the tensors of one file, or a whole Keras model, in another format.

IN is anything `checkpoint show` reads. OUT says the format by its end: .safetensors, .h5, or .index (or --to tensorflow) for a
TensorFlow checkpoint. Names, dtypes, shapes and values stay; so a checkpoint restores the same from either format. A Keras model (.keras,
.h5, SavedModel; of Keras 2 or 3) becomes a model again when OUT ends in .keras or .h5 or is a directory's name; --to hdf5 takes its tensors only.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any

from tf2compat import errors
from tf2compat._files import Commit
from tf2compat._ports.checkpoint import TensorData
from tf2compat.train import _formats
from tf2compat_adapters.commands.checkpoint import size_text
from tf2compat_adapters.commands.files import Tensors, open_tensors


class _Progress:
    """A bar on a terminal (with the package rich), nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._bar: Any = None
        if sys.stderr.isatty():
            try:
                from rich.console import Console
                from rich.progress import Progress
            except ImportError:
                return
            self._bar = Progress(console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task("converting", total=total)

    def step(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._task)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _write_hdf5(path: str, tensors: Iterator[tuple[str, TensorData]]) -> None:
    import h5py

    with Commit() as commit:
        file = commit.open(path)
        with h5py.File(file, "w") as out:
            for name, data in tensors:
                out.create_dataset(name.strip("/"), data=data.numpy(), dtype=h5py.string_dtype() if data.dtype == "string" else None)


def convert(source: Tensors, target: str, kind: str | None) -> int:
    """Writes tensors to a path; the number of bytes of values."""
    progress = _Progress(len(source.entries))
    total = 0

    def each() -> Iterator[tuple[str, TensorData]]:
        nonlocal total
        for name, data in source:
            total += len(data.data) if data.dtype != "string" else sum(map(len, data.data))
            yield name, data
            progress.step()

    try:
        if kind == "hdf5" or (kind is None and target.endswith((".h5", ".hdf5"))):
            _write_hdf5(target, each())
        elif kind == "safetensors" or (kind is None and target.endswith(".safetensors")):
            _formats.write(target.removesuffix(".safetensors"), each(), "safetensors")
        elif kind == "tensorflow" or (kind is None and target.endswith((".index", ".ckpt"))):
            _formats.write(target.removesuffix(".index"), each(), "tensorflow")
        else:
            raise ValueError(f"cannot tell the format of {target}: end it in .safetensors, .h5 or .index, or give --to")
    finally:
        progress.close()
    return total


def _is_model(path: str) -> bool:
    """Whether a path holds a whole Keras model rather than values alone."""
    if os.path.isdir(path):
        return os.path.isfile(os.path.join(path, "keras_metadata.pb"))
    if path.endswith((".h5", ".hdf5")):
        from tf2compat_adapters import hdf5

        with hdf5.open_file(path) as file:
            return "model_config" in file.attrs
    return path.endswith(".keras")


def convert_model(source: str, target: str) -> int:
    """Reads a Keras model and writes it in the format of the target's end; the number of its weights."""
    import tf2compat as tf

    progress = _Progress(2)
    try:
        model = tf.keras.models.load_model(source)
        progress.step()
        if target.endswith((".keras", ".h5", ".hdf5")):
            model.save(target)
        else:
            model.save(target, save_format="tf")
        progress.step()
    finally:
        progress.close()
    return len(model.weights)


def main(argv: list[str]) -> int:
    """Runs the command; the exit status."""
    parser = argparse.ArgumentParser("python -m tf2compat convert", description=__doc__)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--to", choices=["safetensors", "tensorflow", "hdf5"], help="the format, if OUT does not say it")
    args = parser.parse_args(argv)
    try:
        whole = args.to is None and not args.target.endswith((".safetensors", ".index", ".ckpt"))
        if whole and os.path.exists(args.source) and _is_model(args.source):
            count = convert_model(args.source, args.target)
            print(f"a Keras model of {count} weights: {args.source} -> {args.target}")
            return 0
        if args.target.endswith(".keras"):
            raise ValueError(f"{args.source} holds no Keras model: its values alone do not make a .keras file")
        source = open_tensors(args.source)
        size = convert(source, args.target, args.to)
    except (errors.OpError, ImportError, ValueError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(source.entries)} tensors, {size_text(size)}: {args.source} -> {args.target}")
    return 0
