"""The tier between replay and compiled: a program whose regions are flattened once replaying has taken as long as that takes.

What cannot be flattened stays replayed: a node at fault is cut out and the program planned again, and where it is not faster in the
end, replay it is.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from . import state
from .devices import accelerated, tf32, use_tf32
from .flattened import Flat, flatten
from .graph import Graph, Node
from .left_memory import working
from .recording import recorder
from .regions import Planner
from .replay import Cut, Program, _careful, _uses
from .standing import follower, used_variables
from .turns import turn_at
from .unfit import Missed, Unfit

__all__ = ["FlatRegion", "FlatTier", "node_of", "timed"]

#: forms of one region for inputs of different sizes
_SIZES = 4
_PLANS = 8
#: calls that are measured before a flattened program may stay
_TRIAL = 24
#: calls before these: a region is recorded, then compared with replay
_WARM = 4
#: how often a call may fail for reasons of its own
_TRIES = 3
#: how often a region may turn out to go another way than it was recorded
_MISSES = 8
#: how often a region is recorded anew because variables are somewhere else now
_MOVES = 8
#: seconds that flattening is expected to take, and for each line of the program
_BASE, _PER_LINE = 0.02, 0.001
#: calls that are replayed in any case
_CALLS = 3


def node_of(program: Program, error: BaseException) -> Node | None:
    """The node whose line of generated code failed."""
    found = None
    tb = error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == program.filename and 0 < tb.tb_lineno <= len(program.nodes):
            found = program.nodes[tb.tb_lineno - 1] or found
        tb = tb.tb_next
    return found


def _written(nodes: list[Node]) -> dict[int, Any]:
    """The variables that nodes, blocks included, update, by identity."""
    found: dict[int, Any] = {}
    for node in nodes:
        for kind, given in zip(node.op.kinds, node.args, strict=True) if node.op is not None else ():
            if kind is not None and kind.what in ("variable", "variables"):
                for v in given if kind.what == "variables" else (given,):
                    v = getattr(v, "_of", v)
                    found[id(v)] = v
        for b in node.blocks:
            found |= _written(b.nodes)
    return found


def _alike(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    if not a.dtype.is_floating_point and not a.dtype.is_complex:
        return torch.equal(a, b)
    if torch.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True):
        return True
    if not a.is_cuda or a.shape != b.shape:
        return False
    # products in TF32, which a library may or may not use, are off by a share of the largest
    apart, size = torch.nan_to_num((a - b).abs()).amax(), torch.nan_to_num(b.abs()).amax()
    return bool((a.isnan() == b.isnan()).all() & (apart <= 1e-2 * size))


@contextlib.contextmanager
def _rounding_otherwise() -> Iterator[None]:
    """Products and convolutions by other kernels of the GPU than usual."""
    deterministic, before = torch.backends.cudnn.deterministic, tf32()
    torch.backends.cudnn.deterministic = not deterministic
    use_tf32(not before)
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic = deterministic
        use_tf32(before)


def timed(run: Callable[..., Any], inputs: Any) -> tuple[float, tuple[Any, ...]]:
    """Seconds of a run, a GPU's work included, and the results."""
    gpu = accelerated()
    if gpu:
        torch.cuda.synchronize()
    start = time.perf_counter()
    outs = run(*inputs)
    if gpu:
        torch.cuda.synchronize()
    return time.perf_counter() - start, outs


