"""Recording of what a region does to memory: every torch operation below autograd, with the tensors it reads and writes.

A region runs once on real tensors while each operation is noted. Nothing is derived symbolically: a tensor is a *view* (a
geometry) of a *block* of memory, and a step reads and writes views. Derivatives, whoever takes them, are steps like others;
views cost nothing later, because the tensors that were recorded stay. What hangs on values that the host looked at cannot
be recorded (`Unfit`), unless these come from constants.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _pop_mode_temporarily

from .unfit import Unfit

__all__ = ["UNTOLD", "Block", "Recorder", "Step", "View", "recorder", "unnested", "views_in"]

#: a recorded program keeps its intermediate results: more bytes than that are not worth it, since there memory is what costs
_MOST = 64 << 20
_TAGS = torch.Tag
#: Python's ways to values past the dispatcher
_LOOKS = frozenset(("tolist", "numpy", "__array__", "__dlpack__", "data_ptr", "__reduce_ex__"))
#: operations that look at a tensor's sizes alone
_SIZES = frozenset(
    ("ones_like", "zeros_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided")
)  # fmt: skip
#: arguments that operations change without saying so in their schema
UNTOLD = {"native_batch_norm": (3, 4), "cudnn_batch_norm": (3, 4), "miopen_batch_norm": (3, 4), "batch_norm_update_stats": (1, 2)}
_kinds: dict[Any, Any] = {}
_ITEM = torch.ops.aten._local_scalar_dense.default
_PLACED = frozenset((torch.ops.aten.set_.source_Storage, torch.ops.aten.set_.source_Storage_storage_offset))
_active = threading.local()


def recorder() -> Recorder | None:
    """What records in this thread, or None."""
    return getattr(_active, "recorder", None)


class Block:
    """A piece of memory. `dynamic`: whether it can hold something else in another run."""

    __slots__ = ("kind", "dynamic", "writes", "nbytes", "at", "scope", "shared")

    def __init__(self, kind: str, nbytes: int) -> None:
        #: "own" (made by a step), "input", "variable", "constant" or "guard"
        self.kind = kind
        self.dynamic = kind in ("input", "variable")
        self.writes = 0
        self.nbytes = nbytes
        #: which input or variable it is
        self.at = -1
        #: the list of steps that made it
        self.scope: Any = None
        #: whether loops change it in place: the elements of an array
        self.shared = False


class View:
    """A geometry of a block: `t` is a tensor there, without history."""

    __slots__ = ("block", "t", "geometry")

    def __init__(self, block: Block, t: torch.Tensor, geometry: Any) -> None:
        self.block, self.t, self.geometry = block, t, geometry


class Step:
    """An operation: `args` and `kwargs` with views in the place of tensors."""

    #: lists of steps that it does none, once or again and again
    parts: Any = ()

    __slots__ = ("func", "args", "kwargs", "outs", "reads", "writes", "mutable", "single")

    def __init__(self, func: Any, args: Any, kwargs: Any, outs: list[View], reads: list[View], writes: list[View], mutable: bool, single: bool) -> None:
        self.func, self.args, self.kwargs = func, args, kwargs
        #: new memory that it fills, all that it looks at, and all that it fills or changes
        self.outs, self.reads, self.writes = outs, reads, writes
        self.mutable = mutable
        #: whether it gives one tensor rather than several
        self.single = single


def _kind(func: Any) -> tuple[bool, list[int], list[str], str | None, bool]:
    """Whether an operation changes its arguments, which ones, why it cannot be recorded, and whether it looks at sizes alone."""
    found = _kinds.get(func)
    if found is None:
        schema = func._schema
        places = [i for i, a in enumerate(schema.arguments) if a.alias_info is not None and a.alias_info.is_write]
        places += UNTOLD.get(schema.name.partition("::")[2], ())
        names = [schema.arguments[i].name for i in places]
        why = None
        if _TAGS.nondeterministic_seeded in func.tags:
            why = "draws random numbers"
        elif _TAGS.inplace_view in func.tags:
            why = "changes a tensor's shape in place"
        found = _kinds[func] = (bool(places), places, names, why, schema.name.partition("::")[2] in _SIZES)
    return found


def _room(gpu: torch.device) -> int:
    """Bytes of a GPU that are free, or held by torch for nothing."""
    return torch.cuda.mem_get_info(gpu)[0] + torch.cuda.memory_reserved(gpu) - torch.cuda.memory_allocated(gpu)


def _dropless(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether an operation draws random numbers for dropout alone, and drops nothing."""
    for i, a in enumerate(func._schema.arguments):
        if a.name in ("dropout_p", "dropout"):
            return (args[i] if i < len(args) else kwargs.get(a.name, a.default_value)) == 0.0
    return False


