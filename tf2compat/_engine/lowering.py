"""Lowering: the torch calls of a region, gradients and variable updates included, as compiled functions.

A region is followed once, on tensors without values, by `make_fx`; stand-ins for the variables make every read and write
explicit. Where nothing outside differentiates through the region, the traced graph takes the variables' memory as inputs
and updates it in place at its end. Where a tape does, forward and backward are traced together and cut in two, and the new
values of variables are results. What cannot be traced (a value that the host would need) is Unfit, with the node at fault.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from . import state
from .standing import follower
from .turns import turn_at
from .unfit import Unfit
from .variable import owned

__all__ = ["Free", "Joint", "Meta", "Unfit", "lower_free", "lower_joint"]

_lock = threading.Lock()


class Meta(NamedTuple):
    """What is compiled for: a tensor without its values."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    requires_grad: bool


def meta(t: Any) -> Meta:
    if not isinstance(t, torch.Tensor):
        raise Unfit("a value that is no tensor passes between regions")
    return Meta(tuple(t.shape), t.dtype, t.device, t.requires_grad)


def _memory(t: torch.Tensor) -> int:
    return t.untyped_storage()._cdata


class _Fakes:
    """Tensors without values for metas; `open_`: for each the dimensions whose size is left open, or None."""

    def __init__(self, metas: list[Meta], open_: list[Any] | None = None) -> None:
        from torch._subclasses.fake_tensor import FakeTensorMode

        self.shape_env = None
        if open_ is None:
            self.mode = FakeTensorMode(allow_non_fake_inputs=True)
            with self.mode:
                self.tensors = [torch.empty(m.shape, dtype=m.dtype, device=m.device, requires_grad=m.requires_grad) for m in metas]
            return
        from torch._dynamo.source import ConstantSource
        from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext

        self.shape_env = ShapeEnv()
        self.mode = FakeTensorMode(allow_non_fake_inputs=True, shape_env=self.shape_env)
        self.tensors = []
        for i, (m, dims) in enumerate(zip(metas, open_, strict=True)):
            sizes = [DimDynamic.DUCK if dims is not None and j in dims else DimDynamic.STATIC for j in range(len(m.shape))]
            context: Any = StatelessSymbolicContext(dynamic_sizes=sizes)  # type: ignore[call-arg]
            real = torch.empty(m.shape, dtype=m.dtype, device=m.device)
            self.tensors.append(self.mode.from_tensor(real, source=ConstantSource(f"input{i}"), symbolic_context=context))

    def guard(self) -> Callable[[Any], bool]:
        """Whether what was compiled holds for other inputs."""
        assert self.shape_env is not None
        text = self.shape_env.produce_guards_expression(self.tensors, ignore_static=False)
        if not text:
            return lambda args: True
        from torch.fx.experimental.symbolic_shapes import SYMPY_INTERP

        code = compile(text, "<sizes>", "eval")
        names = [f"t{i}" for i in range(len(self.tensors))]
        return lambda args: bool(eval(code, SYMPY_INTERP, {"L": dict(zip(names, args, strict=True))}))  # noqa: S307 - torch's own text


class _alone:
    """Follow a region as if no tape recorded and nobody else compiled."""

    def __enter__(self) -> None:
        _lock.acquire()
        self.tapes = state.local.tapes
        state.local.tapes = []
        self.grad = torch.is_grad_enabled()
        torch.set_grad_enabled(True)

    def __exit__(self, *exc: object) -> None:
        torch.set_grad_enabled(self.grad)
        state.local.tapes = self.tapes
        _lock.release()


def _trace(fakes: _Fakes, fn: Callable[..., Any], *args: Any) -> torch.fx.GraphModule:
    from torch._dispatch.python import enable_python_dispatcher
    from torch.fx.experimental.proxy_tensor import make_fx

    with fakes.mode, enable_python_dispatcher():
        return make_fx(fn, tracing_mode="real", _allow_non_fake_inputs=True)(*args)


def _numbered(traced: torch.fx.GraphModule, program: Any, examples: list[Any]) -> torch.fx.GraphModule:
    """The graph with the program's scalar constants as numbers, which a compiler writes into its code; a tensor would be an input."""
    own = {id(v) for n, v in program.env.items() if n + "_" in program.env}
    devices = {e.device for e in examples}
    gone: set[Any] = set()
    for node in list(traced.graph.nodes):
        if node.op != "get_attr":
            continue
        value = getattr(traced, node.target, None)
        if type(value) is not torch.Tensor or value.ndim or id(value) not in own or devices != {value.device}:
            continue
        with traced.graph.inserting_before(node):
            made = traced.graph.call_function(
                torch.ops.aten.full.default, ([], value.item()), {"dtype": value.dtype, "device": value.device, "pin_memory": False}
            )
        made.meta = dict(node.meta)
        node.replace_all_uses_with(made)
        traced.graph.erase_node(node)
        gone.add(node.target)
    if gone:
        for name in gone - {n.target for n in traced.graph.nodes if n.op == "get_attr"}:
            delattr(traced, name)  # what a module holds becomes an input, used or not
        traced.recompile()
    return traced


