"""Flattened regions: recorded steps, gradients included, on memory that stays.

The middle between replay and compiled: a region is recorded once (`recording.py`), simplified (`flattening.py`) and becomes a list
of torch calls without autograd, without views, and without new memory. It takes tens of milliseconds to make and no compiler.
Inputs are copied to where the steps expect them and results are copied out; variables are used where they are.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import torch

from . import state
from .flattening import simplified
from .held import changed
from .interpreted import NESTED, interpreted
from .kernels import call_for
from .left_memory import begin, end
from .nesting import Nested
from .recording import Block, Recorder, Step, View
from .unfit import Missed, Unfit

__all__ = ["Flat", "flatten", "plain", "tensors"]

#: more steps than that take longer to generate than they are worth
_MOST = 20_000
_FLOATS = (torch.float32, torch.float64)
#: bytes that a recording may leave to torch's allocator
_LARGE = 1 << 30
_EMPTY = frozenset(("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"))
_SCALED = frozenset(("add", "sub", "mul", "div"))


def _alias(t: torch.Tensor) -> torch.Tensor:
    """A tensor on the memory of `t` that does not count as a user of it: good for as long as that memory is where it is."""
    if t.device.type not in ("cpu", "cuda") or not t.is_contiguous():
        raise Unfit("a variable whose memory is not plain")
    if not t.numel():
        return torch.empty_like(t)
    if t.is_cuda:
        from .graphed import memory_of

        return memory_of(t)
    memory = (ctypes.c_byte * t.nbytes).from_address(t.data_ptr())
    return torch.frombuffer(memory, dtype=t.dtype).view(t.shape)


class Flat:
    """A region through which nothing outside differentiates, flattened for inputs of one set of sizes."""

    guard = None

    def __init__(self, variables: list[Any], written: frozenset[int]) -> None:
        self.variables, self.written = variables, written
        self.owned = [v for v in variables if id(v) in written]
        self.addresses: list[int] = []
        self.busy = threading.Lock()
        self.env: dict[str, Any] = {}
        self.run: Callable[..., Any] = lambda *args: ()
        self.code = ""
        #: for each variable: its shape, and the names of views on it with their geometry
        self.moved: list[list[tuple[str, Any]]] = [[] for _ in variables]
        self.n_steps = 0
        #: empty while a call that failed cannot have changed variables
        self.begun = [True]
        #: whether a call has shown that it gives what replay gives
        self.checked = False

    def __call__(self, args: tuple[Any, ...]) -> Any:
        """The results, or None when another thread is at it."""
        if not self.busy.acquire(blocking=False):
            return None
        begin(self)
        try:
            changed([v._own() for v in self.owned])
            if [v._t.data_ptr() for v in self.variables] != self.addresses:
                self._move()
            if torch.is_grad_enabled():
                torch._C._set_grad_enabled(False)
                try:
                    return self.run(*args)
                finally:
                    torch._C._set_grad_enabled(True)
            return self.run(*args)
        finally:
            end(self)
            self.busy.release()

    def _move(self) -> None:
        """Variables have moved to other memory."""
        for i, v in enumerate(self.variables):
            now = v._t
            address = now.data_ptr()
            if address != self.addresses[i]:
                base = _alias(now)
                for name, (offset, shape, stride, dtype) in self.moved[i]:
                    self.env[name] = (base if dtype is base.dtype else base.view(dtype)).as_strided(shape, stride, offset)
                self.addresses[i] = address


def flatten(follow: Callable[..., Any], variables: list[Any], args: tuple[Any, ...], guards: bool = True) -> tuple[Flat, Any]:
    """Record a region on these inputs; its flattened form and the results of this call. `guards`: whether truth values may be guessed.

    `follow(given, memory)` runs it on the inputs and on tensors in the place of the variables' memory: its results, and for each
    variable its new value or None. Nothing has happened to the variables when this raises.
    """
    for x in args:
        if not isinstance(x, torch.Tensor) or x.device.type not in ("cpu", "cuda"):
            raise Unfit("a value that is no tensor passes between regions")
    gpu = _gpu(args, variables)
    given = [x.detach().clone(memory_format=torch.contiguous_format) for x in args]
    if gpu is not None:
        given = [x.to(gpu) for x in given]
    memory = [_alias(v._t) for v in variables]
    recorder = Recorder(guards and gpu is None, gpu)
    inputs = [recorder.known(t, "input", i) for i, t in enumerate(given)]
    held = [recorder.known(t, "variable", i) for i, t in enumerate(memory)]
    outputs, writes = _recorded(recorder, lambda: follow(given, memory), variables, held)
    known = [o for o in outputs if o is not None]
    values = [(v, n.t) for v, n in writes]
    # what this call computed, before steps move to other memory
    out = tuple([None if o is None else o.t.clone() for o in outputs])
    flat = Flat(variables, frozenset(id(variables[v.block.at]) for v, _ in writes))
    steps = simplified(recorder.steps, known, writes)
    rest = iter(known)
    outputs = [None if o is None else next(rest) for o in outputs]
    if gpu is None:
        _Writer(flat, inputs, memory, recorder.hit).write(steps, outputs)
    else:
        from .graphed import Graphed

        recorder.release()
        flat = Graphed(flat, gpu, inputs, memory, steps, outputs)
        if recorder.total > _LARGE:
            torch.cuda.empty_cache()  # the memory that was recorded is of no use to a graph
    flat.addresses = [t.data_ptr() for t in memory]
    with torch.no_grad():
        for view, value in values:
            variables[view.block.at]._write(value)
    return flat, out


def _recorded(
    recorder: Recorder, follow: Callable[[], Any], variables: list[Any], held: list[View]
) -> tuple[list[View | None], list[tuple[View, View]]]:
    """The results of a recorded run, and for each variable that it changes: its memory, its new value."""
    local = state.local
    tapes, grad = local.tapes, torch.is_grad_enabled()
    local.tapes = []
    torch.set_grad_enabled(True)
    try:
        with recorder:
            results, news = follow()
            outputs: list[View | None] = []
            writes: list[tuple[View, View]] = []
            for o in results:
                if o is not None and not isinstance(o, torch.Tensor):
                    raise Unfit("a list of tensors passes out of a region")
                outputs.append(None if o is None else _apart(recorder, o))
            for variable, view, new in zip(variables, held, news, strict=True):
                if new is None:
                    continue
                if variable._pinned:
                    raise Unfit(f"variable {variable.name} is a torch module's")
                writes.append((view, _apart(recorder, new)))
    finally:
        torch.set_grad_enabled(grad)
        local.tapes = tapes
    recorder.finish()
    return outputs, writes


def _gpu(args: tuple[Any, ...], variables: list[Any]) -> torch.device | None:
    """The GPU that a region works on; Unfit where variables are elsewhere."""
    places = {t.device for t in (*args, *[v._t for v in variables]) if isinstance(t, torch.Tensor) and t.is_cuda}
    if len(places) > 1:
        raise Unfit("it works on several devices")
    gpu = next(iter(places), None)
    if gpu is not None and any(getattr(v._t, "device", None) != gpu for v in variables):
        raise Unfit("variables are on several devices")
    return gpu


def _apart(recorder: Recorder, t: torch.Tensor) -> View:
    """A result as a view that is not a variable's memory, which changes later."""
    view = recorder.view(t.detach())
    return recorder.view(t.detach().clone()) if view.block.kind == "variable" else view


