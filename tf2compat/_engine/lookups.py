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

__all__ = ["Looked", "aliased", "leaf_from", "look_up", "tape_of", "traced"]

#: ops that give what they are given
_SAME = frozenset(("Identity", "EnsureShape"))


class Looked:
    """A recorded lookup in the leaf `at` of a tape, which is known by `keys`: a leaf of the rows, and their numbers."""

    def __init__(self, tape: Any, at: Any, keys: list[Any], leaf: Any, ids: Any) -> None:
        self.tape, self.at, self.keys, self.found = tape, at, keys, (leaf, ids)
        for key in keys:
            tape._rows.setdefault(key, []).append(self.found)

    def forget(self) -> None:
        """Outside of its branch a lookup is what the condition makes of it."""
        for key in self.keys:
            self.tape._rows[key] = [r for r in self.tape._rows.get(key, ()) if r is not self.found]


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


def aliased(alias: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    """Notice that `alias` is a leaf of the recording tape by another name, or may be: a lookup in it is one in the leaf."""
    if alias.requires_grad and len(state.local.tapes) == 1 and not torch.compiler.is_compiling():
        tape = state.local.tapes[0]
        if hasattr(tape, "_seen") and (id(of) in tape._seen or id(of) in tape._aliases):
            tape._aliases[id(alias)] = (alias, of)
    return alias


def traced(t: Any) -> Any:
    """The recording tape that a symbolic tensor is a leaf of: through identities, and out of the branches of conditions.

    Gives the tape, the leaf, and the keys of all that it is known by; None where no tape has it.
    """
    keys: list[Any] = []
    while True:
        tape = tape_of(t._key())
        keys.append(t._key())
        if tape is not None:
            return tape, t, keys
        node = t._node
        if len(state.local.tapes) != 1:
            return None
        if node.kind == "op" and node.op.name in _SAME:
            t = node.args[0]
        elif node.kind == "capture" and t._graph.is_branch:
            t = next(outside for outside, inner in t._graph.captures.values() if inner._node is node)
        else:
            return None
        if not hasattr(t, "_node"):
            return None


def look_up(fn: Callable[..., Any], rows: Callable[..., bool], *args: Any) -> Any:
    """`fn(*args)` where the first argument requires a gradient. `rows`: whether such arguments ask for whole rows by their numbers."""
    params = args[0]
    if params.grad_fn is not None and len(state.local.tapes) < 2:
        return _in_alias(fn, rows, args)
    tape = tape_of(id(params))
    if tape is None or not rows(*args):
        return fn(*args)
    seen = tape._seen[id(params)]  # what the next outer tape sees
    leaf = leaf_from(look_up(fn, rows, seen, *args[1:]) if seen.requires_grad else fn(seen, *args[1:]))
    tape._rows.setdefault(id(params), []).append((leaf, args[1]))
    return leaf


def _in_alias(fn: Callable[..., Any], rows: Callable[..., bool], args: Any) -> Any:
    aliases = getattr(state.local.tapes[0], "_aliases", None) if state.local.tapes else None
    if not aliases or id(args[0]) not in aliases or not rows(*args):
        return fn(*args)
    tape, at, known = state.local.tapes[0], args[0], []
    while id(at) in aliases:
        known.append(id(at))
        at = aliases[id(at)][1]
    leaf = look_up(fn, rows, at, *args[1:])
    if id(at) in tape._rows:  # a source may be the alias
        for key in known:
            tape._rows.setdefault(key, []).append(tape._rows[id(at)][-1])
    return leaf
