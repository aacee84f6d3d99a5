"""Dtypes that an op's definition has and TensorFlow's CPU kernels lack."""

from __future__ import annotations

from typing import Any

from .._engine.dtypes import of


def no_kernel(name: str, x: Any) -> Exception:
    """TensorFlow's NotFoundError for an op without a kernel for the dtype of `x`."""
    from ..errors import NotFoundError

    kind = "DT_" + {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}.get(of(x).name, of(x).name.upper())
    return NotFoundError(None, None, f"Could not find device for node: {name}[T={kind}]: there is no kernel for {of(x).name} [Op:{name}] name: ")
