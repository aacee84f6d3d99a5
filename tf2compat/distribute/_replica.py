"""What a step may ask while it runs in a replica."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.convert import convert_to_tensor

from . import _context
from ._values import reduce_op


class ReplicaContext:
    """The context of a replica's step (`tf.distribute.ReplicaContext`): a context manager, as TensorFlow's."""

    def __init__(self, strategy: Any, replica_id_in_sync_group: Any) -> None:
        self._strategy = strategy
        self._replica = replica_id_in_sync_group

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
        return (self._strategy.extended.worker_devices[0],)

    def merge_call(self, merge_fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """`merge_fn(strategy, *args, **kwargs)` in the cross-replica context."""
        _context.local.stack.append((self._strategy, None))
        try:
            return _called(merge_fn, (self._strategy, *args), kwargs or {})
        finally:
            _context.local.stack.pop()

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The sum or mean of a structure of tensors over all replicas, in each replica; differentiable."""
        return self._strategy.extended._all_reduce(_op(reduce_op), value)

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """The replicas' tensors joined along `axis`, in each replica; differentiable."""
        return self._strategy.extended._all_gather(value, axis)


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
    return nest.map_structure(lambda v: v if hasattr(v, "_tf_components") else convert_to_tensor(v), structure)
