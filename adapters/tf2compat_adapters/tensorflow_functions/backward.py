"""Gradients within exported functions: from the nodes of a function backwards, each by the rule for its op.

TensorFlow's graphs hold gradients as plain nodes, so what a tape of ours asks torch for is written out here: rules give the gradients of a
node's inputs from those of its outputs, in ops that TensorFlow has. They see the nodes as they were written, so that fused ops need none of
their own. Branches and loops become branches and loops: the former give what the gradient needs of them as further results, the latter
push it to lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tf2compat._engine import dtypes
from tf2compat_adapters.tensorflow_graphs.attributes import value_of

from .body import Body, NotExportable, Ref

#: what gives the gradients of an op's inputs: gets a Local and the gradients of the outputs (None: there is none)
GRADIENTS: dict[str, Callable[..., Any]] = {}
#: ops through which no gradient flows
STOPS = frozenset(("StopGradient", "PreventGradient", "Shape", "ShapeN", "Size", "Rank", "BroadcastGradientArgs", "ZerosLike", "OnesLike"))


def gradient(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares the gradient of the ops of these names."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            GRADIENTS[name] = function
        return function

    return declare


class Value:
    """A value that formulas can be written with."""

    __slots__ = ("out", "ref")

    def __init__(self, out: Body, ref: Ref) -> None:
        self.out, self.ref = out, ref

    @property
    def dtype(self) -> Any:
        return self.ref.dtype

    def op(self, kind: str, *inputs: Any, **attributes: Any) -> Value:
        """An op on this value and others."""
        return Value(self.out, self.out.op(kind, self.ref, *[self._ref(v) for v in inputs], **attributes))

    def _ref(self, other: Any) -> Ref:
        if isinstance(other, Value):
            return other.ref
        return other if isinstance(other, Ref) else self.out.constant(np.asarray(other).astype(self.dtype.as_numpy_dtype), self.dtype)

    def __add__(self, other: Any) -> Value:
        return self.op("AddV2", other)

    def __sub__(self, other: Any) -> Value:
        return self.op("Sub", other)

    def __mul__(self, other: Any) -> Value:
        return self.op("Mul", other)

    def __truediv__(self, other: Any) -> Value:
        return self.op("RealDiv", other)

    def __neg__(self) -> Value:
        return self.op("Neg")

    def __radd__(self, other: Any) -> Value:
        return Value(self.out, self._ref(other)) + self

    def __rsub__(self, other: Any) -> Value:
        return Value(self.out, self._ref(other)) - self

    def __rmul__(self, other: Any) -> Value:
        return self * other

    def __rtruediv__(self, other: Any) -> Value:
        return Value(self.out, self._ref(other)) / self

    def conj(self) -> Value:
        """The conjugate of a complex number."""
        return self.op("Conj") if self.dtype.is_complex else self

    def cast(self, dtype: Any) -> Value:
        return self if self.dtype is dtype else self.op("Cast", DstT=dtype)

    def shape(self) -> Value:
        return self.op("Shape", out_type=dtypes.int32)

    def zeros(self) -> Value:
        return self.op("ZerosLike")


class Local:
    """A node whose gradient is written to `out`: its inputs, outputs and attributes."""

    def __init__(self, forward: Body, out: Body, node: Any, lift: Callable[[Ref], Ref], exporter: Any) -> None:
        self.forward, self.out, self.node, self.lift, self.exporter = forward, out, node, lift, exporter
        self.inputs = [forward.refs[text] for text in node.input if not text.startswith("^")]
        self.needed = [True] * len(self.inputs)
        #: how to refer to its outputs
        self.outputs: list[Ref] = []

    def x(self, number: int = 0) -> Value:
        """An input."""
        return Value(self.out, self.lift(self.inputs[number]))

    def y(self, number: int = 0) -> Value:
        """An output."""
        return Value(self.out, self.lift(self.outputs[number]))

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return value_of(self.node.attr[name]) if name in self.node.attr else default

    def attributes(self, *names: str) -> dict[str, Any]:
        """Those of some attributes that are there."""
        return {name: value_of(self.node.attr[name]) for name in names if name in self.node.attr}

    def op(self, kind: str, *inputs: Any, **attributes: Any) -> Any:
        """An op: its result, or the list of them."""
        found = self.out.op(kind, *[_plain(v) for v in inputs], **attributes)
        return [Value(self.out, f) for f in found] if isinstance(found, list) else Value(self.out, found)

    def ints(self, value: Any, dtype: Any = dtypes.int32) -> Value:
        return Value(self.out, self.out.ints(value, dtype))

    def number(self, value: Any, dtype: Any) -> Value:
        return Value(self.out, self.out.constant(np.asarray(value).astype(dtypes.as_dtype(dtype).as_numpy_dtype), dtype))

    def known(self, number: int) -> Any:
        """The value of an input that is a small constant, else None."""
        return self.forward.known.get(self.inputs[number].text)

    def dims(self, number: int) -> Any:
        """What is known of an input's dimensions."""
        return self.forward.dims.get(self.inputs[number].text)

    def rank(self, number: int) -> int:
        dims = self.dims(number)
        if dims is None:
            raise NotExportable(f"the rank of what TensorFlow's op {self.node.op} gets is not known, which its gradient needs")
        return len(dims)


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value.ref if isinstance(value, Value) else value


