"""Where the contents of tables come from."""

from __future__ import annotations

import os
from typing import Any

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import as_dtype
from .._files import os_error


class KeyValueTensorInitializer:
    """Keys and values from two vectors (`tf.lookup.KeyValueTensorInitializer`)."""

    def __init__(self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None) -> None:
        self._keys = convert_to_tensor(keys, key_dtype)
        self._values = convert_to_tensor(values, value_dtype)

    @property
    def key_dtype(self) -> dtypes.DType:
        return self._keys.dtype

    @property
    def value_dtype(self) -> dtypes.DType:
        return self._values.dtype

    def _pairs(self) -> tuple[list[Any], list[Any]]:
        if self._keys.shape != self._values.shape:
            a, b = ("[" + ",".join(map(str, s)) + "]" for s in (self._keys.shape.as_list(), self._values.shape.as_list()))
            raise errors.InvalidArgumentError(None, None, f"Expected shape {a} for value, got {b} [Op:LookupTableImportV2] name: ")
        return self._keys._numpy().reshape(-1).tolist(), self._values._numpy().reshape(-1).tolist()


class TextFileIndex:
    """What a TextFileInitializer takes from a line, instead of a column (`tf.lookup.TextFileIndex`)."""

    WHOLE_LINE = -2
    LINE_NUMBER = -1


class TextFileInitializer:
    """Keys and values from the lines of a text file: columns, whole lines, line numbers (`tf.lookup.TextFileInitializer`)."""

    def __init__(
        self, filename: Any, key_dtype: Any, key_index: int, value_dtype: Any, value_index: int, vocab_size: int | None = None, delimiter: str = "\t",
        name: str | None = None, value_index_offset: int = 0,
    ) -> None:  # fmt: skip
        self.key_dtype, self.value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)
        if key_index < -2 or value_index < -2:
            raise ValueError(f"Invalid index: key_index={key_index}, value_index={value_index}; must be at least -2")
        for what, index, dtype in (("key", key_index, self.key_dtype), ("value", value_index, self.value_dtype)):
            if index == TextFileIndex.LINE_NUMBER and dtype is not dtypes.int64:
                raise ValueError(f"`{what}_dtype` must be int64 if `{what}_index` is {TextFileIndex.LINE_NUMBER}, received: {dtype!r}")
        self._filename = filename
        self._columns = (key_index, value_index)
        self._size, self._delimiter, self._offset = vocab_size, delimiter.encode(), value_index_offset

    def _pairs(self) -> tuple[list[Any], list[Any]]:
        found = convert_to_tensor(self._filename).numpy() if not isinstance(self._filename, os.PathLike) else self._filename
        path = os.fsdecode(found)
        keys, values = [], []
        try:
            with open(path, "rb") as file:
                for n, line in enumerate(file):
                    if self._size is not None and n >= self._size:
                        break
                    line = line.rstrip(b"\r\n")
                    keys.append(self._part(path, line, n, self._columns[0], self.key_dtype, 0))
                    values.append(self._part(path, line, n, self._columns[1], self.value_dtype, self._offset))
        except OSError as error:
            raise os_error(error, path) from error
        if self._size is not None and len(keys) != self._size:
            raise errors.InvalidArgumentError(None, None, f"Invalid vocab_size in {path}: expected {self._size} but got {len(keys)}")
        return keys, values

    def _part(self, path: str, line: bytes, number: int, index: int, dtype: dtypes.DType, offset: int) -> Any:
        if index == TextFileIndex.LINE_NUMBER:
            return number + offset
        text = line
        if index >= 0:
            parts = line.split(self._delimiter)
            if index >= len(parts):
                raise errors.InvalidArgumentError(
                    None, None,
                    f"Invalid number of columns in {path} line {number} ({line.decode(errors='replace')}) : expected at least {index + 1} got {len(parts)}",
                )  # fmt: skip
            text = parts[index]
        if dtype is dtypes.string:
            return text
        try:
            return float(text) if dtype.is_floating else int(text)
        except ValueError:
            raise errors.InvalidArgumentError(
                None, None, f"Field {text.decode(errors='replace')} in line {number} of {path} is not a valid {dtype._cpp}."
            ) from None
