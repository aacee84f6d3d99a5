"""Dtypes and shapes of a traced op's results, found by running the op on tensors without values (torch's meta device).

Unknown dimensions are probed: the op runs twice, with two sizes in their place, and what differs between the results is
unknown. Shape arithmetic (`tf.shape(x)[0] * 2`) runs on real numbers, once for each probe, so that it can feed shapes.
The meta tensors also carry torch's autograd graph, which tells while tracing what a gradient will connect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import dtypes, light_meta, state
from .graph_errors import never_fit
from .op import Op, invalid
from .symbolic import PROBES, SymbolicTensor, probe_storage
from .tensor import Tensor
from .windows import SLIDING, left_nothing

__all__ = ["infer", "linked"]

light_meta.prepare()

_META = torch.device("meta")
#: integer tensors up to this size are computed while tracing
_SMALL = 64
_WHOLE = (torch.int32, torch.int64, torch.bool)
#: how many sizes a shape of unknown length has in the two runs
_LENGTHS = (2, 3)


class _Link(torch.autograd.Function):
    """Connects a tensor without values to others in torch's autograd graph."""

    @staticmethod
    def forward(ctx: Any, out: torch.Tensor, *sources: torch.Tensor) -> torch.Tensor:
        ctx.set_materialize_grads(False)
        ctx.like = [(s.shape, s.dtype, s.requires_grad) for s in sources]
        return out.view_as(out)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        made = []
        for shape, dtype, needed in ctx.like:
            g = torch.zeros(shape, dtype=dtype, device="meta") if needed else None
            if g is not None and grad is not None and grad.requires_grad:
                g = linked(g, [grad])
            made.append(g)
        return (None, *made)


def linked(out: Any, sources: list[Any]) -> Any:
    """`out`, connected to those of `sources` that autograd records."""
    if not isinstance(out, torch.Tensor) or not (out.is_floating_point() or out.is_complex()):
        return out
    live = [s for s in sources if isinstance(s, torch.Tensor) and s.requires_grad]
    return _Link.apply(out.detach(), *live) if live else out


# --- arguments -------------------------------------------------------------------------------------------------------
def _storage(t: Tensor, which: int) -> Any:
    if isinstance(t, SymbolicTensor):
        return t._b if which and t._b is not None else t._t
    s = t._t
    if isinstance(s, torch.Tensor):
        if s.numel() <= _SMALL and not s.is_floating_point() and not s.is_complex() and s.device.type != "meta":
            return s.cpu()
        return torch.empty_like(s, device=_META, requires_grad=False)
    return s


def _static(kind: str, value: Any, which: int) -> Any:
    """The Python value of a parameter that is static for the op but symbolic in the graph."""
    if isinstance(value, Tensor):
        s = _storage(value, which)
        if isinstance(s, torch.Tensor) and s.device.type != "meta":
            return s.item() if s.ndim == 0 else tuple(int(v) for v in s.reshape(-1).tolist())
        stand_in = 0 if kind == "axes" else PROBES[which]
        if kind == "shape" and isinstance(value, SymbolicTensor) and (value._dims is None or value._dims == (None,)):
            return (stand_in,) * _LENGTHS[which]
        if isinstance(s, torch.Tensor) and s.ndim:
            return (stand_in,) * s.shape[0]
        return stand_in
    if isinstance(value, (list, tuple)):
        return tuple(_static(kind, v, which) for v in value)
    return value


def _other(value: Any, which: int) -> Any:
    """An undeclared parameter: symbolic scalars inside it (indices, bounds of slices) become Python numbers."""
    if isinstance(value, SymbolicTensor):
        s = _storage(value, which)
        if isinstance(s, torch.Tensor) and s.device.type != "meta" and s.ndim == 0:
            return s.item()
        if isinstance(s, torch.Tensor) and s.ndim == 0 and not s.is_floating_point():
            return which
        return s
    if isinstance(value, Tensor):
        return value._t
    if isinstance(value, slice):
        if any(_unknown(v, which) for v in (value.start, value.stop, value.step)):
            return slice(0, which)  # some length
        return slice(_other(value.start, which), _other(value.stop, which), _other(value.step, which))
    if type(value) is list or type(value) is tuple:
        return type(value)(_other(v, which) for v in value)
    if type(value) is dict:
        return {k: _other(v, which) for k, v in value.items()}
    return value


