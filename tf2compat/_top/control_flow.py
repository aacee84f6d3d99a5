"""Conditions, loops and higher-order functions, in eager code and in graphs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import control, dtypes, nest, state
from .._engine.convert import convert_to_tensor
from .._engine.op import entering, wrap_here
from .._engine.shapes import TensorShape
from .._engine.specs import TensorSpec
from .._engine.symbolic import SymbolicTensor
from .._engine.tensor import Tensor
from .._engine.variable import Variable
from .mapping import element_of, leading, map_fn, value_of
from .tensor_array import TensorArray

__all__ = [
    "CriticalSection", "TensorArray", "case", "cond", "foldl", "foldr", "map_fn", "scan", "switch_case", "vectorized_map", "while_loop",
]  # fmt: skip


def _converted(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function given to control flow, rewritten by AutoGraph while a graph is traced."""
    if state.local.graph is None:
        return fn
    from .._engine.autograph import converted_call

    return lambda *args: converted_call(fn, args)


def _true(value: Any) -> bool:
    return bool(value)


# --- conditions ------------------------------------------------------------------------------------------------------
def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """`true_fn()` if `pred` else `false_fn()` (`tf.cond`).

    In a graph both are traced and must give the same structure of the same dtypes, else TypeError.
    """
    if not callable(true_fn):
        raise TypeError("'true_fn' must be callable.")
    if not callable(false_fn):
        raise TypeError("'false_fn' must be callable.")
    if state.local.graph is None:
        return true_fn() if _true(pred) else false_fn()
    if isinstance(pred, (bool, np.bool_)):
        return _converted(true_fn if pred else false_fn)()
    return control.cond(_scalar(pred), _converted(true_fn), _converted(false_fn), name or "cond")


def _scalar(pred: Any) -> Tensor:
    t = convert_to_tensor(pred)
    if t.dtype is not dtypes.bool:
        from . import arithmetic

        return arithmetic.cast(t, dtypes.bool)
    return t


def _pairs(pred_fn_pairs: Any) -> list[tuple[Any, Any]]:
    if isinstance(pred_fn_pairs, dict):
        raise TypeError("pred_fn_pairs must be a list of tuples in eager execution: tensors are not hashable.")
    if not isinstance(pred_fn_pairs, (list, tuple)):
        raise TypeError(f"'pred_fn_pairs' must be a list, tuple, or dict. Received: {type(pred_fn_pairs)}")
    for pair in pred_fn_pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise TypeError(f"Each entry in 'pred_fn_pairs' must be a 2-tuple. Received {pair}.")
        if not isinstance(pair[0], (Tensor, Variable)):
            raise TypeError(f"pred must be a Tensor, got: {pair[0]}")
        if not callable(pair[1]):
            raise TypeError(f"fn for pred {pair[0]} must be callable.")
    return list(pred_fn_pairs)


