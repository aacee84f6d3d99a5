"""Moving values about: padding, reversal, rolling, blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import constant_value, convert_to_tensor
from .._engine.op import ANY, INTS, TENSOR, invalid, op, tensor
from .._engine.shapes import TensorShape
from .._engine.symbolic import SymbolicTensor
from .._engine.tensor import Tensor

_LENGTH = tensor(dtypes.int32, dtypes.int64, group="Tlen")


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


# --- pad -------------------------------------------------------------------------------------------------------------
def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None) -> Tensor:
    """`tensor` with `paddings[i]` = (before, after) more elements along each axis i (`tf.pad`).

    `mode` is "CONSTANT" (of `constant_values`), "REFLECT" (mirrored without the edge) or "SYMMETRIC" (with the edge).
    """
    kind = mode.upper()
    if kind == "CONSTANT":
        if isinstance(paddings, SymbolicTensor):
            paddings = _stacked_rows(paddings)
        plain = type(constant_values) in (int, float) and constant_values == 0
        rows = _static_rows(paddings)
        value = None if plain else constant_values
        return _pad_by(tensor, paddings, value, name) if rows is None else _pad(tensor, value, rows, name)
    if kind not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(
            f'Value of argument `mode` expected to be one of "CONSTANT", "REFLECT", or "SYMMETRIC". Received `mode` = {kind}'
        )
    return _mirror_pad(tensor, paddings, kind == "REFLECT", name)


def _stacked_rows(paddings: SymbolicTensor) -> Any:
    """The rows that paddings were stacked of, so that those of them that are numbers are known as numbers; else `paddings`."""

    def parts(t: Any) -> Any:
        node = getattr(t, "_node", None)
        if node is not None:
            return node.args[0] if node.op is not None and node.op.name == "Pack" and node.args[1] == 0 else None
        return t.numpy().tolist() if isinstance(t, Tensor) and t.shape.rank == 1 else None

    rows = parts(paddings)
    found = None if rows is None else [parts(row) for row in rows]
    if not found or any(row is None or len(row) != 2 for row in found):
        return paddings
    return [[int(v.numpy()) if type(v) is Tensor else v for v in row] for row in found]


def _static_rows(paddings: Any) -> tuple[Any, ...] | None:
    """Paddings that are plain numbers, as rows; None when they have to be asked for."""
    if type(paddings) not in (list, tuple):
        return None
    for row in paddings:
        if type(row) is int:
            raise invalid(f"paddings must be a matrix with 2 columns: [{len(paddings)}] [Op:Pad] name: ")
        if type(row) not in (list, tuple):
            return None
        for v in row:
            if type(v) is not int:
                return None
    return tuple([tuple(row) for row in paddings]) or None


def _pairs(paddings: Any, sizes: Any, op_name: str) -> list[tuple[int, int]]:
    """Paddings as pairs; they come as rows, or flat when they were a tensor."""
    n = len(sizes)
    if all(type(p) in (tuple, list) for p in paddings) and paddings:
        rows = [tuple(p) for p in paddings]
        if any(len(p) != 2 for p in rows):
            raise invalid(f"paddings must be a matrix with 2 columns: [{len(rows)},{len(rows[0])}] [Op:{op_name}] name: ")
    else:
        if len(paddings) != 2 * n:
            raise invalid(f"paddings must be a matrix with 2 columns: [{len(paddings)}] [Op:{op_name}] name: ")
        rows = [(paddings[2 * i], paddings[2 * i + 1]) for i in range(n)]
    if len(rows) != n:
        raise invalid(f"The first dimension of paddings must be the rank of inputs[{len(rows)},2] {_text(sizes)} [Op:{op_name}] name: ")
    for before, after in rows:
        if type(before) is int and type(after) is int and (before < 0 or after < 0):
            raise invalid(f"Paddings must be non-negative: {before} {after} [Op:{op_name}] name: ")
    return rows


def _rows_of(tensor: Any, paddings: Any, *rest: Any) -> tuple[Any, ...]:
    """Tensors of paddings as rows, so that their shape is checked too."""
    static = constant_value(paddings) if isinstance(paddings, (Tensor, torch.Tensor, np.ndarray)) else paddings
    if isinstance(static, np.ndarray):
        if static.ndim != 2 or static.shape[1] != 2:
            raise invalid(f"paddings must be a matrix with 2 columns: {_text(static.shape)} [Op:Pad] name: ")
        paddings = [[int(v) for v in row] for row in static]
    elif isinstance(static, (list, tuple)) and (not static or not isinstance(static[0], (list, tuple, np.ndarray, Tensor))):
        raise invalid(f"paddings must be a matrix with 2 columns: [{len(static)}] [Op:Pad] name: ")
    elif isinstance(static, (list, tuple)):
        paddings = [list(row) if isinstance(row, (np.ndarray, Tensor)) else row for row in static]
    return tensor, paddings, *rest


@op("PadV2", tensor=TENSOR, constant_values=TENSOR)
def _pad(tensor: Any, constant_values: Any = None, rows: Any = (), name: str | None = None) -> Any:
    pairs = _pairs(rows, tensor.shape, "Pad")
    if isinstance(tensor, np.ndarray):
        out = np.full(
            [before + d + after for (before, after), d in zip(pairs, tensor.shape, strict=True)],
            b"" if constant_values is None else constant_values[()],
            dtype=object,
        )
        out[tuple(slice(before, before + d) for (before, _), d in zip(pairs, tensor.shape, strict=True))] = tensor
        return out
    flat = [v for row in reversed(pairs) for v in row]
    if constant_values is None:
        return torch.constant_pad_nd(tensor, flat)
    if constant_values.ndim:
        raise invalid(f"constant_values must be a scalar. Found: {list(constant_values.shape)} [Op:PadV2] name: ")
    inside = torch.constant_pad_nd(torch.ones_like(tensor, dtype=torch.bool), flat)
    return torch.where(inside, torch.constant_pad_nd(tensor, flat), constant_values)


_pad.strings(_pad.op.fn)


@op("PadV2", tensor=TENSOR, paddings=INTS, constant_values=TENSOR)
def _pad_by(tensor: Any, paddings: Any, constant_values: Any = None, name: str | None = None) -> Any:
    return _pad.op.fn(tensor, constant_values, paddings)


_pad_by.strings(_pad_by.op.fn)


def _padded(tensor: Any, paddings: Any, *rest: Any) -> Any:
    if all(type(p) is tuple for p in paddings):
        return NotImplemented
    return [(dtypes.of(tensor), (None,) * tensor.ndim)]


_pad_by.infer(_padded)
_pad_by.prepare(_rows_of)


@op("MirrorPad", tensor=ANY, paddings=INTS)
def _mirror_pad(tensor: Any, paddings: Any, reflect: bool, name: str | None = None) -> Any:
    out = tensor
    for axis, (before, after) in enumerate(_pairs(paddings, tensor.shape, "MirrorPad")):
        if before == 0 and after == 0:
            continue
        size = tensor.shape[axis]
        if before >= size + (not reflect) or after >= size + (not reflect):
            text = "less than the dimension size: {}, {} not less than {}" if reflect else (
                "no greater than the dimension size: {}, {} greater than {}"
            )  # fmt: skip
            raise invalid(f"paddings must be {text.format(before, after, size)} [Op:MirrorPad] name: ")
        edge = 1 if reflect else 0
        places = [*range(before - 1 + edge, edge - 1, -1), *range(size), *range(size - 1 - edge, size - 1 - edge - after, -1)]
        if isinstance(out, np.ndarray):
            out = out.take(places, axis)
        else:
            out = torch.index_select(out, axis, torch.tensor(places, device=out.device))
    return out


_mirror_pad.strings(_mirror_pad.op.fn)
_mirror_pad.infer(_padded)
_mirror_pad.prepare(_rows_of)


# --- reverse, roll ---------------------------------------------------------------------------------------------------
@op("ReverseV2", tensor=ANY, axis=INTS)
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """`tensor` with the order along each of the axes in the list `axis` reversed (`tf.reverse`)."""
    n = tensor.ndim
    seen = set()
    for i, a in enumerate(axis):
        if not -n <= a < n:
            raise invalid(f"'axis'[{i}] = {a} is out of valid range [0, {n - 1}] [Op:ReverseV2] name: ")
        if a % n in seen:
            raise invalid(f"axis {a % n} specified more than once. [Op:ReverseV2] name: ")
        seen.add(a % n)
    if isinstance(tensor, np.ndarray):
        return np.flip(tensor, tuple(axis)) if axis else tensor
    return torch.flip(tensor, tuple(axis))


reverse.strings(reverse.op.fn)


@reverse.prepare
def _(tensor: Any, axis: Any) -> tuple[Any, ...]:
    if isinstance(axis, (int, np.integer)) or (isinstance(axis, Tensor) and axis.shape.rank == 0):
        raise invalid("'dims' must be 1-dimension, not 0 [Op:ReverseV2] name: ")
    return tensor, axis


def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: Any = None, batch_axis: Any = None, name: str | None = None  # noqa: A002
) -> Tensor:
    """The first `seq_lengths[b]` elements along `seq_axis` reversed, for each b along `batch_axis` (`tf.reverse_sequence`)."""
    return _reverse_sequence(input, seq_lengths, int(seq_axis or 0), int(batch_axis or 0), name)


@op("ReverseSequence", input=ANY, seq_lengths=_LENGTH)
def _reverse_sequence(input: Any, seq_lengths: Any, seq_axis: int, batch_axis: int, name: str | None = None) -> Any:  # noqa: A002
    n = input.ndim
    seq_axis, batch_axis = (a + n if a < 0 else a for a in (seq_axis, batch_axis))
    tail = "[Op:ReverseSequence] name: "
    if seq_lengths.ndim != 1:
        raise invalid(f"seq_lengths must be 1-dim, not {seq_lengths.ndim} {tail}")
    if batch_axis == seq_axis:
        raise invalid(f"batch_dim == seq_dim == {seq_axis} {tail}")
    if seq_axis >= n:
        raise invalid(f"seq_dim must be < input rank ( {seq_axis} vs. {n}) {tail}")
    if batch_axis >= n:
        raise invalid(f"batch_dim must be < input rank ( {batch_axis} vs. {n}) {tail}")
    if seq_lengths.shape[0] != input.shape[batch_axis]:
        raise invalid(
            f"Length of seq_lengths != input.dims({batch_axis}), ({seq_lengths.shape[0]} vs. {input.shape[batch_axis]}) {tail}"
        )
    size = input.shape[seq_axis]
    if seq_lengths.device.type == "cpu":
        for i, length in enumerate(seq_lengths.tolist()):
            if length < 0:
                raise invalid(f"seq_lens({i}) < 0 {tail}")
            if length > size:
                raise invalid(f"seq_lens({i}) > input.dims({seq_axis}) {tail}")
    lengths = seq_lengths.long().clamp(0, size).unsqueeze(1)  # a GPU's are not looked at
    place = torch.arange(size, device=seq_lengths.device).unsqueeze(0)
    source = torch.where(place < lengths, lengths - 1 - place, place)  # [batch, seq]
    shape = [1] * n
    shape[batch_axis], shape[seq_axis] = input.shape[batch_axis], size
    source = (source if batch_axis < seq_axis else source.t()).reshape(shape)
    if isinstance(input, np.ndarray):
        return np.take_along_axis(input, source.cpu().numpy(), seq_axis)
    return torch.gather(input, seq_axis, source.expand(input.shape))


_reverse_sequence.strings(_reverse_sequence.op.fn)


@_reverse_sequence.infer
def _(input: Any, seq_lengths: Any, seq_axis: int, batch_axis: int) -> Any:  # noqa: A002
    known = isinstance(input, torch.Tensor) and input.device.type != "meta"
    return NotImplemented if known else [(dtypes.of(input), tuple(input.shape))]


@op("Roll", input=ANY, shift=INTS, axis=INTS)
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:  # noqa: A002
    """`input` with the elements along each axis shifted round by `shift` (`tf.roll`)."""
    if input.ndim == 0:
        raise invalid("input must be 1-D or higher [Op:Roll] name: ")
    shift, axis = ((v,) if type(v) is int else v for v in (shift, axis))  # scalar tensors of a graph come as numbers
    if len(shift) != len(axis):
        raise invalid("shift and axis must have the same size [Op:Roll] name: ")
    for a in axis:
        if not -input.ndim <= a < input.ndim:
            raise invalid(f"axis {a} is out of range [Op:Roll] name: ")
    if isinstance(input, np.ndarray):
        return np.roll(input, tuple(shift), tuple(axis))
    return torch.roll(input, tuple(shift), tuple(axis))


roll.strings(roll.op.fn)


# --- blocks ----------------------------------------------------------------------------------------------------------
def _matrix(value: Any, m: int, what: str, op_name: str) -> list[tuple[int, int]]:
    if len(value) == m and all(type(r) is tuple and len(r) == 2 for r in value):
        return [tuple(r) for r in value]
    if len(value) == 2 * m and all(type(v) is int for v in value):
        return [(value[2 * i], value[2 * i + 1]) for i in range(m)]
    raise invalid(f"{what} should have shape [{m}, 2] instead of {_text(np.shape(value))} [Op:{op_name}] name: ")


@op("SpaceToBatchND", input=ANY, block_shape=INTS, paddings=INTS)
def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Any:  # noqa: A002
    """Blocks of the axes after the first, zero-padded, moved into the batch axis (`tf.space_to_batch`)."""
    m = len(block_shape)
    tail = "[Op:SpaceToBatchND] name: "
    if input.ndim < 1 + m:
        raise invalid(f"input rank should be >= {1 + m} instead of {input.ndim} {tail}")
    rows = _matrix(paddings, m, "paddings", "SpaceToBatchND")
    for i, b in enumerate(block_shape):
        if b < 1:
            raise invalid(f"All values in block_shape must be positive, got value, {b} at index {i}. {tail}")
    rest = input.ndim - 1 - m
    flat = [0, 0] * rest + [v for row in reversed(rows) for v in row]
    if min(flat, default=0) < 0:
        raise invalid(f"Paddings must be non-negative {tail}")
    padded = torch.constant_pad_nd(input, flat)
    shape = [padded.shape[0]]
    for i, b in enumerate(block_shape):
        if padded.shape[1 + i] % b:
            raise invalid(f"padded_shape[{i}]={padded.shape[1 + i]} is not divisible by block_shape[{i}]={b} {tail}")
        shape += [padded.shape[1 + i] // b, b]
    trailing = list(padded.shape[1 + m :])
    split = padded.reshape(shape + trailing)
    order = [*range(2, 2 * m + 1, 2), 0, *range(1, 2 * m + 1, 2), *range(2 * m + 1, split.ndim)]
    batch = input.shape[0]
    for b in block_shape:
        batch *= b
    return split.permute(order).reshape([batch, *shape[1::2], *trailing])


@space_to_batch.prepare
def _(input: Any, block_shape: Any, paddings: Any) -> tuple[Any, ...]:  # noqa: A002
    if isinstance(block_shape, (int, np.integer)):
        raise invalid("block_shape rank should be 1 instead of 0 [Op:SpaceToBatchND] name: ")
    return input, block_shape, paddings


def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:  # noqa: A002
    """Blocks of the axes after the first moved into the batch axis (`tf.space_to_batch_nd`)."""
    return space_to_batch(input, block_shape, paddings, name)


def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:  # noqa: A002
    """The inverse of `tf.space_to_batch`: parts of the batch axis interleaved into the following axes (`tf.batch_to_space`).

    An int `block_shape` stands for two equal numbers.
    """
    if isinstance(block_shape, int):
        block_shape = np.array([block_shape, block_shape], dtype=np.int64)
    return _batch_to_space(input, block_shape, crops, name)


@op("BatchToSpaceND", input=ANY, block_shape=INTS, crops=INTS)
def _batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Any:  # noqa: A002
    m = len(block_shape)
    tail = "[Op:BatchToSpaceND] name: "
    if input.ndim < 1 + m:
        raise invalid(f"input rank should be >= {1 + m} instead of {input.ndim} {tail}")
    rows = _matrix(crops, m, "crops", "BatchToSpaceND")
    if any(v < 0 for row in rows for v in row):
        raise invalid(f"Crops must be non-negative {tail}")
    product = 1
    for i, b in enumerate(block_shape):
        if b < 1:
            raise invalid(f"All values in block_shape must be positive, got value, {b} at index {i}. {tail}")
        product *= b
    batch = input.shape[0]
    if batch % product:
        raise invalid(f"Input batch dimension ({batch}) is not divisible by product of block sizes ({product}) {tail}")
    space, rest = list(input.shape[1 : 1 + m]), list(input.shape[1 + m :])
    split = input.reshape([*block_shape, batch // product, *space, *rest])
    order = [m]
    for i in range(m):
        order += [m + 1 + i, i]
    order += range(2 * m + 1, split.ndim)
    whole = split.permute(order).reshape([batch // product, *[s * b for s, b in zip(space, block_shape, strict=True)], *rest])
    index: list[Any] = [slice(None)]
    for i, (before, after) in enumerate(rows):
        size = whole.shape[1 + i]
        if before + after > size:
            raise invalid(f"cropped_shape[{i}]={size - before - after} must be non-negative {tail}")
        index.append(slice(before, size - after))
    return whole[tuple(index)]


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Paddings that make `input_shape` divisible by `block_shape`, and the crops that undo them
    (`tf.required_space_to_batch_paddings`)."""
    shape, block = convert_to_tensor(input_shape, dtypes.int32), convert_to_tensor(block_shape, dtypes.int32)
    block.shape.assert_has_rank(1)
    m = block.shape[0]
    if not shape.shape.is_compatible_with([m]):
        raise ValueError(f"Shapes {shape.shape} and {TensorShape([m]).as_list()} are incompatible")
    if m == 0:
        from .creation import zeros

        return zeros([0, 2], dtypes.int32), zeros([0, 2], dtypes.int32)
    if base_paddings is None:
        from .creation import zeros

        base = zeros([m, 2], dtypes.int32)
    else:
        base = convert_to_tensor(base_paddings, dtypes.int32)
        if not base.shape.is_compatible_with([m, 2]):
            raise ValueError(f"Shapes {base.shape} and [{m}, 2] are incompatible")
    from .joining import stack

    start, after = base[:, 0], base[:, 1]
    full = shape + start + after
    extra = (block - full % block) % block
    paddings = stack([start, after + extra], axis=1)
    crops = stack([extra * 0, extra], axis=1)
    return paddings, crops


