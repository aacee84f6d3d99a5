"""`tf.distribute.Strategy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tf2compat import errors
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.variable import creators

from . import _context
from ._extended import StrategyExtended
from ._input import DistributedDataset, InputContext, InputReplicationMode, distributed, one_pipeline
from ._replica import tensors
from ._values import PerReplica, ReduceOp, for_replica, local_values, reduce_op


class RunOptions(NamedTuple):
    """Options of `Strategy.run` (`tf.distribute.RunOptions`); they concern TPUs alone."""

    experimental_enable_dynamic_batch_size: bool = True
    experimental_bucketizing_dynamic_shape: bool = False
    experimental_xla_options: Any = None


class Scope:
    """`with strategy.scope()`: the strategy is the current one, and makes the variables."""

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy

    def __enter__(self) -> Any:
        strategy = self._strategy
        _context.require_cross_replica(strategy)
        strategy.extended._check_one_replica()
        _context.local.stack.append((strategy, None))
        self._creator: Any = None
        if not any(getattr(c, "_strategy", None) is strategy for c in creators.stack):  # a scope inside of one makes nothing twice
            self._creator = lambda next_creator, **kwargs: strategy.extended._make(next_creator, **kwargs)
            self._creator._strategy = strategy
            creators.stack.append(self._creator)
        self._place = strategy.extended._placed()
        self._place.__enter__()
        return strategy

    def __exit__(self, *exc: Any) -> None:
        self._place.__exit__(*exc)
        if self._creator in creators.stack:
            creators.stack.remove(self._creator)
        if _context.local.stack:
            _context.local.stack.pop()


class Strategy:
    """A way to spread a computation over devices (`tf.distribute.Strategy`).

    Differs from TensorFlow: everything is on this process; see the strategies for where there may be several replicas.
    """

    def __init__(self, extended: StrategyExtended) -> None:
        self._extended = extended

    @property
    def extended(self) -> StrategyExtended:
        return self._extended

    @property
    def cluster_resolver(self) -> Any:
        """The resolver of the cluster, or None."""
        return getattr(self._extended, "_cluster_resolver", None)

    @property
    def num_replicas_in_sync(self) -> int:
        """How many replicas a step runs in."""
        return self._extended._num_replicas_in_sync

    def scope(self) -> Any:
        """A context manager in which the strategy is the current one. RuntimeError inside of another strategy's."""
        _context.require_cross_replica(self)
        return Scope(self)

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """`fn(*args, **kwargs)` in each replica, with the replica's components of distributed values."""
        if not isinstance(args, (list, tuple)):
            raise ValueError(f"positional args must be a list or tuple, got {type(args)}")
        if options is not None and not isinstance(options, RunOptions):
            raise TypeError(f"`options` must be a tf.distribute.RunOptions, got {options!r}")
        with self.scope():
            if self.num_replicas_in_sync > 1:
                return self._extended.call_for_each_replica(fn, args, kwargs)
            return self._extended.call_for_each_replica(fn, for_replica(0, tuple(args)), for_replica(0, dict(kwargs or {})))

    def experimental_run(self, fn: Callable[..., Any], input_iterator: Any = None) -> Any:
        """The older form of `run`: `fn` on the iterator's next element."""
        return self.run(fn, args=() if input_iterator is None else (input_iterator.get_next(),))

    # --- combining ---------------------------------------------------------------------------------------------------
    def reduce(self, reduce_op: Any, value: Any, axis: Any) -> Any:
        """The sum or mean over replicas, and over `axis` of each replica's value unless it is None.

        RuntimeError in a replica's step; ValueError for an unknown `reduce_op`.
        """
        _context.require_cross_replica(self)
        op = _reduce_op(reduce_op)
        from tf2compat import reduce_mean, reduce_sum

        if axis is not None and isinstance(value, PerReplica) and len(value.values) > 1:
            from tf2compat import cast, shape

            total = self._extended._reduced(ReduceOp.SUM, PerReplica([reduce_sum(v, axis=axis) for v in value.values]))
            if op is ReduceOp.SUM:
                return total
            return total / cast(sum(shape(v)[axis] for v in value.values), total.dtype)
        value = self._extended._reduced(op, value)
        if axis is None:
            return self._after_reduce(value)

        return (reduce_sum if op is ReduceOp.SUM else reduce_mean)(value, axis=axis)

    def _after_reduce(self, value: Any) -> Any:
        return tensors(value)

    def gather(self, value: Any, axis: int) -> Any:
        """The replicas' tensors joined along `axis`. RuntimeError in a replica's step."""
        _context.require_cross_replica(self)
        found = local_values(value)
        if len(found) == 1:
            return convert_to_tensor(found[0])
        from tf2compat import concat

        return concat(found, axis)

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """A tuple of the replicas' components of a value."""
        return self._extended._local_results(value)

    def unwrap(self, value: Any) -> tuple[Any, ...]:
        """The older name of `experimental_local_results`."""
        return self._extended._local_results(value)

    def group(self, value: Any, name: str | None = None) -> Any:
        """None: what a step returned has run already."""

    # --- data --------------------------------------------------------------------------------------------------------
    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """The dataset as a `DistributedDataset`, whose global batches are split between the replicas."""
        if options is not None and options.experimental_replication_mode == InputReplicationMode.PER_REPLICA:
            raise NotImplementedError(
                "InputReplicationMode.PER_REPLICA is only supported in `distribute_datasets_from_function`."
            )
        self._extended._check_one_replica()
        return distributed(dataset, self, True)

    def distribute_datasets_from_function(self, dataset_fn: Callable[[InputContext], Any], options: Any = None) -> Any:
        """The dataset that `dataset_fn` makes of an `InputContext`, with batches of each replica's size."""
        self._extended._check_one_replica()
        return distributed(dataset_fn(one_pipeline(self)), self)

    def experimental_distribute_datasets_from_function(self, dataset_fn: Callable[[InputContext], Any], options: Any = None) -> Any:
        """The older name of `distribute_datasets_from_function`."""
        return self.distribute_datasets_from_function(dataset_fn, options)

    def experimental_distribute_values_from_function(self, value_fn: Callable[[Any], Any]) -> Any:
        """A value for each replica, from a function of a `tf.distribute.experimental.ValueContext`."""
        from .experimental import ValueContext

        self._extended._check_one_replica()
        count = self.num_replicas_in_sync
        if count > 1:
            return PerReplica([value_fn(ValueContext(i, count)) for i in range(count)])
        return self._per_replica(value_fn(ValueContext(0, count)))

    def _per_replica(self, value: Any) -> Any:
        return PerReplica([value])

    def make_dataset_iterator(self, dataset: Any) -> Any:
        """An iterator with an `initialize` method over a dataset (an old name)."""
        return DistributedDataset(dataset, self)._with_initializer()

    def make_input_fn_iterator(self, input_fn: Callable[[InputContext], Any], replication_mode: Any = InputReplicationMode.PER_WORKER) -> Any:
        """An iterator with an `initialize` method over the dataset that `input_fn` makes (an old name)."""
        if replication_mode != InputReplicationMode.PER_WORKER:
            raise ValueError(f"Input replication mode not supported: {replication_mode!r}")
        with self.scope():
            return self.make_dataset_iterator(input_fn(one_pipeline(self)))

    # --- old names ---------------------------------------------------------------------------------------------------
    def colocate_vars_with(self, colocate_with_variable: Any) -> Any:
        """A scope in which variables are made beside another one. RuntimeError outside of the strategy's scope."""
        _context.require_scope(self)
        return self._extended.colocate_vars_with(colocate_with_variable)

    def configure(self, session_config: Any = None, cluster_spec: Any = None, task_type: Any = None, task_id: Any = None) -> None:
        """UnimplementedError when a cluster is given: there is one process."""
        if cluster_spec is not None or task_type is not None or task_id is not None:
            raise errors.UnimplementedError(None, None, "Strategy.configure of a cluster is not supported; one process is.")

    def update_config_proto(self, config_proto: Any) -> Any:
        """The session configuration, unchanged."""
        return self._extended._update_config_proto(config_proto)

    def __deepcopy__(self, memo: Any) -> Strategy:
        return self


def _reduce_op(given: Any) -> ReduceOp:
    return reduce_op(given)
