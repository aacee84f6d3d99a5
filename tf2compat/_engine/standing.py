"""Stand-ins for variables, on which a region runs without touching them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .graph import Node
from .unfit import Unfit
from .variable import Variable

__all__ = ["follower", "used_variables"]


class _Stand:
    """A variable while a region is followed: reads and writes move values, memory is not touched."""

    _pinned = False
    _turn = None

    def __init__(self, variable: Any, storage: Any) -> None:
        self._variable = variable
        self._t = storage
        self._changed = False
        self._watched = storage.requires_grad

    def _read(self) -> Any:
        if self._changed and self._watched:
            raise Unfit(f"variable {self._variable.name} is read again after an assignment, under a tape")
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


def follower(program: Any, source: str, variables: list[Any], given: list[Any]) -> tuple[Callable[..., Any], list[_Stand]]:
    """The generated function `source` of a program on stand-ins, which have the values `given`."""
    stands = {id(v): _Stand(v, t) for v, t in zip(variables, given, strict=True)}
    env = dict(program.env)
    for name, value in program.env.items():
        stand = stands.get(id(getattr(value, "_of", value)))
        if stand is not None:
            env[name] = stand
    exec(compile(program.code, program.filename, "exec"), env)
    return env[source], list(stands.values())


def used_variables(nodes: list[Node]) -> tuple[list[Any], frozenset[int]]:
    """The variables that nodes use, blocks included, and which of them are read."""
    found: dict[int, Any] = {}
    read: set[int] = set()

    def collect(value: Any) -> None:
        if isinstance(value, Variable):
            value = getattr(value, "_of", value)
            found.setdefault(id(value), value)
        elif isinstance(value, (list, tuple)):
            for v in value:
                collect(v)

    def walk(some: list[Node]) -> None:
        for node in some:
            collect(node.args)
            if node.kind == "read":
                read.add(id(getattr(node.args[0], "_of", node.args[0])))
            elif node.op is not None:
                for kind, v in zip(node.op.kinds, node.args, strict=True):
                    if isinstance(v, Variable) and (kind is None or kind.what not in ("variable", "variables")):
                        read.add(id(getattr(v, "_of", v)))
            for block in node.blocks:
                walk(block.nodes)

    walk(nodes)
    return list(found.values()), frozenset(read)
