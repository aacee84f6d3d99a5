"""What torch's or TensorFlow's kernels cannot do: dtypes without a kernel, values that cannot be looked at."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import of
from .._engine.recording import recorder

_tracing = torch._C._len_torch_dispatch_stack
_transforming = torch._C._functorch.peek_interpreter_stack


def readable(t: torch.Tensor) -> bool:
    """Whether the host may look at the values of `t`: not of meta tensors, nor while a compiler or vmap follows the program."""
    if _tracing() and (recorder() is None or t.device.type != "cpu"):  # a recorder takes note of what is looked at
        return False
    return t.device.type != "meta" and _transforming() is None


def no_kernel(name: str, x: Any) -> Exception:
    """TensorFlow's NotFoundError for an op without a kernel for the dtype of `x`."""
    from ..errors import NotFoundError

    kind = "DT_" + {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}.get(of(x).name, of(x).name.upper())
    return NotFoundError(None, None, f"Could not find device for node: {name}[T={kind}]: there is no kernel for {of(x).name} [Op:{name}] name: ")
