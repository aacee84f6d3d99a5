"""Loops and conditions on values inside of flattened regions.

Generated code calls `repeated`, `counted`, `rowed` and `branched` with its blocks as functions. Without a recorder these are Python's own loops
and conditions. While a region is recorded they become one step with lists of steps: the condition and the body are noted once,
on loop variables that stay where they are; a body computes their next values, which are then copied, or computed, there. So a loop
runs without Python as long as its shapes stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .recording import Recorder, Step, View, recorder
from .unfit import Unfit

__all__ = ["HELPERS", "Nested", "Part"]

Body = Callable[..., Any]


class Part:
    """Steps of a block. `outputs`: what must be there after them; `writes`: (memory, its new value)."""

    __slots__ = ("steps", "outputs", "writes")

    def __init__(self, steps: list[Step], outputs: list[View], writes: list[tuple[View, View]]) -> None:
        self.steps, self.outputs, self.writes = steps, outputs, writes


class Nested(Step):
    """A loop (`parts`: condition or None, body) or a condition (`parts`: then, else)."""

    __slots__ = ("loop", "parts", "flag", "limit")

    def __init__(self, loop: bool, parts: list[Part | None], flag: View | None, limit: Any) -> None:
        super().__init__(None, (), {}, [], [], [], True, False)
        self.loop, self.parts = loop, parts
        #: the condition's value, and how often a loop runs at most: a number, a view, or None
        self.flag, self.limit = flag, limit
        self.refresh()

    def refresh(self) -> None:
        """What it reads and writes, by its steps."""
        reads = [v for v in (self.flag, self.limit) if type(v) is View]
        writes = []
        for part in self.parts:
            if part is not None:
                for s in part.steps:
                    reads += s.reads
                    writes += s.writes
                reads += [*part.outputs, *[new for _, new in part.writes]]
                writes += [memory for memory, _ in part.writes]
        self.reads, self.writes = reads, writes


# --- what generated code calls ----------------------------------------------------------------------------------------
def repeated(test: Body, body: Body, init: tuple[Any, ...], limit: int | None = None) -> tuple[Any, ...]:
    """A While."""
    r = recorder()
    if r is None:
        return _repeated(test, body, init, limit)
    found, kept = _found(r, lambda: _repeated(test, body, _apart(init), limit))
    return _loop(r, test, body, init, found, limit, kept=kept)


def _found(r: Recorder, run: Callable[[], tuple[Any, ...]]) -> tuple[tuple[Any, ...], list[Any]]:
    """What a loop gives, and for each variable that it changes its stand-in with the values before and after; nothing has changed yet."""
    before = [(s._t, s._changed) for s in r.stands]
    with r.paused():
        found = run()
    kept = []
    for s, (t, changed) in zip(r.stands, before, strict=True):
        if s._t is not t:
            kept.append((s, t, s._t))
            s._t, s._changed = t, changed
    return found, kept


def _apart(init: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first values of a loop that runs for what comes of it alone."""
    return tuple([x if isinstance(x, torch.Tensor) or not hasattr(x, "apart") else x.apart() for x in init])


def _repeated(test: Body, body: Body, state: tuple[Any, ...], limit: int | None) -> tuple[Any, ...]:
    n = 0
    while (limit is None or n < limit) and test(*state):
        state = body(*state)
        n += 1
    return state


def counted(start: Any, last: Any, delta: Any, body: Body, init: tuple[Any, ...], stops: bool = False) -> tuple[Any, ...]:
    """A For over the numbers of a range; `body` is given one before the loop variables. `stops`: it also says, last, whether to go on."""
    r = recorder()
    if r is None:
        from .replay import _range

        return _over(_range(start, last, delta), body, init, stops)
    if start.is_floating_point() or r.view(delta).block.dynamic:
        raise Unfit("a range of floats, or with a step that is not known")
    step = int(delta)
    found, kept = _found(r, lambda: counted(start, last, delta, body, _apart(init), stops))
    n = torch.div(last.long() - start.long() + (step - (1 if step > 0 else -1)), step, rounding_mode="floor").clamp(min=0)
    return _for(r, start, delta, body, init, found, r.view(n), stops, kept)


