"""Several replicas on one process: their steps take turns, from one meeting to the next.

Each replica's step runs in a thread of its own, but only one runs at a time: until it ends, or until it meets the others (in
`merge_call` or a collective). When all have arrived, the meeting is held by the caller's thread, and they go on with what it gave.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import torch

from tf2compat._engine import nest, state, strategies
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable

from . import _context
from ._replica import ReplicaContext, _called
from ._values import DistributedValues, PerReplica, for_replica

#: where things are that threads keep of their own, and that a replica's step is to find as its caller left them
_KEPT = (
    "tf2compat._engine.state", "tf2compat._engine.variable", "tf2compat._engine.autograph.context", "tf2compat.distribute._context",
    "tf2compat.keras._base.context", "tf2compat.keras._base.oplayers", "tf2compat.keras._base.serialization", "tf2compat.summary._writing",
)  # fmt: skip


def _locals() -> list[Any]:
    """The objects of these modules, as far as they are loaded, that are another one in each thread."""
    modules = [sys.modules[name] for name in _KEPT if name in sys.modules]
    return list({id(v): v for module in modules for v in vars(module).values() if isinstance(v, threading.local)}.values())


class Abandoned(BaseException):
    """Ends a replica's step when another one failed."""


class _Runner:
    """A replica's step."""

    def __init__(self, strategy: Any, number: int, step: Callable[[], Any], shared: list[Any]) -> None:
        self.number, self.step = number, step
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        #: the meeting that it waits for: a function of the caller's thread, and what this replica brings
        self.meeting: tuple[Callable[..., Any], Any] | None = None
        self.answer: Any = None
        self.abandoned = False
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        kept = [(k, {n: list(v) if type(v) is list else v for n, v in k.__dict__.items()}) for k in _locals()]
        grad = torch.is_grad_enabled()

        def run() -> None:
            self._go.acquire()
            try:
                if not self.abandoned:
                    for holder, values in kept:
                        holder.__dict__.update(values)
                        if "lossy" in holder.__dict__:  # what another replica's layers recorded is not this one's
                            holder.__dict__["lossy"] = True
                    state.tapes_changed()
                    torch.set_grad_enabled(grad)
                    context = ReplicaContext(strategy, number)
                    context._runner, context._shared = self, shared
                    with context:
                        self.result = self.step()
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                self.error = error
            finally:
                state.local.tapes = []
                state.tapes_changed()
                self.done = True
                self._paused.release()

        self._thread = threading.Thread(target=run, name=f"replica {number}", daemon=True)
        self._thread.start()

    def advance(self) -> None:
        """Let it run to its next meeting or its end."""
        self._go.release()
        self._paused.acquire()
        if self.done:
            self._thread.join()

    def meet(self, hold: Callable[..., Any], brought: Any) -> Any:
        """Called in the replica's thread: wait for the others, and get this replica's part of the result."""
        self.meeting = (hold, brought)
        self._paused.release()
        self._go.acquire()
        if self.abandoned:
            raise Abandoned
        answer, self.answer = self.answer, None
        return answer


def run(strategy: Any, count: int, fn: Callable[..., Any], args: Any, kwargs: Any, place: Any) -> Any:
    """`fn` in each replica, with its part of distributed arguments; what they return, joined."""
    shared: list[Any] = []

    def step_of(i: int) -> Callable[[], Any]:
        def step() -> Any:
            with place(i):
                return _called(fn, for_replica(i, tuple(args)), for_replica(i, dict(kwargs)))

        return step

    runners = [_Runner(strategy, i, step_of(i), shared) for i in range(count)]
    strategies.running += 1
    for holder in _locals():
        if "lossy" in holder.__dict__:
            holder.__dict__["lossy"] = True
    try:
        while True:
            for r in runners:
                r.advance()
                if r.error is not None:
                    raise r.error
            if all(r.done for r in runners):
                return regrouped([r.result for r in runners])
            if any(r.done for r in runners):
                raise RuntimeError("Some replicas made a different number of replica_context().merge_call() calls.")
            meetings = [r.meeting for r in runners]
            hold = meetings[0][0]  # type: ignore[index]
            answers = hold([m[1] for m in meetings])  # type: ignore[index]
            for r, answer in zip(runners, answers, strict=True):
                r.answer, r.meeting = answer, None
    finally:
        strategies.running -= 1
        for r in runners:
            while not r.done:
                r.abandoned = True
                r.advance()


def merge(strategy: Any, fn: Callable[..., Any], args: Any, kwargs: Any) -> Callable[[list[Any]], list[Any]]:
    """The meeting of a `merge_call`: each replica brings its arguments."""

    def hold(brought: list[Any]) -> list[Any]:
        joined = regrouped([tuple(b[0]) for b in brought])
        by_name = regrouped([b[1] for b in brought])
        _context.local.stack.append((strategy, None))
        try:
            out = _called(fn, (strategy, *joined), by_name)
        finally:
            _context.local.stack.pop()
        return [for_replica(i, out) for i in range(len(brought))]

    return hold


def regrouped(values: list[Any]) -> Any:
    """One structure with the replicas' values joined leaf by leaf; what is the same object everywhere stays as it is."""
    first = values[0]
    container = getattr(first, "_container", None) or getattr(getattr(first, "_of", None), "_container", None)
    if isinstance(first, Variable) and container is not None and not _unread(first) and all(getattr(v, "_container", None) is container for v in values):
        return container
    if nest.is_nested(first) and not isinstance(first, (Tensor, Variable)) and not hasattr(first, "_tf_components"):
        parts = [nest.children(v) for v in values]
        return nest.rebuild(first, [regrouped(list(p)) for p in zip(*parts, strict=True)])
    if all(v is first for v in values):
        return first
    if not isinstance(first, (Tensor, Variable)) and not hasattr(first, "_tf_components") and _equal(values):
        return first
    return PerReplica(values)


def _unread(value: Any) -> bool:
    from tf2compat._engine.variable import UnreadVariable

    return isinstance(value, UnreadVariable)


def _equal(values: list[Any]) -> bool:
    first = values[0]
    return type(first) in (int, float, bool, str, bytes) and all(type(v) is type(first) and v == first for v in values)


__all__ = ["DistributedValues", "merge", "regrouped", "run"]
