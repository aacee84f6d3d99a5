"""Flattened regions on a GPU: their steps as a CUDA graph, which the host launches as one.

The steps are run once more to warm up, and once while the stream notes them. What they make lives as long as a later step needs it,
so that a graph takes the memory of an ordinary run; inputs, constants, variables and results have memory that stays.
Inputs are copied to where the steps expect them and results are copied out, as with regions of the host.
"""

from __future__ import annotations

import contextlib
import gc
from typing import Any

import torch

from .flattened import Flat
from .interpreted import filler
from .recording import Block, Step, View, unnested, views_in
from .unfit import Unfit

__all__ = ["Graphed", "Performance", "memory_of"]

#: operations that carry values between memories
_CARRYING = frozenset(("_to_copy", "copy_", "_copy_from"))
#: in the place of what was recorded
_GONE = torch.empty(0)
#: more steps than that take longer to prepare than they are worth
_MOST = 20_000


class _Memory:
    """A piece of a GPU's memory, as others are told of it."""

    def __init__(self, address: int, nbytes: int) -> None:
        self.__cuda_array_interface__ = {"shape": (nbytes,), "typestr": "|u1", "data": (address, False), "version": 2}


def memory_of(t: torch.Tensor) -> torch.Tensor:
    """A tensor on the memory of a contiguous one that does not count as a user of it."""
    return torch.as_tensor(_Memory(t.data_ptr(), t.nbytes), device=t.device).view(t.dtype).view(t.shape)


def _passes(block: Block) -> bool:
    """Whether a block is made in each run, and not needed after it."""
    return block.kind == "own" and block.dynamic


class Performance:
    """Steps on memory of the moment: what they make is let go of after the last step that needs it.

    The memory that was recorded is let go of, too; the views keep their geometries alone.
    """

    def __init__(self, steps: list[Step], outputs: list[View | None]) -> None:
        self.steps, self.outputs = steps, outputs
        kept = {id(o.block) for o in outputs if o is not None}
        self.done: list[list[int]] = [[] for _ in steps]
        seen: set[int] = set()
        for i in range(len(steps) - 1, -1, -1):
            # what a step is given for its sizes alone is none of its reads
            for v in (*views_in([steps[i].args, steps[i].kwargs], []), *steps[i].reads, *steps[i].writes):
                if _passes(v.block) and id(v.block) not in kept and id(v.block) not in seen:
                    seen.add(id(v.block))
                    self.done[i].append(id(v.block))
        self.made: dict[int, torch.UntypedStorage] = {}

    def forget(self) -> None:
        """Let go of the memory that was recorded."""
        for v in (*(v for s in self.steps for v in (*views_in([s.args, s.kwargs], []), *s.reads, *s.writes, *s.outs)), *self.outputs):
            if v is not None and _passes(v.block):
                v.t = _GONE

    def at(self, v: View) -> torch.Tensor:
        if not _passes(v.block):
            return v.t
        storage = self.made[id(v.block)]
        _, offset, shape, stride, dtype = v.geometry
        return torch.empty(0, dtype=dtype, device=storage.device).set_(storage, offset, shape, stride)

    def there(self, value: Any) -> Any:
        """Arguments with tensors in the place of views."""
        if type(value) is View:
            return self.at(value)
        if type(value) in (list, tuple):
            return type(value)([self.there(v) for v in value])
        return {k: self.there(v) for k, v in value.items()} if type(value) is dict else value

    def run(self) -> list[torch.Tensor | None]:
        """Perform the steps; the outputs."""
        try:
            for step, done in zip(self.steps, self.done, strict=True):
                self.step(step)
                for block in done:
                    self.made.pop(block, None)
            return [None if o is None else self.at(o) for o in self.outputs]
        finally:
            self.made.clear()

    def step(self, step: Step) -> None:
        args, kwargs, outs = self.there(step.args), self.there(step.kwargs), step.outs
        if outs and all(o is not None and not _passes(o.block) for o in outs):
            found = filler(step.func, len(outs))
            if found is not None:
                overload, names = found
                overload(*args, **kwargs, **{n: o.t for n, o in zip(names, outs, strict=True)})
                return
        results = step.func(*args, **kwargs)
        if outs:
            given = [results] if isinstance(results, torch.Tensor) else unnested(results)
            for o, r in zip(outs, given, strict=True):
                if o is not None:
                    self.keep(o, r)

    def keep(self, o: View, r: torch.Tensor) -> None:
        """A result is what `o` says from now on."""
        if not _passes(o.block):
            o.t.copy_(r)
            return
        _, offset, _, stride, dtype = o.geometry
        storage = r.untyped_storage()
        if r.storage_offset() != offset or r.stride() != stride or r.dtype is not dtype or storage.nbytes() < o.block.nbytes:
            storage = torch.empty(o.block.nbytes, dtype=torch.uint8, device=r.device).untyped_storage()
            self.made[id(o.block)] = storage
            self.at(o).copy_(r)
        self.made[id(o.block)] = storage


