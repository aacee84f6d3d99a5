"""The tables themselves: dictionaries behind ops."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import as_dtype, int64
from .._engine.op import ANY, op
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor, numpy_of
from .._engine.trackable import Trackable
from ..ragged import RaggedTensor
from ..sparse import SparseTensor
from ..strings.elementwise import vector
from ..strings.hashing import fingerprint64
from ._numbered import FEWEST, Numbered


def _storage(values: list[Any], dtype: dtypes.DType, shape: tuple[int, ...]) -> Any:
    if dtype is dtypes.string:
        return vector(values).reshape(shape)
    return torch.from_numpy(np.array(values, dtype=dtype.as_numpy_dtype).reshape(shape))


@op("LookupTableFindV2", stateful=True, keys=ANY, default=ANY)
def _find(keys: Any, default: Any, table: Any) -> Any:
    array = numpy_of(keys).reshape(-1)
    width = tuple(table._value_shape)
    fallback = numpy_of(default)
    numbered = table._numbered(len(array)) if fallback.ndim == 0 else None
    if numbered is not None:
        table._refused(array, "LookupTableFindV2")
        values, there = numbered.find(array)
        values[~there] = fallback
        return torch.from_numpy(values.reshape(keys.shape))
    flat = array.tolist()
    table._refused(flat, "LookupTableFindV2")
    items = table._items
    if fallback.ndim > len(width):  # one default for each key
        rows = fallback.reshape(len(flat), *width).tolist()
        found = [items.get(k, rows[i]) for i, k in enumerate(flat)]
    else:
        one = fallback.tolist()
        found = map(items.get, flat, repeat(one))
        if not width and np.dtype(table.value_dtype.as_numpy_dtype).kind in "biuf":
            return torch.from_numpy(np.fromiter(found, table.value_dtype.as_numpy_dtype, len(flat)).reshape(keys.shape))
        found = list(found)
    return _storage(found, table.value_dtype, (*keys.shape, *width))


@op("LookupTableSizeV2", stateful=True)
def _size(table: Any) -> Any:
    return torch.tensor(len(table._items) + table._extra, dtype=torch.int64)


@op("LookupTableExportV2", stateful=True, multi=True)
def _export(table: Any) -> Any:
    n = len(table._items)
    return _storage(list(table._items), table.key_dtype, (n,)), _storage(list(table._items.values()), table.value_dtype, (n, *table._value_shape))


@op("LookupTableInsertV2", stateful=True, multi=True, keys=ANY, values=ANY)
def _insert(keys: Any, values: Any, table: Any) -> Any:
    expected = (*keys.shape, *table._value_shape)
    if tuple(values.shape) != expected:
        a, b = ("[" + ",".join(map(str, s)) + "]" for s in (expected, values.shape))
        raise errors.InvalidArgumentError(None, None, f"Expected shape {a} for value, got {b} [Op:LookupTableInsertV2] name: ")
    flat = numpy_of(keys).reshape(-1).tolist()
    table._refused(flat, "LookupTableInsertV2")
    table._items.update(zip(flat, numpy_of(values).reshape(len(flat), *table._value_shape).tolist(), strict=True))
    table._changes += 1
    return ()


@op("LookupTableRemoveV2", stateful=True, multi=True, keys=ANY)
def _remove(keys: Any, table: Any) -> Any:
    flat = numpy_of(keys).reshape(-1).tolist()
    table._refused(flat, "LookupTableRemoveV2")
    for k in flat:
        table._items.pop(k, None)
    table._changes += 1
    return ()


@op("VocabularyBuckets", stateful=True, keys=ANY)
def _vocabulary(keys: Any, table: Any) -> Any:
    items, known, buckets = table._items, len(table._items), table._extra
    array = numpy_of(keys).reshape(-1)
    numbered = table._numbered(len(array))
    if numbered is not None:
        ids, there = numbered.find(array)
        ids[~there] = [known + fingerprint64(b"%d" % k) % buckets for k in array[~there].tolist()]
        return torch.from_numpy(ids.reshape(keys.shape))
    flat = array.tolist()
    found = [items[k] if k in items else known + fingerprint64(k if isinstance(k, bytes) else b"%d" % k) % buckets for k in flat]
    return _storage(found, int64, tuple(keys.shape))


for _f in (_find, _insert, _remove, _vocabulary):
    _f.strings(_f.op.fn)
_find.infer(lambda keys, default, table: [(table.value_dtype, (*keys.shape, *table._value_shape))])
_size.infer(lambda table: [(int64, ())])
_export.infer(lambda table: [(table.key_dtype, (None,)), (table.value_dtype, (None, *table._value_shape))])
_insert.infer(lambda keys, values, table: [])
_remove.infer(lambda keys, table: [])
_vocabulary.infer(lambda keys, table: [(int64, tuple(keys.shape))])


class ResourceHandle:
    """What stands for a table's resource: its dtype, shape and name, and the table itself. It is no tensor."""

    dtype = dtypes.resource
    shape = TensorShape([])

    def __init__(self, table: Any) -> None:
        self._table = table

    def __repr__(self) -> str:
        return f"<tf.Tensor: shape=(), dtype=resource, value=<ResourceHandle(name={self._table.name!r})>>"