def _flows(dtype: Any) -> bool:
    return dtype.is_floating or dtype.is_complex or dtype is dtypes.variant


def _outputs(body: Body) -> dict[str, list[Ref]]:
    """The outputs of each node in order."""
    found: dict[str, list[Ref]] = {}
    for ref in body.refs.values():
        if ":" in ref.text:
            found.setdefault(ref.text.split(":")[0], []).append(ref)
    return found


class Backward:
    """Gradients of values of `forward`, which are written to `out`. `lift` gives a value of the former in the latter."""

    def __init__(self, exporter: Any, forward: Body, out: Body, lift: Callable[[Ref], Ref]) -> None:
        self.exporter, self.forward, self.out, self.lift = exporter, forward, out, lift
        self.nodes = list(forward.definition.node_def)
        self.outputs = _outputs(forward)

    def reached(self, sources: Sequence[Ref]) -> set[str]:
        """The values that hang on the sources."""
        connected = {ref.text for ref in sources}
        for node in self.nodes:
            if node.op in STOPS or node.name in self.forward.unrecorded or node.op == "Const":
                continue
            if any(text in connected for text in node.input):
                connected.update([ref.text for ref in self.outputs.get(node.name, ()) if _flows(ref.dtype)])
        return connected

    def run(self, targets: Sequence[tuple[Ref, Ref]], sources: Sequence[Ref]) -> list[Ref | None]:
        """The gradients by the sources, None where nothing connects; `targets`: values, with their gradients in `out`."""
        connected = self.reached(sources)
        found: dict[str, list[Ref]] = {}
        for target, given in targets:
            if target.text in connected:
                found.setdefault(target.text, []).append(given)
        for node in reversed(self.nodes):
            outputs = self.outputs.get(node.name, ())
            if not any(ref.text in found for ref in outputs) or not any(text in connected for text in node.input):
                continue
            if node.name in self.forward.unrecorded or node.op in STOPS:
                continue
            dys = [Value(self.out, self._sum(found, ref)) if ref.text in found else None for ref in outputs]
            local = Local(self.forward, self.out, node, self.lift, self.exporter)
            local.outputs = list(outputs)
            local.needed = [ref.text in connected for ref in local.inputs]
            for ref, dx in zip(local.inputs, self._one(local, dys), strict=False):
                if dx is not None and ref.text in connected:
                    found.setdefault(ref.text, []).append(dx.ref if isinstance(dx, Value) else dx)
        return [self._sum(found, ref) if ref.text in found else None for ref in sources]

    def _sum(self, found: dict[str, list[Ref]], ref: Ref) -> Ref:
        parts = found[ref.text]
        if len(parts) > 1:
            parts[:] = [self.out.op("AddN", list(parts))]
        return parts[0]

    def _one(self, local: Local, dys: list[Any]) -> Any:
        node = local.node
        rule = self.forward.gradients.get(node.name) or GRADIENTS.get(node.op)
        if rule is None:
            raise NotExportable(f"there is no rule for the gradient of TensorFlow's op {node.op}")
        found = rule(local, *dys)
        return found if isinstance(found, (list, tuple)) else [found]