def case(pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str = "case") -> Any:
    """The result of the first function whose condition holds, else of `default` (`tf.case`).

    InvalidArgumentError when none holds and there is no default, or when `exclusive` and several hold.
    """
    pairs = _pairs(pred_fn_pairs)
    from .asserting import Assert

    if exclusive and len(pairs) > 1 and state.local.graph is not None:
        from .arithmetic import cast
        from .joining import stack

        holding = cast(stack([convert_to_tensor(p) for p, _ in pairs]), dtypes.int32)
        from ..math import less_equal, reduce_sum

        Assert(less_equal(reduce_sum(holding), 1), ["Input error: exclusive=True: more than one condition evaluated as True."])
    if default is not None and not callable(default):
        raise TypeError("'default' must be callable.")
    last = default
    if last is None:
        if not pairs:
            raise ValueError("case needs at least one pair or a default")
        pred, fn = pairs[-1]
        shown = pred
        if state.local.graph is not None and len(pairs) > 1:
            from .joining import stack

            shown = stack([convert_to_tensor(p) for p, _ in pairs])

        def last() -> Any:
            Assert(pred, ["Input error: None of conditions evaluated as True:", shown])
            return _converted(fn)()

        pairs = pairs[:-1]

    def choose(i: int) -> Any:
        if i == len(pairs):
            return _converted(last)() if default is not None else last()
        return cond(pairs[i][0], pairs[i][1], lambda: choose(i + 1))

    return choose(0)


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: str = "switch_case") -> Any:
    """The result of the function at `branch_index`; of `default`, or the last one, outside of the range (`tf.switch_case`)."""
    if not isinstance(branch_index, (Tensor, Variable)):
        raise TypeError(f"'branch_index' must be a Tensor, got {type(branch_index)}")
    if not branch_index.dtype.is_integer:
        raise TypeError(f"'branch_index' must be an integer Tensor, got {branch_index.dtype}")
    if isinstance(branch_fns, (list, tuple)):
        for f in branch_fns:
            if not callable(f) and not (isinstance(f, (list, tuple)) and len(f) == 2):
                raise TypeError(f"Each entry in 'branch_fns' must be a 2-tuple. Received {f}.")
        keys = [i if callable(f) else f[0] for i, f in enumerate(branch_fns)]
    else:
        keys = list(branch_fns) if isinstance(branch_fns, dict) else []
    for key in keys:
        if not isinstance(key, int):
            raise TypeError(f"key must be a Python `int`, got {type(key)}")
    if isinstance(branch_fns, dict):
        pairs = sorted(branch_fns.items())
    elif isinstance(branch_fns, (list, tuple)):
        pairs = [(i, f) if callable(f) else tuple(f) for i, f in enumerate(branch_fns)]
    else:
        raise TypeError(f"'branch_fns' must be a dict, list, or tuple. Received {type(branch_fns)}")
    if not pairs:
        raise ValueError("Argument `branch_fns` must be non-empty.")
    keys = [k for k, _ in pairs]
    if keys != list(range(len(keys))):
        raise ValueError(f"branch indices (keys) must form contiguous range of [0 to {len(keys)}) but found {{{','.join(map(str, keys))}}}")
    for _, f in pairs:
        if not callable(f):
            raise TypeError(f"Functions must be callable, got {f!r}")
    fns = [f for _, f in pairs]
    other = default if default is not None else fns[-1]
    if state.local.graph is None:
        i = int(branch_index)
        return fns[i]() if 0 <= i < len(fns) else other()
    index = convert_to_tensor(branch_index)

    def choose(i: int) -> Any:
        if i == len(fns):
            return _converted(other)()
        return cond(index == convert_to_tensor(i, index.dtype), fns[i], lambda: choose(i + 1))

    return choose(0)


