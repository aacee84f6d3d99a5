"""Lengths, parts, case, splitting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import int32, int64, string
from .._engine.op import invalid, op, tensor
from .elementwise import each, numbers, vector

_STRING = tensor(string)


def _unit(unit: str, name: str) -> bool:
    """Whether characters are counted, not bytes."""
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise invalid(f'Value for attr \'unit\' of "{unit}" is not in the list of allowed values: "BYTE", "UTF8_CHAR" [Op:{name}] name: ')
    return unit == "UTF8_CHAR"


def _starts(s: bytes) -> list[int]:
    """Where each UTF-8 character begins (continuation bytes belong to the one before)."""
    return [i for i, b in enumerate(s) if b & 0xC0 != 0x80]


@op("StringLength", input=_STRING)
def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Any:  # noqa: A002
    """Bytes, or UTF-8 characters, of each string, int32 (`tf.strings.length`)."""
    if _unit(unit, "StringLength"):
        return numbers(lambda s: len(_starts(s)), input, torch.int32)
    return numbers(len, input, torch.int32)


_UPPER_TO_LOWER = bytes(b + 32 if 65 <= b <= 90 else b for b in range(256))
_LOWER_TO_UPPER = bytes(b - 32 if 97 <= b <= 122 else b for b in range(256))


def _encoding(encoding: str, name: str) -> bool:
    if encoding not in ("", "utf-8"):
        raise invalid(f"only utf-8 or '' (no encoding) is supported, received {encoding} [Op:{name}] name: ")
    return encoding == "utf-8"


@op("StringLower", input=_STRING)
def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:  # noqa: A002
    """Lower case: of ASCII letters, or of all with `encoding="utf-8"` (`tf.strings.lower`)."""
    if _encoding(encoding, "StringLower"):
        return each(lambda s: s.decode("utf-8", "replace").lower().encode(), input)
    return each(lambda s: s.translate(_UPPER_TO_LOWER), input)


@op("StringUpper", input=_STRING)
def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:  # noqa: A002
    """Upper case: of ASCII letters, or of all with `encoding="utf-8"` (`tf.strings.upper`)."""
    if _encoding(encoding, "StringUpper"):
        return each(lambda s: s.decode("utf-8", "replace").upper().encode(), input)
    return each(lambda s: s.translate(_LOWER_TO_UPPER), input)


@op("StringStrip", input=_STRING)
def strip(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Strings without ASCII white space at their ends (`tf.strings.strip`)."""
    return each(lambda s: s.strip(b" \t\n\r\v\f"), input)


@op("Substr", input=_STRING, pos=tensor(int32, int64, group="I"), len=tensor(int32, int64, group="I"))
def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Any:  # noqa: A002
    """Parts of strings, `len` units from `pos`, with broadcasting; a negative `pos` counts from the end (`tf.strings.substr`)."""
    characters = _unit(unit, "Substr")
    if pos.shape != len.shape:
        raise invalid(f"pos and len should have the same shape, got: {list(pos.shape)} vs. {list(len.shape)} [Op:Substr] name: ")
    if pos.device.type == "meta":
        shape = np.broadcast_shapes(input.shape, tuple(pos.shape))
        return np.broadcast_to(np.array(b"", dtype=object), shape)
    if not characters and pos.numel() == 1 and input.ndim >= pos.ndim:  # the same part of each
        at, n = int(pos), max(0, int(len))
        low = min([s.__len__() for s in input.reshape(-1).tolist()], default=0)
        if -low <= at <= low:
            if at >= 0:
                return each(lambda s: s[at : at + n], input)
            return each(lambda s: s[at : at + n or None] if n < -at else s[at:], input)
    strings, starts, lengths = np.broadcast_arrays(input, pos.cpu().numpy(), len.cpu().numpy())
    out = np.empty(strings.shape, dtype=object)
    flat = out.reshape(-1)
    for i, (s, p, n) in enumerate(zip(strings.reshape(-1), starts.reshape(-1).tolist(), lengths.reshape(-1).tolist(), strict=True)):
        marks = _starts(s) if characters else None
        size = s.__len__() if marks is None else marks.__len__()
        if not -size <= p <= size:
            raise invalid(f"pos {p} out of range for string b'{s.decode(errors='backslashreplace')}' at index {i} [Op:Substr] name: ")
        first = p + size if p < 0 else p
        last = min(size, first + max(0, n))
        if marks is None:
            flat[i] = s[first:last]
        else:
            ends = [*marks, s.__len__()]
            flat[i] = s[ends[first] : ends[last]]
    return out