class _Table(Trackable):
    _extra = 0
    _value_shape: tuple[int, ...] = ()

    def __init__(self, key_dtype: Any, value_dtype: Any, name: str | None) -> None:
        self._key_dtype, self._value_dtype, self._name = as_dtype(key_dtype), as_dtype(value_dtype), name
        self._items: dict[Any, Any] = {}
        #: how often the entries changed; the entries as vectors, once many whole numbers were looked up, and as of which change
        self._changes = 0
        self._vectors: tuple[int, Numbered | None] = 0, None

    def _numbered(self, count: int) -> Numbered | None:
        """The entries as vectors, where a lookup of `count` keys is faster by them."""
        now = self._changes
        as_of, found = self._vectors
        if found is not None and as_of == now:
            return found
        kind = np.dtype(self._value_dtype.as_numpy_dtype)
        if count < FEWEST or len(self._items) > 4 * count or not self._key_dtype.is_integer or self._value_shape or kind.kind not in "biuf":
            return None
        found = Numbered(dict(self._items), self._key_dtype.as_numpy_dtype, kind)
        self._vectors = now, found
        return found

    def _graph_state(self) -> Any:
        default = getattr(self, "_default", None)
        return [self._key_dtype, self._value_dtype, self._name, default, self._extra, self._value_shape, list(self._items.items())]

    @classmethod
    def _of_graph_state(cls, state: Any) -> Any:
        table = cls.__new__(cls)
        key_dtype, value_dtype, name, default, extra, shape, items = state
        _Table.__init__(table, key_dtype, value_dtype, name)
        if default is not None:
            table._default = default
        table._extra, table._value_shape = extra, shape
        table._items.update(items)
        return table

    @property
    def key_dtype(self) -> dtypes.DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> dtypes.DType:
        return self._value_dtype

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def resource_handle(self) -> ResourceHandle:
        """What stands for the table in graphs."""
        return ResourceHandle(self)

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries, int64."""
        return _size(self)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of `keys`, a dense, ragged or sparse tensor. TypeError for keys of another dtype."""
        return self._mapped(keys, self._found)

    def _mapped(self, keys: Any, find: Any) -> Any:
        if keys.dtype != self._key_dtype:
            raise TypeError(f"Dtype of argument `keys` must be {self._key_dtype!s}, received: {keys.dtype!s}")
        if isinstance(keys, RaggedTensor):
            return keys.with_flat_values(find(keys.flat_values))
        if isinstance(keys, SparseTensor):
            return keys.with_values(find(keys.values))
        return find(convert_to_tensor(keys))

    def _found(self, keys: Any) -> Any:
        raise NotImplementedError(type(self).__name__)

    def _refused(self, keys: list[Any], op_name: str) -> None:
        """Raises InvalidArgumentError for keys that the table cannot have."""

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)

    def _fill(self, initializer: Any) -> None:
        keys, values = initializer._pairs()
        for k, v in zip(keys, values, strict=True):
            if self._items.setdefault(k, v) != v:
                shown = k.decode(errors="replace") if isinstance(k, bytes) else k
                raise errors.FailedPreconditionError(
                    None, None, f"HashTable has different value for same key. Key {shown} has {self._items[k]} and trying to add value {v}"
                )


