"""`tf.nn.RNNCellDropoutWrapper`, `RNNCellResidualWrapper`, `RNNCellDeviceWrapper`: cells around cells."""

from __future__ import annotations

import hashlib
import types
from itertools import count
from typing import Any

import numpy as np

import tf2compat as tf

from ..keras._base.lambdas import dump, known
from ..keras._base.layer import Layer
from ..keras._base.serialization import deserialize_keras_object, find_function, get_registered_object, stored_lambda
from ..keras.layers.rnn import AbstractRNNCell, build_plainly, call_cell, cell_output_size, cell_zeros


def _function_config(name: str, function: Any) -> dict[str, Any]:
    """A function among a wrapper's arguments, in three entries: its code, or its name, and its module."""
    if isinstance(function, types.FunctionType):
        code = dump(function)
        return {name: (code["code"], code["defaults"], code["closure"]), f"{name}_type": "lambda", f"{name}_module": function.__module__}
    return {name: function.__name__, f"{name}_type": "function", f"{name}_module": function.__module__}


def _take_function(name: str, config: dict[str, Any], custom_objects: Any) -> Any:
    """The function that `_function_config` described; ValueError for code of another process, unless loading is trusted."""
    value, kind, _ = config.pop(name), config.pop(f"{name}_type"), config.pop(f"{name}_module", None)
    if kind == "lambda":
        return known(value) or stored_lambda(value)
    if kind != "function":
        raise TypeError(f"Unknown function type received: {kind}. Expected types are ['function', 'lambda']")
    found = get_registered_object(value, custom_objects) or find_function(value)
    if found is None:
        raise ValueError(f"Unknown function in wrapper: '{value}'. Please pass it in `custom_objects`.")
    return found


