"""`python -m tf2compat convert IN OUT`: the tensors of one file, in another format.

IN is anything `checkpoint show` reads. OUT says the format by its end: .safetensors, .h5, or .index (or --to tensorflow) for a
TensorFlow checkpoint. Names, dtypes, shapes and values stay; so a checkpoint restores the same from either format.
"""

from __future__ import annotations

import argparse
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


def main(argv: list[str]) -> int:
    """Runs the command; the exit status."""
    parser = argparse.ArgumentParser("python -m tf2compat convert", description=__doc__)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--to", choices=["safetensors", "tensorflow", "hdf5"], help="the format, if OUT does not say it")
    args = parser.parse_args(argv)
    try:
        source = open_tensors(args.source)
        size = convert(source, args.target, args.to)
    except (errors.OpError, ImportError, ValueError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(source.entries)} tensors, {size_text(size)}: {args.source} -> {args.target}")
    return 0
