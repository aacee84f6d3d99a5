"""Files by name, wherever they are: local ones by the system, others through the file-system port."""

from __future__ import annotations

import os
from typing import Any

from .. import errors
from .._files import os_error

_BUFFER = 1 << 18


def local(path: Any) -> str:
    """The name of a local file: `file://` taken off. Other schemes stay as they are."""
    text = os.fsdecode(path)
    return text[len("file://") :] if text.startswith("file://") else text


def system_of(path: str) -> Any:
    """The file system of a name with a scheme, None for a local file; UnimplementedError for a scheme that nothing serves."""
    scheme, found, _ = path.partition("://")
    if not found or scheme == "file" or not scheme.replace("+", "").replace("-", "").replace(".", "").isalnum():
        return None
    from .._ports import load

    try:
        system = load("filesystem", "fsspec")
    except ImportError:
        system = None
    if system is None or not system.knows(scheme):
        raise errors.UnimplementedError(
            None, None,
            f"File system scheme '{scheme}' not implemented (file: '{path}'); tf2compat reaches remote files through fsspec and its "
            f"packages for the schemes, which are not all installed",
        )  # fmt: skip
    return system


def opened(path: Any, mode: str = "rb", buffering: int = _BUFFER) -> Any:
    """A binary file object; errors as `tf.errors`."""
    name = local(path)
    system = system_of(name)
    try:
        return open(name, mode, buffering=buffering) if system is None else system.open(name, mode)
    except OSError as error:
        raise os_error(error, name) from error


def contents(path: Any) -> bytes:
    """All of a file; errors as `tf.errors`."""
    name = local(path)
    if "://" in name and system_of(name) is not None:
        with opened(name, "rb", -1) as file:
            return file.read()
    try:
        handle = os.open(name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            size = os.fstat(handle).st_size
            data = os.read(handle, size + 1)  # one more than there is: the end has been seen
            if len(data) == size and size:
                return data
            parts = [data]  # a pipe, a file without a size, one of more than 2 GiB, or one that grows
            while parts[-1]:
                parts.append(os.read(handle, 1 << 30))
            return b"".join(parts)
        finally:
            os.close(handle)
    except OSError as error:
        raise os_error(error, name) from error


def size_of(path: str) -> int:
    """The size of a file in bytes."""
    system = system_of(path)
    try:
        return os.path.getsize(path) if system is None else system.stat(path)[0]
    except OSError as error:
        raise os_error(error, path) from error