class _CellWrapper(AbstractRNNCell):
    """A cell that runs another one and changes what goes in or comes out."""

    _rebuilds_layers = True
    _module_in_files = "tensorflow.python.keras.layers.rnn_cell_wrapper_v2"

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

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """As `get_initial_state`, by the name it had in TensorFlow 1's cells."""
        return self.cell.zero_state(batch_size, dtype)

    def _run(self, inputs: Any, states: Any, training: Any) -> Any:
        return call_cell(self.cell, inputs, states, None, training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "cell": {"class_name": type(self.cell).__name__, "config": self.cell.get_config()}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A wrapper made from what `get_config` returned."""
        config = dict(config)
        return cls(deserialize_keras_object(config.pop("cell"), custom_objects), **config)


class ResidualWrapper(_CellWrapper):
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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values; a function is stored as its code."""
        own = {} if self._residual_fn is None else _function_config("residual_fn", self._residual_fn)
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A wrapper made from what `get_config` returned."""
        config = dict(config)
        if "residual_fn" in config:
            config["residual_fn"] = _take_function("residual_fn", config, custom_objects)
        return super().from_config(config, custom_objects)


def _no_array(part: Any) -> bool:
    """Which states are dropped unless the program says which: all but TensorArrays."""
    return not isinstance(part, tf.TensorArray)


def _places(visitor: Any, part: Any, numbers: Any) -> list[int | None]:
    """For each tensor of a state its number among those that are dropped or kept as one; None where `visitor` keeps it.

    The visitor says True, False, or which of the parts, of the whole first and then of its parts.
    """
    answer = visitor(part)
    leaves = len(tf.nest.flatten(part))
    if not tf.nest.is_nested(part):
        if not isinstance(answer, bool):
            raise TypeError(f"dropout_state_filter_visitor must return a bool for a tensor, got {answer!r}")
        number = next(numbers)
        return [number if answer else None]
    if isinstance(answer, bool):
        answer = [answer] * len(part) if answer else None
    if answer is None:
        next(numbers)
        return [None] * leaves
    found: list[int | None] = []
    children = part.values() if isinstance(part, dict) else part
    for child, wanted in zip(children, answer.values() if isinstance(answer, dict) else answer, strict=True):
        found += _places(visitor if wanted else lambda _: False, child, numbers)
    return found


class DropoutWrapper(_CellWrapper):
    """Dropout of a cell's inputs, states and outputs, each with its probability of keeping (`tf.nn.RNNCellDropoutWrapper`).

    `variational_recurrent` draws the masks once, for all steps and elements of batches; then `dtype` says what they are of, and
    `input_size` the shape of inputs. `dropout_state_filter_visitor(state)` says whether a state, or a part of it, is dropped.
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: Any = None,
        dropout_state_filter_visitor: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, dtype=dtype, **kwargs)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError(f"dropout_state_filter_visitor must be callable: {dropout_state_filter_visitor}")
        self._dropout_state_filter = dropout_state_filter_visitor or _no_array
        self._keep: dict[str, Any] = {}
        for word, p in (("input", input_keep_prob), ("state", state_keep_prob), ("output", output_keep_prob)):
            known_p = p if isinstance(p, (int, float)) else tf.get_static_value(p)
            if known_p is not None and not 0 <= known_p <= 1:
                raise ValueError(f"Parameter {word}_keep_prob must be between 0 and 1: {known_p}")
            self._keep[word] = p if known_p is None else float(np.float32(known_p))
        self._variational_recurrent = variational_recurrent
        self._input_size = input_size
        self._seed = seed
        self.__dict__["_noise"] = self._draw(dtype) if variational_recurrent else {}

    def _draw(self, dtype: Any) -> dict[str, Any]:
        """What decides about each unit in all steps, of the shapes of inputs, states and outputs."""
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")
        sizes = {"state": self.cell.state_size, "output": self.output_size}
        if self._drops("input"):
            if self._input_size is None:
                raise ValueError("When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be provided")
            sizes["input"] = self._input_size

        def noise(word: str, size: Any) -> Any:
            drawn = [
                tf.random.uniform([1, *tf.TensorShape(s).as_list()], seed=self._seed_of(word, i), dtype=dtype)
                for i, s in enumerate(tf.nest.flatten(size))
            ]
            return tf.nest.pack_sequence_as(size, drawn)

        return {word: noise(word, size) for word, size in sizes.items()}

    def _drops(self, word: str) -> bool:
        return not isinstance(self._keep[word], float) or self._keep[word] < 1

    def _seed_of(self, word: str, index: int) -> int | None:
        """A seed for each value that is dropped, as TensorFlow makes it of the wrapper's."""
        if self._seed is None:
            return None
        text = f"{self._seed}{word}_{index}".encode()
        return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:8], 16) & 0x7FFFFFFF

    def _dropped(self, word: str, value: Any, places: list[int | None] | None = None) -> Any:
        if not self._drops(word):
            return value
        keep, flat = self._keep[word], tf.nest.flatten(value)
        noise = tf.nest.flatten(self._noise[word]) if word in self._noise else [None] * len(flat)

        def one(v: Any, drawn: Any, place: int | None) -> Any:
            if place is None:
                return v
            if drawn is None:
                return tf.nn.dropout(v, rate=1.0 - keep, seed=self._seed_of(word, place))
            return tf.divide(v, keep) * tf.floor(keep + drawn)

        found = [one(v, n, place) for v, n, place in zip(flat, noise, range(len(flat)) if places is None else places, strict=True)]
        return tf.nest.pack_sequence_as(value, found)

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """outputs and new states with parts set to zero."""
        outputs, after = self._run(self._dropped("input", inputs), states, training)
        places = _places(self._dropout_state_filter, after, count()) if self._drops("state") else None
        return self._dropped("output", outputs), self._dropped("state", after, places)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values; a function is stored as its code."""
        keep = self._keep
        own = {
            "input_keep_prob": keep["input"], "output_keep_prob": keep["output"], "state_keep_prob": keep["state"],
            "variational_recurrent": self._variational_recurrent, "input_size": self._input_size, "seed": self._seed,
        }  # fmt: skip
        if self._dropout_state_filter is not _no_array:
            own.update(_function_config("dropout_fn", self._dropout_state_filter))
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A wrapper made from what `get_config` returned."""
        config = dict(config)
        if "dropout_fn" in config:
            config["dropout_state_filter_visitor"] = _take_function("dropout_fn", config, custom_objects)
        return super().from_config(config, custom_objects)


class DeviceWrapper(_CellWrapper):
    """Runs a cell on a device (`tf.nn.RNNCellDeviceWrapper`)."""

    def __init__(self, cell: Any, device: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._device = device

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """The cell's outputs and new states."""
        with tf.device(self._device):
            return self._run(inputs, states, training)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The cell's zeros, on the device."""
        with tf.device(self._device):
            return self.cell.zero_state(batch_size, dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "device": self._device}


RNNCellResidualWrapper, RNNCellDropoutWrapper, RNNCellDeviceWrapper = ResidualWrapper, DropoutWrapper, DeviceWrapper  # their names in TensorFlow