def _compiled(traced: torch.fx.GraphModule, examples: list[Any], backend: str) -> Callable[..., Any]:
    if backend == "eager":
        return traced
    from torch._inductor.compile_fx import compile_fx

    with torch.no_grad():
        return compile_fx(traced, [e.detach() for e in examples])


class Free:
    """A region through which nothing outside differentiates: variables change in place."""

    def __init__(self, run: Any, variables: list[Any], written: frozenset[int], positions: list[int | None], guard: Any) -> None:
        self.run, self.variables, self.written, self.positions, self.guard = run, variables, written, positions, guard
        self.plain = positions == list(range(len(positions)))
        self.owned = [(v, id(v) in written) for v in variables]
        self.changing = [v for v in variables if id(v) in written]
        self.reading = [(i, v) for i, v in enumerate(variables) if id(v) not in written]
        self.turn = turn_at(self.changing)

    def __call__(self, args: tuple[Any, ...]) -> Any:
        if self.turn is None:
            return self._run(args)
        with self.turn:
            return self._run(args)

    def _run(self, args: tuple[Any, ...]) -> Any:
        memory = owned(self.changing)
        for i, v in self.reading:
            memory.insert(i, v._t)
        given = [x if x.is_contiguous() else x.contiguous() for x in args]
        if torch.is_grad_enabled():
            torch._C._set_grad_enabled(False)
            try:
                outs = self.run(*given, *memory)
            finally:
                torch._C._set_grad_enabled(True)
        else:
            outs = self.run(*given, *memory)
        return outs if self.plain else tuple([None if p is None else outs[p] for p in self.positions])


def lower_free(program: Any, source: str, variables: list[Any], metas: list[Meta], backend: str, open_: list[Any] | None = None) -> Free:
    """Compile the function `source` of a program, with the variables' memory updated in place."""
    n = len(metas)
    held = [meta(v._t) for v in variables]
    known: dict[str, Any] = {}

    def follow(*given: Any) -> Any:
        fn, stands = follower(program, source, variables, list(given[n:]))
        outs = fn(*given[:n])
        memory = {_memory(t) for t in given[n:]}
        known["written"] = frozenset(id(v) for v, s in zip(variables, stands, strict=True) if s._changed)
        kept, positions = [], []
        for o in outs:
            if o is not None and not isinstance(o, torch.Tensor):
                raise Unfit("a list of tensors passes out of a region")
            positions.append(None if o is None else len(kept))
            if o is not None:
                # a result must not be a variable's memory, which changes later
                kept.append(o.detach().clone() if _memory(o) in memory else o.detach())
        known["positions"] = positions
        new = [(t, s._t) for t, s in zip(given[n:], stands, strict=True) if s._changed and s._t is not t]
        # all new values exist before the first memory changes
        new = [(t, value.clone() if _memory(value) in memory else value) for t, value in new]
        for t, value in new:
            t.copy_(value)
        return kept

    with _alone():
        fakes = _Fakes([*metas, *held], None if open_ is None else [*open_, *[None] * len(held)])
        traced = _trace(fakes, follow, *fakes.tensors)
        for v in variables:
            if v._pinned and id(v) in known["written"]:
                raise Unfit(f"variable {v.name} is a torch module's")
        guard = None if open_ is None else fakes.guard()
        run = _compiled(_numbered(traced, program, fakes.tensors), fakes.tensors, backend)
        if open_ is not None:
            guard = fakes.guard()  # with what the compiler came to rely on
    return Free(run, variables, known["written"], known["positions"], guard)


class _Differentiable(torch.autograd.Function):
    """A compiled forward pass whose gradient is a compiled backward pass."""

    @staticmethod
    def forward(ctx: Any, joint: Joint, *given: torch.Tensor) -> Any:
        outs = joint.forward(*[t if t.is_contiguous() else t.contiguous() for t in given])
        n = joint.n_outs
        results = outs[:n]
        ctx.joint = joint
        ctx.n_given = len(given)
        ctx.save_for_backward(*given, *outs[n + joint.n_written :])
        ctx.set_materialize_grads(False)
        new = outs[n : n + joint.n_written]
        ctx.mark_non_differentiable(*[t for t, d in zip(results, joint.differentiable, strict=True) if not d], *new)
        return (*results, *new)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        joint: Joint = ctx.joint
        given, kept = ctx.saved_tensors[: ctx.n_given], ctx.saved_tensors[ctx.n_given :]
        wanted = [g for g, d in zip(grads, joint.differentiable, strict=False) if d]
        wrapped = any(g is not None and torch._C._functorch.is_functorch_wrapped_tensor(g) for g in wanted)
        if torch.is_grad_enabled() or wrapped:  # to be differentiated again, or row by row: torch's own ops do it
            found = joint.again(given, wanted)
        else:
            tangents = [
                torch.zeros(m.shape, dtype=m.dtype, device=m.device) if g is None else g.contiguous()
                for g, m in zip(wanted, joint.tangents, strict=True)
            ]
            found = joint.backward(*kept, *tangents)
        out: list[Any] = [None] * ctx.n_given
        for i, g in zip(joint.sources, found, strict=True):
            out[i] = g
        return (None, *out)


