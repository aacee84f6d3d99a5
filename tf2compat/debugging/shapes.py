"""`tf.debugging.assert_shapes`."""

from __future__ import annotations

from typing import Any

from .._engine.convert import convert_to_tensor


def _describe(t: Any) -> str:
    return f"Tensor {t.name}" if hasattr(t, "_graph") else f"Tensor shape={t.shape} dtype={t.dtype.name}"


def assert_shapes(
    shapes: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """ValueError unless tensors have the given shapes, where equal symbols mean equal sizes (`tf.debugging.assert_shapes`).

    `shapes`: a dict or list of pairs (tensor, shape); an entry of a shape is an int, a symbol such as "N", None or "."
    for any size, and a leading or trailing "*" or Ellipsis for any number of dimensions. What `data` and `summarize` add
    to TensorFlow's message of a traced assertion is added here too.
    """
    pairs = list(shapes.items() if isinstance(shapes, dict) else shapes)
    head = f"{message}.  " if message else ""
    known: dict[str, tuple[int, str, int]] = {}
    for value, want in pairs:
        t = convert_to_tensor(getattr(value, "deref", lambda v=value: v)())
        shape = t.shape.as_list()
        want = list(want) if isinstance(want, (list, tuple, str)) or hasattr(want, "__iter__") else [want]
        wild = [i for i, w in enumerate(want) if w in ("*", Ellipsis)]
        start = 0
        if wild:
            if len(wild) > 1 or wild[0] not in (0, len(want) - 1):
                raise ValueError(f"Tensor dimension wildcards are only supported at the start or end of a shape: {want}")
            rest = len(want) - 1
            if len(shape) < rest:
                raise ValueError(f"{head}{_describe(t)} must have rank at least {rest}.  Received rank {len(shape)}, shape {t.shape}")
            if wild[0] == 0:
                want, start = want[1:], len(shape) - rest
            else:
                want = want[:-1]
        elif want == [()] or (len(want) == 0 and shape) or len(want) != len(shape):
            raise ValueError(f"{head}{_describe(t)} must have rank {len(want)}.  Received rank {len(shape)}, shape {t.shape}")
        for i, w in enumerate(want):
            at = start + i
            size = shape[at]
            if w is None or w == "." or size is None:
                continue
            try:
                fixed = int(w)
            except (TypeError, ValueError):
                if w not in known:
                    known[w] = (size, _describe(t), at)
                    continue
                fixed, where, dim = known[w]
                if fixed != size:
                    raise ValueError(
                        f"{head}Specified by {where[0].lower() + where[1:]} dimension {dim}.  {_describe(t)} dimension {at} must have "
                        f"size {fixed}.  Received size {size}, shape {t.shape}{_data(data)}"
                    ) from None
                continue
            if fixed != size:
                raise ValueError(
                    f"{head}Specified explicitly.  {_describe(t)} dimension {at} must have size {fixed}.  Received size {size}, "
                    f"shape {t.shape}{_data(data)}"
                )


def _data(data: Any) -> str:
    return "" if data is None else "\n" + "\n".join(str(d) for d in data)
