"""Which strategy the running thread is under, and whether it is in one of its replicas."""

from __future__ import annotations

import functools
import threading
from typing import Any


class _Local(threading.local):
    def __init__(self) -> None:
        #: (strategy, replica context or None for the cross-replica context), innermost last
        self.stack: list[tuple[Any, Any]] = []


local = _Local()
# what `experimental_set_strategy` left entered: (strategy, its scope)
_set: list[tuple[Any, Any]] = []


@functools.cache
def default() -> Any:
    """The strategy outside of every scope: it changes nothing."""
    from ._strategies import DefaultStrategy

    return DefaultStrategy()


@functools.cache
def default_replica() -> Any:
    from ._replica import DefaultReplicaContext

    return DefaultReplicaContext(default(), 0)


def get_strategy() -> Any:
    """The strategy of the innermost scope, or the default strategy (`tf.distribute.get_strategy`)."""
    return local.stack[-1][0] if local.stack else default()


def has_strategy() -> bool:
    """Whether a strategy other than the default one is in force (`tf.distribute.has_strategy`)."""
    return bool(local.stack) and local.stack[-1][0] is not default()


def in_cross_replica_context() -> bool:
    """Whether the caller is in a strategy's scope but not in a replica's step (`tf.distribute.in_cross_replica_context`)."""
    return bool(local.stack) and local.stack[-1][1] is None


def get_replica_context() -> Any:
    """The replica's context, or None in a cross-replica context (`tf.distribute.get_replica_context`)."""
    return local.stack[-1][1] if local.stack else default_replica()


def get_replica_context_of(strategy: Any) -> Any:
    """The innermost replica's context when it is one of `strategy`, or None."""
    current, replica = local.stack[-1] if local.stack else (None, None)
    return replica if current is strategy else None


def replica_number() -> int:
    """The number of the replica that runs; 0 outside of replicas."""
    replica = local.stack[-1][1] if local.stack else None
    return 0 if replica is None else replica._replica


def require_cross_replica(strategy: Any) -> None:
    """RuntimeError in a replica's step, or under another strategy."""
    if not local.stack:
        return
    current, replica = local.stack[-1]
    if current is not strategy:
        raise RuntimeError(f"Mixing different tf.distribute.Strategy objects: {current} is not {strategy}")
    if replica is not None and strategy is not default():
        raise RuntimeError("Method requires being in cross-replica context, use get_replica_context().merge_call()")


def require_scope(strategy: Any) -> None:
    """RuntimeError outside of the strategy's scope."""
    if get_strategy() is not strategy:
        raise RuntimeError(f'Need to be inside "with strategy.scope()" for {strategy}')


def set_strategy(strategy: Any) -> None:
    """Enter a strategy's scope for good; None leaves it (`tf.distribute.experimental_set_strategy`).

    RuntimeError inside of a `strategy.scope()`.
    """
    depth = len(local.stack)
    if depth > len(_set):
        raise RuntimeError("Must not be called inside a `tf.distribute.Strategy` scope.")
    if _set:
        _set.pop()[1].__exit__(None, None, None)
    if strategy is not None:
        scope = strategy.scope()
        scope.__enter__()
        _set.append((strategy, scope))
