"""Calls of functions, branches and loops."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.tensor import Tensor

from .registry import Call, graph_op, unsupported


@graph_op("PartitionedCall", "StatefulPartitionedCall")
def _call(call: Call, *inputs: Any) -> Any:
    return call.run(call.get("f"), list(inputs))


@graph_op("If", "StatelessIf")
def _if(call: Call, condition: Any, *inputs: Any) -> Any:
    if condition.dtype != tf.bool:
        condition = condition != tf.zeros([], condition.dtype)
    given = list(inputs)
    out = tf.cond(condition, lambda: _results(call, "then_branch", given), lambda: _results(call, "else_branch", given))
    return list(out)


def _results(call: Call, branch: str, inputs: list[Any]) -> list[Any]:
    found = call.run(call.get(branch), inputs)
    # A branch of nothing but effects has no results; a condition here gives one.
    return found or [tf.constant(0)]


@graph_op("Case", "StatelessCase")
def _case(call: Call, index: Any, *inputs: Any) -> Any:
    given = list(inputs)
    branches = [lambda name=name: call.run(name, given) or [tf.constant(0)] for name in call.get("branches")]
    return list(tf.switch_case(index, branches))


@graph_op("While", "StatelessWhile")
def _while(call: Call, *inputs: Any) -> Any:
    # Variables and tables pass through a loop unchanged: they stay outside of it, as do tensors that it only passes on, which
    # keeps what is known of their values.
    same = call.unchanged(call.get("body"))
    places = [i for i, value in enumerate(inputs) if isinstance(value, Tensor) and i not in same]
    shapes = call.get("output_shapes") or []

    def whole(values: Any) -> list[Any]:
        out = list(inputs)
        for place, value in zip(places, values, strict=True):
            out[place] = value
        return out

    def condition(*values: Any) -> Any:
        (found,) = call.run(call.get("cond"), whole(values))
        return found

    def body(*values: Any) -> Any:
        found = call.run(call.get("body"), whole(values))
        return [_of_shape(found[place], shape) for place, shape in zip(places, invariants, strict=True)]

    start = [inputs[place] for place in places]
    invariants = []
    for place, value in zip(places, start, strict=True):
        known = value.shape
        wanted = tf.TensorShape(shapes[place]) if place < len(shapes) else known
        if value.dtype == tf.variant:
            invariants.append(known)
        else:
            invariants.append(wanted if known.is_subtype_of(wanted) else _common(known, wanted))
    if not places:  # a loop that changes nothing but variables
        done = tf.while_loop(condition, lambda *_: (body(), tf.constant(0))[1:], [tf.constant(0)])
        del done
        return list(inputs)
    out = tf.while_loop(condition, body, start, shape_invariants=invariants)
    return whole(out)


def _of_shape(value: Any, shape: Any) -> Any:
    """A value of a round, of which the graph knows more than what its ops tell."""
    return value if value.dtype == tf.variant or value.shape.is_subtype_of(shape) else tf.ensure_shape(value, shape)


def _common(a: Any, b: Any) -> Any:
    """The most definite shape that covers both."""
    return a.most_specific_common_supertype([b]) or tf.TensorShape(None)


@graph_op("SymbolicGradient", "Enter", "Exit", "Merge", "Switch", "NextIteration", "LoopCond")
def _old(call: Call, *inputs: Any) -> Any:
    raise unsupported(call, "it is control flow of TensorFlow 1; save the model again with TensorFlow 2")


@graph_op("Assert")
def _assert(call: Call, condition: Any, *data: Any) -> Any:
    tf.debugging.Assert(condition, list(data))
    return []


@graph_op("PyFunc", "EagerPyFunc", "PyFuncStateless")
def _python(call: Call, *inputs: Any) -> Any:
    raise unsupported(call, "it calls Python code of the program that saved the graph")


@graph_op("PrintV2", "Print")
def _print(call: Call, value: Any, *more: Any) -> Any:
    if call.op == "Print":
        return value
    tf.print(value)
    return []
