"""Loops whose scalars the host computes: a counter, a running sum or a flag is a Python or NumPy number while the loop runs.

A torch call on a scalar costs a microsecond and more, an operation on a number a twentieth of that. Numbers give the very results
that tensors do: integers wrap around at their width, floats are NumPy's of the same width, which round as IEEE 754 says; what could
differ in the last bit (`exp`, a power, a remainder of floats) stays with torch. Values that a tape differentiates are never numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from . import dtypes
from .graph import Graph, Node
from .op import Op
from .symbolic import SymbolicTensor
from .tensor import Tensor

__all__ = ["HELPERS", "Plan", "analyse", "boxed", "expression", "literal", "unboxed"]

Key = tuple[int, int]

_INTS = {dtypes.int32: 32, dtypes.int64: 64}
_FLOATS = (dtypes.float32, dtypes.float64)
_ALLOWED = frozenset((*_INTS, *_FLOATS, dtypes.bool))
_SIGNS = {"AddV2": "+", "Sub": "-", "Mul": "*"}
_COMPARED = {"Less": "<", "LessEqual": "<=", "Greater": ">", "GreaterEqual": ">=", "Equal": "==", "NotEqual": "!="}


# --- expressions ------------------------------------------------------------------------------------------------------
def _wrapped(text: str, dtype: dtypes.DType) -> str:
    bits = _INTS[dtype]
    return f"(({text} + {1 << bits - 1}) & {(1 << bits) - 1}) - {1 << bits - 1}"


def expression(node: Node) -> Callable[..., str] | None:
    """How Python computes an op on numbers: from the texts of its operands to that of the result; None where it cannot."""
    op = node.op
    if op is None or node.device is not None or len(node.outputs) != 1 or type(node.structure) is not int:
        return None
    given = [a for a in node.args if isinstance(a, Tensor)]
    out = node.outputs[0]._dtype
    if not given or out not in _ALLOWED or any(t.dtype not in _ALLOWED for t in given):
        return None
    name, dtype = op.name, given[0].dtype
    if name in _SIGNS and dtype is not dtypes.bool:
        sign = _SIGNS[name]
        if dtype in _INTS:
            return lambda a, b: _wrapped(f"{a} {sign} {b}", dtype)
        return lambda a, b: f"{a} {sign} {b}"
    if name in _COMPARED and (dtype is not dtypes.bool or name in ("Equal", "NotEqual")):
        return lambda a, b: f"{a} {_COMPARED[name]} {b}"
    if name == "RealDiv" and dtype in _FLOATS:
        return lambda a, b: f"{a} / {b}"
    if name in ("FloorDiv", "FloorMod") and dtype in _INTS:
        helper = f"_{name}{_INTS[dtype]}"
        return lambda a, b: f"{helper}({a}, {b})"
    if name in ("Maximum", "Minimum") and dtype in _INTS:
        sign = ">" if name == "Maximum" else "<"
        return lambda a, b: f"{a} if {a} {sign} {b} else {b}"
    if name == "LogicalAnd":
        return lambda a, b: f"{a} and {b}"
    if name == "LogicalOr":
        return lambda a, b: f"{a} or {b}"
    if name == "LogicalNot":
        return lambda a: f"not {a}"
    if name == "Neg" and dtype is not dtypes.bool:
        return (lambda a: _wrapped(f"-{a}", dtype)) if dtype in _INTS else (lambda a: f"-{a}")
    if name == "Square" and dtype is not dtypes.bool:
        return (lambda a: _wrapped(f"{a} * {a}", dtype)) if dtype in _INTS else (lambda a: f"{a} * {a}")
    if name == "Abs" and dtype is not dtypes.bool:
        return (lambda a: _wrapped(f"abs({a})", dtype)) if dtype in _INTS else (lambda a: f"abs({a})")
    if name == "Identity":
        return lambda a: a
    if name == "SelectV2" and len(given) == 3 and dtype is dtypes.bool:
        return lambda c, a, b: f"{a} if {c} else {b}"
    if name == "Cast" and len(given) == 1:
        return _cast(dtype, out)
    return None


def _cast(source: dtypes.DType, target: dtypes.DType) -> Callable[..., str] | None:
    if source is target:
        return lambda a: a
    if target is dtypes.bool:
        return None if source in _FLOATS else lambda a: f"{a} != 0"
    if target in _INTS:
        if source is dtypes.bool:
            return lambda a: f"int({a})"
        if source in _INTS:
            return (lambda a: a) if target is dtypes.int64 else (lambda a: _wrapped(a, target))
        return None
    if source is dtypes.int64 and target is dtypes.float32:
        return None  # would be rounded twice
    return lambda a: f"{'_f32' if target is dtypes.float32 else '_f64'}({a})"


def _divided(bits: int, name: str) -> Callable[[int, int], int]:
    half, mask = 1 << bits - 1, (1 << bits) - 1
    dtype = torch.int32 if bits == 32 else torch.int64

    def floordiv(a: int, b: int) -> int:
        return ((a // b + half) & mask) - half if b else _op(name).fn(torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype))

    def floormod(a: int, b: int) -> int:
        return a % b if b else _op(name).fn(torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype))

    return floordiv if name == "FloorDiv" else floormod


def _op(name: str) -> Op:
    """The op that says what is wrong with a division by zero."""
    from ..math.arithmetic import floordiv, floormod

    return (floordiv if name == "FloorDiv" else floormod).op


def _box(dtype: torch.dtype, convert: Callable[[Any], Any]) -> Callable[..., torch.Tensor]:
    def box(number: Any, device: Any = None) -> torch.Tensor:
        return torch.scalar_tensor(convert(number), dtype=dtype, device=device)

    return box


#: what generated code calls
HELPERS: dict[str, Any] = {
    "_f32": np.float32, "_f64": np.float64, "_errstate": np.errstate,
    "_FloorDiv32": _divided(32, "FloorDiv"), "_FloorDiv64": _divided(64, "FloorDiv"),
    "_FloorMod32": _divided(32, "FloorMod"), "_FloorMod64": _divided(64, "FloorMod"),
    "_box_int32": _box(torch.int32, int), "_box_int64": _box(torch.int64, int), "_box_bool": _box(torch.bool, bool),
    "_box_float32": _box(torch.float32, float), "_box_float64": _box(torch.float64, float),
}  # fmt: skip


def boxed(name: str, dtype: dtypes.DType, device: str) -> str:
    """A number as a tensor."""
    return f"_box_{dtype.name}({name}, {device})"


def unboxed(text: str, dtype: dtypes.DType) -> str:
    """A scalar tensor as a number."""
    if dtype in _FLOATS:
        return f"{'_f32' if dtype is dtypes.float32 else '_f64'}({text}.item())"
    return f"{text}.item()"


def literal(t: Tensor) -> Any:
    """The number that a constant is."""
    value = t._t.item()
    return np.float32(value) if t.dtype is dtypes.float32 else np.float64(value) if t.dtype is dtypes.float64 else value


# --- which values ------------------------------------------------------------------------------------------------------
class Plan:
    """What of a loop are numbers: `host` tensors, by key, computed by `nodes`, from `imports` (inside key: key in the loop's block)."""

    def __init__(self) -> None:
        self.host: set[Key] = set()
        self.nodes: set[int] = set()
        self.imports: dict[Key, Key] = {}
        self.used: set[Key] = set()
        self.eager: dict[int, Tensor] = {}
        self.pure = True
        self.floats = False
        self.effects = False


def _scalar(t: Any) -> bool:
    if isinstance(t, SymbolicTensor):
        return t._dims == () and t._dtype in _ALLOWED and not t._t.requires_grad
    return isinstance(t, Tensor) and isinstance(t._t, torch.Tensor) and t._t.ndim == 0 and t.dtype in _ALLOWED and not t._t.requires_grad


def _nodes(blocks: list[Graph]) -> Iterator[Node]:
    for block in blocks:
        for node in block.nodes:
            yield node
            yield from _nodes(node.blocks)


def analyse(node: Node) -> Plan | None:
    """The plan for a `while` or `for` that no other planned loop is around; None where numbers would not help."""
    inside = list(_nodes(node.blocks))
    if any(n.kind == "custom" for n in inside):
        return None
    effects = any(n.op is not None and n.op.stateful for n in inside)
    chosen = {j for j, t in enumerate(node.outputs) if _scalar(t)}
    ints = {j for j in chosen if node.outputs[j]._dtype not in _FLOATS}
    if effects:  # NumPy's warnings about floats, silenced in the loop, may be those of a Python function in it
        chosen = ints
    while True:
        plan = Plan()
        plan.effects = effects
        for block in node.blocks:
            for outside, inner in block.captures.values():
                if isinstance(outside, SymbolicTensor) and _scalar(inner):
                    plan.imports[inner._key()] = inner._key()
        kept = _loop(plan, node, chosen, True)
        if kept == chosen:
            decided = node.blocks[0].outputs[0] if node.kind == "while" else None
            if decided is None or isinstance(decided, SymbolicTensor) and decided._key() in plan.host or chosen <= ints:
                break
            kept = chosen & ints  # the host waits for other tensors in every round, and floats may well stay with them
        chosen = kept
    if node.kind == "while":
        if not chosen or not plan.nodes:
            return None
    elif not chosen and not _counted(plan, node):
        return None
    plan.pure = plan.pure and len(chosen) == len(node.outputs)
    return plan


def _counted(plan: Plan, node: Node) -> bool:
    return any(t._key() in plan.host for t in node.blocks[0].inputs[: node.extra[2]])


def _known(plan: Plan, v: Any, node: Node | None = None) -> bool:
    if isinstance(v, SymbolicTensor):
        key = v._key()
        if key in plan.imports:
            plan.used.add(plan.imports[key])
            return True
        return key in plan.host
    if not _scalar(v):
        return False
    if node is not None and isinstance(node.extra, set) and id(v) in node.extra:
        plan.eager[id(v)] = v
    return True


def _enter(plan: Plan, block: Graph) -> None:
    for outside, inner in block.captures.values():
        if isinstance(outside, SymbolicTensor) and _scalar(inner):
            key = outside._key()
            if key in plan.host:
                plan.host.add(inner._key())
            elif key in plan.imports:
                plan.imports[inner._key()] = plan.imports[key]


def _loop(plan: Plan, node: Node, chosen: set[int], outermost: bool) -> set[int]:
    """Mark what is a number in a loop whose variables `chosen` are; those of them that stay numbers over a round."""
    skipped = 0
    if node.kind == "for":
        how, _, skipped, stops, _ = node.extra
        given = node.args[1]
        body = node.blocks[0]
        if how == "_rows":  # integers that are known while tracing
            vector = given[0]
            countable = type(vector) is Tensor and isinstance(vector._t, torch.Tensor) and vector._t.ndim == 1 and vector.dtype in _INTS
        else:
            countable = how == "_range" and all(_scalar(v) for v in given) and given[0].dtype in _INTS
            countable = countable and (outermost or all(_known(plan, v) for v in given))
        if countable:
            plan.host.add(body.inputs[0]._key())
        elif skipped:
            plan.pure = False
    for block in node.blocks:
        if not outermost:
            _enter(plan, block)
        for j in chosen:
            plan.host.add(block.inputs[(skipped if block is node.blocks[-1] else 0) + j]._key())
        _block(plan, block)
    body = node.blocks[-1]
    return {j for j in chosen if _known(plan, body.outputs[j])}


def _block(plan: Plan, block: Graph) -> None:
    for node in block.nodes:
        if node.op is not None:
            out = node.outputs[0] if len(node.outputs) == 1 else None
            tensors = [a for a in node.args if isinstance(a, Tensor)]
            how = expression(node) if out is not None and _scalar(out) else None
            if plan.effects and out is not None and any(t.dtype in _FLOATS for t in [out, *tensors]):
                how = None
            if (
                how is not None
                and any(isinstance(t, SymbolicTensor) and t._key() in plan.host for t in tensors)
                and all(_known(plan, t, node) for t in tensors)
            ):
                plan.nodes.add(id(node))
                plan.host.add(out._key())  # type: ignore[union-attr]
                plan.floats = plan.floats or out._dtype in _FLOATS  # type: ignore[union-attr]
            else:
                plan.pure = False
        elif node.kind == "if":
            for inner in node.blocks:
                _enter(plan, inner)
                _block(plan, inner)
            for j, t in enumerate(node.outputs):
                if _scalar(t) and all(_known(plan, inner.outputs[j]) for inner in node.blocks) and not (plan.effects and t._dtype in _FLOATS):
                    plan.host.add(t._key())
                else:
                    plan.pure = False
        elif node.kind in ("while", "for"):
            init = node.args if node.kind == "while" else node.args[0]
            chosen = {j for j, (t, v) in enumerate(zip(node.outputs, init, strict=True)) if _scalar(t) and _known(plan, v)}
            if plan.effects:
                chosen = {j for j in chosen if node.outputs[j]._dtype not in _FLOATS}
            while True:
                trial = Plan()
                trial.__dict__.update(
                    {k: type(v)(v) if isinstance(v, (set, dict)) else v for k, v in plan.__dict__.items()}
                )
                kept = _loop(trial, node, chosen, False)
                if kept == chosen:
                    break
                chosen = kept
            plan.__dict__.update(trial.__dict__)
            plan.host.update(node.outputs[j]._key() for j in chosen)
            plan.pure = plan.pure and len(chosen) == len(node.outputs)
        else:
            plan.pure = False
