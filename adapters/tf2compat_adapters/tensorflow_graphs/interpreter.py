"""Running a function of a TensorFlow graph on our tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tf2compat._engine.tensor import Tensor
from tf2compat.errors import OpError

from . import (  # noqa: F401 - they declare
    array_ops,
    control_ops,
    gradient_ops,
    image_ops,
    list_ops,
    math_ops,
    nn_ops,
    quantization_ops,
    random_ops,
    sparse_ops,
    state_ops,
    string_ops,
    training_ops,
)  # fmt: skip
from .attributes import Damaged, value_of
from .registry import HANDLERS, Call

_MAX_DEPTH = 100
_MAX_NODES = 2_000_000


class Functions:
    """The functions of a graph, each run by calling our ops in the order of its dependencies."""

    def __init__(self, library: Any) -> None:
        self._functions = {function.signature.name: function for function in library.function}
        self._plans: dict[str, Any] = {}
        self._unchanged: dict[str, frozenset[int]] = {}
        self._depth = 0

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def inputs(self, name: str) -> list[Any]:
        """The declared arguments of a function."""
        return list(self._get(name).signature.input_arg)

    def _get(self, name: str) -> Any:
        if name not in self._functions:
            raise Damaged(f"the function '{name}' is missing")
        return self._functions[name]

    def missing_ops(self, name: str) -> list[str]:
        """The ops that a function and those it calls use and that have no entry here."""
        seen: set[str] = set()
        found: set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current in seen or current not in self._functions:
                continue
            seen.add(current)
            for node in self._functions[current].node_def:
                if node.op not in HANDLERS and node.op not in self._functions:
                    found.add(node.op)
                for attribute in node.attr.values():
                    waiting += [attribute.func.name] if attribute.WhichOneof("value") == "func" else [f.name for f in attribute.list.func]
        return sorted(found)

    def unchanged(self, name: str) -> frozenset[int]:
        """The numbers of a function's arguments that it gives back as its results of the same numbers."""
        if name not in self._unchanged:
            function = self._get(name)
            nodes = {node.name: node for node in function.node_def}
            found = []
            for number, (taken, given) in enumerate(zip(function.signature.input_arg, function.signature.output_arg, strict=False)):
                text = function.ret[given.name]
                for _ in range(_MAX_DEPTH):
                    node = nodes.get(text.split(":")[0])
                    if node is None or node.op != "Identity":
                        break
                    text = node.input[0]
                if text == taken.name and text not in nodes:
                    found.append(number)
            self._unchanged[name] = frozenset(found)
        return self._unchanged[name]

    def run(self, name: str, inputs: list[Any]) -> list[Any]:
        """The results of a function for its inputs: tensors, and variables or tables where it takes resources."""
        function = self._get(name)
        if len(inputs) != len(function.signature.input_arg):
            raise Damaged(f"the function '{name}' takes {len(function.signature.input_arg)} inputs, not {len(inputs)}")
        if self._depth >= _MAX_DEPTH:
            raise Damaged(f"the function '{name}' calls itself without end")
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = _plan(function)
        self._depth += 1
        try:
            given = {argument.name: value for argument, value in zip(function.signature.input_arg, inputs, strict=True)}
            values: dict[str, Any] = {}
            for node in plan:
                values[node.name] = self._one(node, [_find(text, given, values) for text in node.input if not text.startswith("^")])
            return [_find(function.ret[argument.name], given, values) for argument in function.signature.output_arg]
        finally:
            self._depth -= 1

    def _one(self, node: Any, inputs: list[Any]) -> Any:
        attributes = {name: value_of(attribute) for name, attribute in node.attr.items()}
        call = Call(node.op, node.name, attributes, self.run, self.unchanged)
        handler = HANDLERS.get(node.op)
        if handler is None:
            if node.op in self._functions:  # a function called by its own name
                results = [argument.name for argument in self._functions[node.op].signature.output_arg]
                return dict(zip(results, self.run(node.op, inputs), strict=True))
            raise NotImplementedError(
                f"This TensorFlow graph uses the op {node.op} (node '{node.name}'), which tf2compat cannot run in a graph that TensorFlow wrote. "
                "Variables and objects have been loaded; a Keras model can be rebuilt by tf.keras.models.load_model."
            )
        try:
            return handler(call, *inputs)
        except (OpError, NotImplementedError, Damaged):
            raise
        except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
            raise Damaged(f"the node '{node.name}' ({node.op}) cannot be run: {type(error).__name__}: {error}") from error


def _plan(function: Any) -> list[Any]:
    """The nodes that the results and the effects of a function need, each after those that it needs."""
    nodes = {node.name: node for node in function.node_def}
    if len(nodes) > _MAX_NODES:
        raise Damaged(f"a function of {len(nodes)} nodes")
    arguments = {argument.name for argument in function.signature.input_arg}
    order: list[Any] = []
    state: dict[str, int] = {}  # 1: its inputs are being looked at, 2: in the order
    # Effects first in the order in which they are written down, which is the order of the program.
    wanted = [*function.control_ret.values(), *(text.split(":")[0] for text in function.ret.values())]
    position = {node.name: i for i, node in enumerate(function.node_def)}
    for root in sorted(set(wanted) - arguments, key=lambda name: position.get(name, -1)):
        stack = [root]
        while stack:
            name = stack[-1]
            node = nodes.get(name)
            if node is None:
                raise Damaged(f"the node '{name}' is missing")
            if state.get(name) == 2:
                stack.pop()
                continue
            needs = []
            for text in node.input:
                source = text.lstrip("^").split(":")[0]
                if source not in arguments and state.get(source) != 2:
                    needs.append(source)
            if not needs:
                state[name] = 2
                order.append(stack.pop())
                continue
            if state.get(name) == 1:
                raise Damaged(f"the node '{name}' depends on itself")
            state[name] = 1
            stack.extend(reversed(needs))
    return [nodes[name] for name in order]


def _find(text: str, given: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """What a reference `argument` or `node:output:number` stands for."""
    name, *rest = text.split(":")
    if name not in values:
        if name in given:
            return given[name]
        raise Damaged(f"'{text}' refers to nothing")
    found = values[name]
    number = int(rest[-1]) if rest and rest[-1].isdecimal() else 0
    if isinstance(found, dict):
        output = rest[0] if rest and not rest[0].isdecimal() else None
        if output is None:
            found = [item for part in found.values() for item in (part if isinstance(part, list) else [part])]
        elif output not in found:
            raise Damaged(f"the op of '{text}' has no output '{output}'")
        else:
            found = found[output]
    if isinstance(found, (list, tuple)) and not isinstance(found, Tensor):
        if number >= len(found):
            raise Damaged(f"'{text}' refers to one of {len(found)} results")
        return found[number]
    if number:
        raise Damaged(f"'{text}' refers to one of 1 results")
    return found
