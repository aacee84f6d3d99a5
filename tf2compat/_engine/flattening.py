"""Passes over recorded steps: what need not be done again, and what is done twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from .nesting import Nested
from .recording import Block, Step, View, views_in

__all__ = ["simplified"]

_POINTWISE = torch.Tag.pointwise


def simplified(steps: list[Step], outputs: list[View], writes: list[tuple[View, View]]) -> list[Step]:
    """The steps that a run has to do. `writes`: (a variable's memory, its new value), which become steps where they must."""
    while _settle(steps):
        pass
    return _simple(steps, outputs, writes)


def _simple(steps: list[Step], outputs: list[View], writes: list[tuple[View, View]]) -> list[Step]:
    steps = [s for s in steps if any(w.block.dynamic for w in s.writes)]
    steps = _once(steps, outputs, writes)
    for s in steps:
        if isinstance(s, Nested):
            for part in s.parts:
                if part is not None:
                    part.steps, part.writes = _simple(part.steps, part.outputs, part.writes), []
            if s.loop and s.parts[0] is not None:
                s.flag = s.parts[0].outputs[0]
            s.refresh()
    steps = _into_variables(steps, outputs, writes)
    return _live(steps, [*outputs, *[memory for memory, _ in writes]])


def _settle(steps: list[Step]) -> bool:
    """What is written from, or along with, what can change can change too. Whether that was news."""
    changed = False
    for s in steps:
        for part in s.parts:
            changed = part is not None and _settle(part.steps) or changed
        if not s.parts and (any(v.block.dynamic for v in s.reads) or any(v.block.dynamic for v in s.writes)):
            for w in s.writes:
                if not w.block.dynamic:
                    w.block.dynamic = changed = True
    return changed


def _live(steps: list[Step], outputs: list[View]) -> list[Step]:
    needed = {id(o.block) for o in outputs}
    kept = []
    for s in reversed(steps):
        if any(w.block.kind in ("variable", "guard") or id(w.block) in needed for w in s.writes):
            kept.append(s)
            needed.update([id(v.block) for v in s.reads])
    kept.reverse()
    return kept


def _replaced(value: Any, at: dict[int, View]) -> Any:
    if type(value) is View:
        return at.get(id(value), value)
    if type(value) in (list, tuple):
        return type(value)([_replaced(v, at) for v in value])
    if type(value) is dict:
        return {k: _replaced(v, at) for k, v in value.items()}
    return value


class _Moves:
    """Views that move to the memory of another block."""

    def __init__(self) -> None:
        self.at: dict[int, View] = {}
        self.base: dict[int, tuple[View, int]] = {}

    def block(self, block: Block, to: View, offset: int) -> None:
        """All of `block`, whose first element is at `offset`, is where `to` begins from now on."""
        self.base[id(block)] = (to, offset)

    def view(self, v: View) -> View:
        found = self.at.get(id(v))
        if found is None:
            to = self.base.get(id(v.block))
            if to is None:
                return v
            base, offset = to
            start = v.t.storage_offset() - offset + base.t.storage_offset()
            t = base.t if v.t.dtype is base.t.dtype else base.t.view(v.t.dtype)
            t = t.as_strided(v.t.shape, v.t.stride(), start)
            found = self.at[id(v)] = View(base.block, t, (base.geometry[0], start, t.shape, t.stride(), t.dtype))
        return found

    def apply(self, step: Step) -> None:
        if isinstance(step, Nested):
            if self.base:
                self.inside(step)
            return
        if not any(id(v.block) in self.base for v in step.reads) and not any(id(v.block) in self.base for v in step.writes):
            return
        for v in [*views_in([step.args, step.kwargs], []), *step.writes, *step.reads]:
            self.view(v)
        step.args, step.kwargs = _replaced(step.args, self.at), _replaced(step.kwargs, self.at)
        step.outs, step.reads, step.writes = (_replaced(x, self.at) for x in (step.outs, step.reads, step.writes))


    def inside(self, step: Nested) -> None:
        for part in step.parts:
            if part is not None:
                for s in part.steps:
                    self.apply(s)
                part.outputs = [self.view(v) for v in part.outputs]
                part.writes = [(self.view(a), self.view(b)) for a, b in part.writes]
        step.flag, step.limit = (self.view(v) if type(v) is View else v for v in (step.flag, step.limit))
        step.refresh()


def _text(value: Any, versions: dict[int, int]) -> Any:
    """What an argument is, for comparison."""
    if type(value) is View:
        return (id(value.block), value.t.storage_offset(), value.t.shape, value.t.stride(), value.t.dtype, versions.get(id(value.block), 0))
    if type(value) in (list, tuple):
        return tuple([_text(v, versions) for v in value])
    if type(value) is dict:
        return tuple([(k, _text(v, versions)) for k, v in value.items()])
    return (type(value), repr(value))


def _once(steps: list[Step], outputs: list[View], writes: list[tuple[View, View]]) -> list[Step]:
    """Without steps that compute what another did before them."""
    counts: dict[int, int] = {}
    for s in steps:
        for w in s.writes:
            counts[id(w.block)] = counts.get(id(w.block), 0) + 1
    moves = _Moves()
    versions: dict[int, int] = {}
    known: dict[Any, Step] = {}
    kept = []
    for s in steps:
        moves.apply(s)
        if s.writes and s.writes[0].block.kind == "guard" and not s.parts:
            key = (s.func, _text(s.args[1], versions))
            if known.setdefault(key, s) is not s:
                continue
        if not s.mutable and all(o is not None and counts[id(o.block)] == 1 for o in s.outs):
            key = (s.func, _text(s.args, versions), _text(s.kwargs, versions))
            first = known.setdefault(key, s)
            if first is not s and all(a.t.shape == b.t.shape and a.t.stride() == b.t.stride() for a, b in zip(first.outs, s.outs, strict=True)):
                for a, b in zip(first.outs, s.outs, strict=True):
                    moves.block(b.block, a, b.t.storage_offset())
                continue
        for w in s.writes:
            versions[id(w.block)] = versions.get(id(w.block), 0) + 1
        kept.append(s)
    outputs[:] = [moves.view(o) for o in outputs]
    writes[:] = [(v, moves.view(n)) for v, n in writes]
    return kept


def _whole(v: View) -> bool:
    return v.t.is_contiguous() and v.t.numel() * v.t.element_size() == v.block.nbytes


def _into_variables(steps: list[Step], outputs: list[View], writes: list[tuple[View, View]]) -> list[Step]:
    """New values of variables are computed where the variables are, or copied there at the end."""
    taken = {id(o.block) for o in outputs}
    news = Counter(id(new.block) for _, new in writes)
    uses = _Uses(steps)
    # nothing happens to variables before the last guard has been looked at, and the last loop has gone well
    barrier = max((i for i, s in enumerate(steps) if s.parts or any(w.block.kind == "guard" for w in s.writes)), default=-1)
    rest = []
    for variable, new in writes:
        block = new.block
        fits = (
            block.kind == "own" and block.dynamic and news[id(block)] == 1 and id(block) not in taken and _whole(new) and variable.t.is_contiguous()
            and new.t.shape == variable.t.shape and new.t.dtype is variable.t.dtype
        )  # fmt: skip
        if not (fits and _moved(uses, variable, new, barrier if variable.block.kind == "variable" else -1)):
            rest.append((variable, new))
    copies = [Step(torch.ops.aten.copy_.default, (v, new), {}, [], [v, new], [v], True, True) for v, new in rest]
    return [*[s for i, s in enumerate(steps) if i not in uses.gone], *copies]


class _Uses:
    """Which steps touch a block, by their places."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.gone: set[int] = set()
        self.reads: dict[int, list[int]] = {}
        self.writes: dict[int, list[int]] = {}
        for i, s in enumerate(steps):
            for found, views in ((self.reads, s.reads), (self.writes, s.writes)):
                for block in dict.fromkeys([id(v.block) for v in views]):
                    found.setdefault(block, []).append(i)

    def of(self, block: Block) -> tuple[list[int], list[int]]:
        """Where it is read, and where it is written."""
        return self.reads.get(id(block), []), self.writes.get(id(block), [])

    def move(self, block: Block, to: Block) -> None:
        for found in (self.reads, self.writes):
            found[id(to)] = sorted({*found.get(id(to), []), *found.pop(id(block), [])})


def _moved(uses: _Uses, variable: View, new: View, barrier: int) -> bool:
    """Move `new`'s memory to the variable's, where nobody needs the old value after the first step that fills it."""
    reads, writes = uses.of(new.block)
    old_reads, old_writes = uses.of(variable.block)
    if not writes:
        return False
    first = writes[0]
    if first <= barrier or any(i > first for i in old_reads) or any(i >= first for i in old_writes):
        return False
    begin = uses.steps[first]
    if begin.parts:
        return False
    old = [v for v in begin.reads if v.block is variable.block]
    drop = False
    if old:
        same = all(v.t.shape == new.t.shape and v.t.stride() == new.t.stride() and v.t.storage_offset() == variable.t.storage_offset() for v in old)
        if not same or len(begin.writes) != 1 or any(v.t.dtype is not new.t.dtype for v in old):
            return False
        drop = begin.func is torch.ops.aten.clone.default
        if not drop and (_POINTWISE not in begin.func.tags or begin.mutable):
            return False
    if drop:
        uses.gone.add(first)
    moves = _Moves()
    moves.block(new.block, variable, new.t.storage_offset())
    for i in sorted({*reads, *writes}):
        if i not in uses.gone:
            moves.apply(uses.steps[i])
    uses.move(new.block, variable.block)
    return True
