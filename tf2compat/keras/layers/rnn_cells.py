"""SimpleRNNCell, GRUCell, LSTMCell."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat._engine import state
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.narrow import in_single
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.nn.dropping import dropped
from tf2compat.random.seeding import first_of_graph

from .. import activations, initializers
from .._base.layer import Layer
from .._base.random_numbers import OwnNumbers, kind_of, numbers_of
from .._base.seeds import next_stream
from ._common import WeightOptions
from ._recurrences import TORCH_ACTIVATIONS
from .rnn import cell_zeros

_X = tensor(FLOATS)


@op("Affine", x=_X, kernel=_X, bias=_X)
@in_single
def _affine(x: Any, kernel: Any, bias: Any = None) -> Any:
    return F.linear(x, kernel.t(), bias)


@op("GateProducts", x=_X, masks=_X, kernel=_X, bias=_X)
@in_single
def _gate_products(x: Any, masks: Any, kernel: Any, bias: Any = None) -> Any:
    """x @ kernel where each gate sees `x` through a mask of its own [gates, …]."""
    gates = masks.shape[0]
    by_gate = torch.bmm(x.unsqueeze(0) * masks, kernel.reshape(kernel.shape[0], gates, -1).permute(1, 0, 2))
    out = by_gate.permute(1, 0, 2).reshape(x.shape[0], -1)
    return out if bias is None else out + bias


def _products(x: Any, masks: Any, kernel: Any, bias: Any = None) -> Any:
    return _affine(x, kernel, bias) if masks is None else _gate_products(x, masks, kernel, bias)


def dropout_masks(own: dict[str, Any], like: Any, rate: float, count: int, every: bool, streams: Any = None) -> list[Any]:
    """`count` masks like `like` from the next seeds of `own`; the first alone unless `every` is used, as seeds count on all the same."""
    numbers = own.get("_numbers")
    if numbers is not None:
        drawn = [numbers.dropout(tf.ones_like(like), rate) for _ in range(count)]
        return drawn if every else drawn[:1]
    if streams is None:
        streams = [next_stream(own, "uniform", like.dtype) for _ in range(count)]
    return [dropped(tf.ones_like(like), float(rate), None, stream) for stream in (streams if every else streams[:1])]


class DropoutCell:
    """The dropout masks of a cell, the same for all steps of a sequence."""

    def _start_dropout(self, dropout: float, recurrent_dropout: float, seed: Any) -> None:
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        #: by name the masks that are held: those of eager code (under None) and those of each graph that drew some
        self.__dict__["_drawn_masks"] = {}
        #: while a loop over the steps is traced: the streams that each step's masks come from
        self.__dict__["_streams"] = {}
        self.__dict__["_next_seed"] = None if seed is None else int(seed)

    def reset_dropout_mask(self) -> None:
        """Forget the mask of the inputs."""
        self.__dict__["_drawn_masks"].pop("_mask", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the mask of the states."""
        self.__dict__["_drawn_masks"].pop("_recurrent_mask", None)

    def _made(self, name: str, like: Any, rate: float) -> Any:
        """The masks of all gates, or the first alone where the others are drawn and not used."""
        return dropout_masks(self.__dict__, like, rate, getattr(self, "_gates", 1), self._by_gate, self.__dict__["_streams"].get(name))

    def _enter_loop(self, dtype: Any, before: int) -> int:
        """In a graph Keras draws masks once before its loop over the steps, which nothing uses, and then anew in each step.

        `before`: how many draws without a seed the loop has so far; returns how many it has then.
        """
        if self.__dict__.get("_numbers") is not None:
            return before
        wanted = [name for name, rate in (("_mask", self.dropout), ("_recurrent_mask", self.recurrent_dropout)) if rate]
        gates = getattr(self, "_gates", 1)
        for _ in range(gates * len(wanted)):
            next_stream(self.__dict__, "uniform", dtype)
        streams: dict[str, Any] = {}
        for name in wanted:
            if self.__dict__["_next_seed"] is not None:
                streams[name] = [next_stream(self.__dict__, "uniform", dtype) for _ in range(gates)]
            else:
                streams[name] = [first_of_graph(before + i) for i in range(gates)]
                before += gates
        self.__dict__["_streams"] = streams
        return before

    def _leave_loop(self) -> None:
        self.__dict__["_streams"] = {}

    @property
    def _by_gate(self) -> bool:
        """Whether each gate has a mask of its own: Keras' first implementation, which recurrent dropout asks for."""
        return getattr(self, "implementation", 2) == 1

    def get_dropout_mask_for_cell(self, inputs: Any, training: Any, count: int = 1) -> Any:
        """The mask of the inputs, `count` in a list; None when nothing is dropped."""
        return self._mask_for("_mask", inputs, self.dropout, training, count)

    def get_recurrent_dropout_mask_for_cell(self, inputs: Any, training: Any, count: int = 1) -> Any:
        """The mask of the states, `count` in a list; None when nothing is dropped."""
        return self._mask_for("_recurrent_mask", inputs, self.recurrent_dropout, training, count)

    def _found_masks(self, name: str) -> Any:
        """The masks of the running graph, of one around it, or of eager code, which a graph captures."""
        held, graph = self.__dict__["_drawn_masks"].get(name, {}), state.local.graph
        while graph is not None:
            if graph in held:
                return held[graph]
            graph = graph.outer
        return held.get(None)

    def _mask_for(self, name: str, like: Any, rate: float, training: Any, count: int) -> Any:
        if not rate or not training:
            return None
        masks = self._found_masks(name)
        if masks is None:
            if count > 1 and not self._by_gate:
                masks = dropout_masks(self.__dict__, like, rate, count, True)
            else:
                masks = self._made(name, like, rate)
            self.__dict__["_drawn_masks"].setdefault(name, {})[state.local.graph] = masks
        return masks[0] if count == 1 else [masks[i % len(masks)] for i in range(count)]

    def _gate_masks(self, inputs: Any, state: Any, training: Any) -> tuple[Any, Any]:
        """The masks of all gates [gates, batch, size], of the inputs and of the states; None where nothing is dropped."""
        if not self._by_gate or not (self.dropout or self.recurrent_dropout) or not training:
            return None, None
        count = self._gates  # type: ignore[attr-defined]
        found = self.get_dropout_mask_for_cell(inputs, training, count), self.get_recurrent_dropout_mask_for_cell(state, training, count)
        return tuple([None if masks is None else tf.stack(masks) for masks in found])  # type: ignore[return-value]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_drawn_masks": {}, "_streams": {}}