def _unknown(value: Any, which: int) -> bool:
    if not isinstance(value, SymbolicTensor):
        return False
    s = _storage(value, which)
    return not isinstance(s, torch.Tensor) or s.device.type == "meta"


def arguments(op: Op, bound: list[Any], which: int) -> tuple[list[Any], bool]:
    """The op's arguments as a probe's storages, and whether any is text."""
    out: list[Any] = []
    any_meta = strings = False
    for kind, value in zip(op.kinds, bound, strict=True):
        what = "" if kind is None else kind.what
        if what == "tensor" and value is not None:
            value = _storage(value, which)
            any_meta = any_meta or (isinstance(value, torch.Tensor) and value.device.type == "meta")
            strings = strings or isinstance(value, np.ndarray)
        elif what == "tensors":
            value = [_storage(v, which) for v in value]
            any_meta = any_meta or any(isinstance(v, torch.Tensor) and v.device.type == "meta" for v in value)
            strings = strings or any(isinstance(v, np.ndarray) for v in value)
        elif what in ("int", "ints", "shape", "axes"):
            value = _static(what, value, which)
        elif what not in ("dtype", "variable", "variables"):
            value = _other(value, which)
        out.append(value)
    if any_meta:
        for i, kind in enumerate(op.kinds):
            if kind is None:
                continue
            if kind.what == "tensor":
                out[i] = _to_meta(out[i])
            elif kind.what == "tensors":
                out[i] = [_to_meta(v) for v in out[i]]
    return out, strings


def _to_meta(v: Any) -> Any:
    if isinstance(v, torch.Tensor) and v.device.type != "meta":
        return torch.empty(v.shape, dtype=v.dtype, device=_META)
    return v


# --- running ---------------------------------------------------------------------------------------------------------
def _probe(op: Op, args: list[Any], strings: bool) -> Any:
    fn: Callable[..., Any] | None = op.string_fn if strings else op.fn
    if fn is None:
        raise op.unimplemented("string", args)
    known = _broadcast_key(op, args) if op.name in _BROADCASTING else None
    if known is not None:
        dtype = _broadcast_dtypes.get(known[0]) or _evident(op.name, args)
        if dtype is not None:
            return torch.empty(known[1], dtype=dtype, device=_META)
    before = state.local.device
    if before is not _META:
        state.local.asked = before
    state.local.device = _META
    try:
        with torch.enable_grad():
            out = fn(*args)
    finally:
        state.local.device = before
    if known is not None and isinstance(out, torch.Tensor) and out.device.type == "meta" and tuple(out.shape) == known[1]:
        _broadcast_dtypes[known[0]] = out.dtype
    return out


_SMOOTH = (
    "Abs", "Cos", "Erf", "Exp", "Expm1", "Floor", "Lgamma", "Log", "Log1p", "Neg", "Relu", "Rsqrt", "Sigmoid", "Sign", "Sin", "Softplus", "Sqrt", "Square",
    "Tanh",
)  # fmt: skip
#: ops of which a result has the shape that the arguments broadcast to and a dtype that theirs decide: torch's meta kernels of these are
#: Python functions that take a millisecond, most of the time of a trace
_BROADCASTING = frozenset((
    "AddV2", "Sub", "Mul", "RealDiv", "FloorDiv", "FloorMod", "Pow", "Maximum", "Minimum", "SquaredDifference", "Less", "LessEqual", "Greater",
    "GreaterEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr", "LogicalNot", "SelectV2", "ClipByValue", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
    "DivNoNan", "MulNoNan", "Xlogy", "Xlog1py", "Xdivy", "Atan2", *_SMOOTH,
))  # fmt: skip
_broadcast_dtypes: dict[Any, torch.dtype] = {}
_TRUTHS = frozenset(("Less", "LessEqual", "Greater", "GreaterEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr", "LogicalNot"))
_KEEPING = frozenset(("AddV2", "Sub", "Mul", "Maximum", "Minimum", "ClipByValue"))


