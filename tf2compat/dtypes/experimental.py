"""`tf.dtypes.experimental`: element types of 8 bits and fewer. Those that torch lacks have no tensors here, only their DType."""

# ruff: noqa: F401 - the names of the module are gathered here
from __future__ import annotations

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

__getattr__ = module_getattr("tf.dtypes.experimental")
