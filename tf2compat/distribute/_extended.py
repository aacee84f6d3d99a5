"""`StrategyExtended`: what libraries ask of a strategy. Collectives belong here; with one replica they are the value itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tf2compat import errors
from tf2compat._engine import nest, strategies
from tf2compat._engine.convert import convert_to_tensor

from . import _context, _mirrored
from ._cross_device import combined
from ._replica import ReplicaContext, _called, tensors
from ._values import DistributedValues, Mirrored, ReduceOp, local_values


class StrategyExtended:
    """The parts of a strategy for those who write libraries (`tf.distribute.StrategyExtended`)."""

    #: the class that variables made in the scope show themselves as; None for plain ones
    _mirrors = False
    #: whether there are several replicas, which take turns
    _many = False
    experimental_require_static_shapes = False
    should_checkpoint = True
    should_save_summary = True
    experimental_should_init = True

    def __init__(self, container_strategy: Any) -> None:
        self._strategy = container_strategy
        self._devices: tuple[str, ...] = ()
        self._retrace_functions_for_each_device = False

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def worker_devices(self) -> tuple[str, ...]:
        """The devices that run replicas."""
        return self._devices

    @property
    def parameter_devices(self) -> tuple[str, ...]:
        """The devices that hold variables."""
        return self._devices

    @property
    def experimental_between_graph(self) -> bool:
        return False

    @property
    def _num_replicas_in_sync(self) -> int:
        return max(1, len(self._devices))

    def _in_multi_worker_mode(self) -> bool:
        return False

    def _container_strategy(self) -> Any:
        return self._strategy

    def _check_one_replica(self) -> None:
        if len(self._devices) > 1 and not self._many:
            raise errors.UnimplementedError(
                None, None, f"{type(self._strategy).__name__} over {len(self._devices)} devices ({', '.join(self._devices)}) is not supported yet: "
                "a strategy runs one replica, but for MirroredStrategy on logical CPU devices (tf.config.set_logical_device_configuration)."
            )  # fmt: skip

    # --- replicas ----------------------------------------------------------------------------------------------------
    def call_for_each_replica(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """`fn` in each replica's context."""
        _context.require_cross_replica(self._strategy)
        self._check_one_replica()
        count = self._num_replicas_in_sync
        if count > 1:
            from ._running import run

            return run(self._strategy, count, fn, args, kwargs or {}, self._placed)
        with self._placed(), ReplicaContext(self._strategy, 0):
            return _called(fn, tuple(args), kwargs or {})

    def _placed(self, replica: int = 0) -> Any:
        """Runs a block on a replica's device, where that is not the default one."""
        return contextlib.nullcontext()

    # --- combining ---------------------------------------------------------------------------------------------------
    def reduce_to(self, reduce_op: Any, value: Any, destinations: Any, options: Any = None) -> Any:
        """The combination of the replicas' values."""
        _context.require_cross_replica(self._strategy)
        return combined(reduce_op, value)

    def batch_reduce_to(self, reduce_op: Any, value_destination_pairs: Any, options: Any = None) -> list[Any]:
        """`reduce_to` of each (value, destinations)."""
        return [self.reduce_to(reduce_op, value, to, options) for value, to in value_destination_pairs]

    def broadcast_to(self, tensor: Any, destinations: Any) -> Any:
        return tensor

    def _all_reduce(self, op: Any, value: Any) -> Any:
        return tensors(value)

    def _all_gather(self, value: Any, axis: int) -> Any:
        return tensors(value)

    def _reduced(self, op: Any, value: Any) -> Any:
        if self._num_replicas_in_sync > 1:
            return nest.map_structure(lambda v: self._reduced_one(op, v), value, expand_composites=False)
        return combined(op, value)

    def _reduced_one(self, op: Any, value: Any) -> Any:
        if isinstance(value, Mirrored) or getattr(value, "_distributed", None) == "MirroredVariable":
            return value.values[0]
        if not isinstance(value, DistributedValues) and not getattr(value, "_distributed", None):
            if op is ReduceOp.MEAN or (isinstance(value, (int, float)) and value == 0):
                return value
            raise ValueError(f"A non-DistributedValues value {value} cannot be reduced with the given reduce op {op}.")
        return combined(op, value)

    # --- variables ---------------------------------------------------------------------------------------------------
    def update(self, var: Any, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, group: bool = True) -> Any:
        """`fn(var, *args, **kwargs)` where the variable lives."""
        return _called(fn, (var, *args), kwargs or {})

    def update_non_slot(self, colocate_with: Any, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, group: bool = True) -> Any:
        return _called(fn, tuple(args), kwargs or {})

    def non_slot_devices(self, var_list: Any) -> Any:
        return self._devices[:1]

    def variable_created_in_scope(self, v: Any) -> bool:
        """Whether a variable was made in the strategy's scope."""
        return getattr(v, "_strategy", None) is self._strategy

    def value_container(self, value: Any) -> Any:
        return getattr(value, "_of", value)

    def read_var(self, v: Any) -> Any:
        return v.read_value() if hasattr(v, "read_value") else convert_to_tensor(v)

    @contextlib.contextmanager
    def colocate_vars_with(self, colocate_with_variable: Any) -> Iterator[None]:
        """A scope in which variables are made beside another one. RuntimeError outside of the strategy's scope."""
        _context.require_scope(self._strategy)
        yield

    def _local_results(self, value: Any) -> tuple[Any, ...]:
        return local_values(value)

    def _update_config_proto(self, config_proto: Any) -> Any:
        return config_proto

    def _make(self, creator: Callable[..., Any], **kwargs: Any) -> Any:
        """A variable made in the scope."""
        self._check_one_replica()
        if self._many and not strategies.alone():
            return _mirrored.made(self._strategy, creator, self._num_replicas_in_sync, **kwargs)
        made = creator(**kwargs)
        made._strategy = self._strategy
        if self._mirrors:
            from tf2compat._engine.variable import VariableSynchronization

            made._distributed = "SyncOnReadVariable" if made.synchronization is VariableSynchronization.ON_READ else "MirroredVariable"
        return made
