"""`tf.nn.RNNCellDropoutWrapper`, `RNNCellResidualWrapper`, `RNNCellDeviceWrapper`: cells around cells."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from ..keras._base.layer import Layer
from ..keras.layers.rnn import AbstractRNNCell, build_plainly, call_cell, cell_output_size, cell_zeros


class _CellWrapper(AbstractRNNCell):
    """A cell that runs another one and changes what goes in or comes out."""

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        if not hasattr(cell, "call") and not callable(cell):
            raise TypeError(f"The parameter cell must be an RNN cell. Received: {cell}")
        super().__init__(**kwargs)
        self.cell = cell

    @property
    def wrapped_cell(self) -> Any:
        """The cell inside."""
        return self.cell

    @property
    def state_size(self) -> Any:
        """The cell's state size."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """The cell's output size."""
        return cell_output_size(self.cell)

    def build(self, input_shape: Any) -> None:
        """Build the cell inside."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            build_plainly(self.cell, input_shape)
        self.built = True

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """The cell's initial state."""
        own = getattr(self.cell, "get_initial_state", None)
        if own is None:
            return cell_zeros(self.cell, inputs, batch_size, dtype)
        return own(inputs=inputs, batch_size=batch_size, dtype=dtype)

    def _run(self, inputs: Any, states: Any, training: Any) -> Any:
        return call_cell(self.cell, inputs, states, None, training)


class RNNCellResidualWrapper(_CellWrapper):
    """Adds a cell's inputs to its outputs (`tf.nn.RNNCellResidualWrapper`); `residual_fn(inputs, outputs)` may do it otherwise."""

    def __init__(self, cell: Any, residual_fn: Any = None, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._residual_fn = residual_fn

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """outputs plus inputs, new states. ValueError when their shapes differ."""
        outputs, after = self._run(inputs, states, training)
        if self._residual_fn is not None:
            return self._residual_fn(inputs, outputs), after

        def joined(a: Any, b: Any) -> Any:
            if not a.shape.is_compatible_with(b.shape):
                raise ValueError(f"Shapes {a.shape} and {b.shape} are incompatible: inputs and outputs must have the same shape")
            return a + b

        return tf.nest.map_structure(joined, inputs, outputs), after


class RNNCellDropoutWrapper(_CellWrapper):
    """Dropout of a cell's inputs, states and outputs, each with its probability of keeping (`tf.nn.RNNCellDropoutWrapper`)."""

    def __init__(
        self,
        cell: Any,
        input_keep_prob: float = 1.0,
        output_keep_prob: float = 1.0,
        state_keep_prob: float = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: Any = None,
        dropout_state_filter_visitor: Any = None,
        **kwargs: Any,
    ) -> None:
        if variational_recurrent or dropout_state_filter_visitor is not None:
            raise ValueError("RNNCellDropoutWrapper does not support variational_recurrent and dropout_state_filter_visitor in tf2compat.")
        super().__init__(cell, dtype=dtype, **kwargs)
        for word, p in (("input", input_keep_prob), ("state", state_keep_prob), ("output", output_keep_prob)):
            if not 0.0 <= p <= 1.0:
                raise ValueError(f"Parameter {word}_keep_prob must be between 0 and 1: {p}")
        self._keep = (input_keep_prob, state_keep_prob, output_keep_prob)
        self._seed = seed

    def _dropped(self, value: Any, keep: float) -> Any:
        if keep >= 1.0:
            return value
        return tf.nest.map_structure(lambda v: tf.nn.dropout(v, rate=1.0 - keep, seed=self._seed), value)

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """outputs and new states with parts set to zero."""
        outputs, after = self._run(self._dropped(inputs, self._keep[0]), states, training)
        if self._keep[1] < 1.0:
            flat = tf.nest.flatten(after)
            # the memory of an LSTM, its second state, is kept whole
            changed = [v if len(flat) == 2 and i == 1 else self._dropped(v, self._keep[1]) for i, v in enumerate(flat)]
            after = tf.nest.pack_sequence_as(after, changed)
        return self._dropped(outputs, self._keep[2]), after


class RNNCellDeviceWrapper(_CellWrapper):
    """Runs a cell on a device (`tf.nn.RNNCellDeviceWrapper`)."""

    def __init__(self, cell: Any, device: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._device = device

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """The cell's outputs and new states."""
        with tf.device(self._device):
            return self._run(inputs, states, training)
