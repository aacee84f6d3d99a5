"""What each of TensorFlow's graph ops is here, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import tf2compat as tf


class Call(NamedTuple):
    """One node of a graph that is being run: its op, its attributes, and what runs functions."""

    op: str
    name: str
    attributes: Mapping[str, Any]
    run: Callable[[str, list[Any]], list[Any]]
    #: the numbers of a function's arguments that are its results of the same numbers
    unchanged: Callable[[str], frozenset[int]] = lambda name: frozenset()

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or `default` where the graph leaves it out, as it may with TensorFlow's own default."""
        return self.attributes.get(name, default)


Handler = Callable[..., Any]
HANDLERS: dict[str, Handler] = {}


def graph_op(*names: str) -> Callable[[Handler], Handler]:
    """Declares what runs the ops of these names: called with a Call and the inputs, it gives a result, a list of results, or a dict of them
    by the names that TensorFlow gives the op's outputs."""

    def declare(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return declare


def simple(table: Mapping[str, Callable[..., Any]]) -> None:
    """Declares ops without attributes that matter: the function is called with the inputs."""
    for name, function in table.items():
        HANDLERS[name] = lambda call, *inputs, _function=function: _function(*inputs)


def unsupported(call: Call, why: str = "") -> NotImplementedError:
    """The error for an op that cannot be run."""
    return NotImplementedError(f"tf2compat cannot run the op {call.op} (node '{call.name}') of this TensorFlow graph{': ' + why if why else ''}.")


def static(call: Call, value: Any) -> np.ndarray:
    """The value of an input that has to be known when the graph is read."""
    found = tf.get_static_value(value)
    if found is None:
        raise unsupported(call, "an input of it that is usually constant is computed")
    return np.asarray(found)


def integers(call: Call, value: Any) -> Any:
    """A static input as int or list of ints."""
    return static(call, value).tolist()


def numbers(value: Any) -> Any:
    """An input of integers: an int or list of ints where it is known, else the tensor."""
    found = tf.get_static_value(value)
    return value if found is None else np.asarray(found).tolist()
