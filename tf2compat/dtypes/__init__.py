"""`tf.dtypes`: the element types, and conversion between them."""

# ruff: noqa: A004, F401 - TensorFlow's public names, gathered here
from __future__ import annotations

from .._engine.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    bool,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    qint8,
    qint16,
    qint32,
    quint8,
    quint16,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from .._names import module_getattr
from .._top.arithmetic import cast, complex, saturate_cast
from . import experimental

QUANTIZED_DTYPES = frozenset((qint8, quint8, qint16, quint16, qint32))

__getattr__ = module_getattr("tf.dtypes")
