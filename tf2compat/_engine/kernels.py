"""How a recorded operation is called with the least around it: torch's own function, into memory that is there.

An operation of ATen has a function of the same name and arguments in Python, which is twice as quick as calling through
`torch.ops`, and mostly takes `out`. Which one does the same is tried once for each operation in a process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

__all__ = ["GRADED", "Call", "call_for"]

_FUNCTIONS = (torch._C._VariableFunctions, torch._C._nn, torch._C._linalg, torch._C._special)
_METHODS = torch._C.TensorBase


class Call(NamedTuple):
    """`fn` with the operation's arguments. `names`: under which its results are given to it; None where it gives them itself."""

    fn: Callable[..., Any]
    names: tuple[str, ...] | None


_known: dict[Any, Call] = {}
#: operations that keep what their derivatives need only while autograd is on, which it is not where steps run
GRADED = frozenset(("mkldnn_rnn_layer",))


def call_for(func: Any, args: Any, kwargs: Any, outs: list[Any], mutable: bool) -> Call:
    """The call for an operation; `args`, `kwargs` and `outs` are tensors to try it on, which are left as they are."""
    key = (func, tuple(map(type, args)), tuple(kwargs), tuple([o is None for o in outs]))
    found = _known.get(key)
    if found is None:
        with torch.no_grad():
            found = _known[key] = _chosen(func, args, kwargs, outs, mutable)
    return found


def _chosen(func: Any, args: Any, kwargs: Any, outs: list[Any], mutable: bool) -> Call:
    name = func._schema.name.partition("::")[2]
    if name in GRADED:
        return Call(_graded(func), None)
    if mutable:
        method = getattr(_METHODS, name, None) or next((getattr(m, name) for m in _FUNCTIONS if hasattr(m, name)), None)
        if method is not None and not outs and _same_change(func, method, args, kwargs):
            return Call(method, None)
        return Call(func, None)
    wanted = func(*args, **kwargs)
    wanted = [wanted] if isinstance(wanted, torch.Tensor) else list(wanted)
    functions = [getattr(m, name) for m in _FUNCTIONS if hasattr(m, name)]
    if outs and None not in outs:
        for fn in functions:
            if _fills(fn, ("out",), args, kwargs, outs, wanted):
                return Call(fn, ("out",))
    filling = _overload(name, args, kwargs, outs, wanted) if outs and None not in outs else None
    if filling is not None and len(outs) > 1:  # rather than copying each result
        return filling
    plain: list[Any] = [*functions, *([getattr(_METHODS, name)] if hasattr(_METHODS, name) else [])]
    for fn in plain:
        if _gives(fn, args, kwargs, wanted):
            return Call(fn, None)
    return filling or Call(func, None)


def _graded(func: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        torch._C._set_grad_enabled(True)
        try:
            return func(*args, **kwargs)
        finally:
            torch._C._set_grad_enabled(False)

    return call


def _overload(name: str, args: Any, kwargs: Any, outs: list[Any], wanted: list[Any]) -> Call | None:
    packet = getattr(torch.ops.aten, name, None)
    for overload in () if packet is None else packet.overloads():
        candidate = getattr(packet, overload)
        names = tuple([a.name for a in candidate._schema.arguments if a.alias_info is not None and a.alias_info.is_write])
        if len(names) == len(outs) and _fills(candidate, names, args, kwargs, outs, wanted):
            return Call(candidate, names)
    return None


def _equal(a: Any, b: Any) -> bool:
    if not isinstance(a, torch.Tensor) or not isinstance(b, torch.Tensor):
        return a is b
    return a.shape == b.shape and a.dtype is b.dtype and bool(((a == b) | ((a != a) & (b != b))).all())


def _extent(t: torch.Tensor) -> int:
    """The bytes between a tensor's first and last element."""
    return t.element_size() * (1 + sum((n - 1) * stride for n, stride in zip(t.shape, t.stride(), strict=True))) if t.numel() else 0


def _fills(fn: Any, names: tuple[str, ...], args: Any, kwargs: Any, outs: list[Any], wanted: list[Any]) -> bool:
    # on nothing first: what needs more memory than its result has resizes, and complains
    blank = [torch.empty(0, dtype=o.dtype, device=o.device) for o in outs]
    scratch = [torch.empty_strided(o.shape, o.stride(), dtype=o.dtype, device=o.device) for o in outs]
    for into in (blank, scratch):
        given = dict(zip(names, into, strict=True)) if len(names) == len(into) else {names[0]: tuple(into)}
        try:
            fn(*args, **kwargs, **given)
        except Exception:  # noqa: BLE001 - another way, then
            return False
        if any(a.shape != o.shape or a.untyped_storage().nbytes() > _extent(o) for a, o in zip(into, outs, strict=True)):
            return False
    return all(_equal(a, b) and a.stride() == o.stride() for a, b, o in zip(scratch, wanted, outs, strict=True))


def _gives(fn: Any, args: Any, kwargs: Any, wanted: list[Any]) -> bool:
    try:
        found = fn(*args, **kwargs)
    except Exception:  # noqa: BLE001
        return False
    found = [found] if isinstance(found, torch.Tensor) else list(found)
    return len(found) == len(wanted) and all(_equal(a, b) for a, b in zip(found, wanted, strict=True))


def _cloned(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if type(value) in (list, tuple):
        return type(value)([_cloned(v) for v in value])
    return value


def _flat(value: Any, found: list[Any]) -> list[Any]:
    if isinstance(value, torch.Tensor):
        found.append(value)
    elif type(value) in (list, tuple):
        for v in value:
            _flat(v, found)
    return found


def _same_change(func: Any, method: Any, args: Any, kwargs: Any) -> bool:
    first, second = _cloned(args), _cloned(args)
    func(*first, **kwargs)
    try:
        method(*second, **kwargs)
    except Exception:  # noqa: BLE001
        return False
    return all(_equal(a, b) for a, b in zip(_flat(first, []), _flat(second, []), strict=True))
