"""`tf.compat`: text and bytes, and the v1 and v2 namespaces."""

from __future__ import annotations

import datetime
import importlib
import numbers
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._names import module_getattr

complex_types = (numbers.Complex, np.number)
integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
bytes_or_text_types = (bytes, str)


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Bytes of a text; TypeError for what is neither (`tf.compat.as_bytes`)."""
    if isinstance(bytes_or_text, bytearray):
        return bytes(bytes_or_text)
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Text of bytes; TypeError for what is neither (`tf.compat.as_text`)."""
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_str(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """As `as_text` (`tf.compat.as_str`)."""
    return as_text(bytes_or_text, encoding)


def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """Text of bytes, `str(value)` of anything else (`tf.compat.as_str_any`)."""
    return as_str(value, encoding) if isinstance(value, bytes) else str(value)


def path_to_str(path: Any) -> Any:
    """The text of a path-like object (`tf.compat.path_to_str`)."""
    return as_str_any(path.__fspath__()) if hasattr(path, "__fspath__") else path


def path_to_bytes(path: Any) -> bytes:
    return as_bytes(os.fspath(path) if hasattr(path, "__fspath__") else path)


def dimension_value(dimension: Any) -> int | None:
    """The int (or None) of a dimension of either API version (`tf.compat.dimension_value`)."""
    return getattr(dimension, "value", dimension)


def dimension_at_index(shape: Any, index: int) -> Any:
    """Dimension `index` of a shape, which may be unknown (`tf.compat.dimension_at_index`)."""
    from .v1 import Dimension

    return Dimension(None) if shape.rank is None else Dimension(shape[index])


def forward_compatible(year: int, month: int, day: int) -> bool:
    """Whether the horizon of forward compatibility is past a date (`tf.compat.forward_compatible`)."""
    return datetime.date(year, month, day) < datetime.date.today()


@contextmanager
def forward_compatibility_horizon(year: int, month: int, day: int) -> Iterator[None]:
    """TensorFlow's horizon changes which ops are emitted; there is one implementation here, so nothing changes."""
    datetime.date(year, month, day)
    yield


_missing = module_getattr("tf.compat")


def __getattr__(name: str) -> Any:
    if name == "v2":
        import tf2compat

        return tf2compat
    if name == "v1":
        return importlib.import_module(f"{__name__}.v1")
    return _missing(name)
