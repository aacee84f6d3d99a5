"""Which tier runs a traced function: replay, or a planned program whose regions are compiled.

When: by the rule of the ski rental. A function is compiled once the time spent replaying it equals what compiling is expected
to cost on this machine, in the background, and only what is ready takes part; `TF2COMPAT_COMPILE` (`auto`, `always`, `never`),
`tf2compat.compile_options` and `jit_compile=True` say otherwise. What compiles is compiled region by region (`regions.py`,
`lowering.py`); if that turns out slower than replay, replay it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
import warnings
import weakref
from typing import Any

import torch

from . import background, state
from .devices import accelerated
from .flat_tier import FlatTier, node_of, timed
from .graph import Graph, Node
from .lowering import Joint, Meta, lower_free, lower_joint, meta
from .regions import Planner
from .replay import Cut, Program, _uses
from .standing import follower, used_variables
from .symbolic import SymbolicTensor
from .unfit import Unfit

__all__ = ["TIERS", "Tier", "compile_options", "options"]

_MODES = ("auto", "always", "never")
_BACKENDS = ("inductor", "eager")
#: variants of one region for inputs of different sizes or gradients
_VARIANTS = 4
#: calls with other sizes before a region that is compiled for the usual ones is compiled for any
_LOOKS = 8
#: different sizes that are told apart before it is clear that none are usual
_KEYS = 64
#: bytes of variables above which compiled code is not compared with replay, which needs a copy of them
_MOST_CHECKED = 256 << 20
#: how often a program is planned anew around nodes that turned out not to compile
_PLANS = 12
#: every tier there is, for `tf2compat.profile`
TIERS: weakref.WeakSet[Tier] = weakref.WeakSet()


class _Options:
    def __init__(self) -> None:
        mode = os.environ.get("TF2COMPAT_COMPILE", "auto").lower()
        if mode not in _MODES:
            raise ValueError(f"TF2COMPAT_COMPILE must be one of {', '.join(_MODES)}, not {mode!r}")
        self.mode = mode
        #: seconds that compiling is expected to cost: a fixed part, and one for each op
        self.base, self.per_op = 8.0, 0.06
        self.background = True
        self.backend = os.environ.get("TF2COMPAT_COMPILE_BACKEND", "inductor").lower()
        if self.backend not in _BACKENDS:
            raise ValueError(f"TF2COMPAT_COMPILE_BACKEND must be one of {', '.join(_BACKENDS)}, not {self.backend!r}")
        self.cuda_graphs = True
        self.flatten = os.environ.get("TF2COMPAT_FLATTEN", "1").lower() not in ("0", "false", "never")
        #: measured seconds of compiling against expected ones
        self.scale = 1.0

    def cost(self, ops: int) -> float:
        return (self.base + self.per_op * ops) * self.scale * _load()

    def learn(self, ops: int, seconds: float) -> None:
        """Take in what compiling a region of so many ops took."""
        expected = (self.base + self.per_op * ops) * _load()
        if expected > 0:
            self.scale += 0.5 * (min(max(seconds / expected, 0.05), 20.0) - self.scale)


options = _Options()


def _load() -> float:
    """How many others want each processor, at least 1."""
    try:
        return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    except (AttributeError, OSError):
        return 1.0


def compile_options(
    mode: str | None = None, base_seconds: float | None = None, seconds_per_op: float | None = None, background: bool | None = None,
    backend: str | None = None, cuda_graphs: bool | None = None, flatten: bool | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Say when and how traced functions are compiled, and get what is set now.

    `mode`: "auto" (when replay has taken as long as compiling is expected to take), "always" (at the first call) or
    "never". The expected cost is `base_seconds` and `seconds_per_op` for each op, times what the machine's load and earlier
    compilations suggest. `background`: whether "auto" compiles beside the program, which is replayed meanwhile. `backend`: "inductor", or
    "eager" to run what would be compiled op by op. `cuda_graphs`: whether regions on a GPU, compiled or flattened, become CUDA graphs.
    `flatten`: whether functions that are replayed again and again are flattened, which needs no compiler and is not compiling.
    Raises ValueError for another mode or backend.
    """
    if mode is not None:
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
        options.mode = mode
    if backend is not None:
        if backend not in _BACKENDS:
            raise ValueError(f"backend must be one of {', '.join(_BACKENDS)}, not {backend!r}")
        options.backend = backend
    if base_seconds is not None:
        options.base = float(base_seconds)
    if seconds_per_op is not None:
        options.per_op = float(seconds_per_op)
    if background is not None:
        options.background = bool(background)
    if cuda_graphs is not None:
        options.cuda_graphs = bool(cuda_graphs)
    if flatten is not None:
        options.flatten = bool(flatten)
    return {
        "mode": options.mode, "base_seconds": options.base, "seconds_per_op": options.per_op, "background": options.background,
        "backend": options.backend, "cuda_graphs": options.cuda_graphs, "flatten": options.flatten,
    }  # fmt: skip


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


