"""The functions of a pipeline: traced once, as `tf.function` traces, then run on the components of each element."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterator
from typing import Any

from .. import errors
from .._engine import state
from .._engine.autograph import switched
from .._engine.convert import convert_to_tensor
from .._engine.devices import hosted
from .._engine.op import wrap_here
from .._engine.replay import Program
from .._engine.specs import TensorSpec
from .._engine.tensor import Tensor
from . import structure


def arguments(spec: Any) -> tuple[Any, ...]:
    """How an element is passed: a tuple as several arguments, everything else as one."""
    return tuple(spec) if isinstance(spec, tuple) else (spec,)


_debugging = False


def enable_debug_mode() -> None:
    """Run the Python of pipelines that are made from now on for every element, in this thread (`tf.data.experimental.enable_debug_mode`)."""
    global _debugging
    if state.local.graph is not None:
        raise ValueError("`enable_debug_mode() is only supported in eager mode.")
    _debugging = True


class Traced:
    """`func` for elements of `spec`. `output_spec` is the structure of specs of what it returns.

    Functions that receive or return datasets are not graphs: their Python runs for each element.
    """

    @hosted
    def __init__(self, func: Callable[..., Any], spec: Any, what: str, extra: tuple[Any, ...] = (), returns_dataset: bool = False) -> None:
        if not callable(func):
            raise ValueError(f"Argument `func` must be a callable. Received func={func} (of type {type(func)})")
        self.func = func
        self.spec = spec
        self.what = what
        #: leading arguments beside the element: specs, for scan and reduce
        self.args = (*extra, *arguments(spec))
        flat = [s for a in self.args for s in structure.leaves(a)]
        self.concrete: Any = None
        self.program: Any = None
        self._converted: Any = None
        self._streams: list[Any] | None = None
        #: tensors of a function that is being traced, which the function uses, and their values when it runs
        self.captured: list[Any] = []
        self.bound: list[Any] = []
        objects = any(getattr(s, "value_type", None) is not None and hasattr(s.value_type, "element_spec") for s in flat)
        if returns_dataset or objects:
            self.output_spec = self._dataset_spec(objects)
            return
        from .._top.functions import function

        def call(*leaves: Any) -> Any:
            rest = list(leaves)
            given = []
            for a in self.args:
                n = len(structure.leaves(a))
                given.append(structure.pack(a, rest[:n]))
                del rest[:n]
            result = self.converted(*given)
            if isinstance(result, list):
                result = tuple(result)  # what an op gave: several tensors, not one of them stacked
            return structure.map_leaves(self._returned, result)

        traced = function(call, autograph=False)
        if what == "take_while" or what == "filter":
            traced._name = what
        self.concrete = traced.get_concrete_function(*flat)
        graph = self.concrete.graph
        self.captured = [outside for outside, _ in graph.captures.values()]
        result = self.concrete.graph.structured_outputs
        self.output_spec = structure.spec_of(result)
        plain = all(type(s) is TensorSpec for s in flat) and all(type(s) is TensorSpec for s in structure.leaves(self.output_spec))
        if _debugging:  # the trace told the spec
            self.concrete = None
        elif plain:
            self.program = self.concrete.program if not self.captured else Program(graph, [*graph.inputs, *(p for _, p in graph.captures.values())])
        if self.captured and self.program is None:
            raise NotImplementedError(
                f"The function of Dataset.{what} uses tensors of the tf.function that is being traced, which is not supported for elements that are "
                "no plain tensors: make the dataset outside of the tf.function, and pass it."
            )

    @property
    def converted(self) -> Callable[..., Any]:
        """`func` under AutoGraph."""
        if self._converted is None:
            from .._top.functions import _converted

            converted = _converted(self.func) if not hasattr(self.func, "get_concrete_function") else self.func

            def call(*args: Any) -> Any:  # what it calls is converted too
                with switched(True):
                    return converted(*args)

            self._converted = call
        return self._converted

    def _returned(self, value: Any) -> Any:
        if isinstance(value, Tensor) or hasattr(value, "_type_spec") or value is None:
            return value
        try:
            return value._tensor() if hasattr(type(value), "_tensor") else convert_to_tensor(value)
        except (TypeError, ValueError):
            raise TypeError(f"Unsupported return value from function passed to Dataset.{self.what}(): {value}.") from None

    def _dataset_spec(self, objects: bool) -> Any:
        """What the function returns, found by running it on symbolic tensors; on nothing real."""
        from .._engine.concrete import Graph

        given = []
        graph = Graph(self.what)
        with graph.as_default():
            n = 0
            for a in self.args:
                parts = []
                for s in structure.leaves(a):
                    if type(s) is TensorSpec:
                        dims = None if s.shape.rank is None else tuple(s.shape.as_list())
                        parts.append(graph.placeholder(s.dtype, dims, f"args_{n}"))
                    elif hasattr(s, "_placeholder"):
                        parts.append(s._placeholder())
                    else:
                        parts.append(s.placeholder_value(None))
                    n += 1
                given.append(structure.pack(a, parts))
            result = self.func(*given)
        self.returns_dataset = hasattr(type(result), "element_spec")
        if self.returns_dataset:
            return result.element_spec
        return structure.spec_of(structure.map_leaves(self._returned, result))

    def _graph_state(self) -> dict[str, Any]:
        """What a saved function keeps of this one: its trace."""
        kept: dict[str, Any] = {"what": self.what, "spec": self.spec, "args": self.args, "output_spec": self.output_spec, "trace": self.concrete}
        # the Python of a function that makes datasets, and a value of the run, do not outlive the process
        return kept if self.concrete is not None and not self.captured else {"function": self.func}

    @classmethod
    def _of_graph_state(cls, state: Any) -> Traced:
        made = cls.__new__(cls)
        made.func, made.what, made.spec, made.args = _gone, state["what"], state["spec"], state["args"]
        made.output_spec, made.concrete = state["output_spec"], state["trace"]
        made._converted, made._streams, made.captured, made.bound = None, None, [], []
        flat = [s for a in made.args for s in structure.leaves(a)]
        plain = all(type(s) is TensorSpec for s in [*flat, *structure.leaves(made.output_spec)])
        made.program = made.concrete.program if plain else None
        return made

    def restart(self) -> None:
        """Begin the seeded random ops of the function anew, as a new iterator does."""
        if self._streams is None:
            self._streams = [] if self.concrete is None else list(_streams(self.concrete.graph))
        for stream in self._streams:
            stream.restart()

    # --- running -----------------------------------------------------------------------------------------------------
    def __call__(self, flat: list[Any]) -> list[Any]:
        """Components in, components out."""
        if self.program is not None:
            local = state.local
            if not local.tapes and local.graph is None:
                try:
                    return self.program.run(*flat, *self.bound)
                except Exception as error:  # noqa: BLE001 - translated into the failed op's
                    raise self.failed(self.program.translate(error)) from None
            with state.outside():
                return self(flat)
        return structure.components(self.value(flat))

    def value(self, flat: list[Any]) -> Any:
        """Components in, the function's result as a structure of tensors (or a dataset) out."""
        rest = [structure.delivered(c) for c in flat]
        with state.outside():
            if self.concrete is not None:
                try:
                    return self.concrete(*rest)
                except errors.OpError as error:
                    raise self.failed(error) from None
            given = []
            for a in self.args:
                n = len(structure.leaves(a))
                given.append(structure.pack(a, rest[:n]))
                del rest[:n]
            result = self.func(*given)
            if hasattr(type(result), "element_spec"):
                return result
            if isinstance(result, list):
                result = tuple(result)  # what an op gave: several tensors, not one of them stacked
            return structure.map_leaves(self._returned, result)

    def failed(self, error: BaseException) -> BaseException:
        """An op's failure, with the transformation that it happened in."""
        if isinstance(error, errors.OpError) and not error.message.startswith("Error in user-defined function"):
            name = {"map": "MapDataset", "filter": "FilterDataset", "flat_map": "FlatMapDataset"}.get(self.what, f"{self.what.title()}Dataset")
            kind, message = type(error), error.message
            if kind is errors.OutOfRangeError and self.what in ("map", "scan"):  # which callers would take for the end of the dataset
                kind, message = errors.InvalidArgumentError, f"Function invocation produced OutOfRangeError: {message}"
            return kind(error.node_def, error.op, f"Error in user-defined function passed to {name} transformation: {message}")
        return error


def _gone(*args: Any) -> Any:
    raise RuntimeError("The function of a loaded pipeline has a trace and no Python code.")


def _streams(graph: Any) -> Iterator[Any]:
    """The random streams with seeds that the ops of a graph draw from."""
    for node in graph.nodes:
        if node.op is not None and "stream" in node.op.params:
            found = node.args[node.op.params.index("stream")]
            if getattr(found, "seeds", None) is not None:
                yield found
        for block in node.blocks:
            yield from _streams(block)


def check_structure(value: Any) -> None:
    if isinstance(value, collections.abc.Iterator):
        raise TypeError(f"Dataset elements cannot be iterators: {value!r}")


def scalar_tensor(value: Any) -> Any:
    return wrap_here(value)
