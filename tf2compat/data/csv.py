"""Datasets of CSV files: `tf.data.experimental.CsvDataset`, `make_csv_dataset`."""

from __future__ import annotations

import collections
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import DType, as_dtype, string
from .._engine.specs import TensorSpec
from ..io.csv import _KINDS, _number, fields
from ..io.remote import local
from ..strings.elementwise import boxed
from .dataset import AUTOTUNE, Dataset
from .readers import TextLineDataset, _FileDataset

_TAIL = "[Op:IteratorGetNext] name: "


def records(lines: Iterator[list[bytes]], quotes: bool) -> Iterator[bytes]:
    """Rows of lines; a row goes on while a quoted field is open. Empty lines are no rows."""
    held: list[bytes] = []
    open_ = False
    for block in lines:
        for line in block:
            if quotes and line.count(b'"') % 2:
                open_ = not open_
            if open_ or held:
                held.append(line)
                if open_:
                    continue
                line = b"\n".join(held)
                held = []
            if line:
                yield line
    if held:
        yield b"\n".join(held)


class _Rows(TextLineDataset):
    """Lines as they are: a carriage return inside a quoted field stays."""


class CsvDataset(_FileDataset):
    """The rows of CSV files as tuples of scalars (`tf.data.experimental.CsvDataset`).

    `record_defaults` has a dtype for each required column and a tensor of one value for each optional one. InvalidArgumentError
    at a row that does not fit.
    """

    def __init__(
        self, filenames: Any, record_defaults: Any, compression_type: Any = None, buffer_size: Any = None, header: bool = False, field_delim: str = ",",
        use_quote_delim: bool = True, na_value: str = "", select_cols: Any = None, exclude_cols: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(filenames, compression_type, buffer_size, None)
        if select_cols is not None and exclude_cols is not None:
            raise errors.InvalidArgumentError(None, None, "Either select_cols or exclude_cols should be empty [Op:CSVDatasetV2] name: ")
        if len(field_delim) != 1:
            raise errors.InvalidArgumentError(None, None, "field_delim should be only 1 char [Op:CSVDatasetV2] name: ")
        self._kinds, self._defaults = [], []
        for d in record_defaults:
            if isinstance(d, DType):
                kind, default = d, None
            else:
                value = convert_to_tensor(d)
                kind, flat = value.dtype, np.asarray(value.numpy()).reshape(-1)
                if len(flat) > 1:
                    raise errors.InvalidArgumentError(None, None, "Each record default should be at most a scalar or vector of size 1 [Op:CSVDatasetV2] name: ")
                default = flat[0] if len(flat) else None
            if kind not in _KINDS:
                raise errors.InvalidArgumentError(
                    None, None, f"Value for attr 'output_types' of {kind._cpp} is not in the list of allowed values: float, double, int32, int64, string"
                )
            self._kinds.append(kind)
            self._defaults.append(default)
        self._header, self._delim, self._quotes, self._na = bool(header), field_delim.encode(), bool(use_quote_delim), na_value.encode()
        for cols, name in ((select_cols, "select_cols"), (exclude_cols, "exclude_cols")):
            if cols is not None and (any(b <= a for a, b in zip(cols, cols[1:], strict=False)) or any(c < 0 for c in cols)):
                raise errors.InvalidArgumentError(None, None, f"{name} should be strictly increasing and not negative, got {list(cols)} [Op:CSVDatasetV2] name: ")
        if select_cols is not None and len(select_cols) != len(self._kinds):
            raise errors.InvalidArgumentError(None, None, "select_cols should match output size [Op:CSVDatasetV2] name: ")
        self._select = None if select_cols is None else [int(c) for c in select_cols]
        self._exclude = None if exclude_cols is None else {int(c) for c in exclude_cols}
        self._spec = tuple(TensorSpec([], k) for k in self._kinds)

    def _blocks(self) -> None:  # type: ignore[override]
        return None

    def _records_of(self, path: str) -> Iterator[list[bytes]]:
        return _Rows(path, self._compression, self._buffer)._records_of(path)

    def _components(self) -> Iterator[Any]:
        for path in self._paths():
            rows = records(self._records_of(local(path)), self._quotes)
            if self._header:
                next(rows, None)
            for row in rows:
                yield self._parsed(row)

    def _parsed(self, row: bytes) -> list[Any]:
        try:
            found = [text for text, _ in fields(row, self._delim, self._quotes)]
        except errors.InvalidArgumentError as error:
            raise errors.InvalidArgumentError(None, None, error.message.replace("[Op:DecodeCSV] name: ", _TAIL)) from None
        if self._select is not None:
            if self._select and self._select[-1] >= len(found):
                raise errors.InvalidArgumentError(None, None, f"Expect {len(self._kinds)} fields but have {len(found)} in record {_TAIL}")
            found = [found[c] for c in self._select]
        elif self._exclude is not None:
            found = [f for i, f in enumerate(found) if i not in self._exclude]
        if len(found) != len(self._kinds):
            raise errors.InvalidArgumentError(
                None, None, f"Expect {len(self._kinds)} fields but have {'more' if len(found) > len(self._kinds) else len(found)} in record {_TAIL}"
            )
        out: list[Any] = []
        for i, (text, kind, default) in enumerate(zip(found, self._kinds, self._defaults, strict=True)):
            if not text or text == self._na:
                if default is None:
                    raise errors.InvalidArgumentError(None, None, f"Field {i} is required but missing in record! {_TAIL}")
                value = default
            elif kind is string:
                value = text
            else:
                value = self._number(text, kind, i)
            out.append(boxed(value) if kind is string else torch.tensor(value, dtype=kind.torch))
        return out


    @staticmethod
    def _number(text: bytes, kind: DType, column: int) -> Any:
        try:
            return _number(text, kind, column, 0)
        except errors.InvalidArgumentError:
            shown = text.decode(errors="replace")
            raise errors.InvalidArgumentError(None, None, f"Field {column} in record is not a valid {kind._cpp}: {shown} {_TAIL}") from None


CsvDataset.__name__ = "CsvDatasetV2"

_ORDER = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64, string)


