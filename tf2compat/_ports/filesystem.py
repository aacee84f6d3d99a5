"""The file-system port: files whose names begin with a scheme, such as `memory://` or `https://`. Adapters are named `filesystem.<name>`."""

from __future__ import annotations

from typing import Any, Protocol


class FileSystem(Protocol):
    """Operations on whole names, scheme included. Errors are `OSError`s, as those of local files."""

    def knows(self, scheme: str) -> bool:
        """Whether there is a file system for a scheme."""

    def schemes(self) -> list[str]:
        """The schemes that can be used as things are installed."""

    def open(self, path: str, mode: str) -> Any:
        """A binary file object."""

    def exists(self, path: str) -> bool: ...

    def isdir(self, path: str) -> bool: ...

    def listdir(self, path: str) -> list[str]:
        """The names in a directory, without the directory."""

    def glob(self, pattern: str) -> list[str]:
        """Full names, sorted."""

    def mkdir(self, path: str) -> None: ...

    def makedirs(self, path: str) -> None: ...

    def copy(self, source: str, target: str) -> None:
        """Copy a file, between file systems too; a name without scheme is local."""

    def rename(self, source: str, target: str) -> None: ...

    def remove(self, path: str) -> None: ...

    def rmtree(self, path: str) -> None: ...

    def stat(self, path: str) -> tuple[int, int, bool]:
        """Bytes (0 for a directory), time of the last change in nanoseconds (0 where it is not known), whether it is a directory."""