def _custom(nodes: list[Node]) -> bool:
    return any(n.kind == "custom" or any(_custom(b.nodes) for b in n.blocks) for n in nodes)


def _in_variable(node: Node) -> bool:
    op = node.op
    if op is None or op.rows_fn is None or not isinstance(node.args[0], SymbolicTensor):
        return False
    made = node.args[0]._node
    return made.kind == "read" and made.args[0]._trainable and op.rows_fn(*node.args)


class Region:
    """A region of a running program: replayed, or compiled for the inputs that came."""

    def __init__(self, cut: Cut, program: Program, tier: Tier) -> None:
        self.cut, self.program, self.tier = cut, program, tier
        self.replay = program.env[cut.source]
        self.variables, self.read = used_variables(cut.nodes)
        self.ops = sum(n.op is not None or bool(n.blocks) for n in cut.nodes)
        dims = [None if t is None else t._dims for t in cut.inputs]
        #: for each input the dimensions that a signature leaves open; None where all is known
        self.open: list[Any] | None = None
        if any(d is None or None in d for t, d in zip(cut.inputs, dims, strict=True) if t is not None):
            self.open = [None if d is None else [i for i, n in enumerate(d) if n is None] for d in dims]
        #: variables that may change their shape
        self.loose = [v for v in self.variables if not v._shape.is_fully_defined()]
        self.static = self.open is None and not self.loose
        if self.loose:
            self.open = None
        #: lookups of rows in variables: a tape around, which is to have a gradient of these rows, follows them by itself
        self.lookups = [] if cut.closed else [n for n in cut.nodes if _in_variable(n)]
        self.quick: Any = None
        self.variants: dict[Any, Any] = {}
        self.dynamic: list[Any] = []
        #: calls with other sizes than what is compiled has
        self.missed = 0
        self.pending: set[Any] = set()
        #: what has been compared with replay
        self.checked: list[Any] = []
        self.failed: str | None = None
        self.replayed_calls = self.compiled_calls = 0
        self.seconds = self.compile_seconds = 0.0

    def take(self, other: Region) -> None:
        """Take over what was compiled for the same nodes in an earlier plan."""
        self.variants, self.dynamic, self.quick, self.open = other.variants, other.dynamic, other.quick, other.open
        self.checked = other.checked
        self.compile_seconds = other.compile_seconds

    @property
    def ready(self) -> bool:
        return bool(self.variants or self.dynamic)

    def __call__(self, *args: Any) -> Any:
        found = self.quick
        if found is None or state.local.tapes:
            found = self._find(args)
            if found is None:
                self.replayed_calls += 1
                return self.replay(*args)
        self.compiled_calls += 1
        if found is not self.quick and found not in self.checked:
            return self._checked(args, found)
        try:
            return found(args)
        except Exception as error:  # noqa: BLE001 - told apart
            return self._recover(args, error, found)

    def _checked(self, args: tuple[Any, ...], found: Any) -> Any:
        """The first call of what was compiled, beside replay: what gives other results is given up."""
        self.checked.append(found)
        if isinstance(found, Joint) or state.local.tapes or sum([v._t.nbytes for v in self.variables if isinstance(v._t, torch.Tensor)]) > _MOST_CHECKED:
            return found(args)
        with found.turn or contextlib.nullcontext():
            return self._compared(args, found)

    def _compared(self, args: tuple[Any, ...], found: Any) -> Any:
        rehearsal, stands = follower(self.program, self.cut.source, self.variables, [v._t.detach().clone() for v in self.variables])
        wanted = rehearsal(*args)  # raises what is wrong with the inputs
        outs = found(args)
        if all(_like(a, b) for a, b in zip(outs, wanted, strict=True)):
            if self.static and not self.cut.connected:
                self.quick = found
            return outs
        for v, s in zip(self.variables, stands, strict=True):
            if s._changed:
                v._write(s._t)
        self.variants, self.dynamic, self.quick = {}, [], None
        self.failed = "compiled it gave other results than replay"
        self.tier.notes.append(f"{self.cut.name}: {self.failed}")
        return wanted

    def timed(self, *args: Any) -> Any:
        """As a call, while `tf2compat.profile` measures."""
        start = time.perf_counter()
        try:
            return self(*args)
        finally:
            if any(isinstance(x, torch.Tensor) and x.is_cuda for x in args):
                torch.cuda.synchronize()
            self.seconds += time.perf_counter() - start

    # --- choosing ----------------------------------------------------------------------------------------------------
    def _find(self, args: tuple[Any, ...]) -> Any:
        """What was compiled for these inputs, compiling it where it is time to; None: replay."""
        if self.failed is not None:
            return None
        tapes = state.local.tapes
        if tapes and self.lookups:
            self.tier.apart(self.lookups)
            return None
        watched = False
        if tapes or self.cut.connected:
            values = [v._read() if id(v) in self.read else v._t for v in self.variables] if tapes else []
            watched = any(isinstance(x, torch.Tensor) and x.requires_grad for x in (*args, *values))
            # what takes gradients itself would have to be differentiated twice
            if watched and (self.cut.closed or _custom(self.cut.nodes) or len(tapes) > 1 or (tapes and self.cut.connected)):
                return None
            del values
        key: Any = ()
        if watched:
            key = tuple([(x.shape, x.requires_grad) for x in args if isinstance(x, torch.Tensor)])
        elif not self.static:
            key = tuple([x.shape for x in args if isinstance(x, torch.Tensor)])
        if self.loose:
            key += tuple([v._t.shape for v in self.loose])
        found = self.variants.get((watched, key))
        if found is not None:
            return found
        if not watched:
            for found in self.dynamic:
                if found.guard((*args, *[v._t for v in found.variables])):
                    return found
        if self.pending and ((watched, key) in self.pending or self.open is not None) or not self.tier.compiling or not background.usable:
            return None
        if len(self.variants) >= _VARIANTS or self.open is not None and not watched and self.variants and not self.dynamic and not self._due():
            return None
        return self._request(args, watched, key)

    def _due(self) -> bool:
        """Whether to compile for any sizes what is compiled for the usual ones: once every fifth call has others."""
        self.missed += 1
        return self.tier.at_once or self.missed >= _LOOKS and 4 * self.missed > self.compiled_calls

    def _request(self, args: tuple[Any, ...], watched: bool, key: Any) -> Any:
        try:
            metas = [meta(x) for x in args]
            values = [v._read() if watched and id(v) in self.read else v._t for v in self.variables]
            held = [meta(x) for x in values]
            del values
        except Unfit as error:
            self._fail(error)
            return None
        if self.tier.at_once:
            self._compile(metas, held, watched, key)
            return self.dynamic[-1] if self.dynamic and not watched and (watched, key) not in self.variants else self.variants.get((watched, key))
        self.pending.add((watched, key))

        def job() -> None:
            try:
                self._compile(metas, held, watched, key)
            finally:
                self.pending.discard((watched, key))

        background.submit(job)
        return None

    # --- compiling ---------------------------------------------------------------------------------------------------
    def _compile(self, metas: list[Meta], held: list[Meta], watched: bool, key: Any) -> None:
        start = time.perf_counter()
        try:
            if watched:
                self.variants[watched, key] = lower_joint(
                    self.program, self.cut.source, self.variables, self.read, metas, held, options.backend
                )
            else:
                self._free(metas, key)
        except Exception as error:  # noqa: BLE001 - replay serves
            self._fail(error)
        finally:
            self.compile_seconds += time.perf_counter() - start
        if self.failed is None:
            options.learn(self.ops, time.perf_counter() - start)

    def _free(self, metas: list[Meta], key: Any) -> None:
        if self.open is not None and not self.dynamic and (self.variants or not self.tier.usual):
            open_ = [range(len(m.shape)) if t is None or t._dims is None else dims
                     for m, t, dims in zip(metas, [t if t is not None else _Fixed for t in self.cut.inputs], self.open, strict=True)]  # fmt: skip
            try:
                self.dynamic.append(lower_free(self.program, self.cut.source, self.variables, metas, options.backend, open_))
                return
            except Exception as error:  # noqa: BLE001 - each size by itself, then
                self.tier.notes.append(f"sizes are compiled one by one: {_first_line(error)}")
                self.open = None
        found = lower_free(self.program, self.cut.source, self.variables, metas, options.backend)
        if options.cuda_graphs and options.backend == "inductor" and metas and all(m.device.type == "cuda" for m in metas):
            from .cuda_graphs import Captured

            found = Captured(found)  # type: ignore[assignment]
        self.variants[False, key] = found

    def _fail(self, error: BaseException) -> None:
        """Go on without compiling; where one node is at fault, the program is planned again around it."""
        node = getattr(error, "node", None) or node_of(self.program, error)
        self.failed = _first_line(error)
        self.tier.failed(self, node, error)

    def _recover(self, args: tuple[Any, ...], error: Exception, found: Any) -> Any:
        """After a failure of compiled code: what replay says, without doing twice what was done."""
        if not isinstance(found, Joint) and found.written:
            rehearsal, _ = follower(self.program, self.cut.source, self.variables, [v._t.detach().clone() for v in self.variables])
            rehearsal(*args)  # raises what is wrong with the inputs
            if not isinstance(error, AssertionError):  # sizes are looked at before anything happens
                raise error
        return self.replay(*args)