def rowed(rows: Any, body: Body, init: tuple[Any, ...], stops: bool = False) -> tuple[Any, ...]:
    """A For over the slices of a tensor along its first axis."""
    r = recorder()
    if r is None:
        return _over(((row,) for row in rows.unbind(0)), body, init, stops)
    found, kept = _found(r, lambda: rowed(rows, body, _apart(init), stops))
    with r.paused():
        first, one = torch.zeros(1, dtype=torch.int64), torch.ones(1, dtype=torch.int64)
    return _for(r, first, one, lambda i, *state: body(rows.index_select(0, i)[0], *state), init, found, rows.shape[0], stops, kept)


def _over(elements: Any, body: Body, state: tuple[Any, ...], stops: bool) -> tuple[Any, ...]:
    for (element,) in elements:
        state = body(element, *state)
        if stops:
            *state, go = state  # type: ignore[assignment]
            if not go:
                break
    return tuple(state)


def _for(
    r: Recorder, start: Any, delta: Any, body: Body, init: tuple[Any, ...], found: tuple[Any, ...], limit: Any, stops: bool,
    kept: list[Any],
) -> tuple[Any, ...]:  # fmt: skip
    if not stops:
        return _loop(r, None, lambda i, *state: (i + delta, *body(i, *state)), (start, *init), (start, *found), limit, kept=kept)[1:]
    with r.paused():
        go = torch.tensor(True)

    def once(going: Any, i: Any, *state: Any) -> tuple[Any, ...]:
        *after, going = body(i, *state)
        return (going, i + delta, *after)

    return _loop(r, None, once, (go, start, *init), (go, start, *found), limit, flagged=True, kept=kept)[2:]


def branched(condition: Any, yes: Body, no: Body) -> tuple[Any, ...]:
    """An If without effects."""
    r = recorder()
    if r is None:
        return yes() if condition else no()
    _plain(condition.detach())
    flag = r.view(condition)
    if not flag.block.dynamic:
        with r.paused():
            taken = bool(condition)
        return yes() if taken else no()
    with r.paused():
        found = (yes if condition else no)()
    values, steps = zip(*[r.part(lambda fn=fn: _dry(r, fn)) for fn in (yes, no)], strict=True)
    results = []
    for a, b, value in zip(*values, found, strict=True):
        _same(a, b)
        result = torch.empty(a.shape, dtype=a.dtype)
        r.view(result, "own").block.dynamic = True
        with r.paused():
            result.copy_(value)
        results.append(result)
    parts: list[Part | None] = []
    for outs, some in zip(values, steps, strict=True):
        parts.append(Part(some, [], [(r.view(x), r.view(o.detach())) for x, o in zip(results, outs, strict=True)]))
    r.steps.append(Nested(False, parts, flag, None))
    for x in results:
        r.view(x).block.writes += 1
    return tuple(results)


def index(value: Any) -> Any:
    """A scalar that says which element: a number, or the tensor where that is recorded."""
    number = getattr(value, "_number", None)
    if number is not None:
        return number
    r = recorder()
    return value if r is not None and value.device.type == "cpu" and r.view(value).block.dynamic else value.item()


#: under the names that generated code has for them
HELPERS = {"_index": index, "_repeated": repeated, "_counted": counted, "_rowed": rowed, "_branched": branched}


# --- recording --------------------------------------------------------------------------------------------------------
def _dry(r: Recorder, fn: Body) -> Any:
    """Run a block for its steps alone, on values for which it may not be meant."""
    try:
        return fn()
    except Unfit:
        raise
    except Exception as error:  # noqa: BLE001
        raise Unfit(f"it cannot be run for its steps alone: {error}") from None