def _evident(name: str, args: list[Any]) -> torch.dtype | None:
    """The dtype of a result that no run has to tell: a first run of some kernels imports much of torch."""
    if not all(isinstance(a, torch.Tensor) for a in args):
        return None
    if name == "SelectV2" and args[0].dtype is torch.bool:
        args = args[1:]
    found = {a.dtype for a in args}
    if len(found) != 1:
        return None
    if name in _TRUTHS:
        return torch.bool
    (dtype,) = found
    if name in _SMOOTH:
        return dtype if dtype.is_floating_point else None
    return dtype if name in _KEEPING or (name == "SelectV2" and len(args) == 2) or (name == "RealDiv" and dtype.is_floating_point) else None


def _broadcast_key(op: Op, args: list[Any]) -> tuple[Any, tuple[int, ...]] | None:
    """What decides the dtype of an op's result, and the result's shape; None where running the op has to tell."""
    key: list[Any] = [op]
    shape: tuple[int, ...] | None = None
    for a in args:
        if isinstance(a, torch.Tensor):
            if a.requires_grad or a.device.type != "meta":
                return None
            key.append((a.dtype, a.ndim == 0))
            other = tuple(a.shape)
            if shape is None:
                shape = other
            elif shape != other:
                shape = _broadcast(shape, other)
                if shape is None:
                    return None
        elif a is None or type(a) in (bool, int, float):
            key.append((type(a), a))
        else:
            return None
    return None if shape is None else (tuple(key), shape)


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    if len(a) < len(b):
        a, b = b, a
    out = list(a)
    for i, n in enumerate(b, len(a) - len(b)):
        if out[i] != n:
            if out[i] != 1 and n != 1:
                return None
            out[i] = n if out[i] == 1 else out[i]
    return tuple(out)


def _real(args: Any) -> Any:
    if isinstance(args, torch.Tensor):
        if args.device.type == "meta" and args.numel() <= 1_000_000:
            return torch.zeros(args.shape, dtype=args.dtype)
        return args
    if type(args) in (list, tuple):
        return type(args)(_real(a) for a in args)
    return args


def _run(op: Op, bound: list[Any], which: int) -> Any:
    """The op's results under one probe; on zeros where it cannot run without values."""
    args, strings = arguments(op, bound, which)
    try:
        return _probe(op, args, strings)
    except Exception as error:  # noqa: BLE001 - told apart below
        caught = error
    text = str(caught)
    changes = any(k is not None and k.what in ("variable", "variables") for k in op.kinds)  # a run would be an update
    if not changes and isinstance(caught, (NotImplementedError, RuntimeError, TypeError)) and ("meta" in text.lower() or "aten::" in text):
        before = state.local.device
        state.local.device = torch.device("cpu")
        try:
            fn = op.string_fn if strings else op.fn
            out = fn(*_real(args))  # type: ignore[misc]
        except Exception:  # noqa: BLE001 - zeros may be no valid input
            pass
        else:
            sources = [a for a in _leaves(args) if a.requires_grad]
            return _map(out, lambda t: linked(_to_meta(t), sources))
        finally:
            state.local.device = before
    retried = op._retry(args, caught)
    if retried is not NotImplemented:
        return retried
    raise op.translate(caught, args).with_traceback(caught.__traceback__) from None


def _leaves(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in _leaves(v)]
    return []


