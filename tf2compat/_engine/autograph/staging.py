"""AutoGraph's statements on symbolic values: what they change becomes the variables of a recorded If, While or For."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import control, dtypes, nest, state
from ..convert import convert_to_tensor
from ..graph import Graph
from ..shapes import TensorShape
from ..symbolic import SymbolicTensor
from ..tensor import Tensor
from ..variable import Variable
from . import operators
from .undefined import Undefined, UndefinedReturnValue

__all__ = ["Staged", "install"]

_LEGAL = "Tensor, int, float, bool or a list, tuple or dict thereof"
_NOTHING = (Undefined, UndefinedReturnValue)


def install() -> None:
    """Let converted code record control flow."""
    from ...errors import OperatorNotAllowedInGraphError

    Staged.not_a_bool = OperatorNotAllowedInGraphError
    operators.staged = Staged


def _condition(value: Any, tag: str) -> Tensor:
    """A condition as a scalar bool tensor; ValueError otherwise."""
    hint = "to check for None, use `is not None`"
    t = convert_to_tensor(value)
    if t.dtype is not dtypes.bool:
        raise ValueError(f"condition of {tag} expected to be `tf.bool` scalar, got {t}; to use as boolean Tensor, use `tf.cast`; {hint}")
    dims = control.dims_of(t)
    if dims is not None and dims and any(d is not None and d > 1 for d in dims):
        raise ValueError(f"condition of {tag} expected to be `tf.bool` scalar, got {t}; {hint}")
    return t


def _plain(v: Any) -> bool:
    return isinstance(v, (bool, int, float, str, np.ndarray, np.generic))


def _as_tensor(v: Any) -> Any:
    return convert_to_tensor(v) if _plain(v) or isinstance(v, Variable) else v


def _composite_key(v: Any) -> Any:
    return nest.flatten(v, expand_composites=True)


# --- if --------------------------------------------------------------------------------------------------------------
def _check_branch(values: tuple[Any, ...], symbols: tuple[str, ...], branch: str) -> None:
    for symbol, v in zip(symbols, values, strict=False):
        if isinstance(v, Undefined):
            raise ValueError(f"'{symbol}' must also be initialized in the {branch} branch")
        if isinstance(v, UndefinedReturnValue):
            raise ValueError(f"the {branch} branch must also have a return statement.")


def _check_branches(body: tuple[Any, ...], orelse: tuple[Any, ...], symbols: tuple[str, ...]) -> None:
    for symbol, a, b in zip(symbols, body, orelse, strict=False):
        try:
            nest.assert_same_structure(_tensors(a), _tensors(b), expand_composites=True)
        except (ValueError, TypeError) as error:
            raise TypeError(f"'{symbol}' must have the same nested structure in the main and else branches:\n\n{error}") from error
        for x, y in zip(_composite_key(a), _composite_key(b), strict=True):
            if x is None and y is None and symbol == "retval_":
                continue
            if x is None:
                raise ValueError(f"'{symbol}' is None at the end of the main branch.")
            if y is None:
                raise ValueError(f"'{symbol}' is None at the end of the else branch.")
            x, y = _as_tensor(x), _as_tensor(y)
            if isinstance(x, Tensor) and isinstance(y, Tensor) and x.dtype is not y.dtype:
                raise TypeError(
                    f"'{symbol}' has dtype {x.dtype.name} in the main branch, but dtype {y.dtype.name} in the else branch"
                )


def _tensors(structure: Any) -> Any:
    return nest.map_structure(lambda v: v._as_tensor() if isinstance(v, Variable) else v, structure)


class _Same:
    """An object that both branches, or all rounds of a loop, leave as it is; no tensor stands for it."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _can_be_tensor(v: Any) -> bool:
    return v is None or isinstance(v, (Tensor, Variable)) or _plain(v) or isinstance(v, (bytes, complex, TensorShape))


def _fixed(value: Any) -> bool:
    """Whether no tensors stand for a value: loops and conditions leave it as it is. Datasets are left so where that does."""
    return any(hasattr(type(v), "_tf_staged") for v in nest.flatten(value)) or not all(
        _can_be_tensor(v) for v in nest.flatten(value, expand_composites=True)
    )


