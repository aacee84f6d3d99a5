"""From recorded graphs to functions of a GraphDef: arguments, control flow, variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tf2compat._engine import dtypes, nest, state
from tf2compat._engine.graph import Graph, Node, dims_of
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.tape import _Reader
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable

from .body import Body, NotExportable, Ref
from .signatures import signature

#: what writes the nodes of an op, by the op's key, else by its name: gets a Call, gives a Ref or a list of them
RULES: dict[str, Callable[[Call], Any]] = {}
#: what an op is in terms of public ops, by its key or name: gets the op's arguments, gives tensors
LOWERED: dict[str, Callable[..., Any]] = {}
#: parameters whose names differ from those of TensorFlow's inputs and attributes, by op name
RENAMED: dict[str, dict[str, str]] = {}


def own(variable: Any) -> Variable:
    """The variable that a view of it (a cast one, a replica's) stands for."""
    return getattr(variable, "_of", variable)


def used(graph: Graph) -> list[Variable]:
    """The variables that a graph and its blocks use, in order."""
    found: dict[int, Variable] = {}
    for node in graph.nodes:
        for variable in _variables(list(node.args)):
            found.setdefault(id(own(variable)), own(variable))
        for block in node.blocks:
            for variable in used(block):
                found.setdefault(id(variable), variable)
    return list(found.values())


def _variables(value: Any) -> list[Any]:
    if isinstance(value, Variable):
        return [value]
    if isinstance(value, (list, tuple)):
        return [v for part in value for v in _variables(part)]
    return []


class Exporter:
    """Writes functions into one library."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self._names: set[str] = set()
        #: the functions of branches and loops by name, which gradients add results to
        self.bodies: dict[str, Body] = {}

    def finish(self, body: Body) -> str:
        """A function of a branch or loop that is written; its name."""
        self.bodies[body.name] = body
        return body.finish()

    def unique(self, base: str) -> str:
        """A name that no function of the library has."""
        name, number = base, 0
        while name in self._names:
            number += 1
            name = f"{base}_{number}"
        self._names.add(name)
        return name

    def function(
        self, graph: Graph, name: str, inputs: Sequence[tuple[str, SymbolicTensor]], outputs: Sequence[tuple[str, Any]]
    ) -> tuple[str, list[Variable]]:  # fmt: skip
        """A function of a whole graph with the arguments and results in the order given; its name and the variables that follow the
        arguments. Raises NotExportable where TensorFlow has no way to say what the graph does."""
        before = len(self.library.function)
        try:
            body = Body(self.library, self.unique(name))
            scope = Scope(self, body)
            for given, t in inputs:
                scope.bind(t, body.argument(given, t._dtype, t._dims))
            variables = used(graph)
            for variable in variables:
                scope.resources[id(variable)] = body.argument((variable._shared_name or "variable") + "_resource", dtypes.resource, ())
            for outside, inner in graph.captures.values():
                scope.bind(inner, scope.ref(outside))
            scope.run(graph)
            for given, t in outputs:
                body.result(given, scope.ref(t))
            return body.finish(), variables
        except NotExportable:
            del self.library.function[before:]  # branches that were written already
            raise


class Scope:
    """What the tensors and variables of a graph are within a function."""

    def __init__(self, exporter: Exporter, body: Body) -> None:
        self.exporter = exporter
        self.body = body
        self.values: dict[Any, Ref] = {}
        self.resources: dict[int, Ref] = {}

    def bind(self, t: SymbolicTensor, value: Ref) -> None:
        self.values[t._key()] = value

    def ref(self, t: Any) -> Ref:
        """A tensor: a value of the function, or a constant."""
        if isinstance(t, SymbolicTensor):
            found = self.values.get(t._key())
            if found is None:
                raise NotExportable(f"it uses a tensor of another graph, {t!r}")
            return found
        if isinstance(t, Variable):
            return self.body.op("ReadVariableOp", self.resource(t), dtype=t.dtype, _reads=[self.resource(t)])
        if isinstance(t, Tensor):
            return self.body.constant(t.numpy(), t.dtype)
        return self.body.constant(t)

    def resource(self, variable: Any) -> Ref:
        """The handle of a variable."""
        return self.resources[id(own(variable))]

    def run(self, graph: Graph) -> None:
        """The nodes of a graph."""
        for node in graph.nodes:
            self.node(node)

    def node(self, node: Node) -> None:
        body = self.body
        if not body.depth:  # what an op is composed of is recorded as the op is
            body.recording = node.taped
        body.depth += 1
        try:
            results = getattr(self, "_" + node.kind)(node)
        except NotExportable as problem:
            if str(problem).startswith("the op '"):
                raise
            raise NotExportable(f"the op '{node.name}' ({node.type}): {problem}") from None
        except Exception as error:  # noqa: BLE001 - what cannot be written for TensorFlow must not keep a model from being saved
            raise NotExportable(f"the op '{node.name}' ({node.type}): {type(error).__name__}: {error}") from error
        finally:
            body.depth -= 1
        results = [results] if isinstance(results, Ref) else list(results or ())
        for t, value in zip(node.outputs, results, strict=False):
            if value.dtype is not t._dtype and t._dtype is not dtypes.variant:
                raise NotExportable(f"the op '{node.name}' ({node.type}): TensorFlow gives {value.dtype.name}, not {t._dtype.name}")
            self.bind(t, value)
            if value.text not in body.dims:
                body.dims[value.text] = t._dims
        if len(results) < len(node.outputs):
            raise NotExportable(f"the op '{node.name}' ({node.type}): TensorFlow gives fewer results")

    def _read(self, node: Node) -> Any:
        resource = self.resource(node.args[0])
        return self.body.op("ReadVariableOp", resource, dtype=node.outputs[0]._dtype, _reads=[resource], _name=node.name)

    def _op(self, node: Node) -> Any:
        op = node.op
        assert op is not None
        rule, lowered = RULES.get(op.key), LOWERED.get(op.key)
        if rule is None and lowered is None:  # ops of one name may take different arguments
            rule, lowered = RULES.get(op.name), LOWERED.get(op.name)
        call = Call(self, node)
        if rule is not None:
            return rule(call)
        try:
            return self.lowered(lowered, list(node.args)) if lowered is not None else call.plain()
        except NotExportable:
            values = _constant(node)
            if values is None:
                raise
            return [self.body.constant(v.numpy(), v.dtype) for v in values]

    def lowered(self, function: Callable[..., Any], args: list[Any]) -> list[Ref]:
        """A function of tensors, traced and written in the place of an op."""
        graph = Graph("lowered")
        local = state.local
        saved = local.tapes, local.names
        with state.outside():
            local.tapes, local.names = [_Reader()], []  # blocks in it are recorded where the op is
            state.tapes_changed()
            try:
                with graph.as_default():

                    def here(value: Any) -> Any:
                        if isinstance(value, SymbolicTensor):
                            p = graph.placeholder(value._dtype, value._dims, "lowered")
                            self.bind(p, self.ref(value))
                            return p
                        return type(value)([here(v) for v in value]) if type(value) in (list, tuple) else value

                    result = function(*[here(a) for a in args])
                    outputs = [graph._own(v) for v in nest.flatten(result)]
            finally:
                local.tapes, local.names = saved
                state.tapes_changed()
        self.run(graph)
        return [self.ref(o) for o in outputs]

    # --- control flow ------------------------------------------------------------------------------------------------
    def _custom(self, node: Node) -> Any:
        """Results whose gradients by the sources are what a block computes."""
        results, sources = node.args
        (block,) = node.blocks
        given = [self.ref(v) for v in (*results, *sources)]
        outs = self.body.op("IdentityN", given, _name=node.name)[: len(results)]

        def backward(local: Any, *dys: Any) -> list[Any]:
            scope = Scope(self.exporter, local.out)
            for variable in used(block):
                scope.resources[id(variable)] = local.lift(self.resource(variable))
            for outside, inner in block.captures.values():
                scope.bind(inner, local.lift(self.ref(outside)))
            for i, (t, dy) in enumerate(zip(block.inputs, dys, strict=False)):
                scope.bind(t, local.out.op("ZerosLike", local.y(i).ref) if dy is None else dy.ref)
            local.out.depth += 1  # recorded as the gradient is
            try:
                scope.run(block)
            finally:
                local.out.depth -= 1
            found = [None if o is None else scope.ref(o) for o in block.outputs]
            return [*[None] * len(results), *found]

        self.body.gradients[outs[0].text.split(":")[0]] = backward
        return outs

    def _shared(self, blocks: Sequence[Graph]) -> tuple[dict[Any, Any], list[Variable], list[Ref]]:
        """What blocks take from outside: tensors by key, variables, and all of it as values here."""
        outside: dict[Any, Any] = {}
        for block in blocks:
            for key, (t, _) in block.captures.items():
                outside.setdefault(key, t)
        variables: dict[int, Variable] = {}
        for block in blocks:
            for variable in used(block):
                variables.setdefault(id(variable), variable)
        refs = [self.ref(t) for t in outside.values()] + [self.resource(v) for v in variables.values()]
        return outside, list(variables.values()), refs

    def _effects(self, blocks: Sequence[Graph], variables: Sequence[Variable]) -> dict[str, Any]:
        written = {vid for b in blocks for vid in b._written}
        return {
            "_writes": [self.resource(v) for v in variables if id(v) in written],
            "_reads": [self.resource(v) for v in variables if id(v) not in written],
            "_effect": any(n.stateful() for b in blocks for n in b.nodes),
        }

    def _if(self, node: Node) -> Any:
        blocks = node.blocks
        outside, variables, refs = self._shared(blocks)
        names = []
        for which, block in zip(("true", "false"), blocks, strict=True):
            scope = Scope(self.exporter, Body(self.body.library, self.exporter.unique(f"{self.body.name}_cond_{which}")))
            self._take(scope, block, outside, variables)
            scope.run(block)
            for i, o in enumerate(block.outputs):
                scope.body.result(f"output_{i}", scope.ref(o))
            names.append(self.exporter.finish(scope.body))
        kind = "If" if node.stateful() or variables else "StatelessIf"
        effects = self._effects(blocks, variables)
        return self.body.op(
            kind, self.ref(node.args[0]), refs, then_branch=names[0], else_branch=names[1], Tout=[t._dtype for t in node.outputs],
            output_shapes=[t._dims for t in node.outputs], _name=node.name, **effects,
        )  # fmt: skip

    def _limit(self, value: Any) -> Ref | None:
        if value is None:
            return None
        return self.cast(self.ref(value), dtypes.int32) if isinstance(value, Tensor) else self.body.ints(int(value))

    def cast(self, value: Ref, dtype: Any) -> Ref:
        return value if value.dtype is dtype else self.body.op("Cast", value, DstT=dtype)

    def _while(self, node: Node) -> Any:
        cond, body = node.blocks
        limit = self._limit(node.extra)
        outside, variables, refs = self._shared(node.blocks)
        dims = [t._dims for t in node.outputs]
        counter = [] if limit is None else [self.body.ints(0), limit]
        # the number of rounds and their limit travel in front of the loop's own variables
        names = []
        for which, block in (("cond", cond), ("body", body)):
            inner = Body(self.body.library, self.exporter.unique(f"{self.body.name}_while_{which}"))
            scope = Scope(self.exporter, inner)
            count = [inner.argument(n, dtypes.int32, ()) for n in ("counter", "maximum")[: len(counter)]]
            for t, d in zip(block.inputs, dims, strict=True):
                scope.bind(t, inner.argument("loop_var", t._dtype, d))
            shared = self._take(scope, block, outside, variables)
            scope.run(block)
            if which == "cond":
                again = scope.ref(block.outputs[0])
                if count:
                    again = inner.op("LogicalAnd", again, inner.op("Less", count[0], count[1]))
                inner.result("continue", again)
            else:
                if count:
                    inner.result("counter", inner.op("AddV2", count[0], inner.ints(1)))
                    inner.result("maximum", count[1])
                for i, o in enumerate(block.outputs):
                    inner.result(f"output_{i}", scope.ref(o))
                for value in shared:
                    inner.result("captured", value)
            names.append(self.exporter.finish(inner))
        return self._loop(node, names, counter, [self.ref(t) for t in node.args], refs, variables)

    def _take(self, scope: Scope, block: Graph, outside: dict[Any, Any], variables: Sequence[Variable]) -> list[Ref]:
        """Further arguments of a block's function for what comes from outside."""
        shared = []
        for key, t in outside.items():
            value = scope.body.argument("captured", t.dtype, dims_of(t))
            shared.append(value)
            if key in block.captures:
                scope.bind(block.captures[key][1], value)
        for variable in variables:
            value = scope.body.argument("resource", dtypes.resource, ())
            shared.append(value)
            scope.resources[id(variable)] = value
        return shared

    def _loop(self, node: Node, names: list[str], counter: list[Ref], init: list[Ref], refs: list[Ref], variables: list[Variable]) -> list[Ref]:
        kind = "While" if variables or any(n.stateful() for b in node.blocks for n in b.nodes) else "StatelessWhile"
        outs = self.body.op(
            kind, [*counter, *init, *refs], cond=names[0], body=names[1], _name=node.name, **self._effects(node.blocks, variables)
        )
        return outs[len(counter) : len(counter) + len(node.outputs)]

    def _for(self, node: Node) -> Any:
        (block,) = node.blocks
        how, what, count, stops, most = node.extra
        init, given = node.args
        if how not in ("_rows", "_range"):
            raise NotExportable("it loops over a data set")
        b = self.body
        outside, variables, refs = self._shared([block])
        start = step = rows = None
        if how == "_rows":
            rows = self.ref(given[0])
            size = b.op("StridedSlice", b.op("Shape", rows, out_type=dtypes.int32), b.ints([0]), b.ints([1]), b.ints([1]), shrink_axis_mask=1)
            extra = [rows]
        else:
            start, limit, step = (self.ref(v) for v in given)
            numbers = b.op("Range", start, limit, step)
            size = b.op("Size", numbers, out_type=dtypes.int32)
            extra = [start, step]
        limit = self._limit(most)
        if limit is not None:
            size = b.op("Minimum", size, limit)
        counter = [b.ints(0), size, *extra]
        if stops:
            counter.append(b.constant(np.asarray(True)))
        names = []
        for which in ("cond", "body"):
            inner = Body(b.library, self.exporter.unique(f"{b.name}_for_{which}"))
            scope = Scope(self.exporter, inner)
            at, end = inner.argument("counter", dtypes.int32, ()), inner.argument("size", dtypes.int32, ())
            carried = [inner.argument("of", e.dtype, dims_of(v)) for e, v in zip(extra, [given[0]] if rows is not None else [given[0], given[2]], strict=True)]
            on = inner.argument("more", dtypes.bool, ()) if stops else None
            entry = [inner.argument("loop_var", t._dtype, o._dims) for t, o in zip(block.inputs[count:], node.outputs, strict=True)]
            shared = self._take(scope, block, outside, variables)
            if which == "cond":
                again = inner.op("Less", at, end)
                inner.result("continue", again if on is None else inner.op("LogicalAnd", again, on))
                names.append(self.exporter.finish(inner))
                continue
            if rows is not None:
                element = inner.op("GatherV2", carried[0], at, inner.ints(0))
            else:
                element = inner.op("AddV2", carried[0], inner.op("Mul", scope.cast(at, carried[0].dtype), carried[1]))
            for t, value in zip(block.inputs, [element, *entry], strict=True):
                scope.bind(t, value)
            scope.run(block)
            inner.result("counter", inner.op("AddV2", at, inner.ints(1)))
            for value in (end, *carried):
                inner.result("carried", value)
            results = [scope.ref(o) for o in block.outputs]
            if stops:
                inner.result("more", results.pop())
            for value in (*results, *shared):
                inner.result("result", value)
            names.append(self.exporter.finish(inner))
        return self._loop(node, names, counter, [self.ref(t) for t in init], refs, variables)


def _constant(node: Node) -> list[Tensor] | None:
    """The results of an op that takes constants alone."""
    if node.stateful() or any(_symbolic(a) for a in node.args) or not all(isinstance(t, SymbolicTensor) for t in node.outputs):
        return None
    with state.outside():
        found = nest.flatten(node.op.run(list(node.args)))  # type: ignore[union-attr]
    return found if len(found) == len(node.outputs) and all(isinstance(t, Tensor) for t in found) else None


class Call:
    """One op that is being written: its arguments by name, and what makes nodes of them."""

    def __init__(self, scope: Scope, node: Node) -> None:
        self.scope = scope
        self.node = node
        self.body = scope.body
        assert node.op is not None
        self.args: dict[str, Any] = dict(zip(node.op.params, node.args, strict=True))

    def __getitem__(self, name: str) -> Any:
        return self.args[name]

    def get(self, name: str) -> Any:
        return self.args.get(name)

    def op(self, kind: str, *inputs: Any, **attributes: Any) -> Any:
        """A node named after the op."""
        return self.body.op(kind, *inputs, _name=self.node.name, **attributes)

    def ref(self, name: str) -> Ref:
        """A tensor argument."""
        return self.scope.ref(self.args[name])

    def dims(self, name: str) -> Any:
        """The dimensions of a tensor argument."""
        return dims_of(self.args[name])

    def rank(self, name: str) -> int:
        """The rank of a tensor argument, which has to be known."""
        dims = self.dims(name)
        if dims is None:
            raise NotExportable(f"the rank of its argument '{name}' is not known")
        return len(dims)

    def static(self, value: Any, dtype: Any = dtypes.int32) -> Ref:
        """Python numbers, or tensors among them, as an input."""
        dtype = dtypes.as_dtype(dtype)
        if isinstance(value, (SymbolicTensor, Variable)):
            return self.scope.cast(self.scope.ref(value), dtype)
        if isinstance(value, (list, tuple)) and any(_symbolic(v) for v in value):
            return self.body.op("Pack", [self.static(v, dtype) for v in value])
        array = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
        if array.dtype.kind == "O":
            raise NotExportable(f"{value!r} cannot be an input")
        return self.body.constant(array.astype(dtype.as_numpy_dtype), dtype)

    def plain(self) -> Any:
        """The op of the same name, parameters paired with TensorFlow's inputs and attributes by name."""
        op = self.node.op
        assert op is not None
        declared = signature(op.name)
        if declared is None:
            raise NotExportable("TensorFlow has no such op")
        renamed = RENAMED.get(op.name, {})
        args = {renamed.get(p, p): (v, kind, default) for p, v, kind, default in zip(op.params, self.node.args, op.kinds, _defaults(op), strict=True)}
        outputs = self.node.outputs
        values: dict[str, Any] = {}
        inputs: list[Any] = []
        writes: list[Ref] = []
        for argument in declared.inputs:
            if argument.name not in args:
                raise NotExportable(f"what its input {argument.name} is, is not known")
            value, kind, _ = args.pop(argument.name)
            if value is None:
                raise NotExportable(f"its input {argument.name} is left out")
            if isinstance(value, Variable) and argument.dtype == "resource":
                inputs.append(self.scope.resource(value))
                writes.append(inputs[-1])
            elif argument.number is not None or argument.types is not None:
                inputs.append([self.scope.ref(v) for v in value])
            elif kind is not None and kind.what in ("tensor", "tensors"):
                inputs.append(self.scope.ref(value))
            else:
                inputs.append(self.static(value, argument.dtype or values.get(argument.type or "") or "int32"))
            if argument.type is not None and isinstance(inputs[-1], Ref):
                values.setdefault(argument.type, inputs[-1].dtype)
        given: dict[str, Any] = {}
        derived = {n for a in (*declared.inputs, *declared.outputs) for n in (a.type, a.number, a.types) if n} - set(args)
        for name in declared.attributes:
            if name in args and name not in values:
                value = args.pop(name)[0]
                if value is not None:
                    value = _plain(value)
                    given[name] = [value] if declared.attributes[name].kind.startswith("list(") and isinstance(value, int) else value
        for position, output in enumerate(declared.outputs):
            if output.number is not None or output.types is not None:
                rest = outputs[position:]
                if output.number is not None and output.number not in values:
                    given.setdefault(output.number, len(rest))
                if output.types is not None:
                    given.setdefault(output.types, [t._dtype for t in rest])
                break
            if output.type in derived and output.type not in values and position < len(outputs):
                given[output.type] = outputs[position]._dtype
        for name, (value, _, default) in args.items():
            settled = value is None or (type(value) is type(default) and value == default) or any(value is t._dtype for t in outputs)
            if not settled:
                raise NotExportable(f"TensorFlow's op has nothing for its argument {name}={value!r}")
        return self.op(op.name, *inputs, _writes=writes, _effect=declared.stateful and not writes, **given)


def _symbolic(value: Any) -> bool:
    return isinstance(value, (SymbolicTensor, Variable)) or (isinstance(value, (list, tuple)) and any(_symbolic(v) for v in value))


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        if isinstance(value, SymbolicTensor):
            raise NotExportable("an attribute of it is computed")
        return value.numpy().tolist()
    return value


def _defaults(op: Any) -> list[Any]:
    return [op._default(i) for i in range(op.n)]
