"""Errors of running graphs, told as TensorFlow tells them: the node, and the lines of the user's program that made it."""

from __future__ import annotations

import itertools
import re
import sys
from typing import Any

from ..errors import OpError
from .autograph import rules
from .autograph.errors import BLOCKS
from .shape_errors import said

__all__ = ["place", "told", "while_tracing"]

Place = tuple[tuple[str, int, str], ...]

#: frames that are looked at, and lines that are kept, for one node
_DEPTH, _LINES = 120, 12
_users: dict[Any, bool] = {}
#: equal places are one object, for a function that is traced often
_places: dict[Place, Place] = {}
_numbers = itertools.count(9)
_EAGER = re.compile(r"\s*\[Op:\w+\](?: name: .*)?\s*$")


def _is_users(code: Any, module: str) -> bool:
    found = _users.get(code)
    if found is None:
        found = module.partition(".")[0] not in rules._LIBRARIES and not code.co_filename.startswith(("<frozen", "<tf2compat"))
        if len(_users) > 20_000:
            _users.clear()
        _users[code] = found
    return found


def place() -> Place:
    """The user's lines that are running: (file, line, function), the outermost first."""
    frame: Any = sys._getframe(2)
    found: list[tuple[Any, int]] = []
    for _ in range(_DEPTH):
        if frame is None or len(found) == _LINES:
            break
        code = frame.f_code
        if _is_users(code, frame.f_globals.get("__name__") or ""):
            found.append((code, frame.f_lineno))
        frame = frame.f_back
    out: list[tuple[str, int, str]] = []
    for code, line in reversed(found):
        name = code.co_name
        if BLOCKS.match(name) and out and out[-1][0] == code.co_filename:
            name = out[-1][2]  # a block of a function counts as the function
        out.append((code.co_filename, line, name))
    where = tuple(out)
    if len(_places) > 20_000:
        _places.clear()
    return _places.setdefault(where, where)


def _scope(node: Any) -> str:
    """The names of the conditions and loops around a node."""
    scope = ""
    graph = node.outputs[0]._graph if node.outputs else None
    while graph is not None and not graph.is_function and graph.outer is not None:
        owner = next((n for n in graph.outer.nodes if any(b is graph for b in n.blocks)), None)
        if owner is None:
            break
        scope = f"{owner.name}/{scope}"
        graph = graph.outer
    return scope


def told(error: BaseException, node: Any, function: str) -> BaseException:
    """An error of an op that ran in a function's graph, with the node and where it was defined in its message."""
    if node is None or not isinstance(error, OpError) or getattr(error, "_graph_told", False) or not isinstance(error._message, str):
        return error
    name = _scope(node) + node.name
    where = "".join(f'  File "{file}", line {line}, in {fn}\n\n' for file, line, fn in node.place or ())
    text = _EAGER.sub("", error._message)
    error._message = (
        f"Graph execution error:\n\nDetected at node {name} defined at (most recent call last):\n{where or '<stack traces unavailable>'}"
        f"{'' if where else chr(10)}{text}\n\t [[{{{{node {name}}}}}]] [Op:{function}_{next(_numbers)}]"
    )
    error._graph_told = True  # type: ignore[attr-defined]
    return error


def _dims(t: Any) -> list[Any] | None:
    rank = t.shape.rank
    return None if rank is None else t.shape.as_list()


def _text(dims: list[Any] | None) -> str:
    return "<unknown>" if dims is None else "[" + ",".join("?" if d is None else str(d) for d in dims) + "]"


def _unequal(op: Any, shapes: list[Any], bound: list[Any]) -> tuple[Any, Any] | None:
    """The sizes that would have to be equal."""
    if len(shapes) != 2 or None in shapes:
        return None
    a, b = shapes
    if op.elementwise:
        rank = max(len(a), len(b))
        pairs = zip([1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b, strict=True)
        return next(((m, n) for m, n in pairs if None not in (m, n) and m != n and 1 not in (m, n)), None)
    if op.name in ("MatMul", "BatchMatMulV2") and min(len(a), len(b)) > 1:
        given = dict(zip(op.params, bound, strict=False))
        m = a[-2] if given.get("transpose_a") or given.get("adjoint_a") else a[-1]
        n = b[-1] if given.get("transpose_b") or given.get("adjoint_b") else b[-2]
        return (m, n) if None not in (m, n) and m != n else None
    return None


def never_fit(op: Any, bound: list[Any]) -> bool:
    """Whether what is known of the arguments' shapes cannot be right, whatever the sizes are that are not known."""
    shapes = [_dims(t) for t in _inputs(bound)]
    return _unequal(op, shapes, bound) is not None or said(op.name, dict(zip(op.params, bound, strict=False)), shapes) is not None


def _inputs(bound: list[Any]) -> list[Any]:
    from .tensor import Tensor

    return [t for a in bound for t in (a if isinstance(a, list) else [a]) if isinstance(t, Tensor)]


def while_tracing(op: Any, bound: list[Any], name: str, message: str) -> str:
    """What is wrong with the static shapes of a node, with the node, its inputs and their shapes."""
    inputs = _inputs(bound)
    if not inputs or "for '{{node" in message:
        return message
    shapes = [_dims(t) for t in inputs]
    found = _unequal(op, shapes, bound)
    text = _EAGER.sub("", message) if found is None else f"Dimensions must be equal, but are {found[0]} and {found[1]}"
    names = [t.name.partition(":")[0] if hasattr(t, "_graph") else f"{name}/{p}" for t, p in zip(inputs, [*op.params, *["input"] * len(inputs)], strict=False)]
    kinds = {t.dtype.name: None for t in inputs}
    kind = f"T=DT_{next(iter(kinds)).upper()}".replace("FLOAT32", "FLOAT").replace("FLOAT64", "DOUBLE") if len(kinds) == 1 else ""
    attributes = f"[{kind}]" if kind else ""
    told = None if found is not None else said(op.name, dict(zip(op.params, bound, strict=False)), shapes)
    if told is not None:
        node = told.node or ("Pad" if name == "PadV2" and told.op == "Pad" else name)
        attributes = f"[{', '.join(a for a in (kind, told.attributes) if a)}]" if kind or told.attributes else ""
        shown = [(names[n] if type(n) is int else f"{node}/{n}", s) for n, s in told.inputs]
        return (
            f"{told.what} for '{{{{node {node}}}}} = {told.op}{attributes}({', '.join(n for n, _ in shown)})' with input shapes: "
            f"{', '.join(_text(s) for _, s in shown)}{told.known}."
        )
    return (
        f"{text} for '{{{{node {name}}}}} = {op.name}{attributes}({', '.join(names)})' with input shapes: "
        f"{', '.join(_text(s) for s in shapes)}."
    )
