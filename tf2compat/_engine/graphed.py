"""Flattened regions on a GPU: their steps as a CUDA graph, which the host launches as one.

The steps are run once more to warm up, and once while the stream notes them; their memory is that of the recording and stays.
Inputs are copied to where the steps expect them and results are copied out, as with regions of the host.
"""

from __future__ import annotations

import contextlib
import gc
from typing import Any

import torch

from .flattened import Flat, plain, tensors
from .interpreted import filler
from .recording import Step, View, unnested
from .unfit import Unfit

__all__ = ["Graphed", "memory_of"]

#: operations that carry values between memories
_CARRYING = frozenset(("_to_copy", "copy_", "_copy_from"))


class _Memory:
    """A piece of a GPU's memory, as others are told of it."""

    def __init__(self, address: int, nbytes: int) -> None:
        self.__cuda_array_interface__ = {"shape": (nbytes,), "typestr": "|u1", "data": (address, False), "version": 2}


def memory_of(t: torch.Tensor) -> torch.Tensor:
    """A tensor on the memory of a contiguous one that does not count as a user of it."""
    return torch.as_tensor(_Memory(t.data_ptr(), t.nbytes), device=t.device).view(t.dtype).view(t.shape)


class Graphed(Flat):
    """A flattened region as a CUDA graph, for inputs of one set of sizes and variables where they are now."""

    def __init__(
        self, flat: Flat, gpu: torch.device, inputs: list[View], memory: list[torch.Tensor], steps: list[Step], outputs: list[View | None]
    ) -> None:
        super().__init__(flat.variables, flat.written)
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
        self.results = [None if o is None else o.t for o in outputs]
        calls = [found for s in steps for found in [plain(s)] if found is not None]
        try:
            self.graph = self._captured(calls)
        except Unfit:  # a number of the host may be copied while the stream notes only where it is on the GPU already
            calls = [(f, self._moved(a), self._moved(k), o) for f, a, k, o in calls]
            self.graph = self._captured(calls)
        #: what the graph works on
        self.kept = (memory, steps, calls)
        self.run = self._launch

    def _moved(self, value: Any) -> Any:
        """Arguments with what is in the host's memory on the GPU."""
        if type(value) is View:
            return value if value.t.is_cuda else View(value.block, value.t.to(self.gpu), value.geometry)
        if type(value) in (list, tuple):
            return type(value)([self._moved(v) for v in value])
        return {k: self._moved(v) for k, v in value.items()} if type(value) is dict else value

    def _captured(self, calls: list[Any]) -> Any:
        changed = [v._t for v in self.owned]
        before = [t.clone() for t in changed]
        graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream(self.gpu)
        current = torch.cuda.current_stream(self.gpu)
        stream.wait_stream(current)
        with torch.no_grad(), torch.cuda.stream(stream):
            try:
                _perform(calls)  # libraries get ready, which they could not while the stream notes
            finally:
                for t, value in zip(changed, before, strict=True):
                    t.copy_(value)
            collecting = gc.isenabled()
            gc.disable()  # what it frees on the GPU it could not while the stream notes
            try:
                graph.capture_begin(capture_error_mode="thread_local")
                try:
                    _perform(calls)
                except Exception as error:
                    with contextlib.suppress(Exception):
                        graph.capture_end()
                    raise Unfit(f"a CUDA graph cannot hold it: {str(error).strip().splitlines()[0]}") from error
                graph.capture_end()
            finally:
                if collecting:
                    gc.enable()
        current.wait_stream(stream)
        return graph

    def _move(self) -> None:
        raise Unfit("a variable has moved")

    def _launch(self, *args: Any) -> tuple[Any, ...]:
        for i, held in self.given:
            held.copy_(args[i], non_blocking=True)
        self.graph.replay()
        return tuple([None if r is None else r.clone() for r in self.results])


def _perform(calls: list[Any]) -> None:
    """Run steps one after the other, each filling the memory that it has."""
    for func, args, kwargs, outs in calls:
        given, named = tensors(args), tensors(kwargs)
        found = filler(func, len(outs)) if outs and None not in outs else None
        if found is not None:
            overload, names = found
            overload(*given, **named, **{n: o.t for n, o in zip(names, outs, strict=True)})
            continue
        results = func(*given, **named)
        if outs:
            for o, r in zip(outs, [results] if isinstance(results, torch.Tensor) else unnested(results), strict=True):
                if o is not None and (o.t.is_cuda or not r.is_cuda):  # a kernel's seed is on the GPU while the stream notes, and not used
                    o.t.copy_(r)