# --- loops -----------------------------------------------------------------------------------------------------------
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds (`tf.while_loop`).

    In a graph, a variable must keep its dtype and shape; `shape_invariants` may leave dimensions open. Rounds run in
    order, so `parallel_iterations` and `swap_memory` ask for nothing more; `back_prop=False` cuts the gradient in graphs, as in TensorFlow.
    """
    if not callable(cond):
        raise TypeError("'cond' must be callable.")
    if not callable(body):
        raise TypeError("'body' must be callable.")
    if parallel_iterations < 1:
        raise TypeError("'parallel_iterations' must be a positive integer.")
    if isinstance(loop_vars, (list, tuple)) and not loop_vars:
        raise ValueError("'loop_vars' must be provided.")
    if state.local.graph is None:
        return _eager_while(cond, body, loop_vars, maximum_iterations)
    out = _graph_while(cond, body, loop_vars, shape_invariants, maximum_iterations, name or "while")
    return out if back_prop else nest.map_structure(_stopped, out, expand_composites=True)


def _stopped(v: Any) -> Any:
    from .._engine.custom_gradient import stop_gradient

    return stop_gradient(v) if isinstance(v, Tensor) else v


def _eager_while(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any) -> Any:
    limit = None if maximum_iterations is None else int(maximum_iterations)
    rounds = 0
    packed = isinstance(loop_vars, list)
    while (limit is None or rounds < limit) and _true(cond(*loop_vars)):
        new = body(*loop_vars)
        if packed and not isinstance(new, (list, tuple)) or isinstance(new, (Tensor, Variable, TensorArray)):
            new = (new,)
        try:
            nest.assert_same_structure(list(loop_vars), list(new), check_types=False)
        except (ValueError, TypeError) as error:
            specs = nest.map_structure(lambda v: v if hasattr(type(v), "_tf_components") else TensorSpec.from_tensor(convert_to_tensor(v)), loop_vars)
            raise type(error)(f"{error}\nThe loop's variables are {specs}") from None
        loop_vars = new
        rounds += 1
    return nest.map_structure(
        value_of, list(loop_vars) if packed else loop_vars
    )


def _graph_while(cond: Any, body: Any, loop_vars: Any, shape_invariants: Any, maximum_iterations: Any, name: str) -> Any:
    cond, body = _converted(cond), _converted(body)
    loop_vars = nest.map_structure(value_of, loop_vars)
    flat = [convert_to_tensor(v) for v in nest.flatten(loop_vars, expand_composites=True)]
    dims = [control.dims_of(t) for t in flat]
    if shape_invariants is not None:
        shapes = [
            part for s in nest.flatten(shape_invariants) for part in (s._component_specs if hasattr(type(s), "_component_specs") else [s])
        ]
        if len(shapes) != len(flat):
            nest.assert_same_structure(loop_vars, shape_invariants)
        for i, s in enumerate(shapes):
            shape = TensorShape(getattr(s, "shape", s))
            if flat[i].dtype is dtypes.variant:
                continue
            if not TensorShape._of(dims[i]).is_subtype_of(shape):
                raise ValueError(
                    f"The shape invariant specified for {flat[i]} is not compatible with the initial shape of the loop variable. It enters the "
                    f"loop with shape {TensorShape._of(dims[i])}, but the specified shape invariant is {shape}."
                )
            dims[i] = None if shape.rank is None else tuple(shape.as_list())
    last = [loop_vars]

    def unflat(values: list[Any]) -> Any:
        return nest.pack_sequence_as(last[0], values, expand_composites=True)

    def run(items: list[Any], values: list[Any]) -> list[Any]:
        new = body(*unflat(values))
        if isinstance(new, (Tensor, Variable, TensorArray)) or not isinstance(new, (list, tuple)):
            new = [new]
        given = list(loop_vars) if isinstance(loop_vars, (list, tuple)) else loop_vars
        try:
            nest.assert_same_structure(given, list(new), check_types=False, expand_composites=True)
        except (ValueError, TypeError) as error:
            raise ValueError(str(error)) from None
        last[0] = type(loop_vars)(new) if not hasattr(loop_vars, "_fields") else type(loop_vars)(*new)
        return nest.flatten(last[0], expand_composites=True)

    def check(entry: list[Any], out: list[Any]) -> None:
        for a, b, d in zip(entry, out, dims, strict=True):
            label = a.name
            if a.dtype is not b.dtype:
                raise TypeError(
                    f"Loop var {label} enters the loop with type {a.dtype} but has type {b.dtype} after 1 iteration. {label} type should "
                    "remain constant."
                )
            if not TensorShape._of(control.dims_of(b)).is_subtype_of(TensorShape._of(d)):
                raise ValueError(
                    f"Input tensor `{label}` enters the loop with shape {TensorShape._of(control.dims_of(a))}, but has shape "
                    f"{TensorShape._of(control.dims_of(b))} after one iteration. To allow the shape to vary across iterations, use the "
                    "`shape_invariants` argument of tf.while_loop to specify a less-specific shape."
                )

    limit = int(maximum_iterations) if isinstance(maximum_iterations, (np.integer, np.ndarray)) else maximum_iterations
    if isinstance(limit, Tensor):
        limit = state.local.graph._own(limit)
        if not isinstance(limit, SymbolicTensor):
            limit = int(limit)

    def test(values: list[Any]) -> Any:
        return _scalar(cond(*unflat(values)))

    outs = control.loop(flat, dims, test, run, check, None, limit, name)
    return unflat(outs)


# --- higher-order functions ------------------------------------------------------------------------------------------
def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All intermediate results of a fold over the first axis, stacked (`tf.scan`)."""
    if not callable(fn):
        raise TypeError(f"{fn!r} is not callable.")
    elems = nest.map_structure(convert_to_tensor, elems)
    flat = nest.flatten(elems)
    n = leading(flat)
    fn = _converted(fn)

    def at(i: Any) -> Any:
        return nest.map_structure(lambda t: t[i], elems)

    last = n - 1
    if initializer is None:
        start = at(last if reverse else 0)
        count = 1
    else:
        start = nest.map_structure(convert_to_tensor, initializer)
        count = 0
    state_flat = nest.flatten(start)
    arrays = [TensorArray(t.dtype, size=n, element_shape=t.shape if infer_shape else None) for t in state_flat]
    first: Any = last if reverse else 0
    if count:
        arrays = [a.write(first, t) for a, t in zip(arrays, state_flat, strict=True)]

    def body(k: Any, carried: Any, written: Any) -> Any:
        i = last - k if reverse else k
        new = fn(nest.pack_sequence_as(start, carried), at(i))
        nest.assert_same_structure(start, new, check_types=False)
        values = [convert_to_tensor(v, t.dtype) if not hasattr(v, "dtype") else convert_to_tensor(v) for v, t in zip(nest.flatten(new), state_flat, strict=True)]
        for v, t in zip(values, state_flat, strict=True):
            if v.dtype is not t.dtype and state.local.graph is not None:
                raise TypeError(f"scan: the state has dtype {t.dtype!r} but dtype {v.dtype!r} after one iteration. Its dtype should remain constant.")
        return k + 1, values, [a.write(i, v) for a, v in zip(written, values, strict=True)]

    out = while_loop(lambda k, c, w: k < n, body, (convert_to_tensor(count), state_flat, arrays), back_prop=back_prop)
    return nest.pack_sequence_as(start, [a.stack() for a in out[2]])


