"""Datasets of CSV files: `tf.data.experimental.CsvDataset`, `make_csv_dataset`."""

from __future__ import annotations

import collections
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import DType, as_dtype, string
from .._engine.specs import TensorSpec
from ..io.csv import _KINDS, column, number, split_quoted, stored
from ..io.records import Stream
from ..io.remote import local
from .blocks import Elements
from .dataset import AUTOTUNE, Dataset
from .readers import _FileDataset, _text

_TAIL = "[Op:IteratorGetNext] name: "


class Rows:
    """The rows of a CSV file, as lists of fields: several at a time, and an error in the place of a row with misplaced quotes."""

    def __init__(self, path: str, compression: str, chunk: int, delimiter: bytes, quotes: bool) -> None:
        self._stream: Any = Stream(path, compression, chunk)
        self._delimiter, self._quotes = delimiter, quotes
        self._end = re.compile(b"[\r\n" + re.escape(delimiter) + b"]")
        self._text = b""
        self._at = 0
        self._lines: list[bytes] = []  # whole lines of the text, in reverse
        self._pending: errors.OpError | None = None
        self._some = 64

    def __iter__(self) -> Rows:
        return self

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _more(self) -> bool:
        """Read on; whether there was something."""
        if self._stream is None:
            return False
        piece = self._stream.next()
        if not piece:
            self.close()
            return False
        self._text = self._text[self._at :] + piece
        self._at = 0
        return True

    def __next__(self) -> list[list[bytes]]:
        if self._pending is not None:
            error, self._pending = self._pending, None
            raise error
        while True:
            if not self._lines:
                self._fill()
            found = self._plain()
            if found:
                return found
            row = self._careful()
            if row is not None:
                return [row]

    def _fill(self) -> None:
        """Lines up to the last end of a line that there is. A carriage return that may belong to a line feed waits for it."""
        last = self._text.rfind(b"\n", self._at)
        while last < 0 and len(self._text) - self._at < 1 << 16 and self._more():
            last = self._text.rfind(b"\n", self._at)
        if last >= 0:
            self._lines = self._text[self._at : last].split(b"\n")
            self._lines.reverse()

    def _plain(self) -> list[list[bytes]]:
        """Some rows that have a line each, or, with quotes, lines that belong together; none where the next needs a closer look."""
        out: list[list[bytes]] = []
        lines, delimiter, at, quotes = self._lines, self._delimiter, self._at, self._quotes
        want, self._some = self._some, min(2 * self._some, 2048)
        while lines and len(out) < want:
            line = lines.pop()
            size = len(line) + 1
            if quotes and b'"' in line:
                taken = [line]
                while line.count(b'"') % 2 and lines:
                    more = lines.pop()
                    taken.append(more)
                    line += b"\n" + more
                    if len(line) > 1 << 16:
                        break
                size = len(line) + 1
                row = split_quoted(line.removesuffix(b"\r"), delimiter)
                if row is None:
                    lines.extend(reversed(taken))
                    break
            else:
                if b"\r" in line:
                    if b"\r" in line[:-1]:
                        lines.append(line)
                        break
                    line = line[:-1]
                row = line.split(delimiter)
            out.append(row)
            at += size
        self._at = at
        return out

    def _careful(self) -> list[bytes] | None:
        """The next row, a field after the other. None when its end is not there yet; StopIteration at the end of the file."""
        text, at, delimiter = self._text, self._at, self._delimiter
        if at >= len(text):
            if self._more():
                return None
            raise StopIteration
        out: list[bytes] = []
        wrong = ""
        complete = self._stream is None
        while True:
            if self._quotes and text[at : at + 1] == b'"':
                parts, at = [], at + 1
                while True:
                    end = text.find(b'"', at)
                    if end < 0 or end + 1 == len(text) and not complete:
                        if self._more():
                            return self._again()
                        if end < 0:
                            self._at, self._lines = len(text), []
                            raise _error("Reached end of file without closing quoted field in record")
                    parts.append(text[at:end])
                    at = end + 1
                    follows = text[at : at + 1]
                    if follows in (b"", b"\r", b"\n", delimiter):
                        break
                    if follows == b'"':
                        at += 1
                    else:
                        wrong = wrong or "Quote inside a string has to be escaped by another quote"
                    parts.append(b'"')
                out.append(b"".join(parts))
            else:
                found = self._end.search(text, at)
                if found is None and not complete and self._more():
                    return self._again()
                end = len(text) if found is None else found.start()
                field = text[at:end]
                if self._quotes and b'"' in field:
                    wrong = wrong or "Unquoted fields cannot have quotes inside"
                out.append(field)
                at = end
            follows = text[at : at + 1]
            at += 1
            if follows == delimiter:
                continue
            if follows == b"\r":
                if at == len(text) and not complete and self._more():
                    return self._again()
                at += text[at : at + 1] == b"\n"
            break
        self._at, self._lines = min(at, len(text)), []
        if wrong:
            raise _error(wrong)
        return out

    def _again(self) -> None:
        self._lines = []


