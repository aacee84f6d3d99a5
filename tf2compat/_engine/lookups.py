"""Lookups of rows in what a tape watches: gradients that hold these rows alone (`tf.IndexedSlices`).

A lookup in a leaf of a tape (`gather`, `embedding_lookup`) is made outside of autograd's record, and the rows that it found
are a leaf of their own: their gradient is the values of the slices. Other uses of the same leaf give a dense gradient, as
ever; where there are both, the slices are added to it. Each tape knows the lookups that were made in its leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from . import state

__all__ = ["leaf_from", "look_up", "tape_of"]


def leaf_from(storage: torch.Tensor) -> torch.Tensor:
    """A new tensor for autograd to differentiate by: a leaf, or an alias when outer tapes record through it."""
    if storage.requires_grad:
        return storage.view_as(storage)
    return storage.detach().requires_grad_()


def tape_of(key: Any) -> Any:
    """The innermost recording tape that has a leaf: by `id` of a torch tensor, by key of a symbolic one."""
    for tape in reversed(state.local.tapes):
        seen = getattr(tape, "_seen", None)  # stand-ins for tapes have no leaves
        if seen is not None and key in seen:
            return tape
    return None


def look_up(fn: Callable[..., Any], rows: Callable[..., bool], *args: Any) -> Any:
    """`fn(*args)` where the first argument requires a gradient. `rows`: whether such arguments ask for whole rows by their numbers."""
    params = args[0]
    if params.grad_fn is not None and len(state.local.tapes) < 2:
        return fn(*args)
    tape = tape_of(id(params))
    if tape is None or not rows(*args):
        return fn(*args)
    seen = tape._seen[id(params)]  # what the next outer tape sees
    leaf = leaf_from(look_up(fn, rows, seen, *args[1:]) if seen.requires_grad else fn(seen, *args[1:]))
    tape._rows.setdefault(id(params), []).append((leaf, args[1]))
    return leaf
