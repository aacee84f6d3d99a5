"""What a layer gives for symbolic inputs: its `call` runs once on the symbols of a throwaway graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine import dtypes, nest, state
from tf2compat._engine.graph import Graph
from tf2compat._engine.shapes import TensorShape

from .callspec import mask_of, set_mask
from .context import calling

#: classes of other libraries that stand for tensors, which a functional model has no symbols for
without_symbols: list[type] = []


def _dims(shape: TensorShape) -> tuple[int | None, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())


class _Inferring:
    """The state of the thread while shapes are found out."""

    def __init__(self, connecting: bool) -> None:
        self.connecting = connecting

    def __enter__(self) -> None:
        d = calling.__dict__
        self.saved = (d["training"], d["inferring"], d["depth"], d["autocast"], d["connecting"])
        self.tapes = state.local.tapes
        self.names, state.local.names = state.local.names, []
        d["inferring"], d["connecting"] = True, self.connecting
        if not self.connecting:
            d["training"] = False  # of shapes alone Keras asks at rest; elsewhere what the call around this one says holds
        if self.tapes:
            state.local.tapes = []
            state.tapes_changed()

    def __exit__(self, *exc: object) -> None:
        d = calling.__dict__
        d["training"], d["inferring"], d["depth"], d["autocast"], d["connecting"] = self.saved
        state.local.names = self.names
        if self.tapes:
            state.local.tapes = self.tapes
            state.tapes_changed()


def run_symbolically(fn: Callable[..., Any], args: Any, kwargs: Any, connecting: bool = True) -> Any:
    """`fn(*args, **kwargs)` with a graph's symbols in place of Keras' symbolic tensors; what it returned.

    Losses that layers add on the way are kept as symbols, unless this is not `connecting` them.
    """
    graph = Graph("keras_scratch_graph")
    known: dict[int, Any] = {}

    def symbol(x: Any) -> Any:
        if not hasattr(type(x), "_is_keras_tensor"):
            return x
        found = known.get(id(x))
        if found is None:
            if x._ragged or x._sparse:
                found = _composite(graph, x)
            elif x._constant is not None:
                from tf2compat import constant

                found = constant(x._constant, dtype=x.dtype)
            elif x._composite is not None:
                found = x._composite.placeholder_value(None)
            else:
                found = graph.placeholder(x.dtype, _dims(x.shape), "Placeholder")
                if x._guesses is not None:
                    for t in (found, found._node.outputs[0]):
                        t._t, t._b = x._guesses
            mask = mask_of(x)
            if mask is not None:
                set_mask(found, graph.placeholder(mask.dtype, _dims(mask.shape), "mask"))
            known[id(x)] = found
        return found

    with _Inferring(connecting), graph.as_default():
        found = fn(*nest.map_structure(symbol, args), **nest.map_structure(symbol, kwargs))
    for part in nest.flatten(found) if without_symbols else ():
        if isinstance(part, tuple(without_symbols)):
            raise NotImplementedError(
                f"tf2compat does not support outputs of {type(part).__name__} in a functional or Sequential model with declared inputs: "
                "call the layer in a subclassed model."
            )
    return found


def unseen(layer: Any, inputs: Any) -> Any:
    """Symbols for what a layer gives that runs on values alone (`dynamic=True`), by the shapes that it says."""
    from tf2compat import TensorSpec

    given = nest.map_structure(lambda x: TensorSpec(x.shape, x.dtype), inputs)
    graph = state.local.graph
    return nest.map_structure(lambda s: graph.placeholder(s.dtype, _dims(TensorShape(s.shape)), layer.name), layer.compute_output_signature(given))


def _composite(graph: Graph, x: Any) -> Any:
    """A ragged or sparse tensor of placeholders."""
    dims = x.shape.as_list()
    if x._sparse:
        from tf2compat import SparseTensor

        rank = len(dims)
        sparse = SparseTensor(
            graph.placeholder(dtypes.int64, (None, rank), "indices"), graph.placeholder(x.dtype, (None,), "values"),
            graph.placeholder(dtypes.int64, (rank,), "dense_shape"),
        )  # fmt: skip
        sparse._shape = x.shape
        return sparse
    from tf2compat import RaggedTensor

    found = graph.placeholder(x.dtype, (None, *dims[x._ragged + 1 :]), "flat_values")
    for level in reversed(range(x._ragged)):
        rows = dims[0] + 1 if level == 0 and dims[0] is not None else None
        found = RaggedTensor.from_row_splits(found, graph.placeholder(x._splits, (rows,), f"row_splits_{level}"), validate=False)
    return found


def infer_shapes(layer: Any, input_shape: Any) -> Any:
    """The output shape(s) of a layer for input shape(s), by running it on symbols; the layer is built if it is not."""
    from .symbolic import KerasTensor

    dtype = layer.compute_dtype or "float32"
    if _is_shape(input_shape):
        inputs: Any = KerasTensor(TensorShape(input_shape), dtypes.as_dtype(dtype))
    else:
        inputs = _map_shapes(lambda s: KerasTensor(TensorShape(s), dtypes.as_dtype(dtype)), input_shape)
    try:
        out = run_symbolically(layer, (inputs,), {}, connecting=False)
    except TypeError as error:
        raise NotImplementedError(
            "We could not automatically infer the static shape of the layer's output. Please implement the `compute_output_shape` method "
            f"on your layer ({type(layer).__name__})."
        ) from error
    return nest.map_structure(lambda t: t.shape, out)


def _is_shape(value: Any) -> bool:
    return isinstance(value, TensorShape) or (
        isinstance(value, (list, tuple)) and all(d is None or hasattr(type(d), "__index__") for d in value)
    )


def _map_shapes(fn: Callable[[Any], Any], value: Any) -> Any:
    if value is None:
        return None  # an argument that was left out of a list
    if _is_shape(value):
        return fn(value)
    if isinstance(value, dict):
        return {k: _map_shapes(fn, v) for k, v in value.items()}
    parts = [_map_shapes(fn, v) for v in value]  # of tracked lists and tuples plain ones
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts) if isinstance(value, tuple) else parts
