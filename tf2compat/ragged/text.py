"""What `tf.print` and `tf.strings.format` show of ragged tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from .._engine.dtypes import string
from .._engine.op import ANYS, op


@op("RaggedText", parts=ANYS)
def _text(parts: Any, summarize: Any) -> Any:
    """The flat values, texts already, in brackets by the row splits that follow them."""
    flat, *splits = parts
    bounds = [s.tolist() for s in splits]
    edge = None if summarize in (None, -1) else int(summarize)

    def among(texts: list[str]) -> str:
        if edge is not None and len(texts) > 2 * edge:
            texts = [*texts[:edge], "...", *texts[-edge:]]
        return "[" + ", ".join(texts) + "]"

    def dense(value: Any) -> str:
        return among([dense(v) for v in value]) if isinstance(value, np.ndarray) else value.decode("utf-8", "replace")

    level = [dense(v) for v in flat]
    for rows in reversed(bounds):
        level = [among(level[a:b]) for a, b in zip(rows[:-1], rows[1:], strict=True)]
    return np.array(among(level).encode(), dtype=object)


_text.infer(lambda *args: [(string, ())])
_text.strings(_text.op.fn)


def text(rt: Any, summarize: int | None = 3) -> Any:
    """A string with nested lists of values, of each of them only the first and last `summarize` unless it is -1 or None."""
    if summarize not in (None, -1) and not (isinstance(summarize, int) and summarize > 0):
        raise ValueError(f"Expected summarize to be -1 or a positive int, got {summarize!r}")
    if rt.shape.rank is None:
        raise ValueError("RaggedTensor to_string requires that rt.shape.rank is not None.")
    flat = rt.flat_values if isinstance(rt, tf.RaggedTensor) else rt
    shown = tf.strings.regex_replace(flat, r"(['\\])", r"\\\1") if flat.dtype is string else tf.strings.as_string(flat)
    if flat.dtype is string:
        shown = tf.strings.join(["'", shown, "'"])
    return _text([shown, *(rt.nested_row_splits if isinstance(rt, tf.RaggedTensor) else ())], summarize)
