"""Control flow recorded into a graph: conditions and loops as nodes with blocks.

These take Python functions on tensors, trace them into blocks, check that what goes in and comes out fits together, and
add one node. `tf.cond`, `tf.while_loop` and AutoGraph's staged statements stand on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ..errors import OutOfRangeError
from . import devices, dtypes, nest, state
from .convert import convert_to_tensor
from .graph import Graph, Node
from .inference import linked
from .lookups import Looked
from .op import ANYS, entering, op
from .shapes import TensorShape
from .specs import TensorSpec
from .symbolic import SymbolicTensor
from .tensor import Tensor

__all__ = ["add_if", "block", "cond", "dims_of", "either", "join", "loop", "predicate", "staged"]


def dims_of(t: Any) -> Any:
    """The static dimensions of a tensor; None for unknown rank."""
    if isinstance(t, SymbolicTensor):
        return t._dims
    return tuple(t._t.shape)


def join(a: Any, b: Any) -> Any:
    """Dimensions that cover both."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x == y else None for x, y in zip(a, b, strict=True))


def block(graph: Graph, name: str, fn: Callable[[], Any]) -> tuple[Graph, Any]:
    """Trace `fn` into a block of `graph`; the block, and what `fn` gave."""
    inner = Graph(name, graph)
    inner.is_branch = True
    try:
        with inner.as_default():
            result = staged(fn())
    finally:
        for looked in inner.looked:
            looked.forget()
    return inner, result


def staged(structure: Any) -> Any:
    """A structure whose datasets are composites of tensors of the graph."""
    leaves = nest.flatten(structure)
    if not any(hasattr(type(v), "_tf_staged") for v in leaves):
        return structure
    return nest.pack_sequence_as(structure, [v._tf_staged() if hasattr(type(v), "_tf_staged") else v for v in leaves])


def finish(inner: Graph, values: list[Any]) -> None:
    """Make tensors the outputs of a block."""
    with inner.as_default():
        inner.outputs = [None if v is None else inner._own(convert_to_tensor(v)) for v in values]


def add_if(graph: Graph, name: str, pred: Tensor, results: list[Any], blocks: list[Graph]) -> list[Any]:
    """Add an If; rows that a branch looked up in leaves of tapes around it leave it beside its results."""
    lookups = [(looked, inner) for inner in blocks for looked in inner.looked]
    given = len(results)
    for looked, inner in lookups:
        described = [(t.dtype, dims_of(t)) for t in looked.found]
        rank = len(described[1][1])
        for which, (t, (dtype, dims)) in enumerate(zip(looked.found, described, strict=True)):
            none = tuple(0 if i < rank else d for i, d in enumerate(dims))
            for b in blocks:
                with b.as_default():
                    b.outputs.append(b._own(t) if b is inner else b._own(_zeros(none, dtype)))
            results.append((dtype, join(dims, none), [_storage(looked.found[0])] if which == 0 else []))
    outs = graph.add("if", name, [pred], results, blocks)
    for i, (looked, _) in enumerate(lookups):
        rows, ids = (t._node.outputs[t._index] for t in outs[given + 2 * i : given + 2 * i + 2])
        # what the trace finds connected is connected by the leaf itself
        rows._t = looked.found[0]._t
        ids._t = torch.empty(tuple(looked.found[1]._t.shape), dtype=ids._dtype.torch, device="meta")
        outer = Looked(looked.tape, looked.at, looked.keys, rows, ids)
        if looked.at._graph is not graph:
            graph.looked.append(outer)
    return outs[:given]


@op("Zeros", stateful=True)
def _zeros(dims: Any, dtype: Any) -> Any:
    return torch.zeros(dims, dtype=dtype.torch, device=devices.current())


def _storage(v: Any) -> Any:
    return v._t if isinstance(v, SymbolicTensor) else None


def predicate(pred: Any) -> Tensor:
    """A condition as a tensor of `state.local.graph`."""
    t = convert_to_tensor(pred)
    if t.dtype is not dtypes.bool:
        raise TypeError(f"pred must be a boolean tensor, got {t!r}")
    return t


