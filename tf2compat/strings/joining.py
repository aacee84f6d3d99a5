"""Strings put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import INTS, string
from .._engine.op import ANYS, AXES, INT, invalid, op, tensor, tensors
from .._engine.tensor import numpy_of
from .elementwise import boxed, vector
from .slicing import _rows, _strings


@op("StringJoin", inputs=tensors(string))
def join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """Corresponding strings of several tensors, joined (`tf.strings.join`); scalars broadcast."""
    between = separator.encode() if isinstance(separator, str) else separator
    if not inputs:
        return boxed(b"")
    shapes = {a.shape for a in inputs if a.ndim}
    if len(shapes) > 1:
        raise invalid(f"Input shapes do not match: {sorted(shapes)} [Op:StringJoin] name: ")
    parts = np.broadcast_arrays(*inputs)
    out = np.empty(parts[0].shape, dtype=object)
    flat = out.reshape(-1)
    for i, items in enumerate(zip(*[p.reshape(-1) for p in parts], strict=True)):
        flat[i] = between.join(items)
    return out


@op("ReduceJoin", inputs=tensor(string), axis=AXES)
def _reduce_join(inputs: Any, axis: Any, keepdims: bool, separator: bytes) -> Any:
    axes = tuple(range(inputs.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -inputs.ndim <= a < inputs.ndim:
            raise invalid(f"Invalid reduction dimension {a} for input with {inputs.ndim} dimension(s) [Op:ReduceJoin] name: ")
    axes = tuple(a % inputs.ndim for a in axes)
    kept = [a for a in range(inputs.ndim) if a not in axes]
    # of axes that are given, the strings along the first stand together
    moved = np.transpose(inputs, [*kept, *(axes if axis is None else reversed(axes))])
    rows = moved.reshape([int(np.prod([inputs.shape[a] for a in group], dtype=int)) for group in (kept, axes)])
    out = vector([separator.join(r) for r in rows]).reshape([inputs.shape[a] for a in kept])
    if keepdims:
        out = out.reshape([1 if a in axes else inputs.shape[a] for a in range(inputs.ndim)])
    return out


def reduce_join(inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: str | None = None) -> Any:
    """All strings along axes, joined (`tf.strings.reduce_join`)."""
    return _reduce_join(_strings(inputs), axis, keepdims, separator.encode() if isinstance(separator, str) else separator)


@op("UnsortedSegmentJoin", inputs=tensor(string), segment_ids=tensor(INTS, group="I"), num_segments=INT)
def unsorted_segment_join(inputs: Any, segment_ids: Any, num_segments: Any, separator: str = "", name: str | None = None) -> Any:
    """Strings of each segment, joined (`tf.strings.unsorted_segment_join`)."""
    between = separator.encode() if isinstance(separator, str) else separator
    if tuple(segment_ids.shape) != inputs.shape[: segment_ids.ndim]:
        raise invalid(
            f"segment_ids' shape {list(segment_ids.shape)} must be a prefix of inputs' {list(inputs.shape)} [Op:UnsortedSegmentJoin] name: "
        )
    rest = inputs.shape[segment_ids.ndim :]
    if segment_ids.device.type == "meta":
        return np.broadcast_to(np.array(b"", dtype=object), (num_segments, *rest))
    rows = inputs.reshape((-1, int(np.prod(rest, dtype=int))))
    segments = numpy_of(segment_ids).reshape(-1)
    if not rest and segments.size and segments[0] >= 0 and segments[-1] < num_segments and (segments[1:] >= segments[:-1]).all():  # as of ragged rows
        values, ends = inputs.reshape(-1).tolist(), np.searchsorted(segments, np.arange(num_segments), side="right").tolist()
        return vector([between.join(values[a:b]) for a, b in zip([0, *ends], ends)])  # noqa: B905 - each with the one before
    found: list[list[list[bytes]]] = [[[] for _ in range(rows.shape[1])] for _ in range(num_segments)]
    for i, segment in enumerate(segment_ids.reshape(-1).tolist()):
        if not 0 <= segment < num_segments:
            raise invalid(
                f"segment_ids are not allowed to exceed num_segments or to have negative values: {segment} of {num_segments} [Op:UnsortedSegmentJoin] name: "
            )
        for k in range(rows.shape[1]):
            found[segment][k].append(rows[i, k])
    return vector([between.join(p) for row in found for p in row]).reshape((num_segments, *rest))


@op("StringFormat", inputs=ANYS)
def _format(inputs: Any, template: str, placeholder: str, summarize: int, plain: list[bool]) -> Any:
    from .._top.printing import _format as shown

    parts = template.split(placeholder)
    edge = 10**9 if summarize == -1 else summarize
    texts = []
    for t, bare in zip(inputs, plain, strict=True):
        if isinstance(t, np.ndarray) and t.ndim == 0:
            quote = "" if bare else '"'
            texts.append(quote + t[()].decode("utf-8", "replace") + quote)
        elif isinstance(t, np.ndarray) or t.device.type != "meta":
            texts.append(shown(numpy_of(t), edge, False))
        else:
            texts.append("")
    out = parts[0]
    for text, after in zip(texts, parts[1:], strict=True):
        out += text + after
    return boxed(out.encode())


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Any:  # noqa: A001
    """A string with tensors in the places of `placeholder` (`tf.strings.format`)."""
    inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    count = template.count(placeholder)
    if count != len(inputs):
        raise ValueError(
            f"The template expects {count} tensors, but the inputs only has {len(inputs)}. Please ensure the number of placeholders in "
            "template matches inputs length."
        )
    shown = []
    for value in inputs:
        if hasattr(value, "nested_row_splits"):
            from ..ragged.text import text

            shown.append((text(value, summarize), True))
        else:
            shown.append((convert_to_tensor(value), False))
    return _format([t for t, _ in shown], template, placeholder, summarize, [plain for _, plain in shown])


@op("StringNGrams", multi=True, data=tensor(string), row_splits=tensor(INTS, group="S"))
def _ngrams(
    data: Any, row_splits: Any, widths: Any, separator: bytes, left: bytes, right: bytes, pad: int | None, short: bool
) -> Any:
    bounds = row_splits.tolist()
    rows = []
    for a, b in zip(bounds[:-1], bounds[1:], strict=True):
        tokens = list(data[a:b])
        row: list[bytes] = []
        for width in widths:
            extra = 0 if pad is None and not left and not right else (width - 1 if pad is None or pad < 0 else min(pad, width - 1))
            padded = [left] * extra + tokens + [right] * extra
            count = max(0, len(padded) - width + 1)
            row += [separator.join(padded[i : i + width]) for i in range(count)]
        if short and not row and tokens:
            extra = 0 if pad is None or pad < 0 else pad
            row = [separator.join([left] * extra + tokens + [right] * extra)]
        rows.append(row)
    return _rows(rows)


_ngrams.infer(lambda data, row_splits, *rest: [(string, (None,)), (row_splits.dtype, (None,))])
for _f in (join, _reduce_join, unsorted_segment_join, _format, _ngrams):
    _f.strings(_f.op.fn)


def ngrams(
    data: Any,
    ngram_width: Any,
    separator: str = " ",
    pad_values: Any = None,
    padding_width: int | None = None,
    preserve_short_sequences: bool = False,
    name: str | None = None,
) -> Any:
    """Runs of `ngram_width` tokens along the last axis, joined (`tf.strings.ngrams`)."""
    from .. import RaggedTensor

    if ngram_width is None or (isinstance(ngram_width, (list, tuple)) and not ngram_width):
        raise ValueError(f"All ngram_widths must be greater than 0. Received: ngram_width={ngram_width}")
    widths = [ngram_width] if isinstance(ngram_width, int) else list(ngram_width)
    if any(w < 1 for w in widths):
        raise ValueError(f"All ngram_widths must be greater than 0. Received: ngram_width={ngram_width}")
    if pad_values is None:
        if padding_width is not None:
            raise ValueError("pad_values must be provided if padding_width is set.")
        left = right = ""
        pad = 0
    else:
        pair = isinstance(pad_values, (list, tuple)) and len(pad_values) > 1 and all(isinstance(v, (str, bytes)) for v in pad_values)
        if not pair and not isinstance(pad_values, (str, bytes)):
            raise TypeError(f"pad_values must be a string, tuple of strings, or None. Got {pad_values!r}")
        left, right = (pad_values, pad_values) if isinstance(pad_values, (str, bytes)) else pad_values[:2]
        pad = -1 if padding_width is None else padding_width
        if padding_width is not None and padding_width < 0:
            raise ValueError("padding_width must be greater than 0.")
    value = _strings(data)
    ragged = isinstance(value, RaggedTensor)
    rank = value.shape.rank
    if not ragged and rank == 0:
        raise ValueError("Data must have rank>0")
    if ragged and value.ragged_rank > 1:
        return value.with_values(ngrams(value.values, ngram_width, separator, pad_values, padding_width, preserve_short_sequences))
    if not ragged:
        from .. import reshape

        last = value.shape.as_list()[-1]
        flat = reshape(value, [-1])
        count = int(np.prod(value.shape.as_list()[:-1], dtype=int))
        splits = convert_to_tensor(np.arange(count + 1, dtype=np.int64) * last)
    else:
        flat, splits = value.values, value.row_splits

    def encode(v: Any) -> bytes:
        return v.encode() if isinstance(v, str) else v

    values, rows = _ngrams(flat, splits, widths, encode(separator), encode(left), encode(right), pad, preserve_short_sequences)
    if ragged:
        return RaggedTensor.from_row_splits(values, rows, validate=False)
    if rank == 1:
        return values
    return RaggedTensor.from_row_splits(values, rows, validate=False).to_tensor()