# --- indices ---------------------------------------------------------------------------------------------------------
@op("UnravelIndex", indices=tensor(dtypes.int32, dtypes.int64), dims=tensor(dtypes.int32, dtypes.int64))
def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Any:
    """Coordinates, one row for each of `dims`, of flat indices (`tf.unravel_index`)."""
    tail = "[Op:UnravelIndex] name: "
    if dims.ndim != 1:
        raise invalid(f'The indices can only be 1-D, got "{_text(dims.shape)}" {tail}')
    if indices.ndim > 1:
        raise invalid(f'The indices can only be scalar or vector, got "{_text(indices.shape)}" {tail}')
    if dims.device.type == "meta":
        return dims.new_empty((dims.shape[0], *indices.shape))
    sizes = dims.tolist()
    for i, d in enumerate(sizes):
        if d == 0:
            raise invalid(f"Input dims cannot contain a dim of zero, but dims contains zero at index {i} {tail}")
    total = 1
    for d in sizes:
        total *= d
    if bool((indices >= total).any()):
        raise invalid(f"index is out of bound as with dims {tail}")
    rows, left = [], indices
    for d in reversed(sizes[1:]):
        rows.append(torch.fmod(left, d))
        left = torch.div(left, d, rounding_mode="trunc")
    rows.append(left)
    return torch.stack(rows[::-1])


