"""Update rules for gradients of rows: on these rows alone where others, and their slots, stay as they are."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine.op import ANY, OPS, VARIABLES, op
from tf2compat._engine.slices import deduplicated, within
from tf2compat._engine.variable import Variable
from tf2compat.indexed_slices import IndexedSlices

from ._rules import _number, _scalar, adam_of_rows


class _Rows:
    """Some rows of a variable, in the variable's place."""

    def __init__(self, variable: Any, rows: torch.Tensor) -> None:
        self.variable, self.rows = variable, rows
        self._t = variable._t.index_select(0, rows)

    def _own(self) -> torch.Tensor:
        return self._t

    def back(self) -> None:
        self.variable._own().index_copy_(0, self.rows, self._t)


@op("ResourceSparseApply", stateful=True, variables=VARIABLES, scalars=VARIABLES, values=ANY, indices=ANY)
def _apply(variables: Any, scalars: Any, values: Any, indices: Any, rule: str, layout: Any) -> None:
    """The rule of a key on rows. `layout`: its arguments; "v" and "s": the next of the variables, of the scalars, "g" the gradients."""
    values, indices = within(values.detach(), indices, variables[0]._t.shape[0])
    numbers, at = torch.unique(indices, return_inverse=True)
    numbers = numbers.long()
    summed = values.new_zeros((numbers.numel(), *values.shape[1:])).index_add_(0, at, values)
    held = [_Rows(v, numbers) for v in variables]
    rows, plain = iter(held), iter(scalars)
    args: list[Any] = []
    for what in layout:
        if what == "v":
            args.append([next(rows)])
        elif what == "s":
            args.append(next(plain))
        else:
            args.append([summed] if what == "g" else what[0])
    OPS[rule].fn(*args)
    for h in held:
        h.back()


_apply.infer(lambda *args: [])


def in_turn(grads: list[Any], variables: list[Any]) -> list[tuple[list[Any], list[Any]]]:
    """Gradients and variables in groups in which no variable comes twice, those that come first first."""
    turns: list[tuple[list[Any], list[Any]]] = []
    seen: dict[int, int] = {}
    for g, v in zip(grads, variables, strict=True):
        turn = seen[id(v)] = seen.get(id(v), -1) + 1
        if turn == len(turns):
            turns.append(([], []))
        turns[turn][0].append(g)
        turns[turn][1].append(v)
    return turns


class Touched:
    """A gradient of rows, for a rule that leaves all other rows alone, or has a form for such gradients."""

    def __init__(self, slices: Any) -> None:
        self.slices = slices

    def _tf_op(self, rule: Any, args: Any) -> Any:
        if rule.name == "ResourceApplyGradientDescent":
            descend(args[0], [args[2]], self.slices.values, self.slices.indices)
            return None
        if rule.name == "ResourceApplyAdam":
            lists, rest = args[:4], args[5:]
            adam_of_rows(*lists, self.slices.values, self.slices.indices, *rest)
            return None
        variables: list[Any] = []
        scalars: list[Any] = []
        layout: list[Any] = []
        for kind, value in zip(rule.kinds, args, strict=False):
            what = "" if kind is None else kind.what
            if what == "variables":
                variables += value
                layout.append("v" if value else ([],))
            elif what == "variable":
                scalars.append(value)
                layout.append("s")
            else:
                layout.append("g" if what == "tensors" else (value,))
        _apply(variables, scalars, self.slices.values, self.slices.indices, rule.key, tuple(layout))
        return None


@op("ResourceScatterDescent", stateful=True, variables=VARIABLES, scalars=VARIABLES, values=ANY, indices=ANY)
def descend(variables: Any, scalars: Any, values: Any, indices: Any) -> None:
    """variable[indices] -= rate * values"""
    values, indices = within(values.detach(), indices, variables[0]._t.shape[0])
    rate = _number(_scalar(scalars[0], values.dtype))
    indices = indices.int() if indices.dtype is torch.int16 else indices
    if isinstance(rate, torch.Tensor):
        variables[0]._own().index_add_(0, indices, values * rate, alpha=-1)
    else:
        variables[0]._own().index_add_(0, indices, values, alpha=-rate)


descend.infer(lambda *args: [])


def split(grads: list[Any], variables: list[Variable]) -> tuple[list[Any], list[Any], list[tuple[Any, Any]]]:
    """Dense gradients with their variables, and the pairs of sparse ones."""
    pairs = list(zip(grads, variables, strict=True))
    rest = [p for p in pairs if not isinstance(p[0], IndexedSlices)]
    return [g for g, _ in rest], [v for _, v in rest], [p for p in pairs if isinstance(p[0], IndexedSlices)]


def unique(grads: list[Any]) -> list[Any]:
    """Gradients, the sparse ones with each row once."""
    return [deduplicated(g) if isinstance(g, IndexedSlices) else g for g in grads]
