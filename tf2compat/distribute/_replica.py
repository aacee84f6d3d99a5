"""What a step may ask while it runs in a replica."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._top.shaping import identity
from tf2compat.indexed_slices import IndexedSlices

from . import _context
from ._values import ReduceOp, reduce_op


class ReplicaContext:
    """The context of a replica's step (`tf.distribute.ReplicaContext`): a context manager, as TensorFlow's."""

    def __init__(self, strategy: Any, replica_id_in_sync_group: Any) -> None:
        self._strategy = strategy
        self._replica = replica_id_in_sync_group
        #: with several replicas: the running step, the variables that the first replica made, and how many of them this one has met
        self._runner: Any = None
        self._shared: Any = None
        self._made = 0

    def __enter__(self) -> ReplicaContext:
        _context.local.stack.append((self._strategy, self))
        return self

    def __exit__(self, *exc: object) -> None:
        _context.local.stack.pop()

    @property
    def strategy(self) -> Any:
        return self._strategy

    @property
    def num_replicas_in_sync(self) -> int:
        return self._strategy.num_replicas_in_sync

    @property
    def replica_id_in_sync_group(self) -> Any:
        """The replica's number, an int32 tensor."""
        return convert_to_tensor(self._replica)

    @property
    def devices(self) -> tuple[str, ...]:
        """The replica's device, as a tuple of one."""
        return (self._strategy.extended.worker_devices[self._replica],)

    def merge_call(self, merge_fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """`merge_fn(strategy, *args, **kwargs)` in the cross-replica context, once for all replicas."""
        if self._runner is not None:
            from ._running import merge

            return self._runner.meet(merge(self._strategy, merge_fn, args, kwargs or {}), (args, kwargs or {}))
        _context.local.stack.append((self._strategy, None))
        try:
            return _called(merge_fn, (self._strategy, *args), kwargs or {})
        finally:
            _context.local.stack.pop()

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The sum or mean of a structure of tensors over all replicas, in each replica; differentiable."""
        op = _op(reduce_op)
        if self._runner is not None:
            return self._together(value, lambda parts: _reduced(op, parts))
        return self._strategy.extended._all_reduce(op, value)

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """The replicas' tensors joined along `axis`, in each replica; differentiable."""
        if self._runner is not None:
            from tf2compat import concat

            return self._together(value, lambda parts: concat(parts, axis))
        return self._strategy.extended._all_gather(value, axis)

    def _together(self, value: Any, join: Callable[[list[Any]], Any]) -> Any:
        """A structure of tensors, each joined with those of the other replicas."""
        flat = [v if isinstance(v, IndexedSlices) else convert_to_tensor(v) for v in nest.flatten(value)]

        def hold(brought: list[Any]) -> list[Any]:
            joined = [join(list(parts)) for parts in zip(*brought, strict=True)]
            return [joined for _ in brought]

        found = self._runner.meet(hold, flat)
        own = [v if isinstance(v, IndexedSlices) else identity(v) for v in found]
        return nest.pack_sequence_as(value, own)


def _reduced(op: Any, parts: list[Any]) -> Any:
    if all(isinstance(p, IndexedSlices) for p in parts):
        from tf2compat import concat

        values = concat([p.values for p in parts], 0)
        values = values / len(parts) if op is ReduceOp.MEAN else values
        return IndexedSlices(values, concat([p.indices for p in parts], 0), parts[0].dense_shape)
    total = convert_to_tensor(parts[0])
    for p in parts[1:]:
        total = total + p
    return total / len(parts) if op is ReduceOp.MEAN else total


class DefaultReplicaContext(ReplicaContext):
    """The context outside of every scope."""

    @property
    def replica_id_in_sync_group(self) -> Any:
        return 0


def _op(given: Any) -> Any:
    return reduce_op(given)


def _called(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The call of a user's function, converted by AutoGraph where the caller is."""
    from tf2compat._engine import state

    if state.local.graph is not None:
        from tf2compat._engine.autograph.calls import converted_call

        return converted_call(fn, args, kwargs)
    return fn(*args, **kwargs)


def tensors(structure: Any) -> Any:
    """The structure with its leaves as tensors; other kinds of tensors stay."""
    return nest.map_structure(lambda v: v if v is None or hasattr(v, "_tf_components") else convert_to_tensor(v), structure)