def cond(pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str = "cond") -> Any:
    """Record an If; its results in the structure that both functions give. TypeError when these differ."""
    graph: Graph = state.local.graph
    true_block, true_out = block(graph, f"{name}_true", true_fn)
    false_block, false_out = block(graph, f"{name}_false", false_fn)
    flat_true = nest.flatten(true_out, expand_composites=True)
    flat_false = nest.flatten(false_out, expand_composites=True)
    finish(true_block, flat_true)
    finish(false_block, flat_false)
    problem = None
    try:
        nest.assert_same_structure(true_out, false_out, expand_composites=True)
    except (ValueError, TypeError) as error:
        problem = str(error)
    results = []
    if problem is None:
        for a, b in zip(true_block.outputs, false_block.outputs, strict=True):
            if (a is None) != (b is None) or (a is not None and a.dtype is not b.dtype):
                problem = f"{a!s} and {b!s} have different types"
                break
            if a is not None:
                results.append((a.dtype, join(dims_of(a), dims_of(b)), [_storage(a), _storage(b)]))
    if [sum(o is not None for o in b.outputs) for b in (true_block, false_block)] in ([0, 1], [1, 0]):
        raise ValueError(
            f"Lengths of branch outputs of cond must match.\ntrue_fn output: {_told(true_out, true_block)}\nfalse_fn output: "
            f"{_told(false_out, false_block)}"
        )
    if problem is not None:
        raise TypeError(
            "true_fn and false_fn arguments to tf.cond must have the same number, type, and overall structure of return values.\n\n"
            f"true_fn output: {_told(true_out, true_block)}\nfalse_fn output: {_told(false_out, false_block)}\n\nError details:\n{problem}"
        )
    kept = [i for i, o in enumerate(true_block.outputs) if o is not None]
    true_block.outputs = [true_block.outputs[i] for i in kept]
    false_block.outputs = [false_block.outputs[i] for i in kept]
    outs = add_if(graph, name, pred, results, [true_block, false_block])
    full: list[Any] = [None] * len(flat_true)
    for i, o in zip(kept, outs, strict=True):
        full[i] = o
    return nest.pack_sequence_as(either(true_out, false_out), full, expand_composites=True)


def either(true_out: Any, false_out: Any) -> Any:
    """The structure of both branches, where an array knows of its elements what either branch knows."""
    if not any(hasattr(leaf, "_tf_either") for leaf in nest.flatten(true_out)):
        return true_out
    return nest.map_structure(lambda a, b: a._tf_either(b) if hasattr(a, "_tf_either") else a, true_out, false_out)


def _told(structure: Any, inner: Graph) -> Any:
    """What a branch gave, as tensors, for a message."""
    packed = nest.pack_sequence_as(structure, inner.outputs, expand_composites=True)
    return str(packed)


def _depends(body: Graph, n_skip: int) -> list[set[int]]:
    """For each output of a loop's body: the loop variables that it depends on."""
    position = {t._key(): i for i, t in enumerate(body.inputs[n_skip:])}
    known: dict[tuple[int, int], set[int]] = {k: {i} for k, i in position.items()}
    for node in body.nodes:
        deps: set[int] = set()
        for t in node.inputs():
            deps |= known.get(t._key(), set())
        for b in node.blocks:
            for outside, _ in b.captures.values():
                if isinstance(outside, SymbolicTensor):
                    deps |= known.get(outside._key(), set())
        for t in node.outputs:
            known[t._key()] = deps
    return [known.get(o._key(), set()) if isinstance(o, SymbolicTensor) else set() for o in body.outputs[: len(position)]]


def _connect(p: SymbolicTensor, sources: list[Any]) -> None:
    """Connect a placeholder to what it stands for in torch's autograd graph."""
    p._t = p._node.outputs[0]._t = linked(p._t, sources)
    if p._b is not None:
        p._b = p._node.outputs[0]._b = linked(p._b, sources)


class Elements:
    """What a recorded `for` iterates over: how generated code does it, and the elements' dtypes and dims."""

    def __init__(self, how: str, what: Any, given: list[Any], described: list[tuple[Any, Any]], sources: list[Any]) -> None:
        self.how, self.what, self.given, self.described, self.sources = how, what, given, described, sources