def _fold(fn: Any, elems: Any, initializer: Any, back_prop: bool, backwards: bool) -> Any:
    if not callable(fn):
        raise TypeError(f"{fn!r} is not callable.")
    elems = nest.map_structure(value_of, elems)
    n = leading(nest.flatten(elems))
    fn = _converted(fn)

    def at(i: Any) -> Any:
        return nest.map_structure(lambda t: element_of(t, i), elems)

    last = n - 1
    start = at(last if backwards else 0) if initializer is None else nest.map_structure(convert_to_tensor, initializer)
    flat = nest.flatten(start)

    def body(k: Any, carried: Any) -> Any:
        new = fn(nest.pack_sequence_as(start, carried), at(last - k if backwards else k))
        return k + 1, nest.flatten(new)

    out = while_loop(lambda k, c: k < n, body, (convert_to_tensor(0 if initializer is not None else 1), flat), back_prop=back_prop)
    return nest.pack_sequence_as(start, out[1])


def foldl(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """`fn(fn(a, e0), e1) …` over the first axis of `elems` (`tf.foldl`)."""
    return _fold(fn, elems, initializer, back_prop, False)


def foldr(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """As `foldl`, from the last element to the first (`tf.foldr`)."""
    return _fold(fn, elems, initializer, back_prop, True)


def vectorized_map(fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """`fn` applied to all slices of `elems` at once, by torch.vmap (`tf.vectorized_map`).

    Where an op has no vectorised form the slices are taken one by one, or ValueError without `fallback_to_while_loop`.
    """
    elems = nest.map_structure(convert_to_tensor, elems)
    flat = nest.flatten(elems)
    if state.local.graph is None:
        storages = [entering(t) for t in flat]
        shape: list[Any] = []

        def run(*rows: torch.Tensor) -> Any:
            result = fn(nest.pack_sequence_as(elems, [wrap_here(r) for r in rows]))
            shape[:] = [result]
            return tuple([entering(convert_to_tensor(r)) for r in nest.flatten(result)])

        n = max((s.shape[0] for s in storages if s.ndim), default=0)
        axes = tuple(None if s.shape[0] == 1 and n != 1 else 0 for s in storages)
        rows = [s[0] if a is None else s for s, a in zip(storages, axes, strict=True)]
        from ..random.seeding import in_rows

        before, in_rows.refused = in_rows.active, False
        try:
            state.enter_slow()
            in_rows.active = True
            try:
                outs = torch.vmap(run, in_dims=axes, randomness="different")(*rows)
            finally:
                in_rows.active = before
                state.exit_slow()
            return nest.pack_sequence_as(shape[0], [wrap_here(o) for o in outs])
        except Exception as error:
            if not fallback_to_while_loop and not in_rows.refused:
                raise ValueError(f"vectorized_map: {error}") from error
    n = leading(flat)
    first = control.block(state.local.graph, "shape", lambda: _converted(fn)(nest.map_structure(lambda t: t[0], elems)))[1] if (
        state.local.graph is not None
    ) else fn(nest.map_structure(lambda t: t[0], elems))  # fmt: skip
    return map_fn(fn, elems, fn_output_signature=nest.map_structure(lambda t: convert_to_tensor(t).dtype, first))


class CriticalSection:
    """A lock around functions that use the same resources (`tf.CriticalSection`)."""

    def __init__(self, name: str | None = None, shared_name: str | None = None, critical_section_def: Any = None, import_scope: Any = None) -> None:
        if critical_section_def is not None or import_scope is not None:
            raise ValueError("CriticalSection: critical_section_def and import_scope belong to TensorFlow 1 and are not supported")
        self._name = name or shared_name or "critical_section"
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        return self._name

    def execute(self, fn: Callable[[], Any], exclusive_resource_access: bool = True, name: str | None = None) -> Any:
        """`fn()`, while no other thread is in this section."""
        if not callable(fn):
            raise errors.InvalidArgumentError(None, None, f"CriticalSection.execute needs a function, got {fn!r}")
        with self._lock:
            return fn()
