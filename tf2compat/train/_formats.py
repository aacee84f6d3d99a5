"""Which checkpoint format lies at a path, and which one is written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from tf2compat import _ports, errors
from tf2compat._ports.checkpoint import CheckpointFormat, CheckpointReader, TensorData

FORMAT_VARIABLE = "TF2COMPAT_CHECKPOINT_FORMAT"
_DEFAULT = "safetensors"
_SUFFIXES = (".safetensors",)


def default_name() -> str:
    """The format that is written when no option says otherwise."""
    return os.environ.get(FORMAT_VARIABLE) or _DEFAULT


def named(name: str | None) -> CheckpointFormat:
    """The format of this name, or the default one. Raises ValueError if there is none."""
    name = name or default_name()
    known = _ports.names("checkpoint")
    if name not in known:
        raise ValueError(f"Unknown checkpoint format {name!r}. Known formats: {', '.join(known)}.")
    return _ports.load("checkpoint", name)


def every() -> list[CheckpointFormat]:
    """All formats that can be loaded here."""
    found = []
    for name in _ports.names("checkpoint"):
        try:
            found.append(_ports.load("checkpoint", name))
        except ImportError:
            continue  # an optional package is missing: its files then count as not there
    return found


def path_text(path: Any) -> str:
    """A path as text. Raises TypeError if it is none."""
    try:
        text = os.fspath(path)
    except TypeError:
        text = path.numpy() if hasattr(path, "numpy") else None
    if isinstance(text, bytes):
        text = text.decode()
    if not isinstance(text, str):
        raise TypeError(f"Expected binary or unicode string, got {path!r}")
    return text


def find(prefix: str) -> CheckpointFormat | None:
    """The format of the checkpoint at a prefix, the most recently written one if there are several; None if there is none."""
    found = [item for item in every() if item.exists(prefix)]
    return max(found, key=lambda item: item.modified(prefix)) if found else None


def exists(prefix: str) -> bool:
    return find(prefix) is not None


def open_reader(prefix: str) -> CheckpointReader:
    """Opens the checkpoint at a prefix. Raises NotFoundError if there is none, DataLossError if it is damaged."""
    found = find(prefix)
    if found is None:
        for suffix in _SUFFIXES:
            if prefix.endswith(suffix) and (found := find(prefix.removesuffix(suffix))) is not None:
                return found.open(prefix.removesuffix(suffix))
        if os.path.isdir(prefix):
            raise errors.DataLossError(
                None, None,
                f"Unable to open table file {prefix}: FAILED_PRECONDITION: {prefix}; Is a directory: perhaps your file is in a "
                "different file format and you need to use a different restore operator?",
            )  # fmt: skip
        raise errors.NotFoundError(
            None, None, f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {prefix}"
        )
    return found.open(prefix)


def write(prefix: str, tensors: Iterable[tuple[str, TensorData]], format_name: str | None, shards: Any = None) -> None:
    """Writes a checkpoint and removes one of another format at the same prefix, which it replaces.

    `shards`, instead of `tensors`: what each file holds, for the format that has several.
    """
    chosen = named(format_name)
    if shards is None:
        chosen.write(prefix, tensors)
    else:
        chosen.write_shards(prefix, shards)  # type: ignore[attr-defined]
    for other in every():
        if other.name != chosen.name and other.exists(prefix):
            other.delete(prefix)


def delete(prefix: str) -> None:
    """Removes the checkpoint at a prefix, in whatever formats it is there."""
    for item in every():
        item.delete(prefix)
