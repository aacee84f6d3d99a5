"""Rows of comma-separated values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import string
from .._engine.op import ANYS, invalid, op, tensor
from ..strings.elementwise import vector

_KINDS = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, string)
_TAIL = "[Op:DecodeCSV] name: "


def fields(row: bytes, delimiter: bytes, quotes: bool) -> list[tuple[bytes, bool]]:
    """The fields of a row, and whether each was quoted."""
    if not quotes or b'"' not in row:
        if quotes and (b"\n" in row or b"\r" in row):
            row = row.rstrip(b"\r\n")
            if b"\n" in row or b"\r" in row:
                raise invalid(f"Unquoted fields cannot have quotes/CRLFs inside {_TAIL}")
        return [(f, False) for f in row.split(delimiter)] if row else []
    out: list[tuple[bytes, bool]] = []
    at, size = 0, len(row)
    while at <= size:
        if row[at : at + 1] != b'"':
            end = row.find(delimiter, at)
            end = size if end < 0 else end
            field = row[at:end] if end < size else row[at:end].rstrip(b"\r\n")
            if b'"' in field or b"\n" in field or b"\r" in field:
                raise invalid(f"Unquoted fields cannot have quotes/CRLFs inside {_TAIL}")
            out.append((field, False))
            at = end + 1
            continue
        parts = []
        at += 1
        while True:
            end = row.find(b'"', at)
            if end < 0:
                raise invalid(f"Quoted field has to end with quote followed by delim or end {_TAIL}")
            parts.append(row[at:end])
            follows = row[end + 1 : end + 2]
            if follows == b'"':
                parts.append(b'"')
                at = end + 2
                continue
            if follows and follows != delimiter:
                raise invalid(f"Quote inside a string has to be escaped by another quote {_TAIL}")
            out.append((b"".join(parts), True))
            at = end + 2
            break
    return out


@op("DecodeCSV", multi=True, records=tensor(string, group="records"), record_defaults=ANYS)
def _decode_csv(records: Any, record_defaults: Any, field_delim: str, use_quote_delim: bool, na_value: str, select_cols: Any) -> Any:
    delimiter, missing = field_delim.encode(), na_value.encode()
    rows = records.reshape(-1)
    columns: list[list[Any]] = [[] for _ in record_defaults]
    kinds = [dtypes.of(d) for d in record_defaults]
    defaults = [(d.reshape(-1)[0] if isinstance(d, np.ndarray) else d.reshape(-1)[0].item()) if d.shape != (0,) and d.reshape(-1).shape[0] else None for d in record_defaults]
    for r, row in enumerate(rows):
        found = fields(row, delimiter, use_quote_delim)
        if select_cols is not None:
            if select_cols and select_cols[-1] >= len(found):
                raise invalid(f"Expect at least {select_cols[-1] + 1} fields but have {len(found)} in record {r} {_TAIL}")
            found = [found[c] for c in select_cols]
        if len(found) != len(columns):
            raise invalid(f"Expect {len(columns)} fields but have {len(found)} in record {r} {_TAIL}")
        for c, (text, _) in enumerate(found):
            if not text or text == missing:
                if defaults[c] is None:
                    raise invalid(f"Field {c} is required but missing in record {r}! {_TAIL}")
                columns[c].append(defaults[c])
            else:
                columns[c].append(text if kinds[c] is string else _number(text, kinds[c], c, r))
    out: list[Any] = []
    for values, kind in zip(columns, kinds, strict=True):
        if kind is string:
            out.append(vector(values).reshape(records.shape))
        else:
            out.append(torch.from_numpy(np.array(values, dtype=kind.as_numpy_dtype).reshape(records.shape)))
    return out


def _number(text: bytes, kind: Any, column: int, row: int) -> Any:
    try:
        if b"_" in text:
            raise ValueError(text)
        if kind.is_floating:
            return float(text)
        value = int(text)
        if not kind.min <= value <= kind.max:
            raise ValueError(text)
        return value
    except ValueError:
        shown = text.decode(errors="replace")
        raise invalid(f"Field {column} in record {row} is not a valid {kind._cpp}: {shown} {_TAIL}") from None


_decode_csv.strings(_decode_csv.op.fn)
_decode_csv.infer(lambda records, record_defaults, *rest: [(dtypes.of(d), tuple(records.shape)) for d in record_defaults])


def decode_csv(
    records: Any, record_defaults: Any, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "", select_cols: Any = None,
    name: str | None = None,
) -> list[Any]:  # fmt: skip
    """The columns of CSV rows (RFC 4180), each of the rows' shape and its default's dtype (`tf.io.decode_csv`).

    A default that is empty makes the column required. InvalidArgumentError for rows that do not fit.
    """
    if len(field_delim) != 1:
        raise invalid(f"field_delim should be only 1 char {_TAIL}")
    if select_cols is not None:
        select_cols = [int(c) for c in select_cols]
        if any(b <= a for a, b in zip(select_cols, select_cols[1:], strict=False)):
            raise ValueError("select_cols is not strictly increasing.")
        if select_cols and select_cols[0] < 0:
            raise ValueError("select_cols contains negative values.")
        if len(select_cols) != len(record_defaults):
            raise ValueError(f"Length of select_cols ({len(select_cols)}) and record_defaults ({len(record_defaults)}) do not match.")
    defaults = [convert_to_tensor(d) for d in record_defaults]
    for d in defaults:
        if d.dtype not in _KINDS:
            raise invalid(f"Value for attr 'OUT_TYPE' of {d.dtype._cpp} is not in the list of allowed values: float, double, int32, int64, string {_TAIL}")
    return list(_decode_csv(records, defaults, field_delim, use_quote_delim, na_value, select_cols))


