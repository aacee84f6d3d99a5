"""`tf.io.gfile`: the file system, with TensorFlow's errors. Names with a scheme go through the file-system port."""

from __future__ import annotations

import glob as _glob
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .. import errors
from .._files import os_error
from .._names import module_getattr
from .remote import local, opened, system_of

__all__ = [
    "GFile", "copy", "exists", "get_registered_schemes", "glob", "isdir", "join", "listdir", "makedirs", "mkdir", "remove", "rename",
    "rmtree", "stat", "walk",
]  # fmt: skip


class FileStatistics(NamedTuple):
    """What `stat` tells: bytes, time of the last change in nanoseconds, whether it is a directory."""

    length: int
    mtime_nsec: int
    is_directory: bool


def path_of(path: Any) -> str:
    """A name as str, from a str, bytes or path object; of a local file without `file://`."""
    return local(path)


def _remote(name: str) -> Any:
    """The system of a remote name, None for a local one."""
    return system_of(name) if "://" in name else None


def exists(path: Any) -> bool:
    """Whether there is a file or directory of this name (`tf.io.gfile.exists`)."""
    name = path_of(path)
    system = _remote(name)
    if system is None:
        return os.path.exists(name)
    return _told(system.exists, name)


def _told(call: Callable[..., Any], name: str, *more: Any) -> Any:
    """An operation of a remote system, with its errors as TensorFlow's."""
    try:
        return call(name, *more)
    except OSError as error:
        raise os_error(error, name) from error


def isdir(path: Any) -> bool:
    """Whether this is the name of a directory (`tf.io.gfile.isdir`)."""
    name = path_of(path)
    system = _remote(name)
    return os.path.isdir(name) if system is None else _told(system.isdir, name)


def matches(pattern: str) -> list[str]:
    """The files that match one pattern, sorted."""
    name = path_of(pattern)
    system = _remote(name)
    if system is not None:
        return _told(system.glob, name)
    return sorted(_glob.glob(name, include_hidden=True) if _HIDDEN else _glob.glob(name))


_HIDDEN = "include_hidden" in getattr(_glob.glob, "__kwdefaults__", {})


def glob(pattern: Any) -> list[str]:
    """The files that match a pattern, or one of several (`tf.io.gfile.glob`)."""
    patterns = [pattern] if isinstance(pattern, (str, bytes, os.PathLike)) else list(pattern)
    return [f for p in patterns for f in matches(os.fsdecode(p))]


def listdir(path: Any) -> list[str]:
    """The names in a directory; NotFoundError when it is none (`tf.io.gfile.listdir`)."""
    name = path_of(path)
    if not isdir(name):
        raise errors.NotFoundError(None, None, f"Could not find directory {name}")
    system = _remote(name)
    if system is not None:
        return _told(system.listdir, name)
    try:
        return os.listdir(name)
    except OSError as error:
        raise os_error(error, name) from error


def mkdir(path: Any) -> None:
    """Make a directory in one that is there (`tf.io.gfile.mkdir`)."""
    name = path_of(path)
    system = _remote(name)
    if system is not None:
        _told(system.mkdir, name)
        return
    try:
        os.mkdir(name)
    except FileExistsError as error:
        if not os.path.isdir(name):
            raise os_error(error, name) from error
    except OSError as error:
        raise os_error(error, name) from error


def makedirs(path: Any) -> None:
    """Make a directory and those that it lies in (`tf.io.gfile.makedirs`)."""
    name = path_of(path)
    system = _remote(name)
    if system is not None:
        _told(system.makedirs, name)
        return
    try:
        os.makedirs(name, exist_ok=True)
    except OSError as error:
        raise os_error(error, name) from error


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copy a file; AlreadyExistsError for one that is there, unless `overwrite` (`tf.io.gfile.copy`)."""
    source, target = path_of(src), path_of(dst)
    if not overwrite and exists(target):
        raise errors.AlreadyExistsError(None, None, "file already exists")
    system = _remote(source) or _remote(target)
    if system is not None:
        _told(system.copy, source, target)
        return
    try:
        shutil.copyfile(source, target)
    except shutil.SameFileError:
        return
    except OSError as error:
        raise os_error(error, source if error.filename == source else target) from error


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Rename or move a file or directory (`tf.io.gfile.rename`)."""
    source, target = path_of(src), path_of(dst)
    if not overwrite and exists(target):
        raise errors.AlreadyExistsError(None, None, "file already exists")
    system = _remote(source) or _remote(target)
    if system is not None:
        _told(system.rename, source, target)
        return
    try:
        os.replace(source, target)
    except OSError as error:
        raise os_error(error, source) from error


def remove(path: Any) -> None:
    """Delete a file (`tf.io.gfile.remove`)."""
    name = path_of(path)
    system = _remote(name)
    if system is not None:
        _told(system.remove, name)
        return
    if os.path.isdir(name) and not os.path.islink(name):
        raise errors.FailedPreconditionError(None, None, f"{name}; Is a directory")
    try:
        os.remove(name)
    except OSError as error:
        raise os_error(error, name) from error


