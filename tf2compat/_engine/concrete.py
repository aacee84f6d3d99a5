"""Tracing a function into a graph, and concrete functions: a graph with its signature, ready to run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import nest, state
from .autograph.errors import in_user_code
from .connections import connected
from .control import staged
from .convert import convert_to_tensor
from .denormals import TINY, flushing
from .function_type import Callable as TensorCallable
from .function_type import FunctionType, constraint, trace_type_of
from .graph import Graph
from .op import entering, wrap_here
from .replay import Program, differentiates
from .shapes import TensorShape
from .signature import Binder, decode, encode, names_of, spec_names_of
from .specs import TensorSpec
from .symbolic import SymbolicTensor
from .tensor import Tensor, wrap
from .variable import Variable, creators

__all__ = ["ConcreteFunction", "trace"]

_SINGLETON = (
    "tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is only created once or "
    "created outside tf.function. See https://www.tensorflow.org/guide/function#creating_tfvariables for more information."
)


class _Creation:
    """What happens to `tf.Variable(...)` while a function is traced."""

    def __init__(self, allowed: bool, graph: Graph, given: tuple[Any, ...]) -> None:
        self.allowed = allowed
        self.graph, self.given = graph, given
        self.created: list[Variable] = []

    def __call__(self, next_creator: Callable[..., Any], **kwargs: Any) -> Any:
        if not self.allowed:
            raise ValueError(_SINGLETON)
        initial = kwargs.get("initial_value")
        if isinstance(initial, SymbolicTensor):
            kwargs["initial_value"] = _lifted(initial, self)
            if kwargs.get("shape") is None:
                kwargs["shape"] = initial.shape
        elif callable(initial) and not isinstance(initial, Tensor):
            pass  # Variable calls it outside of the graph
        variable = next_creator(**kwargs)
        self.created.append(variable)
        return variable


def _lifted(initial: SymbolicTensor, creation: _Creation) -> Tensor:
    """The value of an initial value that was computed by traced ops, for the arguments of the call that is traced for."""
    graph = initial._graph
    values: list[Any] = []
    encode(creation.given, values)
    known = graph is creation.graph and len(values) == len(graph.inputs) and all(type(v) is Tensor for v in values)
    pending, seen = [initial], set()
    stood_for: dict[int, SymbolicTensor] = {}  # tensors of which only the shape is asked
    while pending:
        t = pending.pop()
        node = t._node
        if node.kind == "capture" or (node.kind == "input" and not known):
            raise ValueError(
                f"The initial value of a tf.Variable created inside a tf.function depends on {t!r}, which is not known when the variable "
                "is created. Use tf.init_scope, or an initial value that does not depend on the function's inputs."
            )
        if id(node) not in seen:
            seen.add(id(node))
            if not known and node.kind == "op" and node.op.name in _OF_SHAPE and all(_sized(v) for v in node.inputs()):
                stood_for.update({id(v): v for v in node.inputs()})
                continue
            pending.extend(node.inputs())
            for block in node.blocks:
                pending.extend(o for o, _ in block.captures.values() if isinstance(o, SymbolicTensor))
    part = graph.copy()
    part.outputs = [initial]
    part.nodes = [n for n in graph.nodes if id(n) in seen]
    given = list(stood_for.values())
    with state.outside():
        if known:
            (value,) = Program(part, graph.inputs).run(*[entering(v) for v in values])
        else:
            (value,) = Program(part, given).run(*[torch.zeros(tuple(t._dims), dtype=t.dtype.torch) for t in given])  # type: ignore[arg-type]
    return wrap(value.detach() if isinstance(value, torch.Tensor) else value)


#: ops whose result hangs on the shape of their arguments alone
_OF_SHAPE = frozenset(("ZerosLike", "OnesLike", "Shape", "Size", "Rank"))


def _sized(t: SymbolicTensor) -> bool:
    return t._dims is not None and None not in t._dims and t.dtype.torch is not None


def _result(value: Any, graph: Graph, name: str) -> Any:
    """A returned leaf as a tensor of the graph."""
    if value is None:
        return None
    if isinstance(value, Variable) or not isinstance(value, Tensor):
        try:
            value = convert_to_tensor(value)
        except (TypeError, ValueError):
            raise TypeError(
                "To be compatible with tf.function, Python functions must return zero or more Tensors or ExtensionTypes or None values; "
                f"in compilation of {name}, found return value of type {type(value).__name__}, which is not a Tensor or ExtensionType."
            ) from None
    return graph._own(value)


def _shown(t: Any, graph: Graph) -> Any:
    """A result under the name that TensorFlow gives it: that of an Identity node."""
    if not isinstance(t, SymbolicTensor):
        return t
    shown = t._user()
    shown._label = graph.unique_name("Identity") + ":0"
    return shown


def trace(
    fn: Callable[..., Any], name: str, binder: Binder, pos: tuple[Any, ...], kw: dict[str, Any], specs: list[tuple[Any, Any]],
    may_create: bool,
) -> tuple[Graph, list[Variable]]:  # fmt: skip
    """Run `fn` once on placeholders for `specs` (dtype and dims of each tensor argument); the graph it recorded."""
    outer = state.local.graph
    graph = Graph(name, outer)
    graph.is_function = True
    graph.outer_tapes = 0
    creation = _Creation(may_create, graph, (pos, kw))
    local = state.local
    saved = local.tapes, local.names
    local.tapes, local.names = [], []
    state.tapes_changed()
    creators.stack.append(creation)
    try:
        with graph.as_default():
            inputs = [graph.placeholder(dtype, dims, n) for (dtype, dims), n in zip(specs, names_of(binder, pos, kw), strict=True)]
            given = iter(list(inputs))
            args = tuple([decode(v, given) for v in pos])
            kwargs = {k: decode(v, given) for k, v in kw.items()}
            result = staged(fn(*args, **kwargs))
            flat = nest.flatten(result, expand_composites=True)
            graph.outputs = [_shown(_result(v, graph, name), graph) for v in flat]
            graph.structured_outputs = nest.pack_sequence_as(nest.plain(result), graph.outputs, expand_composites=True)
    except Exception as error:
        if outer is None and not getattr(fn, "_as_written", False):
            told = in_user_code(error)
            if told is not error:
                raise told.with_traceback(error.__traceback__) from None
        raise
    finally:
        creators.stack.remove(creation)
        local.tapes, local.names = saved
        state.tapes_changed()
    return graph, creation.created


class ConcreteFunction(TensorCallable):
    """A function traced for one signature (`tf.types.experimental.ConcreteFunction`)."""

    def __init__(
        self, graph: Graph, name: str, binder: Binder, pos: tuple[Any, ...], kw: dict[str, Any], specs: list[tuple[Any, Any]],
        jit: bool | None = None,
    ) -> None:  # fmt: skip
        self._jit = jit
        self.graph = graph
        self._name = name
        self._binder = binder
        self._specs = specs
        # the arguments with specs in the place of tensors, so that no data is kept alive
        stand_ins = iter([TensorSpec(None if d is None else list(d), t) for t, d in specs])
        names = spec_names_of(binder, pos, kw)
        self._template = (decode(pos, stand_ins), decode(kw, stand_ins))
        self._spec_names = names
        given: list[Any] = []
        encode((pos, kw), given)
        #: the names of specs that were traced for
        self._given_names = [v.name if isinstance(v, TensorSpec) else None for v in given]
        self._program: Program | None = None
        self._lock = threading.Lock()
        self._tier: Any = None
        self._plain: Program | None = None
        self._differentiates = any(differentiates(n) for n in graph.nodes)
        outputs = graph.outputs
        self._single = graph.structured_outputs is not None and len(outputs) == 1 and graph.structured_outputs is outputs[0]
        graph.__dict__["code"] = _Code(self)

    @property
    def program(self) -> Program:
        """The generated code."""
        if self._program is None:
            with self._lock:
                if self._program is None:
                    self._program = Program(self.graph)
        return self._program

    # --- calling -----------------------------------------------------------------------------------------------------
    def run(self, leaves: list[Any]) -> Any:
        """Call with the tensor arguments in order."""
        outer = state.local.graph
        if outer is not None:
            outs = outer.inline(self.graph, [outer._own(t) for t in leaves])
            return nest.pack_sequence_as(self.graph.structured_outputs, outs, expand_composites=True)
        if self._differentiates and not torch.is_grad_enabled():  # as a tape turns it on for itself
            with torch.enable_grad():
                return self.run(leaves)
        program = self._program or self.program
        storages = [t._t if type(t) is Tensor and t._tape is state.TOKEN else entering(t) for t in leaves]
        on = TINY == 0.0
        if not on:
            flushing(True)
        try:
            outs = (self._tier or self._begin(program)).run(storages)
        except Exception as error:  # noqa: BLE001 - translated into the failed op's
            raise program.translate(error, self.name) from None
        finally:
            if not on:
                flushing(False)
        if state.local.tapes:
            outs = connected(self.graph, outs, storages)
        return self._wrapped(outs)

    def _begin(self, program: Program) -> Any:
        from .tiers import Tier

        self._tier = Tier(self.graph, program, self._jit)
        return self._tier

    def _wrapped(self, outs: Any) -> Any:
        tapes = state.local.tapes
        wrapped = []
        for o in outs:
            if o is None:
                wrapped.append(None)
                continue
            if not tapes and type(o) is not np.ndarray and o.requires_grad:
                o = o.detach()
            wrapped.append(wrap_here(o))
        if self._single:
            return wrapped[0]
        return nest.pack_sequence_as(self.graph.structured_outputs, wrapped, expand_composites=True)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves = self._leaves(args, kwargs)
        if state.local.graph is None and any(d is not None and not _fits(t, d) for t, (_, d) in zip(leaves, self._specs, strict=True)):
            return self._loosely(leaves)
        return self.run(leaves)

    def _loosely(self, leaves: list[Any]) -> Any:
        """A call with other shapes than those that were traced for, which TensorFlow does not refuse: the ops see what comes of it."""
        if self._plain is None:
            self._plain = Program(self.graph, fast=False)
        storages = [entering(t) for t in leaves]
        try:
            outs = self._plain.run(*storages)
        except Exception as error:  # noqa: BLE001 - translated into the failed op's
            raise self._plain.translate(error, self.name) from None
        return self._wrapped(connected(self.graph, outs, storages) if state.local.tapes else outs)

    def _leaves(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The tensors of a call, checked against the signature."""
        names = self._argument_names()
        pos, kw = self._template
        template: list[Any] = []
        encode((pos, kw), template)
        if not kwargs and len(args) == len(template) and len(args) != len(pos):
            given = list(args)  # the flat form: one tensor after the other
        elif not args and len(names) > len(self._binder.names) and len(set(names)) == len(names) and set(kwargs) == set(names):
            given = [kwargs[n] for n in names]  # the flat form by the specs' names
        else:
            by_name = dict(zip(self._binder.names, pos, strict=False)) | kw
            if len(args) > len(pos):
                raise TypeError(f"{self._short()} takes {len(pos)} positional arguments, got {len(args)}.")
            taken = dict(zip(self._binder.names, args, strict=False)) | kwargs
            unknown = [k for k in taken if k not in by_name and k not in names]
            if unknown:
                raise self._unbound(args, kwargs, f"got an unexpected keyword argument '{unknown[0]}'", f"got unexpected keyword arguments: {', '.join(unknown)}.")
            for n, v in by_name.items():  # Python values are part of the signature
                if n in taken and isinstance(v, (bool, int, float, str, bytes)) and not isinstance(taken[n], (Tensor, Variable)) and taken[n] != v:
                    raise TypeError(
                        f"Binding inputs to tf.function failed due to `Can not cast {taken[n]!r} to Literal[{v!r}]`. Received args: {args} and "
                        f"kwargs: {kwargs} for signature: {self.function_type}."
                    )
            extra = list(args[len(self._binder.names) :])
            values = []
            for n, v in list(by_name.items()):
                values.append(taken.get(n, v))
            values += extra or list(pos[len(self._binder.names) :])
            given = []
            encode(values, given)
            missing = [n for n, v in zip(names, given, strict=False) if isinstance(v, TensorSpec)]
            if missing or len(given) != len(template):
                raise self._unbound(args, kwargs, f"missing a required argument: '{missing[0] if missing else '?'}'", f"missing required arguments: {', '.join(missing)}.")
        out = []
        for (dtype, dims), v in zip(self._specs, given, strict=True):
            t = convert_to_tensor(v, dtype) if not isinstance(v, (Tensor, Variable)) else convert_to_tensor(v)
            spec = TensorSpec(None if dims is None else list(dims), dtype)
            if t.dtype is not dtype:
                from ..errors import InvalidArgumentError

                raise InvalidArgumentError(
                    None, None, f"cannot compute {self.name} as input #{len(out)}(zero-based) was expected to be a {dtype._cpp} tensor but is "
                    f"a {t.dtype._cpp} tensor: {TensorSpec(t.shape, t.dtype)!r} for {spec!r} [Op:{self.name}]"
                )  # fmt: skip
            out.append(t)
        return out

    def _unbound(self, args: Any, kwargs: Any, why: str, flat: str) -> TypeError:
        return TypeError(
            f"Binding inputs to tf.function failed due to `{why}`. Received args: {args} and kwargs: {kwargs} for signature: "
            f"{self.function_type}.\nFallback to flat signature also failed due to: {self._short()} {flat}"
        )

    # --- description -------------------------------------------------------------------------------------------------
    def _argument_names(self) -> list[str]:
        return [t._node.name for t in self.graph.inputs]

    @property
    def name(self) -> str:
        return f"__inference_{self._name}"

    @property
    def inputs(self) -> list[Any]:
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[Any]:
        return [o for o in self.graph.outputs if o is not None]

    @property
    def function_def(self) -> Any:
        """The function as TensorFlow's FunctionDef message, variables as arguments behind its own. ValueError where TensorFlow has no ops for it."""
        from .. import _ports

        return _ports.load("graph_def", "tensorflow").function_def(self)

    @property
    def structured_input_signature(self) -> tuple[Any, Any]:
        """The arguments, with a TensorSpec for each tensor."""
        return self._described(self._spec_names)

    def _described(self, names: list[Any]) -> tuple[Any, Any]:
        specs = iter([
            TensorSpec(None if d is None else list(d), t, name=n)
            for (t, d), n in zip(self._specs, names, strict=True)
        ])  # fmt: skip
        pos = decode(self._template[0], specs)
        kw = decode(self._template[1], specs)
        declared = [name for name in self._binder.keyword_only if name in kw]
        return tuple(pos), {name: kw[name] for name in dict.fromkeys([*declared, *kw])}

    @property
    def structured_outputs(self) -> Any:
        """The results, as the graph's symbolic tensors."""
        return self.graph.structured_outputs

    @property
    def output_shapes(self) -> Any:
        return nest.map_structure(lambda t: TensorShape(None) if t is None else t.shape, self.graph.structured_outputs)

    @property
    def output_dtypes(self) -> Any:
        return nest.map_structure(lambda t: None if t is None else t.dtype, self.graph.structured_outputs)

    def add_gradient_functions_to_graph(self, g: Any = None) -> None:
        """As `add_to_graph`: gradients are found when they are asked for."""

    def add_to_graph(self, g: Any = None, overwrite: bool = False) -> None:
        """Graphs hold the functions that they call, so there is nothing to register."""

    @property
    def captured_inputs(self) -> list[Any]:
        """Variables and eager tensors that the function uses without being given them."""
        return [*self.graph.variables, *self.graph.captured]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return self.graph.variables

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        return self.graph.trainable_variables

    @property
    def function_type(self) -> FunctionType:
        """The parameters and the result, described."""
        pos, kw = self._described(self._given_names)
        return trace_type_of(self._binder.names, self._binder.varargs, pos, kw, _specs(self.structured_outputs), self.captured_inputs)

    @property
    def inference_fn(self) -> AtomicFunction:
        """The function of tensors behind this one."""
        return AtomicFunction(self)

    def pretty_printed_signature(self, verbose: bool = True) -> str:
        """The signature as text."""
        return repr(self.function_type) if verbose else str(self.function_type)

    def _short(self) -> str:
        arguments = ", ".join(self._binder.names[i] if i < len(self._binder.names) else "..." for i in range(len(self._template[0])))
        return f"{self._name}({arguments})"

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.function_type} at {hex(id(self)).upper().replace('X', 'x')}>"

    def __str__(self) -> str:
        return f"ConcreteFunction {self.function_type!r}"


