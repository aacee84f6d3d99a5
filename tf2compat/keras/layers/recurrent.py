"""SimpleRNN, GRU and LSTM: whole sequences at once where the arguments allow it."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine import state

from .. import activations, regularizers
from .._base.input_spec import InputSpec
from .._base.random_numbers import OwnNumbers, kind_of, numbers_of
from ._recurrences import TORCH_ACTIVATIONS, gru, lstm, simple
from ._rnn_arguments import parted
from .rnn import RNN
from .rnn_cells import GRUCell, LSTMCell, SimpleRNNCell, dropout_masks

#: what the layers show of their cells
_SHOWN = frozenset(
    "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer unit_forget_bias "
    "kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint recurrent_constraint bias_constraint dropout "
    "recurrent_dropout implementation reset_after".split()
)


class _Recurrent(OwnNumbers, RNN):
    """An RNN over one of Keras' own cells; its configuration is the cell's."""

    _rebuilds_layers = False

    def _start(self, cell: Any, arguments: dict[str, Any], activity_regularizer: Any, kwargs: dict[str, Any]) -> None:
        kwargs.pop("enable_caching_device", None)  # where copies of variables are read from: every variable is on one device
        seed, kind = None, {}
        if cell._gates > 1:
            seed, kind = kwargs.pop("seed", None), {k: kwargs.pop(k) for k in ("rng_type", "force_generator") if k in kwargs}
        super().__init__(cell, **arguments, **kwargs)
        self.__dict__["_next_seed"] = None if seed is None else int(seed)
        self.__dict__["_numbers"] = numbers_of(seed, **kind) if cell._gates > 1 else None
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec = [InputSpec(ndim=3)]

    def __getattr__(self, name: str) -> Any:
        if name in _SHOWN:
            cell = self.__dict__.get("cell")
            if cell is not None:
                return getattr(cell, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _run(self, inputs: Any, mask: Any, states: Any) -> Any:
        """(output, states) by one op, or None when the cell has to go step by step."""
        raise NotImplementedError

    def _whole(self) -> bool:
        """Whether Keras would take one of its fused kernels, which drop the inputs of all steps at once."""
        cell = self.cell
        return (
            cell._gates > 1 and cell.activation in (activations.tanh, tf.tanh) and cell.recurrent_activation in (activations.sigmoid, tf.sigmoid)
            and not cell.recurrent_dropout and not self.unroll and cell.use_bias and getattr(cell, "reset_after", True)
        )  # fmt: skip

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        """The outputs (all or the last), and the states when asked for."""
        inputs, initial_state, _ = parted(inputs, initial_state, None, 0)
        states = self._initial(inputs, initial_state)
        cell = self.cell
        if isinstance(mask, list):
            mask = mask[0]
        drops = training is not False and training is not None and (cell.dropout or cell.recurrent_dropout)
        if drops and self._whole():
            # Keras' fused kernels have masks of all steps, from the layer's own seed
            inputs = inputs * dropout_masks(self.__dict__, inputs, cell.dropout, cell._gates, False)[0]
            drops = False
        elif drops and cell.dropout and not cell.recurrent_dropout and not self.unroll and not cell._by_gate:
            # one mask for all steps, in graphs one for each: the inputs may be dropped before the recurrence
            cell.reset_dropout_mask()
            if state.local.graph is not None:
                inputs = inputs * dropout_masks(cell.__dict__, inputs, cell.dropout, cell._gates, False)[0]
            else:
                one = inputs[0] if self.time_major else inputs[:, 0]
                held = cell.get_dropout_mask_for_cell(one, training)
                if held is not None:
                    inputs = inputs * tf.expand_dims(held, 0 if self.time_major else 1)
            drops = False
        if not drops:
            if mask is not None and mask.dtype is not tf.bool:
                mask = tf.cast(mask, tf.bool)
            found = self._run(inputs, mask, states)
            if found is not None:
                return self._finish(*found)
        return super().call(inputs, mask=mask, training=training, initial_state=states)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.pop("cell", None)
        own = self.cell.get_config()
        for key in ("name", "trainable", "dtype", "batch_input_shape", "rng_type"):
            own.pop(key, None)
        config.update(own | kind_of(self.__dict__["_numbers"]))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer made from what `get_config` returned."""
        config = dict(config)
        if config.get("implementation") == 0:
            config["implementation"] = 1
        config.pop("num_constants", None)
        return cls(**config)


class SimpleRNN(_Recurrent):
    """activation(inputs @ kernel + bias + state @ recurrent_kernel) along time (`tf.keras.layers.SimpleRNN`)."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("implementation", None)
        cell = SimpleRNNCell(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout,
            name="simple_rnn_cell", dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
        )  # fmt: skip
        self._start(cell, dict(
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards, stateful=stateful, unroll=unroll,
        ), activity_regularizer, kwargs)  # fmt: skip

    def _run(self, inputs: Any, mask: Any, states: Any) -> Any:
        cell = self.cell
        activation = TORCH_ACTIVATIONS.get(cell.activation)
        if activation is None:
            return None
        out, h = simple(
            inputs, states[0], cell.kernel, cell.recurrent_kernel, activation, self.return_sequences, self.go_backwards, self.time_major,
            self.zero_output_for_mask, cell.bias, mask,
        )  # fmt: skip
        return out, [h]


class GRU(_Recurrent):
    """Gated recurrent unit (`tf.keras.layers.GRU`); `reset_after` says whether the reset gate acts after the product."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, reset_after, name="gru_cell", dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
            implementation=kwargs.pop("implementation", 2),
        )  # fmt: skip
        self._start(cell, dict(
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards, stateful=stateful, unroll=unroll,
            time_major=time_major,
        ), activity_regularizer, kwargs)  # fmt: skip

    def _run(self, inputs: Any, mask: Any, states: Any) -> Any:
        cell = self.cell
        activation, gate = TORCH_ACTIVATIONS.get(cell.activation), TORCH_ACTIVATIONS.get(cell.recurrent_activation)
        if activation is None or gate is None:
            return None
        out, h = gru(
            inputs, states[0], cell.kernel, cell.recurrent_kernel, activation, gate, self.return_sequences, self.go_backwards,
            self.time_major, self.zero_output_for_mask, cell.reset_after, cell.bias, mask,
        )  # fmt: skip
        return out, [h]


class LSTM(_Recurrent):
    """Long short-term memory (`tf.keras.layers.LSTM`)."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        time_major: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, name="lstm_cell", dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
            implementation=kwargs.pop("implementation", 2),
        )  # fmt: skip
        self._start(cell, dict(
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards, stateful=stateful, unroll=unroll,
            time_major=time_major,
        ), activity_regularizer, kwargs)  # fmt: skip

    def _run(self, inputs: Any, mask: Any, states: Any) -> Any:
        cell = self.cell
        activation, gate = TORCH_ACTIVATIONS.get(cell.activation), TORCH_ACTIVATIONS.get(cell.recurrent_activation)
        if activation is None or gate is None:
            return None
        out, h, c = lstm(
            inputs, states[0], states[1], cell.kernel, cell.recurrent_kernel, activation, gate, self.return_sequences, self.go_backwards,
            self.time_major, self.zero_output_for_mask, self.return_state or self.stateful, cell.bias, mask,
        )  # fmt: skip
        return out, [h, c]


