"""The algorithms that a program may ask a strategy to combine values with."""

from __future__ import annotations

from typing import Any

from ._values import local_values, reduce_op


class CrossDeviceOps:
    """How replicas' values are combined (`tf.distribute.CrossDeviceOps`)."""

    def reduce(self, reduce_op: Any, per_replica_value: Any, destinations: Any, options: Any = None) -> Any:
        """The combined value."""
        return combined(reduce_op, per_replica_value)

    def batch_reduce(self, reduce_op: Any, value_destination_pairs: Any, options: Any = None) -> list[Any]:
        """`reduce` of each (value, destinations)."""
        return [combined(reduce_op, value) for value, _ in value_destination_pairs]

    def broadcast(self, tensor: Any, destinations: Any) -> Any:
        """The tensor on the one device there is."""
        return tensor


def combined(op: Any, value: Any) -> Any:
    """The sum or mean of the replicas' values."""
    reduce_op(op)
    values = local_values(value)
    if len(values) > 1:
        from ._replica import _reduced

        return _reduced(reduce_op(op), list(values))
    return values[0]


class HierarchicalCopyAllReduce(CrossDeviceOps):
    """Reduces by way of the devices' hierarchy (`tf.distribute.HierarchicalCopyAllReduce`); ValueError for negative `num_packs`."""

    def __init__(self, num_packs: int = 1) -> None:
        if num_packs < 0:
            raise ValueError(f"HierarchicalCopy requires num_packs >= 0, but {num_packs} is specified")
        self._num_packs = num_packs


class NcclAllReduce(CrossDeviceOps):
    """Reduces with NCCL (`tf.distribute.NcclAllReduce`); ValueError for negative `num_packs`."""

    def __init__(self, num_packs: int = 1) -> None:
        if num_packs < 0:
            raise ValueError(f"NCCL all-reduce requires num_packs >= 0, but {num_packs} is specified")
        self._num_packs = num_packs


class ReductionToOneDevice(CrossDeviceOps):
    """Copies all values to one device and adds them there (`tf.distribute.ReductionToOneDevice`)."""

    def __init__(self, reduce_to_device: Any = None, accumulation_fn: Any = None) -> None:
        self.reduce_to_device = reduce_to_device
        self.accumulation_fn = accumulation_fn
