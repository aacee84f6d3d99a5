"""`tf.function`: a Python function that is traced once for each kind of arguments and then runs as a graph."""

from __future__ import annotations

import functools
import inspect
import threading
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

import torch

from .. import config
from .._engine import nest, state, strategies
from .._engine.autograph import enabled, function_for, request, switched
from .._engine.autograph.staging import install
from .._engine.concrete import ConcreteFunction, trace
from .._engine.convert import convert_to_tensor
from .._engine.function_type import Callable as TensorCallable
from .._engine.function_type import FunctionType
from .._engine.signature import Binder, Leaves, dead, encode
from .._engine.specs import TensorSpec, TypeSpec
from .._engine.symbolic import SymbolicTensor
from .._engine.tensor import Tensor
from .._engine.variable import Variable

__all__ = ["Function", "function"]

#: traces that one function keeps; the oldest unused goes first
_KEPT = 256
#: kinds of calls in replicas that are remembered for saving
_KEPT_OF_STEPS = 16
#: traces among how many calls are told of, and how often
_WARNED_AT, _HISTORY, _WARNINGS = 5, 10, 2

install()


class _Detector:
    """Counts the calls and traces of all functions made of the same code, and tells when most calls trace."""

    def __init__(self) -> None:
        self.calls = 0
        self.warnings = 0
        self.at: deque[int] = deque()  # the numbers of the calls that traced

    def traced(self, fn: Any) -> None:
        at = self.at
        at.append(self.calls)
        while len(at) > 1 and self.calls - (at[1] - 1) > _HISTORY:
            at.popleft()
        if self.warnings >= _WARNINGS or len(at) < _WARNED_AT:
            return
        self.warnings += 1
        from .calling import get_logger

        get_logger().warning(
            "%d out of the last %d calls to %r triggered tf.function retracing. Tracing is expensive and the excessive number of "
            "tracings could be due to (1) creating @tf.function repeatedly in a loop, (2) passing tensors with different shapes, (3) "
            "passing Python objects instead of tensors. For (1), please define your @tf.function outside of the loop. For (2), "
            "@tf.function has reduce_retracing=True option that can avoid unnecessary retracing. For (3), please refer to "
            "https://www.tensorflow.org/guide/function#controlling_retracing and "
            "https://www.tensorflow.org/api_docs/python/tf/function for  more details.",
            len(at), self.calls - (at[0] - 1), fn,
        )  # fmt: skip


_detectors: weakref.WeakKeyDictionary[Any, _Detector] = weakref.WeakKeyDictionary()


def _detector_of(fn: Any) -> _Detector:
    """The detector of all functions with the code of `fn`."""
    while hasattr(fn, "__wrapped__"):
        fn = fn.__wrapped__
    fn = getattr(fn, "__func__", fn)
    code = getattr(fn, "__code__", fn)
    try:
        found = _detectors.get(code)
        if found is None:
            found = _detectors[code] = _Detector()
        return found
    except TypeError:
        return _Detector()


#: attributes that choose among implementations of one computation by device: each computes the same
_CHOICES = {"api_implements", "api_preferred_device"}


