"""Graphs and profiles as summaries: `tf.summary.graph`, `trace_on`, `trace_export`, `trace_off`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf2compat import _ports
from tf2compat._engine import state
from tf2compat._engine.concrete import ConcreteFunction
from tf2compat._engine.tensor import Tensor
from tf2compat.profiler import experimental as profiling
from tf2compat.summary._writing import current, emit, messages, truth


def _graph_def(graph_data: Any) -> bytes | None:
    if messages().is_graph_def(graph_data):
        return graph_data.SerializeToString()
    from tf2compat._engine.graph import Graph

    return _ports.load("graph_def", "tensorflow").encode(graph_data) if isinstance(graph_data, Graph) else None


def graph(graph_data: Any) -> Tensor:
    """Writes a `tf.Graph` or a GraphDef message to the default writer, for TensorBoard's graph dashboard (`tf.summary.graph`).

    Returns a bool tensor, whether it was recorded. Raises ValueError for something else, and inside a `tf.function`.
    """
    if state.local.graph is not None:
        raise ValueError("graph() cannot be invoked inside a graph context.")
    if current.writer is None:
        return truth(False)
    content = _graph_def(graph_data)
    if content is None:
        raise ValueError(
            f"Argument 'graph_data' is not tf.Graph or tf.compat.v1.GraphDef. Received graph_data={graph_data} of type "
            f"{type(graph_data).__name__}."
        )
    return emit(np.zeros(()), 0, lambda array, number: messages().graph_event(content))


class _Trace:
    """What is collected between `trace_on` and `trace_export`."""

    def __init__(self, graph: bool, profiler: Any, outdir: str | None) -> None:
        self.graph = graph
        self.profiler = profiler
        self.outdir = outdir
        self.graphs: list[tuple[str, Any]] = []

    def stop(self) -> None:
        if self.profiler is not None:
            self.profiler.__exit__(None, None, None)
            self.profiler = None


def _run_noting(function: ConcreteFunction, leaves: list[Any]) -> Any:
    trace = current.tracing
    if trace is not None and trace.graph and all(known is not function.graph for _, known in trace.graphs):
        trace.graphs.append((function._name, function.graph))
    return _run(function, leaves)


_run = ConcreteFunction.run


def _note_functions(on: bool) -> None:
    """While a trace is on, functions run through a method that notes their graphs; calls cost nothing more when it is off."""
    ConcreteFunction.run = _run_noting if on else _run  # type: ignore[method-assign]


def trace_on(graph: bool = True, profiler: bool = False, profiler_outdir: str | None = None) -> None:
    """Starts collecting the graphs of functions that run, and with `profiler` a profile of the ops (`tf.summary.trace_on`)."""
    trace_off()
    running = None
    if profiler:
        running = profiling.begin()
    current.tracing = _Trace(graph, running, profiler_outdir)
    _note_functions(graph)


def trace_off() -> None:
    """Stops collecting, and forgets what has been collected (`tf.summary.trace_off`)."""
    trace, current.tracing = current.tracing, None
    _note_functions(False)
    if trace is not None:
        trace.stop()


def trace_export(name: str, step: Any = None, profiler_outdir: str | None = None) -> None:
    """Writes what has been collected since `trace_on`, and stops (`tf.summary.trace_export`).

    Graphs go to the default writer under the tag `name`; the profile to `<profiler_outdir>/plugins/profile`, in the form that the plugin
    `torch_tb_profiler` and chrome://tracing show. Raises ValueError without `trace_on`, or without a directory for the profile.
    """
    trace = current.tracing
    if trace is None:
        raise ValueError("Must enable trace before export through tf.summary.trace_on.")
    outdir = profiler_outdir or trace.outdir
    if trace.profiler is not None and outdir is None:
        raise ValueError("Argument `profiler_outdir` is not specified.")
    if trace.graph:
        content = _ports.load("graph_def", "tensorflow").encode_run(trace.graphs)
        values = np.empty((), object)
        values[()] = content
        emit(values, step, lambda array, number: messages().summary_event(number, name, array, messages().plugin("graph_run_metadata_graph")))
    if trace.profiler is not None:
        profiler = trace.profiler
        trace.stop()
        profiling.write(profiler, outdir)  # type: ignore[arg-type]
    trace_off()