class Graphed(Flat):
    """A flattened region as a CUDA graph, for inputs of one set of sizes and variables where they are now."""

    def __init__(
        self, flat: Flat, gpu: torch.device, inputs: list[View], memory: list[torch.Tensor], steps: list[Step], outputs: list[View | None]
    ) -> None:
        super().__init__(flat.variables, flat.written)
        if len(steps) > _MOST:
            raise Unfit("it has too many operations")
        for s in steps:
            if s.parts:
                raise Unfit("it has loops or conditions")
            host = any(not w.t.is_cuda for w in s.writes)
            if host and s.func._schema.name.partition("::")[2] in _CARRYING and any(v.t.is_cuda for v in s.reads):
                raise Unfit("it brings values to the host")
        self.gpu = gpu
        self.n_steps = len(steps)
        used = {id(v.block) for s in steps for v in s.reads} | {id(o.block) for o in outputs if o is not None}
        self.given = [(i, v.t) for i, v in enumerate(inputs) if id(v.block) in used]
        performance = Performance(steps, outputs)
        performance.forget()
        try:
            self.graph, self.results = self._captured(performance)
        except Unfit:  # a number of the host may be copied while the stream notes only where it is on the GPU already
            for s in steps:
                for v in s.reads:
                    if not _passes(v.block) and not v.t.is_cuda:
                        v.t = v.t.to(gpu)
            self.graph, self.results = self._captured(performance)
        #: what the graph works on, besides its own memory
        self.kept = (memory, [v.t for s in steps for v in (*s.reads, *s.writes) if not _passes(v.block)])
        self.run = self._launch

    def _captured(self, performance: Performance) -> tuple[Any, list[torch.Tensor | None]]:
        changed = [v._t for v in self.owned]
        before = [t.clone() for t in changed]
        graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream(self.gpu)
        current = torch.cuda.current_stream(self.gpu)
        stream.wait_stream(current)
        with torch.no_grad(), torch.cuda.stream(stream):
            try:
                performance.run()  # libraries get ready, which they could not while the stream notes
            finally:
                for t, value in zip(changed, before, strict=True):
                    t.copy_(value)
            collecting = gc.isenabled()
            gc.disable()  # what it frees on the GPU it could not while the stream notes
            try:
                graph.capture_begin(capture_error_mode="thread_local")
                try:
                    results = performance.run()
                except Exception as error:
                    with contextlib.suppress(Exception):
                        graph.capture_end()
                    raise Unfit(f"a CUDA graph cannot hold it: {str(error).strip().splitlines()[0]}") from error
                graph.capture_end()
            finally:
                if collecting:
                    gc.enable()
        current.wait_stream(stream)
        return graph, results

    def _move(self) -> None:
        raise Unfit("a variable has moved")

    def _launch(self, *args: Any) -> tuple[Any, ...]:
        for i, held in self.given:
            held.copy_(args[i], non_blocking=True)
        self.graph.replay()
        return tuple([None if r is None else r.clone() for r in self.results])
