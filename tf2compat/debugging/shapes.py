"""`tf.debugging.assert_shapes`."""

from __future__ import annotations

from typing import Any

from .._engine.convert import convert_to_tensor
from ..sparse.sparse_tensor import SparseTensor


def _describe(t: Any) -> str:
    return f"Tensor {t.name}" if hasattr(t, "_graph") else f"Tensor shape={t.shape} dtype={t.dtype.name}"


def assert_shapes(
    shapes: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """ValueError unless tensors have the given shapes, where equal symbols mean equal sizes (`tf.debugging.assert_shapes`).

    `shapes`: a dict or list of pairs (tensor, shape); an entry of a shape is an int, a symbol such as "N", None or "."
    for any size, and a leading "*" or Ellipsis for any number of dimensions; a scalar fits where a vector of one element does. What `data` and `summarize` add
    to TensorFlow's message of a traced assertion is added here too.
    """
    pairs = list(shapes.items() if isinstance(shapes, dict) else shapes)
    head = f"{message}.  " if message else ""
    known: dict[Any, tuple[int, str, int]] = {}
    for value, entries in pairs:
        value = getattr(value, "deref", lambda v=value: v)()
        t = value if isinstance(value, SparseTensor) else convert_to_tensor(value)
        if entries is None:  # of which nothing is said
            continue
        shape = t.shape.as_list()
        if not hasattr(type(entries), "__iter__") and not hasattr(type(entries), "__getitem__"):
            raise ValueError(
                f"{head}{_describe(t)}.  Specified shape must be an iterable.  An iterable has the attribute `__iter__` or `__getitem__`.  "
                f"Received specified shape: {entries}"
            )
        want = list(entries)
        outer = bool(want) and want[0] in ("*", Ellipsis)
        for i, w in enumerate(want):
            if i and w in ("*", Ellipsis):
                raise ValueError(
                    f"{head}{_describe(t)} specified shape index {i}.  Symbol `...` or `*` for a variable number of unspecified dimensions "
                    "is only allowed as the first entry"
                )
        want = want[1:] if outer else want
        if outer and len(shape) < len(want):
            raise ValueError(f"{head}{_describe(t)} must have rank at least {len(want)}.  Received rank {len(shape)}, shape {t.shape}")
        if not outer and len(shape) < 2 and len(want) < 2:  # a scalar and a vector of one element are alike
            shape, want = shape or [1], want or [1]
        elif not outer and len(want) != len(shape):
            ranks = "in (0, 1)" if len(want) < 2 else len(want)
            raise ValueError(f"{head}{_describe(t)} must have rank {ranks}.  Received rank {len(shape)}, shape {t.shape}")
        for i, w in enumerate(want):
            at = i - len(want) if outer else i
            size = shape[at]
            if w is None or w == "." or size is None:
                continue
            try:
                fixed, source = int(w), "Specified explicitly."
            except (TypeError, ValueError):
                if w not in known:
                    known[w] = (size, _describe(t), at)
                    continue
                fixed, where, dim = known[w]
                source = f"Specified by {where[0].lower() + where[1:]} dimension {dim}."
            if fixed != size:
                raise ValueError(
                    f"{head}{source}  {_describe(t)} dimension {at} must have size {fixed}.  Received size {size}, shape {t.shape}{_data(data)}"
                )


def _data(data: Any) -> str:
    return "" if data is None else "\n" + "\n".join(str(d) for d in data)