class Function(TensorCallable):
    """A Python function run as graphs (what `tf.function` gives)."""

    def __init__(
        self, fn: Callable[..., Any], name: str, input_signature: Any, autograph: bool, jit_compile: bool | None,
        reduce_retracing: bool, implements: str | None, options: Any, instance: Any = None,
    ) -> None:  # fmt: skip
        self._python_function = fn
        self._name = name
        self._autograph = autograph
        self._jit_compile = jit_compile
        self._reduce_retracing = reduce_retracing
        #: whether calls to come are with batches of other sizes too, as in a loop over data: first traces leave the first dimension open
        self._batches_vary = False
        self._implements = implements
        self._options = options
        self._instance = instance  # a weak reference to the object of a method
        self._binder = Binder(fn, skip=1 if instance is not None else 0)
        self._input_signature = self._binder.input_signature = self._checked_signature(input_signature)
        self._cache: OrderedDict[Any, ConcreteFunction] = OrderedDict()
        # traces whose tensors have unknown dimensions: (key without shapes, dims of each tensor, the trace)
        self._open: list[tuple[Any, list[Any], ConcreteFunction]] = []
        self._lock = threading.RLock()
        self._traces = 0
        #: the call before, where tensors are all that it was made with
        self._last: Any = None
        self._created = False
        #: kinds of calls that replicas made, which have no traces: (arguments by their specs)
        self._in_steps: dict[Any, tuple[Any, Any]] = {}
        self._detector = _detector_of(fn)
        self._methods: weakref.WeakKeyDictionary[Any, Function] = weakref.WeakKeyDictionary()
        try:
            functools.update_wrapper(self, fn)
        except (AttributeError, TypeError):
            self.__name__ = name
        self.__wrapped__ = fn

    def _decorate(self, decorator: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put `decorator` around the Python function before its first trace (Sonnet enters a module's name scope so)."""
        if self._traces:
            raise ValueError("Functions cannot be decorated after they have been traced.")
        self._python_function = self.__wrapped__ = decorator(self._python_function)
        self._binder = Binder(self._python_function, skip=1 if self._instance is not None else 0)
        self._binder.input_signature = self._input_signature

    # --- signatures --------------------------------------------------------------------------------------------------
    def _checked_signature(self, signature: Any) -> Any:
        if signature is None:
            return None
        if not isinstance(signature, (tuple, list)):
            raise TypeError(f"input_signature must be either a tuple or a list, got {type(signature)}.")
        for s in nest.flatten(signature):
            if not isinstance(s, (TypeSpec, Variable)) and not hasattr(type(s), "_serialize"):
                raise TypeError(
                    f"input_signature must be a possibly nested sequence of TensorSpec objects, got invalid args {list(signature)} with types "
                    f"{[type(v) for v in signature]}."
                )
        names = self._binder.names
        if len(signature) > len(names) and self._binder.varargs is None:
            raise TypeError(
                f"input_signature has {len(signature)} entries, but {self._name} takes {len(names)} positional arguments: {names}"
            )
        return tuple(signature)

    def _cast(self, pos: tuple[Any, ...], kw: dict[str, Any]) -> tuple[Any, ...]:
        """Arguments brought to the input signature; TypeError where they do not fit."""
        signature = self._input_signature
        given = list(pos)
        for i in range(len(signature), len(given)):
            name = self._binder.names[i] if i < len(self._binder.names) else None
            if name not in self._binder.defaults or given[i] is not self._binder.defaults[name]:
                raise TypeError(f"{self._name} takes {len(signature)} arguments by its input_signature, got {len(given)}.")
        out = []
        for spec, value in zip(signature, given, strict=False):
            try:
                value = _as_specified(spec, value)
                nest.assert_same_structure(spec, value, check_types=False)
                flat = [self._cast_one(s, v) for s, v in zip(nest.flatten(spec), nest.flatten(value), strict=True)]
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"Binding inputs to tf.function failed due to `{error}`. Received args: {pos} and kwargs: {kw} for signature: "
                    f"{self._binder.function_type}."
                ) from None
            out.append(nest.pack_sequence_as(spec, flat))
        return (*out, *given[len(out) :])

    @staticmethod
    def _cast_one(spec: Any, value: Any) -> Any:
        if not isinstance(spec, TensorSpec):
            return value
        if isinstance(value, TensorSpec):
            t: Any = value
        elif isinstance(value, (Tensor, Variable)):
            t = convert_to_tensor(value)
        else:
            t = convert_to_tensor(value, spec.dtype)
        if t.dtype is not spec.dtype or not t.shape.is_compatible_with(spec.shape):
            raise TypeError(f"Can not cast {TensorSpec(t.shape, t.dtype)!r} to {spec!r}")
        return t

    # --- calling -----------------------------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function's graph for these arguments, tracing it when there is none yet."""
        if config._run_eagerly:
            return self._python(*args, **kwargs)
        if strategies.running and strategies.replica() is not None:  # a trace would be of one replica, and could not meet the others
            held = args if self._instance is None else (self._instance(), *args)
            self._note_of_step(args, kwargs)
            return strategies.part_of_step(self._python_function, held, kwargs)
        last = self._last
        if last is not None and not kwargs and state.local.device is None:
            specs, nested, found = last
            given = args[0] if nested and len(args) == 1 and type(args[0]) is tuple else () if nested else args
            if len(given) == len(specs):
                for a, (dtype, shape) in zip(given, specs, strict=True):
                    if type(a) is not Tensor or a._t.dtype is not dtype or a._t.shape != shape:
                        break
                else:
                    self._detector.calls += 1
                    return found.run(given)
        pos, kw = self._binder.bind(args, kwargs)
        if self._input_signature is not None:
            pos = self._cast(pos, kw)
        leaves: list[Any] = []
        key: Any = tuple([encode(a, leaves) for a in pos])
        if kw:
            key = (key, encode(kw, leaves))
        if state.local.device is not None:
            key = (key, state.local.device)
        found = self._cache.get(key)
        traced = False
        if found is None:
            found, traced = self._find(key, pos, kw, leaves)
        self._detector.calls += 1
        if traced:
            self._detector.traced(self._python_function)
        self._last = self._recent(args, kwargs, found) if self._cache.get(key) is found else None
        return found.run(leaves)

    def _note_of_step(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Remember what kind of call a replica makes: what is saved later has a trace for it, as TensorFlow's has."""
        key = encode((args, kwargs), [])
        if key not in self._in_steps and len(self._in_steps) < _KEPT_OF_STEPS:
            self._in_steps[key] = nest.map_structure(_spec_of, (args, kwargs))

    def _recent(self, args: tuple[Any, ...], kwargs: dict[str, Any], found: ConcreteFunction) -> Any:
        """A call with tensors, or a tuple of tensors, alone: dtypes and shapes, whether a tuple, the trace; most calls are like the one before."""
        plain = not kwargs and self._binder.simple and len(args) == self._binder.count and self._input_signature is None
        nested = len(args) == 1 and type(args[0]) is tuple
        given = args[0] if nested else args
        if not plain or not given or state.local.device is not None:
            return None
        if any(type(a) is not Tensor or not isinstance(a._t, torch.Tensor) for a in given):
            return None
        return [(a._t.dtype, a._t.shape) for a in given], nested, found

    def _python(self, *args: Any, **kwargs: Any) -> Any:
        if self._instance is not None:
            return self._python_function(self._instance(), *args, **kwargs)
        return self._python_function(*args, **kwargs)

    def _find(self, key: Any, pos: tuple[Any, ...], kw: dict[str, Any], leaves: list[Any]) -> tuple[ConcreteFunction, bool]:
        """A trace that serves the call: an open one that covers its shapes, or a new one."""
        with self._lock:
            found = self._cache.get(key)
            if found is not None:
                return found, False
            loose: Any = (encode(pos, [], False), encode(kw, [], False), state.local.device)
            known = Leaves()
            encode(pos, known)
            encode(kw, known)
            given = [*(known.open[i] if i in known.open else _dims(v) for i, v in enumerate(leaves)), *known.shapes]
            for open_key, open_dims, concrete in self._open:
                if open_key == loose and all(_covers(o, d) for o, d in zip(open_dims, given, strict=True)):
                    self._cache[key] = concrete
                    return concrete, False
            dims = given
            if self._input_signature is not None:
                # traced for the signature's shapes, whatever the call's are
                wanted = Leaves()
                encode(tuple(self._input_signature), wanted)  # those of composites among them
                if len(wanted) <= len(leaves) and len(wanted.shapes) <= len(known.shapes):
                    dims = [*map(_dims, wanted), *dims[len(wanted) : len(leaves)], *wanted.shapes, *dims[len(leaves) + len(wanted.shapes) :]]
            elif self._reduce_retracing:
                dims = self._relaxed(loose, dims, pos)
            specs = [(v.dtype, d) for v, d in zip(leaves, dims, strict=False)]
            shapes = dims[len(leaves) :]
            if shapes != known.shapes:
                pos, kw = _reshaped(pos, kw, shapes)
            concrete = self._trace(pos, kw, specs)
            if concrete.graph.captures:
                return concrete, True  # it belongs to the graph around it
            self._cache[key] = concrete
            if any(d is None or None in d for d in dims):
                self._open.append((loose, dims, concrete))
            if len(self._cache) > _KEPT:
                self._prune()
            return concrete, True

    def _relaxed(self, loose: Any, dims: list[Any], pos: tuple[Any, ...]) -> list[Any]:
        """Shapes that cover this call's and those of an earlier trace of the same kind."""
        seen = self.__dict__.setdefault("_seen_shapes", {})
        if self._batches_vary and all(v is None or type(v) is Tensor or hasattr(v, "row_splits") for v in nest.flatten(pos)):
            dims = [(None, *d[1:]) if d else d for d in dims]
        before = seen.get(loose)
        seen[loose] = dims if before is None else [_join(a, b) for a, b in zip(before, dims, strict=True)]
        return list(seen[loose])

    def _prune(self) -> None:
        for key in [k for k in self._cache if dead(k)]:
            del self._cache[key]
        while len(self._cache) > _KEPT:
            self._cache.popitem(last=False)
        alive = {id(c) for c in self._cache.values()}
        self._open = [entry for entry in self._open if id(entry[2]) in alive]

    def _trace(self, pos: tuple[Any, ...], kw: dict[str, Any], specs: list[tuple[Any, Any]]) -> ConcreteFunction:
        fn = self._callable()
        self._traces += 1
        graph, created = trace(fn, self._name, self._binder, pos, kw, specs, not self._created)
        if created:
            # as TensorFlow does: once with the variables made, then the trace that is kept
            self._created = True
            self._traces += 1
            graph, _ = trace(fn, self._name, self._binder, pos, kw, specs, False)
        self._created = True
        return ConcreteFunction(graph, self._name, self._binder, pos, kw, specs, self._jit_compile)

    def _callable(self) -> Callable[..., Any]:
        """What is traced: the Python function, converted by AutoGraph where that is wanted."""
        fn = self._python_function
        if self._autograph and (state.local.graph is None or enabled()):
            request(fn)
            converted = _converted(fn)

            def call(*args: Any, **kwargs: Any) -> Any:
                with switched(True):
                    return converted(*args, **kwargs)
        else:

            def call(*args: Any, **kwargs: Any) -> Any:
                with switched(False):
                    return fn(*args, **kwargs)

            call._as_written = True  # type: ignore[attr-defined]
        if self._instance is None:
            return call
        instance = self._instance()

        def bound(*args: Any, **kwargs: Any) -> Any:
            return call(instance, *args, **kwargs)

        bound.__dict__.update(call.__dict__)
        return bound

    # --- methods -----------------------------------------------------------------------------------------------------
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """The function as a method: each object has traces of its own."""
        if instance is None:
            return self
        try:
            found = self._methods.get(instance)
        except TypeError:  # unhashable objects, or without weak references
            found = None
            slot = getattr(instance, "__dict__", None)
            if slot is not None:
                found = slot.get(f"_tf_function_{id(self)}")
        if found is None:
            try:
                reference: Any = weakref.ref(instance)
            except TypeError:
                reference = lambda: instance  # noqa: E731
            found = Function(
                self._python_function, self._name, None, self._autograph, self._jit_compile, self._reduce_retracing,
                self._implements, self._options, reference,
            )  # fmt: skip
            found._input_signature = found._binder.input_signature = self._input_signature
            try:
                self._methods[instance] = found
            except TypeError:
                slot = getattr(instance, "__dict__", None)
                if slot is not None:
                    slot[f"_tf_function_{id(self)}"] = found
        return found

    # --- what users look at ------------------------------------------------------------------------------------------
    @property
    def python_function(self) -> Callable[..., Any]:
        """The Python function that was given to `tf.function`; of a method of an object, bound to it."""
        instance = None if self._instance is None else self._instance()
        return self._python_function if instance is None else types.MethodType(self._python_function, instance)

    @property
    def input_signature(self) -> Any:
        return self._input_signature

    @property
    def function_spec(self) -> Any:
        return self._binder

    @property
    def function_type(self) -> FunctionType:
        """The parameters, with what an input signature allows."""
        return self._binder.function_type

    @property
    def name(self) -> str:
        """The function's name."""
        return self._name

    def experimental_get_tracing_count(self) -> int:
        """How often the function was traced."""
        return self._traces

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace for arguments or `tf.TensorSpec`s, made when there is none."""
        if self._input_signature is not None and not args and not kwargs:
            args = self._input_signature
        pos, kw = self._binder.bind(args, kwargs)
        if self._input_signature is not None:
            pos = self._cast(pos, kw)
        leaves: list[Any] = []
        key: Any = tuple([encode(a, leaves) for a in pos])
        if kw:
            key = (key, encode(kw, leaves))
        if state.local.device is not None:
            key = (key, state.local.device)
        found = self._cache.get(key)
        if found is None:
            found, _ = self._find(key, pos, kw, leaves)
        return found

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """The signatures of all traces as text."""
        return "\n\n".join(c.pretty_printed_signature(verbose) for c in dict.fromkeys(self._cache.values()))

    def _list_all_concrete_functions(self) -> list[ConcreteFunction]:
        return list(dict.fromkeys(self._cache.values()))

    def _traced_steps(self) -> list[ConcreteFunction]:
        """Traces for the calls that were made in replicas alone, made when they are asked for."""
        found = []
        from .calling import get_logger

        for args, kwargs in self._in_steps.values():
            try:
                found.append(self.get_concrete_function(*args, **kwargs))
            except Exception as problem:  # noqa: BLE001 - it may need the other replicas
                get_logger().warning("%s was called in replicas alone, and cannot be traced outside of them: %s", self._name, problem)
        return found

    def explain(self) -> str:
        """What became of the function: its traces, how each runs, the time spent, why something is not compiled."""
        lines = [f"{self._name}: {self._traces} traces, {len(set(map(id, self._cache.values())))} kept"]
        for c in dict.fromkeys(self._cache.values()):
            lines.append(f"  {c.pretty_printed_signature(False)}  {len(c.graph.nodes)} nodes")
            lines += ["    not run yet"] if c._tier is None else ["    " + line for line in c._tier.describe()]
        return "\n".join(lines)

    def experimental_get_compiler_ir(self, *args: Any, **kwargs: Any) -> Any:
        """TensorFlow's XLA text does not exist here; `get_concrete_function(...).graph.code` is what runs."""
        raise NotImplementedError("tf2compat has no XLA: see get_concrete_function(...).graph.code for the code that runs")

    def __repr__(self) -> str:
        return f"<tensorflow.python.eager.polymorphic_function.polymorphic_function.Function object at {hex(id(self))}>"

    def __reduce__(self) -> Any:
        return _again, (
            self._python_function, self._input_signature, self._autograph, self._jit_compile, self._reduce_retracing,
        )  # fmt: skip

    def __deepcopy__(self, memo: Any) -> Function:
        return _again(*self.__reduce__()[1])


def _again(fn: Any, signature: Any, autograph: bool, jit: Any, reduce: bool) -> Function:
    return function(fn, signature, autograph, jit, reduce)


def _as_specified(spec: Any, value: Any) -> Any:
    """`value` with Python lists turned into tensors where a signature wants tensors."""
    if isinstance(spec, TensorSpec):
        return convert_to_tensor(value, spec.dtype) if nest.is_nested(value) else value
    if isinstance(spec, TypeSpec) or not nest.is_nested(spec) or not nest.is_nested(value):
        return value
    specs, values = nest.children(spec), nest.children(value)
    if len(specs) != len(values):
        return value
    return nest.rebuild(value, [_as_specified(s, v) for s, v in zip(specs, values, strict=True)])


def _dims(v: Any) -> Any:
    if isinstance(v, SymbolicTensor):
        return v._dims
    if isinstance(v, TensorSpec):
        return None if v.shape.rank is None else tuple(v.shape.as_list())
    return tuple(v._t.shape)


def _reshaped(pos: tuple[Any, ...], kw: dict[str, Any], shapes: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments in which sparse tensors are specs of these shapes."""
    rest = iter(shapes)

    def spec(value: Any) -> Any:
        if not hasattr(type(value), "_tf_static_shape"):
            return value
        return type(value if isinstance(value, TypeSpec) else value._type_spec)(next(rest), value.dtype)

    return nest.map_structure(spec, (pos, kw))


def _spec_of(value: Any) -> Any:
    """A tensor's spec, a component's variable, anything else as it is."""
    if isinstance(value, Tensor):
        return TensorSpec.from_tensor(value)
    return getattr(value, "_container", None) or value if isinstance(value, Variable) else value


def _covers(open_: Any, dims: Any) -> bool:
    if open_ is None:
        return True
    return dims is not None and len(open_) == len(dims) and all(o is None or o == d for o, d in zip(open_, dims, strict=True))


def _join(a: Any, b: Any) -> Any:
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x == y else None for x, y in zip(a, b, strict=True))


def _converted(fn: Any) -> Callable[..., Any]:
    """`fn` rewritten by AutoGraph; callables other than functions are called as converted code calls them."""
    if inspect.isfunction(fn):
        return function_for(fn, requested=True)
    if inspect.ismethod(fn) and inspect.isfunction(fn.__func__):
        return functools.partial(function_for(fn.__func__, requested=True), fn.__self__)
    from .._engine.autograph import converted_call

    return lambda *args, **kwargs: converted_call(fn, args, kwargs)


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Make a function run as graphs (`tf.function`); a decorator when `func` is not given.

    The function is traced once for each signature: tensors by dtype and shape, Python values by value, objects and
    variables by identity. `input_signature` (a sequence of `tf.TensorSpec`) allows one trace. ValueError when variables
    are created on any call but the first.
    """
    if experimental_attributes and not set(experimental_attributes) <= _CHOICES:
        raise ValueError(f"experimental_attributes is not supported by tf2compat: {experimental_attributes!r}")
    if experimental_follow_type_hints:
        raise ValueError("experimental_follow_type_hints is not supported by tf2compat")
    if experimental_relax_shapes is not None:
        reduce_retracing = experimental_relax_shapes
    if experimental_compile is not None:
        jit_compile = experimental_compile

    def decorated(fn: Callable[..., Any]) -> Any:
        if not callable(fn):
            raise TypeError(f"tf.function expects a callable, got {fn!r}")
        if isinstance(fn, Function):
            fn = fn._python_function if fn._instance is None else functools.partial(fn._python_function, fn._instance())
        if isinstance(fn, classmethod | staticmethod):
            raise TypeError("tf.function must be applied below @classmethod and @staticmethod, not above them")
        name = getattr(fn, "__name__", None) or type(fn).__name__
        return Function(
            fn, name, input_signature, autograph, jit_compile, reduce_retracing, experimental_implements,
            experimental_autograph_options,
        )  # fmt: skip

    return decorated if func is None else decorated(func)

