"""What TensorFlow's shape functions say of static shapes that do not fit, and the nodes with all their inputs that it shows.

Ops here take sizes, axes and paddings as arguments; TensorFlow's nodes have them as inputs of their own (`Reshape/shape`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = ["Said", "said"]

Shapes = list[list[Any] | None]


class Said:
    """A complaint: what is wrong; the node's op and attributes; its inputs as (name or tensor's index, shape); what is known of them."""

    def __init__(self, what: str, op: str, inputs: list[tuple[Any, Any]], known: str = "", attributes: str | None = None, node: str | None = None) -> None:
        self.what, self.op, self.inputs, self.known, self.attributes, self.node = what, op, inputs, known, attributes, node


def said(name: str, given: dict[str, Any], shapes: Shapes) -> Said | None:
    """The complaint of an op's shape function about arguments with these static shapes; None where the op's own words do."""
    tell = _TOLD.get(name)
    if tell is None or None in shapes:
        return None
    try:
        return tell(given, shapes)
    except (TypeError, IndexError, ValueError):  # arguments of another form
        return None


def _ints(value: Any) -> list[int]:
    out = [value] if type(value) is int else list(value)
    if any(type(v) is not int for v in out):
        raise TypeError("not static")
    return out


def _text(dims: Any) -> str:
    return "[" + ",".join("?" if d is None or d == -1 else str(d) for d in dims) + "]"


def _computed(**at: Any) -> str:
    told = ", ".join(f"input[{k[1:]}] = <{v}>" for k, v in at.items())
    return f" and with computed input tensors: {told}"


def _partial(index: int, dims: Any) -> str:
    return f" and with input tensors computed as partial shapes: input[{index}] = {_text(dims)}"


def _unequal(a: list[Any], b: list[Any]) -> str | None:
    if len(a) != len(b):
        return f"Shapes must be equal rank, but are {len(a)} and {len(b)}"
    for i, (m, n) in enumerate(zip(a, b, strict=True)):
        if None not in (m, n) and m != n:
            return f"Dimension {i} in both shapes must be equal, but are {m} and {n}. Shapes are {_text(a)} and {_text(b)}."
    return None


def _merged(shapes: list[list[Any]]) -> str | None:
    """Equal shapes, looked at from the last on."""
    for i in range(len(shapes) - 2, -1, -1):
        found = _unequal(shapes[i], shapes[i + 1])
        if found is not None:
            return f"{found}\n\tFrom merging shape {i} with other shapes."
    return None


def _tensors(shapes: Shapes) -> list[tuple[Any, Any]]:
    return list(enumerate(shapes))


def _reshape(given: dict[str, Any], shapes: Shapes) -> Said | None:
    dims, have = _ints(given["shape"]), shapes[0] or []
    size, wanted = math.prod(d for d in have if d is not None), math.prod(d for d in dims if d != -1)
    if None in have:
        if -1 in dims or not size or wanted % size == 0:
            return None
        what = f"Dimension size must be evenly divisible by {size} but is {wanted}"
    elif size == wanted or (-1 in dims and wanted and size % wanted == 0):
        return None
    elif -1 in dims:
        what = f"Dimension size must be evenly divisible by {wanted} but is {size}"
    else:
        what = f"Cannot reshape a tensor with {size} elements to shape {_text(dims)} ({wanted} elements)"
    return Said(what, "Reshape", [(0, shapes[0]), ("shape", [len(dims)])], _partial(1, dims))


def _concat(given: dict[str, Any], shapes: Shapes) -> Said | None:
    (axis,) = _ints(given["axis"])
    rank = len(shapes[0])  # type: ignore[arg-type]
    what = None
    for dims in shapes[1:]:
        if len(dims) != rank:  # type: ignore[arg-type]
            what = f"Shape must be rank {rank} but is rank {len(dims)}"  # type: ignore[arg-type]
            break
    else:
        at = axis % rank
        rest = [d[:at] + d[at + 1 :] for d in shapes]  # type: ignore[index]
        for dims in rest[1:]:
            what = what or _unequal(rest[0], dims)
    if what is None:
        return None
    return Said(what, "ConcatV2", [*_tensors(shapes), ("axis", [])], _computed(**{f"i{len(shapes)}": axis}))


def _pack(given: dict[str, Any], shapes: Shapes) -> Said | None:
    what = _merged(shapes)  # type: ignore[arg-type]
    return None if what is None else Said(what, "Pack", _tensors(shapes))


def _add_n(given: dict[str, Any], shapes: Shapes) -> Said | None:
    what = _merged(shapes)  # type: ignore[arg-type]
    return None if what is None else Said(what, "AddN", _tensors(shapes))


def _matmul(given: dict[str, Any], shapes: Shapes) -> Said | None:
    ranks = [len(s) for s in shapes]  # type: ignore[arg-type]
    low = next((r for r in ranks if r < 2), None)
    return None if low is None or max(ranks) > 2 else Said(f"Shape must be rank 2 but is rank {low}", "MatMul", _tensors(shapes))


def _bias(given: dict[str, Any], shapes: Shapes) -> Said | None:
    value, bias = shapes
    size = value[1 if str(given.get("data_format")).startswith("NC") else -1]  # type: ignore[index]
    if len(bias) != 1 or None in (size, bias[0]) or size == bias[0]:  # type: ignore[arg-type, index]
        return None
    return Said(f"Dimensions must be equal, but are {size} and {bias[0]}", "BiasAdd", _tensors(shapes))  # type: ignore[index]


def _conv(given: dict[str, Any], shapes: Shapes) -> Said | None:
    image, kernel = shapes
    formatted = given.get("data_format") or "NHWC"
    depth, wanted = image[1 if formatted == "NCHW" else -1], kernel[-2]  # type: ignore[index]
    if len(image) != 4 or len(kernel) != 4:  # type: ignore[arg-type]
        wrong = image if len(image) != 4 else kernel  # type: ignore[arg-type]
        return Said(f"Shape must be rank 4 but is rank {len(wrong)}", "Conv2D", _tensors(shapes))  # type: ignore[arg-type]
    if depth % wanted == 0:
        return None

    def four(value: Any) -> list[int]:
        numbers = _ints(1 if value is None else value)
        numbers = numbers * 2 if len(numbers) == 1 else numbers
        return numbers if len(numbers) == 4 else [1, *numbers, 1] if formatted == "NHWC" else [1, 1, *numbers]

    attributes = (
        f'data_format="{formatted}", dilations={four(given.get("dilations"))}, explicit_paddings=[], padding="{given["padding"]}", '
        f'strides={four(given.get("strides"))}, use_cudnn_on_gpu=true'
    )
    return Said(f"Depth of input ({depth}) is not a multiple of input depth of filter ({wanted})", "Conv2D", _tensors(shapes), attributes=attributes)


def _select(given: dict[str, Any], shapes: Shapes) -> Said | None:
    condition, x, y = shapes
    for a, b in ((x, y), (condition, x), (condition, y)):
        rank = max(len(a), len(b))  # type: ignore[arg-type]
        for m, n in zip([1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b, strict=True):  # type: ignore[arg-type, operator]
            if None not in (m, n) and m != n and 1 not in (m, n):
                return Said(f"Dimensions must be equal, but are {m} and {n}", "SelectV2", _tensors(shapes))
    return None


def _crossentropy(given: dict[str, Any], shapes: Shapes) -> Said | None:
    labels, logits = shapes
    if None in (*labels, *logits):  # type: ignore[misc]
        return None
    for m, n in zip(logits, labels, strict=True):  # type: ignore[arg-type]
        if m != n:
            node = "softmax_cross_entropy_with_logits"
            return Said(
                f"Dimensions must be equal, but are {m} and {n}", "SoftmaxCrossEntropyWithLogits",
                [("Reshape", logits), ("Reshape_1", labels)], node=node,
            )  # fmt: skip
    return None


def _split(given: dict[str, Any], shapes: Shapes) -> Said | None:
    (axis,), (ways,) = _ints(given["axis"]), _ints(given["num_or_size_splits"])
    size = shapes[0][axis]  # type: ignore[index]
    if size % ways == 0:
        return None
    what = f"Dimension size must be evenly divisible by {ways} but is {size}\n\tNumber of ways to split should evenly divide the split dimension"
    return Said(what, "Split", [("split_dim", []), (0, shapes[0])], _computed(i0=axis), f"num_split={ways}")


def _transpose(given: dict[str, Any], shapes: Shapes) -> Said | None:
    perm, rank = _ints(given["perm"]), len(shapes[0])  # type: ignore[arg-type]
    if len(perm) == rank:
        return None
    return Said(f"Dimension must be {rank} but is {len(perm)}", "Transpose", [(0, shapes[0]), ("perm", [len(perm)])])


def _squeeze(given: dict[str, Any], shapes: Shapes) -> Said | None:
    axes = _ints(given["axis"])
    for axis in axes:
        size = shapes[0][axis]  # type: ignore[index]
        if size not in (1, None):
            at = axis % len(shapes[0])  # type: ignore[arg-type]
            return Said(f"Can not squeeze dim[{at}], expected a dimension of 1, got {size}", "Squeeze", _tensors(shapes), attributes=f"squeeze_dims={axes}")
    return None


def _broadcast(given: dict[str, Any], shapes: Shapes) -> Said | None:
    wanted, have = _ints(given["shape"]), shapes[0]
    if len(have) > len(wanted):  # type: ignore[arg-type]
        return None
    padded = [1] * (len(wanted) - len(have)) + have  # type: ignore[arg-type, operator]
    for m, n in zip(padded, wanted, strict=True):
        if m not in (n, 1, None):
            return Said(f"Dimensions must be equal, but are {m} and {n}", "BroadcastTo", [(0, have), ("shape", [len(wanted)])], _partial(1, wanted))
    return None


def _tile(given: dict[str, Any], shapes: Shapes) -> Said | None:
    multiples, rank = _ints(given["multiples"]), len(shapes[0])  # type: ignore[arg-type]
    if len(multiples) == rank:
        return None
    return Said(f"Shape must be rank {rank} but is rank {len(multiples)}", "Tile", [(0, shapes[0]), ("multiples", [len(multiples)])])


def _gather(given: dict[str, Any], shapes: Shapes) -> Said | None:
    (axis,), rank = _ints(0 if given["axis"] is None else given["axis"]), len(shapes[0])  # type: ignore[arg-type]
    least = axis + 1 if axis >= 0 else -axis
    if rank >= least:
        return None
    what = f"Shape must be at least rank {least} but is rank {rank}"
    return Said(what, "GatherV2", [(0, shapes[0]), (1 if len(shapes) > 1 else "indices", shapes[1]), ("axis", [])], _computed(i2=axis))


def _reduction(name: str) -> Callable[..., Said | None]:
    def tell(given: dict[str, Any], shapes: Shapes) -> Said | None:
        axes, rank = _ints(given["axis"]), len(shapes[0])  # type: ignore[arg-type]
        wrong = next((a for a in axes if not -rank <= a < rank), None)
        if wrong is None:
            return None
        dims: list[int] = [] if type(given["axis"]) is int else [len(axes)]
        what = f"Invalid reduction dimension {wrong} for input with {rank} dimensions."
        return Said(what, name, [(0, shapes[0]), ("reduction_indices", dims)], _computed(i1=" ".join(map(str, axes))))

    return tell


def _expand(given: dict[str, Any], shapes: Shapes) -> Said | None:
    (axis,), rank = _ints(given["axis"]), len(shapes[0])  # type: ignore[arg-type]
    if -rank - 1 <= axis <= rank:
        return None
    return Said(f"dim {axis} not in the interval [{-rank - 1}, {rank}].", "ExpandDims", [(0, shapes[0]), ("dim", [])], _computed(i1=axis))


def _pad(given: dict[str, Any], shapes: Shapes) -> Said | None:
    rows, rank = [list(r) for r in given["rows"]], len(shapes[0])  # type: ignore[arg-type]
    if len(rows) == rank:
        return None
    name = "Pad" if given.get("constant_values") is None else "PadV2"
    return Said(f"Shape must be rank {len(rows)} but is rank {rank}", name, [(0, shapes[0]), ("paddings", [len(rows), 2])])


def _strided(given: dict[str, Any], shapes: Shapes) -> Said | None:
    index, dims = given["index"], shapes[0]
    spec = list(index) if isinstance(index, tuple) else [index]
    stacks = [("stack", [len(spec)]), ("stack_1", [len(spec)]), ("stack_2", [len(spec)])]
    taken = [v for v in spec if v is not None and v is not Ellipsis]
    if len(taken) > len(dims):  # type: ignore[arg-type]
        what = f"Index out of range using input dim {len(dims)}; input has only {len(dims)} dims"  # type: ignore[arg-type]
        steps = [v.step or 1 if isinstance(v, slice) else 1 for v in spec]
        return Said(what, "StridedSlice", [(0, dims), *stacks], _computed(i3=" ".join(map(str, steps))))
    for i, v in enumerate(spec):
        if isinstance(v, slice):
            continue
        if type(v) is not int:
            return None
        size = dims[i]  # type: ignore[index]
        if size is not None and not -size <= v < size:
            bounds = [(v.start or 0, v.stop or 0, v.step or 1) if isinstance(v, slice) else (v, v + 1 if v != -1 else 0, 1) for v in spec]
            begins, ends, steps = (" ".join(map(str, column)) for column in zip(*bounds, strict=True))
            what = f"slice index {v} of dimension {i} out of bounds."
            return Said(what, "StridedSlice", [(0, dims), *stacks], _computed(i1=begins, i2=ends, i3=steps))
    return None


def _einsum(given: dict[str, Any], shapes: Shapes) -> Said | None:
    terms, sizes = given["equation"].replace(" ", "").partition("->")[0].split(","), dict[str, int]()
    for term, dims in zip(terms, shapes, strict=True):
        if "." in term or len(term) != len(dims):  # type: ignore[arg-type]
            return None
        for letter, size in zip(term, dims, strict=True):  # type: ignore[arg-type]
            known = size if size is None else sizes.setdefault(letter, size)
            if known != size:
                return Said(f"Dimensions must be equal, but are {known} and {size}", "Einsum", _tensors(shapes), attributes=f'equation="{given["equation"]}"', node="einsum/Einsum")
    return None


def _unpack(given: dict[str, Any], shapes: Shapes) -> Said | None:
    (num,), (axis,) = _ints(given["num"]), _ints(given["axis"])
    size = shapes[0][axis]  # type: ignore[index]
    return None if size in (num, None) else Said(f"Dimension must be {num} but is {size}", "Unpack", _tensors(shapes), attributes=f"axis={axis}, num={num}")


def _one_hot(given: dict[str, Any], shapes: Shapes) -> Said | None:
    (depth,) = _ints(given["depth"])
    if depth >= 0:
        return None
    inputs = [(0, shapes[0]), ("depth", []), ("on_value", []), ("off_value", [])]
    what = f"Dimension size, given by scalar input 1, must be non-negative but is {depth}"
    return Said(what, "OneHot", inputs, _computed(i1=depth), node="one_hot")


_TOLD: dict[str, Callable[..., Said | None]] = {
    "AddN": _add_n, "BiasAdd": _bias, "BroadcastTo": _broadcast, "ConcatV2": _concat, "Conv2D": _conv, "Einsum": _einsum, "ExpandDims": _expand,
    "GatherV2": _gather, "MatMul": _matmul, "OneHot": _one_hot, "Pack": _pack, "PadV2": _pad, "Reshape": _reshape, "SelectV2": _select,
    "SoftmaxCrossEntropyWithLogits": _crossentropy, "SplitV": _split, "Squeeze": _squeeze, "StridedSlice": _strided, "Tile": _tile,
    "Transpose": _transpose, "Unpack": _unpack,
    **{name: _reduction(name) for name in ("All", "Any", "Max", "Mean", "Min", "Prod", "Sum")},
}  # fmt: skip
