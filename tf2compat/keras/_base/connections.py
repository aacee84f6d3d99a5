"""How a layer is connected in functional models: its nodes, and what can be asked about them."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import nest


class Node:
    """One call of a layer on symbolic tensors: its arguments and its outputs."""

    __slots__ = ("layer", "args", "kwargs", "inputs", "outputs", "flat_inputs", "flat_outputs", "__weakref__")

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.inputs = args[0] if args else None
        self.flat_inputs = [x for x in nest.flatten((args, kwargs)) if hasattr(type(x), "_is_keras_tensor")]
        self.flat_outputs = nest.flatten(outputs)
        index = len(layer._inbound)
        layer._inbound.append(self)
        for i, out in enumerate(self.flat_outputs):
            out._keras_history = KerasHistory(layer, index, i)
        for x in self.flat_inputs:
            origin = x._keras_history.layer
            if origin is not None:
                origin._outbound.append(self)

    @property
    def inbound_layers(self) -> Any:
        layers = [x._keras_history.layer for x in self.flat_inputs]
        return layers[0] if len(layers) == 1 else layers

    @property
    def outbound_layer(self) -> Any:
        return self.layer

    @property
    def is_input(self) -> bool:
        return not self.flat_inputs

    # what programs that rewrite models read
    @property
    def input_tensors(self) -> Any:
        """The first argument of the call; of an Input the tensor itself, in a list."""
        return [self.outputs] if self.is_input else self.args[0]

    @property
    def output_tensors(self) -> Any:
        """What the call returned."""
        return [self.outputs] if self.is_input else self.outputs

    @property
    def input_shapes(self) -> Any:
        """The shapes of `input_tensors`, as tuples."""
        shapes = nest.map_structure(_shape_tuple, self.input_tensors)
        return shapes[0] if len(shapes) == 1 and not self.is_input and isinstance(shapes, list) else shapes

    @property
    def output_shapes(self) -> Any:
        """The shapes of `output_tensors`, as tuples."""
        return nest.map_structure(_shape_tuple, self.output_tensors)

    @property
    def keras_inputs(self) -> list[Any]:
        return self.flat_inputs

    @property
    def call_args(self) -> list[Any]:
        return list(self.args)

    @property
    def call_kwargs(self) -> dict[str, Any]:
        return self.kwargs

    @property
    def node_indices(self) -> Any:
        """For each of `input_tensors`, which call of its layer made it."""
        return [] if self.is_input else nest.map_structure(lambda t: t._keras_history.node_index, self.args[0])

    @property
    def tensor_indices(self) -> Any:
        """For each of `input_tensors`, which output of that call it is."""
        return [] if self.is_input else nest.map_structure(lambda t: t._keras_history.tensor_index, self.args[0])

    @property
    def parent_nodes(self) -> list[Node]:
        return self.parents()

    def iterate_inbound(self) -> list[tuple[Any, int, int, Any]]:
        """(layer, node index, tensor index, tensor) of each input."""
        return [(*t._keras_history, t) for t in self.flat_inputs]

    def parents(self) -> list[Node]:
        """The nodes whose outputs this one reads."""
        out: list[Node] = []
        for x in self.flat_inputs:
            h = x._keras_history
            node = h.layer._inbound[h.node_index]
            if not any(node is o for o in out):
                out.append(node)
        return out


class KerasHistory(tuple):
    """Where a symbolic tensor comes from: (layer, node_index, tensor_index)."""

    __slots__ = ()

    def __new__(cls, layer: Any, node_index: int, tensor_index: int) -> KerasHistory:
        return tuple.__new__(cls, (layer, node_index, tensor_index))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    layer = property(lambda self: self[0])
    node_index = property(lambda self: self[1])
    tensor_index = property(lambda self: self[2])


def _shape_tuple(x: Any) -> Any:
    return tuple(x.shape.as_list())


def _shape(x: Any) -> Any:
    from .symbolic import static_shape

    return nest.map_structure(static_shape, x)


class Connections:
    """The part of a layer that answers for its place in functional models."""

    def _start_connections(self) -> None:
        d = self.__dict__
        d["_inbound"] = []
        d["_outbound"] = []

    @property
    def inbound_nodes(self) -> list[Node]:
        return self.__dict__["_inbound"]

    @property
    def outbound_nodes(self) -> list[Node]:
        return self.__dict__["_outbound"]

    _inbound_nodes = inbound_nodes
    _outbound_nodes = outbound_nodes

    def _at(self, index: int, what: str) -> Node:
        nodes = self.inbound_nodes
        if not nodes:
            raise RuntimeError(f"The layer {self.name} has never been called and thus has no defined {what}.")  # type: ignore[attr-defined]
        if not index < len(nodes):
            raise ValueError(f"Asked to get {what} at node {index}, but the layer has only {len(nodes)} inbound nodes.")
        return nodes[index]

    def _first_inbound(self, what: str) -> Node:
        nodes = self.inbound_nodes
        if not nodes:
            hint = "is not connected, no input to return." if what == "input" else "has no inbound nodes."
            raise AttributeError(f"Layer {self.name} {hint}")  # type: ignore[attr-defined]
        return nodes[0]

    def get_input_at(self, node_index: int) -> Any:
        """The input tensor(s) of the call number `node_index`."""
        return _single(self._at(node_index, "input"))

    def get_output_at(self, node_index: int) -> Any:
        return self._at(node_index, "output").outputs

    def get_input_shape_at(self, node_index: int) -> Any:
        return _shape(_single(self._at(node_index, "input shape")))

    def get_output_shape_at(self, node_index: int) -> Any:
        return _shape(self._at(node_index, "output shape").outputs)

    def get_input_mask_at(self, node_index: int) -> Any:
        return _mask(_single(self._at(node_index, "input mask")))

    def get_output_mask_at(self, node_index: int) -> Any:
        return _mask(self._at(node_index, "output mask").outputs)

    @property
    def input(self) -> Any:
        """The symbolic input(s) of the first call."""
        return _single(self._first_inbound("input"))

    @property
    def output(self) -> Any:
        """The symbolic output(s) of the first call."""
        return self._first_inbound("output").outputs

    @property
    def input_mask(self) -> Any:
        if not self._inbound and self.__dict__.get("inputs"):
            return _mask(self.inputs[0] if len(self.inputs) == 1 else self.inputs)
        return _mask(_single(self._first_inbound("input_mask")))

    @property
    def output_mask(self) -> Any:
        if not self._inbound and self.__dict__.get("outputs"):
            return _mask(self.outputs[0] if len(self.outputs) == 1 else self.outputs)
        return _mask(self._first_inbound("output_mask").outputs)

    @property
    def input_shape(self) -> Any:
        """The input's shape as a tuple; AttributeError when the calls differ."""
        return self._shared_shape("input")

    @property
    def output_shape(self) -> Any:
        """The output's shape as a tuple; AttributeError when the calls differ."""
        return self._shared_shape("output")

    def _shared_shape(self, what: str) -> Any:
        nodes = self.inbound_nodes
        if not nodes:
            raise never_called(self.name, what)  # type: ignore[attr-defined]
        shapes = [_shape(_single(n) if what == "input" else n.outputs) for n in nodes]
        if any(s != shapes[0] for s in shapes):
            raise AttributeError(
                f'The layer "{self.name}" has multiple inbound nodes, with different {what} shapes. Hence the notion of "{what} '  # type: ignore[attr-defined]
                f'shape" is ill-defined for the layer. Use `get_{what}_shape_at(node_index)` instead.'
            )
        return shapes[0]


def never_called(name: str, what: str) -> AttributeError:
    """What asking a layer for its `input_shape` or `output_shape` raises before it was called."""
    more = " Note that the `input_shape` property is only available for Functional and Sequential models." if what == "input" else ""
    return AttributeError(f'The layer "{name}" has never been called and thus has no defined {what} shape.{more}')


def _single(node: Node) -> Any:
    if node.inputs is None or not node.flat_inputs:
        return node.outputs  # an input layer's input is what it gives
    flat = nest.flatten(node.inputs)
    if all(hasattr(type(x), "_is_keras_tensor") for x in flat):
        return node.inputs
    symbols = node.flat_inputs
    return symbols[0] if len(symbols) == 1 else symbols


def _mask(x: Any) -> Any:
    return nest.map_structure(lambda t: getattr(t, "_keras_mask", None), x)