def _error(text: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, f"{text} {_TAIL}")


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

    def _components(self) -> Iterator[Any]:
        return Elements(self._blocks())

    def _blocks(self) -> Any:
        return _CsvBlocks(self)

    def _rows_of(self, path: str) -> Iterator[list[list[bytes]]]:
        rows = Rows(local(path), self._compression, self._buffer or 1 << 18, self._delim, self._quotes)
        return _Headless(rows) if self._header else rows

    def _columns(self, rows: list[list[bytes]]) -> list[Any] | None:
        """The columns of several rows; None when one of them does not fit."""
        counts = set(map(len, rows))
        chosen: Any = self._select
        if chosen is None:
            if len(counts) > 1:
                return None
            if self._exclude is not None:
                chosen = [i for i in range(min(counts)) if i not in self._exclude]
        if chosen is not None:
            if len(chosen) != len(self._kinds) or chosen and min(counts) <= chosen[-1]:
                return None
        elif counts != {len(self._kinds)}:
            return None
        texts = list(zip(*rows, strict=False))
        out = []
        for i, (kind, default) in enumerate(zip(self._kinds, self._defaults, strict=True)):
            made = column(texts[i if chosen is None else chosen[i]], kind, default, self._na)
            if made is None:
                return None
            out.append(made)
        return out

    def _parsed(self, row: list[bytes]) -> list[Any]:
        """The values of one row, or the first error in it."""
        found = row
        if self._select is not None:
            found = [row[c] for c in self._select if c < len(row)]
        elif self._exclude is not None:
            found = [f for i, f in enumerate(row) if i not in self._exclude]
        out: list[Any] = []
        for i, (text, kind, default) in enumerate(zip(found, self._kinds, self._defaults, strict=False)):
            if not text or text == self._na:
                if default is None:
                    raise _error(f"Field {i} is required but missing in record!")
                out.append(default)
            elif kind is string:
                out.append(text)
            else:
                try:
                    out.append(number(text, kind))
                except ValueError:
                    raise _error(f"Field {i} in record is not a valid {kind._cpp}: {text.decode(errors='replace')}") from None
        if len(found) != len(self._kinds):
            raise _error(f"Expect {len(self._kinds)} fields but have {'more' if len(found) > len(self._kinds) else len(found)} in record")
        return out


class _Headless:
    """The rows of a file after its first. InvalidArgumentError when it has none."""

    def __init__(self, rows: Rows) -> None:
        self._rows, self._begun = rows, False

    def __iter__(self) -> _Headless:
        return self

    def __next__(self) -> list[list[bytes]]:
        if self._begun:
            return next(self._rows)
        self._begun = True
        try:
            return next(self._rows)[1:]
        except StopIteration:
            raise errors.InvalidArgumentError(None, None, "Can't read header of file [Op:IteratorGetNext] name: ") from None


class _CsvBlocks:
    """Columns of the rows of all files; a row that does not fit is an error between blocks."""

    def __init__(self, dataset: CsvDataset) -> None:
        self._dataset = dataset
        self._paths = dataset._paths()
        self._rows: Iterator[list[list[bytes]]] | None = None
        self._rest: list[list[bytes]] = []

    def __iter__(self) -> _CsvBlocks:
        return self

    def __next__(self) -> list[Any]:
        while True:
            if self._rest:
                return self._some()
            if self._rows is None:
                self._rows = self._dataset._rows_of(next(self._paths))
            try:
                rows = next(self._rows)
            except StopIteration:
                self._rows = None
                continue
            if rows:
                made = self._dataset._columns(rows)
                if made is not None:
                    return made
                self._rest = rows

    def _some(self) -> list[Any]:
        """The rows up to one that does not fit, or the error of that one."""
        dataset = self._dataset
        good: list[list[Any]] = []
        for row in self._rest:
            try:
                good.append(dataset._parsed(row))
            except errors.InvalidArgumentError:
                if good:
                    break
                del self._rest[0]
                raise
        del self._rest[: len(good)]
        return [stored(list(values), kind) for values, kind in zip(zip(*good, strict=True), dataset._kinds, strict=True)]


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
        for block in Rows(local(name), _text(compression_type), 1 << 18, field_delim.encode(), use_quote_delim):
            for row in block:
                yield [text.decode(encoding, "replace") for text in row]

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

    width = max(1, num_parallel_reads or 1)

    def read(name: Any) -> Dataset:
        made = CsvDataset(
            name, defaults, compression_type, None, header, field_delim, use_quote_delim, na_value, None if select_columns is None else chosen
        )
        return made.ignore_errors() if ignore_errors else made

    files = Dataset.from_tensor_slices(names)
    if shuffle:
        files = files.shuffle(len(names), shuffle_seed)
    dataset = read(files) if width == 1 else files.interleave(read, cycle_length=width)
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