class Joint:
    """A region that a tape differentiates through."""

    guard = None

    def __init__(self, variables: list[Any], read: frozenset[int]) -> None:
        self.variables, self.read = variables, read
        self.forward: Any = None
        self.backward: Any = None
        self.replay: Any = None
        self.sources: list[int] = []
        self.differentiable: list[bool] = []
        self.tangents: list[Meta] = []
        self.n_outs = self.n_written = 0
        self.written: list[Any] = []
        self.positions: list[int | None] = []

    def values(self) -> list[Any]:
        return [v._read() if id(v) in self.read else v._t for v in self.variables]

    def __call__(self, args: tuple[Any, ...]) -> Any:
        given = [*args, *self.values()]
        with torch.enable_grad():
            outs = _Differentiable.apply(self, *given)
        del given
        for v, value in zip(self.written, outs[self.n_outs :], strict=True):
            v._write(value)
        return tuple([None if p is None else outs[p] for p in self.positions])

    def again(self, given: Any, grads: list[Any]) -> list[Any]:
        """The gradients by torch's own ops on the region followed once more."""
        with torch.enable_grad():
            outs = [o for o, d in zip(self.replay(given), self.differentiable, strict=True) if d]
            pairs = [(o, g) for o, g in zip(outs, grads, strict=True) if g is not None]
            sources = [given[i] for i in self.sources]
            if not pairs:
                return [None] * len(sources)
            create = torch.is_grad_enabled()
            return list(torch.autograd.grad([o for o, _ in pairs], sources, [g for _, g in pairs], create_graph=create, allow_unused=True))


def lower_joint(program: Any, source: str, variables: list[Any], read: frozenset[int], metas: list[Meta], held: list[Meta], backend: str) -> Joint:
    """Compile the function `source` of a program as a forward and a backward pass. `held`: the variables' metas, as tapes see them."""
    n = len(metas)
    joint = Joint(variables, read)
    joint.sources = [i for i, m in enumerate([*metas, *held]) if m.requires_grad]

    def follow(given: Any) -> tuple[list[Any], list[Any], list[Any]]:
        fn, stands = follower(program, source, variables, list(given[n:]))
        outs = fn(*given[:n])
        all_given = {_memory(t) for t in given}
        kept, positions = [], []
        for o in outs:
            if o is not None and not isinstance(o, torch.Tensor):
                raise Unfit("a list of tensors passes out of a region")
            positions.append(None if o is None else len(kept))
            if o is not None:
                kept.append(o.clone() if _memory(o) in all_given else o)
        changed = [(v, s._t) for v, s in zip(variables, stands, strict=True) if s._changed]
        joint.positions, joint.written = positions, [v for v, _ in changed]
        return kept, [t.clone() if _memory(t) in all_given else t for _, t in changed], outs

    joint.replay = lambda given: follow(given)[0]

    def both(primals: list[Any], tangents: list[Any]) -> Any:
        kept, new, _ = follow(primals)
        targets = [o for o, d in zip(kept, joint.differentiable, strict=True) if d]
        grads = torch.autograd.grad(targets, [primals[i] for i in joint.sources], tangents, allow_unused=True)
        return [*[o.detach() for o in kept], *new], list(grads)

    with _alone():
        fakes = _Fakes([*metas, *held])
        with fakes.mode:
            kept, new, _ = follow(fakes.tensors)
            joint.differentiable = [o.requires_grad for o in kept]
            joint.tangents = [meta(o)._replace(requires_grad=False) for o in kept if o.requires_grad]
            tangents = [torch.empty(m.shape, dtype=m.dtype, device=m.device) for m in joint.tangents]
        joint.n_outs, joint.n_written = len(kept), len(new)
        if not joint.tangents:
            raise Unfit("nothing in it can be differentiated")
        traced = _trace(fakes, both, fakes.tensors, tangents)

        def pure(primals: list[Any], tangents: list[Any]) -> Any:
            return torch.fx.Interpreter(traced).run(*primals, *tangents)

        # formulas of gradients write into their own intermediate results, which a graph that is cut in two must not
        with torch.no_grad():
            plain = [t.detach() for t in fakes.tensors]
            traced = _trace(fakes, torch.func.functionalize(pure, remove="mutations_and_views"), plain, tangents)
        forward, backward = _cut(_numbered(traced, program, fakes.tensors), len(kept) + len(new))
        joint.forward = _compiled(forward, _examples(forward), backend)
        joint.backward = _compiled(backward, _examples(backward), backend)
    return joint


def _cut(traced: torch.fx.GraphModule, n_forward: int) -> tuple[torch.fx.GraphModule, torch.fx.GraphModule]:
    from torch._functorch import partitioners

    traced.graph.eliminate_dead_code()
    traced.recompile()
    return partitioners.min_cut_rematerialization_partition(traced, None, num_fwd_outputs=n_forward)


def _examples(part: torch.fx.GraphModule) -> list[Any]:
    return [node.meta["val"] for node in part.graph.nodes if node.op == "placeholder"]
