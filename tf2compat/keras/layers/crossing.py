"""HashedCrossing: features crossed and hashed into bins."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat.ragged.crossing import cross_single

from .._base.layer import Layer
from ._adapting import check_mode, encode, encoded_shape
from .statistics import _output_dtype


class HashedCrossing(Layer):
    """Crosses of integer or string features as hash bins (`tf.keras.layers.HashedCrossing`), the same bins as TensorFlow's.

    Called on two or more inputs of shape [], [batch] or [batch, 1]; ValueError for others.
    """

    def __init__(self, num_bins: int, output_mode: str = "int", sparse: bool = False, **kwargs: Any) -> None:
        _output_dtype(kwargs, output_mode)
        super().__init__(**kwargs)
        check_mode(output_mode, ("int", "one_hot"), type(self).__name__)
        self.num_bins = num_bins
        self.output_mode = output_mode
        self.sparse = sparse

    def _check_at_least_two_inputs(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"`HashedCrossing` should be called on a list or tuple of inputs. Received: inputs={inputs}")
        if len(inputs) < 2:
            raise ValueError(f"`HashedCrossing` should be called on at least two inputs. Received: inputs={inputs}")

    def call(self, inputs: Any) -> Any:
        """The bins of the crosses in the form that `output_mode` says."""
        self._check_at_least_two_inputs(inputs)
        inputs = [x if hasattr(getattr(x, "shape", None), "rank") else tf.convert_to_tensor(x) for x in inputs]
        for x in inputs:
            if x.shape.rank not in (0, 1) and not (x.shape.rank == 2 and x.shape[1] == 1):
                raise ValueError(f"All `HashedCrossing` inputs should have shape `[]`, `[batch_size]` or `[batch_size, 1]`. Received: inputs={inputs}")
        if any(isinstance(x, (tf.SparseTensor, tf.RaggedTensor)) for x in inputs):
            raise ValueError(f"All `HashedCrossing` inputs should be dense tensors. Received: inputs={inputs}")
        if not all(x.dtype.is_integer or x.dtype is tf.string for x in inputs):
            raise ValueError(f"All `HashedCrossing` inputs should have an integer or string dtype. Received: inputs={inputs}")
        bins = cross_single([x if x.dtype is tf.string else tf.cast(x, tf.int64) for x in inputs], self.num_bins, None)
        return encode(bins, self.output_mode, self.num_bins, self.compute_dtype, self.sparse)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the encoded bins."""
        self._check_at_least_two_inputs(input_shape)
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config() | {"num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": self.sparse}