# --- branches --------------------------------------------------------------------------------------------------------
@gradient("If", "StatelessIf")
def _if(local: Local, *dys: Any) -> Any:
    forward, node, exporter = local.forward, local.node, local.exporter
    branches = [exporter.bodies[node.attr[key].func.name] for key in ("then_branch", "else_branch")]
    places = [i for i, needed in enumerate(local.needed[1:]) if needed]
    given = [(i, dy) for i, dy in enumerate(dys) if dy is not None]
    #: (how a branch refers to it, which branch's it is or None, the value in the outer function)
    captured: list[tuple[str, int | None, Ref]] = []
    made: list[tuple[Body, list[Ref | None], list[Ref]]] = []
    for which, branch in enumerate(branches):
        inner = Body(forward.library, exporter.unique(f"{branch.name}_gradient"))
        grads = [inner.argument("grad", dy.dtype, None) for _, dy in given]
        known: dict[tuple[str, int | None], Ref] = {}
        for text, whose, value in captured:  # what the other branch needs is given to both
            known[text, whose] = inner.argument("captured", value.dtype, None)
        arguments = {ref.text: i for i, ref in enumerate(branch.arguments())}

        def lift(ref: Ref, which: int = which, branch: Body = branch, inner: Body = inner, known: Any = known, arguments: Any = arguments) -> Ref:
            if ref.text in branch.known:
                return inner.constant(branch.known[ref.text], ref.dtype)
            whose = None if ref.text in arguments else which
            key = (str(arguments[ref.text]) if whose is None else ref.text, whose)
            if key not in known:
                outer = local.inputs[1 + arguments[ref.text]] if whose is None else _further_result(forward, node, branches, which, ref)
                captured.append((*key, local.lift(outer)))
                known[key] = inner.argument("captured", ref.dtype, branch.dims.get(ref.text))
            return known[key]

        results = branch.results()
        sources = [branch.arguments()[i] for i in places]
        found = Backward(exporter, branch, inner, lift).run([(results[i], g) for (i, _), g in zip(given, grads, strict=True)], sources)
        made.append((inner, found, [lift(s) if f is None else f for f, s in zip(found, sources, strict=True)]))
    wanted = [k for k in range(len(places)) if any(found[k] is not None for _, found, _ in made)]
    first = made[0][0]
    for _, _, value in captured[len(first.arguments()) - len(given) :]:  # what only the second branch needs
        first.argument("captured", value.dtype, None)
    for inner, found, values in made:
        for k in wanted:
            inner.result("gradient", values[k] if found[k] is not None else inner.op("ZerosLike", values[k]))
    for body in branches:
        body.finish()
    names = [exporter.finish(inner) for inner, _, _ in made]
    outs: list[Any] = [None] * len(local.inputs)
    if wanted:
        refs = [*[dy.ref for _, dy in given], *[value for _, _, value in captured]]
        kinds = [made[0][2][k].dtype for k in wanted]
        for k, value in zip(wanted, local.out.op(
            "If", local.lift(local.inputs[0]), refs, then_branch=names[0], else_branch=names[1], Tout=kinds, output_shapes=[None] * len(kinds)
        ), strict=True):  # fmt: skip
            outs[1 + places[k]] = value
    return outs


def _further_result(forward: Body, node: Any, branches: Sequence[Body], which: int, ref: Ref) -> Ref:
    """A value of one branch as a further result of the condition; the other branch gives something of its dtype."""
    number = len(node.attr["Tout"].list.type)
    for i, body in enumerate(branches):
        body.result("intermediate", ref if i == which else _anything(body, ref.dtype))
    node.attr["Tout"].list.type.append(ref.dtype.as_datatype_enum)
    node.attr["output_shapes"].list.shape.add(unknown_rank=True)
    found = Ref(f"{node.name}:output:{number}", ref.dtype)
    forward.refs[found.text] = found
    return found


def _anything(body: Body, dtype: Any) -> Ref:
    if dtype is dtypes.variant:
        return body.op("EmptyTensorList", body.ints(-1), body.ints(-1), element_dtype=dtypes.float32)
    value = b"" if dtype is dtypes.string else 0
    return body.constant(np.asarray(value, object) if dtype is dtypes.string else np.asarray(value).astype(dtype.as_numpy_dtype), dtype)