def check_pinned(tensor: Any, name: str | None = None) -> Tensor:
    """`tensor` if its memory is page-locked, else InvalidArgumentError (`tf.check_pinned`)."""
    return _check_pinned(tensor, name)


@op("CheckPinned", tensor=ANY)
def _check_pinned(tensor: Any, name: str | None = None) -> Any:
    if tensor.device.type == "cpu" and not tensor.is_pinned():
        raise invalid("not pinned [Op:CheckPinned] name: ")
    return tensor


@op("ExtractVolumePatches", input=tensor(dtypes.REALS))
def extract_volume_patches(input: Any, ksizes: Any, strides: Any, padding: str, name: str | None = None) -> Any:  # noqa: A002
    """Patches of `[batch, planes, rows, columns, depth]` input, flattened into the last axis (`tf.extract_volume_patches`)."""
    tail = "[Op:ExtractVolumePatches] name: "
    if input.ndim != 5:
        raise invalid(f"input must be 5-dimensional{_text(input.shape)} {tail}")
    if padding not in ("SAME", "VALID"):
        raise invalid(f"Value for attr 'padding' of \"{padding}\" is not in the list of allowed values: \"SAME\", \"VALID\" {tail}")
    for what, values in (("ksizes", ksizes), ("strides", strides)):
        if len(values) != 5:
            raise invalid(f"Sliding window {what} field must specify 5 dimensions {tail}")
        if values[0] != 1 or values[4] != 1:
            from ..errors import UnimplementedError

            raise UnimplementedError(None, None, f"Only support {what} across space. {tail}")
    out = input
    for axis in (1, 2, 3):
        size, k, s = input.shape[axis], ksizes[axis], strides[axis]
        if padding == "SAME":
            missing = max((-(-size // s) - 1) * s + k - size, 0)
            out = _pad_axis(out, axis, missing)
        if out.shape[axis] < k:
            shape = list(out.shape)
            shape[axis] = 0
            out = out.new_zeros([*shape, k])
        else:
            out = out.unfold(axis, k, s)
    # [batch, planes, rows, columns, depth, kp, kr, kc]
    out = out.permute(0, 1, 2, 3, 5, 6, 7, 4)
    return out.reshape(*out.shape[:4], -1) if out.numel() else out.new_zeros([*out.shape[:4], int(np.prod(out.shape[4:]))])


def _pad_axis(t: Any, axis: int, missing: int) -> Any:
    flat = [0, 0] * (t.ndim - 1 - axis) + [missing // 2, missing - missing // 2]
    return torch.constant_pad_nd(t, flat)


_reverse_sequence.op.infer_fn.aid = True
