"""The object-graph adapter: TensorFlow's `TrackableObjectGraph` message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import trackable_object_graph_pb2

from tf2compat._ports.object_graph import GraphNode

_MAX_NODES = 10_000_000


def _fill(message: Any, node: GraphNode) -> None:
    for name, number in node.children:
        message.children.add(local_name=name, node_id=number)
    for name, full_name, key in node.attributes:
        message.attributes.add(name=name, full_name=full_name, checkpoint_key=key)
    for variable, slot, number in node.slots:
        message.slot_variables.add(original_variable_node_id=variable, slot_name=slot, slot_variable_node_id=number)
    message.has_checkpoint_values.value = node.has_values


class _Codec:
    def encode(self, nodes: Sequence[GraphNode]) -> bytes:
        graph = trackable_object_graph_pb2.TrackableObjectGraph()
        for node in nodes:
            _fill(graph.nodes.add(), node)
        return graph.SerializeToString(deterministic=True)

    def decode(self, content: bytes) -> list[GraphNode]:
        try:
            graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(content)
        except DecodeError as error:
            raise ValueError("it is not a TrackableObjectGraph message") from error
        count = len(graph.nodes)
        if count > _MAX_NODES:
            raise ValueError(f"it has {count} objects")
        nodes = []
        for number, message in enumerate(graph.nodes):
            node = GraphNode(
                [(edge.local_name, edge.node_id) for edge in message.children],
                [(item.name, item.full_name, item.checkpoint_key) for item in message.attributes],
                [(item.original_variable_node_id, item.slot_name, item.slot_variable_node_id) for item in message.slot_variables],
                message.has_checkpoint_values.value,
            )
            for other in [n for _, n in node.children] + [n for a, _, b in node.slots for n in (a, b)]:
                if not 0 <= other < count:
                    raise ValueError(f"object {number} refers to object {other} of {count}")
            nodes.append(node)
        return nodes

    def describe(self, node: GraphNode) -> str:
        message = trackable_object_graph_pb2.TrackableObjectGraph.TrackableObject()
        _fill(message, node)
        return str(message)


TrackableObjectGraph = _Codec()
