"""Rows of comma-separated values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import DType, string
from .._engine.op import ANYS, invalid, op, tensor
from ..strings.elementwise import vector

_KINDS = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, string)
_TAIL = "[Op:DecodeCSV] name: "


def fields(row: bytes, delimiter: bytes, quotes: bool) -> list[bytes]:
    """The fields of a row. InvalidArgumentError for misplaced quotes and line ends."""
    if b'"' not in row or not quotes:
        if b"\n" not in row and b"\r" not in row:
            return row.split(delimiter) if row else []
    else:
        found = split_quoted(row, delimiter)
        if found is not None:
            return found
    out: list[bytes] = []
    at, size = 0, len(row)
    while at < size:
        if row[at] in b"\r\n":  # before a field
            at += 1
            continue
        if not quotes or row[at : at + 1] != b'"':
            end = row.find(delimiter, at)
            end = size if end < 0 else end
            field = row[at:end]
            if quotes and b'"' in field or b"\n" in field or b"\r" in field:
                raise invalid(f"Unquoted fields cannot have quotes/CRLFs inside {_TAIL}")
            out.append(field)
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
            out.append(b"".join(parts))
            at = end + 2
            break
    if row.endswith(delimiter):
        out.append(b"")
    return out


def split_quoted(row: bytes, delimiter: bytes) -> list[bytes] | None:
    """The fields of a row with quotes, when each quoted field stands between delimiters and has no quote inside; else None."""
    parts = row.split(b'"')
    if not len(parts) % 2:
        return None
    out: list[bytes] = []
    last = len(parts) - 1
    for i in range(0, last, 2):
        plain = parts[i]
        if i == 0:
            if plain and plain[-1:] != delimiter:
                return None
        elif plain == delimiter:  # between two quoted fields
            out.append(parts[i + 1])
            continue
        elif len(plain) < 2 or plain[:1] != delimiter or plain[-1:] != delimiter:
            return None
        if b"\n" in plain or b"\r" in plain:
            return None
        if plain:
            out += plain[:-1].split(delimiter) if i == 0 else plain[1:-1].split(delimiter)
        out.append(parts[i + 1])
    plain = parts[last]
    if plain:
        if plain[:1] != delimiter or b"\n" in plain or b"\r" in plain:
            return None
        out += plain[1:].split(delimiter)
    return out


def column(texts: Any, kind: DType, default: Any, missing: bytes) -> Any:
    """The texts of a column as its storage; None when a field is missing or no such number, which the caller finds."""
    gaps = b"" in texts or bool(missing) and missing in texts
    if gaps and default is None:
        return None
    if kind is string:
        return vector([default if not t or t == missing else t for t in texts] if gaps else list(texts))
    if b"_" in b"".join(texts):
        return None
    convert: Any = float if kind.is_floating else int
    try:
        if gaps:
            values = [default if not t or t == missing else convert(t) for t in texts]
        else:
            values = list(map(convert, texts))
        if kind.is_floating:
            with np.errstate(over="ignore"):
                return torch.from_numpy(np.array(values, dtype=kind.as_numpy_dtype))
        whole = np.array(values, dtype=np.int64)
    except (ValueError, OverflowError):
        return None
    if kind is dtypes.int32 and len(whole) and not (whole.min() >= -(2**31) and whole.max() < 2**31):
        return None
    return torch.from_numpy(whole.astype(kind.as_numpy_dtype))


def number(text: bytes, kind: DType) -> Any:
    """One field as a number. ValueError for what is none."""
    if b"_" in text:
        raise ValueError(text)
    if kind.is_floating:
        try:
            return float(text)
        except ValueError:
            if text.strip()[:3].lstrip(b"+-")[:2].lower() != b"0x":
                raise
            return float.fromhex(text.decode())
    value = int(text)
    if not kind.min <= value <= kind.max:
        raise ValueError(text)
    return value


@op("DecodeCSV", multi=True, records=tensor(string, group="records"), record_defaults=ANYS)
def _decode_csv(records: Any, record_defaults: Any, field_delim: str, use_quote_delim: bool, na_value: str, select_cols: Any) -> Any:
    delimiter, missing = field_delim.encode(), na_value.encode()
    rows = records.reshape(-1).tolist()
    kinds = [dtypes.of(d) for d in record_defaults]
    defaults = [(d.reshape(-1)[0] if isinstance(d, np.ndarray) else d.reshape(-1)[0].item()) if d.shape != (0,) and d.reshape(-1).shape[0] else None for d in record_defaults]
    columns = _columns(rows, kinds, defaults, delimiter, use_quote_delim, missing, select_cols)
    if columns is None:
        columns = _one_by_one(rows, kinds, defaults, delimiter, use_quote_delim, missing, select_cols)
    return [c.reshape(records.shape) for c in columns]


def _columns(rows: list[bytes], kinds: list[Any], defaults: list[Any], delimiter: bytes, quotes: bool, missing: bytes, select: Any) -> Any:
    """All rows at once; None when one of them does not fit."""
    try:
        found = [fields(row, delimiter, quotes) for row in rows]
    except errors.InvalidArgumentError:
        return None
    counts = set(map(len, found))
    if select is not None:
        if select and min(counts, default=0) <= select[-1]:
            return None
    elif counts != {len(kinds)}:
        return None
    texts = list(zip(*found, strict=False))
    out = []
    for i, (kind, default) in enumerate(zip(kinds, defaults, strict=True)):
        made = column(texts[i if select is None else select[i]], kind, default, missing)
        if made is None:
            return None
        out.append(made)
    return out


def _one_by_one(rows: list[bytes], kinds: list[Any], defaults: list[Any], delimiter: bytes, quotes: bool, missing: bytes, select: Any) -> Any:
    """As `_columns`, with the error of the first row that does not fit."""
    columns: list[list[Any]] = [[] for _ in kinds]
    for r, row in enumerate(rows):
        found = fields(row, delimiter, quotes)
        if select is not None:
            found = [found[c] for c in select if c < len(found)]
        if len(found) != len(columns):
            raise invalid(f"Expect {len(columns)} fields but have {len(found)} in record {r} {_TAIL}")
        for c, text in enumerate(found):
            if not text or text == missing:
                if defaults[c] is None:
                    raise invalid(f"Field {c} is required but missing in record {r}! {_TAIL}")
                columns[c].append(defaults[c])
            elif kinds[c] is string:
                columns[c].append(text)
            else:
                try:
                    columns[c].append(number(text, kinds[c]))
                except ValueError:
                    shown = text.decode(errors="replace")
                    raise invalid(f"Field {c} in record {r} is not a valid {kinds[c]._cpp}: {shown} {_TAIL}") from None
    return [stored(values, kind) for values, kind in zip(columns, kinds, strict=True)]


def stored(values: list[Any], kind: DType) -> Any:
    """The storage of a column of values."""
    if kind is string:
        return vector(values)
    with np.errstate(over="ignore"):
        return torch.from_numpy(np.array(values, dtype=kind.as_numpy_dtype))


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
            raise ValueError("Length of select_cols and record_defaults do not match.")
    defaults = [convert_to_tensor(d) for d in record_defaults]
    for d in defaults:
        if d.shape.rank is not None and d.shape.rank > 1:
            raise invalid(f"Each record default should be at most rank 1 {_TAIL}")
        if d.dtype not in _KINDS:
            raise invalid(f"Value for attr 'OUT_TYPE' of {d.dtype._cpp} is not in the list of allowed values: float, double, int32, int64, string {_TAIL}")
    return list(_decode_csv(records, defaults, field_delim, use_quote_delim, na_value, select_cols))


