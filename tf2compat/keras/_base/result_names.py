"""What the results of layers are called: by the last node of TensorFlow's graph of a layer, where ours is one op of another name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine.graph import node_name

#: nodes of TensorFlow's by our ops, where the graph's own names (`_engine/graph.py`) are others
_NODES = {
    "CategoryCounts": "bincount/DenseBincount", "CenterPart": "cond/Identity", "ClipByValue": "clip_by_value", "Gelu": "Gelu/mul_2",
    "GroupNorm": "Reshape_4", "L2Normalize": "l2_normalize", "Silu": "IdentityN", "UpSamplingBilinear": "resize/ResizeBilinear",
    "embedding_lookup": "embedding_lookup/Identity",
}  # fmt: skip
#: layers whose call at rest is an identity, which is a node of its own
_IDENTITIES = frozenset(("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"))


def _biased(otherwise: Callable[[int], str]) -> Callable[[Any, int], str]:
    return lambda layer, rank: "BiasAdd" if getattr(layer, "use_bias", True) else otherwise(rank)


def _merged(node: str) -> Callable[[Any, int], str]:
    def name(layer: Any, rank: int) -> str:
        shapes = getattr(layer, "_build_input_shape", None)
        several = isinstance(shapes, (list, tuple)) and shapes and not isinstance(shapes[0], (int, type(None)))
        count = len(shapes) if several else 2
        return node if count < 3 else f"{node}_{count - 2}"

    return name


#: those that depend on the layer, or on the rank of the result
_BY_LAYER: dict[str, Callable[[Any, int], str]] = {
    "BatchDot": lambda layer, rank: "Squeeze" if rank == 2 else "MatMul",
    "BatchNormInference": lambda layer, rank: "FusedBatchNormV3" if rank == 4 else "batchnorm/add_1",
    "ConvBias": _biased(lambda rank: {3: "Conv1D/Squeeze", 4: "Conv2D"}.get(rank, "Conv3D")),
    "ConvTransposeBias": _biased(lambda rank: f"conv{rank - 2}d_transpose"),
    "Dense": _biased(lambda rank: "MatMul" if rank == 2 else "Tensordot"),
    "DepthwiseConvBias": lambda layer, rank: "Squeeze" if rank == 3 else _biased(lambda rank: "depthwise")(layer, rank),
    "EinsumDense": lambda layer, rank: "einsum/Einsum" if getattr(layer, "bias_axes", None) is None else "add",
    "KerasAvgPool": lambda layer, rank: {3: "Squeeze", 4: "AvgPool"}.get(rank, "AvgPool3D"),
    "KerasGRU": lambda layer, rank: f"PartitionedCall:{int(rank == 3)}",
    "KerasLSTM": lambda layer, rank: f"PartitionedCall:{int(rank == 3)}",
    "KerasMaxPool": lambda layer, rank: {3: "Squeeze", 4: "MaxPool"}.get(rank, "MaxPool3D"),
    "KerasSimpleRNN": lambda layer, rank: "transpose_1" if rank == 3 else "strided_slice_3",
    "LayerNorm": lambda layer, rank: "add" if getattr(layer, "center", True) else "mul",
    "MergeProduct": _merged("mul"),
    "MergeSum": _merged("add"),
    "SeparableConvBias": lambda layer, rank: "Squeeze" if rank == 3 else _biased(lambda rank: "separable_conv2d")(layer, rank),
    "UpSampling": lambda layer, rank: {3: "concat", 4: "resize/ResizeNearestNeighbor"}.get(rank, "concat_2"),
}


def result_name(x: Any, layer: Any) -> str:
    """TensorFlow's name for a tensor of the graph of a layer's call: its nodes are called by the last of a layer's, whatever the layer is."""
    name, rank = x.name, x.shape.rank
    whole, _, index = name.partition(":")
    parts = whole.split("/")
    if len(parts) == 1:
        return f"{layer.name}/Identity:0" if type(layer).__name__ in _IDENTITIES and whole.startswith("Placeholder") else name
    op, own = x._node.op, 1
    key = getattr(op, "name", parts[-1])
    if key in _NODES or key in _BY_LAYER:
        own += node_name(op, x._node.args).count("/")
    else:
        key = parts[-1]
    head = "/".join(parts[:-own])
    if key in _NODES:
        return f"{head}/{_NODES[key]}:{index}"
    found = _BY_LAYER.get(key)
    if found is None or rank is None:
        return name
    inner = next((part for part in layer._flatten_layers() if part.name == parts[-own - 1]), layer) if len(parts) > own else layer
    shown = found(inner, rank)
    return f"{head}/{shown}" if ":" in shown else f"{head}/{shown}:{index}"
