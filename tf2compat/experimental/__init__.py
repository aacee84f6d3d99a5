"""`tf.experimental`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._engine.dtypes import (
    float4_e2m1fn,
    float8_e4m3b11fnuz,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    int2,
    int4,
    uint2,
    uint4,
)
from .._names import module_getattr
from . import dlpack
from .optional import Optional

__all__ = [
    "Optional", "async_clear_error", "async_scope", "dlpack", "enable_strict_mode", "float4_e2m1fn", "float8_e4m3b11fnuz",
    "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "int2", "int4", "uint2", "uint4",
]  # fmt: skip


@contextmanager
def async_scope() -> Iterator[None]:
    """A block whose ops may run asynchronously: CUDA's do, the CPU's run at once (`tf.experimental.async_scope`)."""
    yield


def async_clear_error() -> None:
    """No error of an asynchronous op is ever pending: they are raised where they happen."""


def enable_strict_mode() -> None:
    """Deprecated uses are errors already where TensorFlow's strict mode makes them errors."""


__getattr__ = module_getattr("tf.experimental")
