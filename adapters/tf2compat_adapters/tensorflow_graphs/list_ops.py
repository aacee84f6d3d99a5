"""Lists of tensors, which TensorFlow's `TensorArray` is in a graph: ours is the same."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from .registry import Call, graph_op, unsupported


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


@graph_op("TensorListResize", "TensorListPopBack", "TensorListScatterV2", "TensorListSplit")
def _missing(call: Call, *inputs: Any) -> Any:
    raise unsupported(call)