def loop(
    init: list[Tensor], dims: list[Any], test: Callable[[list[Any]], Any] | None, body: Callable[[list[Any], list[Any]], Any],
    check: Callable[[list[Any], list[Any]], None], elements: Elements | None = None, limit: Any = None, name: str = "while",
) -> list[Any]:  # fmt: skip
    """Record a loop over loop variables `init` with the shapes `dims`; their final values.

    A While runs as long as `test(variables)`; a For gives `body(elements, variables)` each element, and `test` is asked
    after each round whether to go on. `check(entry, exit)` sees the variables before and after a round.
    """
    graph: Graph = state.local.graph
    init = [graph._own(t) for t in init]

    def placeholders(inner: Graph) -> list[SymbolicTensor]:
        made = []
        for t, d in zip(init, dims, strict=True):
            p = inner.placeholder(t.dtype, d, "loop_var")
            _connect(p, [_storage(t)])
            made.append(p)
        return made

    cond_block = None
    if elements is None:
        assert test is not None
        cond_block = Graph(f"{name}_cond", graph)
        with cond_block.as_default():
            value = convert_to_tensor(test(list(placeholders(cond_block))))
            cond_block.outputs = [cond_block._own(value)]
    inner = Graph(f"{name}_body", graph)
    with inner.as_default():
        given = []
        for dtype, d in elements.described if elements is not None else ():
            p = inner.placeholder(dtype, d, "element")
            _connect(p, elements.sources)  # type: ignore[union-attr]
            given.append(p)
        entry = placeholders(inner)
        values = body(given, list(entry))
        out = [inner._own(convert_to_tensor(v)) for v in values]
        check(entry, out)
        inner.outputs = list(out)
        if elements is not None and test is not None:
            inner.outputs.append(inner._own(convert_to_tensor(test(values))))
    written = inner._written | (cond_block._written if cond_block is not None else set())
    for b in (inner, cond_block):
        if b is not None:
            b._written |= written
            b._variables.update({k: v for k, v in inner._variables.items() if k in written})
            b.settle()
    # what a result is connected to, over any number of rounds
    depends = _depends(inner, len(given))
    results = []
    for i, (t, d) in enumerate(zip(init, dims, strict=True)):
        reach, pending = {i}, [i]
        while pending:
            for j in depends[pending.pop()] - reach:
                reach.add(j)
                pending.append(j)
        sources = [_storage(init[j]) for j in reach] + [_storage(out[j]) for j in reach]
        results.append((t.dtype, d, sources))
    if elements is None:
        assert cond_block is not None
        return graph.add("while", name, init, results, [cond_block, inner], limit)
    extra = (elements.how, elements.what, len(given), test is not None, limit)
    return graph.add("for", name, [init, [graph._own(v) for v in elements.given]], results, [inner], extra)


def rows(t: Tensor) -> Elements:
    """The slices of a tensor along its first axis."""
    d = dims_of(t)
    return Elements("_rows", None, [t], [(t.dtype, None if d is None else d[1:])], [_storage(t)])


def numbers(t: SymbolicTensor) -> Elements | None:
    """The elements of a `tf.range`, which is then never made; None for other tensors."""
    node: Node = t._node
    if node.kind != "op" or node.op is None or node.op.name != "Range" or t.dtype.is_floating:
        return None
    start, limit, delta = node.args[:3]
    if any(v.dtype is not t.dtype for v in (start, limit, delta)):
        return None
    return Elements("_range", None, [start, limit, delta], [(t.dtype, ())], [])


def elements_of(dataset: Any) -> tuple[Elements, Any]:
    """The elements of a dataset or iterator, and the spec that arranges them."""
    spec = dataset.element_spec
    flat = flat_specs(spec)
    described = [(s.dtype, None if s.shape.rank is None else tuple(s.shape.as_list())) for s in flat]
    handle = getattr(dataset, "_handle", None)
    if handle is not None:
        return Elements("_elements", _Held, [handle], described, []), spec
    made = _recipe(dataset)
    if made is not None:
        return Elements("_elements", made, list(made.inputs), described, []), spec
    return Elements("_elements", dataset, [], described, []), spec


def _recipe(dataset: Any) -> Any:
    if not hasattr(dataset, "_inputs"):
        return None
    from ..data.recipes import recipe

    return recipe(dataset)


def single_element(dataset: Any) -> Any:
    """The only element of a dataset, taken each time the graph runs."""
    made = _recipe(dataset)
    return element(dataset.element_spec, _single_element(made or dataset, [] if made is None else list(made.inputs)))


def cardinality(recipe: Any) -> Any:
    """The number of elements of a dataset that is made of values of the run."""
    return _cardinality(recipe, list(recipe.inputs))


@op("DatasetCardinality", given=ANYS)
def _cardinality(recipe: Any, given: Any) -> Any:
    return torch.tensor(recipe.made(tuple(given))._cardinality(), dtype=torch.int64)