@op("StringBytesSplit", multi=True, input=_STRING)
def _bytes_of(input: Any) -> Any:  # noqa: A002
    return _rows([[s[i : i + 1] for i in range(len(s))] for s in input.reshape(-1)])


@op("StringSplitV2", multi=True, input=_STRING, sep=_STRING)
def _split(input: Any, sep: Any, maxsplit: int) -> Any:  # noqa: A002
    by = sep.item()
    return _rows([(s.split(None, maxsplit) if not by else s.split(by, maxsplit)) for s in input.reshape(-1)])


def _rows(rows: list[list[bytes]]) -> tuple[np.ndarray, torch.Tensor]:
    splits = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(r) for r in rows], out=splits[1:])
    return vector([s for r in rows for s in r]), torch.from_numpy(splits)


def _row_specs(input: Any, *rest: Any) -> Any:  # noqa: A002
    dims = tuple(input.shape) if not hasattr(input.shape, "as_list") else tuple(input.shape.as_list() or ())
    n = dims[0] if len(dims) == 1 and dims[0] is not None else None
    return [(string, (None,)), (dtypes.int64, (None if n is None else n + 1,))]


for _f in (_bytes_of, _split):
    _f.infer(_row_specs)
    _f.strings(_f.op.fn)
for _f in (length, lower, upper, strip, substr):
    _f.strings(_f.op.fn)


def ragged_like(value: Any, pieces: Any) -> Any:
    """Rows of pieces for a tensor of any rank: a vector for a scalar, a ragged tensor otherwise.

    `pieces` maps a vector of strings to (flat values, row splits).
    """
    from .. import RaggedTensor, reshape

    if isinstance(value, RaggedTensor):
        return value.with_flat_values(ragged_like(value.flat_values, pieces))
    rank = value.shape.rank
    if rank is None:
        raise ValueError("input must have a statically-known rank.")
    if rank == 0:
        return pieces(reshape(value, [1]))[0]
    if rank == 1:
        flat, splits = pieces(value)
        return RaggedTensor.from_row_splits(flat, splits, validate=False)
    flat = ragged_like(reshape(value, [-1]), pieces)
    rows: Any = flat
    for axis in reversed(range(1, rank)):
        rows = _rows_of_axis(rows, value, axis)
    return rows


def _rows_of_axis(values: Any, dense: Any, axis: int) -> Any:
    """`values` in rows of the length of a dimension of `dense`, where sizes are known when the function runs."""
    from .. import RaggedTensor, cast, range, reduce_prod, shape

    sizes = dense.shape.as_list()
    if None not in sizes[: axis + 1]:
        return RaggedTensor.from_uniform_row_length(values, sizes[axis], nrows=math.prod(sizes[:axis]))
    told = cast(shape(dense), dtypes.int64)
    count = math.prod(sizes[:axis]) if None not in sizes[:axis] else reduce_prod(told[:axis])
    if sizes[axis] is not None:
        return RaggedTensor.from_uniform_row_length(values, sizes[axis], nrows=count, validate=False)
    return RaggedTensor.from_row_splits(values, range(cast(count, dtypes.int64) + 1) * told[axis], validate=False)


def _strings(value: Any) -> Any:
    if hasattr(type(value), "_tensor"):  # of NumPy arrays, as version 1 has them
        return value._tensor()
    from .._engine.tensor import Tensor

    if isinstance(value, Tensor) or hasattr(type(value), "_tf_op"):
        return value
    if isinstance(value, (list, tuple)):
        try:
            return convert_to_tensor(value, string)
        except ValueError:
            from .. import ragged

            return ragged.constant(value, dtype=string)
    return convert_to_tensor(value, string)


def bytes_split(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Each string as its bytes: a vector for a scalar, else a ragged tensor (`tf.strings.bytes_split`)."""
    return ragged_like(_strings(input), _bytes_of)


def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None) -> Any:  # noqa: A002
    """Each string split at `sep`, or at white space (`tf.strings.split`): a vector for a scalar, else a ragged tensor."""
    by = convert_to_tensor("" if sep is None else sep, string)
    return ragged_like(_strings(input), lambda v: _split(v, by, maxsplit))
