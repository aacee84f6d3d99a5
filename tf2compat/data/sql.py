"""`tf.data.experimental.SqlDataset`: rows that a query gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import as_dtype, string
from .._engine.specs import TensorSpec
from ..strings.elementwise import boxed
from .dataset import Dataset

_TYPES = (
    string, dtypes.int8, dtypes.uint8, dtypes.int16, dtypes.uint16, dtypes.int32, dtypes.uint32, dtypes.int64, dtypes.uint64, dtypes.bool, dtypes.float64,
)  # fmt: skip


class SqlDataset(Dataset):
    """The rows of a query on an SQLite database, as tuples of scalars (`tf.data.experimental.SqlDataset`).

    The database is opened for reading only. InvalidArgumentError for another driver, UnknownError for a query that fails.
    """

    def __init__(self, driver_name: Any, data_source_name: Any, query: Any, output_types: Any) -> None:
        self._driver, self._source, self._query = (convert_to_tensor(v, string).numpy().decode() for v in (driver_name, data_source_name, query))
        kinds = output_types if isinstance(output_types, (list, tuple)) else (output_types,)
        self._spec = tuple(TensorSpec([], as_dtype(k)) for k in kinds)
        for s in self._spec:
            if s.dtype not in _TYPES:
                raise errors.InvalidArgumentError(None, None, f"Unsupported output type for SqlDataset: {s.dtype.name} [Op:SqlDataset] name: ")
        if self._driver != "sqlite":
            raise errors.InvalidArgumentError(
                None, None, f"The database type, {self._driver}, is not supported by SqlDataset. The set of supported databases is: {{'sqlite'}}. [Op:SqlDataset] name: "
            )

    def _components(self) -> Iterator[Any]:
        import sqlite3
        import urllib.parse

        try:
            # rows are read wherever the iterator is used, one at a time, so the connection may change threads
            base = sqlite3.connect(f"file:{urllib.parse.quote(self._source)}?mode=ro", uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise errors.UnknownError(None, None, f"Failed to connect to database: {error} [Op:IteratorGetNext] name: ") from error
        try:
            base.text_factory = bytes
            try:
                cursor = base.execute(self._query)
                width = len(cursor.description or ())
                if width != len(self._spec):
                    raise errors.InvalidArgumentError(
                        None, None,
                        f"The number of columns in query ({width}) must match the number of elements in output_types ({len(self._spec)}). "
                        "[Op:IteratorGetNext] name: ",
                    )  # fmt: skip
                for row in cursor:
                    yield [self._one(v, s.dtype) for v, s in zip(row, self._spec, strict=True)]
            except sqlite3.Error as error:
                raise errors.UnknownError(None, None, f"Prepare() failed: {error}: {self._query} [Op:IteratorGetNext] name: ") from error
        finally:
            base.close()

    @staticmethod
    def _one(value: Any, kind: Any) -> Any:
        """A column as SQLite converts it: anything to text or to a number, nothing to an empty text or zero."""
        if kind is string:
            return boxed(b"" if value is None else value if isinstance(value, bytes) else str(value).encode())
        if value is None:
            value = 0
        if isinstance(value, bytes):
            try:
                value = float(value) if kind.is_floating else int(float(value))
            except ValueError:
                value = 0
        if kind is dtypes.bool:
            return torch.tensor(bool(value))
        if kind.is_floating:
            return torch.tensor(float(value), dtype=kind.torch)
        bits = 8 * kind.size
        number = int(value) & ((1 << bits) - 1)
        if kind.min < 0 and number >> (bits - 1):
            number -= 1 << bits
        return torch.tensor(number, dtype=kind.torch)