def _fits(text: str, kind: DType) -> bool:
    if kind is string:
        return True
    try:
        if kind.is_integer:
            return kind.min <= int(text) <= kind.max
        value = float(text)
        return not math.isfinite(value) or -kind.max < value < kind.max
    except ValueError:
        return False


def _infer(rows: Iterator[list[str]], columns: list[int], na: str, limit: int | None) -> list[Any]:
    """The default of each column, by the first type in `_ORDER` that all its values have."""
    kinds: list[Any] = [None] * len(columns)
    for n, row in enumerate(rows):
        if limit is not None and n >= limit:
            break
        for i, c in enumerate(columns):
            if c >= len(row):
                raise ValueError("Problem inferring types: CSV row has different number of fields than expected.")
            text = row[c]
            if text in ("", na):
                continue
            start = 0 if kinds[i] is None else _ORDER.index(kinds[i])
            kinds[i] = next(k for k in _ORDER[start:] if _fits(text, k))
    kinds = [k or string for k in kinds]
    return [convert_to_tensor([""] if k is string else [0], k) for k in kinds]


def file_names(file_pattern: Any, shuffle: bool) -> list[str]:
    """The files of one or several patterns, sorted unless they are to be shuffled. ValueError for none."""
    from ..io.gfile import glob

    patterns = list(file_pattern) if isinstance(file_pattern, (list, tuple)) else [file_pattern]
    if not patterns:
        raise ValueError("Argument `file_pattern` should not be empty.")
    found = [name for p in patterns for name in glob(p)]
    if not found:
        raise ValueError(f"No files match `file_pattern` {file_pattern}.")
    return found if shuffle else sorted(found)


def shuffled_and_repeated(dataset: Dataset, epochs: int | None, shuffle: bool, buffer: int, seed: Any) -> Dataset:
    """As the readers of whole sets of files do it."""
    if shuffle:
        dataset = dataset.shuffle(buffer, seed)
    return dataset if epochs == 1 else dataset.repeat(epochs)