# --- loops -----------------------------------------------------------------------------------------------------------
@gradient("While", "StatelessWhile")
def _while(local: Local, *dys: Any) -> Any:
    forward, node, exporter = local.forward, local.node, local.exporter
    cond, body = (exporter.bodies[node.attr[key].func.name] for key in ("cond", "body"))
    count = len(local.inputs)
    arguments, results = body.arguments()[:count], body.results()[:count]
    same = {i for i in range(count) if _source(body, results[i]) == arguments[i].text}
    active = {i for i in range(count) if local.needed[i] and _flows(local.inputs[i].dtype)}
    while True:  # what loop variables hang on, over any number of rounds
        reached = Backward(exporter, body, body, lambda ref: ref).reached([arguments[i] for i in active])
        further = {i for i in range(count) if results[i].text in reached} - active
        if not further:
            break
        active |= further
    order = sorted(active)
    inner = Body(forward.library, exporter.unique(f"{body.name}_gradient"))
    test = Body(forward.library, exporter.unique(f"{body.name}_gradient_cond"))
    rounds = _rounds(forward, node, cond, body)
    at, end = inner.argument("counter", dtypes.int32, ()), inner.argument("rounds", dtypes.int32, ())
    grads = [inner.argument("grad", arguments[i].dtype, None) for i in order]
    #: further values that travel with the loop: (what it begins with, what a round leaves)
    travelling: list[tuple[Ref, Ref]] = []
    known: dict[str, Ref] = {}
    index = {ref.text: i for i, ref in enumerate(arguments)}

    def lift(ref: Ref) -> Ref:
        if ref.text in body.known:
            return inner.constant(body.known[ref.text], ref.dtype)
        if ref.text in known:
            return known[ref.text]
        place = index.get(ref.text)
        if place is not None and place in same:
            found = inner.argument("captured", ref.dtype, body.dims.get(ref.text))
            travelling.append((local.lift(local.inputs[place]), found))
        else:
            handle = inner.argument("pushed", dtypes.variant, ())
            less, found = inner.op("TensorListPopBack", handle, inner.ints(-1), element_dtype=ref.dtype)
            inner.dims[found.text] = body.dims.get(ref.text)
            travelling.append((local.lift(_pushed(forward, node, cond, body, ref)), less))
        known[ref.text] = found
        return found

    pairs = [(results[i], g) for i, g in zip(order, grads, strict=True)]
    # a variable that the loop passes on has its gradient of the later rounds added to by each
    found = Backward(exporter, body, inner, lift).run([p for p in pairs], [arguments[i] for i in order])
    inner.result("counter", inner.op("AddV2", at, inner.ints(1)))
    inner.result("rounds", end)
    for f, g in zip(found, grads, strict=True):
        inner.result("gradient", inner.op("ZerosLike", g) if f is None else f)
    for _, after in travelling:
        inner.result("travelling", after)
    for ref in inner.arguments():
        test.argument("of", ref.dtype, inner.dims.get(ref.text))
    first, second = test.arguments()[:2]
    test.result("continue", test.op("Less", first, second))
    for b in (cond, body):
        b.finish()
    names = [exporter.finish(test), exporter.finish(inner)]
    start = [
        dys[i].ref if dys[i] is not None else local.out.op("ZerosLike", local.lift(local.outputs[i])) for i in order
    ]
    outs = local.out.op(
        "While", [local.out.ints(0), local.lift(rounds), *start, *[before for before, _ in travelling]], cond=names[0], body=names[1]
    )
    given: list[Any] = [None] * count
    for i, value in zip(order, outs[2:], strict=False):
        given[i] = value
    return given


def _source(body: Body, ref: Ref) -> str:
    """What a value is, past Identity nodes."""
    nodes = {node.name: node for node in body.definition.node_def if node.op == "Identity"}
    text = ref.text
    while text.split(":")[0] in nodes:
        text = nodes[text.split(":")[0]].input[0]
    return text


def _one_more(forward: Body, node: Any, cond: Body, body: Body, begin: Ref, after: Callable[[Ref], Ref]) -> Ref:
    """One more loop variable: what it is at the end. `after` gives in the body, from its value, that of the next round."""
    number = sum(not text.startswith("^") for text in node.input)
    dims = () if begin.dtype in (dtypes.variant, dtypes.int32) else None
    cond.argument("further", begin.dtype, dims)
    body.recording = True
    body.result("further", after(body.argument("further", begin.dtype, dims)))
    control = [text for text in node.input if text.startswith("^")]
    plain = [text for text in node.input if not text.startswith("^")]
    del node.input[:]
    node.input.extend([*plain, begin.text, *control])
    node.attr["T"].list.type.append(begin.dtype.as_datatype_enum)
    if "output_shapes" in node.attr:
        node.attr["output_shapes"].list.shape.add()
    found = Ref(f"{node.name}:output:{number}", begin.dtype)
    forward.refs[found.text] = found
    return found


def _rounds(forward: Body, node: Any, cond: Body, body: Body) -> Ref:
    """How many rounds a loop makes."""
    known = forward.tables.get(f"rounds of {node.name}")
    if known is None:
        known = _one_more(forward, node, cond, body, forward.ints(0), lambda n: body.op("AddV2", n, body.ints(1)))
        forward.tables[f"rounds of {node.name}"] = known
    return known