def _like(a: Any, b: Any) -> bool:
    """Whether results can be of the same program: compiled code rounds in another order, so single elements may differ."""
    if a is None or b is None:
        return a is b
    if a.shape != b.shape or a.dtype is not b.dtype:
        return False
    if not a.numel():
        return True
    if not (a.is_floating_point() or a.is_complex()):
        return float((a != b).float().mean()) <= (0.05 if a.numel() > 1 else 0.0)
    wide = torch.complex128 if a.is_complex() else torch.float64
    a, b = a.detach().to(wide), b.detach().to(wide)
    if not torch.equal(a.isfinite(), b.isfinite()):
        return False
    a, b = torch.where(a.isfinite(), a, 0.0), torch.where(b.isfinite(), b, 0.0)
    scale = a.numel() ** 0.5
    return float(torch.linalg.vector_norm(a - b)) / scale <= 0.03 * float(torch.linalg.vector_norm(b)) / scale + 1e-5


class _Fixed:
    _dims = ()


def _sizes_of(inputs: Any) -> tuple[Any, ...]:
    return tuple([x.shape for x in inputs if isinstance(x, torch.Tensor)])


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    target = next((line.strip() for line in lines[1:] if line.strip().startswith("target: ")), "")  # what Inductor had at hand
    return f"{type(error).__name__}: {lines[0]}{' ' + target if target else ''}"