def make_csv_dataset(
    file_pattern: Any, batch_size: Any, column_names: Any = None, column_defaults: Any = None, label_name: str | None = None,
    select_columns: Any = None, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "", header: bool = True,
    num_epochs: int | None = None, shuffle: bool = True, shuffle_buffer_size: int = 10000, shuffle_seed: Any = None,
    prefetch_buffer_size: int | None = None, num_parallel_reads: int | None = None, sloppy: bool = False, num_rows_for_inference: int | None = 100,
    compression_type: Any = None, ignore_errors: bool = False, encoding: str = "utf-8",
) -> Dataset:  # fmt: skip
    """Batches of the rows of CSV files, as dicts by column, or pairs of a dict and a label (`tf.data.experimental.make_csv_dataset`).

    Names come from the header and types from the first rows where they are not given. Order is deterministic, `sloppy` or not.
    """
    names = file_names(file_pattern, shuffle)
    if sloppy and num_parallel_reads is None:
        num_parallel_reads = 1

    def rows_of(name: str) -> Iterator[list[str]]:
        lines = TextLineDataset(name, compression_type)._records_of(local(name))
        for row in records(lines, use_quote_delim):
            yield [text.decode(encoding, "replace") for text, _ in fields(row, field_delim.encode(), use_quote_delim)]

    if column_names is None:
        if not header:
            raise ValueError("Expected `column_names` or `header` arguments. Neither is provided.")
        column_names = next(rows_of(names[0]), None)
        if column_names is None:
            raise ValueError("Received empty file: no header")
        for other in names[1:]:
            if next(rows_of(other), None) != column_names:
                raise ValueError("All input CSV files should have the same column names in the header row. File " + other + " has different column names.")
    column_names = list(column_names)
    if len(set(column_names)) != len(column_names):
        raise ValueError("Cannot have duplicate column names.")
    chosen = list(range(len(column_names)))
    if select_columns is not None:
        chosen = []
        for c in select_columns:
            if isinstance(c, int):
                chosen.append(c)
            elif c in column_names:
                chosen.append(column_names.index(c))
            else:
                raise ValueError(f"Invalid `select_columns`. All column names must be in {column_names}, got {c!r}.")
        if len(set(chosen)) != len(chosen):
            raise ValueError("Invalid `select_columns`. Cannot have duplicates.")
        chosen.sort()
    if column_defaults is not None:
        defaults = [as_dtype(d) if isinstance(d, (DType, type)) else convert_to_tensor(d) for d in column_defaults]
        if len(defaults) != len(chosen):
            raise ValueError(f"Invalid `column_defaults`. Length must be equal to number of columns, {len(chosen)}, got {len(defaults)}.")
    else:

        def all_rows() -> Iterator[list[str]]:
            for name in names:
                rows = rows_of(name)
                if header:
                    next(rows, None)
                yield from rows

        defaults = _infer(all_rows(), chosen, na_value, num_rows_for_inference)
    if select_columns is not None:
        column_names = [column_names[c] for c in chosen]
    if label_name is not None and label_name not in column_names:
        raise ValueError(f"`label_name` provided must be one of the columns: {column_names}. Received: {label_name}.")

    def read(name: Any) -> Dataset:
        made = CsvDataset(
            name, defaults, compression_type, None, header, field_delim, use_quote_delim, na_value, None if select_columns is None else chosen
        )
        return made.ignore_errors() if ignore_errors else made

    files = Dataset.from_tensor_slices(names)
    if shuffle:
        files = files.shuffle(len(names), shuffle_seed)
    if len(names) == 1:
        dataset: Dataset = read(names[0])
    else:
        dataset = files.interleave(read, cycle_length=max(1, num_parallel_reads or 1))
    dataset = shuffled_and_repeated(dataset, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    dataset = dataset.batch(batch_size, drop_remainder=num_epochs is None)

    def named(*columns: Any) -> Any:
        features = collections.OrderedDict(zip(column_names, columns, strict=True))
        if label_name is None:
            return features
        label = features.pop(label_name)
        return features, label

    dataset = dataset.map(named)
    return dataset.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)
