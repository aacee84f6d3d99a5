"""The base class of version 1's recurrent cells, from which libraries derive cells of their own."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

__all__ = ["RNNCell"]


class RNNCell(tf.keras.layers.Layer):
    """A cell: `state_size` and `output_size` say what `call(inputs, state)` takes and gives (`tf.compat.v1.nn.rnn_cell.RNNCell`)."""

    @property
    def state_size(self) -> Any:
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> Any:
        raise NotImplementedError("Abstract method")

    def build(self, _: Any) -> None:
        """Variables are made when they are first needed, so this is for subclasses."""

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for a batch: that of `inputs`, or of `batch_size` and `dtype`, which ValueError demands otherwise."""
        if inputs is not None:
            inputs = tf.convert_to_tensor(inputs)
            batch_size, dtype = inputs.shape[0] or tf.shape(inputs)[0], inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                f"batch_size and dtype cannot be None while constructing initial state: batch_size={batch_size}, dtype={dtype}"
            )
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros of `state_size`, a size, shape or structure of them, for each element of a batch."""
        from .helpers import joined_sizes

        def zeros(size: Any) -> Any:
            made = tf.zeros(joined_sizes(batch_size, size), dtype)
            made.set_shape(joined_sizes(batch_size, size, static=True))
            return made

        size = self.state_size
        return zeros(size) if isinstance(size, tf.TensorShape) else tf.nest.map_structure(zeros, size)