def _map(value: Any, fn: Callable[[Any], Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return fn(value)
    if isinstance(value, list):
        return [_map(v, fn) for v in value]
    if isinstance(value, tuple):
        inner = [_map(v, fn) for v in value]
        return type(value)(*inner) if hasattr(value, "_fields") else tuple(inner)
    return value


def _tensors(bound: list[Any]) -> list[Tensor]:
    found: list[Tensor] = []

    def collect(v: Any) -> None:
        if isinstance(v, Tensor):
            found.append(v)
        elif isinstance(v, (list, tuple)):
            for x in v:
                collect(x)
        elif isinstance(v, dict):
            for x in v.values():
                collect(x)
        elif isinstance(v, slice):
            collect((v.start, v.stop, v.step))

    collect(bound)
    return found


Result = tuple[dtypes.DType, Any, Any, Any]  # dtype, dims, storage of each probe


def infer(op: Op, bound: list[Any]) -> tuple[Any, list[Result], bool]:
    """What the op returns: a structure with the positions of its results, each result, whether their values are known."""
    inputs = _tensors(bound)
    symbolic = [t for t in inputs if isinstance(t, SymbolicTensor)]
    shapes = [v for kind, v in zip(op.kinds, bound, strict=True) if kind is not None and kind.what == "shape"]
    unknown_rank = [t for t in symbolic if t._dims is None and not any(t is v for v in shapes)]
    if unknown_rank and op.name in ("Reshape", "BroadcastTo") and any(bound[0] is t for t in unknown_rank):
        return _as_asked(bound)
    if op.name == "Squeeze" and bound[1] in (None, ()) and isinstance(bound[0], SymbolicTensor) and None in (bound[0]._dims or ()):
        return 0, [_described(bound, None)], False  # a size that is not known may be 1
    # an op that tells what it can of unknown sizes knows best by running when all is known
    aid = getattr(op.infer_fn, "aid", False) and not unknown_rank
    if op.infer_fn is not None and not (aid and not any(t._b is not None or _decides(op, bound, t) for t in symbolic)):
        described = _told(op, bound, symbolic, unknown_rank)
        if described is not NotImplemented:
            return described
    # two runs where a dimension is unknown, or a number that may decide a shape is
    open_ = [t for t in symbolic if t._b is not None or _decides(op, bound, t)]
    if unknown_rank:
        return _unranked(op, bound, unknown_rank)
    if op.name == "SymbolicGradient":
        structure, results = _results(_run(op, bound, 0), None)
        return structure, _as_sources(bound, structure, results), False
    if not open_:
        try:
            out = _run(op, bound, 0)
        except Exception:  # noqa: BLE001 - raised again unless a size hangs on a value
            if op.name != "Range" or all(not isinstance(t, SymbolicTensor) or t._const for t in inputs):
                raise
            out, second = _some_range(bound)  # its size hangs on a value
            structure, results = _results(out, second)
            return structure, results, False
        structure, results = _results(out, None)
    else:
        try:
            out, second = _run(op, bound, 0), _run(op, bound, 1)
        except Exception:  # noqa: BLE001 - the probes may not fit together
            found = _same_probes(op, bound, open_)
            out, second = _other_sizes(op, bound, open_) if found is None else found
            if isinstance(out, _Unknown):
                return 0, [out.result], False
        if op.elementwise and op.name != "Mul" and _valued(out) and out.dtype in _WHOLE and _valued(second) and torch.equal(out, second):
            second = _as_unknown(inputs, out, second)
        structure, results = _results(out, second)
        if op.name == "StridedSlice" and structure == 0:
            results[0] = _shorter(op, bound, open_, results[0])
    if op.name in SLIDING and structure == 0:
        wrong = left_nothing(dict(zip(op.params, bound, strict=False)), inputs[0].shape.as_list() if inputs[0].shape.rank else None, results[0][1])
        if wrong is not None:
            raise invalid(wrong)
    const = not op.stateful and (
        all(t._const if isinstance(t, SymbolicTensor) else True for t in inputs)
        or (op.name in ("Shape", "ShapeN", "Size", "Rank") and (not open_ or op.name == "Rank"))
    )
    return structure, results, const


def _shorter(op: Op, bound: list[Any], open_: list[SymbolicTensor], result: Result) -> Result:
    """Both probes may be long enough for what is cut out of an open dimension, which need not be so."""
    dtype, dims, a, b = result
    held = sum(t._dims.count(None) for t in open_)  # type: ignore[union-attr]
    if not dims or dims.count(None) >= held or _valued(a):
        return result
    try:
        least = _with_sizes(open_, lambda t: tuple(1 if d is None else d for d in t._dims), lambda: _run(op, bound, 0))  # type: ignore[misc]
    except Exception:  # noqa: BLE001 - too short for an index
        return result
    if tuple(least.shape) == dims or least.ndim != len(dims):
        return result
    dims = tuple(d if d == n else None for d, n in zip(dims, least.shape, strict=True))
    return dtype, dims, linked(probe_storage(dtype, dims, 0), [a]), linked(probe_storage(dtype, dims, 1), [a])


def _as_sources(bound: list[Any], structure: Any, results: list[Result]) -> list[Result]:
    """Gradients have the shapes of their sources: one probe tells what is connected."""
    sources = bound[0][bound[1] : bound[1] + bound[2]]
    for x, at in zip(sources, structure, strict=True):
        if at is not None and isinstance(x, SymbolicTensor) and x._b is not None:
            dtype, _, a, _ = results[at]
            results[at] = (dtype, x._dims, a, probe_storage(dtype, x._dims, 1))
    return results


def _same_probes(op: Op, bound: list[Any], open_: list[SymbolicTensor]) -> tuple[Any, Any] | None:
    """Text has small probes of its own; beside numbers of the same unknown size it needs theirs."""
    texts = [t for t in open_ if t._dtype.torch is None and t._dims is not None]
    if not texts or len(texts) == len(open_):
        return None
    saved = [(t, t._t, t._b) for t in texts]
    try:
        for t in texts:
            dummy = t._t.reshape(-1)[:1].reshape(()) if t._t.size else t._t
            shapes = [tuple(size if d is None else d for d in t._dims) for size in PROBES]  # type: ignore[union-attr]
            t._t, t._b = (np.broadcast_to(dummy, shape) for shape in shapes)
        return _run(op, bound, 0), _run(op, bound, 1)
    except Exception:  # noqa: BLE001 - there are other sizes to try
        return None
    finally:
        for t, a, b in saved:
            t._t, t._b = a, b


def _some_range(bound: list[Any]) -> tuple[Any, Any]:
    dtype = bound[3] or bound[0].dtype
    return probe_storage(dtype, (None,), 0), probe_storage(dtype, (None,), 1)


def _decides(op: Op, bound: list[Any], t: SymbolicTensor) -> bool:
    if t._dtype not in (dtypes.int32, dtypes.int64) or t._static_value() is not None:
        return False
    for kind, value in zip(op.kinds, bound, strict=True):
        if kind is None or kind.what in ("int", "ints", "shape", "axes"):
            if any(v is t for v in _tensors([value])):
                return True
    return False


def _dims(a: Any, b: Any) -> tuple[int | None, ...] | None:
    if b is None or a is b:
        return tuple(a.shape)
    if a.ndim != b.ndim:
        return None
    return tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True))