@_cardinality.infer
def _(recipe: Any, given: Any) -> Any:
    return [(dtypes.int64, ())]


@op("DatasetToSingleElement", multi=True, stateful=True, given=ANYS)
def _single_element(dataset: Any, given: Any) -> Any:
    from ..data.structure import element as delivered

    made = dataset.made(tuple(given)) if given else dataset
    return [entering(t) for t in nest.flatten(delivered(made.element_spec, made._single()), expand_composites=True)]


@_single_element.infer
def _(dataset: Any, given: Any) -> Any:
    return _described(dataset.element_spec)


def flat_specs(spec: Any) -> list[Any]:
    """The TensorSpecs of a structure of specs, composites expanded."""
    out: list[Any] = []
    for s in nest.flatten(spec):
        parts = None if isinstance(s, TensorSpec) else getattr(s, "_component_specs", None)
        if parts is not None:
            out.extend(flat_specs(parts() if callable(parts) else parts))
        else:
            out.append(s)
    return out


def element(spec: Any, tensors: list[Any]) -> Any:
    """A structure of values from a structure of specs and the flat tensors."""
    rest = iter(tensors)

    def build(s: Any) -> Any:
        parts = None if isinstance(s, TensorSpec) else getattr(s, "_component_specs", None)
        if parts is None:
            return next(rest)
        parts = parts() if callable(parts) else parts
        return s._from_components([build(p) for p in nest.flatten(parts)])

    return nest.pack_sequence_as(spec, [build(s) for s in nest.flatten(spec)])


def zeros_like_spec(t: Any, invariant: Any = None) -> Tensor:
    """A tensor of zeros in the shape of `t`, 0 for unknown dimensions."""
    from tf2compat import zeros

    dims = dims_of(t)
    return zeros([0 if d is None else d for d in dims or ()], t.dtype)


def shape_text(d: Any) -> str:
    return str(TensorShape._of(d))


@op("IteratorGetNext", multi=True, stateful=True)
def _get_next(iterator: Any, spec: Any) -> Any:
    return [entering(t) for t in nest.flatten(iterator.get_next(), expand_composites=True)]


@_get_next.infer
def _(iterator: Any, spec: Any) -> Any:
    return _described(spec)


@op("IteratorGetNextAsOptional", multi=True, stateful=True)
def _get_optional(iterator: Any, spec: Any) -> Any:
    try:
        element = iterator.get_next()
    except OutOfRangeError:
        empty = [np.full([d or 0 for d in dims or ()], b"", object) if t.torch is None else torch.zeros([d or 0 for d in dims or ()], dtype=t.torch)
                 for t, dims in _described(spec)]  # fmt: skip
        return [torch.tensor(False), *empty]
    return [torch.tensor(True), *[entering(t) for t in nest.flatten(element, expand_composites=True)]]


@_get_optional.infer
def _(iterator: Any, spec: Any) -> Any:
    return [(dtypes.bool, ()), *_described(spec)]


def _described(spec: Any) -> list[tuple[Any, Any]]:
    return [(s.dtype, None if s.shape.rank is None else tuple(s.shape.as_list())) for s in flat_specs(spec)]


@op("MakeIterator", stateful=True, given=ANYS)
def _make_iterator(dataset: Any, given: Any) -> Any:
    return iter(dataset.made(tuple(given)) if given else dataset)


@_make_iterator.infer
def _(dataset: Any, given: Any) -> Any:
    return [(dtypes.variant, ())]


def make_iterator(dataset: Any) -> Any:
    """A variant that holds an iterator, made each time the graph runs."""
    made = _recipe(dataset)
    return _make_iterator(made or dataset, [] if made is None else list(made.inputs))


class _Held:
    """The iterator that a variant holds, for a loop over it."""

    @staticmethod
    def made(storages: tuple[Any, ...]) -> Any:
        return storages[0]


def get_next_as_optional(iterator: Any) -> Any:
    """The next element, or nothing at the end, taken each time the graph runs."""
    from ..experimental.optional import _OptionalImpl

    present, *parts = _get_optional(getattr(iterator, "_handle", iterator), iterator.element_spec)
    return _OptionalImpl(iterator.element_spec, element(iterator.element_spec, parts), present)


def get_next(iterator: Any) -> Any:
    """The next element of a dataset's iterator, taken each time the graph runs."""
    return element(iterator.element_spec, _get_next(getattr(iterator, "_handle", iterator), iterator.element_spec))
