"""Functions of a saved object: which there are, their form on disk, and calling them after loading."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.concrete import ConcreteFunction
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.graph_json import GraphReader, GraphWriter
from tf2compat._engine.signature import Binder, encode
from tf2compat._engine.specs import TensorSpec, TypeSpec
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.trackable import Trackable
from tf2compat._engine.variable import Variable
from tf2compat._top.functions import Function, function

_KINDS = {kind.name: kind for kind in inspect._ParameterKind}


#: what `fit` and its like keep on a model: steps on metrics and optimizers, which are no part of what is saved
_STEPS = frozenset(("train_function", "test_function", "predict_function", "train_tf_function"))


def functions_of(node: Any) -> dict[str, Any]:
    """The `tf.function`s that an object has as attributes or methods, by name; for a Keras model or layer, its call."""
    found: dict[str, Any] = {}
    if isinstance(node, Mapping):
        return {name: value for name, value in node.items() if isinstance(name, str) and isinstance(value, (Function, ConcreteFunction, LoadedFunction))}
    if isinstance(node, (list, tuple)):
        return {str(i): value for i, value in enumerate(node) if isinstance(value, (Function, ConcreteFunction, LoadedFunction))}
    if not isinstance(node, Trackable):
        return found
    if type(node).__module__.startswith("tf2compat."):
        kept = dict(vars(node))
        kept.update(kept.get("_functions", {}))  # of a loaded object
    else:
        kept = {name: getattr(node, name) for name in _methods(type(node))} | vars(node)
    is_model = hasattr(node, "save_spec")
    found = _of_model(node) if is_model else {}
    for name, value in kept.items():
        if isinstance(value, (Function, ConcreteFunction, LoadedFunction)) and not (is_model and name in _STEPS):
            found[name] = value
    return found


def _methods(cls: type) -> list[str]:
    """The methods of the program's own classes that are `tf.function`s."""
    own = [c for c in reversed(cls.__mro__) if not c.__module__.startswith("tf2compat.")]
    return [name for c in own for name, value in vars(c).items() if isinstance(value, Function)]


def _of_model(model: Any) -> dict[str, Any]:
    """A Keras model's call, traced without and with training."""
    spec = model.save_spec()
    return {} if spec is None else _traced(model, spec, _needs_its_program(model))


def calls_of_layer(layer: Any) -> dict[str, Any]:
    """The call of a layer within a Keras model, whose class is the program's own: another program has its functions alone."""
    from tf2compat.keras._base.saving_methods import Saving

    spec = Saving.save_spec(layer)
    return {} if spec is None else _traced(layer, spec, bool(layer._all_losses(symbols=True, functions=False)))


def _traced(layer: Any, spec: Any, with_losses: bool) -> dict[str, Any]:
    """The functions of a call for the specs of its arguments, by the parameters that it has."""
    args, kwargs = spec
    parameters = {name: p for name, p in inspect.signature(layer.call).parameters.items() if name != "self"}
    more = next((name for name, p in parameters.items() if p.kind is p.VAR_KEYWORD), None)
    if more is not None and "training" not in parameters and getattr(getattr(layer, "_call_spec", None), "training", False):
        rest = parameters.pop(more)
        parameters["training"] = inspect.Parameter("training", inspect.Parameter.KEYWORD_ONLY, default=False)
        parameters[more] = rest
    trains = "training" in parameters and getattr(getattr(layer, "_call_spec", None), "training", True)
    if "training" in parameters:
        given = parameters["training"]
        parameters["training"] = given.replace(default=False) if given.default in (None, given.empty) else given
    try:
        signature = inspect.Signature(list(parameters.values()))
    except ValueError:  # `training` comes before a parameter without a default
        return {}

    def call(*args: Any, **kwargs: Any) -> Any:
        return layer(*args, **kwargs)

    def call_with_losses(*args: Any, **kwargs: Any) -> Any:
        return layer(*args, **kwargs), layer._all_losses(symbols=False, functions=False)

    call.__signature__ = call_with_losses.__signature__ = signature  # type: ignore[attr-defined]
    found = {"__call__": function(call)}
    if with_losses:
        found["call_and_return_all_conditional_losses"] = function(call_with_losses)
    count = next((n for n, a in enumerate(args) if any(s is None for s in nest.flatten(a))), len(args))
    for made in found.values():
        for training in (False, True) if trains else (None,):
            made.get_concrete_function(*args[:count], **({} if training is None else {"training": training}), **kwargs)
    return found