def _if(cond: Any, body: Callable[[], None], orelse: Callable[[], None], get: Any, put: Any, symbols: Any, outputs: int) -> None:
    pred = _condition(cond, "if statement")
    before = get()
    results: list[tuple[Any, ...]] = []
    static: dict[int, Any] = {}

    def branch(run: Callable[[], None], which: str) -> Callable[[], Any]:
        def traced() -> Any:
            put(before)
            run()
            values = tuple(v if v is b else control.staged(v) for v, b in zip(get()[:outputs], before, strict=False))
            _check_branch(values, symbols, which)
            results.append(values)
            if len(results) == 2:
                _match(results, static)
                _check_branches(*[tuple(v for i, v in enumerate(r) if i not in static) for r in results], tuple(s for i, s in enumerate(symbols[:outputs]) if i not in static))  # type: ignore[call-arg, arg-type]
            return values

        return traced

    graph: Graph = state.local.graph
    blocks = []
    for run, which in ((body, "main"), (orelse, "else")):
        inner, _ = control.block(graph, f"cond_{which}", branch(run, which))
        blocks.append(inner)
    kept = [i for i in range(len(results[0])) if i not in static]
    flats = [[x for i in kept for x in nest.flatten(r[i], expand_composites=True)] for r in results]
    described = []
    for inner, flat in zip(blocks, flats, strict=True):
        control.finish(inner, flat)
    live = [n for n, o in enumerate(blocks[0].outputs) if o is not None]
    for inner in blocks:
        inner.outputs = [inner.outputs[n] for n in live]
    for a, b in zip(blocks[0].outputs, blocks[1].outputs, strict=True):
        described.append((a.dtype, control.join(control.dims_of(a), control.dims_of(b)), [control._storage(a), control._storage(b)]))
    outs = control.add_if(graph, "cond", pred, described, blocks)
    full: list[Any] = [None] * len(flats[0])
    for n, o in zip(live, outs, strict=True):
        full[n] = o
    at = 0
    final = []
    for i, v in enumerate(results[0]):
        if i in static:
            final.append(static[i])
            continue
        count = len(nest.flatten(v, expand_composites=True))
        v = control.either(v, results[1][i])
        final.append(nest.pack_sequence_as(v, full[at : at + count], expand_composites=True) if nest.is_nested(v) or count != 1 or hasattr(type(v), "_tf_components") else full[at])
        at += count
    put((*final, *before[outputs:]))


def _match(results: list[tuple[Any, ...]], static: dict[int, Any]) -> None:
    """The values that are one and the same object in both branches and have no tensor form."""
    for i, (a, b) in enumerate(zip(*results, strict=True)):
        if a is b and _fixed(a):
            static[i] = a


# --- loops -----------------------------------------------------------------------------------------------------------
def _nothing(v: Any) -> bool:
    return v is None or isinstance(v, _NOTHING)


def _check_init(values: Any, symbols: Any, first: Any = None, note: str | None = None) -> None:
    for i, (symbol, v) in enumerate(zip(symbols, values, strict=True)):
        if isinstance(v, UndefinedReturnValue):
            if first is not None and first[i]:
                raise ValueError(f"the return value from a TensorFlow loop may only be a {_LEGAL}; got {type(first[i])}")
            raise NotImplementedError(
                "a return statement cannot be placed inside this TensorFlow loop; this may happen if a return statement depends on a static "
                "Python condition such as a hyperparameter"
            )
        message = None
        if v is None:
            message = f"'{symbol}' is not allowed to be None before the loop"
        elif isinstance(v, Undefined):
            message = f"'{symbol}' must be defined before the loop"
            if note:
                message += "\n" + note
        if message:
            raise ValueError(message)


