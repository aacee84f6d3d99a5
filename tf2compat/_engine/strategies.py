"""What the engine and Keras need to know of `tf.distribute` strategies, without loading them."""

from __future__ import annotations

import sys
from typing import Any


def current() -> Any:
    """The strategy of the surrounding `strategy.scope()`, or None."""
    context = sys.modules.get("tf2compat.distribute._context")
    return context.get_strategy() if context is not None and context.has_strategy() else None


_alone = 0


class single:
    """Variables made in this block have one component, which all replicas share."""

    def __enter__(self) -> None:
        global _alone
        _alone += 1

    def __exit__(self, *exc: object) -> None:
        global _alone
        _alone -= 1


def alone() -> bool:
    return _alone > 0


def replica() -> Any:
    """The context of the running replica where there are several, or None."""
    context = sys.modules.get("tf2compat.distribute._context")
    found = context.local.stack[-1][1] if context is not None and context.local.stack else None
    return found if found is not None and found._runner is not None else None


#: how many steps of several replicas are running
running = 0


def part_of_step(fn: Any, args: Any, kwargs: Any) -> Any:
    """The call of a `tf.function` in one of several replicas: a part of the step like any other."""
    from tf2compat.distribute._replica import _called, tensors

    return tensors(_called(fn, args, kwargs))


def called(fn: Any, args: Any, kwargs: Any) -> Any:
    """A call of what may be the user's function, converted by AutoGraph where the caller is."""
    from . import state

    if state.local.graph is not None:
        from .autograph.calls import converted_call

        return converted_call(fn, args, kwargs)
    return fn(*args, **kwargs)


def in_scope_only() -> bool:
    """Whether the caller is in a strategy's scope, but in no replica."""
    context = sys.modules.get("tf2compat.distribute._context")
    return context is not None and context.in_cross_replica_context()


def count() -> int:
    """The number of replicas, inside of one."""
    found = replica() if running else None
    return 1 if found is None else found.num_replicas_in_sync


def placed(strategy: Any, step: Any, reduction: str = "auto") -> Any:
    """A step of one argument, to be run by the strategy. With several replicas each gets its part of the batch, and what they give of
    their own is added up ("auto", "sum"), joined ("concat"), or the first replica's ("first")."""

    def step_in_replicas(data: Any) -> Any:
        if strategy.num_replicas_in_sync > 1:
            from tf2compat.distribute._steps import in_parts

            return in_parts(strategy, step, data, reduction)
        return strategy.run(step, args=(data,))

    return step_in_replicas
