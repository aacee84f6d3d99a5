"""`tf.config.threading`."""

from __future__ import annotations

import torch

from .._names import module_getattr

_intra = 0
_inter = 0


def get_intra_op_parallelism_threads() -> int:
    """Threads within one op; 0 when it was left to the library."""
    return _intra


def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Threads within one op (torch.set_num_threads); 0 leaves it to torch."""
    global _intra
    if num_threads < 0:
        raise ValueError(f"num_threads must not be negative, got {num_threads}")
    if num_threads:
        torch.set_num_threads(num_threads)
    _intra = int(num_threads)


def get_inter_op_parallelism_threads() -> int:
    """Threads between ops; 0 when it was left to the library."""
    return _inter


def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Threads between ops (torch.set_num_interop_threads), before any parallel work; RuntimeError afterwards."""
    global _inter
    if num_threads < 0:
        raise ValueError(f"num_threads must not be negative, got {num_threads}")
    if num_threads and num_threads != torch.get_num_interop_threads():
        try:
            torch.set_num_interop_threads(num_threads)
        except RuntimeError:
            raise RuntimeError("Inter op parallelism cannot be modified after initialization.") from None
    _inter = int(num_threads)


__getattr__ = module_getattr("tf.config.threading")
