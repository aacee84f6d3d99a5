"""Our graphs as TensorFlow's `GraphDef` messages, for TensorBoard and `tf.io.write_graph`.

The nodes have TensorFlow's names, op types and inputs. Control flow appears as one node with its branches nested in its name, so the
message is for people and tools that show graphs; it is not what a graph is saved and run from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorboard.compat.proto import config_pb2, graph_pb2

from tf2compat._engine import dtypes
from tf2compat._engine.tensor import Tensor


def _shape(proto: Any, shape: Any) -> None:
    if shape.rank is None:
        proto.unknown_rank = True
        return
    proto.SetInParent()
    for size in shape.as_list():
        proto.dim.add(size=-1 if size is None else size)


def _add(graph_def: Any, graph: Any, prefix: str, names: dict[int, str]) -> None:
    for operation in graph.get_operations():
        node = graph_def.node.add(name=prefix + operation.name, op=operation.type)
        outputs = list(operation.outputs)
        for number, output in enumerate(outputs):
            names[id(output)] = node.name if number == 0 else f"{node.name}:{number}"
        for value in operation.inputs:
            if isinstance(value, Tensor) and id(value) in names:
                node.input.append(names[id(value)])
        if outputs and outputs[0].dtype is not None:
            node.attr["dtype"].type = dtypes.as_dtype(outputs[0].dtype).as_datatype_enum
            for output in outputs:
                _shape(node.attr["_output_shapes"].list.shape.add(), output.shape)
        inner = getattr(operation, "_node", None)
        for number, block in enumerate(getattr(inner, "blocks", ())):
            for outside, inside in block.captures.values():
                if id(outside) in names:
                    names[id(inside)] = names[id(outside)]
            _add(graph_def, block, f"{node.name}/{number}/", names)


def graph_def(graph: Any, prefix: str = "") -> Any:
    """The GraphDef of a graph."""
    message = graph_pb2.GraphDef()
    message.versions.producer = 1
    _add(message, graph, prefix, {})
    return message


def encode(graph: Any) -> bytes:
    """The serialized GraphDef of a graph."""
    return graph_def(graph).SerializeToString()


def encode_run(graphs: Iterable[tuple[str, Any]]) -> bytes:
    """A serialized RunMetadata with the graphs of functions."""
    run = config_pb2.RunMetadata()
    for name, graph in graphs:
        message = graph_def(graph, f"{name}/")
        run.function_graphs.add().pre_optimization_graph.CopyFrom(message)
        run.function_graphs[-1].post_optimization_graph.CopyFrom(message)
    return run.SerializeToString()