def _needs_its_program(model: Any) -> bool:
    """Whether another program can only load the model's functions, since it has classes of its own, and these add losses."""
    layers = [model, *getattr(model, "_flatten_layers", list)()]
    known = all(type(layer).__module__.startswith(("tf2compat.keras.layers.", "tf2compat.keras._base.")) for layer in layers)
    return not known and bool(model.losses)


#: the function of a loaded Keras model that it serves by default
DEFAULT = "_default_save_signature"


def default_signature(node: Any) -> ConcreteFunction | None:
    """What is served when no signature is named: a Keras model's call, or the only function with one signature."""
    kept = vars(node).get("_functions", {}).get(DEFAULT)
    if isinstance(kept, (ConcreteFunction, LoadedFunction)):
        return kept if isinstance(kept, ConcreteFunction) else kept.concretes[0] if kept.concretes else None
    if hasattr(node, "save_spec"):
        spec = node.save_spec()
        if spec is None:
            return None
        specs = [s for s in nest.flatten(spec[0])]
        if not all(isinstance(s, TensorSpec) for s in specs):
            return None  # a signature takes tensors by name; ragged and sparse ones have none
        names = _names_of_inputs(node, spec[0], specs)

        def serve(*tensors: Any) -> dict[str, Any]:
            packed = nest.pack_sequence_as(spec[0], list(tensors))
            made = node(*packed, training=False)
            results = nest.flatten(made)
            keys = getattr(node, "output_names", None)
            if not keys:
                keys = sorted(made) if isinstance(made, Mapping) and len(made) == len(results) else [f"output_{i + 1}" for i in range(len(results))]
            return dict(zip(keys, results, strict=True))

        parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
        serve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return function(serve, autograph=False).get_concrete_function(*[TensorSpec(s.shape, s.dtype, name=n) for s, n in zip(specs, names, strict=True)])
    candidates = []
    for value in functions_of(node).values():
        if isinstance(value, ConcreteFunction) or (isinstance(value, Function) and value.input_signature is not None):
            found = concretes_of(value)
            if len(found) == 1 and _is_plain(found[0]):
                candidates.append(found[0])
        elif isinstance(value, LoadedFunction) and len(value.concretes) == 1 and _is_plain(value.concretes[0]):
            candidates.append(value.concretes[0])
    return candidates[0] if len(candidates) == 1 else None


def _names_of_inputs(model: Any, structure: Any, specs: list[TensorSpec]) -> list[str]:
    """What a Keras model's signature calls its inputs: by its input layers, by the keys of a dict, or by number."""
    known = getattr(model, "input_names", None)
    (first, *others) = structure
    if not known and isinstance(first, Mapping) and not others and len(first) == len(specs):
        known = nest.sorted_keys(first)
    layers = getattr(model, "layers", None)
    if not known and len(specs) == 1 and layers and type(model).__name__ == "Sequential":
        known = [f"{layers[0].name}_input"]
    if not known or len(known) != len(specs):
        known = [s.name or f"input_{i + 1}" for i, s in enumerate(specs)]
    return [re.sub(r"\W", "_", str(name)) for name in known]


def _is_plain(concrete: ConcreteFunction) -> bool:
    """Whether a function takes tensors and gives some, in a dict or a list at most."""
    pos, kw = concrete.structured_input_signature
    results = concrete.structured_outputs
    flat = list(results.values()) if isinstance(results, Mapping) else list(results) if isinstance(results, (list, tuple)) else [results]
    return bool(flat) and all(isinstance(v, TensorSpec) for v in [*pos, *kw.values()]) and all(isinstance(v, Tensor) for v in flat)


