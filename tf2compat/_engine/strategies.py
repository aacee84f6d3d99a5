"""What the engine and Keras need to know of `tf.distribute` strategies, without loading them."""

from __future__ import annotations

import sys
from typing import Any


def current() -> Any:
    """The strategy of the surrounding `strategy.scope()`, or None."""
    context = sys.modules.get("tf2compat.distribute._context")
    return context.get_strategy() if context is not None and context.has_strategy() else None


def in_scope_only() -> bool:
    """Whether the caller is in a strategy's scope, but in no replica."""
    context = sys.modules.get("tf2compat.distribute._context")
    return context is not None and context.in_cross_replica_context()


def placed(strategy: Any, step: Any) -> Any:
    """A step of one argument, to be run by the strategy."""

    def step_in_replicas(data: Any) -> Any:
        return strategy.run(step, args=(data,))

    return step_in_replicas
