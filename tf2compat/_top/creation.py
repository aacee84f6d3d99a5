"""New tensors: constants, fills, ranges, masks."""

# ruff: noqa: A001 - TensorFlow's public names
from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import torch

from .._engine import dtypes, state
from .._engine.convert import convert_to_tensor, is_tensor_like
from .._engine.devices import current
from .._engine.dtypes import DType, as_dtype
from .._engine.op import ANY, DTYPE, INT, NUMBER, SHAPE, TENSOR, invalid, op, tensor
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor, wrap

_INDEX = tensor(dtypes.int32, dtypes.int64, group="")


# --- constant --------------------------------------------------------------------------------------------------------
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor of `value`, whose memory is its own (`tf.constant`).

    `shape` arranges the values, or repeats a single one. TypeError when the number of elements does not fit or `dtype`
    cannot hold the value, ValueError for values that have no tensor form.
    """
    if state.PROMOTION is not None and shape is None:
        from ..experimental.numpy import weak

        taken = weak.constant(value, None if dtype is None else as_dtype(dtype))
        if taken is not NotImplemented:
            return taken
    if hasattr(type(value), "_tf_storage"):
        from .. import cast

        t = value._as_tensor()
        t = t if dtype is None else cast(t, dtype)
    elif isinstance(value, Tensor):
        t = value
        if dtype is not None and t.dtype is not as_dtype(dtype):
            text = t._numpy() if type(t) is Tensor else t
            raise TypeError(f"Expected tensor {text} with dtype {as_dtype(dtype)!r}, but got dtype {t.dtype!r}.")
    elif isinstance(value, np.ndarray):
        t = convert_to_tensor(value.copy(), dtype)
    elif isinstance(value, torch.Tensor):
        t = convert_to_tensor(value.detach().clone(), dtype)
    else:
        t = convert_to_tensor(value, dtype)
    graph = state.local.graph
    if graph is not None and not isinstance(value, Tensor):
        graph.constant(t, name or "Const")
    if shape is None:
        return t
    wanted = TensorShape(shape)
    if wanted == t.shape:
        return t
    have, want = t.shape.num_elements(), wanted.num_elements()
    if have == want:
        from .shaping import reshape

        return reshape(t, wanted)
    if have == 1:
        from .shaping import reshape

        return fill(wanted, reshape(t, ()))
    raise TypeError(
        f"Eager execution of tf.constant with unsupported shape. Tensor {t._numpy() if type(t) is Tensor else t} (converted from "
        f"{value}) has {have} elements, but got `shape` {wanted} with {want} elements)."
    )


# --- one value everywhere --------------------------------------------------------------------------------------------
def _check_layout(layout: Any) -> None:
    if layout is not None:
        raise NotImplementedError("tf2compat has no DTensor layouts: `layout` must be None.")


def _dims(shape: Any) -> Any:
    if type(shape) is tuple:  # as the declared kind leaves it
        for d in shape:
            if type(d) is int and d < 0:
                raise invalid(f"Dimension {d} must be >= 0 [Op:Fill] name: ")
    return shape


@op("Fill", shape=SHAPE, dtype=DTYPE)
def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Any:
    """A tensor of zeros (False, empty strings) of `shape` (`tf.zeros`)."""
    if dtype.torch is None:
        return _same(_dims(shape), dtype, b"")
    if layout is not None:
        _check_layout(layout)
    return torch.zeros(_dims(shape), dtype=dtype.torch, device=current())


@op("Fill", shape=SHAPE, dtype=DTYPE)
def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Any:
    """A tensor of ones (True) of `shape` (`tf.ones`). TypeError for strings."""
    if dtype.torch is None:
        raise TypeError(f"Cannot convert 1 to EagerTensor of dtype {dtype.name}")
    if layout is not None:
        _check_layout(layout)
    return torch.ones(_dims(shape), dtype=dtype.torch, device=current())


def _no_dtype(shape: Any, dtype: Any, name: Any, layout: Any) -> Exception | None:
    return TypeError("Cannot convert the argument `type_value`: None to a TensorFlow DType.") if dtype is None else None


zeros.diagnose(_no_dtype)
ones.diagnose(_no_dtype)


def _same(shape: Any, dtype: DType, value: Any) -> np.ndarray:
    if dtype is not dtypes.string:
        raise TypeError(f"tf2compat has no tensors of {dtype!r}.")
    out = np.empty(shape, dtype=object)
    out.fill(value)
    return out


@op("ZerosLike", input=ANY, dtype=DTYPE)
def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """A tensor of zeros with the shape, and unless `dtype` is given the dtype, of `input` (`tf.zeros_like`)."""
    if layout is not None:
        _check_layout(layout)
    if dtype is None:
        return torch.zeros_like(input)
    return _same(input.shape, dtype, b"") if dtype.torch is None else torch.zeros_like(input, dtype=dtype.torch)


@zeros_like.strings
def _(input: Any, dtype: Any, name: Any, layout: Any) -> Any:
    if dtype is None or dtype.torch is None:
        return _same(input.shape, dtypes.string, b"")
    return torch.zeros(input.shape, dtype=dtype.torch, device=current())


@op("OnesLike", input=ANY, dtype=DTYPE)
def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """A tensor of ones with the shape, and unless `dtype` is given the dtype, of `input` (`tf.ones_like`)."""
    if layout is not None:
        _check_layout(layout)
    if dtype is None:
        return torch.ones_like(input)
    if dtype.torch is None:
        raise TypeError(f"Cannot convert 1 to EagerTensor of dtype {dtype.name}")
    return torch.ones_like(input, dtype=dtype.torch)


@ones_like.strings
def _(input: Any, dtype: Any, name: Any, layout: Any) -> Any:
    if dtype is None or dtype.torch is None:
        raise invalid(
            "Value for attr 'T' of string is not in the list of allowed values: bfloat16, half, float, double, int8, uint8, int16, "
            "uint16, int32, uint32, int64, uint64, complex64, complex128, bool [Op:OnesLike] name: "
        )
    return torch.ones(input.shape, dtype=dtype.torch, device=current())


@op("Fill", dims=SHAPE, value=ANY)
def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Any:
    """A tensor of shape `dims` that repeats the scalar `value` (`tf.fill`)."""
    if tuple(value.shape) not in ((), (1,)):
        raise invalid(f"value must represent a scalar, got shape {list(value.shape)} [Op:Fill] name: ")
    value = value.reshape(())
    if layout is not None:
        _check_layout(layout)
    return value.expand(_dims(dims)).contiguous()


@fill.prepare
def _(dims: Any, value: Any, name: Any, layout: Any) -> tuple[Any, ...]:
    if isinstance(dims, (list, tuple)) and dims and isinstance(dims[0], (list, tuple)):
        raise invalid(f"dims must represent a vector, got shape {list(np.shape(dims))} [Op:Fill] name: ")
    return dims, value, name, layout


@fill.strings
def _(dims: Any, value: Any, name: Any, layout: Any) -> Any:
    if value.shape not in ((), (1,)):
        raise invalid(f"value must represent a scalar, got shape {list(value.shape)} [Op:Fill] name: ")
    value = value.reshape(())
    return _same(_dims(dims), dtypes.string, value[()])


# --- ranges ----------------------------------------------------------------------------------------------------------
_RANGE_DTYPES = (dtypes.int32, dtypes.int64, dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
    """The numbers from `start` (0) up to, without, `limit` in steps of `delta`, a vector (`tf.range`).

    The dtype is the widest of the arguments'. InvalidArgumentError when `delta` is 0 or leads away from `limit`.
    """
    if limit is None:
        start, limit = 0, start
    if type(start) is int and type(limit) is int and type(delta) is int and dtype is None:
        low, high = min(start, limit), max(start, limit)
        if delta and (limit - start) * delta >= 0 and low >= -(2**31) and high < 2**31:
            return wrap(torch.arange(start, limit, delta, dtype=torch.int32, device=current()))
    if dtype is not None:
        dtype = as_dtype(dtype)
    given = [v if is_tensor_like(v) else convert_to_tensor(v, dtype) for v in (start, limit, delta)]
    if dtype is None:
        for t in given:
            if t.dtype not in _RANGE_DTYPES:
                raise AssertionError(f"tf.range takes {', '.join(d.name for d in _RANGE_DTYPES)}, not {t.dtype.name}")
        dtype = max((t.dtype for t in given), key=_RANGE_DTYPES.index)
    if state.local.graph is not None and all(type(t) is Tensor for t in given):  # its size is known, so make it now
        return _range.op.run([*given, dtype])
    return _range(*given, dtype, name)


@op("Range", start=NUMBER, limit=NUMBER, delta=NUMBER, dtype=DTYPE)
def _range(start: Any, limit: Any, delta: Any, dtype: Any, name: str | None = None) -> Any:
    numbers = []
    device = None
    for which, t in (("start", start), ("limit", limit), ("delta", delta)):
        if isinstance(t, torch.Tensor):
            if t.numel() != 1:
                raise invalid(f"{which} must be a scalar, not shape {list(t.shape)} [Op:Range] name: ")
            device = device or t.device
            t = t.to(dtype.torch).item()
        numbers.append(t)
    first, last, step = numbers
    device = device or current()
    if step == 0:
        raise invalid(f"Requires delta != 0: {step} [Op:Range] name: ")
    if (last - first) * step < 0:
        way = "<= limit when delta > 0" if step > 0 else ">= limit when delta < 0"
        raise invalid(f"Requires start {way}: {first:g}/{last:g} [Op:Range] name: ")
    if dtype.is_floating:
        wide = torch.float64 if dtype.torch is torch.float64 else torch.float32
        exact = np.float64 if wide is torch.float64 else np.float32  # the number of steps as the dtype rounds it
        size = int(math.ceil(abs((exact(last) - exact(first)) / exact(step))))
        return (torch.arange(size, dtype=wide, device=device) * step + first).to(dtype.torch)
    if step == 1:
        return torch.arange(first, last, dtype=dtype.torch, device=device)
    size = -((first - last) // step) if step > 0 else -((last - first) // -step)
    return (torch.arange(size, dtype=torch.int64, device=device) * step + first).to(dtype.torch)


@_range.infer
def _(start: Any, limit: Any, delta: Any, dtype: Any) -> Any:
    known = all(t.device.type != "meta" for t in (start, limit, delta))
    return NotImplemented if known else [(dtype, (None,))]


@op("LinSpace", start=TENSOR, stop=TENSOR, num=INT, axis=INT)
def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Any:
    """`num` evenly spaced values from `start` to `stop`, both included, on a new `axis` (`tf.linspace`).

    `start` and `stop` have one dtype and broadcast; integers give float64, those of 8 and 16 bits float32.
    """
    start, stop = torch.broadcast_tensors(start, stop)
    if not -start.ndim - 1 <= axis <= start.ndim:
        raise invalid(f"Tried to expand dim index {axis} for tensor with {start.ndim} dimensions. [Op:ExpandDims] name: ")
    at = axis if axis >= 0 else start.ndim + 1 + axis
    if not start.dtype.is_floating_point and not start.dtype.is_complex:
        wide = torch.float64 if start.dtype.itemsize > 2 else torch.float32
        start, stop = start.to(wide), stop.to(wide)
    start, stop = start.unsqueeze(at), stop.unsqueeze(at)
    if num < 0:
        raise invalid(f"Requires start <= limit when delta > 0: 1/{num + 1} [Op:Range] name: ")
    if num <= 1:
        return start if num == 1 else start.narrow(at, 0, 0)
    shape = [1] * start.ndim
    shape[at] = num - 2
    steps = torch.arange(1, num - 1, device=start.device).reshape(shape).to(start.dtype)
    return torch.cat([start, start + (stop - start) / (num - 1) * steps, stop], at)


@linspace.strings
def _(start: Any, stop: Any, num: Any, name: Any, axis: Any) -> Any:
    raise unimplemented("Cast int32 to string is not supported [Op:Cast] name: ")


@linspace.prepare
def _(start: Any, stop: Any, num: Any, name: Any, axis: Any) -> tuple[Any, ...]:
    start = convert_to_tensor(start)
    if is_tensor_like(stop) and stop.dtype is not start.dtype:
        raise ValueError(
            f"stop: Tensor conversion requested dtype {start.dtype.name} for Tensor with dtype {dtypes.as_dtype(stop.dtype).name}: {stop!r}"
        )
    if isinstance(num, float):
        raise TypeError(f"Argument `tensor` (name: num) must be of type integer. Received `tensor` = {num} of dtype: <dtype: 'float32'>")
    return start, convert_to_tensor(stop, start.dtype), num, name, axis


# --- masks -----------------------------------------------------------------------------------------------------------
@op("Eye", num_rows=INT, num_columns=INT, batch_shape=SHAPE, dtype=DTYPE)
def eye(num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """The identity matrix, or a batch of them, of `[*batch_shape, num_rows, num_columns]` (`tf.eye`)."""
    columns = num_rows if num_columns is None else num_columns
    if dtype.torch is None:
        raise TypeError(f"Cannot convert 1 to EagerTensor of dtype {dtype.name}")
    for n in (num_rows, columns):
        if n < 0:
            raise invalid(f"Dimension {n} must be >= 0 [Op:Fill] name: ")
    plain = torch.uint8 if dtype.is_unsigned else dtype.torch  # torch makes no others of unsigned integers
    out = torch.eye(num_rows, columns, dtype=plain, device=current()).to(dtype.torch)
    return out if batch_shape is None else out.expand(*batch_shape, num_rows, columns).contiguous()


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """A new `axis` (the last) of size `depth` with `on_value` (1) at the index and `off_value` (0) elsewhere (`tf.one_hot`).

    Indices outside [0, depth) give `off_value` everywhere. TypeError when the dtypes of the values and `dtype` differ.
    """
    if on_value is None and off_value is None:
        return _one_hot(indices, depth, None, None, -1 if axis is None else axis, dtypes.float32 if dtype is None else dtype, name)
    dtype = None if dtype is None else as_dtype(dtype)
    on = None if on_value is None else convert_to_tensor(on_value, dtype_hint=dtype)
    off = None if off_value is None else convert_to_tensor(off_value, dtype_hint=dtype)
    if dtype is not None:
        for v, what in ((on, "on_value"), (off, "off_value")):
            if v is not None and v.dtype is not dtype:
                raise TypeError(f"dtype {v.dtype} of {what} does not match dtype parameter {dtype}")
    if on is not None and off is not None and on.dtype is not off.dtype:
        raise TypeError(f"dtype {on.dtype} of on_value does not match dtype {off.dtype} of off_value")
    dtype = on.dtype if on is not None else off.dtype  # type: ignore[union-attr]
    on = convert_to_tensor(1, dtype) if on is None else on
    off = convert_to_tensor(0, dtype) if off is None else off
    return _one_hot(indices, depth, on, off, -1 if axis is None else axis, dtype, name)


_HOT = tensor(dtypes.uint8, dtypes.int8, dtypes.int32, dtypes.int64, group="TI")


@op("OneHot", indices=_HOT, depth=INT, on_value=TENSOR, off_value=TENSOR, axis=INT, dtype=DTYPE)
def _one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: Any = -1, dtype: Any = None, name: str | None = None
) -> Any:
    if depth < 0:
        raise invalid(f"depth must be non-negative, got: {depth} [Op:OneHot] name: ")
    if not -1 <= axis <= indices.ndim:
        raise invalid(f"Expected axis to be -1 or between [0, {indices.ndim + 1}).  But received: {axis} [Op:OneHot] name: ")
    at = indices.ndim if axis == -1 else axis
    if on_value is None and depth and dtype.torch is not None and indices.numel() * depth >= 4096 and indices.device.type == "cpu":
        inside = (indices >= 0) & (indices < depth)
        shape = (*indices.shape[:at], depth, *indices.shape[at:])
        return torch.zeros(shape, dtype=dtype.torch).scatter(at, indices.long().clamp(0, depth - 1).unsqueeze(at), inside.unsqueeze(at).to(dtype.torch))
    hot = torch.arange(depth, device=indices.device).reshape([depth if i == at else 1 for i in builtins.range(indices.ndim + 1)])
    hot = indices.unsqueeze(at) == hot
    if on_value is None:
        if dtype.torch is None or dtype is dtypes.bool:
            raise TypeError(f"Cannot convert 1 to EagerTensor of dtype {dtype.name}")
        return hot.to(dtype.torch)
    for v, what in ((on_value, "on_value"), (off_value, "off_value")):
        if v.ndim:
            raise invalid(f"{what} must be a scalar, but got: {list(v.shape)} [Op:OneHot] name: ")
    if isinstance(on_value, np.ndarray):
        return np.where(hot.cpu().numpy(), on_value, off_value)
    return torch.where(hot, on_value.detach(), off_value.detach())  # TensorFlow has no gradient here


_one_hot.strings(_one_hot.op.fn)


@op("SequenceMask", lengths=tensor(dtypes.REALS, group=""), maxlen=INT, dtype=DTYPE)
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool, name: str | None = None) -> Any:
    """True (1) in the first `lengths` places of a new last axis of size `maxlen` (`tf.sequence_mask`).

    Without `maxlen` the longest length is the size.
    """
    if maxlen is None:
        maxlen = max(math.ceil(lengths.max().item()), 0) if lengths.numel() else 0
    if dtype.torch is None:
        raise unimplemented(f"Cast bool to {dtype.name} is not supported [Op:Cast] name: ")
    return (torch.arange(maxlen, device=lengths.device) < lengths.unsqueeze(-1)).to(dtype.torch)


def unimplemented(message: str) -> Exception:
    from ..errors import UnimplementedError

    return UnimplementedError(None, None, message)


@sequence_mask.prepare
def _(lengths: Any, maxlen: Any, dtype: Any) -> tuple[Any, ...]:
    if maxlen is not None and np.ndim(maxlen) and not isinstance(maxlen, Tensor):
        raise ValueError(
            f"Argument `maxlen` must be scalar for sequence_mask, received `maxlen` = {maxlen} with shape '{np.shape(maxlen)}' instead"
        )
    return lengths, maxlen, dtype


@sequence_mask.infer
def _(lengths: Any, maxlen: Any, dtype: Any) -> Any:
    return [(dtype, (*lengths.shape, None))] if maxlen is None and lengths.device.type == "meta" else NotImplemented