class AtomicFunction(TensorCallable):
    """A traced function as a function of tensors (`tf.types.experimental.AtomicFunction`)."""

    def __init__(self, concrete: ConcreteFunction) -> None:
        self._concrete = concrete

    @property
    def name(self) -> bytes:
        """The function's name."""
        return self._concrete.name.encode()

    @property
    def function_type(self) -> FunctionType:
        return self._concrete.function_type

    @property
    def graph(self) -> Graph:
        """What was recorded."""
        return self._concrete.graph

    @property
    def attributes(self) -> dict[str, Any]:
        return {}

    def call_flat(self, *args: Any) -> Any:
        """The results, in a list, for tensors."""
        return self.call_preflattened(args)

    def call_preflattened(self, args: Any) -> list[Any]:
        """The results, in a list, for a sequence of tensors."""
        result = self._concrete.run([convert_to_tensor(t) for t in args])
        return [t for t in nest.flatten(result, expand_composites=True) if t is not None]

    def call_with_captures(self, args: Any, kwargs: Any, captures: Any) -> Any:
        """A call; the captures are known to the function."""
        return self._concrete(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The results in the structure that the function returns."""
        return self._concrete(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<AtomicFunction> {self._concrete.name}{self.function_type}"


def _fits(t: Any, dims: tuple[int | None, ...]) -> bool:
    shape = t._t.shape if type(t) is Tensor else tuple(t.shape)
    return len(shape) == len(dims) and all(d is None or d == n for d, n in zip(dims, shape, strict=True))


def _specs(structure: Any) -> Any:
    def described(value: Any) -> Any:
        if value is None or isinstance(value, TensorSpec):
            return value
        return constraint(value)

    return nest.map_structure(described, structure)


class _Code:
    """The source of the generated program, written when it is asked for."""

    def __init__(self, concrete: ConcreteFunction) -> None:
        self._concrete = concrete

    def __str__(self) -> str:
        return self._concrete.program.code

    __repr__ = __str__
