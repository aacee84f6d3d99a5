"""The ops that write variables, and `tf.Variable`'s methods that call them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from . import dtypes, state
from .convert import convert_to_tensor
from .op import ANY, VARIABLE, invalid, op
from .shapes import TensorShape
from .tensor import Tensor
from .turns import alone
from .variable import UnreadVariable, Variable

_INDEX = (dtypes.int32, dtypes.int64)


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(d) for d in shape) + "]"


# --- whole values ----------------------------------------------------------------------------------------------------
@op("AssignVariableOp", stateful=True, ref=VARIABLE, value=ANY)
def _assign(ref: Any, value: Any) -> None:
    if ref._shape._dims != tuple(value.shape) and not ref._shape.is_compatible_with(TensorShape._of(tuple(value.shape))):
        got = _dims(value.shape)
        raise invalid(f"Trying to assign to variable with tensor with wrong shape. Expected {_dims(ref._shape)} got {got} [Op:AssignVariableOp] name: ")
    ref._write(value)


def _bad_shape(ref: Any, shape: Any) -> ValueError:
    return ValueError(
        f"Cannot assign value to variable ' {ref.name}': Shape mismatch.The variable shape {ref.shape}, and the assigned value "
        f"shape {shape} are incompatible."
    )


@op("AssignAddVariableOp", stateful=True, ref=VARIABLE, value=ANY)
def _assign_add(ref: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        ref._write(ref._t + value)
        return
    _same_shape(ref, value)
    alone(ref, _add_to, ref, value, torch.Tensor.add_)


@op("AssignSubVariableOp", stateful=True, ref=VARIABLE, value=ANY)
def _assign_sub(ref: Any, value: Any) -> None:
    _same_shape(ref, value)
    alone(ref, _add_to, ref, value, torch.Tensor.sub_)


#: torch adds and scatters few unsigned integers; the same bits, read as signed ones, add up to the same bits
_SIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}


def _bits(t: torch.Tensor) -> torch.Tensor:
    signed = _SIGNED.get(t.dtype)
    return t if signed is None else t.view(signed)


def _add_to(ref: Any, value: Any, how: Any) -> None:
    how(_bits(ref._own()), _bits(value.detach()))


def _same_shape(ref: Any, value: Any) -> None:
    if ref._t.shape != value.shape:
        raise invalid(
            f"Cannot update variable with shape {_dims(ref._t.shape)} using a Tensor with shape {_dims(value.shape)}, shapes must be "
            "equal. [Op:AssignAddVariableOp] name: "
        )


for _f in (_assign, _assign_add, _assign_sub):
    _f.infer(lambda *args: [])
_assign.strings(_assign.op.fn)
_assign_add.strings(_assign_add.op.fn)


def _operand(self: Any, value: Any) -> Any:
    if type(value) is Tensor and value._t.dtype is self._t.dtype:
        return value
    if state.PROMOTION is not None:
        from ..experimental.numpy.weak import assigned

        value = assigned(self, value)
    return convert_to_tensor(value, self.dtype)


def _done(self: Any, read_value: bool) -> Any:
    return UnreadVariable(getattr(self, "_of", self)) if read_value else None


def assign(self: Any, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
    """Take over `value`. ValueError for another shape; returns the variable unless `read_value` is False.

    Assignments are atomic in any case, so `use_locking` asks for nothing more.
    """
    value = _operand(self, value)
    if not self._shape.is_compatible_with(value.shape):
        raise _bad_shape(self, value.shape)
    _assign(self, value)
    return _done(self, read_value)


def _check_static(self: Any, value: Any, name: str) -> None:
    """ValueError while a graph is traced for a shape that cannot be right."""
    if state.local.graph is None or self._shape.is_compatible_with(value.shape):
        return
    a, b = self._shape.as_list(), value.shape.as_list()
    shown = ["[" + ",".join("?" if d is None else str(d) for d in s) + "]" for s in (a, b)]
    at = next((i for i, (m, n) in enumerate(zip(a, b, strict=False)) if m != n), 0)
    what = f"Shapes must be equal rank, but are {len(a)} and {len(b)}" if len(a) != len(b) else (
        f"Dimension {at} in both shapes must be equal, but are {a[at]} and {b[at]}. Shapes are {shown[0]} and {shown[1]}."
    )
    given = value.name.partition(":")[0] if hasattr(value, "_graph") else f"{name}/value"
    raise ValueError(f"{what} for '{{{{node {name}}}}} = {name}[dtype=DT_{self.dtype._cpp.upper()}]({name}/resource, {given})' with input shapes: [], {shown[1]}.")


def assign_add(self: Any, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
    """Add `delta`, of the variable's shape, to the value."""
    delta = _operand(self, delta)
    _check_static(self, delta, "AssignAddVariableOp")
    _assign_add(self, delta)
    return _done(self, read_value)


