"""RNN, the layer that runs a cell along time, and StackedRNNCells."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import state
from tf2compat._engine.shapes import TensorShape

from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._rnn_arguments import are_symbols, parted, specs_of
from ._rnn_loop import rnn_loop


def _is_multiple(size: Any) -> bool:
    return hasattr(size, "__len__") and not isinstance(size, TensorShape)


def _flat_shape(size: Any) -> list[Any]:
    return TensorShape(size).as_list()


def zero_state(batch: Any, size: Any, dtype: Any) -> Any:
    """Zeros [batch, *size] for a size or each of a structure of sizes."""

    def zeros(s: Any) -> Any:
        dims = _flat_shape(s)
        if isinstance(batch, (int, np.integer)):
            return tf.zeros([int(batch), *dims], dtype)
        return tf.zeros(tf.concat([tf.reshape(batch, [1]), dims], 0) if dims else tf.reshape(batch, [1]), dtype)

    return tf.nest.map_structure(zeros, size) if _is_multiple(size) else zeros(size)


def batch_of(inputs: Any, at: int = 0) -> Any:
    """The batch size: an int when it is known, else a symbolic scalar."""
    x = tf.nest.flatten(inputs)[0]
    known = x.shape[at]
    return known if known is not None else tf.shape(x)[at]


class AbstractRNNCell(Layer):
    """The class that cells may inherit from (`tf.keras.layers.AbstractRNNCell`)."""

    def call(self, inputs: Any, states: Any) -> Any:
        """output, new states for inputs [batch, in]."""
        raise NotImplementedError

    @property
    def state_size(self) -> Any:
        """Size(s) of the state(s)."""
        raise NotImplementedError

    @property
    def output_size(self) -> Any:
        """Size of the output."""
        raise NotImplementedError

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for a batch."""
        return cell_zeros(self, inputs, batch_size, dtype)


def cell_zeros(cell: Any, inputs: Any, batch_size: Any, dtype: Any) -> Any:
    """A cell's zero state; ValueError when nothing says the batch size and dtype."""
    if inputs is not None:
        batch_size = batch_of(inputs)
        dtype = tf.nest.flatten(inputs)[0].dtype
    if batch_size is None or dtype is None:
        raise ValueError(
            "batch_size and dtype cannot be None while constructing initial state. Received: "
            f"batch_size={batch_size}, dtype={dtype}"
        )
    return zero_state(batch_size, cell.state_size, dtype)


