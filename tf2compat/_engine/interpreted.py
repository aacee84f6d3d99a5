"""Flattened steps for torch's own interpreter, which calls operations without Python in between.

Each step becomes a node of a graph of TorchScript's intermediate form: the operation that fills memory it is given, on tensors
that are constants of the graph, except those of variables, which may move. The interpreter is asked to run it as it is. The
functions that make such graphs are internal to torch, so whoever uses this has Python to go back to.

An operation that fills no memory, as a convolution, gives its result anew in each run. Where nothing else writes to what it fills, and nobody outside
reads it, the result itself is what the steps after it work on, rather than a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .kernels import GRADED
from .recording import UNTOLD, View, views_in

__all__ = ["NESTED", "filler", "interpreted"]

_aten = torch.ops.aten
_fillers: dict[Any, Any] = {}
#: these use the memory for their result as if it were of their arguments' size, and complain
_RESIZING = frozenset(("mse_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss", "binary_cross_entropy"))
#: elements of a result whose copy costs less than a view of it
_SMALL = 1 << 12
#: stands for a loop or condition in a list of steps; its arguments: whether it is a loop, its flag, its limit, whether guards are in it, its parts
NESTED = object()


def filler(func: Any, n_outs: int) -> Any:
    """The overload of an operation that fills memory, and the names of these arguments; None where there is none."""
    if func not in _fillers:
        _fillers[func] = None
        wanted = [(a.name, str(a.type)) for a in func._schema.arguments]
        base = func._schema.name.partition("::")[2]
        packet = getattr(_aten, base)
        for name in packet.overloads() if base not in _RESIZING else ():
            overload = getattr(packet, name)
            arguments = overload._schema.arguments
            filled = [a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write and str(a.type) == "Tensor"]
            rest = [(a.name, str(a.type)) for a in arguments if a.name not in filled]
            if len(filled) == n_outs and rest == wanted:
                _fillers[func] = (overload, filled)
                break
    return _fillers[func]


def _fills(overload: Any) -> bool:
    """Whether an overload has a kernel that fills memory: most that torch generates copy what the plain operation gives."""
    return torch._C._dispatch_has_kernel_for_dispatch_key(f"{overload._schema.name}.{overload._schema.overload_name}", "CPU")


def _written(steps: Any, found: dict[int, int], inside: bool = False) -> dict[int, int]:
    """How often steps write to each block; what is not filled as a whole, once, counts twice."""
    for func, args, kwargs, outs in steps:
        if func is NESTED:
            for part in (args[4], args[5]):
                _written(part or (), found, True)
            continue
        for o in outs:
            if o is not None:
                found[id(o.block)] = found.get(id(o.block), 0) + (2 if inside else 1)
        if func._schema.is_mutable or func._schema.name.partition("::")[2] in UNTOLD:
            for v in views_in([args, kwargs], []):
                found[id(v.block)] = found.get(id(v.block), 0) + 2
    return found


def _read(steps: Any, found: dict[int, dict[int, View]]) -> dict[int, dict[int, View]]:
    """The views of each block that steps name."""
    for func, args, kwargs, _ in steps:
        if func is NESTED:
            views = [v for v in args[1:3] if type(v) is View]
            for part in (args[4], args[5]):
                _read(part or (), found)
        else:
            views = views_in([args, kwargs], [])
        for v in views:
            found.setdefault(id(v.block), {})[id(v)] = v
    return found



class _Builder:
    def __init__(self, hit: View | None, steps: Any, outside: Any) -> None:
        self.graph = torch._C.Graph()
        self.hit = hit
        self.outside = outside
        self.writes, self.reads = _written(steps, {}), _read(steps, {})
        #: constants are made before it, where every block sees them
        self.anchor = self.graph.insertConstant(None).node()
        self.values: dict[Any, Any] = {}
        #: views of variables, which the graph is given
        self.moving: list[View] = []
        self.kept: list[Any] = []

    def value(self, v: Any, gaps: bool = False) -> Any:
        if type(v) is View:
            found = self.values.get(id(v))
            if found is None:
                self.kept.append(v)
                if v.block.kind == "variable":
                    found = self.graph.addInput()
                    self.moving.append(v)
                else:
                    found = self.constant(v.t)
                self.values[id(v)] = found
            return found
        if type(v) in (list, tuple) and any(type(x) is View for x in v):
            if not gaps and not all(type(x) is View for x in v):
                raise ValueError("a list with gaps")
            node = self.graph.create("prim::ListConstruct", [self.value(x) for x in v], 1)
            kind = torch._C.TensorType.get()
            node.output().setType(torch._C.ListType(torch._C.OptionalType(kind) if gaps else kind))
            self.graph.insertNode(node)
            return node.output()
        if type(v) in (list, tuple):
            if not v:
                raise ValueError("an empty list has no type")
            v = list(v)
        key = (type(v), repr(v))
        found = self.values.get(key)
        if found is None:
            found = self.values[key] = self.constant(v)
        return found

    def constant(self, v: Any) -> Any:
        with self.graph.insert_point_guard(self.anchor):
            return self.graph.insertConstant(v)

    def scalar(self, name: str, given: list[Any], kind: Any) -> Any:
        node = self.graph.insertNode(self.graph.create(name, given, 1))
        node.output().setType(kind)
        return node.output()

    def truth(self, v: View) -> Any:
        return self.scalar("aten::Bool", [self.value(v)], torch._C.BoolType.get())

    def going(self, steps: Any, flag: Any, guarded: bool) -> Any:
        """Whether a loop goes on."""
        for s in steps or ():
            self.step(*s)
        go = None if flag is None else self.truth(flag)
        if guarded and self.hit is not None:
            well = self.scalar("aten::__not__", [self.truth(self.hit)], torch._C.BoolType.get())
            go = well if go is None else self.scalar("aten::__and__", [go, well], torch._C.BoolType.get())
        return self.value(True) if go is None else go

    def nested(self, loop: bool, flag: Any, limit: Any, guarded: bool, first: Any, second: Any) -> None:
        if not loop:
            node = self.graph.insertNode(self.graph.create("prim::If", [self.truth(flag)], 0))
            for steps in (first, second):
                with self.graph.insert_point_guard(node.addBlock()):
                    for s in steps:
                        self.step(*s)
            return
        most = self.scalar("aten::Int", [self.value(limit)], torch._C.IntType.get()) if type(limit) is View else self.value(1 << 62 if limit is None else limit)
        node = self.graph.insertNode(self.graph.create("prim::Loop", [most, self.going(first, flag, guarded)], 0))
        block = node.addBlock()
        block.addInputToBlock().setType(torch._C.IntType.get())
        with self.graph.insert_point_guard(block):
            for s in second:
                self.step(*s)
            go = self.going(first, flag, guarded)
        block.registerOutput(go)

    def node(self, overload: Any, given: dict[str, Any]) -> Any:
        arguments = overload._schema.arguments
        values = []
        for a in arguments:
            v = given.get(a.name, a.default_value if a.has_default_value() else None)
            if type(v) in (list, tuple) and not v:
                values.append(self.empty(a.type.getElementType() if a.type.kind() == "OptionalType" else a.type))
                continue
            values.append(self.value(v, gaps=str(a.type) == "List[Optional[Tensor]]"))
        node = self.graph.create(overload._schema.name, values, len(overload._schema.returns))
        self.graph.insertNode(node)
        return node

    def step(self, func: Any, args: Any, kwargs: Any, outs: list[Any]) -> None:
        if func is NESTED:
            self.nested(*args)
            return
        schema = func._schema
        if schema.name.partition("::")[2] in GRADED:
            raise ValueError("an operation that keeps what its derivative needs while autograd is on alone")
        given = {a.name: v for a, v in zip(schema.arguments, args, strict=False)} | kwargs
        found = filler(func, len(outs)) if outs and None not in outs else None
        if found is not None and not (all(self.fresh(o) for o in outs) and not _fills(found[0])):
            self.node(found[0], given | dict(zip(found[1], outs, strict=True)))
            return
        node = self.node(func, given)
        if outs and str(schema.returns[0].type) == "List[Tensor]":
            node.output().setType(torch._C.ListType(torch._C.TensorType.get()))
            node = self.graph.insertNode(self.graph.create("prim::ListUnpack", [node.output()], len(outs)))
        elif any(str(r.type) != "Tensor" for r in schema.returns):
            raise ValueError("a result that is no tensor")
        for o, result in zip(outs, node.outputs(), strict=False):
            if o is not None and self.fresh(o):
                self.take(o, result)
            elif o is not None:
                copy = self.graph.create("aten::copy_", [self.value(o), result, self.value(False)], 1)
                self.graph.insertNode(copy)

    def fresh(self, o: View) -> bool:
        """Whether what an operation gives can stand for the memory that it was recorded to fill."""
        block = o.block
        if block.kind != "own" or id(block) in self.outside or self.writes[id(block)] != 1 or o.t.storage_offset():
            return False
        views = self.reads.get(id(block), {}).values()
        return all(v.t.dtype is o.t.dtype for v in views) and (len(views) < 2 or o.t.numel() >= _SMALL)

    def take(self, o: View, result: Any) -> None:
        """Use what an operation gave for the views of its block."""
        for key, v in self.reads.get(id(o.block), {}).items():
            self.kept.append(v)
            if v is o or (v.t.shape == o.t.shape and v.t.stride() == o.t.stride() and not v.t.storage_offset()):
                self.values[key] = result
                continue
            given = [result, *[self.value(list(n)) if n else self.empty(torch._C.ListType(torch._C.IntType.get())) for n in (v.t.shape, v.t.stride())], self.value(v.t.storage_offset())]
            self.values[key] = self.graph.insertNode(self.graph.create("aten::as_strided", given, 1)).output()

    def empty(self, kind: Any) -> Any:
        node = self.graph.insertNode(self.graph.create("prim::ListConstruct", [], 1))
        node.output().setType(kind)
        return node.output()


def interpreted(steps: list[tuple[Any, Any, Any, list[Any]]], hit: View | None = None, outside: Any = ()) -> tuple[Callable[..., None], list[View]]:
    """A function that does steps of (operation, arguments, keywords, memory to fill), and the views of variables that it is given.

    `hit`: where loops look whether a guard failed. `outside`: ids of blocks that are read after them. Raises where one of them cannot be expressed.
    """
    builder = _Builder(hit, steps, outside)
    for func, args, kwargs, outs in steps:
        builder.step(func, args, kwargs, outs)
    builder.graph.registerOutput(builder.graph.insertConstant(None))
    function = torch._C._create_function_from_graph("flattened", builder.graph)
    optimise = torch._C._get_graph_executor_optimize

    def run(*moving: torch.Tensor) -> None:
        before = optimise(False)  # as it is: what it fills is seen from outside
        try:
            function(*moving)
        finally:
            optimise(before)

    return run, builder.moving

