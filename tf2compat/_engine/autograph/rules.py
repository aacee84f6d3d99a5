"""Which functions are the user's own, and so converted when converted code calls them."""

from __future__ import annotations

import functools
import linecache
import os
import site
import sys
import sysconfig
import types
from typing import Any

__all__ = ["is_users", "request"]


def _roots() -> tuple[str, ...]:
    """The directories of the standard library, of installed packages and of this package."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    paths = {sysconfig.get_path(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths.update(getattr(site, "getsitepackages", list)())
    paths.add(getattr(site, "getusersitepackages", str)())
    paths.update(p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages"))
    paths.add(os.path.join(here, "tf2compat"))
    paths.add(os.path.join(here, "tf2compat_adapters"))
    paths.add(os.path.join(here, "adapters", "tf2compat_adapters"))
    return tuple(sorted({os.path.normcase(os.path.abspath(p)) + os.sep for p in paths if p}))


_ROOTS = _roots()
_LIBRARIES = frozenset((
    "tf2compat", "tf2compat_adapters", "tensorflow", "tf_keras", "keras", "torch", "numpy", "scipy", "pandas", "matplotlib", "PIL",
    "absl", "collections", "copy", "inspect", "pdb", "ipdb", "re", "linecache", "threading", "unittest", "mock", "pathlib",
    "posixpath", "urllib", "functools", "tensorflow_probability",
))  # fmt: skip
#: installed packages of which a function was given to `tf.function` itself
_requested: set[str] = set()


def request(fn: Any) -> None:
    """The user asked for the conversion of `fn`: functions of the same package are converted, installed or not."""
    package = (getattr(fn, "__module__", None) or "").partition(".")[0]
    if package and package not in _LIBRARIES:
        _requested.add(package)


@functools.cache
def _installed(filename: str) -> bool:
    if filename.startswith("<"):
        if filename.startswith(("<stdin>", "<python-input", "<ipython")):
            return False
        # code made by a library (dataclasses, attrs, ops) or by `exec`; notebooks and doctests keep their source
        return filename.startswith(("<attrs generated", "<tf2compat", "<frozen")) or not linecache.getlines(filename)
    return os.path.normcase(os.path.abspath(filename)).startswith(_ROOTS)


def is_users(fn: types.FunctionType) -> bool:
    """Whether `fn` is written by the user rather than part of an installed library."""
    package = (fn.__module__ or "").partition(".")[0]
    if package in _LIBRARIES:
        return False
    return package in _requested or not _installed(fn.__code__.co_filename)
