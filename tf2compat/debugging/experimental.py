"""`tf.debugging.experimental`."""

from __future__ import annotations

from .. import errors
from .._names import module_getattr


def enable_dump_debug_info(
    dump_root: str,
    tensor_debug_mode: str = "NO_TENSOR",
    circular_buffer_size: int = 1000,
    op_regex: str | None = None,
    tensor_dtypes: object = None,
) -> None:
    """TensorFlow's debugger dumps: not supported; torch's profiler and anomaly detection serve instead."""
    raise errors.UnimplementedError(
        None, None, "tf.debugging.experimental.enable_dump_debug_info is not supported; use torch.profiler or "
        "tf.debugging.enable_check_numerics()."
    )  # fmt: skip


def disable_dump_debug_info() -> None:
    """Nothing is dumped, so there is nothing to stop."""


__getattr__ = module_getattr("tf.debugging.experimental")
