"""`tf.print`."""

from __future__ import annotations

import logging
import pprint
import sys
from typing import Any

import numpy as np

from tf2compat._engine.logs import get_logger

from .._engine import nest
from .._engine.convert import convert_to_tensor
from .._engine.op import ANYS, op
from .._engine.tensor import Tensor, numpy_of

_LOGGERS = {
    "log(info)": logging.INFO, "log(warning)": logging.WARNING, "log(error)": logging.ERROR,
}  # fmt: skip


class _Slot:
    """The place of a tensor in the text around it; `plain` for a string that is text already."""

    def __init__(self, number: int, plain: bool = False) -> None:
        self.number, self.plain = number, plain

    def __repr__(self) -> str:
        return f"\0{'p' if self.plain else ''}{self.number}\0"


class _Slots:
    """The places of the parts of a sparse tensor, as TensorFlow words them."""

    def __init__(self, parts: list[_Slot]) -> None:
        self.parts = parts

    def __repr__(self) -> str:
        return "'SparseTensor(indices={!r}, values={!r}, shape={!r})'".format(*self.parts)


@op("PrintV2", stateful=True, tensors=ANYS)
def _print(tensors: Any, template: str, summarize: int, stream: Any, end: str) -> None:
    alone = len(tensors) == 1 and template == "\x000\x00"

    def text(slot: str) -> str:
        plain = slot.startswith("p")
        return _format(numpy_of(tensors[int(slot[plain:])]), summarize, plain or alone)

    out = "".join(text(p) if i % 2 else p for i, p in enumerate(template.split("\0"))) + end
    if isinstance(stream, str):
        if stream.startswith("file://"):
            with open(stream[len("file://") :], "a", encoding="utf-8") as file:
                file.write(out)
            return
        level = _LOGGERS.get(stream)
        if level is not None:
            get_logger().log(level, "%s", out)
            return
        stream = sys.stdout if stream == "stdout" else sys.stderr
    stream.write(out)
    stream.flush()


_print.infer(lambda *args: [])
_print.strings(_print.op.fn)


def print(*inputs: Any, **kwargs: Any) -> None:  # noqa: A001 - TensorFlow's name
    """Print tensors and Python values when executed, in `tf.function` too (`tf.print`).

    Keywords: `output_stream` (sys.stderr by default; sys.stdout, tf.compat.v1.logging levels, "file://path"),
    `summarize` (elements printed at each end of each axis, 3; -1 for all), `sep`, `end`, `name`.
    """
    stream = kwargs.pop("output_stream", None)
    summarize = kwargs.pop("summarize", 3)
    sep = kwargs.pop("sep", " ")
    end = kwargs.pop("end", "\n")
    kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {kwargs}")
    stream = getattr(stream, "_stream_name", stream)  # a function of tf.compat.v1.logging
    stream = "stderr" if stream is None or stream is sys.stderr else "stdout" if stream is sys.stdout else stream
    if isinstance(stream, str):
        if not (stream in ("stdout", "stderr") or stream in _LOGGERS or stream.startswith("file://")):
            raise ValueError(f"Unknown output stream, logging level, or file. Received: {stream!r}")
    elif not hasattr(stream, "write"):
        raise ValueError(f"Unknown output stream, logging level, or file. Received: {stream!r}")
    tensors: list[Tensor] = []

    def placed(tensor: Any, plain: bool = False) -> _Slot:
        tensors.append(tensor)
        return _Slot(len(tensors) - 1, plain)

    def slot(value: Any) -> Any:
        if hasattr(value, "nested_row_splits"):
            from ..ragged.text import text

            return placed(text(value, summarize), True)
        if hasattr(type(value), "_tf_op") and hasattr(value, "dense_shape") and hasattr(value, "indices"):
            return _Slots([placed(t) for t in (value.indices, value.values, value.dense_shape)])
        if isinstance(value, Tensor) or hasattr(type(value), "_tf_storage"):
            return placed(convert_to_tensor(value))
        return value

    parts = []
    for value in inputs:
        if isinstance(value, str):
            parts.append(value.replace("\0", ""))
        elif nest.is_nested(value):
            parts.append(pprint.pformat(nest.map_structure(slot, value), width=10**6, sort_dicts=True))
        else:
            filled = slot(value)
            parts.append(repr(filled) if not isinstance(filled, (int, float)) else str(filled))
    _print(tensors, sep.join(parts), 10**9 if summarize == -1 else summarize, stream, end)


def _format(array: np.ndarray, edge: int, alone: bool) -> str:
    if array.ndim == 0:
        item = array[()]
        if isinstance(item, bytes) and alone:
            return item.decode("utf-8", "replace")
        return _element(item)
    return _axis(array, edge, 0)


def _axis(array: np.ndarray, edge: int, depth: int) -> str:
    size = array.shape[0]
    shown = range(size) if size <= 2 * edge else [*range(edge), None, *range(size - edge, size)]
    if array.ndim == 1:
        return "[" + " ".join("..." if i is None else _element(array[i]) for i in shown) + "]"
    rows = ["..." if i is None else _axis(array[i], edge, depth + 1) for i in shown]
    return "[" + ("\n" * (array.ndim - 1) + " " * (depth + 1)).join(rows) + "]"


def _element(item: Any) -> str:
    if isinstance(item, bytes):
        text = item.decode("utf-8", "backslashreplace")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    if isinstance(item, (np.bool_, bool)):
        return str(int(item))
    if isinstance(item, np.floating) or type(item).__module__ == "ml_dtypes":
        return _float(item)
    return str(item)


def _float(item: Any) -> str:
    """The shorter of two widths that reads back as the same number, as C++ TensorFlow writes floats."""
    value = float(item)
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    short, full = ("%.15g", "%.17g") if isinstance(item, np.float64) else ("%.6g", "%.9g")
    text = short % value
    return text if type(item)(float(text)) == item else full % value
