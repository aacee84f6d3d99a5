"""What the preprocessing layers share: `adapt`, and the forms of categorical output."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS, INTS
from tf2compat._engine.op import op, tensor

from .._base.layer import Layer


class PreprocessingLayer(Layer):
    """A layer whose state comes from looking at data once (`adapt`) instead of from training."""

    _must_restore_from_config = True
    #: how many rows `adapt` looks at together, None where it makes no difference
    _adapts_by: int | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__["_is_adapted"] = False

    @property
    def is_adapted(self) -> bool:
        """Whether `adapt` has been called."""
        return self.__dict__["_is_adapted"]

    def update_state(self, data: Any) -> None:
        """Take a batch of data into account."""
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forget all data."""
        raise NotImplementedError

    def _prepared(self, data: Any) -> Any:
        return data if hasattr(data, "dtype") and hasattr(getattr(data, "shape", None), "rank") else tf.convert_to_tensor(data)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Set the state from `data`: an array, a tensor, or a `tf.data.Dataset` of batches, at most `steps` of them."""
        if self.built:
            self.reset_state()
        if isinstance(data, (dict, str, bytes, set)) or data is None:
            raise ValueError(f"Failed to find data adapter that can handle input: {type(data)}, <class 'NoneType'>")
        if steps is None and hasattr(data, "element_spec") and hasattr(data, "cardinality") and int(data.cardinality()) == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                "When providing an infinite dataset, you must specify the number of steps to run (if you did not intend to create an infinite "
                "dataset, make sure to not call `repeat()` on the dataset)."
            )
        for i, batch in enumerate(_batches(data, batch_size or self._adapts_by)):
            if steps is not None and i >= steps:
                break
            batch = self._prepared(batch)
            if not self.built:
                self._build_for(batch)
            self.update_state(batch)
        self.finalize_state()
        self.__dict__["_is_adapted"] = True

    def _build_for(self, batch: Any) -> None:
        from tf2compat._engine import state

        state.local.names.append(self.name)
        try:
            if not hasattr(self, "_batch_input_shape"):  # a Sequential model that begins with the layer is built at once
                self.__dict__["_batch_input_shape"] = (None,) * batch.shape.rank
            self.build(batch.shape)
            self.__dict__["_build_input_shape"] = batch.shape
            self.built = True
        finally:
            state.local.names.pop()


def _batches(data: Any, batch_size: int | None) -> Any:
    if hasattr(data, "element_spec"):
        for batch in data:
            yield batch[0] if isinstance(batch, tuple) else batch
        return
    if isinstance(data, (list, tuple)) or not hasattr(data, "shape"):
        data = data if hasattr(data, "dtype") else np.asarray(data) if not _has_text(data) else np.asarray(data, dtype=object)
    if batch_size is None or not len(data.shape):
        yield data
        return
    for start in range(0, int(data.shape[0]), batch_size):
        yield data[start : start + batch_size]


def _has_text(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (str, bytes))


MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


def check_mode(mode: Any, allowed: tuple[str, ...], layer: str, none: bool = False) -> None:
    """ValueError unless the output mode is an allowed one."""
    if mode not in allowed and not (none and mode is None):
        raise ValueError(  # Keras' spelling, which programs may look for
            f"Unkown value for `output_mode` argument of layer {layer}. Allowed values are: {'`None`, ' if none else ''}or one of the following "
            f"values: {allowed}. Received: {mode}"
        )


@op("CategoryCounts", x=tensor(INTS), weights=tensor(FLOATS, group="W"))
def _counts(x: Any, depth: int, binary: bool, dtype: Any, weights: Any = None) -> Any:
    index = x.long()
    inside = (index >= 0) & (index < depth)
    ones = torch.ones(index.shape, dtype=dtype, device=x.device) if weights is None else weights.to(dtype)
    out = torch.zeros((*index.shape[:-1], depth), dtype=dtype, device=x.device)
    out = out.scatter_add(-1, index.clamp(0, max(depth - 1, 0)), ones * inside.to(dtype))
    return (out != 0).to(dtype) if binary else out


def encode(inputs: Any, mode: str, depth: int, dtype: Any, sparse: bool = False, weights: Any = None, idf: Any = None) -> Any:
    """Category numbers in the form that `mode` says: numbers, one hot, multi hot, counts, or counts times `idf`."""
    if mode == "int":
        return tf.cast(inputs, dtype)
    shape = inputs.shape.as_list()
    if not shape:
        inputs = tf.expand_dims(inputs, -1)
    rank = inputs.shape.rank
    if mode == "one_hot" and inputs.shape[-1] != 1:
        rank += 1
        if rank <= 2:
            inputs = tf.expand_dims(inputs, -1)
    if rank > 2:
        raise ValueError(
            f"When output_mode is not `'int'`, maximum supported output rank is 2. Received output_mode {mode} and input shape "
            f"{inputs.shape}, which would result in output rank {rank}."
        )
    kind = tf.as_dtype(dtype)
    if hasattr(inputs, "flat_values"):
        inputs = inputs.to_tensor(-1)  # which is no category
    elif hasattr(inputs, "dense_shape"):
        inputs = tf.sparse.to_dense(inputs, -1)
    found = _counts(inputs, depth, mode in ("one_hot", "multi_hot"), kind.torch, weights)
    if mode == "tf_idf":
        if idf is None:
            raise ValueError("When output mode is `'tf_idf'`, idf_weights must be provided. Received: output_mode='tf_idf' and idf_weights=None")
        found = found * tf.cast(idf, kind)
    return tf.sparse.from_dense(found) if sparse else found


def encoded_shape(shape: Any, mode: str, depth: int) -> Any:
    """The shape of `encode`'s result."""
    dims = tf.TensorShape(shape).as_list()
    if mode == "int":
        return tf.TensorShape(dims)
    if not dims:
        return tf.TensorShape([depth])
    if mode == "one_hot" and dims[-1] != 1:
        return tf.TensorShape([*dims, depth])
    return tf.TensorShape([*dims[:-1], depth])


def listed(value: Any) -> Any:
    """Tensors and arrays as lists."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    if hasattr(value, "numpy"):
        value = value.numpy()
    return value.tolist() if hasattr(value, "tolist") else list(value)
