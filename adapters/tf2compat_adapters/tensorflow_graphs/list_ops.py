"""Lists of tensors, which TensorFlow's `TensorArray` is in a graph: ours is the same."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._top.tensor_array import list_element, list_resized, list_written

from .registry import Call, graph_op


def _dims(shape: Any) -> Any:
    """An element's shape as far as it is known: -1 alone for an unknown rank."""
    found = tf.get_static_value(shape)
    if found is None or np.ndim(found) == 0:
        return None
    return [None if size < 0 else int(size) for size in np.asarray(found)]


def _array(call: Call, handle: Any, shape: Any = None) -> Any:
    return tf.TensorArray(call.get("element_dtype"), flow=handle, element_shape=shape, infer_shape=False, clear_after_read=False)


@graph_op("TensorListReserve")
def _reserve(call: Call, shape: Any, count: Any) -> Any:
    array = tf.TensorArray(
        call.get("element_dtype"), size=count, dynamic_size=True, element_shape=_dims(shape), infer_shape=False, clear_after_read=False
    )
    return array._tensor()


@graph_op("EmptyTensorList")
def _empty(call: Call, shape: Any, limit: Any) -> Any:
    return _reserve(call, shape, 0)


@graph_op("TensorListFromTensor")
def _from_tensor(call: Call, value: Any, shape: Any) -> Any:
    count = tf.shape(value)[0]
    array = tf.TensorArray(
        call.get("element_dtype"), size=count, dynamic_size=True, element_shape=_dims(shape), infer_shape=False, clear_after_read=False
    )
    return array.unstack(value)._tensor()


@graph_op("TensorListSetItem")
def _set(call: Call, handle: Any, index: Any, item: Any) -> Any:
    return _array(call, handle).write(index, item)._tensor()


@graph_op("TensorListPushBack")
def _push(call: Call, handle: Any, item: Any) -> Any:
    array = _array(call, handle)
    return array.write(array.size(), item)._tensor()


@graph_op("TensorListGetItem")
def _get(call: Call, handle: Any, index: Any, shape: Any) -> Any:
    return _array(call, handle, _dims(shape)).read(index)


@graph_op("TensorListLength")
def _length(call: Call, handle: Any) -> Any:
    return tf.TensorArray(tf.float32, flow=handle).size()


@graph_op("TensorListStack")
def _stack(call: Call, handle: Any, shape: Any) -> Any:
    found = _array(call, handle, _dims(shape)).stack()
    count = call.get("num_elements", -1)
    if count >= 0 and found.shape.rank is not None and found.shape[0] is None:
        found = tf.ensure_shape(found, [count, *found.shape.as_list()[1:]])
    return found


@graph_op("TensorListGather")
def _gather(call: Call, handle: Any, indices: Any, shape: Any) -> Any:
    return _array(call, handle, _dims(shape)).gather(indices)


@graph_op("TensorListConcatV2")
def _concat(call: Call, handle: Any, shape: Any, leading: Any) -> Any:
    dims = _dims(shape)
    return {"tensor": _array(call, handle, dims).concat(), "lengths": tf.zeros([0], tf.int64)}


@graph_op("TensorListScatterIntoExistingList")
def _scatter(call: Call, handle: Any, value: Any, indices: Any) -> Any:
    return _array(call, handle).scatter(indices, value)._tensor()


@graph_op("TensorListPopBack")
def _pop(call: Call, handle: Any, shape: Any) -> Any:
    last = _array(call, handle).size() - 1
    return {"output_handle": list_resized(handle, last), "tensor": _get(call, handle, last, shape)}


@graph_op("TensorListResize")
def _resize(call: Call, handle: Any, size: Any) -> Any:
    return list_resized(handle, size)


@graph_op("TensorListElementShape")
def _element_shape(call: Call, handle: Any) -> Any:
    return tf.constant(-1, call.get("shape_type", tf.int32))  # a list here does not know it


@graph_op("TensorListScatterV2")
def _scatter_new(call: Call, value: Any, indices: Any, shape: Any, count: Any) -> Any:
    known = tf.get_static_value(count)
    size = tf.reduce_max(indices) + 1 if known is None or known < 0 else count
    return _array(call, _reserve(call, shape, size)).scatter(indices, value)._tensor()


@graph_op("TensorListSplit")
def _split(call: Call, value: Any, shape: Any, lengths: Any) -> Any:
    return _array(call, _reserve(call, shape, 0)).split(value, lengths)._tensor()


# --- values that may be absent: lists of their parts -----------------------------------------------------------------
@graph_op("OptionalNone")
def _nothing(call: Call) -> Any:
    return tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False, clear_after_read=False)._tensor()


@graph_op("OptionalFromValue")
def _something(call: Call, *parts: Any) -> Any:
    found = _nothing(call)
    for i, part in enumerate(parts):
        found = list_written(found, i, part)
    return found


@graph_op("OptionalHasValue")
def _has_value(call: Call, optional: Any) -> Any:
    return tf.TensorArray(tf.float32, flow=optional).size() > 0


@graph_op("OptionalGetValue")
def _value(call: Call, optional: Any) -> Any:
    kinds, shapes = call.get("output_types"), call.get("output_shapes")
    return [
        list_element(optional, i, kind, () if kind == tf.variant else None if dims is None else tuple(dims))
        for i, (kind, dims) in enumerate(zip(kinds, shapes, strict=True))
    ]