class _Writer:
    """Generates the Python of a flattened region."""

    def __init__(self, flat: Flat, inputs: list[View], memory: list[torch.Tensor], hit: View | None = None) -> None:
        self.flat, self.inputs, self.memory, self.hit = flat, inputs, memory, hit
        self.indent = ""
        self.names: dict[int, str] = {}
        self.fixed: dict[Any, str] = {}
        self.kept: list[Any] = []
        self.lines: list[str] = []
        self.env = flat.env
        #: ids of blocks that are read after the steps that are written now
        self.outside: set[int] = set()

    def name(self, v: View) -> str:
        found = self.names.get(id(v))
        if found is None:
            found = self.names[id(v)] = f"b{len(self.names)}"
            self.env[found] = v.t
            self.kept.append(v)
            if v.block.kind == "variable":
                self.flat.moved[v.block.at].append((found, (v.t.storage_offset(), v.t.shape, v.t.stride(), v.t.dtype)))
        return found

    def constant(self, value: Any, prefix: str = "c") -> str:
        if value is None or type(value) in (bool, int, str):
            return repr(value)
        key = (prefix, type(value), value if not isinstance(value, float) else repr(value))
        try:
            found = self.fixed.get(key)
        except TypeError:
            key, found = (prefix, id(value)), None
        if found is None:
            found = self.fixed[key] = f"{prefix}{len(self.fixed)}"
            self.env[found] = value
        return found

    def text(self, value: Any) -> str:
        if type(value) is View:
            return self.name(value)
        if type(value) is list:
            return f"[{', '.join([self.text(v) for v in value])}]"
        if type(value) is tuple:
            return f"({''.join([self.text(v) + ', ' for v in value])})"
        return self.constant(value)

    def write(self, steps: list[Step], outputs: list[View | None]) -> None:
        if _count(steps) > _MOST:
            raise Unfit("it has too many operations")
        copy = self.constant(torch._C.TensorBase.copy_, "f")
        returned = {id(o.block) for o in outputs if o is not None}
        used = {id(v.block) for s in steps for v in s.reads} | returned
        params = [f"x{i}" for i in range(len(self.inputs))]
        for p, v in zip(params, self.inputs, strict=True):
            if id(v.block) in used:
                self.lines.append(f"{copy}({self.name(v)}, {p})")
        n_steps = _count(steps)
        last = max((i for i, s in enumerate(steps) if s.parts or any(w.block.kind == "guard" for w in s.writes)), default=-1)
        if last >= 0:
            self.lines.append(f"{self.constant(self.flat.begun, 'l')}.clear()")
            cut = last + 1 if any(w.block.kind == "variable" for s in steps for w in s.writes) else len(steps)
            guarded = self.hit is not None and any(w.block.kind == "guard" for s in steps for w in s.writes)
            if guarded:
                assert self.hit is not None
                steps = [Step(torch.ops.aten.zero_.default, (self.hit,), {}, [], [self.hit], [self.hit], True, True), *steps]
                cut += 1
            self.outside = returned | {id(v.block) for s in steps[cut:] for v in [*s.reads, *s.writes]}
            self.some(steps[:cut], copy)
            if guarded:
                assert self.hit is not None
                self.lines.append(f"if {self.name(self.hit)}: raise {self.constant(Missed, 'e')}")
            self.lines.append(f"{self.constant(self.flat.begun, 'l')}.append(True)")
            steps = steps[cut:]
        self.outside = returned
        self.some(steps, copy)
        clone = self.constant(torch._C.TensorBase.clone, "f")
        results = "".join(["None, " if o is None else f"{clone}({self.name(o)}), " for o in outputs])
        code = f"def run({', '.join(params)}):\n" + "".join([f"    {line}\n" for line in self.lines]) + f"    return ({results})\n"
        filename = f"<tf2compat flattened {id(self.flat):x}>"
        exec(compile(code, filename, "exec"), self.env)
        self.flat.run, self.flat.code, self.flat.n_steps = self.env["run"], code, n_steps

    def some(self, steps: list[Step], copy: str) -> None:
        """Steps without Python in between, or where that cannot be with it."""
        listed = _plains(steps)
        if not listed:
            return
        try:
            run, moving = interpreted(listed, self.hit, self.outside)
            self.lines.append(f"{self.constant(run, 'f')}({', '.join([self.name(v) for v in moving])})")
            self.kept.append(listed)
        except Exception:  # noqa: BLE001 - Python serves
            for s in listed:
                self.step(s, copy)

    def line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def nested(self, given: Any, copy: str) -> None:
        """A loop or a condition."""
        loop, flag, limit, guarded, first, second = given
        if not loop:
            for head, some in ((f"if {self.name(flag)}:", first), ("else:", second)):
                self.line(head)
                self.indented([lambda s=s: self.step(s, copy) for s in some])
            return
        self.line("while True:" if limit is None else f"for _ in range({self.name(limit) if type(limit) is View else limit}):")
        going = f"{'' if flag is None else self.name(flag)}{' and ' if flag is not None and guarded else ''}"
        going += f"not {self.name(self.hit)}" if guarded and self.hit is not None else ""
        ask = [lambda: self.line(f"if not ({going}): break")] if going else []
        self.indented([*[lambda s=s: self.step(s, copy) for s in first or ()], *ask, *[lambda s=s: self.step(s, copy) for s in second]])

    def indented(self, some: list[Callable[[], None]]) -> None:
        self.indent += "    "
        for write in some:
            write()
        self.line("pass")
        self.indent = self.indent[4:]

    def step(self, found: Any, copy: str) -> None:
        func, args, kwargs, outs = found
        if func is NESTED:
            self.nested(args, copy)
            return
        mutable = func._schema.is_mutable
        call = call_for(func, tensors(args), tensors(kwargs), [None if o is None else o.t for o in outs], mutable)
        given = [self.text(a) for a in args] + [f"{k}={self.text(v)}" for k, v in kwargs.items()]
        fn = self.constant(call.fn, "f")
        if not outs:
            self.line(f"{fn}({', '.join(given)})")
        elif call.names is not None:
            places = [self.name(o) for o in outs]
            names = call.names
            filled = [f"{n}={p}" for n, p in zip(names, places, strict=True)] if len(names) == len(places) else [f"{names[0]}=({', '.join(places)})"]
            self.line(f"{fn}({', '.join([*given, *filled])})")
        elif len(func._schema.returns) == 1:
            self.line(f"{copy}({self.name(outs[0])}, {fn}({', '.join(given)}))")
        else:
            self.line(f"r = {fn}({', '.join(given)})")
            for i, o in enumerate(outs):
                if o is not None:
                    self.line(f"{copy}({self.name(o)}, r[{i}])")


