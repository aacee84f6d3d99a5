"""Putting tensors together and taking them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes, state
from .._engine.convert import constant_value, convert_to_tensor, has_tensors
from .._engine.op import ANY, AXES, INT, INTS, TENSORS, invalid, op
from .._engine.symbolic import PROBES
from .._engine.tensor import Tensor


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


# --- concat ----------------------------------------------------------------------------------------------------------
@op("ConcatV2", values=TENSORS, axis=INT)
def concat(values: Any, axis: Any, name: str = "concat") -> Any:
    """The tensors of a list, of one dtype and rank, end to end along `axis` (`tf.concat`).

    InvalidArgumentError when ranks, dtypes or the other dimensions differ, or for scalars.
    """
    if len(values) == 1:
        return values[0].view_as(values[0])
    n = values[0].ndim
    for v in values:
        if v.ndim != n:  # torch lets empty vectors pass
            raise ValueError
    return torch.cat(values, axis)


@concat.prepare
def _(values: Any, axis: Any) -> tuple[Any, ...]:
    if not isinstance(values, (list, tuple)):
        values = [values]
    if not values:
        raise invalid("OpKernel 'ConcatV2' needs at least one tensor: values is an empty list [Op:ConcatV2] name: concat")
    return values, axis


@concat.strings
def _(values: Any, axis: Any) -> Any:
    return values[0].view() if len(values) == 1 else np.concatenate(values, axis)


@concat.diagnose
def _(values: Any, axis: Any) -> str | None:
    first = values[0].shape
    for v in values:
        if v.ndim == 0:
            return "ConcatOp : Can't concatenate scalars (use tf.stack instead)"
    n = len(first)
    for i, v in enumerate(values):
        if v.ndim != n:
            return f"ConcatOp : Ranks of all input tensors should match: shape[0] = {_text(first)} vs. shape[{i}] = {_text(v.shape)}"
    if not -n <= axis < n:
        return f"ConcatOp : Expected concatenating dimensions in the range [{-n}, {n}), but got {axis}"
    for i, v in enumerate(values):
        for d in range(n):
            if d != axis % n and v.shape[d] != first[d]:
                return (
                    f"ConcatOp : Dimension {d} in both shapes must be equal: shape[0] = {_text(first)} vs. "
                    f"shape[{i}] = {_text(v.shape)}"
                )
    return None


# --- stack -----------------------------------------------------------------------------------------------------------
@op("Pack", values=TENSORS, axis=INT)
def stack(values: Any, axis: Any = 0, name: str = "stack") -> Any:
    """Tensors of one shape and dtype on a new axis (`tf.stack`)."""
    return torch.stack(values, axis) if values else torch.empty(0)


@stack.prepare
def _(values: Any, axis: Any) -> tuple[Any, ...]:
    if isinstance(values, (list, tuple)):
        if axis == 0 and values and not has_tensors(values):
            try:
                return unstack(convert_to_tensor(values)), axis
            except (TypeError, ValueError, NotImplementedError):
                pass  # the conversion of each value says what is wrong
        return values, axis
    return unstack(convert_to_tensor(values)), axis


@stack.strings
def _(values: Any, axis: Any) -> Any:
    return np.stack(values, axis)


@stack.diagnose
def _(values: Any, axis: Any) -> Any:
    first = values[0].shape
    for i, v in enumerate(values):
        if v.shape != first:
            return f"Shapes of all inputs must match: values[0].shape = {_text(first)} != values[{i}].shape = {_text(v.shape)}"
    n = len(first) + 1
    return None if -n <= axis < n else ValueError(f"Argument `axis` = {axis} not in range [{-n}, {n})")


def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """Tensors of one shape on a new first axis (`tf.parallel_stack`). RuntimeError in eager mode, as in TensorFlow."""
    if state.local.graph is None:
        raise RuntimeError("tf.parallel_stack() is not compatible with eager execution.")
    return stack(values, 0, name)


# --- unstack, split --------------------------------------------------------------------------------------------------
@op("Unpack", multi=True, value=ANY, num=INT, axis=INT)
def unstack(value: Any, num: Any = None, axis: Any = 0, name: str = "unstack") -> Any:
    """The slices of `value` along `axis`, as a list without that axis (`tf.unstack`)."""
    n = value.ndim
    if not -n <= axis < n:
        raise ValueError(f"Argument `axis` = {axis} not in range [{-n}, {n})")
    if num is not None and num != value.shape[axis]:
        raise invalid(f"Input shape axis {axis % n} must equal {num}, got shape {_text(value.shape)} [Op:Unpack] name: unstack")
    return list(torch.unbind(value, axis))


@unstack.prepare
def _(value: Any, num: Any, axis: Any) -> tuple[Any, ...]:
    value = convert_to_tensor(value)
    if num is None and type(value) is not Tensor:
        shape = value.shape
        if shape.rank is None:
            raise ValueError(f"Cannot infer argument `num` from shape {shape}")
        if not -shape.rank <= axis < shape.rank:
            raise ValueError(f"Argument `axis` = {axis} not in range [{-shape.rank}, {shape.rank})")
        num = shape[axis]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {shape}")
    return value, num, axis


@unstack.infer
def _(value: Any, num: Any, axis: Any) -> Any:
    if num is None or not -value.ndim <= axis < value.ndim or (isinstance(value, torch.Tensor) and value.device.type != "meta"):
        return NotImplemented
    if value.shape[axis] != num and value.shape[axis] not in PROBES and isinstance(value, torch.Tensor):
        return NotImplemented  # the op itself says what is wrong
    dims = [d for i, d in enumerate(value.shape) if i != axis % value.ndim]
    return [(dtypes.of(value), tuple(dims))] * num


unstack.op.infer_fn.aid = True


@unstack.strings
def _(value: Any, num: Any, axis: Any) -> Any:
    n = value.ndim
    if not -n <= axis < n:
        raise ValueError(f"Argument `axis` = {axis} not in range [{-n}, {n})")
    if num is not None and num != value.shape[axis]:
        raise invalid(f"Input shape axis {axis % n} must equal {num}, got shape {_text(value.shape)} [Op:Unpack] name: unstack")
    rows = np.moveaxis(value, axis, 0)
    return [np.asarray(rows[i : i + 1].reshape(rows.shape[1:]), dtype=object) for i in range(rows.shape[0])]


@op("SplitV", multi=True, value=ANY, num_or_size_splits=AXES, axis=INT, num=INT)
def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: str = "split") -> Any:
    """`value` cut along `axis` into equal parts, or into parts of the given sizes (one may be -1) (`tf.split`).

    InvalidArgumentError when the parts do not make up the axis.
    """
    length = _split_axis(value, axis, num_or_size_splits)
    if type(num_or_size_splits) is int:
        return list(torch.split(value, _part(length, num_or_size_splits, axis), axis)) if length else [value] * num_or_size_splits
    return list(torch.split(value, _sizes(length, num_or_size_splits), axis))


@split.prepare
def _(value: Any, num_or_size_splits: Any, axis: Any, num: Any) -> tuple[Any, ...]:
    given = num_or_size_splits
    if isinstance(given, Tensor) or hasattr(type(given), "_tf_storage"):
        if given.shape.rank == 0:
            raise ValueError(f"Rank-0 tensors are not supported as the num_or_size_splits argument to split. Argument provided: {given}")
    elif isinstance(given, (list, tuple)) and given and isinstance(given[0], (list, tuple)):
        raise invalid(
            f"size of the split_tensor must be 1-D and have the same elements as outputs got {np.ndim(given)} -D and {np.size(given)} "
            "elements [Op:SplitV] name: split"
        )
    return value, given, axis, num


def _split_axis(value: Any, axis: int, splits: Any) -> int:
    n = value.ndim
    if not -n <= axis < n:
        which = "Split" if type(splits) is int else "SplitV"
        raise invalid(f"-input rank(-{n}) <= split_dim < input rank ({n}), but got {axis} [Op:{which}] name: split")
    return value.shape[axis]


def _part(length: int, count: int, axis: int) -> int:
    if count < 1:
        raise invalid(f"Value for attr 'num_split' of {count} must be at least minimum 1 [Op:Split] name: split")
    if length % count:
        raise invalid(
            f"Number of ways to split should evenly divide the split dimension, but got split_dim {axis} (size = {length}) and "
            f"num_split {count} [Op:Split] name: split"
        )
    return length // count


def _sizes(length: int, sizes: Any) -> list[int]:
    free = [i for i, s in enumerate(sizes) if s == -1]
    if len(free) > 1:
        raise invalid("There can only be one -1 in the input. [Op:SplitV] name: split")
    total = sum(s for s in sizes if s != -1)
    if total > length or (not free and total != length) or any(s < -1 for s in sizes):
        raise invalid(
            "Determined shape must either match input shape along split_dim exactly if fully specified, or be less than the size of "
            f"the input along split_dim if not fully specified.  Got: {total} [Op:SplitV] name: split"
        )
    return [length - total if s == -1 else s for s in sizes]


@split.infer
def _(value: Any, num_or_size_splits: Any, axis: Any, num: Any) -> Any:
    dims = list(value.shape)
    length = dims[axis]
    if type(num_or_size_splits) is int:
        parts: list[Any] = [length // num_or_size_splits if length % num_or_size_splits == 0 else None] * num_or_size_splits
    else:
        # sizes that are not known yet come as 0
        rest = length - sum(s for s in num_or_size_splits if s != -1)
        doubtful = 0 in num_or_size_splits and rest != 0
        parts = [
            (rest if rest > 0 and not doubtful else None) if s == -1 else None if s == 0 and doubtful else s for s in num_or_size_splits
        ]
    out = []
    for part in parts:
        dims[axis] = part
        out.append((dtypes.of(value), tuple(dims)))
    if isinstance(value, torch.Tensor) and (value.device.type != "meta" or (type(num_or_size_splits) is int and None in parts and length not in PROBES)):
        return NotImplemented  # the op itself says what is wrong
    return out


split.op.infer_fn.aid = True


@split.strings
def _(value: Any, num_or_size_splits: Any, axis: Any, num: Any) -> Any:
    length = _split_axis(value, axis, num_or_size_splits)
    if type(num_or_size_splits) is int:
        _part(length, num_or_size_splits, axis)
        return np.split(value, num_or_size_splits, axis)
    return np.split(value, np.cumsum(_sizes(length, num_or_size_splits))[:-1], axis)


# --- repetition ------------------------------------------------------------------------------------------------------
@op("Tile", input=ANY, multiples=INTS)
def tile(input: Any, multiples: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's name
    """`input` repeated `multiples[i]` times along each axis i (`tf.tile`)."""
    if len(multiples) != input.ndim:
        raise invalid(
            f"Expected multiples argument to be a vector of length {input.ndim} but got length {len(multiples)} [Op:Tile] name: "
        )
    return input.repeat(multiples) if multiples else input.clone()


@tile.prepare
def _(input: Any, multiples: Any) -> tuple[Any, ...]:  # noqa: A002
    if isinstance(multiples, (int, np.integer)) or (isinstance(multiples, Tensor) and multiples.shape.rank == 0):
        raise invalid("Expected multiples to be 1-D, but got shape [] [Op:Tile] name: ")
    return input, multiples


@tile.strings
def _(input: Any, multiples: Any) -> Any:  # noqa: A002
    if len(multiples) != input.ndim:
        raise invalid(
            f"Expected multiples argument to be a vector of length {input.ndim} but got length {len(multiples)} [Op:Tile] name: "
        )
    return np.tile(input, multiples)


@tile.diagnose
def _(input: Any, multiples: Any) -> str | None:  # noqa: A002
    for i, m in enumerate(multiples):
        if m < 0:
            return f"Expected multiples[{i}] >= 0, but got {m}"
    return None


def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:  # noqa: A002
    """Each element (slice along `axis`) of `input` repeated `repeats` times, one number or one for each (`tf.repeat`).

    Without `axis` the input is flattened. ValueError when the numbers do not fit the axis.
    """
    if type(repeats) is int or repeats is True:
        return _repeat(input, int(repeats), axis, name)
    counts = convert_to_tensor(repeats)
    if not counts.dtype.is_integer:
        raise TypeError(
            f"Argument `tensor` (name: repeats) must be of type integer. Received `tensor` = {repeats} of dtype: {counts.dtype}"
        )
    if counts.shape.rank is not None and counts.shape.rank > 1:
        raise ValueError(f"Shape {counts.shape} must have rank at most 1")
    if counts.shape.num_elements() == 1 or (state.local.graph is not None and type(counts) is Tensor):
        static = constant_value(counts)
        if static is not None:
            if static.size == 1:
                return _repeat(input, int(static.reshape(())), axis, name)
            return _repeat_by(input, tuple(static.tolist()), axis, name)
    return _repeat_each(input, counts, axis, name)


def _repeat_axis(input: Any, axis: Any) -> tuple[Any, int]:  # noqa: A002
    if axis is None:
        return input.reshape(-1), 0
    if input.ndim == 0:
        input = input.reshape(1)  # noqa: A001
    if not -input.ndim <= axis < input.ndim:
        raise ValueError(f"axis={axis} out of bounds: expected {-input.ndim}<=axis<{input.ndim}")
    return input, axis % input.ndim


@op("Repeat", input=ANY, repeats=INT, axis=INT)
def _repeat(input: Any, repeats: Any, axis: Any, name: str | None = None) -> Any:  # noqa: A002
    data, at = _repeat_axis(input, axis)
    if repeats < 0:
        raise invalid(f"Expected multiples[{at + 1}] >= 0, but got {repeats} [Op:Tile] name: ")
    if isinstance(data, np.ndarray):
        return np.repeat(data, repeats, at)
    shape = list(data.shape)
    longer = data.unsqueeze(at + 1).expand([*shape[: at + 1], repeats, *shape[at + 1 :]])
    shape[at] *= repeats
    return longer.reshape(shape)


_repeat.strings(_repeat.op.fn)


@op("RepeatEach", input=ANY, axis=INT)
def _repeat_by(input: Any, repeats: tuple[int, ...], axis: Any, name: str | None = None) -> Any:  # noqa: A002
    return _repeat_each.op.fn(input, torch.tensor(repeats), axis)


@op("RepeatEach", input=ANY, repeats=ANY, axis=INT)
def _repeat_each(input: Any, repeats: Any, axis: Any, name: str | None = None) -> Any:  # noqa: A002
    data, at = _repeat_axis(input, axis)
    length = data.shape[at]
    if repeats.ndim == 0 or repeats.shape[0] == 1:
        repeats = repeats.reshape(1).expand(length)
    if repeats.shape[0] != length:
        raise ValueError(f"Dimensions {length} and {repeats.shape[0]} are not compatible")
    counts = repeats.clamp(min=0)
    if isinstance(data, np.ndarray):
        return np.repeat(data, counts.cpu().numpy(), at)
    return torch.repeat_interleave(data, counts.to(data.device), at)


_repeat_each.strings(_repeat_each.op.fn)


_repeat_by.strings(_repeat_by.op.fn)


@_repeat_by.infer
def _(input: Any, repeats: Any, axis: Any) -> Any:  # noqa: A002
    dims = list(input.shape)
    if axis is None or not -len(dims) <= axis < len(dims):
        return NotImplemented
    dims[axis] = sum(repeats)
    return [(dtypes.of(input), tuple(dims))]


@_repeat_each.infer
def _(input: Any, repeats: Any, axis: Any) -> Any:  # noqa: A002
    if repeats.device.type != "meta":
        return NotImplemented
    dims: list[Any] = list(input.shape) or [1]
    if axis is None:
        dims = [None]
    else:
        dims[axis] = None
    return [(dtypes.of(input), tuple(dims))]


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Grids of coordinates from vectors, a list of N tensors of N dimensions (`tf.meshgrid`).

    `indexing` is "xy" (the first two axes swapped) or "ij".
    """
    indexing = kwargs.pop("indexing", "xy")
    name = kwargs.pop("name", "meshgrid")
    if kwargs:
        raise TypeError(f"'{next(iter(kwargs))}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got '{indexing}'")
    return _meshgrid([convert_to_tensor(a) for a in args], indexing, name) if args else []


@op("Meshgrid", multi=True, values=TENSORS)
def _meshgrid(values: Any, indexing: str, name: str | None = None) -> Any:
    n = len(values)
    flat = [v.reshape([-1 if i == j else 1 for j in range(n)]) for i, v in enumerate(values)]
    shape = [v.numel() for v in values]
    if indexing == "xy" and n > 1:
        flat = [v.transpose(0, 1) for v in flat]
        shape[0], shape[1] = shape[1], shape[0]
    return [v.expand(shape).contiguous() for v in flat]
