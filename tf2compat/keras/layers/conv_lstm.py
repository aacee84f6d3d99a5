"""ConvLSTM1D to ConvLSTM3D: LSTMs whose products are convolutions."""

from __future__ import annotations

from typing import Any

import torch

import tf2compat as tf
from tf2compat._engine import dtypes
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.dtypes import bool as tf_bool
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape

from .. import activations, regularizers
from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._common import WeightOptions, conv_output_length, normalize_data_format, normalize_padding, normalize_tuple
from ._recurrences import TORCH_ACTIVATIONS
from ._rnn_arguments import parted
from .convolution import convolved
from .recurrent import _SHOWN
from .rnn import RNN, build_plainly
from .rnn_cells import DropoutCell, UnitForgetBias

_X = tensor(FLOATS)


@op("ConvLSTM", multi=True, x=_X, h=_X, c=_X, kernel=_X, recurrent=_X, bias=_X, mask=tensor(tf_bool, group="B"))
def _conv_lstm(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, options: Any, sequences: bool, backwards: bool, zero_output: bool,
    bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """Output ([batch, time, ...] or the last one), h and c of a convolutional LSTM over x [batch, time, ...]."""
    activation, gate, strides, padding, rates, first = options
    n = kernel.ndim - 2
    conv = convolved.op.fn
    axis = 1 if first else n + 1
    batch, length = x.shape[:2]
    z = conv(x.reshape(-1, *x.shape[2:]), kernel, strides, padding, rates, first, bias)
    z = z.reshape(batch, length, *z.shape[1:])
    found = []
    out = torch.zeros_like(h)
    for t in reversed(range(length)) if backwards else range(length):
        parts = z[:, t] + conv(h, recurrent, (1,) * n, "same", (1,) * n, first)
        i, f, g, o = parts.chunk(4, axis)
        new_c = gate(f) * c + gate(i) * activation(g)
        new_h = gate(o) * activation(new_c)
        new = new_h
        if mask is not None:
            keep = mask[:, t].reshape(-1, *[1] * (n + 1))
            new = torch.where(keep, new_h, torch.zeros_like(new_h) if zero_output else out)
            new_h, new_c = torch.where(keep, new_h, h), torch.where(keep, new_c, c)
        out, h, c = new, new_h, new_c
        if sequences:
            found.append(out)
    return torch.stack(found, 1) if sequences else out, h, c


@_conv_lstm.infer
def _(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, options: Any, sequences: bool, backwards: bool, zero_output: bool,
    bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    kind, one = dtypes.of(x), tuple(h.shape)
    return [(kind, (x.shape[0], x.shape[1], *one[1:]) if sequences else one), (kind, one), (kind, one)]


class ConvLSTMCell(DropoutCell, WeightOptions, Layer):
    """The weights and arguments of a ConvLSTM."""

    _gates = 4
    _by_gate = True

    def __init__(self, rank: int, filters: int, arguments: dict[str, Any], options: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rank = rank
        self.filters = int(filters)
        if self.filters <= 0:
            raise ValueError(f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={filters}.")
        self.kernel_size = normalize_tuple(arguments["kernel_size"], rank, "kernel_size")
        self.strides = normalize_tuple(arguments["strides"], rank, "strides", allow_zero=True)
        self.padding = normalize_padding(arguments["padding"])
        self.data_format = normalize_data_format(arguments["data_format"])
        self.dilation_rate = normalize_tuple(arguments["dilation_rate"], rank, "dilation_rate")
        self.activation = activations.get(arguments["activation"])
        self.recurrent_activation = activations.get(arguments["recurrent_activation"])
        self.use_bias = arguments["use_bias"]
        self.unit_forget_bias = arguments["unit_forget_bias"]
        self._set_options(**options)
        self._start_dropout(arguments["dropout"], arguments["recurrent_dropout"], arguments.get("seed"))
        self.state_size = (self.filters, self.filters)

    def build(self, input_shape: Any) -> None:
        """Create kernel, recurrent_kernel and bias."""
        shape = TensorShape(input_shape)
        channels = shape[1 if self.data_format == "channels_first" else -1]
        if channels is None:
            raise ValueError(
                "The channel dimension of the inputs (last axis) should be defined. Found None. Full input shape received: "
                f"input_shape={tuple(shape.as_list())}"
            )
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.filters * 4), initializer=self.kernel_initializer, name="kernel",
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            shape=(*self.kernel_size, self.filters, self.filters * 4), initializer=self.recurrent_initializer, name="recurrent_kernel",
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            initializer = UnitForgetBias(self.bias_initializer, self.filters) if self.unit_forget_bias else self.bias_initializer
            self.bias = self.add_weight(
                shape=(self.filters * 4,), name="bias", initializer=initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip
        self.built = True

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """output, [h, c] of one step."""
        if self.in_one(training):
            out, h, c = self.run(tf.expand_dims(inputs, 1), list(states), False, False, False, None)
            return out, [h, c]
        h, c = states
        first, ones = self.data_format == "channels_first", (1,) * self.rank
        axis = 1 if first else -1
        x = self._by_gates(inputs, self.get_dropout_mask_for_cell(inputs, training, 4), axis)
        before = self._by_gates(h, self.get_recurrent_dropout_mask_for_cell(h, training, 4), axis)
        x = convolved(x, self.kernel, self.strides, self.padding, self.dilation_rate, first, self.bias)
        i, f, g, o = tf.split(x + convolved(before, self.recurrent_kernel, ones, "same", ones, first), 4, axis)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]

    @staticmethod
    def _by_gates(x: Any, masks: Any, axis: int) -> Any:
        """What each gate sees, side by side: a convolution in four groups keeps them apart."""
        return x if masks is None else tf.concat([x * m for m in masks], axis)

    def in_one(self, training: Any) -> bool:
        """Whether `run` does what a call step by step would."""
        drops = training is not False and training is not None and (self.dropout or self.recurrent_dropout)
        return not drops and self.activation in TORCH_ACTIVATIONS and self.recurrent_activation in TORCH_ACTIVATIONS

    def run(self, inputs: Any, states: Any, sequences: bool, backwards: bool, zero_output: bool, mask: Any) -> Any:
        """The whole sequence."""
        activation, gate = TORCH_ACTIVATIONS[self.activation], TORCH_ACTIVATIONS[self.recurrent_activation]
        options = (activation, gate, self.strides, self.padding, self.dilation_rate, self.data_format == "channels_first")
        return _conv_lstm(
            inputs, states[0], states[1], self.kernel, self.recurrent_kernel, options, sequences, backwards, zero_output, self.bias, mask
        )


def _of_several(shape: list[Any]) -> bool:
    return not all(isinstance(d, (int, type(None))) for d in shape)


class _ConvLSTM(RNN):
    _rank: int
    _rebuilds_layers = False

    def _start(self, filters: int, arguments: dict[str, Any], options: dict[str, Any], regular: Any, kwargs: dict[str, Any]) -> None:
        own = {k: arguments.pop(k) for k in ("return_sequences", "return_state", "go_backwards", "stateful")}
        arguments["seed"] = kwargs.pop("seed", None)
        cell = ConvLSTMCell(
            self._rank, filters, arguments, options, name="conv_lstm_cell", dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(cell, **own, **kwargs)
        self.activity_regularizer = regularizers.get(regular)
        self.input_spec = [InputSpec(ndim=self._rank + 3)]

    def __getattr__(self, name: str) -> Any:
        if name in _SHOWN or name in ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate"):
            cell = self.__dict__.get("cell")
            if cell is not None:
                return getattr(cell, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _state_shape(self, dims: list[Any]) -> list[Any]:
        cell = self.cell
        first = cell.data_format == "channels_first"
        spatial = dims[3:] if first else dims[2:-1]
        found = [
            conv_output_length(d, k, cell.padding, s, r)
            for d, k, s, r in zip(spatial, cell.kernel_size, cell.strides, cell.dilation_rate, strict=True)
        ]
        return [cell.filters, *found] if first else [*found, cell.filters]

    def build(self, input_shape: Any) -> None:
        """Build the cell; make the kept states."""
        dims = TensorShape(input_shape[0] if isinstance(input_shape, list) and _of_several(input_shape) else input_shape).as_list()
        self.input_spec = [InputSpec(shape=(dims[0] if self.stateful else None, None, *dims[2:]))]
        self.__dict__["_size"] = self._state_shape(dims)
        if not self.cell.built:
            build_plainly(self.cell, TensorShape([dims[0], *dims[2:]]))
        if self.state_spec is not None:
            self._check_states(self.state_spec)
        if self.stateful:
            self.reset_states()
        self.built = True

    def _check_states(self, specs: list[Any]) -> None:
        """ValueError for states of other channels than the cell's; the other dimensions follow from the inputs."""
        axis = 1 if self.cell.data_format == "channels_first" else self._rank + 1
        if [s.shape[axis] for s in specs] != self._sizes():
            raise ValueError(
                f"An `initial_state` was passed that is not compatible with `cell.state_size`. Received state shapes {[s.shape for s in specs]}. "
                f"However `cell.state_size` is {self.cell.state_size}"
            )

    def get_initial_state(self, inputs: Any) -> Any:
        """Zeros of the output's size for a batch like inputs."""
        from .rnn import batch_of, zero_state

        size = TensorShape(self._state_shape(inputs.shape.as_list()))
        return [zero_state(batch_of(inputs), size, inputs.dtype) for _ in range(2)]

    def reset_states(self, states: Any = None) -> None:
        """Set the kept states to zeros, or to `states`. AttributeError unless stateful."""
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        batch = tf.nest.flatten(self.input_spec)[0].shape[0]
        if not batch:
            raise ValueError("If a RNN is stateful, it needs to know its batch size. Specify the batch size of your input tensors.")
        if self._states is None:
            with tf.init_scope():
                self.__dict__["_states"] = [
                    tf.Variable(tf.zeros([batch, *self.__dict__["_size"]], self.dtype), trainable=False, name=f"state_{i}") for i in range(2)
                ]
        for v, value in zip(self._states, states or [None, None], strict=True):
            if value is not None and tuple(value.shape) != tuple(v.shape.as_list()):
                raise ValueError(f"State is incompatible with layer {self.name}: expected shape={v.shape} but found shape={value.shape}")
            v.assign(tf.zeros_like(v) if value is None else value)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        """The outputs (all or the last), and the states when asked for."""
        inputs, initial_state, _ = parted(inputs, initial_state, None, 0)
        states = self._initial(inputs, initial_state)
        if not self.cell.in_one(training):
            return super().call(inputs, mask, training, states)
        if mask is not None:
            mask = tf.cast(mask[0] if isinstance(mask, list) else mask, tf.bool)
        out, h, c = self.cell.run(inputs, states, self.return_sequences, self.go_backwards, self.zero_output_for_mask, mask)
        return self._finish(out, [h, c])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output, and of the states when they are returned."""
        dims = TensorShape(input_shape[0] if isinstance(input_shape, list) and _of_several(input_shape) else input_shape).as_list()
        size = self._state_shape(dims)
        found = TensorShape([*dims[:2], *size] if self.return_sequences else [dims[0], *size])
        return [found, *[TensorShape([dims[0], *size])] * 2] if self.return_state else found

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.pop("cell", None)
        cell = self.cell
        config.update({
            "filters": cell.filters, "kernel_size": cell.kernel_size, "strides": cell.strides, "padding": cell.padding,
            "data_format": cell.data_format, "dilation_rate": cell.dilation_rate, "activation": activations.serialize(cell.activation),
            "recurrent_activation": activations.serialize(cell.recurrent_activation), "use_bias": cell.use_bias,
        })  # fmt: skip
        config.update(cell._option_config("kernel_initializer", "recurrent_initializer", "bias_initializer"))
        config["unit_forget_bias"] = cell.unit_forget_bias
        config.update(cell._option_config("kernel_regularizer", "recurrent_regularizer", "bias_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.update(cell._option_config("kernel_constraint", "recurrent_constraint", "bias_constraint"))
        config.update({"dropout": cell.dropout, "recurrent_dropout": cell.recurrent_dropout})
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer made from what `get_config` returned."""
        return cls(**config)


class ConvLSTM1D(_ConvLSTM):
    """An LSTM over [batch, time, ...] whose products are 1-D convolutions (`tf.keras.layers.ConvLSTM1D`)."""

    _rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
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
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self._start(filters, dict(
            kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
            activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias, unit_forget_bias=unit_forget_bias,
            dropout=dropout, recurrent_dropout=recurrent_dropout, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful,
        ), dict(
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        ), activity_regularizer, kwargs)  # fmt: skip


class ConvLSTM2D(_ConvLSTM):
    """An LSTM over [batch, time, ...] whose products are 2-D convolutions (`tf.keras.layers.ConvLSTM2D`)."""

    _rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
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
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self._start(filters, dict(
            kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
            activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias, unit_forget_bias=unit_forget_bias,
            dropout=dropout, recurrent_dropout=recurrent_dropout, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful,
        ), dict(
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        ), activity_regularizer, kwargs)  # fmt: skip


class ConvLSTM3D(_ConvLSTM):
    """An LSTM over [batch, time, ...] whose products are 3-D convolutions (`tf.keras.layers.ConvLSTM3D`)."""

    _rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
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
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self._start(filters, dict(
            kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
            activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias, unit_forget_bias=unit_forget_bias,
            dropout=dropout, recurrent_dropout=recurrent_dropout, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful,
        ), dict(
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        ), activity_regularizer, kwargs)  # fmt: skip