_profiling = 0


def profile(on: bool) -> None:
    """Measure every tier from now on, or no longer."""
    global _profiling
    _profiling += 1 if on else -1
    for tier in list(TIERS):
        tier.measure(bool(_profiling))


class Tier:
    """Decides for one concrete function how a call is run, and keeps account."""

    def __init__(self, graph: Graph, program: Program, jit: bool | None) -> None:
        self.graph, self.program, self.jit = graph, program, jit
        self.spent = 0.0
        self.calls = 0
        self.planned_calls = 0
        self.profiled = 0.0
        self.profiled_calls = 0
        self.reason: str | None = None
        self.notes: list[str] = []
        self.reasons: list[str] = []
        self.blocked: dict[int, str] = {}
        self.parts: dict[int, Any] = {}
        self.regional: Program | None = None
        self.regions: list[Region] = []
        self.compiling = False
        self.plans = 0
        self._warned = False
        self._stale = False
        self._best = [float("inf"), float("inf")]
        self._trial = 0
        self._lock = threading.Lock()
        if jit is False:
            self.reason = "jit_compile=False"
        elif options.mode == "never" and not jit:
            self.reason = "compiling is turned off"
        self.at_once = bool(jit) or options.mode == "always" or not options.background
        self.eager_start = bool(jit) or options.mode == "always"
        self.cost = 0.0 if self.reason is not None else options.cost(program.n_nodes)
        #: how many calls came with which sizes, where the signature leaves sizes open; whether what is compiled first is for the sizes of most calls
        self.sizes: dict[Any, int] | None = None if all(t._dims is not None and None not in t._dims for t in graph.inputs) else {}
        self.usual = True
        self._asked = 0
        #: what runs a call that is not compiled
        self.base = FlatTier(graph, program, options.flatten and not self.eager_start and (options.cuda_graphs or not accelerated()))
        TIERS.add(self)

    @property
    def compile_seconds(self) -> float:
        return sum(r.compile_seconds for r in self.regions)

    # --- running -----------------------------------------------------------------------------------------------------
    def run(self, inputs: Any) -> tuple[Any, ...]:
        """The program's results."""
        if not _profiling:
            return self._run(inputs)
        start = time.perf_counter()
        try:
            return self._run(inputs)
        finally:
            self.profiled += time.perf_counter() - start
            self.profiled_calls += 1

    def _shortened(self, planned: Program) -> Any:
        """Runs a program that is one compiled region for one set of sizes and nothing else, without the steps in between; or None."""
        region = self.regions[0]
        found = region.quick
        if len(self.regions) != 1 or found is None:
            return None
        lines = planned.code[planned.code.rindex("def run(") :].splitlines()
        outs = ", ".join(region_out for region_out in lines[-1].strip().removeprefix("return (").removesuffix(")").rstrip(",").split(", "))
        given = lines[0].removeprefix("def run(").removesuffix("):")
        if len(lines) != 3 or lines[1].strip() != f"{outs},  = {region.cut.name}({given})":
            return None
        local = state.local

        def run(inputs: Any) -> Any:
            if local.tapes:
                return planned.run(*inputs)
            region.compiled_calls += 1
            try:
                return found(inputs)
            except Exception as error:  # noqa: BLE001 - told apart
                return region._recover(inputs, error, found)

        return run

    def measure(self, on: bool) -> None:
        """Whether the regions' time is measured."""
        self.__dict__.pop("run", None)
        if self.regional is not None:
            for region in self.regions:
                self.regional.env[region.cut.name] = region.timed if on else region

    def _run(self, inputs: Any) -> tuple[Any, ...]:
        if self.reason is not None:
            return self.base.run(inputs)
        planned = self.regional
        if planned is not None and not self._stale:
            if self._settled:
                self.planned_calls += 1
                if self._trial >= 12:
                    if self._trial == 12:
                        self._trial = 13
                        short = None if _profiling else self._shortened(planned)
                        if short is not None:
                            self.run = short  # type: ignore[method-assign]
                    return planned.run(*inputs)
                return self._try(planned, inputs)
            if not any(r.pending for r in self.regions):
                return self._settle(planned, inputs)
        elif self.eager_start or (self.spent >= self.cost and self._due() and (self.sizes is None or self._decided(inputs))):
            return self._begin(inputs)
        if self.sizes is not None and len(self.sizes) < _KEYS:
            key = _sizes_of(inputs)
            self.sizes[key] = self.sizes.get(key, 0) + 1
        start = time.perf_counter()
        outs = self.base.run(inputs)
        took = time.perf_counter() - start
        self.spent += took
        self.calls += 1
        if took < self._best[0]:
            self._best[0] = took
        return outs

    _settled = False

    def _due(self) -> bool:
        """Whether compiling pays by what is known now, of the machine's load and of earlier compilations."""
        if not self._stale:
            self.cost = options.cost(self.program.n_nodes)
        return self.spent >= self.cost

    def _decided(self, inputs: Any) -> bool:
        """Whether these inputs tell for which sizes to compile: they have those of most calls, or there are none that most calls have."""
        total, most = sum(self.sizes.values()), max(self.sizes.values(), default=0)  # type: ignore[union-attr]
        self.usual = 2 * most > total
        return not self.usual or self.sizes.get(_sizes_of(inputs)) == most  # type: ignore[union-attr]

    def _begin(self, inputs: Any) -> tuple[Any, ...]:
        """Plan the program and run it, which tells its regions what they are to be compiled for."""
        if not self._lock.acquire(blocking=False):
            return self.base.run(inputs)
        try:
            if options.backend == "inductor" and not _compiler():
                self.reason = "no C++ compiler"
                return self.base.run(inputs)
            self._stale = False
            self.plans += 1
            planner = Planner(self.blocked, 1 if self.eager_start else 6, _uses, self.parts)
            try:
                planned = Program(self.graph, planner=planner)
            except Exception as error:  # noqa: BLE001 - replay serves
                self.reason = f"it cannot be planned: {_first_line(error)}"
                return self.base.run(inputs)
            self.reasons = list(planner.reasons)
            if self.jit and self.reasons:
                self._warn(f"tf2compat could not compile the whole of '{self.graph.name}', and replays the rest: {self.reasons[0]}")
            before = {r.cut.signature: r for r in self.regions if r.ready}
            self.regions = [Region(cut, planned, self) for cut in planned.cuts]
            for region in self.regions:
                if region.cut.signature in before:
                    region.take(before[region.cut.signature])
            for region in self.regions:
                planned.env[region.cut.name] = region.timed if _profiling else region
            if not self.regions:
                self.reason = self.reasons[0] if self.reasons else "there is too little in it to compile"
                return self.base.run(inputs)
            self._settled = self.at_once
            self.compiling = True
            self.regional = planned
        finally:
            self._lock.release()
        if self.at_once:
            self._trial = 12
            self.planned_calls += 1
        return planned.run(*inputs)

    def _settle(self, planned: Program, inputs: Any) -> tuple[Any, ...]:
        """All that was asked for in the background is there, or will not come."""
        if not any(r.ready for r in self.regions) and any(r.failed for r in self.regions):
            self.reason = next(r.failed for r in self.regions if r.failed)
            return self.base.run(inputs)
        self._settled = True
        self.planned_calls += 1
        if accelerated():  # what was measured so far is how long the host took to say what is to be done
            self._best = [float("inf"), float("inf")]
        return planned.run(*inputs)

    def _try(self, planned: Program, inputs: Any) -> tuple[Any, ...]:
        """The first calls of compiled regions are measured: they must not be slower than replay was."""
        if accelerated() and self._trial % 2:
            took, outs = timed(self.base.run, (inputs,))
            self._best[0] = min(self._best[0], took)
        else:
            took, outs = timed(planned.run, inputs)
            self._best[1] = min(self._best[1], took)
        self._trial += 1
        if self._trial == 12 and self._best[1] > 1.1 * self._best[0] and not any(r.pending for r in self.regions):
            self.reason = f"compiled it is slower: {self._best[1] * 1e3:.3f} ms against {self._best[0] * 1e3:.3f} ms replayed"
        return outs

    def apart(self, lookups: list[Node]) -> None:
        """Plan again with these nodes outside of regions."""
        for node in lookups:
            self.blocked[id(node)] = f"{node.type} '{node.name}' gives tapes a gradient of rows"
        self._stale = True
        self.__dict__.pop("run", None)

    def failed(self, region: Region, node: Node | None, error: BaseException) -> None:
        """A region could not be compiled."""
        why = _first_line(error)
        if node is not None and id(node) not in self.blocked and self.plans < _PLANS:
            self.blocked[id(node)] = f"{node.type} '{node.name}' does not compile ({why})"
            self._stale = True
            self.__dict__.pop("run", None)
        else:
            self.notes.append(f"{region.cut.name}: {why}")
        if not isinstance(error, Unfit) and (self.jit or node is None):
            at = f" (at {node.type} '{node.name}')" if node is not None else f" ({', '.join(dict.fromkeys(n.type for n in region.cut.nodes[:4]))} …)"
            self._warn(f"tf2compat could not compile a region of '{self.graph.name}'{at} and goes on replaying it: {why}")

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(text, RuntimeWarning, stacklevel=8)

    # --- telling -----------------------------------------------------------------------------------------------------
    def describe(self) -> list[str]:
        """What `explain` says of this trace."""
        lines = [f"replayed: {self.calls} calls measured, {self.spent * 1e3:.1f} ms"]
        lines += self.base.describe()
        compiled = [r for r in self.regions if r.ready]
        if compiled:
            lines.append(
                f"compiled: {max(self.planned_calls, *[r.compiled_calls for r in compiled])} calls, {len(compiled)} of {len(self.regions)} regions, compiling took {self.compile_seconds:.1f} s"
            )
        for r in self.regions:
            what = f"  {r.cut.name}: {r.ops} ops, "
            if r.ready:
                n = len(r.variants) + len(r.dynamic)
                sizes = ", open sizes" if r.dynamic else ""
                what += f"compiled ({n} variant{'s' * (n != 1)}{sizes}), {r.compiled_calls} calls, {r.replayed_calls} replayed"
            elif r.pending:
                what += "being compiled"
            elif r.failed:
                what += f"replayed: {r.failed}"
            else:
                what += "not reached yet"
            lines.append(what)
        if self.reason:
            lines.append(f"not compiled: {self.reason}")
        elif not self.regions:
            lines.append(f"to be compiled after {self.cost:.1f} s of replay")
            planner = Planner(self.blocked, 1, _uses, self.parts)
            Program(self.graph, planner=planner)
            lines += [f"  stays with the host: {r}" for r in planner.reasons]
        lines += [f"  stays with the host: {r}" for r in self.reasons]
        return lines + [f"  {n}" for n in self.notes]
