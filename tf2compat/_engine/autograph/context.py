"""Whether AutoGraph is on in this thread, how much it says, and the errors of conversion."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ConversionError", "NoSource", "Unsupported", "enabled", "log", "set_verbosity", "switched", "warn"]


class PyCTError(Exception):
    """An error of conversion or of converted code."""


class AutoGraphError(PyCTError):
    """An error of AutoGraph."""


class ConversionError(AutoGraphError):
    """A function cannot be converted; it runs as it is."""


class StagingError(AutoGraphError):
    """An error of user code while it is traced, of a class that cannot carry the traced lines in its message."""


class NoSource(ConversionError, ValueError):
    """The source code of a function is not available."""


class Unsupported(ConversionError, NotImplementedError):
    """The function uses a construct that AutoGraph does not convert."""


class _Local(threading.local):
    enabled = True


_local = _Local()
_verbosity: int | None = None
_to_stdout = False


def enabled() -> bool:
    """Whether calls made by converted code are converted in turn."""
    return _local.enabled


@contextmanager
def switched(on: bool) -> Iterator[None]:
    """Turn the conversion of called functions on or off within a `with` block."""
    before = _local.enabled
    _local.enabled = on
    try:
        yield
    finally:
        _local.enabled = before


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """Set how much AutoGraph tells about conversion (`tf.autograph.set_verbosity`); 0 is silent."""
    global _verbosity, _to_stdout
    _verbosity = int(level)
    _to_stdout = bool(alsologtostdout)


def log(level: int, message: str) -> None:
    """Tell `message` when the verbosity is at least `level`."""
    verbosity = _verbosity
    if verbosity is None:
        verbosity = int(os.environ.get("AUTOGRAPH_VERBOSITY", "0") or 0)
    if level <= verbosity:
        print(message, file=sys.stdout if _to_stdout else sys.stderr)


def warn(message: str) -> None:
    """A warning about a function that runs unconverted."""
    warnings.warn(message, RuntimeWarning, stacklevel=4)
    if _to_stdout:
        print("WARNING:AutoGraph " + message)