def _stand_in(like: Any, original: Any) -> Any:
    """Zeros in the form of `like`, for a variable that the first round sets."""
    if _nothing(like):
        return original
    if isinstance(like, (bool, int, float)):
        return type(like)(0)
    if isinstance(like, (Tensor, Variable)):
        return control.zeros_like_spec(like._as_tensor() if isinstance(like, Variable) else like)
    if isinstance(like, (list, tuple, dict)):
        return nest.map_structure(lambda v: _stand_in(v, None), like)
    raise TypeError(
        f"Found an unsupported type '{type(like).__name__}' while creating placeholder for {like}. Supported types include Tensor, int, "
        "float, bool, list, tuple or dict."
    )


class _Relaxed(Exception):
    """A loop variable has another shape after a round than before, and may have."""


class _Loop:
    """The variables of one staged loop."""

    relaxed = False

    def __init__(self, body: Callable[..., None], get: Any, put: Any, symbols: tuple[str, ...], options: dict[str, Any], elements: Any) -> None:
        self.get, self.put, self.symbols, self.body = get, put, symbols, body
        given = get()
        self.before = given
        self.needs_round = False
        self.names_undefined: list[str] = []
        values = given
        if any(_nothing(v) for v in given):
            values = self._define(given, elements)
        else:
            _check_init(values, symbols)
        self.static = {
            i: v for i, v in enumerate(values) if _fixed(v)
        }
        self.kept = [i for i in range(len(values)) if i not in self.static]
        self.values = values
        self.flat = [convert_to_tensor(x) for i in self.kept for x in nest.flatten(values[i], expand_composites=True)]
        self.dims = self._invariants(given, options)
        self.last: tuple[Any, ...] = values

    def _define(self, given: tuple[Any, ...], elements: Any) -> tuple[Any, ...]:
        """Types for variables that are not set before the loop, from a trial round."""
        note = None
        first = None
        values = given
        graph: Graph = state.local.graph
        saved_tapes = list(state.local.tapes)
        try:
            trial = Graph("trial", graph)
            with trial.as_default():

                def unknown(v: Any) -> Any:
                    if _plain(v) and not isinstance(v, str):
                        t = convert_to_tensor(v)
                        return trial.placeholder(t.dtype, control.dims_of(t), "trial")
                    return v

                self.put(tuple(nest.map_structure(unknown, v) if not _nothing(v) else v for v in given))
                items = [trial.placeholder(t, d, "trial") for t, d in elements.described] if elements is not None else []
                self.body(*([items] if elements is not None else []))
                first = self.get()
            values = tuple(_stand_in(f, v) if _nothing(v) else v for v, f in zip(given, first, strict=True))
            self.needs_round = True
            self.names_undefined = [
                "the function return value" if isinstance(v, UndefinedReturnValue) else s
                for s, v in zip(self.symbols, given, strict=True) if _nothing(v)
            ]  # fmt: skip
        except (UnboundLocalError, TypeError, ValueError, KeyError) as error:
            note = f"Note: AutoGraph tried to define it automatically, but ran into a {type(error).__name__}: {error}"
        finally:
            state.local.tapes[:] = saved_tapes
            self.put(given)
        _check_init(values, self.symbols, first, note)
        return values

    def _invariants(self, given: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
        wanted = {id(v): shape for v, shape in options.get("shape_invariants") or ()}
        out: list[Any] = []
        self.invariant: list[bool] = []
        at = 0
        for i in self.kept:
            v = self.values[i]
            count = len(nest.flatten(v, expand_composites=True))
            shapes: list[Any] = [None] * count
            if id(given[i]) in wanted:
                shape = wanted[id(given[i])]
                if isinstance(shape, TensorShape) and hasattr(type(v), "_tf_components") and hasattr(v, "dense_shape"):
                    from ...sparse.sparse_tensor import SparseTensorSpec

                    shape = SparseTensorSpec(shape, v.dtype)
                if hasattr(type(shape), "_component_specs") and count > 1:  # of a composite tensor
                    shapes = list(shape._component_specs)
                else:
                    is_shape = isinstance(shape, TensorShape) or not nest.is_nested(v)
                    shapes = [shape] if is_shape else nest.flatten(shape)
            for t, s in zip(self.flat[at : at + count], shapes, strict=False):
                s = getattr(s, "shape", s)
                if s is None:
                    dims = control.dims_of(t)
                    if self.needs_round and _nothing(given[i]) and dims is not None:
                        dims = tuple(None if d == 0 else d for d in dims)
                    out.append(dims)
                    self.invariant.append(False)
                else:
                    shape = TensorShape(s)
                    dims = None if shape.rank is None else tuple(shape.as_list())
                    if not TensorShape._of(control.dims_of(t)).is_subtype_of(shape):
                        raise ValueError(
                            f"'{self.symbols[i]}' has shape {TensorShape._of(control.dims_of(t))} before the loop, which does not "
                            f"conform with the shape invariant {shape}."
                        )
                    out.append(dims)
                    self.invariant.append(True)
            at += count
        return out

    def load(self, flat: list[Any]) -> None:
        """Give the loop variables these values."""
        at, out = 0, []
        for i, v in enumerate(self.last):
            if i in self.static:
                out.append(self.static[i])
                continue
            count = len(nest.flatten(v, expand_composites=True))
            if nest.is_nested(v) or hasattr(type(v), "_tf_components"):
                out.append(nest.pack_sequence_as(v, flat[at : at + count], expand_composites=True))
            else:
                out.append(flat[at])
            at += count
        self.put(tuple(out))

    def store(self) -> list[Any]:
        """The values after a round, checked."""
        values = self.get()
        out: list[Any] = []
        for i, (symbol, before, after) in enumerate(zip(self.symbols, self.values, values, strict=True)):
            if i in self.static:
                if after is not before:
                    convert_to_tensor(after)  # says what has no tensor form
                    raise TypeError(f"'{symbol}' is {before!r} before the loop, which is no tensor, but {after!r} after one iteration")
                continue
            if isinstance(after, _NOTHING):
                raise ValueError(f"'{symbol}' must be defined before the loop")
            try:
                nest.assert_same_structure(_tensors(before), _tensors(after), expand_composites=True)
            except (ValueError, TypeError) as error:
                raise TypeError(f"'{symbol}' does not have the same nested structure after one iteration.\n\n{error}") from error
            flat = nest.flatten(after, expand_composites=True)
            if any(x is None for x in flat):
                raise ValueError(f"'{symbol}' is None at the end of the iteration.")
            out.extend([_as_tensor(x) for x in flat])
        self.last = values
        return out

    def check(self, entry: list[Any], exit_: list[Any]) -> None:
        at = 0
        for i in self.kept:
            count = len(nest.flatten(self.values[i], expand_composites=True))
            for n in range(at, min(at + count, len(entry))):
                a, b = entry[n], exit_[n]
                if a.dtype is not b.dtype:
                    raise TypeError(
                        f"'{self.symbols[i]}' has dtype {a.dtype.name} before the loop, but dtype {b.dtype.name} after one iteration"
                    )
                if not TensorShape._of(control.dims_of(b)).is_subtype_of(TensorShape._of(self.dims[n])):
                    if self.invariant[n]:
                        raise ValueError(
                            f"'{self.symbols[i]}' has shape {TensorShape._of(control.dims_of(b))} after one iteration, which does not "
                            f"conform with the shape invariant {TensorShape._of(self.dims[n])}."
                        )
                    if self.relaxed:
                        self.dims[n] = control.join(self.dims[n], control.dims_of(b))
                        raise _Relaxed
                    raise ValueError(
                        f"'{self.symbols[i]}' has shape {TensorShape._of(control.dims_of(a))} before the loop, but shape "
                        f"{TensorShape._of(control.dims_of(b))} after one iteration. Use tf.autograph.experimental.set_loop_options to set "
                        "shape invariants."
                    )
            at += count

    def run(self, test: Callable[[], Any] | None, elements: Any, limit: Any, round_: Callable[[list[Any]], None]) -> None:
        init, dims = list(self.flat), list(self.dims)
        extra = 0
        if self.needs_round:  # a flag that says whether the loop ran
            init.append(convert_to_tensor(False))
            dims.append(())
            extra = 1

        def ask(values: list[Any]) -> Any:
            self.load(values[: len(values) - extra])
            return _condition(test(), "while loop")  # type: ignore[misc]

        def ask_after(values: list[Any]) -> Any:
            return _condition(test(), "while loop")  # type: ignore[misc]

        def body(items: list[Any], values: list[Any]) -> list[Any]:
            self.load(values[: len(values) - extra])
            round_(items)
            out = self.store()
            return [*out, convert_to_tensor(True)] if extra else out

        while True:
            given = self.get()
            try:
                outs = control.loop(
                    init, dims, (ask if elements is None else ask_after) if test is not None else None, body, self.check, elements, limit
                )
                break
            except _Relaxed:  # a loop over a dataset is traced again with shapes that cover all rounds
                dims[: len(self.dims)] = self.dims
                self.last = self.values
                self.put(given)
        if extra:
            from ..._top.asserting import Assert

            Assert(outs[-1], [f"loop must iterate at least once to initialize {', '.join(self.names_undefined)}"])
            outs = outs[:-1]
        self.load(outs)


def _while(test: Any, body: Any, get: Any, put: Any, symbols: tuple[str, ...], options: dict[str, Any]) -> None:
    loop = _Loop(body, get, put, symbols, options, None)
    loop.run(test, None, options.get("maximum_iterations"), lambda items: body())


def _for(
    iterated: Any, extra_test: Any, body: Any, get: Any, put: Any, symbols: tuple[str, ...], target: str, options: dict[str, Any]
) -> None:  # fmt: skip
    spec = None
    default = None
    if isinstance(iterated, (Tensor, Variable)):
        t = convert_to_tensor(iterated)
        graph: Graph = state.local.graph
        t = graph._own(t)
        if t.shape.rank == 0:
            raise ValueError("Cannot iterate over a scalar tensor.") if isinstance(t, SymbolicTensor) else TypeError("Cannot iterate over a scalar tensor.")
        elements = control.numbers(t) if isinstance(t, SymbolicTensor) else None
        if elements is not None:
            default = elements.given[0]
        else:
            elements = control.rows(t)
    elif hasattr(type(iterated), "element_spec"):
        elements, spec = control.elements_of(iterated)
    else:
        elements = control.rows(iterated.stack())

    def round_(items: list[Any]) -> None:
        body(control.element(spec, items) if spec is not None else items[0])

    if default is not None:
        plain_get = get

        @functools.wraps(get)
        def get() -> Any:  # a range's variable has a value even when the loop does not run
            return tuple(default if s == target and isinstance(v, Undefined) else v for s, v in zip(symbols, plain_get(), strict=True))

    loop = _Loop(round_, get, put, symbols, options, elements)
    loop.relaxed = spec is not None and not hasattr(iterated, "get_next")
    if extra_test is not None:
        go_on = extra_test()
        if isinstance(go_on, (Tensor, Variable)):
            _if(go_on, lambda: loop.run(extra_test, elements, options.get("maximum_iterations"), round_), lambda: None, get, put, symbols, len(symbols))
            return
        if not go_on:
            return
    loop.run(extra_test, elements, options.get("maximum_iterations"), round_)


class Staged:
    """The recorder's control flow for AutoGraph's operators."""

    not_a_bool: Any = TypeError

    @staticmethod
    def is_symbolic(value: Any) -> bool:
        return isinstance(value, (Tensor, Variable)) and state.local.graph is not None

    @staticmethod
    def is_iterated(value: Any) -> bool:
        if state.local.graph is None:
            return False
        return isinstance(value, (Tensor, Variable)) or getattr(type(value), "_ag_iterated", False) or _is_dataset(value)

    @staticmethod
    def probe(test: Callable[[], Any]) -> Any:
        """A condition's value, evaluated without leaving a trace in the graph."""
        graph = state.local.graph
        if graph is None:
            return test()
        aside = Graph("probe", graph)
        with aside.as_default():
            return test()

    if_stmt = staticmethod(_if)
    while_stmt = staticmethod(_while)
    for_stmt = staticmethod(_for)

    @staticmethod
    def if_exp(cond: Any, body: Any, orelse: Any, text: str) -> Any:
        result: list[Any] = [Undefined(text)]

        def put(values: Any) -> None:
            result[0] = values[0]

        def run(fn: Any) -> Callable[[], None]:
            def call() -> None:
                result[0] = fn()

            return call

        _if(cond, run(body), run(orelse), lambda: (result[0],), put, (text,), 1)
        return result[0]

    @staticmethod
    def and_(value: Any, rest: Callable[[], Any]) -> Any:
        return control.cond(control_predicate(value), rest, lambda: convert_to_tensor(value))

    @staticmethod
    def or_(value: Any, rest: Callable[[], Any]) -> Any:
        return control.cond(control_predicate(value), lambda: convert_to_tensor(value), rest)

    @staticmethod
    def not_(value: Any) -> Any:
        from ...math import logical_not

        return logical_not(value)

    @staticmethod
    def assert_stmt(test: Any, message: Any) -> None:
        bool(convert_to_tensor(test) if isinstance(test, Variable) else test)

    # --- builtins ----------------------------------------------------------------------------------------------------
    @staticmethod
    def abs_(x: Any) -> Any:
        return abs(x)

    @staticmethod
    def float_(x: Any = 0) -> Any:
        from tf2compat import cast, strings

        return strings.to_number(x, dtypes.float32) if x.dtype is dtypes.string else cast(x, dtypes.float32)

    @staticmethod
    def int_(x: Any = 0, base: Any = 10) -> Any:
        from tf2compat import cast, strings

        if base != 10:
            raise NotImplementedError(f"base {base} not supported for int")
        return strings.to_number(x, dtypes.int32) if x.dtype is dtypes.string else cast(x, dtypes.int32)

    @staticmethod
    def len_(s: Any) -> Any:
        from tf2compat import shape

        if not isinstance(s, (Tensor, Variable)):
            return s.size() if hasattr(s, "size") else len(s)
        if s.shape.rank and s.shape[0] is not None:
            return s.shape[0]
        if s.shape.rank == 0:
            raise ValueError(f"len requires a non-scalar tensor, got one of shape {shape(s)}")
        return shape(s)[0]

    @staticmethod
    def range_(start: Any, stop: Any = None, step: Any = None) -> Any:
        import tf2compat as tf

        if step is not None:
            return tf.range(start, stop, step)
        if stop is not None:
            return tf.range(start, tf.maximum(start, stop))
        return tf.range(tf.maximum(start, 0))

    @staticmethod
    def sorted_(iterable: Any, key: Any = None, reverse: bool = False) -> Any:
        import tf2compat as tf

        if key is not None:
            mapped = tf.map_fn(key, iterable)
            return tf.gather_nd(iterable, tf.argsort(mapped)[..., None])
        return tf.sort(iterable, direction="DESCENDING" if reverse else "ASCENDING")

    @staticmethod
    def next_(iterator: Any, default: Any = None) -> Any:
        return _next(iterator, default)

    @staticmethod
    def enumerate_(s: Any, start: int = 0) -> Any:
        return s.enumerate(start=start) if _is_dataset(s) else enumerate(s, start)

    @staticmethod
    def zip_(*iterables: Any, strict: bool = False) -> Any:
        if all(_is_dataset(s) and not hasattr(s, "get_next") for s in iterables):
            from tf2compat import data

            return data.Dataset.zip(iterables)
        return zip(*iterables, strict=strict)


def _is_dataset(value: Any) -> bool:
    return hasattr(type(value), "element_spec") and not isinstance(value, type)


def control_predicate(value: Any) -> Tensor:
    """The left side of `and` and `or`: anything that can be a condition."""
    t = convert_to_tensor(value)
    if t.dtype is not dtypes.bool:
        from tf2compat import not_equal, zeros_like

        return not_equal(t, zeros_like(t))
    return t


def _next(iterator: Any, default: Any) -> Any:
    """`next(iterator)` in a graph: an element on every call."""
    if not hasattr(iterator, "get_next"):
        return next(iterator) if default is None else next(iterator, default)
    return control.get_next(iterator)