def _plain(x: Any) -> None:
    if not isinstance(x, torch.Tensor) or x.device.type != "cpu":
        raise Unfit("a loop or condition with what is no tensor in the host's memory")
    if x.requires_grad:
        raise Unfit("a loop or condition is differentiated")


def _same(a: Any, b: Any) -> None:
    _plain(a)
    _plain(b)
    if a.shape != b.shape or a.dtype is not b.dtype:
        raise Unfit("a value of a loop or condition changes its shape")


def _changing(
    r: Recorder, test: Body | None, body: Body, init: tuple[Any, ...], found: tuple[Any, ...], limit: Any, flagged: bool, kept: list[Any]
) -> tuple[Any, ...]:
    """`_loop` for one that changes tf.Variables: their values are loop variables, too."""
    n, stands = len(init), [s for s, _, _ in kept]

    def given(state: tuple[Any, ...]) -> tuple[Any, ...]:
        for s, t in zip(stands, state[n:], strict=True):
            s._t = t
        return state[:n]

    def once(*state: Any) -> tuple[Any, ...]:
        return (*body(*given(state)), *[s._t for s in stands])

    out = _loop(
        r, None if test is None else lambda *state: test(*given(state)), once, (*init, *[t for _, t, _ in kept]),
        (*found, *[t for _, _, t in kept]), limit, flagged, changing=stands,
    )  # fmt: skip
    for s, t in zip(stands, out[n:], strict=True):
        s._t, s._changed = t, True
    return out[:n]


def _loop(
    r: Recorder, test: Body | None, body: Body, init: tuple[Any, ...], found: tuple[Any, ...], limit: Any, flagged: bool = False,
    kept: Any = (), changing: Any = (),
) -> tuple[Any, ...]:  # fmt: skip
    """The step of a loop that began with `init` and gave `found`. `flagged`: the first variable says whether to go on. `kept`: as from `_found`."""
    if kept:
        return _changing(r, test, body, init, found, limit, flagged, kept)
    others = [(s, s._t) for s in r.stands if s not in changing]
    tensors = [isinstance(x, torch.Tensor) for x in init]
    state: list[Any] = []
    for a, b, plain in zip(init, found, tensors, strict=True):
        if plain:
            _same(a, b)
            state.append(a.clone(memory_format=torch.contiguous_format))
        elif hasattr(a, "recorded"):
            state.append(a.recorded(r, b))
        else:
            raise Unfit("a loop with what is no tensor in the host's memory")
    places = [r.view(x) for x, plain in zip(state, tensors, strict=True) if plain]
    shared = [r.view(t) for x, plain in zip(state, tensors, strict=True) if not plain for t in x.memory()]
    for p in [*places, *shared]:
        p.block.dynamic = True
    flag, first = places[0] if flagged else None, None
    if test is not None:
        value, steps = r.part(lambda: _dry(r, lambda: test(*state)))
        flag = r.view(value)
        first = Part(steps, [flag], [])

    def once() -> list[tuple[View, View]]:
        news = []
        taken = {id(p.block) for p in places}
        after = iter(places)
        for x, new, plain in zip(state, body(*state), tensors, strict=True):
            if not plain:
                x.follow(new)
                continue
            place = next(after)
            _same(x, new)
            view = r.view(new.detach())
            if view is place:
                continue
            if id(view.block) in taken:  # all next values exist before the first takes its place
                view = r.view(new.detach().clone())
            taken.add(id(view.block))
            news.append((place, view))
        return news

    writes, steps = r.part(lambda: _dry(r, once))
    if any(a is not s._t for s, a in others):
        raise Unfit("a variable is changed that was not when the loop ran")
    with r.paused():
        for x, value in zip(state, found, strict=True):
            x.copy_(value)
    r.steps.append(Nested(True, [first, Part(steps, shared, writes)], flag, limit))
    for p in places:
        p.block.writes += 1
    return tuple([x if plain else x.after(r) for x, plain in zip(state, tensors, strict=True)])