def _pushed(forward: Body, node: Any, cond: Body, body: Body, ref: Ref) -> Ref:
    """The list of the values that something in the body had in each round."""
    key = f"{ref.text} in {node.name}"
    known = forward.tables.get(key)
    if known is None:
        empty = forward.op("EmptyTensorList", forward.ints(-1), forward.ints(-1), element_dtype=ref.dtype)
        known = _one_more(forward, node, cond, body, empty, lambda handle: body.op("TensorListPushBack", handle, ref))
        forward.tables[key] = known
    return known


# --- jacobians -------------------------------------------------------------------------------------------------------
def jacobian(exporter: Any, body: Body, target: Ref, sources: Sequence[Ref], batched: bool) -> list[Ref | None]:
    """Of each source the derivatives of all elements of the target, `target.shape + source.shape`, row by row. `batched`: of the elements
    of each example by this example."""
    inner = Body(body.library, exporter.unique(f"{body.name}_row"))
    test = Body(body.library, exporter.unique(f"{body.name}_row_cond"))
    at, end = inner.argument("row", dtypes.int32, ()), inner.argument("rows", dtypes.int32, ())
    handles = [inner.argument("found", dtypes.variant, ()) for _ in sources]
    captured: dict[str, tuple[Ref, Ref]] = {}

    def lift(ref: Ref) -> Ref:
        if ref.text in body.known:
            return inner.constant(body.known[ref.text], ref.dtype)
        if ref.text not in captured:
            captured[ref.text] = (ref, inner.argument("captured", ref.dtype, body.dims.get(ref.text)))
            inner.dims[captured[ref.text][1].text] = body.dims.get(ref.text)
        return captured[ref.text][1]

    like = Value(inner, lift(target))
    shape = like.shape()
    ints = lambda value: Value(inner, inner.ints(value))  # noqa: E731
    part = shape
    if batched:
        rest = shape.op("StridedSlice", ints([1]), ints([0]), ints([1]), end_mask=1)
        part = Value(inner, inner.op("ConcatV2", [inner.ints([1]), rest.ref], inner.ints(0)))
    one = [inner.constant(np.asarray(v).astype(target.dtype.as_numpy_dtype), target.dtype) for v in (1, 0)]
    weight = Value(inner, at).op("OneHot", end, *one, axis=-1).op("Reshape", part)
    if batched:
        weight = weight.op("BroadcastTo", shape)
    found = Backward(exporter, body, inner, lift).run([(target, weight.ref)], sources)
    inner.result("row", inner.op("AddV2", at, inner.ints(1)))
    inner.result("rows", end)
    for handle, f, source in zip(handles, found, sources, strict=True):
        inner.result("found", handle if f is None else inner.op("TensorListPushBack", handle, f))
    for _, argument in captured.values():
        inner.result("captured", argument)
    for ref in inner.arguments():
        test.argument("of", ref.dtype, inner.dims.get(ref.text))
    test.result("continue", test.op("Less", *test.arguments()[:2]))
    names = [exporter.finish(test), exporter.finish(inner)]
    y = Value(body, target)
    outer = lambda value: Value(body, body.ints(value))  # noqa: E731
    whole = y.shape()
    if batched:
        rest = whole.op("StridedSlice", outer([1]), outer([0]), outer([1]), end_mask=1)
        count = rest.op("Prod", outer([0]), keep_dims=False)
    else:
        count = y.op("Size", out_type=dtypes.int32)
    empty = [body.op("EmptyTensorList", body.ints(-1), body.ints(-1), element_dtype=s.dtype) for s in sources]
    outs = body.op("While", [body.ints(0), count.ref, *empty, *[ref for ref, _ in captured.values()]], cond=names[0], body=names[1])
    results: list[Ref | None] = []
    for f, source, handle in zip(found, sources, outs[2:], strict=False):
        if f is None:
            results.append(None)
            continue
        x = Value(body, source)
        inside = x.shape()
        stacked = Value(body, handle).op("TensorListStack", inside, element_dtype=source.dtype)
        if batched:  # rows, examples, … -> examples, rows, …
            order = body.op("ConcatV2", [body.ints([1, 0]), body.op("Range", body.ints(2), stacked.op("Rank").ref, body.ints(1))], body.ints(0))
            stacked = stacked.op("Transpose", order)
            inside = inside.op("StridedSlice", outer([1]), outer([0]), outer([1]), end_mask=1)
        results.append(stacked.op("Reshape", body.op("ConcatV2", [whole.ref, inside.ref], body.ints(0))).ref)
    return results