class StackedRNNCells(Layer):
    """Cells on top of each other as one cell (`tf.keras.layers.StackedRNNCells`)."""

    _rebuilds_layers = True

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        for cell in cells:
            if "call" not in dir(cell):
                raise ValueError(f"All cells must have a `call` method. Received cell without a `call` method: {cell}")
            if "state_size" not in dir(cell):
                raise ValueError(f"All cells must have a `state_size` attribute. Received cell without a `state_size`: {cell}")
        self.reverse_state_order = kwargs.pop("reverse_state_order", False)
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> Any:
        """The cells' state sizes."""
        return tuple(c.state_size for c in (self.cells[::-1] if self.reverse_state_order else self.cells))

    @property
    def output_size(self) -> Any:
        """The last cell's output size."""
        return cell_output_size(self.cells[-1])

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """The cells' initial states."""
        found = []
        for cell in self.cells[::-1] if self.reverse_state_order else self.cells:
            own = getattr(cell, "get_initial_state", None)
            found.append(own(inputs=inputs, batch_size=batch_size, dtype=dtype) if own else cell_zeros(cell, inputs, batch_size, dtype))
        return tuple(found)

    def build(self, input_shape: Any) -> None:
        """Build each cell for the output of the one below."""
        shape = input_shape
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                build_inside(cell, shape)
            size = cell_output_size(cell)
            batch = tf.nest.flatten(shape)[0]
            batch = batch[0] if isinstance(batch, TensorShape) else batch
            shape = tuple(_step_shape(batch, s) for s in tf.nest.flatten(size)) if _is_multiple(size) else _step_shape(batch, size)
        self.built = True

    def call(self, inputs: Any, states: Any, constants: Any = None, training: Any = None, **kwargs: Any) -> Any:
        """The last cell's output and all new states."""
        sizes = self.state_size
        nested = tf.nest.pack_sequence_as(sizes, tf.nest.flatten(states)) if not _nested_like(states, sizes) else states
        ordered = list(nested)[::-1] if self.reverse_state_order else list(nested)
        found = []
        for cell, own in zip(self.cells, ordered, strict=True):
            own = own if tf.nest.is_nested(own) else [own]
            inputs, after = call_cell(cell, inputs, own, constants, training)
            found.append(after)
        found = found[::-1] if self.reverse_state_order else found
        return inputs, tf.nest.pack_sequence_as(sizes, tf.nest.flatten(found))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from .._base.serialization import serialize_keras_object

        config = super().get_config()
        config["cells"] = [serialize_keras_object(c) for c in self.cells]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Cells made from what `get_config` returned."""
        from .._base.serialization import deserialize_keras_object

        config = dict(config)
        cells = [deserialize_keras_object(c, custom_objects) for c in config.pop("cells")]
        return cls(cells, **config)


def _step_shape(batch: Any, size: Any) -> tuple[Any, ...]:
    return (batch, *_flat_shape(size))


def _nested_like(states: Any, sizes: Any) -> bool:
    return len(states) == len(sizes) and all(tf.nest.is_nested(s) == _is_multiple(z) for s, z in zip(states, sizes, strict=True))


def cell_output_size(cell: Any) -> Any:
    """A cell's output size: what it says, else its first state's."""
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if _is_multiple(cell.state_size) else cell.state_size


def build_inside(layer: Any, shape: Any) -> None:
    """Build a layer under its own name, as part of the layer being built."""
    state.local.names.append(layer.name)
    try:
        build_plainly(layer, shape)
    finally:
        state.local.names.pop()


def build_plainly(layer: Any, shape: Any) -> None:
    """Build a layer under the name of the layer being built."""
    layer.build(shape)
    layer.__dict__["_build_input_shape"] = shape
    layer.built = True


def call_cell(cell: Any, inputs: Any, states: Any, constants: Any, training: Any) -> Any:
    """output, new states of one step of any cell."""
    import inspect

    kwargs: dict[str, Any] = {}
    if isinstance(cell, Layer):
        spec = cell.__dict__["_call_spec"]
        if spec.training:
            kwargs["training"] = training
        if constants and "constants" in spec.names or constants and spec.var_kw:
            kwargs["constants"] = constants
    elif "training" in inspect.signature(cell.call).parameters:
        kwargs["training"] = training
    if isinstance(cell, Layer):
        return cell(inputs, states, **kwargs)
    call = cell if callable(cell) else cell.call
    return call(inputs, states, **kwargs)


def call_ragged(layer: Any, call: Any, inputs: Any, initial_state: Any, constants: Any, kwargs: dict[str, Any]) -> Any:
    """Call a recurrent layer on sequences of different lengths: on dense ones with a mask, and back."""
    if kwargs.get("mask") is not None:
        raise ValueError(
            f"The mask that was passed in was {kwargs['mask']}, which cannot be applied to RaggedTensor inputs. Please make sure that there "
            "is no mask injected by upstream layers."
        )
    if getattr(layer, "unroll", False):
        raise ValueError("The input received contains RaggedTensors and does not support unrolling. Disable unrolling by passing `unroll=False`.")
    lengths = inputs.row_lengths()
    dense = inputs.to_tensor()
    for name, value in (("initial_state", initial_state), ("constants", constants)):
        if value is not None:
            kwargs[name] = list(value) if isinstance(value, (list, tuple)) else [value]
    out = call(dense, mask=tf.sequence_mask(lengths, tf.shape(dense)[1]), **{k: v for k, v in kwargs.items() if k != "mask"})
    if not layer.return_sequences:
        return out
    several = isinstance(out, list)
    sequence = out[0] if several else out
    if getattr(layer, "go_backwards", False):
        ragged: Any = tf.reverse(tf.RaggedTensor.from_tensor(tf.reverse(sequence, [1]), lengths), [1])
    else:
        ragged = tf.RaggedTensor.from_tensor(sequence, lengths, row_splits_dtype=inputs.row_splits.dtype)
    return [ragged, *out[1:]] if several else ragged


class RNN(Layer):
    """Runs a cell along the time steps of [batch, time, ...] (`tf.keras.layers.RNN`).

    `return_sequences` gives every step's output, `return_state` the final states too; `go_backwards` reverses time;
    `stateful` keeps the states for the next batch; `time_major` swaps batch and time. Masked steps keep state and output.
    """

    _rebuilds_layers = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if "call" not in dir(cell):
            raise ValueError(f"Argument `cell` should have a `call` method. The RNN was passed: cell={cell}")
        if "state_size" not in dir(cell):
            raise ValueError(
                f"The RNN cell should have a `state_size` attribute (tuple of integers, one integer per RNN state). Received: cell={cell}"
            )
        self.zero_output_for_mask = kwargs.pop("zero_output_for_mask", False)
        if "input_shape" not in kwargs and ("input_dim" in kwargs or "input_length" in kwargs):
            kwargs["input_shape"] = (kwargs.pop("input_length", None), kwargs.pop("input_dim", None))
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.time_major = time_major
        self.supports_masking = True
        self.input_spec = None
        self.state_spec = None
        self._states: Any = None
        self._num_constants = 0

    # --- states --------------------------------------------------------------------------------------------------------
    @property
    def states(self) -> Any:
        """The states kept between batches; Nones when there are none."""
        if self._states is None:
            found = tf.nest.map_structure(lambda _: None, self.cell.state_size)
            return found if tf.nest.is_nested(found) else [found]
        return self._states

    @states.setter
    def states(self, value: Any) -> None:
        self.__dict__["_states"] = value  # no weights, whatever they are

    def get_initial_state(self, inputs: Any) -> Any:
        """The cell's initial states for a batch like inputs."""
        own = getattr(self.cell, "get_initial_state", None)
        batch = batch_of(inputs, 1 if self.time_major else 0)
        dtype = self.compute_dtype or tf.nest.flatten(inputs)[0].dtype
        found = own(inputs=None, batch_size=batch, dtype=dtype) if own else zero_state(batch, self.cell.state_size, dtype)
        if not tf.nest.is_nested(found):
            found = [found]
        return list(found)

    def reset_states(self, states: Any = None) -> None:
        """Set the kept states to zeros, or to `states`. AttributeError unless stateful; ValueError for wrong shapes."""
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        spec = tf.nest.flatten(self.input_spec)[0]
        batch = None if spec is None or spec.shape is None else (spec.shape[1] if self.time_major else spec.shape[0])
        if not batch:
            raise ValueError(
                "If a RNN is stateful, it needs to know its batch size. Specify the batch size of your input tensors: \n- If using a "
                "Sequential model, specify the batch size by passing a `batch_input_shape` argument to your first layer.\n- If using the "
                "functional API, specify the batch size by passing a `batch_shape` argument to your Input layer."
            )
        if self._states is None:
            self.__dict__["_states"] = self._kept_states(batch)
            if states is None:
                return
        flat = tf.nest.flatten(self._states)
        if states is None:
            for v in flat:
                v.assign(tf.zeros_like(v))
            return
        given = tf.nest.flatten(states)
        if len(given) != len(flat):
            raise ValueError(
                f"Layer {self.name} expects {len(flat)} states, but it received {len(given)} state values. States received: {states}"
            )
        for i, (value, v) in enumerate(zip(given, flat, strict=True)):
            if tuple(value.shape) != tuple(v.shape.as_list()):
                raise ValueError(
                    f"State {i} is incompatible with layer {self.name}: expected shape={tuple(v.shape.as_list())} but found "
                    f"shape={value.shape}"
                )
            v.assign(value)

    def _kept_states(self, batch: int) -> Any:
        """Variables of what the cell begins with, in the structure of its state sizes."""
        own = getattr(self.cell, "get_initial_state", None)
        dtype = self.variable_dtype or tf.keras.backend.floatx()
        size = self.cell.state_size
        with state.outside():
            values = own(inputs=None, batch_size=batch, dtype=dtype) if own else zero_state(batch, size, dtype)
            made = [tf.Variable(v, trainable=False, name=f"state_{i}") for i, v in enumerate(tf.nest.flatten(values))]
        return tf.nest.pack_sequence_as(size if _is_multiple(size) else [size], made)

    # --- building and calling ----------------------------------------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Build the cell for one step's shape; make the kept states."""
        if isinstance(input_shape, list) and input_shape and not isinstance(input_shape[0], (int, type(None))):
            input_shape = input_shape[0]

        def step_shape(s: Any) -> Any:
            dims = TensorShape(s).as_list()
            return (dims[1 if self.time_major else 0], *dims[2:])

        def spec(s: Any) -> InputSpec:
            dims = TensorShape(s).as_list()
            batch, time = (1, 0) if self.time_major else (0, 1)
            dims[time] = None
            if not self.stateful:
                dims[batch] = None
            return InputSpec(shape=tuple(dims))

        whole = TensorShape(input_shape) if not isinstance(input_shape, dict) and _is_one_shape(input_shape) else input_shape
        single = isinstance(whole, TensorShape)
        found = spec(whole) if single else tf.nest.map_structure(spec, whole)
        self.input_spec = [found]
        step = step_shape(whole) if single else tf.nest.map_structure(step_shape, whole)
        if isinstance(self.cell, Layer) and not self.cell.built:
            build_inside(self.cell, step)
        if self.state_spec is not None:
            self._check_states(self.state_spec)
        else:
            self.state_spec = tf.nest.map_structure(lambda s: InputSpec(shape=(None, *_flat_shape(s))), self._sizes())
        if self.stateful:
            self.reset_states()
        self.built = True

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Call with inputs, or a list of inputs, initial states and constants."""
        inputs, initial_state, constants = parted(inputs, initial_state, constants, self._num_constants)
        if isinstance(inputs, tf.RaggedTensor):
            return call_ragged(self, super().__call__, inputs, initial_state, constants, kwargs)
        if initial_state is None and constants is None:
            return super().__call__(inputs, **kwargs)
        symbols = are_symbols(initial_state, constants)
        if initial_state is not None:
            self.state_spec = specs_of(initial_state)
            if self.built:
                self._check_states(self.state_spec)
        if constants is not None:
            self._num_constants = len(constants)
        if symbols:
            return super().__call__([inputs, *(initial_state or []), *(constants or [])], **kwargs)  # as Keras: all are its inputs
        for name, value in (("initial_state", initial_state), ("constants", constants)):
            if value is not None:
                kwargs[name] = value
        return super().__call__(inputs, **kwargs)

    def _sizes(self) -> list[Any]:
        size = self.cell.state_size
        return list(size) if _is_multiple(size) else [size]

    def _check_states(self, specs: list[Any]) -> None:
        """ValueError for states that the cell cannot begin with."""
        sizes = self._sizes()
        flat, given = tf.nest.flatten(sizes), tf.nest.flatten(specs)
        if len(flat) != len(given) or any(
            s.shape is not None and not TensorShape(s.shape[1:]).is_compatible_with(_flat_shape(size)) for s, size in zip(given, flat, strict=True)
        ):
            self._refuse_states(specs, sizes)

    @staticmethod
    def _refuse_states(specs: Any, sizes: Any) -> None:
        raise ValueError(
            f"An `initial_state` was passed that is not compatible with `cell.state_size`. Received `state_spec`={specs}; however "
            f"`cell.state_size` is {sizes}"
        )

    def _initial(self, inputs: Any, initial_state: Any) -> list[Any]:
        """The states to begin with. Those that a stateful layer keeps go before those given, unless they are zeros still."""
        if self.stateful and self._states is not None:
            kept = tf.nest.flatten(self._states)
            dtype = self.compute_dtype or getattr(self.cell, "compute_dtype", None)
            if initial_state is None:
                found = [tf.cast(v, dtype) for v in kept]
            else:
                used = tf.add_n([tf.math.count_nonzero(v) for v in kept]) > 0
                found = [tf.where(used, tf.cast(v, dtype), tf.cast(g, dtype)) for v, g in zip(kept, tf.nest.flatten(initial_state), strict=True)]
            initial_state = tf.nest.pack_sequence_as(self._states, found)
        elif initial_state is None:
            initial_state = self.get_initial_state(inputs)
        if len(initial_state) != len(self.states):
            raise ValueError(
                f"Layer has {len(self.states)} states but was passed {len(initial_state)} initial states. Received: initial_state={initial_state}"
            )
        return list(initial_state)

    def _finish(self, output: Any, states: Any) -> Any:
        """Keep the states of a stateful layer, and return what the caller asked for."""
        if self.stateful:
            for v, s in zip(tf.nest.flatten(self._states), tf.nest.flatten(states), strict=True):
                v.assign(tf.cast(s, v.dtype))
        if self.return_state:
            return [*(output if isinstance(output, list) else [output]), *states]
        return output

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None) -> Any:
        """The outputs (all or the last), and the states when asked for."""
        inputs, initial_state, constants = parted(inputs, initial_state, constants, self._num_constants)
        states = self._initial(inputs, initial_state)
        mask = None if mask is None else tf.nest.flatten(mask)[0]
        cells = [c for c in (self.cell.cells if isinstance(self.cell, StackedRNNCells) else [self.cell]) if hasattr(c, "reset_dropout_mask")]
        drawing = [c for c in cells if hasattr(c, "_enter_loop") and (c.dropout or c.recurrent_dropout) and training]
        if state.local.graph is None or self.unroll:
            drawing = []

        def reset() -> None:
            for cell in cells:
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()

        reset()
        drawn = 0
        for cell in drawing:
            drawn = cell._enter_loop(tf.nest.flatten(inputs)[0].dtype, drawn)
        def step(x: Any, current: Any) -> Any:
            if drawing:
                reset()
            out, after = call_cell(self.cell, x, tuple(current), constants, training)
            return out, list(after) if tf.nest.is_nested(after) else [after]

        if self.unroll and tf.nest.flatten(inputs)[0].shape[0 if self.time_major else 1] is None:
            raise ValueError(
                "Cannot unroll a RNN if the time dimension is undefined. \n- If using a Sequential model, specify the time dimension by "
                "passing an `input_shape` or `batch_input_shape` argument to your first layer. If your first layer is an Embedding, you "
                "can also use the `input_length` argument.\n- If using the functional API, specify the time dimension by passing a "
                "`shape` or `batch_shape` argument to your Input layer."
            )
        try:
            last, outputs, after = rnn_loop(
                step, inputs, states, self.go_backwards, mask, self.time_major, self.zero_output_for_mask, self.return_sequences
            )
        finally:
            for cell in drawing:
                cell._leave_loop()
        return self._finish(outputs if self.return_sequences else last, after)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The input's mask for sequences, else None; Nones for the states."""
        mask = tf.nest.flatten(mask)[0] if mask is not None else None
        found = mask if self.return_sequences else None
        if self.return_state:
            return [found, *[None for _ in tf.nest.flatten(self.cell.state_size)]]
        return found

    def compute_output_shape(self, input_shape: Any) -> Any:
        """[batch, size] or [batch, time, size], and the states' shapes when they are returned."""
        if isinstance(input_shape, list) and input_shape and not isinstance(input_shape[0], (int, type(None))):
            input_shape = input_shape[0]
        dims = TensorShape(tf.nest.flatten(input_shape)[0] if not _is_one_shape(input_shape) else input_shape).as_list()
        batch, time = (dims[1], dims[0]) if self.time_major else dims[:2]

        def shaped(s: Any) -> TensorShape:
            inner = _flat_shape(s)
            if not self.return_sequences:
                return TensorShape([batch, *inner])
            return TensorShape([time, batch, *inner] if self.time_major else [batch, time, *inner])

        parts = [shaped(s) for s in tf.nest.flatten(cell_output_size(self.cell))]
        if self.return_state:
            return [*parts, *[TensorShape([batch, *_flat_shape(s)]) for s in tf.nest.flatten(self.cell.state_size)]]
        return parts if len(parts) > 1 else parts[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "return_sequences": self.return_sequences, "return_state": self.return_state, "go_backwards": self.go_backwards,
            "stateful": self.stateful, "unroll": self.unroll, "time_major": self.time_major,
        })  # fmt: skip
        if self._num_constants:
            config["num_constants"] = self._num_constants
        if self.zero_output_for_mask:
            config["zero_output_for_mask"] = self.zero_output_for_mask
        if self._rebuilds_layers:
            from .._base.serialization import serialize_keras_object

            config["cell"] = serialize_keras_object(self.cell)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer made from what `get_config` returned."""
        from .._base.serialization import deserialize_keras_object

        config = dict(config)
        constants = config.pop("num_constants", 0)
        cell = deserialize_keras_object(config.pop("cell"), custom_objects)
        layer = cls(cell, **config)
        layer._num_constants = constants
        return layer


def _is_one_shape(shape: Any) -> bool:
    return isinstance(shape, TensorShape) or all(isinstance(d, (int, type(None))) for d in shape)
