"""Files that appear whole or not at all: written under a temporary name, synced to disk, then renamed."""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import socket
import time
from types import TracebackType
from typing import Any, BinaryIO, cast

from tf2compat import errors

_ERRORS: dict[int, type[errors.OpError]] = {
    errno.ENOENT: errors.NotFoundError,
    errno.EACCES: errors.PermissionDeniedError,
    errno.EPERM: errors.PermissionDeniedError,
    errno.EROFS: errors.PermissionDeniedError,
    errno.ENOSPC: errors.ResourceExhaustedError,
    errno.EDQUOT: errors.ResourceExhaustedError,
    errno.EFBIG: errors.ResourceExhaustedError,
    errno.EMFILE: errors.ResourceExhaustedError,
    errno.EEXIST: errors.AlreadyExistsError,
    errno.ENOTDIR: errors.FailedPreconditionError,
    errno.EISDIR: errors.FailedPreconditionError,
    errno.ENOTEMPTY: errors.FailedPreconditionError,
    errno.EINVAL: errors.InvalidArgumentError,
    errno.ENAMETOOLONG: errors.InvalidArgumentError,
}
_HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:48]
_TEMPORARY = re.compile(r"\.(?P<host>[A-Za-z0-9-]+)\.(?P<pid>\d+)\.[0-9a-f]{8}\.tf2compat-tmp$")
_FOREIGN_AGE = 86400.0  # a leftover of another machine cannot be told from a save in progress, except by its age


#: how much is written before the disk is set to work on it
_EARLY = 8 << 20


class _Early(io.FileIO):
    """A file that goes to the disk while it is written, so that the sync at its end has little left to wait for."""

    _begun = _written = 0

    def write(self, data: Any, /) -> int | None:
        count = super().write(data)
        self._written += count or 0
        if self._written - self._begun >= _EARLY and hasattr(os, "posix_fadvise"):
            try:  # Linux begins to write the pages back, and keeps those that are not on the disk yet
                os.posix_fadvise(self.fileno(), self._begun, self._written - self._begun, os.POSIX_FADV_DONTNEED)
            except OSError:
                pass  # no more than advice
            self._begun = self._written
        return count


def os_error(error: OSError, path: str | os.PathLike[str]) -> errors.OpError:
    """TensorFlow's exception for an error of the operating system about a file."""
    kind = _ERRORS.get(error.errno or 0, errors.UnknownError)
    return kind(None, None, f"{os.fspath(path)}; {error.strerror or error}")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def remove_leftovers(directory: str) -> None:
    """Removes the temporary files that killed processes left in a directory; those of running ones stay."""
    try:
        names = os.listdir(directory or ".")
    except OSError:
        return
    for name in names:
        match = _TEMPORARY.search(name)
        if match is None:
            continue
        path = os.path.join(directory, name)
        try:
            if match["host"] == _HOST:
                stale = not _alive(int(match["pid"]))
            else:
                stale = time.time() - os.path.getmtime(path) > _FOREIGN_AGE
            if stale:
                os.unlink(path)
        except OSError:
            continue  # another process was faster


def sync_directory(directory: str) -> None:
    """Makes renames in a directory durable, where the system can."""
    try:
        handle = os.open(directory or ".", os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some file systems cannot sync a directory; the rename itself is still atomic
    finally:
        os.close(handle)


class Commit:
    """Some files that are replaced together: `with Commit() as commit: commit.open(path).write(...)`.

    On leaving the block the files are synced and renamed in the order in which they were opened, so the last one is what makes
    the others count. When the block raises, nothing is left. Errors of the operating system are raised as `tf.errors`.
    """

    def __init__(self) -> None:
        self._files: list[tuple[str, str, BinaryIO]] = []

    def __enter__(self) -> Commit:
        return self

    def open(self, path: str) -> BinaryIO:
        """A new file that will replace `path`. Its directory is made if it is not there."""
        directory = os.path.dirname(path)
        try:
            if directory:
                os.makedirs(directory, exist_ok=True)
            if not self._files:
                remove_leftovers(directory)
            temporary = f"{path}.{_HOST}.{os.getpid()}.{secrets.token_hex(4)}.tf2compat-tmp"
            file = cast(BinaryIO, io.BufferedWriter(_Early(temporary, "xb"), 1 << 20))
        except OSError as error:
            raise os_error(error, path) from error
        self._files.append((temporary, path, file))
        return file

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        path = self._files[0][1] if self._files else ""
        try:
            if kind is not None:
                if isinstance(error, OSError):
                    raise os_error(error, path) from error
                return
            for _, path, file in self._files:
                file.flush()
                os.fsync(file.fileno())
                file.close()
            for temporary, path, _ in self._files:
                os.replace(temporary, path)
            for directory in {os.path.dirname(path) for _, path, _ in self._files}:
                sync_directory(directory)
        except OSError as failure:
            raise os_error(failure, path) from failure
        finally:
            for temporary, _, file in self._files:
                try:
                    file.close()
                except OSError:
                    pass  # a full disk makes closing fail too; that error was raised already
                try:
                    os.unlink(temporary)
                except OSError:
                    pass  # renamed: it is the file now
            self._files = []


def write_atomic(path: str, content: bytes) -> None:
    """Replaces a file's whole content, or leaves it as it was."""
    with Commit() as commit:
        commit.open(path).write(content)
