"""The compiled tier: a program's torch calls, gradients and variable updates included, as one compiled function.

`make_fx` follows the program once; stand-ins for the variables make every read and write explicit, so that the traced
graph takes the variables' memory as inputs and updates it in place at its end. Inductor compiles that graph. What the host
must decide while it runs (a condition on a tensor's value, Python effects, random streams) cannot be compiled.

When: by the rule of the ski rental. A program is compiled once the time spent replaying it equals what compiling is expected
to cost; `TF2COMPAT_COMPILE` (`auto`, `always`, `never`), `tf2compat.compile_options` and `jit_compile=True` say otherwise.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import warnings
from typing import Any

import torch

from . import state
from .graph import Graph, Node
from .replay import Program

__all__ = ["Tier", "compile_options", "options"]

_MODES = ("auto", "always", "never")
#: programs that are compiled for one signature with open dimensions, each for other sizes
_VARIANTS = 4


class _Options:
    def __init__(self) -> None:
        mode = os.environ.get("TF2COMPAT_COMPILE", "auto").lower()
        if mode not in _MODES:
            raise ValueError(f"TF2COMPAT_COMPILE must be one of {', '.join(_MODES)}, not {mode!r}")
        self.mode = mode
        #: seconds that compiling is expected to cost: a fixed part, and one for each op
        self.base, self.per_op = 8.0, 0.06


options = _Options()


def compile_options(mode: str | None = None, base_seconds: float | None = None, seconds_per_op: float | None = None) -> dict[str, Any]:
    """Say when traced functions are compiled, and get what is set now.

    `mode`: "auto" (when replay has taken as long as compiling is expected to take), "always" (at the first call) or
    "never". The expected cost is `base_seconds` and `seconds_per_op` for each op.
    """
    if mode is not None:
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
        options.mode = mode
    if base_seconds is not None:
        options.base = float(base_seconds)
    if seconds_per_op is not None:
        options.per_op = float(seconds_per_op)
    return {"mode": options.mode, "base_seconds": options.base, "seconds_per_op": options.per_op}


class Unfit(Exception):
    """A program cannot be compiled; the message says why."""


class _Stand:
    """A variable while a program is followed: reads and writes move values, memory is not touched."""

    def __init__(self, variable: Any, storage: Any) -> None:
        self._variable = variable
        self._t = storage
        self._changed = False

    def _read(self) -> Any:
        return self._t

    def _write(self, value: Any) -> None:
        value = value.detach()
        if value.shape != self._t.shape:
            raise Unfit(f"variable {self._variable.name} changes its shape")
        self._t = value.to(self._t.dtype)
        self._changed = True

    def _own(self) -> Any:
        self._t = self._t.detach().clone()
        self._changed = True
        return self._t

    def __getattr__(self, name: str) -> Any:
        return getattr(self._variable, name)


def obstacle(graph: Graph) -> str | None:
    """What keeps a graph from being compiled, or None."""
    for node in graph.nodes:
        found = _obstacle(node)
        if found:
            return found
    return None


def _obstacle(node: Node) -> str | None:
    if node.kind in ("if", "while"):
        return f"{node.type} '{node.name}' is decided by the host"
    if node.kind == "for" and node.extra[0] == "_elements":
        return f"the loop '{node.name}' over a dataset is the host's"
    if node.device is not None:
        return f"'{node.name}' has a device of its own"
    op = node.op
    if op is not None:
        if op.stateful and not any(k is not None and k.what in ("variable", "variables") for k in op.kinds):
            if op.name not in ("SymbolicGradient", "Jacobian", "Jvp"):
                return f"{op.name} '{node.name}' has effects outside of the graph"
        if any(t.dtype.torch is None for t in node.outputs) and not all(t.dtype.name == "variant" for t in node.outputs):
            return f"{op.name} '{node.name}' computes text"
    for block in node.blocks:
        found = obstacle(block)
        if found:
            return found
    return None


_no_compiler_said = False


def _compiler() -> bool:
    """Whether there is a C++ compiler; says so once when there is none."""
    global _no_compiler_said
    if torch.cuda.is_available() or os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++") or shutil.which("cl"):
        return True
    if not _no_compiler_said:
        _no_compiler_said = True
        warnings.warn("tf2compat: no C++ compiler is present, so traced functions are replayed and not compiled", RuntimeWarning, stacklevel=3)
    return False


class _Compiled:
    """A compiled program for inputs of one kind."""

    def __init__(self, run: Any, variables: list[Any], positions: list[int | None]) -> None:
        self.run, self.variables, self.positions = run, variables, positions

    def __call__(self, inputs: tuple[Any, ...], written: frozenset[int]) -> tuple[Any, ...]:
        memory = [v._own() if id(v) in written else v._t for v in self.variables]
        with torch.no_grad():
            outs = self.run(*[x if x.is_contiguous() else x.contiguous() for x in inputs], *memory)
        return tuple([None if p is None else outs[p] for p in self.positions])


_lock = threading.Lock()


def lower(program: Program, graph: Graph, inputs: tuple[Any, ...]) -> tuple[_Compiled, frozenset[int]]:
    """Compile a program for these inputs; Unfit, or any failure of the compiler, when that cannot be."""
    from torch._inductor.compile_fx import compile_fx
    from torch.fx.experimental.proxy_tensor import make_fx

    variables = [v for v in graph.variables if isinstance(v._t, torch.Tensor)]
    if len(variables) != len(graph.variables):
        raise Unfit("a variable of text")
    names = {id(value): name for name, value in program.env.items()}
    n = len(inputs)
    shape: dict[str, Any] = {}

    def follow(*given: Any) -> Any:
        stands = {id(v): _Stand(v, t) for v, t in zip(variables, given[n:], strict=True)}
        env = dict(program.env)
        for v in variables:
            if id(v) in names:
                env[names[id(v)]] = stands[id(v)]
        exec(compile(program.code, program.filename, "exec"), env)
        outs = env["run"](*given[:n])
        shape["written"] = frozenset(id(v) for v in variables if stands[id(v)]._changed)
        kept, positions = [], []
        for o in outs:
            positions.append(None if o is None else len(kept))
            if o is not None:
                # an output must not be the variable's memory, which later calls change
                kept.append(o.detach().clone() if any(o is t for t in given) else o.detach())
        shape["positions"] = positions
        for v, t in zip(variables, given[n:], strict=True):
            stand = stands[id(v)]
            if stand._changed:
                t.copy_(stand._t)
        return kept

    examples = [x.detach().clone(memory_format=torch.contiguous_format) for x in (*inputs, *[v._t for v in variables])]
    with _lock:
        before = state.local.tapes
        state.local.tapes = []
        try:
            with torch.enable_grad():
                traced = make_fx(follow, tracing_mode="real")(*examples)
            with torch.no_grad():
                run = compile_fx(traced, [e.detach() for e in examples])
                run(*[e.clone() for e in examples])
        finally:
            state.local.tapes = before
    return _Compiled(run, variables, shape["positions"]), shape["written"]


class Tier:
    """Decides for one concrete function whether a call is replayed or compiled, and keeps account."""

    def __init__(self, graph: Graph, program: Program, jit: bool | None) -> None:
        self.graph, self.program, self.jit = graph, program, jit
        self.spent = 0.0
        self.calls = 0
        self.compiled_calls = 0
        self.compile_seconds = 0.0
        self.reason: str | None = None
        self.variants: dict[Any, tuple[_Compiled, frozenset[int]]] = {}
        if jit is False:
            self.reason = "jit_compile=False"
        elif options.mode == "never" and not jit:
            self.reason = "compiling is turned off"
        else:
            self.reason = obstacle(graph)
        self.cost = options.base + options.per_op * program.n_nodes

    def run(self, inputs: list[Any]) -> tuple[Any, ...]:
        """The program's results."""
        if self.reason is None and not state.local.tapes:
            key = tuple([x.shape for x in inputs]) if type(inputs) is list else ()
            found = self.variants.get(key)
            if found is None and (self.jit or options.mode == "always" or self.spent >= self.cost):
                found = self._compile(key, tuple(inputs))
            if found is not None:
                self.compiled_calls += 1
                return found[0](tuple(inputs), found[1])
        if self.reason is not None:
            return self.program.run(*inputs)
        start = time.perf_counter()
        outs = self.program.run(*inputs)
        self.spent += time.perf_counter() - start
        self.calls += 1
        return outs

    def _compile(self, key: Any, inputs: tuple[Any, ...]) -> Any:
        if len(self.variants) >= _VARIANTS:
            self.reason = "called with too many different shapes"
            return None
        if not _compiler():
            self.reason = "no C++ compiler"
            return None
        if any(not isinstance(x, torch.Tensor) or x.dtype in (torch.uint16, torch.uint32, torch.uint64) for x in inputs):
            self.reason = "inputs of a dtype that is not compiled"
            return None
        start = time.perf_counter()
        try:
            found = lower(self.program, self.graph, inputs)
        except Exception as error:  # noqa: BLE001 - replay serves
            self.reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            at = self._failed_op(error)
            warnings.warn(
                f"tf2compat could not compile '{self.graph.name}'{at} and goes on replaying it: {self.reason}", RuntimeWarning, stacklevel=5
            )
            return None
        finally:
            self.compile_seconds += time.perf_counter() - start
        self.variants[key] = found
        return found

    def _failed_op(self, error: BaseException) -> str:
        tb = error.__traceback__
        name = ""
        while tb is not None:
            if tb.tb_frame.f_code.co_filename == self.program.filename and 0 < tb.tb_lineno <= len(self.program.nodes):
                node = self.program.nodes[tb.tb_lineno - 1]
                if node is not None:
                    name = f" (at {node.type} '{node.name}')"
            tb = tb.tb_next
        return name
