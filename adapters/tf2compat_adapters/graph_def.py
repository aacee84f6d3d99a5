"""Our graphs as TensorFlow's `GraphDef` messages, for TensorBoard and `tf.io.write_graph`.

The nodes have TensorFlow's names, op types and inputs. Control flow appears as one node with its branches nested in its name, so the
message is for people and tools that show graphs; it is not what a graph is saved and run from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorboard.compat.proto import config_pb2, graph_pb2

from tf2compat._engine import dtypes

#: the version of graphs that TensorFlow 2.21 writes
_PRODUCER = 2474
#: values of constants up to this many elements are written
_LARGEST = 1024
_OWN_DTYPE = frozenset(("Placeholder", "ReadVariableOp", "Const", "RandomStandardNormal", "RandomUniform"))


def _shape(proto: Any, shape: Any) -> None:
    if shape.rank is None:
        proto.unknown_rank = True
        return
    proto.SetInParent()
    for size in shape.as_list():
        proto.dim.add(size=-1 if size is None else size)


def _value(node: Any, value: Any) -> None:
    """The value of a constant; a large one is left out, as nobody reads it."""
    from tf2compat._top.calling import make_tensor_proto

    node.attr["dtype"].type = value.dtype.as_datatype_enum
    if value.shape.num_elements() <= _LARGEST:
        node.attr["value"].tensor.CopyFrom(make_tensor_proto(value.numpy(), dtype=value.dtype))


def _add(graph_def: Any, graph: Any, prefix: str, names: dict[int, str], whole: bool) -> None:
    for operation in graph.get_operations():
        kind = operation.type
        node = graph_def.node.add(name=prefix + operation.name, op=kind)
        outputs = list(operation.outputs)
        for number, output in enumerate(outputs):
            names[id(output)] = node.name if number == 0 else f"{node.name}:{number}"
        inputs = [value for value in operation.inputs if id(value) in names]
        node.input.extend([names[id(value)] for value in inputs])
        value = getattr(operation, "value", None)
        if value is not None:
            _value(node, value)
        elif kind in _OWN_DTYPE and outputs:
            if kind == "Placeholder":
                _shape(node.attr["shape"].shape, outputs[0].shape)
                node.attr["_user_specified_name"].s = operation.name.rpartition("/")[2].encode()
            node.attr["dtype"].type = dtypes.as_dtype(outputs[0].dtype).as_datatype_enum
        elif inputs or outputs:
            node.attr["T"].type = dtypes.as_dtype((inputs or outputs)[0].dtype).as_datatype_enum
        if not whole:
            continue
        for output in outputs:
            _shape(node.attr["_output_shapes"].list.shape.add(), output.shape)
        inner = operation._node
        for number, block in enumerate(getattr(inner, "blocks", ())):
            for outside, inside in block.captures.values():
                if id(outside) in names:
                    names[id(inside)] = names[id(outside)]
            _add(graph_def, block, f"{node.name}/{number}/", names, whole)


def graph_def(graph: Any, prefix: str = "", whole: bool = True) -> Any:
    """The GraphDef of a graph; `whole`, with the shapes of outputs and the nodes of branches and loop bodies."""
    message = graph_pb2.GraphDef()
    message.versions.producer = _PRODUCER
    _add(message, graph, prefix, {}, whole)
    return message


def function_def(concrete: Any) -> Any:
    """The FunctionDef of a traced function, as a SavedModel would hold it."""
    from .tensorflow_functions import lowering, rules  # noqa: F401 - what is written for each op
    from .tensorflow_functions.body import NotExportable
    from .tensorflow_functions.export import Exporter

    library = graph_pb2.GraphDef().library
    try:
        name, _ = Exporter(library).function(
            concrete.graph, concrete.name, list(zip(concrete._argument_names(), concrete.inputs, strict=True)),
            [("identity" if i == 0 else f"identity_{i}", o) for i, o in enumerate(concrete.outputs)],
        )  # fmt: skip
    except NotExportable as problem:
        raise ValueError(f"{concrete.name} has no FunctionDef: {problem}") from None
    return next(f for f in library.function if f.signature.name == name)


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
