"""Shapes: asking for them and changing them without touching the values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .._engine import dtypes, shapes
from .._engine.lookups import aliased
from .._engine.op import ANY, ANYS, AXES, DTYPE, INT, INTS, SHAPE, invalid, op
from .._engine.shapes import TensorShape
from .._engine.symbolic import PROBES
from .._engine.tensor import Tensor


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


# --- asking ----------------------------------------------------------------------------------------------------------
def _index_dtype(dtype: Any, op_name: str) -> Any:
    if dtype is None or dtype is dtypes.int32:
        return torch.int32
    if dtype is dtypes.int64:
        return torch.int64
    raise invalid(
        f"Value for attr 'out_type' of {dtype._cpp} is not in the list of allowed values: int32, int64 [Op:{op_name}] name: "
    )


@op("Shape", input=ANY, out_type=DTYPE)
def shape(input: Any, out_type: Any = None, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's name
    """The dimensions of `input` as an int32 or int64 vector in host memory (`tf.shape`)."""
    dtype = _index_dtype(out_type, "Shape")
    dims = tuple(input.shape)
    if dims and any(type(d) is torch.SymInt for d in dims):  # a compiler that leaves sizes open
        return torch.stack([torch.scalar_tensor(d, dtype=dtype) for d in dims])
    return torch.tensor(dims, dtype=dtype)


shape.strings(shape.op.fn)


@op("ShapeN", multi=True, input=ANYS, out_type=DTYPE)
def shape_n(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> Any:  # noqa: A002
    """The dimensions of each tensor of a list (`tf.shape_n`)."""
    return [torch.tensor(tuple(t.shape), dtype=_index_dtype(out_type, "ShapeN")) for t in input]


shape_n.strings(shape_n.op.fn)


@op("Size", input=ANY, out_type=DTYPE)
def size(input: Any, out_type: Any = None, name: str | None = None) -> Any:  # noqa: A002
    """The number of elements of `input`, a scalar in host memory (`tf.size`)."""
    count = 1
    for d in input.shape:
        count *= d
    dtype = torch.int32 if out_type is None else out_type.torch  # other dtypes than those of indices, too: TensorFlow makes a constant
    return torch.scalar_tensor(count, dtype=dtype) if type(count) is torch.SymInt else torch.tensor(count, dtype=dtype)


size.strings(size.op.fn)


@op("Rank", input=ANY)
def rank(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """The number of dimensions of `input`, an int32 scalar in host memory (`tf.rank`)."""
    return torch.tensor(input.ndim, dtype=torch.int32)


rank.strings(rank.op.fn)


# --- changing --------------------------------------------------------------------------------------------------------
@op("Reshape", tensor=ANY, shape=SHAPE)
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The elements of `tensor` in the same order in another shape; one dim may be -1 (`tf.reshape`).

    InvalidArgumentError when the number of elements differs.
    """
    try:
        return torch.reshape(tensor, shape)
    except RuntimeError:
        if 0 not in shape or shape.count(-1) != 1 or 0 not in tensor.shape:
            raise
    # An empty tensor and a size to find beside a 0: sizes of 0 stay out of the count, as in TensorFlow.
    have, known = math.prod([d for d in tensor.shape if d]), math.prod([d for d in shape if d > 0])
    return torch.reshape(tensor, [have // known if d == -1 else d for d in shape])


@reshape.strings
def _(tensor: Any, shape: Any) -> Any:
    return np.reshape(tensor, shape)


@reshape.infer
def _(tensor: Any, shape: Any) -> Any:
    if type(shape) is not tuple or (isinstance(tensor, torch.Tensor) and tensor.device.type != "meta"):
        return NotImplemented
    guessed = [any(type(d) is int and d in PROBES for d in dims) for dims in (tensor.shape, shape)]
    free = shape.count(-1)
    if not any(guessed) or free > 1 or any(type(d) is not int or d < -1 for d in shape):
        return NotImplemented
    known = have = 1
    for d in shape:
        known *= d if d != -1 else 1
    for d in tensor.shape:
        have *= d
    # sizes that stand for unknown ones, on both sides, may cancel out by chance
    rest = None if all(guessed) or not known or have % known else have // known
    return [(dtypes.of(tensor), tuple([rest if d == -1 else d for d in shape]))]


reshape.op.infer_fn.aid = True


@reshape.diagnose
def _(tensor: Any, shape: Any) -> str | None:
    if shape and isinstance(shape[0], tuple):
        return f"sizes input must be 1-D, not {_text(np.shape(shape))}"
    free = [i for i, d in enumerate(shape) if d == -1]
    if len(free) > 1:
        return f"Only one input size may be -1, not both {free[0]} and {free[1]}"
    count = 1
    for i, d in enumerate(shape):
        if d < -1:
            return f"Size {i} must be non-negative, not {d}"
        count *= d if d != -1 else 1
    if count > 1 << 63:
        return f"Shape {list(shape)} has too many elements"
    have = tensor.size if isinstance(tensor, np.ndarray) else tensor.numel()
    if free:
        if count == 0:
            return "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are non-zero"
        if have % count:
            return f"Input to reshape is a tensor with {have} values, but the requested shape requires a multiple of {count}"
    elif have != count:
        return f"Input to reshape is a tensor with {have} values, but the requested shape has {count}"
    return None


@op("Transpose", a=ANY, perm=INTS)
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Any:
    """`a` with its axes in the order `perm`, or reversed; conjugated on request (`tf.transpose`)."""
    if perm is None:
        n = a.ndim
        out = a.t() if n <= 2 else a.permute(tuple(range(n - 1, -1, -1)))
    else:
        out = a.permute(perm)
    return out.conj().resolve_conj() if conjugate and a.is_complex() else out


@transpose.strings
def _(a: Any, perm: Any, conjugate: Any) -> Any:
    return np.transpose(a, perm)


@transpose.diagnose
def _(a: Any, perm: Any, conjugate: Any) -> str | None:
    n = a.ndim
    if len(perm) != n:
        return f"transpose expects a vector of size {n}. But input(1) is a vector of size {len(perm)}"
    for d in perm:
        if not -n <= d < n:
            return f"{d} is out of range [0 .. {n})"
    missing = sorted(set(range(n)) - {d % n for d in perm})
    return f"{missing[0]} is missing from {{{','.join(str(d) for d in perm)}}}." if missing else None


@op("ExpandDims", input=ANY, axis=INT)
def expand_dims(input: Any, axis: Any, name: str | None = None) -> Any:  # noqa: A002
    """`input` with a new axis of size 1 at `axis` (`tf.expand_dims`)."""
    return torch.unsqueeze(input, axis)


@expand_dims.strings
def _(input: Any, axis: Any) -> Any:  # noqa: A002
    return np.expand_dims(input, axis)


@expand_dims.diagnose
def _(input: Any, axis: Any) -> Any:  # noqa: A002
    if axis is None:
        return ValueError("Attempt to convert a value (None) with an unsupported type (<class 'NoneType'>) to a Tensor.")
    if not -input.ndim - 1 <= axis <= input.ndim:
        return f"Tried to expand dim index {axis} for tensor with {input.ndim} dimensions."
    return None


@op("Squeeze", input=ANY, axis=AXES)
def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Any:  # noqa: A002
    """`input` without its axes of size 1, or without those that `axis` names (`tf.squeeze`)."""
    if axis is None or axis == ():
        return input.squeeze()
    dims = (axis,) if type(axis) is int else axis
    n, sizes = input.ndim, input.shape
    for d in dims:
        if not -n <= d < n:
            raise invalid(f"Tried to squeeze dim index {d} for tensor with {n} dimensions. [Op:Squeeze] name: ")
        if sizes[d] != 1:
            raise invalid(f"Can not squeeze dim[{d % n}], expected a dimension of 1, got {sizes[d]} [Op:Squeeze] name: ")
    return input.squeeze(dims)


squeeze.strings(squeeze.op.fn)
# without axes, a size that is not known may be 1: not even the rank is known then
squeeze.infer(lambda input, axis: NotImplemented if axis not in (None, ()) else [(dtypes.of(input), None)])
squeeze.op.infer_fn.aid = True


# --- broadcasting ----------------------------------------------------------------------------------------------------
@op("BroadcastTo", input=ANY, shape=SHAPE)
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Any:  # noqa: A002
    """`input` repeated along axes of size 1 and new leading axes until it has `shape` (`tf.broadcast_to`)."""
    for d in shape:
        if type(d) is int and d < 0:
            raise invalid(f"Dimension {d} must be >= 0 [Op:BroadcastTo] name: ")
    return input.expand(shape)


@broadcast_to.strings
def _(input: Any, shape: Any) -> Any:  # noqa: A002
    return np.broadcast_to(input, shape).copy()


@broadcast_to.prepare
def _(input: Any, shape: Any) -> tuple[Any, ...]:  # noqa: A002
    if isinstance(shape, (int, np.integer)):
        raise invalid("shape must be a vector of {int32,int64}, got shape [] [Op:BroadcastTo] name: ")
    return input, shape


@broadcast_to.diagnose
def _(input: Any, shape: Any) -> str:  # noqa: A002
    if input.ndim > len(shape):
        return (
            f"Rank of input ({input.ndim}) must be no greater than rank of output shape ({len(shape)})."
        )
    wanted = tuple(shape)[len(shape) - input.ndim :]
    if all(have == want or 1 in (have, want) for have, want in zip(input.shape, wanted, strict=True)):
        return f"Unable to broadcast tensor of shape {_text(input.shape)} to tensor of shape {_text(shape)}"
    return f"Incompatible shapes: {_text(input.shape)} vs. {_text(shape)}"


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The TensorShape that two TensorShapes broadcast to (`tf.broadcast_static_shape`). ValueError when there is none."""
    for s in (shape_x, shape_y):
        if not isinstance(s, TensorShape):
            raise AttributeError(f"broadcast_static_shape takes TensorShapes: {type(s).__name__!r} object has no attribute 'ndims'")
    try:
        return shapes.broadcast(shape_x, shape_y)
    except ValueError:
        raise ValueError(
            "Incompatible shapes for broadcasting. Two shapes are compatible if for each dimension pair they are either equal or one "
            f"of them is 1. Received: {shape_x} and {shape_y}."
        ) from None


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape, a vector, that two shape vectors broadcast to (`tf.broadcast_dynamic_shape`)."""
    wide = any(getattr(s, "dtype", None) is dtypes.int64 for s in (shape_x, shape_y))
    return _broadcast_args(shape_x, shape_y, dtypes.int64 if wide else dtypes.int32)


@op("BroadcastArgs", shape_x=INTS, shape_y=INTS, dtype=DTYPE)
def _broadcast_args(shape_x: Any, shape_y: Any, dtype: Any, name: str | None = None) -> Any:
    n = max(len(shape_x), len(shape_y))
    a, b = (1,) * (n - len(shape_x)) + tuple(shape_x), (1,) * (n - len(shape_y)) + tuple(shape_y)
    for p, q in zip(a, b, strict=True):
        if p != q and p != 1 and q != 1:
            raise invalid(f"Incompatible shapes: {_text(shape_x)} vs. {_text(shape_y)} [Op:BroadcastArgs] name: ")
    return torch.tensor([q if p == 1 else p for p, q in zip(a, b, strict=True)], dtype=dtype.torch)


# --- the same --------------------------------------------------------------------------------------------------------
@op("Identity", input=ANY)
def identity(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """A tensor of the same values, with an identity of its own for a tape (`tf.identity`)."""
    return aliased(input.view_as(input), input)


@identity.strings
def _(input: Any) -> Any:  # noqa: A002
    return input.view()


def _some(what: str) -> Any:
    """A check that a list has tensors."""

    def check(input: Any, *rest: Any) -> tuple[Any, ...]:  # noqa: A002
        if isinstance(input, (list, tuple)) and not input:
            raise invalid(f"Length for attr '{what}' of 0 must be at least minimum 1")
        return input, *rest

    return check


@op("IdentityN", multi=True, input=ANYS)
def identity_n(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """`tf.identity` of each tensor of a list (`tf.identity_n`)."""
    return [t.view() if isinstance(t, np.ndarray) else t.view_as(t) for t in input]


identity_n.strings(identity_n.op.fn)
identity_n.prepare(_some("T"))
shape_n.prepare(_some("N"))


def guarantee_const(input: Any, name: str | None = None) -> Tensor:  # noqa: A002
    """`input`, which the caller promises not to change (`tf.guarantee_const`)."""
    return identity(input, name)