def assign_sub(self: Any, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
    """Subtract `delta`, of the variable's shape, from the value."""
    delta = _operand(self, delta)
    _check_static(self, delta, "AssignSubVariableOp")
    _assign_sub(self, delta)
    return _done(self, read_value)


# --- slices ----------------------------------------------------------------------------------------------------------
def ascending(shape: Any, index: Any) -> tuple[tuple[Any, ...], list[int]]:
    """An index without negative steps, and the result's axes that must be flipped to get the original order."""
    plain: list[Any] = []
    flips: list[int] = []
    axis = out = 0
    for n, i in enumerate(index):
        if i is Ellipsis:
            rest = sum(1 for j in index[n + 1 :] if j is not None)
            out += len(shape) - rest - axis
            axis = len(shape) - rest
            plain.append(i)
        elif i is None:
            plain.append(i)
            out += 1
        elif isinstance(i, slice):
            if i.step is not None and i.step < 0:
                start, stop, step = i.indices(shape[axis])
                count = max(0, (start - stop - step - 1) // -step)
                low = start + (count - 1) * step
                plain.append(slice(low, start + 1, -step) if count else slice(0, 0))
                flips.append(out)
            else:
                plain.append(i)
            axis += 1
            out += 1
        else:
            plain.append(i)
            axis += 1
    return tuple(plain), flips


@op("ResourceStridedSliceAssign", stateful=True, ref=VARIABLE, value=ANY)
def _slice_assign(ref: Any, index: Any, value: Any) -> None:
    index, flips = ascending(ref._t.shape, index)
    if isinstance(value, np.ndarray):
        array = ref._t.copy()
        array[index] = np.flip(value, flips) if flips else value
        ref._t = array
        return
    target = ref._own()[index]
    value = value.detach()
    try:
        value = value.expand(target.shape)
    except RuntimeError:
        raise invalid(
            f"Cannot broadcast input shape {_dims(value.shape)} into final shape {_dims(target.shape)} "
            "[Op:ResourceStridedSliceAssign] name: strided_slice/_assign"
        ) from None
    target.copy_(value.flip(flips) if flips else value)


_slice_assign.infer(lambda *args: [])
_slice_assign.strings(_slice_assign.op.fn)


def slice_assign(variable: Any, index: Any, value: Any) -> Any:
    """`variable[index].assign(value)`."""
    if state.local.graph is not None and any(_symbolic(i) for i in index):
        return _slice_assign_at(variable, index, value)
    _slice_assign(variable, index, _operand(variable, value))
    return UnreadVariable(getattr(variable, "_of", variable))


def _symbolic(item: Any) -> bool:
    parts = (item.start, item.stop, item.step) if isinstance(item, slice) else (item,)
    return any(isinstance(p, (Tensor, Variable)) for p in parts)


def _slice_assign_at(variable: Any, index: Any, value: Any) -> Any:
    """`slice_assign` where tensors of a graph say which elements: by their positions in the flat variable."""
    from tf2compat import broadcast_to, range, reshape, shape, size, tensor_scatter_nd_update  # noqa: A004

    at = reshape(range(size(variable)), shape(variable))[tuple(index)]
    values = broadcast_to(_operand(variable, value), shape(at))
    flat = tensor_scatter_nd_update(reshape(variable, [-1]), reshape(at, [-1, 1]), reshape(values, [-1]))
    return variable.assign(reshape(flat, shape(variable)))


# --- scattered updates -----------------------------------------------------------------------------------------------
def _rows(ref: Any, indices: Any, op_name: str) -> None:
    if indices.device.type != "meta" and indices.numel():
        size = ref._t.shape[0] if ref._t.ndim else 0
        bad = (indices < 0) | (indices >= size)
        if bool(bad.any()):
            at = int(bad.reshape(-1).nonzero()[0])
            raise invalid(f"indices[{at}] = {int(indices.reshape(-1)[at])} is not in [0, {size}) [Op:{op_name}] name: ")


def _spread(ref: Any, indices: Any, updates: Any) -> tuple[Any, Any, Any]:
    """Memory, flat int64 row numbers, updates of shape [rows, …]."""
    rest = tuple(ref._t.shape[1:])
    memory = ref._own()
    flat = indices.to(memory.device).reshape(-1).long()
    return memory, flat, updates.detach().to(memory.device).expand(tuple(indices.shape) + rest).reshape((flat.numel(), *rest))


@op("ResourceScatter", stateful=True, ref=VARIABLE, indices=ANY, updates=ANY)
def _scatter(ref: Any, indices: Any, updates: Any, how: str) -> None:
    _rows(ref, indices, "ResourceScatter" + how.capitalize())
    memory, rows, values = _spread(ref, indices, updates)
    if how == "update":
        memory[rows] = values  # the last of several updates of a row wins, as in TensorFlow's loop
    elif how == "add":
        memory.index_add_(0, rows, values)
    elif how == "sub":
        memory.index_add_(0, rows, values, alpha=-1)
    elif how == "mul":
        memory.index_reduce_(0, rows, values, "prod")
    elif how == "div":
        for r, v in zip(rows.tolist(), values, strict=True):
            memory[r] /= v
    else:
        memory.index_reduce_(0, rows, values, "amax" if how == "max" else "amin")


@op("ResourceScatterNd", stateful=True, ref=VARIABLE, indices=ANY, updates=ANY)
def _scatter_nd(ref: Any, indices: Any, updates: Any, how: str) -> None:
    depth = indices.shape[-1]
    shape = tuple(indices.shape[:-1]) + tuple(ref._t.shape[depth:])
    if tuple(updates.shape) != shape:
        raise invalid(
            f"Dimensions [0,{indices.ndim - 1}) of indices[shape={_dims(indices.shape)}] must match dimensions [0,{indices.ndim - 1}) of "
            f"updates[shape={_dims(updates.shape)}] [Op:ResourceScatterNd{how.capitalize()}] name: "
        )
    for axis in range(depth):
        _in_range(indices[..., axis], ref._t.shape[axis], indices, ref)
    where = tuple(indices.reshape(-1, depth).long().unbind(-1))
    if isinstance(updates, np.ndarray):
        if how != "update":
            raise invalid(f"Value for attr 'T' of string is not in the list of allowed values [Op:ResourceScatterNd{how.capitalize()}] name: ")
        array = ref._t.copy()
        array[tuple(w.numpy() for w in where)] = updates.reshape((-1, *array.shape[depth:]))
        ref._t = array
        return
    values = updates.detach().reshape((-1, *ref._t.shape[depth:]))
    memory = ref._own()
    where, values = tuple([w.to(memory.device) for w in where]), values.to(memory.device)
    if how in ("update", "add", "sub"):
        values = _bits(values)
        _bits(memory).index_put_(where, -values if how == "sub" else values, accumulate=how != "update")
        return
    rows = torch.zeros_like(where[0])
    for axis in range(depth):
        rows = rows * memory.shape[axis] + where[axis]
    flat = memory.reshape((-1, *memory.shape[depth:]))
    flat.index_reduce_(0, rows, values, "amax" if how == "max" else "amin")
    if flat.data_ptr() != memory.data_ptr():
        memory.copy_(flat.reshape(memory.shape))


def _in_range(index: Any, size: int, indices: Any, ref: Any) -> None:
    if index.device.type != "meta" and index.numel() and bool(((index < 0) | (index >= size)).any()):
        bad = indices.reshape(-1, indices.shape[-1])[((index < 0) | (index >= size)).reshape(-1)][0].tolist()
        raise invalid(f"indices = {bad} does not index into shape {_dims(ref._t.shape)} [Op:ResourceScatterNdUpdate] name: ")


_scatter.infer(lambda *args: [])
_scatter_nd.infer(lambda *args: [])
_scatter_nd.strings(_scatter_nd.op.fn)


def _sparse(self: Any, sparse_delta: Any, how: str) -> Any:
    from ..indexed_slices import IndexedSlices

    if not isinstance(sparse_delta, IndexedSlices):
        raise TypeError(f"Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {sparse_delta}")
    _scatter(self, sparse_delta.indices, convert_to_tensor(sparse_delta.values, self.dtype), how)
    return _done(self, True)


def scatter_update(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Assign a `tf.IndexedSlices` to its rows."""
    return _sparse(self, sparse_delta, "update")


def scatter_add(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Add a `tf.IndexedSlices` to its rows."""
    return _sparse(self, sparse_delta, "add")


def scatter_sub(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Subtract a `tf.IndexedSlices` from its rows."""
    return _sparse(self, sparse_delta, "sub")


def scatter_mul(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Multiply the rows of a `tf.IndexedSlices` by its values."""
    return _sparse(self, sparse_delta, "mul")


def scatter_div(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Divide the rows of a `tf.IndexedSlices` by its values."""
    return _sparse(self, sparse_delta, "div")


def scatter_max(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Maximum of the rows of a `tf.IndexedSlices` and its values."""
    return _sparse(self, sparse_delta, "max")


def scatter_min(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Minimum of the rows of a `tf.IndexedSlices` and its values."""
    return _sparse(self, sparse_delta, "min")


def batch_scatter_update(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Assign rows of the last batch dimension: `indices[i, …, j]` counts within batch `i, …`."""
    indices = convert_to_tensor(sparse_delta.indices)._t.long()
    if indices.ndim <= 1:
        return _sparse(self, sparse_delta, "update")
    grids = torch.meshgrid(*[torch.arange(n) for n in indices.shape[:-1]], indexing="ij")
    full = torch.stack([*[g.unsqueeze(-1).expand_as(indices) for g in grids], indices], dim=-1)
    return scatter_nd_update(self, full, sparse_delta.values)


def _nd(self: Any, indices: Any, updates: Any, how: str) -> Any:
    _scatter_nd(self, convert_to_tensor(indices), convert_to_tensor(updates, self.dtype), how)
    return _done(self, True)


def scatter_nd_update(self: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """Assign `updates` at `indices` of shape [..., depth], as `tf.tensor_scatter_nd_update` does on tensors."""
    return _nd(self, indices, updates, "update")


def scatter_nd_add(self: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """Add `updates` at `indices` of shape [..., depth]."""
    return _nd(self, indices, updates, "add")


def scatter_nd_sub(self: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """Subtract `updates` at `indices` of shape [..., depth]."""
    return _nd(self, indices, updates, "sub")


def scatter_nd_max(self: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """Maximum with `updates` at `indices` of shape [..., depth]."""
    return _nd(self, indices, updates, "max")


def scatter_nd_min(self: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """Minimum with `updates` at `indices` of shape [..., depth]."""
    return _nd(self, indices, updates, "min")


def count_up_to(self: Any, limit: int) -> Any:
    """Increment an integer variable by one; OutOfRangeError at `limit`. Returns the value before."""
    from ..errors import OutOfRangeError

    if self.dtype not in _INDEX:
        raise invalid(f"Value for attr 'T' of {self.dtype._cpp} is not in the list of allowed values: int32, int64 [Op:ResourceCountUpTo]")
    before = self.read_value()
    if int(before) >= limit:
        raise OutOfRangeError(None, None, f"Reached limit of {limit} [Op:ResourceCountUpTo]")
    assign_add(self, 1)
    return before


Variable.assign = assign  # type: ignore[attr-defined]
Variable.assign_add = assign_add  # type: ignore[attr-defined]
Variable.assign_sub = assign_sub  # type: ignore[attr-defined]
Variable.scatter_update = scatter_update  # type: ignore[attr-defined]
Variable.scatter_add = scatter_add  # type: ignore[attr-defined]
Variable.scatter_sub = scatter_sub  # type: ignore[attr-defined]
Variable.scatter_mul = scatter_mul  # type: ignore[attr-defined]
Variable.scatter_div = scatter_div  # type: ignore[attr-defined]
Variable.scatter_max = scatter_max  # type: ignore[attr-defined]
Variable.scatter_min = scatter_min  # type: ignore[attr-defined]
Variable.batch_scatter_update = batch_scatter_update  # type: ignore[attr-defined]
Variable.scatter_nd_update = scatter_nd_update  # type: ignore[attr-defined]
Variable.scatter_nd_add = scatter_nd_add  # type: ignore[attr-defined]
Variable.scatter_nd_sub = scatter_nd_sub  # type: ignore[attr-defined]
Variable.scatter_nd_max = scatter_nd_max  # type: ignore[attr-defined]
Variable.scatter_nd_min = scatter_nd_min  # type: ignore[attr-defined]
Variable.count_up_to = count_up_to  # type: ignore[attr-defined]