def views_in(value: Any, found: list[View]) -> list[View]:
    """The views in a structure of arguments."""
    if type(value) is View:
        found.append(value)
    elif type(value) in (list, tuple):
        for v in value:
            views_in(v, found)
    elif type(value) is dict:
        for v in value.values():
            views_in(v, found)
    return found


def unnested(results: Any) -> list[Any]:
    """An operation's results, those in lists among them, one after the other."""
    return [r for v in results for r in (unnested(v) if isinstance(v, (tuple, list)) else [v])]


class _Looking(TorchFunctionMode):
    """Notices the values that Python takes out of tensors without an operation."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in _LOOKS and recorder() is self.recorder and args and isinstance(args[0], torch.Tensor):
            self.recorder.looked(args[0], f"{name} of a tensor")
        return func(*args, **(kwargs or {}))


class Recorder(TorchDispatchMode):
    """Notes the operations of a block of Python."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch loads its whole compiler to keep it away from this class

    def __init__(self, guards: bool = True, gpu: torch.device | None = None) -> None:
        super().__init__()
        self.gpu = gpu
        self.most = _MOST if gpu is None else _room(gpu) // 2
        self.steps: list[Step] = []
        #: whether a truth value that the host asks for may be taken for what it will always be; `hit` tells later whether it was not
        self.guards = guards
        self.hit: View | None = None
        #: what stands for the variables (`standing.py`)
        self.stands: list[Any] = []
        self.blocks: dict[int, Block] = {}
        self.views: dict[Any, View] = {}
        self.total = 0
        # tensors and storages live on, so that no address means two things
        self._seen: dict[int, tuple[Any, View]] = {}
        self._alive: list[Any] = []
        self._looking = _Looking(self)

    def __enter__(self) -> Recorder:
        super().__enter__()
        self._looking.__enter__()
        _active.recorder = self
        return self

    def __exit__(self, *exc: Any) -> None:
        _active.recorder = None
        self._looking.__exit__(*exc)
        super().__exit__(*exc)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What runs meanwhile is not recorded."""
        _active.recorder = None
        try:
            with _pop_mode_temporarily():
                yield
        finally:
            _active.recorder = self

    def part(self, fn: Any) -> tuple[Any, list[Step]]:
        """What a function gives, and its steps in a list of their own."""
        before, self.steps = self.steps, []
        try:
            return fn(), self.steps
        finally:
            self.steps = before

    def known(self, t: torch.Tensor, kind: str, at: int) -> View:
        """Say that a tensor is an input or a variable."""
        view = self.view(t, kind)
        view.block.at = at
        return view

    def view(self, t: torch.Tensor, kind: str = "constant") -> View:
        found = self._seen.get(id(t))
        if found is not None:
            return found[1]
        if t.layout is not torch.strided or t.is_conj() or t.is_neg():
            raise Unfit("a tensor whose memory is not plain")
        storage = t.untyped_storage()
        key = storage._cdata
        block = self.blocks.get(key)
        if block is None:
            block = self.blocks[key] = Block(kind, storage.nbytes())
            block.scope = self.steps
            self._alive.append(storage)
            if kind == "own":
                self.total += block.nbytes
                if self.total > self.most:
                    error = Unfit("it needs more memory than is kept for it")
                    error.whole = True
                    raise error
        geometry = (key, t.storage_offset(), t.shape, t.stride(), t.dtype)
        view = self.views.get(geometry)
        if view is None:
            view = self.views[geometry] = View(block, t.detach(), geometry)
        self._seen[id(t)] = (t, view)
        return view

    def looked(self, t: torch.Tensor, what: str) -> None:
        """The host looks at values, which must be the same in every run."""
        if self.view(t).block.dynamic:
            raise Unfit(f"{what} needs a value on the host")

    def guarded(self, t: torch.Tensor, value: bool) -> None:
        """The host looks at a truth value, which is expected to be the same in other runs."""
        if self.hit is None:
            self.hit = self.known(torch.zeros((), dtype=torch.bool), "guard", 0)
        if value:
            t = self.__torch_dispatch__(torch.ops.aten.logical_not.default, (), (t,))
        self.__torch_dispatch__(torch.ops.aten.logical_or_.default, (), (self.hit.t, t))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _PLACED:  # a view, however it says so: as of the weights of a fused recurrence
            out = func(*args, **kwargs)
            self._seen.pop(id(args[0]), None)
            self.view(args[0])
            return out
        mutable, places, names, why, sizes = _kind(func)
        if why is not None and not _dropless(func, args, kwargs):
            raise Unfit(f"{func} {why}")
        out = func(*args, **kwargs)
        if func is _ITEM and self.guards and args[0].dtype is torch.bool and args[0].device.type == "cpu":
            if self.view(args[0]).block.dynamic:
                self.guarded(args[0], out)
            return out
        given = self._held(args)
        named = {k: self._held(v) for k, v in kwargs.items()}
        reads = [] if sizes else views_in([given, named], [])
        dynamic = any([v.block.dynamic for v in reads])
        if dynamic and (_TAGS.dynamic_output_shape in func.tags or _TAGS.data_dependent_output in func.tags):
            if not (func is torch.ops.aten.index.Tensor and all(i is None or i.t.dtype not in (torch.bool, torch.uint8) for i in given[1])):
                raise Unfit(f"{func} needs a value on the host")
        writes = []
        if mutable:
            for place, name in zip(places, names, strict=True):
                views_in(given[place] if place < len(given) else named.get(name), writes)
        single = isinstance(out, torch.Tensor)
        outs = []
        given_out = out
        if self.gpu is not None and isinstance(out, (tuple, list)):
            out = unnested(out)  # as a fused recurrence gives the gradients of its weights
        for o in (out,) if single else out if isinstance(out, (tuple, list)) else ():
            if isinstance(o, torch.Tensor):
                view = self.view(o, "own")
                if not any(view.block is r.block for r in reads):
                    outs.append(view)
                elif mutable and not any(view is w for w in writes):
                    raise Unfit(f"{func} gives and changes memory")
            elif o is not None and dynamic and type(o) is not int:  # whole numbers beside tensors are sizes, as in attention
                raise Unfit(f"{func} needs a value on the host")
        if not outs and not writes:
            return given_out  # a view, or a value of constants
        if outs and not single and len(outs) != len(out):
            outs = [self.view(o) if isinstance(o, torch.Tensor) else None for o in out]  # type: ignore[misc]
            if any(v is not None and any(v.block is r.block for r in reads) for v in outs):
                raise Unfit(f"{func} gives memory that it was given")
        writes += [o for o in outs if o is not None]
        for w in writes:
            if w.block.scope is not self.steps and w.block.kind == "own" and not w.block.shared:
                raise Unfit(f"{func} changes in a loop or a branch what was made outside")
            w.block.writes += 1
            w.block.dynamic = w.block.dynamic or dynamic
        self.steps.append(Step(func, given, named, outs, reads, writes, mutable, single))
        return given_out

    def _held(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.view(value)
        if type(value) in (list, tuple):
            return type(value)([self._held(v) for v in value])
        return value

    def finish(self) -> None:
        """Let go of what was needed while recording: autograd's record, above all."""
        self._seen.clear()

    def release(self) -> None:
        """Let go of the memory that only the recorder holds."""
        self._alive.clear()
        self.views.clear()