class _Cell(OwnNumbers, DropoutCell, WeightOptions, Layer):
    _gates: int

    def __init__(self, force_generator: bool = False, rng_type: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__["_numbers"] = (rng_type, force_generator)  # until the seed is known

    def _start(
        self, units: Any, use_bias: bool, dropout: float, recurrent_dropout: float, seed: Any, activation: Any, options: dict[str, Any]
    ) -> None:
        if units is None or units <= 0:
            raise ValueError(f"Received an invalid value for argument `units`, expected a positive integer, got {units}.")
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self._set_options(**options)
        self._start_dropout(dropout, recurrent_dropout, seed)
        self.__dict__["_numbers"] = numbers_of(seed, *self.__dict__["_numbers"])
        self.output_size = units

    def _bias_shape(self) -> tuple[int, ...]:
        return (self._gates * self.units,)

    def _bias_initializer(self) -> Any:
        return self.bias_initializer

    def build(self, input_shape: Any) -> None:
        """Create kernel, recurrent_kernel and bias."""
        width = TensorShape(input_shape)[-1]
        self.kernel = self.add_weight(
            shape=(width, self._gates * self.units), name="kernel", initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self._gates * self.units), name="recurrent_kernel", initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self._bias_shape(), name="bias", initializer=self._bias_initializer(), regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip
        self.built = True

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for a batch."""
        found = cell_zeros(self, inputs, batch_size, dtype)
        return list(found) if isinstance(found, (list, tuple)) else found

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """As `get_initial_state`, by the name it had in TensorFlow 1's cells."""
        return self.get_initial_state(None, batch_size, dtype)

    def _dropped(self, inputs: Any, state: Any, training: Any) -> tuple[Any, Any]:
        mask = self.get_dropout_mask_for_cell(inputs, training)
        recurrent = self.get_recurrent_dropout_mask_for_cell(state, training)
        return inputs if mask is None else inputs * mask, state if recurrent is None else state * recurrent

    def _cell_config(self, *extra: str) -> dict[str, Any]:
        config: dict[str, Any] = kind_of(self.__dict__["_numbers"])
        config |= {"units": self.units, "activation": activations.serialize(self.activation)}
        if "recurrent_activation" in extra:
            config["recurrent_activation"] = activations.serialize(self.recurrent_activation)  # type: ignore[attr-defined]
        config["use_bias"] = self.use_bias
        config.update(self._option_config("kernel_initializer", "recurrent_initializer", "bias_initializer"))
        if "unit_forget_bias" in extra:
            config["unit_forget_bias"] = self.unit_forget_bias  # type: ignore[attr-defined]
        config.update(self._option_config(
            "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint", "recurrent_constraint",
            "bias_constraint",
        ))  # fmt: skip
        config.update({"dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout})
        for name in ("implementation", "reset_after"):
            if name in extra:
                config[name] = getattr(self, name)
        return config


class SimpleRNNCell(_Cell):
    """One step of SimpleRNN (`tf.keras.layers.SimpleRNNCell`)."""

    _gates = 1

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        seed = kwargs.pop("seed", None)
        kwargs.pop("enable_caching_device", None)  # every variable is on one device
        super().__init__(**kwargs)
        self._start(units, use_bias, dropout, recurrent_dropout, seed, activation, dict(
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        ))  # fmt: skip
        self.state_size = units

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """output, [state] of one step."""
        nested = tf.nest.is_nested(states)
        before = states[0] if nested else states
        x, h = self._dropped(inputs, before, training)
        out = self.activation(_affine(x, self.kernel, self.bias) + tf.matmul(h, self.recurrent_kernel))
        return out, [out] if nested else out

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config() | self._cell_config()


@op("GRUCellStep", multi=True, x=_X, h=_X, kernel=_X, recurrent=_X, bias=_X)
@in_single
def _gru_parts(x: Any, h: Any, kernel: Any, recurrent: Any, reset_after: bool, bias: Any = None) -> Any:
    """The three gates' input parts, and the recurrent parts of all (reset_after) or of the first two."""
    b_in = None if bias is None else bias[0] if reset_after else bias
    a = F.linear(x, kernel.t(), b_in)
    if reset_after:
        r = F.linear(h, recurrent.t(), None if bias is None else bias[1])
    else:
        r = h @ recurrent[:, : 2 * h.shape[-1]]
    return (*a.chunk(3, -1), *r.chunk(3 if reset_after else 2, -1))


class GRUCell(_Cell):
    """One step of GRU (`tf.keras.layers.GRUCell`)."""

    _gates = 3

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        seed = kwargs.pop("seed", None)
        kwargs.pop("enable_caching_device", None)  # every variable is on one device
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self._start(units, use_bias, dropout, recurrent_dropout, seed, activation, dict(
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        ))  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.implementation = 1 if self.recurrent_dropout != 0 and implementation != 1 else implementation
        self.reset_after = reset_after
        self.state_size = units

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """output, [state] of one step."""
        nested = tf.nest.is_nested(states)
        before = states[0] if nested else states
        given, kept = self._gate_masks(inputs, before, training)
        if given is not None or kept is not None:
            out = self._by_gates(inputs, before, given, kept)
            return out, [out] if nested else out
        x, h = self._dropped(inputs, before, training)
        gate, parts = self.recurrent_activation, _gru_parts(x, h, self.kernel, self.recurrent_kernel, self.reset_after, self.bias)
        z, r = gate(parts[0] + parts[3]), gate(parts[1] + parts[4])
        if self.reset_after:
            new = self.activation(parts[2] + r * parts[5])
        else:
            new = self.activation(parts[2] + tf.matmul(r * h, self.recurrent_kernel[:, 2 * self.units :]))
        out = z * before + (1 - z) * new
        return out, [out] if nested else out

    def _by_gates(self, x: Any, h: Any, given: Any, kept: Any) -> Any:
        """The new state where each gate has masks of its own."""
        first, second = (None, None) if self.bias is None else tf.unstack(self.bias) if self.reset_after else (self.bias, None)
        x_z, x_r, x_h = tf.split(_products(x, given, self.kernel, first), 3, -1)
        if self.reset_after:
            h_z, h_r, h_h = tf.split(_products(h, kept, self.recurrent_kernel, second), 3, -1)
        else:
            units = 2 * self.units
            h_z, h_r = tf.split(_products(h, None if kept is None else kept[:2], self.recurrent_kernel[:, :units]), 2, -1)
        z, r = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
        if self.reset_after:
            new = self.activation(x_h + r * h_h)
        else:
            new = self.activation(x_h + tf.matmul(r * (h if kept is None else h * kept[2]), self.recurrent_kernel[:, units:]))
        return z * h + (1 - z) * new

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config() | self._cell_config("recurrent_activation", "implementation", "reset_after")


class UnitForgetBias(initializers.Initializer):
    """The bias of an LSTM: ones for the forget gates, another initializer for the rest."""

    def __init__(self, base: Any, units: int) -> None:
        self.base = base
        self.units = units

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """The bias [4 units]."""
        parts = [
            self.base((self.units,), dtype=dtype, **kwargs), initializers.Ones()((self.units,), dtype=dtype, **kwargs),
            self.base((self.units * 2,), dtype=dtype, **kwargs),
        ]  # fmt: skip
        return tf.concat(parts, 0)


@op("LSTMCellStep", multi=True, x=_X, h=_X, c=_X, kernel=_X, recurrent=_X, bias=_X)
@in_single
def _lstm_step(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, bias: Any = None) -> Any:
    z = F.linear(x, kernel.t(), bias) + h @ recurrent
    i, f, g, o = z.chunk(4, -1)
    cell = gate(f) * c + gate(i) * activation(g)
    return gate(o) * activation(cell), cell


@op("LSTMCellParts", multi=True, x=_X, h=_X, kernel=_X, recurrent=_X, bias=_X)
@in_single
def _lstm_parts(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any = None) -> Any:
    return (F.linear(x, kernel.t(), bias) + h @ recurrent).chunk(4, -1)


class LSTMCell(_Cell):
    """One step of LSTM (`tf.keras.layers.LSTMCell`)."""

    _gates = 4

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        seed = kwargs.pop("seed", None)
        kwargs.pop("enable_caching_device", None)  # every variable is on one device
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self._start(units, use_bias, dropout, recurrent_dropout, seed, activation, dict(
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        ))  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.implementation = 1 if self.recurrent_dropout != 0 and implementation != 1 else implementation
        self.state_size = [units, units]

    def _bias_initializer(self) -> Any:
        return UnitForgetBias(self.bias_initializer, self.units) if self.unit_forget_bias else self.bias_initializer

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """output, [h, c] of one step."""
        given, kept = self._gate_masks(inputs, states[0], training)
        if given is not None or kept is not None:
            z = _products(inputs, given, self.kernel, self.bias) + _products(states[0], kept, self.recurrent_kernel)
            i, f, g, o = tf.split(z, 4, -1)
            cell = self.recurrent_activation(f) * states[1] + self.recurrent_activation(i) * self.activation(g)
            out = self.recurrent_activation(o) * self.activation(cell)
            return out, [out, cell]
        x, h = self._dropped(inputs, states[0], training)
        activation, gate = TORCH_ACTIVATIONS.get(self.activation), TORCH_ACTIVATIONS.get(self.recurrent_activation)
        if activation is not None and gate is not None:
            out, cell = _lstm_step(x, h, states[1], self.kernel, self.recurrent_kernel, activation, gate, self.bias)
            return out, [out, cell]
        i, f, g, o = _lstm_parts(x, h, self.kernel, self.recurrent_kernel, self.bias)
        cell = self.recurrent_activation(f) * states[1] + self.recurrent_activation(i) * self.activation(g)
        out = self.recurrent_activation(o) * self.activation(cell)
        return out, [out, cell]

    def _compute_carry_and_output_fused(self, z: Any, c_tm1: Any) -> tuple[Any, Any]:
        """The new cell state and the output gate, from what reaches the four gates (i, f, c, o): subclasses that change it beforehand ask."""
        i, f, g, o = z
        cell = self.recurrent_activation(f) * c_tm1 + self.recurrent_activation(i) * self.activation(g)
        return cell, self.recurrent_activation(o)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config() | self._cell_config("recurrent_activation", "unit_forget_bias", "implementation")