class StaticHashTable(_Table):
    """A table whose contents come from an initializer and do not change (`tf.lookup.StaticHashTable`)."""

    def __init__(self, initializer: Any, default_value: Any, name: str | None = None, experimental_is_anonymous: bool = False) -> None:
        super().__init__(initializer.key_dtype, initializer.value_dtype, name)
        self._default = convert_to_tensor(default_value, self._value_dtype)
        self._fill(initializer)

    @property
    def default_value(self) -> Tensor:
        return self._default

    def _found(self, keys: Any) -> Any:
        return _find(keys, self._default, self)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and values, as two vectors."""
        return _export(self)


class StaticVocabularyTable(_Table):
    """Ids of known keys, and hash buckets after them for all others (`tf.lookup.StaticVocabularyTable`)."""

    def __init__(
        self, initializer: Any, num_oov_buckets: int, lookup_key_dtype: Any = None, name: str | None = None, experimental_is_anonymous: bool = False
    ) -> None:
        if num_oov_buckets <= 0:
            raise ValueError("`num_oov_buckets` must be > 0; use StaticHashTable.")
        if initializer is not None and initializer.value_dtype is not int64:
            raise TypeError(f"Invalid `value_dtype`, expected {int64!r} but got {initializer.value_dtype!r}.")
        own = dtypes.string if initializer is None else initializer.key_dtype
        super().__init__(lookup_key_dtype or own, int64, name)
        if self._key_dtype is not own and not (own.is_integer and self._key_dtype.is_integer):
            raise TypeError(f"Invalid `key_dtype`, expected {own!r} but got {self._key_dtype!r}.")
        self._extra = int(num_oov_buckets)
        if initializer is not None:
            self._fill(initializer)

    def _found(self, keys: Any) -> Any:
        return _vocabulary(keys, self)


class MutableHashTable(_Table):
    """A table that programs change (`tf.lookup.experimental.MutableHashTable`). Checkpoints hold its contents, unless `checkpoint` is False."""

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default_value: Any, name: str = "MutableHashTable", checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(key_dtype, value_dtype, name)
        self._default = convert_to_tensor(default_value, self._value_dtype)
        self._value_shape = tuple(self._default.shape.as_list())
        self._saved = bool(checkpoint)

    def _serialize_to_tensors(self) -> dict[str, Any]:
        if not self._saved:
            return {}
        keys, values = self.export()
        return {"table-keys": keys, "table-values": values}

    def _restore_from_tensors(self, restored_tensors: Any) -> None:
        keys, values = (numpy_of(convert_to_tensor(restored_tensors[n])._t) for n in ("table-keys", "table-values"))
        width = self._value_shape
        if values.size != keys.size * int(np.prod(width, dtype=np.int64)):
            raise errors.InvalidArgumentError(None, None, f"The saved table has values of shape {values.shape[1:]}, not {width}")
        self._items = dict(zip(keys.reshape(-1).tolist(), values.reshape(keys.size, *width).tolist(), strict=True))
        self._changes += 1

    def _found(self, keys: Any) -> Any:
        return _find(keys, self._default, self)

    def lookup(self, keys: Any, dynamic_default_values: Any = None, name: str | None = None) -> Any:
        """The values of `keys`; for those that are not there the default, or their entry of `dynamic_default_values`."""
        keys = keys if isinstance(keys, (RaggedTensor, SparseTensor)) else convert_to_tensor(keys, self._key_dtype)
        if dynamic_default_values is None:
            return self._mapped(keys, self._found)
        default = convert_to_tensor(dynamic_default_values, self._value_dtype)
        return self._mapped(keys, lambda k: _find(k, default, self))

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Any:
        """Set the values of keys; InvalidArgumentError where their shapes do not fit."""
        _insert(convert_to_tensor(keys, self._key_dtype), convert_to_tensor(values, self._value_dtype), self)
        return _done()

    def remove(self, keys: Any, name: str | None = None) -> Any:
        """Take keys out; those that are not there are ignored."""
        _remove(convert_to_tensor(keys, self._key_dtype), self)
        return _done()

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys, and their values."""
        return _export(self)


class DenseHashTable(MutableHashTable):
    """A table that programs change, with two keys that cannot be used (`tf.lookup.experimental.DenseHashTable`).

    Differs from TensorFlow: `export` and checkpoints hold the entries, not the buckets they lie in.
    """

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default_value: Any, empty_key: Any, deleted_key: Any, initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable", checkpoint: bool = True, experimental_is_anonymous: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(key_dtype, value_dtype, default_value, name, checkpoint, experimental_is_anonymous)
        if initial_num_buckets is not None and (initial_num_buckets < 1 or initial_num_buckets & (initial_num_buckets - 1)):
            raise errors.InvalidArgumentError(None, None, f"Number of buckets must be at least 4 and a power of 2, got: {initial_num_buckets}")
        self._empty, self._deleted = (convert_to_tensor(k, self._key_dtype)._numpy().tolist() for k in (empty_key, deleted_key))
        if self._empty == self._deleted:
            raise errors.InvalidArgumentError(None, None, "Empty and deleted keys cannot be equal [Op:MutableDenseHashTableV2] name: MutableDenseHashTable")

    def _graph_state(self) -> Any:
        return [*super()._graph_state(), self._empty, self._deleted]

    @classmethod
    def _of_graph_state(cls, state: Any) -> Any:
        *plain, empty, deleted = state
        table = super()._of_graph_state(plain)
        table._empty, table._deleted = empty, deleted
        return table

    def _refused(self, keys: list[Any], op_name: str) -> None:
        for what, key in (("empty", self._empty), ("deleted", self._deleted)):
            if key in keys:
                raise errors.InvalidArgumentError(None, None, f"Using the {what}_key as a table key is not allowed [Op:{op_name}] name: ")

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> Any:
        """`insert`."""
        return self.insert(keys, values, name)

    def erase(self, keys: Any, name: str | None = None) -> Any:
        """`remove`."""
        return self.remove(keys, name)

    def _restore_from_tensors(self, restored_tensors: Any) -> None:
        super()._restore_from_tensors(restored_tensors)
        for key in (self._empty, self._deleted):  # the empty buckets of a table that TensorFlow saved
            self._items.pop(key, None)
        self._changes += 1


def _done() -> Any:
    return None if tf.executing_eagerly() else tf.no_op()
