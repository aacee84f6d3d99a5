"""`tf.debugging`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import torch

from .._engine import dtypes, state
from .._engine.convert import convert_to_tensor
from .._engine.devices import full_name
from .._engine.dtypes import FLOATS
from .._engine.op import Op, describe, invalid, op, tensor
from .._engine.tensor import Tensor
from .._names import module_getattr
from .._top.asserting import (
    Assert,
    assert_equal,
    assert_greater,
    assert_less,
    assert_rank,
    check_rank,
    compare,
    compare_zero,
    near,
    static_rank,
)
from .._top.asserting import (
    Tensor as _Tensor,
)
from . import experimental
from .shapes import assert_shapes

__all__ = [
    "Assert", "assert_all_finite", "assert_equal", "assert_greater", "assert_greater_equal", "assert_integer", "assert_less",
    "assert_less_equal", "assert_near", "assert_negative", "assert_non_negative", "assert_non_positive", "assert_none_equal",
    "assert_positive", "assert_proper_iterable", "assert_rank", "assert_rank_at_least", "assert_rank_in",
    "assert_same_float_dtype", "assert_scalar", "assert_shapes", "assert_type", "check_numerics", "disable_check_numerics",
    "disable_traceback_filtering", "enable_check_numerics", "enable_traceback_filtering", "experimental",
    "get_log_device_placement", "is_numeric_tensor", "is_traceback_filtering_enabled", "set_log_device_placement",
]  # fmt: skip


def assert_none_equal(x: Any, y: Any, summarize: int | None = None, message: str | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x != y for every element (`tf.debugging.assert_none_equal`)."""
    compare(x, y, "!=", message, summarize)