class FlatRegion:
    """A region that is flattened for the inputs that come, and replayed while that cannot be."""

    def __init__(self, cut: Cut, program: Program, tier: FlatTier) -> None:
        self.cut, self.program, self.tier = cut, program, tier
        self.replay: Callable[..., Any] = program.env[cut.source]
        self.variables, _ = used_variables(cut.nodes)
        self.loose = [v for v in self.variables if not v._shape.is_fully_defined()]
        self.static = not self.loose and all(t is not None and t._dims is not None and None not in t._dims for t in cut.inputs)
        self.flats: dict[Any, Flat] = {}
        self.failed: str | None = None
        self.tries = self.misses = self.moves = 0
        #: threads that update variables take turns, or a region that is recorded would lose what others did meanwhile
        self.lock = turn_at(list(_written(cut.nodes).values()))

    def __call__(self, *args: Any) -> Any:
        if self.failed is not None or _careful():
            return self.replay(*args)
        if self.lock is None:
            return self._run(args)
        with self.lock:
            return self._run(args)

    def _run(self, args: tuple[Any, ...]) -> Any:
        key: Any = ()
        if not self.static:
            key = tuple([(x.shape, x.dtype) for x in args if isinstance(x, torch.Tensor)] + [v._t.shape for v in self.loose])
        flat = self.flats.get(key)
        if self.cut.connected and any(isinstance(x, torch.Tensor) and x.requires_grad for x in args):
            return self.replay(*args)
        if flat is None:
            return self._first(args, key)
        if not flat.checked:
            return self._checked(args, flat)
        try:
            outs = flat(args)
        except Missed:
            return self._missed(args)
        except Exception as error:  # noqa: BLE001 - told apart
            return self._recover(args, error, flat)
        return self.replay(*args) if outs is None else outs

    def _missed(self, args: tuple[Any, ...]) -> Any:
        """A check came out as it did not when it was recorded: replay says what is wrong, or goes another way."""
        self.misses += 1
        if self.misses == _MISSES:
            self.tier.guards = False  # what looks at values goes back to the host
            self.flats.clear()
        return self.replay(*args)

    def _first(self, args: tuple[Any, ...], key: Any) -> Any:
        if len(self.flats) >= _SIZES or not self.tier.open:
            return self.replay(*args)

        def follow(given: list[Any], memory: list[Any]) -> Any:
            fn, stands = follower(self.program, self.cut.source, self.variables, memory)
            now = recorder()
            if now is not None:
                now.stands = stands
            return fn(*given), [s._t if s._changed else None for s in stands]

        try:
            with working(self):
                self.flats[key], outs = flatten(follow, self.variables, args, self.tier.guards)
        except Exception as error:  # noqa: BLE001 - replay serves
            self.tries += 1
            if isinstance(error, Unfit) or self.tries >= _TRIES:
                self.failed = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
                self.tier.failed(None if getattr(error, "whole", False) else node_of(self.program, error))
            return self.replay(*args)
        return outs

    def _checked(self, args: tuple[Any, ...], flat: Flat) -> Any:
        """The first call beside replay: what does not give the same is given up."""
        before = [v._t.detach().clone() for v in self.variables]
        try:
            wanted, news = self._rehearsed(args, before)
        except Exception:  # noqa: BLE001 - replay says what is wrong
            return self.replay(*args)
        try:
            outs = flat(args)
        except Missed:
            return self._missed(args)
        except Unfit as error:  # nothing has happened
            return self._recover(args, error, flat)
        except Exception:  # noqa: BLE001 - what it changed is written below
            outs = ()
        if outs is None:
            return self.replay(*args)
        expected = [*wanted, *[old if new is None else new for old, new in zip(before, news, strict=True)]]
        found = [*outs, *[v._t for v in self.variables]]
        whole = len(outs) == len(wanted)
        off = [i for i, (a, b) in enumerate(zip(found, expected, strict=True)) if not _alike(a, b)] if whole else []
        if off and accelerated():
            with _rounding_otherwise():
                wanted_again, news_again = self._rehearsed(args, before)
            again = [*wanted_again, *[old if new is None else new for old, new in zip(before, news_again, strict=True)]]
            off = [i for i in off if _alike(expected[i], again[i])]  # the others are what rounding makes of nothing
        flat.checked = whole and not off
        if flat.checked:
            return outs
        self.flats.clear()
        self.failed = "it gave other values than replay"
        for v, new in zip(self.variables, news, strict=True):
            if new is not None:
                v._write(new)
        return wanted

    def _rehearsed(self, args: tuple[Any, ...], memory: list[Any]) -> tuple[Any, list[Any]]:
        """What replay gives, and what it makes of variables with the values of `memory`: new ones, or None."""
        rehearsal, stands = follower(self.program, self.cut.source, self.variables, [t.clone() for t in memory])
        outs = rehearsal(*args)
        return outs, [s._t if s._changed else None for s in stands]

    def _recover(self, args: tuple[Any, ...], error: Exception, flat: Flat) -> Any:
        """After a failure: what replay says, without doing twice what was done."""
        if isinstance(error, Unfit):  # before anything happened
            self.flats = {k: f for k, f in self.flats.items() if f is not flat}  # to be recorded again
            self.moves += 1
            if self.moves == _MOVES:
                self.failed = str(error)
            return self.replay(*args)
        if flat.written and flat.begun:
            rehearsal, _ = follower(self.program, self.cut.source, self.variables, [v._t.detach().clone() for v in self.variables])
            rehearsal(*args)  # raises what is wrong with the inputs
            raise error
        return self.replay(*args)


