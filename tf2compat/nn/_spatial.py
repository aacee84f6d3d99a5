"""What convolutions and poolings share: strides, windows, paddings and data formats in TensorFlow's terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from .._engine.op import invalid
from .._engine.tensor import Tensor

#: permutations from channels-last to channels-first and back, by the number of spatial dimensions
TO_FIRST = {1: (0, 2, 1), 2: (0, 3, 1, 2), 3: (0, 4, 1, 2, 3)}
TO_LAST = {1: (0, 2, 1), 2: (0, 2, 3, 1), 3: (0, 2, 3, 4, 1)}
#: filters: spatial, in, out -> out, in, spatial
FILTER = {1: (2, 1, 0), 2: (3, 2, 0, 1), 3: (4, 3, 0, 1, 2)}
#: filters of transposed convolutions: spatial, out, in -> in, out, spatial
MEMORY = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}
FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def dims(shape: Any) -> str:
    """A shape as TensorFlow's kernels write it."""
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


def unimplemented(message: str) -> Exception:
    """An UnimplementedError to raise inside an op."""
    from ..errors import UnimplementedError

    return UnimplementedError(None, None, message)


def not_allowed(attr: str, value: Any, allowed: Sequence[str], op: str) -> Exception:
    """What TensorFlow raises for a value that an op's attribute cannot have."""
    listed = ", ".join(f'"{a}"' for a in allowed)
    return invalid(f"Value for attr '{attr}' of \"{value}\" is not in the list of allowed values: {listed} [Op:{op}] name: ")


def as_list(value: Any, param: str, op: str) -> list[int]:
    """A list argument that an op declares as such: a bare number is a TypeError, as in TensorFlow."""
    if isinstance(value, Tensor):
        value = value.numpy().tolist()
    if not isinstance(value, (list, tuple)) and not hasattr(value, "__len__"):
        raise TypeError(f"Expected list for '{param}' argument to '{op}' Op, not {value!r}.")
    return [int(v) for v in value]


def sequence(value: Any, n: int, channel: int, name: str) -> tuple[int, ...]:
    """`value` (a number, or 1, n or n + 2 of them) as n + 2 numbers, batch and channels included."""
    if value is None:
        return (1,) * (n + 2)
    if isinstance(value, Tensor):
        value = value.numpy()
    values = [int(v) for v in value] if hasattr(value, "__len__") else [int(value)]
    if len(values) not in (1, n, n + 2):
        raise ValueError(f"{name} should be of length 1, {n} or {n + 2}. Received: {name}={value} of length {len(values)}")
    if len(values) == n + 2:
        return tuple(values)
    if len(values) == 1:
        values = values * n
    return (1, 1, *values) if channel == 1 else (1, *values, 1)


def is_first(data_format: Any, n: int, op: str) -> bool:
    """Whether channels come first; InvalidArgumentError for a format that the op does not have."""
    if data_format is None:
        return False
    last, first = FORMATS[n]
    if data_format == last:
        return False
    if data_format == first:
        return True
    raise not_allowed("data_format", data_format, FORMATS[n], op)


def spatial(values: Sequence[int], first: bool) -> tuple[int, ...]:
    """The spatial part of n + 2 numbers."""
    return tuple(values[2:]) if first else tuple(values[1:-1])


def check_padding(padding: Any, n: int, op: str, explicit: bool = True) -> Any:
    """`padding` as "SAME", "VALID" or a tuple of n + 2 pairs."""
    if isinstance(padding, str):
        if padding not in ("SAME", "VALID"):
            raise not_allowed("padding", padding, ("SAME", "VALID", "EXPLICIT") if explicit else ("SAME", "VALID"), op)
        return padding
    if not explicit:
        raise TypeError(f"Expected string for argument 'padding' not {padding}.")
    if isinstance(padding, Tensor):
        padding = padding.numpy().tolist()
    if not isinstance(padding, (list, tuple)):
        raise not_allowed("padding", padding, ("SAME", "VALID", "EXPLICIT"), op)
    if len(padding) != n + 2:
        raise ValueError(f"When padding is a list, it must be of size {n + 2}. Received: padding={padding} of size {len(padding)}")
    pairs = []
    for i, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)):
            raise ValueError(f"When padding is a list, each element of padding must be a list/tuple of size 2. Received: padding={padding} with element at index {i} of type {type(pair)}")
        if len(pair) != 2:
            raise ValueError(f"When padding is a list, each element of padding must be a list/tuple of size 2. Received: padding={padding} with element at index {i} of size {len(pair)}")
        pairs.append((int(pair[0]), int(pair[1])))
    return tuple(pairs)


def explicit_pairs(padding: Any, first: bool, op: str) -> tuple[tuple[int, int], ...]:
    """The spatial pairs of an explicit padding."""
    outside = (padding[0], padding[1]) if first else (padding[0], padding[-1])
    if any(p != (0, 0) for p in outside):
        raise invalid(f"Nonzero explicit padding in the batch or depth dimensions is not supported [Op:{op}] name: ")
    pairs = tuple(padding[2:] if first else padding[1:-1])
    if any(p < 0 for pair in pairs for p in pair):
        raise invalid(f"All elements of explicit_paddings must be nonnegative [Op:{op}] name: ")
    return pairs


def pairs_of(padding: Any, sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], rates: Sequence[int]) -> Any:
    """(before, after) of each spatial dimension: TensorFlow's SAME puts the odd one after."""
    if padding == "VALID":
        return ((0, 0),) * len(window)
    if padding != "SAME":
        return padding
    found = []
    for size, k, s, r in zip(sizes, window, strides, rates, strict=True):
        total = ((size + s - 1) // s - 1) * s + (k - 1) * r + 1 - size
        total = total if total > 0 else 0
        found.append((total // 2, total - total // 2))
    return tuple(found)


def symmetric(pairs: Any) -> bool:
    return all(lo == hi for lo, hi in pairs)


def pad(x: torch.Tensor, pairs: Any, value: float = 0.0) -> torch.Tensor:
    """Pad the trailing spatial dimensions of a channels-first tensor."""
    flat: list[int] = []
    for lo, hi in reversed(pairs):
        flat += (lo, hi)
    return F.pad(x, flat, value=value)


def out_size(size: int, k: int, s: int, r: int, pair: tuple[int, int]) -> int:
    n = size + pair[0] + pair[1] - (k - 1) * r - 1
    return n // s + 1 if n >= 0 else 0


def nothing_left(x: torch.Tensor, *each: Any, allowed: bool = False) -> Any:
    """The sizes of an empty result, None when it is not; InvalidArgumentError where a window is larger than what there is to slide over.

    `each` are the windows, strides, rates and pairs of padding of the dimensions after the second. Shape inference tries sizes that are not
    the program's: on its tensors an empty result is one, as where that is `allowed`.
    """
    sizes = x.shape[2:]
    found = [out_size(*d) for d in zip(sizes, *each, strict=True)]
    if 0 not in found:
        return None
    if not allowed and x.device.type != "meta":
        for size, left, k, s, r, pair in zip(sizes, found, *each, strict=True):
            if left == 0 and size:
                given, wide = size + sum(pair), (k - 1) * r + 1
                computed = int((given - wide + s) / s)
                if computed < 0:  # none at all is an empty result
                    raise invalid(f"Computed output size would be negative: {computed} [input_size: {given}, effective_filter_size: {wide}, stride: {s}]")
    return found