def _count(steps: list[Step]) -> int:
    return sum([1 + sum([_count(p.steps) for p in s.parts if p is not None]) for s in steps])


def _plains(steps: list[Step]) -> list[Any]:
    return [found for s in steps for found in [plain(s)] if found is not None]


def plain(s: Step) -> tuple[Any, Any, Any, list[Any]] | None:
    """A step as (operation, arguments, keywords, memory to fill), in the form that costs least; None for one that does nothing."""
    if isinstance(s, Nested):
        first, second = s.parts
        guarded = any(w.block.kind == "guard" for w in s.writes)
        return NESTED, (s.loop, s.flag, s.limit, guarded, None if first is None else _plains(first.steps), _plains(second.steps)), {}, []
    base = s.func._schema.name.partition("::")[2]
    if base in _EMPTY:
        return None
    if base in ("clone", "_to_copy") and s.single:
        return torch.ops.aten.copy_.default, (s.outs[0], s.args[0]), {}, []
    args = s.args
    if base.rstrip("_") in _SCALED and len(args) == 2 and type(args[1]) in (int, float) and s.single:
        out = (s.outs or s.writes)[0].t
        if out.dtype in _FLOATS and type(args[0]) is View and args[0].t.dtype is out.dtype and args[0].t.ndim:
            number = torch.tensor(args[1], dtype=out.dtype)  # else torch makes a tensor of the number in each run
            return getattr(getattr(torch.ops.aten, base), "Tensor"), (args[0], View(Block("constant", 8), number, None)), s.kwargs, s.outs  # noqa: B009
    return s.func, args, s.kwargs, s.outs


def tensors(value: Any) -> Any:
    if type(value) is View:
        return value.t
    if type(value) in (list, tuple):
        return type(value)([tensors(v) for v in value])
    if type(value) is dict:
        return {k: tensors(v) for k, v in value.items()}
    return value

