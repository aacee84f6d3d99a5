"""`tf.experimental`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
from ..ragged.dynamic_shape import DynamicRaggedShape
from ..ragged.row_partition import RowPartition
from . import dlpack, extension_type
from .dispatching import (
    dispatch_for_api,
    dispatch_for_binary_elementwise_apis,
    dispatch_for_binary_elementwise_assert_apis,
    dispatch_for_unary_elementwise_apis,
    unregister_dispatch_for,
)
from .extension_types import BatchableExtensionType, ExtensionType, ExtensionTypeBatchEncoder, ExtensionTypeSpec
from .optional import Optional

__all__ = [
    "BatchableExtensionType", "DynamicRaggedShape", "ExtensionType", "ExtensionTypeBatchEncoder", "ExtensionTypeSpec", "Optional", "RowPartition", "dispatch_for_api",
    "dispatch_for_binary_elementwise_apis", "dispatch_for_binary_elementwise_assert_apis", "dispatch_for_unary_elementwise_apis",
    "extension_type", "function_executor_type", "unregister_dispatch_for", "async_clear_error", "async_scope", "dlpack", "enable_strict_mode", "float4_e2m1fn", "float8_e4m3b11fnuz",
    "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "int2", "int4", "uint2", "uint4",
]  # fmt: skip


@contextmanager
def async_scope() -> Iterator[None]:
    """A block whose ops may run asynchronously: CUDA's do, the CPU's run at once (`tf.experimental.async_scope`)."""
    yield


@contextmanager
def function_executor_type(executor_type: str | None) -> Iterator[None]:
    """A block whose functions run on the executor of this name (`tf.experimental.function_executor_type`).

    There is one executor here, which runs a graph's ops in program order, as TensorFlow's SINGLE_THREADED_EXECUTOR does and its
    default one may: "", "DEFAULT" and "SINGLE_THREADED_EXECUTOR" are the names it answers to. NotFoundError for others.
    """
    if executor_type not in (None, "", "DEFAULT", "SINGLE_THREADED_EXECUTOR"):
        from ..errors import NotFoundError

        raise NotFoundError(None, None, f"No executor factory registered for the given executor type: {executor_type}")
    yield


def async_clear_error() -> None:
    """No error of an asynchronous op is ever pending: they are raised where they happen."""


def enable_strict_mode() -> None:
    """Deprecated uses are errors already where TensorFlow's strict mode makes them errors."""


_getattr = module_getattr("tf.experimental")


def __getattr__(name: str) -> Any:
    if name == "numpy":  # some two hundred functions, loaded when they are used
        import importlib

        return importlib.import_module("tf2compat.experimental.numpy")
    return _getattr(name)
