"""Between numbers and their text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.dtypes import COMPLEXES, FLOATS, INTS, float32, string
from .._engine.dtypes import bool as bool_
from .._engine.op import DTYPE, invalid, op, tensor
from .._engine.tensor import numpy_of
from .elementwise import each

_INT = re.compile(rb"\s*[+-]?\d+\s*")


@op("AsString", input=tensor(FLOATS, INTS, COMPLEXES, bool_, string))
def as_string(
    input: Any,  # noqa: A002
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Any:
    """Numbers, booleans as text (`tf.strings.as_string`): `%f` with 6 digits for floats, or as the flags say."""
    return _as_string(input, precision, scientific, shortest, width, fill)


def _as_string(value: Any, precision: int, scientific: bool, shortest: bool, width: int, fill: str) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value if width <= 0 else each(lambda s: (b"%*s" % (width, s)), value)
    if scientific and shortest:
        raise invalid("Cannot select both scientific and shortest notation [Op:AsString] name: ")
    if len(fill) > 1:
        raise invalid(f"Fill string must be one or fewer characters [Op:AsString] name: ")  # noqa: F541
    if fill not in ("", " ", "-", "0", "+"):
        raise invalid(f"Fill argument not supported: {fill!r} [Op:AsString] name: ")
    floating = value.is_floating_point() or value.is_complex()
    if precision >= 0 and not floating:
        raise invalid(f"precision not supported for datatype {dtypes.of(value).name} [Op:AsString] name: ")
    if (scientific or shortest) and not floating:
        raise invalid(f"scientific and shortest format not supported for datatype {dtypes.of(value).name} [Op:AsString] name: ")
    kind = "e" if scientific else "g" if shortest else "f"
    spec = "%" + fill + (str(width) if width > -1 else "") + (f".{precision}" if precision > -1 else "")
    if value.device.type == "meta":
        return np.broadcast_to(np.array(b"", dtype=object), tuple(value.shape))
    array = numpy_of(value)
    if value.dtype is torch.bool:
        text = [b"true" if v else b"false" for v in array.reshape(-1)]
    elif value.is_complex():
        text = [f"({(spec + kind) % v.real},{(spec + kind) % v.imag})".encode() for v in array.reshape(-1).tolist()]
    elif floating:
        text = [((spec + kind) % float(v)).encode() for v in array.reshape(-1)]
    else:
        text = [((spec + "d") % int(v)).encode() for v in array.reshape(-1)]
    out = np.empty(len(text), dtype=object)
    out[:] = text
    return out.reshape(array.shape)


as_string.strings(_as_string)


@op("StringToNumber", input=tensor(string), out_type=DTYPE)
def to_number(input: Any, out_type: Any = float32, name: str | None = None) -> Any:  # noqa: A002
    """Numbers from their text; InvalidArgumentError for text that is none (`tf.strings.to_number`)."""
    if out_type not in (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64):
        raise invalid(
            f"Value for attr 'out_type' of {out_type._cpp} is not in the list of allowed values: float, double, int32, int64, uint32, "
            "uint64 [Op:StringToNumber] name: "
        )
    floating = out_type.is_floating
    flat = input.reshape(-1)
    values: list[Any] = []
    low, high = (0, 0) if floating else (int(np.iinfo(out_type.as_numpy_dtype).min), int(np.iinfo(out_type.as_numpy_dtype).max))
    for s in flat:
        try:
            if floating:
                if b"_" in s:
                    raise ValueError(s)
                values.append(float(s))
            else:
                if not _INT.fullmatch(s):
                    raise ValueError(s)
                n = int(s)
                if not low <= n <= high:
                    raise ValueError(s)
                values.append(n)
        except ValueError:
            raise invalid(f"StringToNumberOp could not correctly convert string: {s.decode(errors='replace')} [Op:StringToNumber] name: ") from None
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite
        return torch.from_numpy(np.array(values, dtype=out_type.as_numpy_dtype).reshape(input.shape))


to_number.strings(to_number.op.fn)
to_number.infer(lambda input, out_type: [(out_type, tuple(input.shape))])
