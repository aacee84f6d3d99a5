"""Variables and tables. A resource is the object itself: a Variable, or a table."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat import errors
from tf2compat.lookup.tables import _find, _Table

from .registry import Call, graph_op, static, unsupported


class GraphTable(_Table):
    """A table of a TensorFlow graph, filled by the graph's own initializer."""

    def __init__(self, key_dtype: Any, value_dtype: Any, shape: Any = ()) -> None:
        super().__init__(key_dtype, value_dtype, None)
        self._value_shape = tuple(shape or ())
        self.assets: tuple[str, ...] = ()

    def find(self, keys: Any, default: Any) -> Any:
        """The values of keys."""
        return _find(keys, default, self)

    def put(self, keys: Any, values: Any) -> None:
        """Takes over pairs; the ones before are forgotten."""
        flat = keys.numpy().reshape(-1).tolist()
        rows = values.numpy().reshape(len(flat), *self._value_shape).tolist()
        self._items.clear()
        self._items.update(zip(flat, rows, strict=True))


@graph_op("ReadVariableOp")
def _read(call: Call, variable: Any) -> Any:
    return tf.convert_to_tensor(variable)


@graph_op("VariableShape")
def _shape(call: Call, variable: Any) -> Any:
    return tf.shape(variable, out_type=call.get("out_type", tf.int32))


@graph_op("DisableCopyOnRead")
def _no_copy(call: Call, variable: Any) -> Any:
    return []


@graph_op("VarIsInitializedOp")
def _initialized(call: Call, variable: Any) -> Any:
    return tf.constant(True)


@graph_op("AssignVariableOp")
def _assign(call: Call, variable: Any, value: Any) -> Any:
    variable.assign(value)
    return []


@graph_op("AssignAddVariableOp")
def _assign_add(call: Call, variable: Any, value: Any) -> Any:
    variable.assign_add(value)
    return []


@graph_op("AssignSubVariableOp")
def _assign_sub(call: Call, variable: Any, value: Any) -> Any:
    variable.assign_sub(value)
    return []


@graph_op("ResourceGather")
def _gather(call: Call, variable: Any, indices: Any) -> Any:
    return tf.gather(variable, indices, batch_dims=call.get("batch_dims", 0))


@graph_op("ResourceGatherNd")
def _gather_nd(call: Call, variable: Any, indices: Any) -> Any:
    return tf.gather_nd(tf.convert_to_tensor(variable), indices)


def _scatter(op: str, method: str) -> None:
    @graph_op(op)
    def scatter(call: Call, variable: Any, indices: Any, updates: Any) -> Any:
        getattr(variable, method)(tf.IndexedSlices(updates, indices))
        return []


for _op, _method in {
    "ResourceScatterAdd": "scatter_add", "ResourceScatterSub": "scatter_sub", "ResourceScatterMul": "scatter_mul",
    "ResourceScatterDiv": "scatter_div", "ResourceScatterMax": "scatter_max", "ResourceScatterMin": "scatter_min",
    "ResourceScatterUpdate": "scatter_update",
}.items():  # fmt: skip
    _scatter(_op, _method)


@graph_op("HashTableV2", "MutableHashTableV2", "AnonymousHashTable", "AnonymousMutableHashTable", "MutableHashTableOfTensorsV2",
          "AnonymousMutableHashTableOfTensors")  # fmt: skip
def _table(call: Call) -> Any:
    return GraphTable(call.get("key_dtype"), call.get("value_dtype"), call.get("value_shape") or ())


@graph_op("MutableDenseHashTableV2", "AnonymousMutableDenseHashTable")
def _dense_table(call: Call, empty: Any, deleted: Any) -> Any:
    return GraphTable(empty.dtype, call.get("value_dtype"), call.get("value_shape") or ())


@graph_op("LookupTableFindV2")
def _lookup(call: Call, table: Any, keys: Any, default: Any) -> Any:
    return table.find(keys, default)


@graph_op("LookupTableSizeV2")
def _table_size(call: Call, table: Any) -> Any:
    return table.size()


@graph_op("LookupTableExportV2")
def _table_export(call: Call, table: Any) -> Any:
    from tf2compat.lookup.tables import _export

    keys, values = _export(table)
    return {"keys": keys, "values": values}


@graph_op("LookupTableImportV2", "InitializeTableV2")
def _import(call: Call, table: Any, keys: Any, values: Any) -> Any:
    if not tf.executing_eagerly():
        known = [tf.get_static_value(keys), tf.get_static_value(values)]
        if call.op != "InitializeTableV2" or any(v is None for v in known):
            raise unsupported(call, "tables are filled when the model is loaded")
        with tf.init_scope():  # a table with constant contents, made where it is used
            table.put(tf.constant(known[0], table.key_dtype), tf.constant(known[1], table.value_dtype))
        return []
    table.put(keys, values)
    return []


@graph_op("LookupTableInsertV2")
def _insert(call: Call, table: Any, keys: Any, values: Any) -> Any:
    from tf2compat.lookup.tables import _insert as insert

    insert(keys, values, table)
    return []


@graph_op("InitializeTableFromTextFileV2")
def _from_file(call: Call, table: Any, file: Any) -> Any:
    path = static(call, file)[()].decode()
    if path not in table.assets:
        raise errors.PermissionDeniedError(None, None, f"{path}; a table may only be filled from the SavedModel's own assets")
    size = call.get("vocab_size", -1)
    initializer = tf.lookup.TextFileInitializer(
        path, table.key_dtype, call.get("key_index"), table.value_dtype, call.get("value_index"), vocab_size=None if size < 0 else size,
        delimiter=call.get("delimiter", b"\t").decode(), value_index_offset=call.get("offset", 0),
    )  # fmt: skip
    table._fill(initializer)
    return []
