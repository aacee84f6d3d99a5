"""`tf.tpu.experimental`: what programs ask before they go on without a TPU, and names that libraries annotate with."""

from __future__ import annotations

import enum
import types
from typing import Any, NoReturn

__all__ = [
    "DeviceAssignment", "DeviceOrderMode", "HardwareFeature", "TPUSystemMetadata", "Topology", "embedding", "initialize_tpu_system",
    "shutdown_tpu_system",
]  # fmt: skip


def absent(what: str) -> Exception:
    """The error for what needs a TPU."""
    from tf2compat.errors import NotFoundError

    return NotFoundError(None, None, f"TPUs not found in the cluster. ({what}: tf2compat does not support TPUs.)")


def initialize_tpu_system(cluster_resolver: Any = None) -> NoReturn:
    """NotFoundError: there is no TPU."""
    raise absent("tf.tpu.experimental.initialize_tpu_system")


def shutdown_tpu_system(cluster_resolver: Any = None) -> NoReturn:
    """NotFoundError: there is no TPU."""
    raise absent("tf.tpu.experimental.shutdown_tpu_system")


def _only_named(name: str) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise absent(f"tf.tpu.experimental.{name}")

    return type(name.rpartition(".")[2], (), {"__init__": __init__, "__doc__": f"`tf.tpu.experimental.{name}`: NotFoundError when it is made."})


DeviceAssignment, DeviceOrderMode, HardwareFeature = map(_only_named, ("DeviceAssignment", "DeviceOrderMode", "HardwareFeature"))
TPUSystemMetadata, Topology = map(_only_named, ("TPUSystemMetadata", "Topology"))

#: the kinds of hardware that embeddings may use
HardwareFeature.EmbeddingFeature = enum.Enum(  # type: ignore[attr-defined]
    "EmbeddingFeature", [("UNSUPPORTED", "UNSUPPORTED"), ("V1", "V1"), ("V2", "V2")]
)

embedding = types.ModuleType(f"{__name__}.embedding", "Embeddings on TPUs: names without a TPU behind them.")
for _name in (
    "Adagrad", "AdagradMomentum", "Adam", "CustomCombiner", "CustomOptimizer", "FTRL", "FeatureConfig", "QuantizationConfig",
    "RowIdInitializer", "SGD", "SparseCoreEmbeddingConfig", "TPUEmbedding", "TPUEmbeddingForServing", "TPUEmbeddingV0", "TPUEmbeddingV2",
    "TableConfig",
):  # fmt: skip
    setattr(embedding, _name, _only_named(f"embedding.{_name}"))
