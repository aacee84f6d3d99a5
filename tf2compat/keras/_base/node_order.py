"""The order of the nodes and layers of a functional model: Keras' order, which weights and summaries follow."""

from __future__ import annotations

from typing import Any


def order_nodes(inputs: list[Any], outputs: list[Any]) -> tuple[list[Any], list[Any], dict[int, int]]:
    """Nodes in an order in which they can run, layers in Keras' order, and the depth of each node by id.

    ValueError when outputs depend on tensors that are not inputs.
    """
    finished: list[Any] = []
    place: dict[int, tuple[Any, int]] = {}  # layer → order of discovery
    seen: set[int] = set()
    progress: set[int] = set()
    for out in outputs:
        _visit(_node(out), finished, place, seen, progress)
    depth: dict[int, int] = {}
    layer_depth: dict[int, int] = {}
    for node in reversed(finished):
        d = max(depth.setdefault(id(node), 0), layer_depth.get(id(node.layer), 0))
        layer_depth[id(node.layer)] = d
        depth[id(node)] = d
        for parent in node.parents():
            depth[id(parent)] = max(d + 1, depth.get(id(parent), 0))
    nodes = list(finished)
    for x in inputs:
        layer = x._keras_history.layer
        if id(layer) not in layer_depth:
            layer_depth[id(layer)] = 0
            place[id(layer)] = (layer, -1)
            nodes.append(layer._inbound[0])
            depth[id(layer._inbound[0])] = 0
    order = sorted(range(len(nodes)), key=lambda i: -depth[id(nodes[i])])
    nodes = [nodes[i] for i in order]
    layers = [entry[0] for entry in sorted(place.values(), key=lambda e: (-layer_depth[id(e[0])], e[1]))]
    _check_connected(nodes, inputs)
    return nodes, layers, depth


def _node(x: Any) -> Any:
    h = x._keras_history
    return h.layer._inbound[h.node_index]


def _visit(start: Any, finished: list[Any], place: dict[int, Any], seen: set[int], progress: set[int]) -> None:
    """Depth first from an output to the inputs, without recursion: networks are deep."""
    if id(start) in seen:
        return
    stack: list[tuple[Any, Any]] = []

    def enter(node: Any) -> None:
        place.setdefault(id(node.layer), (node.layer, len(place)))
        progress.add(id(node))
        stack.append((node, iter(node.flat_inputs)))

    enter(start)
    while stack:
        node, rest = stack[-1]
        for x in rest:
            other = _node(x)
            if id(other) in seen:
                continue
            if id(other) in progress:
                raise ValueError(f'Tensor {x} from layer "{other.layer.name}" is part of a cycle.')
            enter(other)
            break
        else:
            stack.pop()
            progress.discard(id(node))
            seen.add(id(node))
            finished.append(node)


def _check_connected(nodes: list[Any], inputs: list[Any]) -> None:
    computable = {id(x) for x in inputs}
    reached: list[str] = []
    for node in nodes:
        for x in node.flat_inputs:
            if id(x) not in computable:
                raise ValueError(
                    f'Graph disconnected: cannot obtain value for tensor {x} at layer "{node.layer.name}". The following previous layers '
                    f"were accessed without issue: {reached}"
                )
        if node.is_input and not any(id(x) in computable for x in node.flat_outputs):
            continue
        computable.update(id(x) for x in node.flat_outputs)
        if not node.is_input:
            reached.append(node.layer.name)
