"""`tf.distribute`: strategies on the one process that runs here.

A strategy says where variables live, how often a step runs and how the results are combined. Here every strategy has one
replica, so a step runs once and a reduction is the value itself; what needs several replicas or workers raises
`tf.errors.UnimplementedError` when it is used. What several replicas would exchange goes through the strategy's
`StrategyExtended` (`reduce_to`, `gather_to`), which is where collectives belong.
"""

from __future__ import annotations

from tf2compat._names import module_getattr
from tf2compat.distribute import cluster_resolver, coordinator, experimental
from tf2compat.distribute._context import get_replica_context, get_strategy, has_strategy, in_cross_replica_context
from tf2compat.distribute._context import set_strategy as experimental_set_strategy
from tf2compat.distribute._cross_device import CrossDeviceOps, HierarchicalCopyAllReduce, NcclAllReduce, ReductionToOneDevice
from tf2compat.distribute._extended import StrategyExtended
from tf2compat.distribute._input import DistributedDataset, DistributedIterator, InputContext, InputOptions, InputReplicationMode
from tf2compat.distribute._replica import ReplicaContext
from tf2compat.distribute._strategies import (
    MirroredStrategy,
    MultiWorkerMirroredStrategy,
    OneDeviceStrategy,
    ParameterServerStrategy,
    TPUStrategy,
)
from tf2compat.distribute._strategy import RunOptions, Strategy
from tf2compat.distribute._values import DistributedValues, ReduceOp
from tf2compat.distribute.server import Server

__all__ = [
    "CrossDeviceOps", "DistributedDataset", "DistributedIterator", "DistributedValues", "HierarchicalCopyAllReduce", "InputContext",
    "InputOptions", "InputReplicationMode", "MirroredStrategy", "MultiWorkerMirroredStrategy", "NcclAllReduce", "OneDeviceStrategy",
    "ParameterServerStrategy", "ReduceOp", "ReductionToOneDevice", "ReplicaContext", "RunOptions", "Server", "Strategy",
    "StrategyExtended", "TPUStrategy", "cluster_resolver", "coordinator", "experimental", "experimental_set_strategy",
    "get_replica_context", "get_strategy", "has_strategy", "in_cross_replica_context",
]  # fmt: skip

__getattr__ = module_getattr("tf.distribute")
