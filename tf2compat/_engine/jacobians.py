"""Jacobians of recorded computations, one row at a time or all rows at once (torch.vmap over the backward pass)."""

from __future__ import annotations

from typing import Any

import torch

from . import nest, state
from .op import ANY, ANYS, op, wrap_all, wrap_here
from .slices import scattered
from .tape import GradientTape, UnconnectedGradients, _differentiable, _tagged
from .tensor import Tensor
from .variable import Variable


@op("Jacobian", multi=True, stateful=True, tensors=ANYS)
def _jacobian(tensors: Any, n_sources: int, vectorised: bool, batched: bool) -> Any:
    """[target, sources…] → for each source `target.shape + source.shape` (batched: rows of one batch index only)."""
    y, xs = tensors[0], tensors[1:]
    found: list[Any] = [None] * n_sources
    live = [i for i, x in enumerate(xs) if x.requires_grad]
    if not y.requires_grad or not live:
        return found
    again = bool(state.local.tapes)
    if batched:  # one row for each position within an example; examples do not mix
        per = y[0].numel() if y.shape[0] else 0
        eye = torch.eye(per, dtype=y.dtype, device=y.device).reshape(per, 1, *y.shape[1:]).expand(per, *y.shape)
    else:
        per = y.numel()
        eye = torch.eye(per, dtype=y.dtype, device=y.device).reshape(per, *y.shape)
    sources = [xs[i] for i in live]

    def rows(weights: torch.Tensor, many: bool) -> Any:
        return torch.autograd.grad(
            y, sources, weights, retain_graph=True, create_graph=again, allow_unused=True, is_grads_batched=many
        )

    columns: Any = None
    if vectorised and per:
        try:
            columns = rows(eye, True)
        except RuntimeError:  # an op without a vmap rule
            columns = None
    if columns is None:
        each = [rows(eye[i], False) for i in range(per)]
        columns = [
            None if all(r[k] is None for r in each) else torch.stack([torch.zeros_like(sources[k]) if r[k] is None else r[k] for r in each])
            for k in range(len(sources))
        ]
    for i, c in zip(live, columns, strict=True):
        if c is None:
            continue
        if batched:
            moved = c.movedim(0, 1) if c.ndim > 1 else c
            found[i] = moved.reshape(y.shape + xs[i].shape[1:])
        else:
            found[i] = c.reshape(y.shape + xs[i].shape)
    return found


def _run(tape: GradientTape, target: Tensor, sources: list[Any], vectorised: bool, batched: bool) -> list[Any]:
    recorded = tape._as_recorded(target)
    groups = [tape._as_recorded(s) for s in sources]
    xs = [x for g in groups for x in g]
    looked = [[r for x in g for r in tape._looked_up(x)] for g in groups]
    if any(looked):
        if batched:
            return [_diagonal(f, len(target.shape)) for f in _run(tape, target, sources, vectorised, False)]
        xs += [_tagged(leaf) if isinstance(leaf, torch.Tensor) else leaf for rows in looked for leaf, _ in rows]
    if not recorded or not xs:
        return [None] * len(sources)
    tensors = [recorded[-1], *xs]
    if state.local.graph is None:
        found = wrap_all(_jacobian.op.call([[t._t for t in tensors], len(xs), vectorised, batched]))
    else:
        found = _jacobian(tensors, len(xs), vectorised, batched)
    out, at = [], 0
    for g in groups:
        total = None
        for _ in g:
            total = found[at] if total is None else total if found[at] is None else total + found[at]
            at += 1
        out.append(total)
    for i, rows in enumerate(looked):  # rows that were looked up in a source, at their places
        for _, ids in rows:
            if found[at] is not None:
                shape = sources[i].shape.as_list()
                part = scattered(found[at], wrap_here(ids) if isinstance(ids, torch.Tensor) else ids, len(target.shape), shape)
                out[i] = part if out[i] is None else out[i] + part
            at += 1
    return out


@op("BatchDiagonal", jacobian=ANY)
def _each(jacobian: Any, rank: int) -> Any:
    return torch.diagonal(jacobian, 0, 0, rank).movedim(-1, 0)


def _diagonal(jacobian: Any, rank: int) -> Any:
    """[batch, target…, batch, source…] → [batch, target…, source…]: each example by itself."""
    return None if jacobian is None else _each(jacobian, rank)


def _finish(tape: GradientTape) -> None:
    if not tape._persistent:
        if tape._recording:
            tape._pop()
        tape._clear()
        tape._used = True


def jacobian(tape: GradientTape, target: Any, sources: Any, unconnected: UnconnectedGradients, vectorised: bool) -> Any:
    tape._check_usable(sources)
    if tape._recording and not tape._persistent:
        tape._pop()
    flat = nest.flatten(sources)
    for s in flat:
        if not isinstance(s, (Tensor, Variable)):
            raise ValueError(f"Passed in object {s} of type {type(s).__name__}, not tf.Tensor or tf.Variable or ExtensionType.")
    found = _run(tape, target, flat, vectorised, False)
    if unconnected is UnconnectedGradients.ZERO:
        from tf2compat import zeros

        found = [zeros(list(target.shape) + list(s.shape), s.dtype) if f is None else f for f, s in zip(found, flat, strict=True)]
    _finish(tape)
    return nest.pack_sequence_as(sources, found)


def batch_jacobian(tape: GradientTape, target: Any, source: Any, unconnected: UnconnectedGradients, vectorised: bool) -> Any:
    tape._check_usable(source)
    t, s = target.shape, source.shape
    t.with_rank_at_least(2)
    s.with_rank_at_least(2)
    if t[0] != s[0]:
        raise ValueError(
            f"Need first dimension of target shape ({t}) and source shape ({s}) to match."
        )
    if tape._recording and not tape._persistent:
        tape._pop()
    if not _differentiable(source):
        raise ValueError(f"batch_jacobian needs a floating source, got dtype {source.dtype!r}")
    found = _run(tape, target, [source], vectorised, True)[0]
    if found is None and unconnected is UnconnectedGradients.ZERO:
        from tf2compat import zeros

        found = zeros(list(t) + list(s)[1:], source.dtype)
    _finish(tape)
    return found