def rmtree(path: Any) -> None:
    """Delete a directory and everything in it (`tf.io.gfile.rmtree`)."""
    name = path_of(path)
    if not exists(name):
        raise errors.NotFoundError(None, None, f"{name} not found")
    system = _remote(name)
    if system is not None:
        _told(system.rmtree, name)
        return
    try:
        if os.path.isdir(name):
            shutil.rmtree(name)
        else:
            os.remove(name)
    except OSError as error:
        raise os_error(error, name) from error


def stat(path: Any) -> FileStatistics:
    """Size, time and kind of a file (`tf.io.gfile.stat`)."""
    name = path_of(path)
    system = _remote(name)
    if system is not None:
        return FileStatistics(*_told(system.stat, name))
    try:
        found = os.stat(name)
    except OSError as error:
        raise os_error(error, name) from error
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(name))


def walk(top: Any, topdown: bool = True, onerror: Callable[[Any], Any] | None = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """(directory, its directories, its files) for a directory and all below it (`tf.io.gfile.walk`)."""
    name = os.fsdecode(top)
    try:
        listing = listdir(name)
    except errors.NotFoundError as error:
        if onerror is not None:
            onerror(error)
        return
    directories = [n for n in listing if isdir(os.path.join(path_of(name), n))]
    here = (name, directories, [n for n in listing if n not in set(directories)])
    if topdown:
        yield here
    for d in directories:
        yield from walk(os.path.join(name, d), topdown, onerror)
    if not topdown:
        yield here


def join(path: Any, *paths: Any) -> Any:
    """Parts of a path as one (`tf.io.gfile.join`)."""
    return os.path.join(path, *paths)


def get_registered_schemes() -> list[str]:
    """The kinds of file systems that names may begin with (`tf.io.gfile.get_registered_schemes`)."""
    from .._ports import load

    try:
        others = load("filesystem", "fsspec").schemes()
    except ImportError:
        others = []
    return ["", "file", *(s for s in others if s not in ("", "file"))]


class GFile:
    """A file that is open for reading or writing, text or bytes (`tf.io.gfile.GFile`).

    `mode` is r, w, a, r+, w+ or a+, with a b for bytes. The file is opened when it is first used: for writing, of which `seek` does not change
    the place, anew unless the mode is a or a+, and for reading, from its beginning.
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        plain = mode.replace("b", "")
        if plain not in ("r", "w", "a", "r+", "w+", "a+"):
            raise errors.InvalidArgumentError(None, None, "mode is not 'r' or 'w' or 'a' or 'r+' or 'w+' or 'a+'")
        self._name, self._mode, self._plain = name, mode, plain
        self._reader: Any = None
        self._writer: Any = None

    @property
    def name(self) -> Any:
        return self._name

    @property
    def mode(self) -> str:
        return self._mode

    def _reading(self) -> Any:
        if self._plain in ("w", "a"):
            raise errors.PermissionDeniedError(None, None, "File isn't open for reading")
        if self._writer is not None:
            self._writer.flush()
        if self._reader is None:
            self._reader = opened(self._name, "rb", -1)
        return self._reader

    def _writing(self) -> Any:
        if self._plain == "r":
            raise errors.PermissionDeniedError(None, None, "File isn't open for writing")
        if self._writer is None:
            self._writer = opened(self._name, "ab" if self._plain[0] == "a" else "wb", -1)
        return self._writer

    def _given(self, data: bytes) -> Any:
        return data if "b" in self._mode else data.decode()

    def size(self) -> int:
        """The size in bytes."""
        self.flush()
        return stat(self._name).length

    def read(self, n: int = -1) -> Any:
        """The next `n` bytes or characters, or all the rest."""
        file = self._reading()
        if "b" in self._mode or n < 0:
            return self._given(file.read(n))
        data = file.read(n)
        while True:  # characters of more than one byte
            missing = n - len(data.decode(errors="ignore"))
            more = file.read(missing) if missing > 0 else b""
            if not more:
                return data.decode()
            data += more

    def readline(self) -> Any:
        """The next line with its end, empty at the end of the file."""
        return self._given(self._reading().readline())

    def readlines(self) -> list[Any]:
        """All lines that remain."""
        return [self._given(line) for line in self._reading()]

    def write(self, file_content: Any) -> None:
        """Append text or bytes."""
        self._writing().write(file_content.encode() if isinstance(file_content, str) else file_content)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Move the place that is read next. OutOfRangeError behind the end of the file."""
        if offset is None and position is None:
            raise TypeError("seek(): offset argument required")
        if whence not in (0, 1, 2):
            raise errors.InvalidArgumentError(None, None, f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2.")
        file = self._reading()
        to = (position if offset is None else offset) + (0, file.tell(), self.size())[whence]  # type: ignore[operator]
        if to > self.size():
            raise errors.OutOfRangeError(None, None, "reached end of file")
        file.seek(max(to, 0))

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        """The place that is read next; of a file that is only written, its end."""
        return (self._writing() if self._plain in ("w", "a") else self._reading()).tell()

    def flush(self) -> None:
        """Hand what was written to the system."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Close the file. It is opened again when it is used again."""
        for file in (self._reader, self._writer):
            if file is not None:
                file.close()
        self._reader = self._writer = None

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __iter__(self) -> GFile:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __del__(self) -> None:
        if hasattr(self, "_writer"):
            self.close()


__getattr__ = module_getattr("tf.io.gfile")
