"""`tf.compat.v1.gfile`: version 1's names for the file system functions of `tf.io.gfile`."""

# ruff: noqa: N802 - TensorFlow's public names
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tf2compat.io import gfile
from tf2compat.io.gfile import GFile

__all__ = [
    "Copy", "DeleteRecursively", "Exists", "FastGFile", "GFile", "Glob", "IsDirectory", "ListDirectory", "MakeDirs", "MkDir", "Open",
    "Remove", "Rename", "Stat", "Walk",
]  # fmt: skip

FastGFile = GFile
Open = GFile


def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """`tf.io.gfile.copy`."""
    gfile.copy(oldpath, newpath, overwrite)


def DeleteRecursively(dirname: Any) -> None:
    """`tf.io.gfile.rmtree`."""
    gfile.rmtree(dirname)


def Exists(filename: Any) -> bool:
    """`tf.io.gfile.exists`."""
    return gfile.exists(filename)


def Glob(filename: Any) -> list[str]:
    """`tf.io.gfile.glob`, of one pattern or several."""
    return gfile.glob(filename)


def IsDirectory(dirname: Any) -> bool:
    """`tf.io.gfile.isdir`."""
    return gfile.isdir(dirname)


def ListDirectory(dirname: Any) -> list[str]:
    """`tf.io.gfile.listdir`."""
    return gfile.listdir(dirname)


def MakeDirs(dirname: Any) -> None:
    """`tf.io.gfile.makedirs`."""
    gfile.makedirs(dirname)


def MkDir(dirname: Any) -> None:
    """`tf.io.gfile.mkdir`."""
    gfile.mkdir(dirname)


def Remove(filename: Any) -> None:
    """`tf.io.gfile.remove`."""
    gfile.remove(filename)


def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """`tf.io.gfile.rename`."""
    gfile.rename(oldname, newname, overwrite)


def Stat(filename: Any) -> Any:
    """`tf.io.gfile.stat`."""
    return gfile.stat(filename)


def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """`tf.io.gfile.walk`: from the top down, or with `in_order=False` from below."""
    return gfile.walk(top, in_order)