def assert_greater_equal(x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x >= y element-wise (`tf.debugging.assert_greater_equal`)."""
    compare(x, y, ">=", message, summarize)


def assert_less_equal(x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x <= y element-wise (`tf.debugging.assert_less_equal`)."""
    compare(x, y, "<=", message, summarize)


def assert_positive(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x > 0 element-wise (`tf.debugging.assert_positive`)."""
    compare_zero(x, ">", message, summarize)


def assert_negative(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x < 0 element-wise (`tf.debugging.assert_negative`)."""
    compare_zero(x, "<", message, summarize)


def assert_non_negative(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x >= 0 element-wise (`tf.debugging.assert_non_negative`)."""
    compare_zero(x, ">=", message, summarize)


def assert_non_positive(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """InvalidArgumentError unless x <= 0 element-wise (`tf.debugging.assert_non_positive`)."""
    compare_zero(x, "<=", message, summarize)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """InvalidArgumentError unless |x - y| <= atol + rtol * |y| (`tf.debugging.assert_near`).

    Both tolerances are ten times the machine epsilon of `x.dtype` unless given.
    """
    x, given = convert_to_tensor(x), y
    y = convert_to_tensor(y, x.dtype)
    eps = 10 * torch.finfo(x.dtype.torch).eps if x.dtype.is_floating or x.dtype.is_complex else 0
    rtol = eps if rtol is None else rtol
    atol = eps if atol is None else atol
    real = x.dtype.real_dtype
    rtol, atol = convert_to_tensor(rtol, dtype_hint=real), convert_to_tensor(atol, dtype_hint=real)
    from ..math import abs as magnitude
    from ..math import reduce_all

    good = reduce_all(magnitude(x - y) <= atol + rtol * magnitude(y))
    data = [
        f"{message}.  " if message else "",
        f"x and y not equal to tolerance rtol = {rtol!s}, atol = {atol!s}",
        f"x (shape={x.shape} dtype={x.dtype.name}) = ", x, f"y (shape={y.shape} dtype={y.dtype.name}) = ", y,
    ]  # fmt: skip
    near(good, data, x, y, given, message, summarize)


def assert_rank_at_least(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """ValueError unless `x` has at least this rank (`tf.debugging.assert_rank_at_least`)."""
    check_rank(x, static_rank(rank), None, message)


def assert_rank_in(x: Any, ranks: Any, message: str | None = None, name: str | None = None) -> None:
    """ValueError unless the rank of `x` is one of `ranks` (`tf.debugging.assert_rank_in`)."""
    check_rank(x, None, tuple(static_rank(r) for r in ranks), message)


def assert_scalar(tensor: Any, message: str | None = None, name: str | None = None) -> None:
    """ValueError unless `tensor` is a scalar (`tf.debugging.assert_scalar`)."""
    t = convert_to_tensor(tensor)
    if t.shape.rank != 0:
        head = f"{message}. " if message else ""
        raise ValueError(f"{head}Expected scalar shape, saw shape: {t.shape}.")


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> None:
    """TypeError unless `x` has an integer dtype (`tf.debugging.assert_integer`)."""
    t = convert_to_tensor(x)
    if not t.dtype.is_integer:
        head = f"{message}. " if message else ""
        raise TypeError(f'{head}Expected "x" to be integer type.  Found: tensor of dtype {t.dtype}')


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> None:
    """TypeError unless `tensor` has dtype `tf_type` (`tf.debugging.assert_type`)."""
    want = dtypes.as_dtype(tf_type)
    t = convert_to_tensor(tensor) if not hasattr(tensor, "dtype") else tensor
    if t.dtype != want:
        head = f"{message}  " if message else ""
        raise TypeError(f"{head}tensor must be of type {want!r}; got {dtypes.as_dtype(t.dtype)!r}")


def assert_proper_iterable(values: Any) -> None:
    """TypeError for what iterates although it should not: tensors, arrays, strings (`tf.debugging.assert_proper_iterable`)."""
    import numpy as np

    if not isinstance(values, Iterable) and not hasattr(type(values), "_tf_op"):
        raise TypeError(f"Expected argument \"values\" to be iterable.  Found: {type(values)}")
    if isinstance(values, (_Tensor, np.ndarray, bytes, str)) or hasattr(type(values), "_tf_op") or not isinstance(values, Iterable):
        raise TypeError(f"Expected argument 'values' to be a 'proper' iterable.  Found: {type(values)}")


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> dtypes.DType:
    """The float dtype that all `tensors` (and `dtype`) share; ValueError otherwise (`tf.debugging.assert_same_float_dtype`)."""
    first = None
    want = None if dtype is None else dtypes.as_dtype(dtype)
    for t in tensors or []:
        if t is None:
            continue
        found = t.dtype
        if want is None:
            want, first = found, t
        elif found is not want:
            raise ValueError(
                f"{t!s}, type={found}, must be of the same type ({want})" + (f" as {first!s}." if first is not None else ".")
            )
    want = want or dtypes.float32
    if not want.is_floating:
        raise ValueError(f"Expected floating point type, got {want}.")
    return want


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether `tensor` is a tensor of numbers (`tf.debugging.is_numeric_tensor`)."""
    return isinstance(tensor, Tensor) and tensor.dtype.is_numeric


@op("CheckNumerics", tensor=tensor(FLOATS))
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """`tensor`; InvalidArgumentError when it has NaN or Inf (`tf.debugging.check_numerics`)."""
    if tensor.device.type != "meta" and not bool(torch.isfinite(tensor).all()):
        nan, inf = bool(torch.isnan(tensor).any()), bool(torch.isinf(tensor).any())
        what = " and ".join([w for w, there in (("Inf", inf), ("NaN", nan)) if there])
        raise invalid(f"{message} : Tensor had {what} values [Op:CheckNumerics] name: ")
    return tensor.view_as(tensor)


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """`x`; InvalidArgumentError when it has NaN or Inf (`tf.debugging.assert_all_finite`)."""
    return check_numerics(x, message)


def _refuse_nan(op: Op, args: Any, results: Any) -> None:
    leaves = [t for t in (results if isinstance(results, (list, tuple)) else [results]) if isinstance(t, torch.Tensor)]
    for i, t in enumerate(leaves):
        if (t.is_floating_point() or t.is_complex()) and t.device.type != "meta" and not bool(torch.isfinite(t).all()):
            raise op.error(
                f'\n\n!!! Detected Infinity or NaN in output {i} of eagerly-executing op "{op.name}" (# of outputs: {len(leaves)}) !!!\n'
                f"  dtype: {dtypes.of(t)}\n  shape: {tuple(t.shape)}\n  # of NaN elements: {int(torch.isnan(t).sum())}\n"
                f"  # of Inf elements: {int(torch.isinf(t).sum())}\n  Inputs: {describe(args)}\n"
            )


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """InvalidArgumentError from the first op, forward or backward, whose result has a NaN or Inf. Everything runs slower.

    The two limits shape TensorFlow's report of where a graph's op was made; an exception's traceback says it here, whole.
    """
    state.observe(_refuse_nan, True)
    torch.autograd.set_detect_anomaly(True, check_nan=True)


def disable_check_numerics() -> None:
    """Undo `enable_check_numerics`."""
    state.observe(_refuse_nan, False)
    torch.autograd.set_detect_anomaly(False)


_filtering = True


def enable_traceback_filtering() -> None:
    """Leave this package's frames out of tracebacks where it can (`tf.debugging.enable_traceback_filtering`)."""
    global _filtering
    _filtering = True


def disable_traceback_filtering() -> None:
    """Show every frame (`tf.debugging.disable_traceback_filtering`)."""
    global _filtering
    _filtering = False


def is_traceback_filtering_enabled() -> bool:
    return _filtering


def _log_placement(op: Op, args: Any, results: Any) -> None:
    leaves = [t for t in (results if isinstance(results, (list, tuple)) else [results]) if hasattr(t, "dtype")]
    where = full_name(leaves[0]) if leaves else full_name(torch.empty(0))
    print(f"Executing op {op.name} in device {where}", file=sys.stderr)


def set_log_device_placement(enabled: bool) -> None:
    """Say on stderr for every op which device ran it (`tf.debugging.set_log_device_placement`)."""
    state.observe(_log_placement, bool(enabled))


def get_log_device_placement() -> bool:
    """Whether placements are logged (`tf.debugging.get_log_device_placement`)."""
    return _log_placement in state.OBSERVERS


__getattr__ = module_getattr("tf.debugging")