class FlatTier:
    """Runs a concrete function's graph: replayed at first, then flattened."""

    def __init__(self, graph: Graph, program: Program, enabled: bool) -> None:
        self.graph, self.program = graph, program
        self.cost = _BASE + _PER_LINE * program.n_nodes
        self.spent = 0.0
        self.calls = self.flat_calls = self.plans = 0
        self.planned: Program | None = None
        self.regions: list[FlatRegion] = []
        self.blocked: dict[int, str] = {}
        self.parts: dict[int, Any] = {}
        self.reason: str | None = None
        self.open = self.guards = True
        self._stale = False
        self._best = [float("inf"), float("inf")]
        self._trial = 0
        self._lock = threading.Lock()
        if not enabled:
            self._stay("flattening is turned off")

    def run(self, inputs: Any) -> tuple[Any, ...]:
        """The program's results."""
        planned = self.planned
        if planned is not None and self._trial >= _WARM and self._trial % 2:
            planned = None  # while the two are compared they take turns, for the machine has other work now and then
        if self.planned is not None:
            took, outs = timed((planned or self.program).run, inputs)
            self._tried(took, planned is not None)
            return outs
        start = time.perf_counter()
        outs = self.program.run(*inputs)
        took = time.perf_counter() - start
        self.spent += took
        self.calls += 1
        if self.spent >= self.cost and self.calls >= _CALLS and not state.local.tapes:
            self._plan()
        return outs

    def _stay(self, why: str) -> None:
        """Replay from now on."""
        self.reason, self.planned = why, None
        self.open = False
        program = self.program
        self.run = lambda inputs: program.run(*inputs)  # type: ignore[method-assign]

    def _plan(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._stale = False
            self.plans += 1
            try:
                planned = Program(self.graph, planner=Planner(self.blocked, 6, _uses, self.parts, nesting=not accelerated()))
            except Exception as error:  # noqa: BLE001 - replay serves
                self._stay(f"it cannot be planned: {error}")
                return
            before = {r.cut.signature: r for r in self.regions}
            self.regions = [FlatRegion(cut, planned, self) for cut in planned.cuts]
            for region in self.regions:
                old = before.get(region.cut.signature)
                if old is not None:
                    region.flats, region.failed, region.lock, region.moves = old.flats, old.failed, old.lock, old.moves
                planned.env[region.cut.name] = region
            if not self.regions:
                self._stay("there is too little in it to flatten")
                return
            self._trial, self._best = 0, [float("inf"), float("inf")]
            self.planned = planned
        finally:
            self._lock.release()

    def _tried(self, took: float, flat: bool) -> None:
        """Account for one of the calls that show whether the planned program is faster than replay."""
        self.flat_calls += flat
        if self._stale:
            self._plan()
            return
        self._trial += 1
        if self._trial > _WARM:
            self._best[flat] = min(self._best[flat], took)
        if self._trial == _TRIAL:
            if not any(r.flats for r in self.regions):
                self._stay(next((r.failed for r in self.regions if r.failed), "its regions are not reached"))
            elif self._best[1] > 1.05 * self._best[0]:
                self._stay(f"flattened it is slower: {self._best[1] * 1e3:.3f} ms against {self._best[0] * 1e3:.3f} ms replayed")
            else:
                planned = self.planned
                assert planned is not None

                def run(inputs: Any) -> tuple[Any, ...]:
                    if self._stale:  # another size, or another path, brought something new
                        self._plan()
                    return (self.planned or self.program).run(*inputs)

                self.run = run  # type: ignore[method-assign]

    def failed(self, node: Node | None) -> None:
        """A region could not be flattened; plan around the node where one is at fault."""
        if node is not None and id(node) not in self.blocked and self.plans < _PLANS:
            self.blocked[id(node)] = "it cannot be flattened"
            self._stale = True

    def describe(self) -> list[str]:
        """What `explain` says of it."""
        if self.planned is None:
            return [f"not flattened: {self.reason}"] if self.reason and self.reason != "flattening is turned off" else []
        lines = [f"flattened: {sum(bool(r.flats) for r in self.regions)} of {len(self.regions)} regions"]
        for r in self.regions:
            steps = ", ".join(str(f.n_steps) for f in r.flats.values())
            lines.append(f"  {r.cut.name}: " + (f"{steps} operations" if r.flats else f"replayed: {r.failed}" if r.failed else "not reached yet"))
        return lines