def concretes_of(value: Any) -> list[ConcreteFunction]:
    """The traces of a function; one with an input signature is traced if it was not yet."""
    if isinstance(value, ConcreteFunction):
        return [value]
    if isinstance(value, LoadedFunction):
        return value.concretes
    found = list(dict.fromkeys([*value._list_all_concrete_functions(), *value._traced_steps()]))
    if not found and value.input_signature is not None:
        found = [value.get_concrete_function()]
    return found


def signature_of(name: str, value: Any) -> ConcreteFunction:
    """A signature's concrete function. ValueError for what cannot be one."""
    if isinstance(value, ConcreteFunction):
        return value
    if isinstance(value, Signature):
        return value._concrete
    if isinstance(value, (Function, LoadedFunction)):
        found = concretes_of(value)
        if len(found) == 1 and (isinstance(value, LoadedFunction) or value.input_signature is not None):
            return found[0]
        raise ValueError(
            f"Expected a TensorFlow function for which to generate a signature, but got {value}. Python functions may be decorated with "
            "`@tf.function` and passed as signatures directly, or created without a signature using `@tf.function` and traced with "
            "`get_concrete_function`. An input signature is needed: `@tf.function(input_signature=[...])`."
        )
    raise ValueError(
        f"Expected a TensorFlow function for which to generate a signature, but got {value}. Only `tf.functions` with an input signature or "
        "concrete functions can be used as a signature."
    )


# --- on disk ---------------------------------------------------------------------------------------------------------
def write_concrete(concrete: ConcreteFunction, writer: GraphWriter) -> dict[str, Any]:
    """The JSON of one trace."""
    graph = concrete.graph
    content = writer.graph(graph)
    pos, kw = concrete._template
    return {
        "name": concrete._name,
        "jit": concrete._jit,
        "names": concrete._spec_names,
        "parameters": _parameters(concrete._binder, writer),
        "graph": content,
        "pos": writer.value(pos, "a signature"),
        "kw": writer.value(kw, "a signature"),
        "specs": [[dtype.name, None if dims is None else list(dims)] for dtype, dims in concrete._specs],
        "result": writer.value(graph.structured_outputs, "the structure of the results"),
    }


def _parameters(binder: Binder, writer: GraphWriter) -> list[Any]:
    out = []
    for p in binder.signature.parameters.values():
        entry: list[Any] = [p.name, p.kind.name]
        if p.name in binder.fixed:  # by a partial
            out.append([p.name, inspect.Parameter.KEYWORD_ONLY.name, writer.value(binder.fixed[p.name], f"the value of '{p.name}'")])
            continue
        if p.default is not inspect.Parameter.empty:
            entry.append(writer.value(p.default, f"the default of '{p.name}'"))
        out.append(entry)
    known = binder.signature.parameters
    given = [n for n in binder.fixed if n not in known]
    out[len(out) - (binder.varkw is not None) : len(out) - (binder.varkw is not None)] = [
        [n, inspect.Parameter.KEYWORD_ONLY.name, writer.value(binder.fixed[n], f"the value of '{n}'")] for n in given
    ]
    return sorted(out, key=lambda entry: _KINDS[entry[1]])


