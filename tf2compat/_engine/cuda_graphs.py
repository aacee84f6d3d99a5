"""CUDA graphs of compiled regions: a region of fixed shapes that runs again and again is recorded once and launched whole."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["Captured"]

#: ordinary calls before a region is recorded
_WARM = 3


class Captured:
    """A `lowering.Free` that becomes a CUDA graph after a few calls, and stays what it was where that fails.

    The graph works on fixed addresses: inputs are copied to where it expects them, results are copied out, and a variable
    whose memory has moved (somebody still holds an older value) sends the call to the compiled code itself.
    """

    guard = None

    def __init__(self, found: Any) -> None:
        self.found = found
        self.written, self.turn = found.written, found.turn
        self.calls = 0
        self.graph: Any = None
        self.inputs: list[torch.Tensor] = []
        self.outputs: Any = None
        self.addresses: list[int] = []

    def __call__(self, args: tuple[Any, ...]) -> Any:
        if self.calls < _WARM or self.graph is False:
            self.calls += 1
            return self.found(args)
        if self.graph is None:
            self._record(args)
            if self.graph is False:
                return self.found(args)
        if self.turn is None:
            return self._replayed(args)
        with self.turn:
            return self._replayed(args)

    def _replayed(self, args: tuple[Any, ...]) -> Any:
        memory = [v._own() if w else v._t for v, w in self.found.owned]
        if [t.data_ptr() for t in memory] != self.addresses:
            return self.found(args)
        for held, x in zip(self.inputs, args, strict=True):
            held.copy_(x)
        self.graph.replay()
        return tuple([None if o is None else o.clone() for o in self.outputs])

    def _record(self, args: tuple[Any, ...]) -> None:
        try:
            self.inputs = [x.detach().clone(memory_format=torch.contiguous_format) for x in args]
            self.addresses = [(v._own() if w else v._t).data_ptr() for v, w in self.found.owned]
            if any(w and v._shared() for v, w in self.found.owned):  # would move while nothing runs
                raise RuntimeError("a variable is shared")
            graph = torch.cuda.CUDAGraph()
            torch.cuda.synchronize()
            with torch.cuda.graph(graph):  # records, and runs nothing
                self.outputs = self.found(tuple(self.inputs))
            if [v._t.data_ptr() for v, _ in self.found.owned] != self.addresses:
                raise RuntimeError("a variable moved while its region was recorded")
            self.graph = graph
        except Exception:  # noqa: BLE001 - the compiled code serves
            self.graph, self.inputs, self.outputs = False, [], None
