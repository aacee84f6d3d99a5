"""Remote files through fsspec: every scheme that it, or a package for it, serves."""

from __future__ import annotations

import errno
import functools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
import fsspec.core
from fsspec.implementations.http import HTTPFileSystem


@functools.cache
def knows(scheme: str) -> bool:
    """Whether there is a file system for a scheme."""
    try:
        fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError):
        return False
    return True


def schemes() -> list[str]:
    """The schemes that can be used as things are installed."""
    return sorted(name for name in fsspec.available_protocols() if knows(name))


def _at(path: str) -> tuple[Any, str]:
    return fsspec.core.url_to_fs(path)


@contextmanager
def _errors(path: str) -> Iterator[None]:
    """What libraries of remote systems raise, as errors of the operating system."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            code = errno.ENOENT if isinstance(error, FileNotFoundError) else errno.EEXIST if isinstance(error, FileExistsError) else errno.EIO
            raise OSError(code, str(error) or path, path) from error
        raise
    except (NotImplementedError, ValueError) as error:
        raise OSError(errno.EINVAL, f"{type(error).__name__}: {error}", path) from error
    except Exception as error:
        status = getattr(error, "status", None)
        code = {401: errno.EACCES, 403: errno.EACCES, 404: errno.ENOENT}.get(status or 0, errno.EIO)
        raise OSError(code, f"{type(error).__name__}: {error}", path) from error


def open(path: str, mode: str) -> Any:  # noqa: A001
    """A binary file object."""
    with _errors(path):
        system, name = _at(path)
        if mode[0] == "r" and not isinstance(system, HTTPFileSystem) and system.isdir(name):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
        if mode[0] in "wa" and "/" in name:
            system.makedirs(system._parent(name), exist_ok=True)
        return system.open(name, mode)


def exists(path: str) -> bool:
    with _errors(path):
        system, name = _at(path)
        return bool(system.exists(name))


def isdir(path: str) -> bool:
    with _errors(path):
        system, name = _at(path)
        return bool(system.isdir(name))


def listdir(path: str) -> list[str]:
    """The names in a directory, without the directory."""
    with _errors(path):
        system, name = _at(path)
        return sorted(str(found).rstrip("/").rsplit("/", 1)[-1] for found in system.ls(name, detail=False))


def glob(pattern: str) -> list[str]:
    """Full names, sorted."""
    with _errors(pattern):
        system, name = _at(pattern)
        return sorted(system.unstrip_protocol(found) for found in system.glob(name))


def mkdir(path: str) -> None:
    with _errors(path):
        system, name = _at(path)
        if not system.isdir(name):
            system.mkdir(name, create_parents=False)


def makedirs(path: str) -> None:
    with _errors(path):
        system, name = _at(path)
        system.makedirs(name, exist_ok=True)


def copy(source: str, target: str) -> None:
    """Copy a file, between file systems too; a name without scheme is local."""
    with _errors(source), fsspec.open(source, "rb") as data, fsspec.open(target, "wb") as out:
        shutil.copyfileobj(data, out, 1 << 20)


def rename(source: str, target: str) -> None:
    with _errors(source):
        system, name = _at(source)
        other, new = _at(target)
        if type(system) is not type(other):
            raise OSError(errno.EXDEV, "files cannot be renamed from one file system to another", source)
        system.mv(name, new, recursive=system.isdir(name))


def remove(path: str) -> None:
    with _errors(path):
        system, name = _at(path)
        if not system.exists(name):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        system.rm_file(name)


def rmtree(path: str) -> None:
    with _errors(path):
        system, name = _at(path)
        system.rm(name, recursive=True)


def stat(path: str) -> tuple[int, int, bool]:
    """Bytes (0 for a directory), time of the last change in nanoseconds (0 where it is not known), whether it is a directory."""
    with _errors(path):
        system, name = _at(path)
        about = system.info(name)
        directory = about.get("type") == "directory"
        changed = about.get("mtime") or about.get("created") or about.get("LastModified")
        when = changed.timestamp() if hasattr(changed, "timestamp") else changed if isinstance(changed, (int, float)) else 0
        return 0 if directory else int(about.get("size") or 0), int(when * 1_000_000_000), directory