def read_concrete(content: dict[str, Any], reader: GraphReader) -> ConcreteFunction:
    """A trace from its JSON."""
    from tf2compat._engine import dtypes

    graph = reader.graph(content["graph"])
    graph.structured_outputs = reader.value(content["result"])
    parameters = [
        inspect.Parameter(p[0], _KINDS[p[1]], **({"default": reader.value(p[2])} if len(p) > 2 else {})) for p in content["parameters"]
    ]

    def stand_in(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a loaded function has no Python code")

    stand_in.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    specs = [(dtypes.as_dtype(dtype), None if dims is None else tuple(dims)) for dtype, dims in content["specs"]]
    jit = content.get("jit")
    if jit is not None and not isinstance(jit, bool):
        raise ValueError(f"whether a function is compiled is {jit!r}")
    made = ConcreteFunction(graph, str(content["name"]), Binder(stand_in), reader.value(content["pos"]), reader.value(content["kw"]), specs, jit)
    names = content.get("names")
    if isinstance(names, list) and len(names) == len(specs):
        made._spec_names = made._given_names = [None if n is None else str(n) for n in names]
    return made


# --- after loading ---------------------------------------------------------------------------------------------------
def _match(wanted: Any, given: Any, leaves: list[Any], convert: bool) -> bool:
    """Whether an argument fits the one a trace was made for; its tensors are appended to `leaves`."""
    if isinstance(wanted, TensorSpec):
        if not isinstance(given, (Tensor, Variable)):
            if not convert or given is None or isinstance(given, (dict, str)) and wanted.dtype.name != "string":
                return False
            try:
                given = convert_to_tensor(given, wanted.dtype)
            except (TypeError, ValueError):
                return False
        if given.dtype is not wanted.dtype or not wanted.shape.is_compatible_with(given.shape):
            return False
        leaves.append(convert_to_tensor(given))
        return True
    if isinstance(wanted, TypeSpec):
        if not hasattr(type(given), "_tf_components") or not wanted.is_compatible_with(given):
            return False
        leaves.extend(nest.flatten(given, expand_composites=True))
        return True
    if isinstance(wanted, Mapping):
        return isinstance(given, Mapping) and set(wanted) == set(given) and all(
            _match(wanted[k], given[k], leaves, convert) for k in nest.sorted_keys(wanted)
        )
    if isinstance(wanted, (list, tuple)):
        return isinstance(given, (list, tuple)) and len(wanted) == len(given) and all(
            _match(w, g, leaves, convert) for w, g in zip(wanted, given, strict=True)
        )
    if isinstance(given, (Tensor, Variable)):
        return False
    return type(wanted) is type(given) and bool(wanted == given)


class LoadedFunction(Trackable):
    """A function of a loaded SavedModel: its traces, of which a call takes the one that fits."""

    def __init__(self, name: str, concretes: list[ConcreteFunction], jit_compile: bool | None = None) -> None:
        self._name = name
        self._jit_compile = jit_compile
        self.concretes = concretes

    @property
    def concrete_functions(self) -> list[ConcreteFunction]:
        return list(self.concretes)

    @property
    def __signature__(self) -> inspect.Signature:
        """The parameters of the function that was saved."""
        return self.concretes[0]._binder.signature

    def _list_all_concrete_functions(self) -> list[ConcreteFunction]:
        return list(self.concretes)

    @property
    def function_type(self) -> Any:
        """The parameters; None where several traces are known."""
        return self.concretes[0]._binder.function_type if self.concretes else None

    @property
    def input_signature(self) -> Any:
        """What the only trace takes; None where several are known."""
        return tuple(self.concretes[0].structured_input_signature[0]) if len(self.concretes) == 1 else None

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """The signatures of all traces as text."""
        return "\n\n".join(c.pretty_printed_signature(verbose) for c in self.concretes)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the trace that the arguments fit; ValueError when there is none."""
        if not self.concretes:
            raise ValueError("Found zero restored functions for caller function.")
        for convert in (False, True):
            for concrete in self.concretes:
                try:
                    pos, kw = concrete._binder.bind(args, kwargs)
                except TypeError:
                    continue
                leaves: list[Any] = []
                wanted_pos, wanted_kw = concrete._template
                if _match(list(wanted_pos), list(pos), leaves, convert) and _match(wanted_kw, kw, leaves, convert):
                    return concrete.run(leaves)
        options = "\n\n".join(
            f"Option {i + 1}:\n  Positional arguments ({len(c._template[0])} total):\n"
            + "".join(f"    * {v}\n" for v in c.structured_input_signature[0])
            + f"  Keyword arguments: {c.structured_input_signature[1]}"
            for i, c in enumerate(self.concretes)
        )
        shown = "".join(f"    * {a!r}\n" for a in args)
        raise ValueError(
            "Could not find matching concrete function to call loaded from the SavedModel. Got:\n"
            f"  Positional arguments ({len(args)} total):\n{shown}  Keyword arguments: {kwargs}\n\n Expected these arguments to match one of the "
            f"following {len(self.concretes)} option(s):\n\n{options}"
        )

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace for specs or tensors; ValueError when there is none."""
        if not args and not kwargs and len(self.concretes) == 1:
            return self.concretes[0]
        for concrete in self.concretes:
            try:
                pos, kw = concrete._binder.bind(args, kwargs)
            except TypeError:
                continue
            found: list[Any] = []
            wanted: list[Any] = []
            if encode((pos, kw), found, False) == encode(concrete._template, wanted, False) and all(
                w.shape.is_compatible_with(f.shape) for w, f in zip(wanted, found, strict=True)
            ):
                return concrete
        raise ValueError(f"Could not find matching concrete function to call loaded from the SavedModel for {args}, {kwargs}.")

    def __repr__(self) -> str:
        return f"<loaded function {self._name} with {len(self.concretes)} signature(s)>"


class Signature:
    """A signature of a loaded SavedModel: called with tensors by name, it gives a dict of tensors."""

    def __init__(self, concrete: ConcreteFunction, inputs: list[str], outputs: list[str]) -> None:
        self._concrete = concrete
        self._inputs = inputs
        self._outputs = outputs

    @property
    def structured_input_signature(self) -> Any:
        specs = [TensorSpec(None if d is None else list(d), t, name=n) for (t, d), n in zip(self._concrete._specs, self._inputs, strict=True)]
        return (), dict(zip(self._inputs, specs, strict=True))

    @property
    def structured_outputs(self) -> dict[str, Any]:
        outputs = [o for o in self._concrete.graph.outputs if o is not None]
        return {n: TensorSpec(o.shape, o.dtype, name=n) for n, o in zip(self._outputs, outputs, strict=True)}

    @property
    def graph(self) -> Any:
        return self._concrete.graph

    @property
    def inputs(self) -> list[Any]:
        """The graph's inputs, in the order of `structured_input_signature`."""
        return self._concrete.inputs

    @property
    def outputs(self) -> list[Any]:
        return [o for o in self._concrete.graph.outputs if o is not None]

    @property
    def variables(self) -> Any:
        return self._concrete.variables

    @property
    def trainable_variables(self) -> Any:
        return self._concrete.trainable_variables

    @property
    def name(self) -> str:
        return self._concrete.name

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """TypeError when an input is missing, unknown, or of another dtype or rank."""
        if args:
            if len(args) != 1 or len(self._inputs) != 1 or kwargs:
                raise TypeError(f"A signature takes its inputs by name: {', '.join(self._inputs)}. Received {len(args)} positional arguments.")
            kwargs = {self._inputs[0]: args[0]}
        wrong = set(kwargs) ^ set(self._inputs)
        if wrong:
            raise TypeError(f"signature_wrapper({', '.join(self._inputs)}) missing or unexpected arguments: {', '.join(sorted(wrong))}.")
        leaves = []
        for name, (dtype, dims) in zip(self._inputs, self._concrete._specs, strict=True):
            leaf = convert_to_tensor(kwargs[name], dtype)
            if not TensorSpec(None if dims is None else list(dims), dtype).shape.is_compatible_with(leaf.shape):
                raise TypeError(f"The input '{name}' has shape {leaf.shape}, where {dims} is expected.")
            leaves.append(leaf)
        results = nest.flatten(self._concrete.run(leaves), expand_composites=True)
        return dict(zip(self._outputs, [r for r in results if r is not None], strict=True))


def output_names(concrete: ConcreteFunction) -> list[str]:
    """Names for a signature's results: the keys of a dict, else output_0, … TypeError for results that are no tensors."""
    result = concrete.graph.structured_outputs
    if isinstance(result, Mapping):
        if not all(isinstance(k, str) for k in result):
            raise ValueError("The keys of the dictionary that a signature returns must be strings.")
        names = nest.sorted_keys(result)
        if len(names) == len([o for o in concrete.graph.outputs if o is not None]):
            return names
        return [n if not i else f"{n}_{i}" for n in names for i in range(len(nest.flatten(result[n], expand_composites=True)))]
    flat = [o for o in concrete.graph.outputs if o is not None]
    return [f"output_{i}" for i in range(len(flat))]