def _results(a: Any, b: Any) -> tuple[Any, list[Result]]:
    results: list[Result] = []

    def walk(x: Any, y: Any) -> Any:
        if isinstance(x, (torch.Tensor, np.ndarray)):
            dims = _dims(x, y)
            dtype = dtypes.of(x)
            second = None if dims is not None and None not in dims and not _valued(x) else y
            if dims is not None and None not in dims and y is not None and _valued(x) and bool((x == y).all()):
                second = None
            results.append((dtype, dims, x, second))
            return len(results) - 1
        if isinstance(x, (list, tuple)):
            inner = [walk(p, None if y is None else y[i]) for i, p in enumerate(x)]
            if hasattr(x, "_fields"):
                return type(x)(*inner)
            return inner if isinstance(x, list) else tuple(inner)
        return None

    return walk(a, b), results


def _valued(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.device.type != "meta"


def _as_unknown(inputs: list[Tensor], out: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """A number made of unknown sizes that is the same for both probes (`tf.maximum(n, 500)`, `n // 500`) is not known for that."""
    pairs = [(t._t, t._b) for t in inputs if isinstance(t, SymbolicTensor) and t._b is not None and _valued(t._t) and _valued(t._b)]
    differ = [a != b for a, b in pairs if a.shape == b.shape and not torch.equal(a, b)]
    places = torch.zeros(out.shape, dtype=torch.bool)
    for d in differ:
        places = places | d
    return torch.where(places, ~second if second.dtype is torch.bool else second + (PROBES[1] - PROBES[0]), second)


def _told(op: Op, bound: list[Any], symbolic: list[SymbolicTensor], unknown_rank: list[SymbolicTensor]) -> Any:
    """Results that the op itself describes; NotImplemented when it rather runs."""
    args, _ = arguments(op, bound, 0)
    told = op.infer_fn(*args)  # type: ignore[misc]
    if told is NotImplemented:  # the op runs as it is on what there is
        return NotImplemented
    again = told
    if not unknown_rank and any(t._b is not None or _decides(op, bound, t) for t in symbolic):
        args2, _ = arguments(op, bound, 1)
        again = op.infer_fn(*args2)  # type: ignore[misc]
    elif unknown_rank:
        again = _with_sizes(unknown_rank, lambda t: (4, 4, 4), lambda: op.infer_fn(*arguments(op, bound, 0)[0]))  # type: ignore[misc]
    if again is NotImplemented:
        return NotImplemented
    results: list[Result] = []
    sources = [a for a in _leaves(args) if a.requires_grad]
    for (dtype, shape), (_, shape2) in zip(told, again, strict=True):
        dims: Any
        if shape is None or shape2 is None or len(shape) != len(shape2):
            dims = None
        else:
            dims = tuple(m if m == n else None for m, n in zip(tuple(shape), tuple(shape2), strict=True))
        a = linked(probe_storage(dtype, dims, 0), sources)
        b = linked(probe_storage(dtype, dims, 1), sources) if dims is None or None in dims else None
        results.append((dtype, dims, a, b))
    if hasattr(told, "_fields"):
        return type(told)(*range(len(results))), results, False
    if op.multi or len(results) != 1:
        return list(range(len(results))), results, False
    return 0, results, False


def _with_sizes(open_: list[SymbolicTensor], sizes: Callable[[SymbolicTensor], Any], run: Callable[[], Any]) -> Any:
    """Run with other storages in the place of the probes."""
    saved = [(t, t._t, t._b) for t in open_]
    try:
        for t in open_:
            if t._dims is not None and None in t._dims or t._dims is None:
                fresh = probe_storage(t._dtype, sizes(t), 0)
                t._t = t._b = linked(fresh, [t._t])
        return run()
    finally:
        for t, a, b in saved:
            t._t, t._b = a, b


def _other_sizes(op: Op, bound: list[Any], open_: list[SymbolicTensor]) -> tuple[Any, Any]:
    """The probes' sizes do not fit together with the known ones: try the known ones, and 1."""
    varied = _varied(op, bound, open_)
    if varied is not None:
        return varied
    known = {d for t in _tensors(bound) for d in (t._dims or () if isinstance(t, SymbolicTensor) else t._t.shape) if d}
    first: Exception | None = None
    try:  # a size that more numbers divide
        out = _with_sizes(open_, lambda t: tuple(12 if d is None else d for d in t._dims), lambda: _run(op, bound, 0))  # type: ignore[misc]
        return out, _run(op, bound, 1)
    except Exception as error:  # noqa: BLE001 - other sizes may fit
        first = error
    for size in [*sorted(known, reverse=True), 1]:
        try:
            out, second = _with_sizes(
                open_, lambda t, size=size: tuple(size if d is None else d for d in t._dims), lambda: _of_numbers(op, bound, open_)  # type: ignore[misc]
            )
        except Exception as error:  # noqa: BLE001 - the next size may fit
            first = first or error
            continue
        if second is not None:
            return out, second
        return _loosened(op, bound, open_, size, out)
    if first is not None and never_fit(op, bound):
        raise first
    # an op whose result depends on a shape that is not known at all
    for i, (kind, value) in enumerate(zip(op.kinds, bound, strict=True)):
        if kind is not None and kind.what == "shape" and value is not None:
            dtype = _dtype_for_some_shape(op, bound, i)
            rank = len(value) if isinstance(value, tuple) else (value._dims or (None,))[0]
            sources = [_storage(t, 0) for t in _tensors(bound)]
            if rank is None:
                return _Unknown(dtype, linked(probe_storage(dtype, None, 0), sources), linked(probe_storage(dtype, None, 1), sources)), None
            dims = tuple(v if isinstance(v, int) and v >= 0 else None for v in (value if isinstance(value, tuple) else (None,) * rank))
            return linked(probe_storage(dtype, dims, 0), sources), linked(probe_storage(dtype, dims, 1), sources)
    assert first is not None
    inputs = _tensors(bound)
    if op.multi or not inputs or all(t._b is None or t._dims is None for t in open_):
        raise first
    # the op may well run on the sizes to come, so what is wrong is said then
    sources = [_storage(t, 0) for t in inputs]
    dtype = inputs[0].dtype
    return _Unknown(dtype, linked(probe_storage(dtype, None, 0), sources), linked(probe_storage(dtype, None, 1), sources)), None


def _of_numbers(op: Op, bound: list[Any], open_: list[SymbolicTensor]) -> tuple[Any, Any]:
    """The result, and that for other values of numbers that decide its shape, where there are such."""
    out = _run(op, bound, 0)
    if isinstance(out, torch.Tensor) and any(_decides(op, bound, t) for t in open_):
        try:
            second = _run(op, bound, 1)
        except Exception:  # noqa: BLE001 - these numbers do not fit
            return out, None
        if isinstance(second, torch.Tensor) and second.shape != out.shape:
            return out, second
    return out, None


def _dtype_for_some_shape(op: Op, bound: list[Any], at: int) -> dtypes.DType:
    """The dtype of an op's result whatever its shape: that of a run with a shape that its tensors broadcast to."""
    others = [t for t in _tensors(bound) if t is not bound[at]]
    shapes = [tuple(_storage(t, 0).shape) for t in others]
    try:
        shapes.append(tuple(np.broadcast_shapes(*shapes)))
    except ValueError:
        pass
    for shape in sorted(shapes, key=len, reverse=True):
        try:
            out = _run(op, [*bound[:at], shape, *bound[at + 1 :]], 0)
        except Exception:  # noqa: BLE001 - another shape may do
            continue
        if isinstance(out, (torch.Tensor, np.ndarray)):
            return dtypes.of(out)
    return next((t.dtype for t in others), dtypes.float32)


def _varied(op: Op, bound: list[Any], open_: list[SymbolicTensor]) -> tuple[Any, Any] | None:
    """Numbers made of unknown sizes that only one of the probes allows (`10 - n` as a size): a second run near that one."""
    numbers = [t for t in open_ if t._b is not None and t._b.shape == t._t.shape and _valued(t._t) and _valued(t._b) and t._t.dtype in _WHOLE]
    numbers = [t for t in numbers if t._t.dtype is not torch.bool and not torch.equal(t._t, t._b)]
    if not numbers or any(t._dims is None for t in open_):
        return None
    saved = [(t, t._t, t._b) for t in open_]
    whole = {id(t) for t in numbers}
    for which in (0, 1):
        try:
            outs = []
            for more in (0, 1):
                for t, a, b in saved:
                    if id(t) in whole:
                        t._t = t._b = (b if which else a) + more * (a != b)
                    elif None in t._dims:  # type: ignore[operator]
                        dims = tuple(PROBES[which] + more if d is None else d for d in t._dims)  # type: ignore[union-attr]
                        t._t = t._b = linked(probe_storage(t._dtype, dims, 0), [a])
                outs.append(_run(op, bound, 0))
            return outs[0], outs[1]
        except Exception:  # noqa: BLE001 - the other probe may do, or other sizes
            continue
        finally:
            for t, a, b in saved:
                t._t, t._b = a, b
    return None


def _loosened(op: Op, bound: list[Any], open_: list[SymbolicTensor], size: int, out: Any) -> tuple[Any, Any]:
    """Unknown dimensions all of one size fit: let those differ that need not be of this size, an axis (from the right) at a time."""
    axes: dict[int, list[tuple[int, int]]] = {}
    for t in open_:
        for axis, d in enumerate(t._dims or ()):
            if d is None:
                axes.setdefault(axis - len(t._dims), []).append((id(t), axis))  # type: ignore[arg-type]
    if sum(map(len, axes.values())) < 2 or any(t._dims is None for t in open_):
        return out, None
    free: set[tuple[int, int]] = set()

    def run(probe: int, loose: set[tuple[int, int]]) -> Any:
        def sizes(t: SymbolicTensor) -> tuple[int, ...]:
            return tuple(d if d is not None else probe if (id(t), axis) in loose else size for axis, d in enumerate(t._dims))  # type: ignore[arg-type]

        return _with_sizes(open_, sizes, lambda: _run(op, bound, 0))

    for members in axes.values():
        for attempt in (members,) if len(members) == 1 else (members, *[[m] for m in members]):
            try:
                for probe in PROBES:
                    run(probe, free.union(attempt))
            except Exception:  # noqa: BLE001 - these have to be of the known size
                continue
            free.update(attempt)
    if not free:
        return out, None
    return run(PROBES[0], free), run(PROBES[1], free)


class _Unknown:
    """A result of which only the dtype is known."""

    def __init__(self, dtype: dtypes.DType, a: Any, b: Any) -> None:
        self.result: Result = (dtype, None, a, b)


def _as_asked(bound: list[Any]) -> tuple[Any, list[Result], bool]:
    """The result of an op that is told its result's shape, for an input of unknown rank."""
    shape = _static("shape", bound[1], 0) if not isinstance(bound[1], SymbolicTensor) or bound[1]._const else bound[1]
    dims: tuple[int | None, ...] | None = None
    if isinstance(shape, tuple):
        dims = tuple(d if isinstance(d, int) and d >= 0 else None for d in shape)
    elif isinstance(shape, SymbolicTensor) and shape._dims is not None and isinstance(shape._dims[0], int):
        dims = (None,) * shape._dims[0]
    return 0, [_described(bound, dims)], False


def _described(bound: list[Any], dims: tuple[int | None, ...] | None) -> Result:
    """A result of the first input's dtype of which nothing but `dims` is known."""
    inputs = _tensors(bound)
    dtype = inputs[0].dtype
    sources = [_storage(t, 0) for t in inputs]
    a = linked(probe_storage(dtype, dims, 0), sources)
    return dtype, dims, a, linked(probe_storage(dtype, dims, 1), sources) if dims is None or None in dims else None


def _unranked(op: Op, bound: list[Any], unknown: list[SymbolicTensor]) -> tuple[Any, list[Result], bool]:
    """Inputs of unknown rank: ranks are tried, and what is alike in two of them is known."""
    found: list[Any] = []
    first: Exception | None = None
    known = {d for t in _tensors(bound) for d in (t._dims or () if isinstance(t, SymbolicTensor) else t._t.shape) if d and d != 4}
    tried = 4
    for tried in (4, *sorted(known, reverse=True)):
        for rank in (2, 3, 1, 4, 0):
            try:
                found.append(_with_sizes(unknown, lambda t, rank=rank, size=tried: (size,) * rank, lambda: _run(op, bound, 0)))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 - another rank may do
                first = first or error
            if len(found) == 2:
                break
        if found:
            break
    else:
        assert first is not None
        if op.multi:
            raise first
        return 0, [_described(bound, None)], False  # it may well run on the shapes to come
    structure, results = _results(found[0], found[-1])
    out: list[Result] = []
    for dtype, dims, a, b in results:
        if len(found) < 2 or dims is None:
            sources = [a]
            out.append((dtype, None, linked(probe_storage(dtype, None, 0), sources), linked(probe_storage(dtype, None, 1), sources)))
        elif dims:
            # equal sizes come from the tried size: only the rank is certain
            dims = tuple(None if d in (tried, None) else d for d in dims)
            out.append((dtype, dims, linked(probe_storage(dtype, dims, 0), [a]), linked(probe_storage(dtype, dims, 1), [a]) if None in dims else None))
        else:
            out.append((dtype, dims, _to_meta(a) if not a.requires_grad else a, None))
    return structure, out, False
