"""Symbolic tensors of functional models: what `tf.keras.Input` and layers called on it give."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tf2compat._engine import dtypes, nest
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.symbolic import SymbolicTensor

from .callspec import mask_of, set_mask
from .connections import KerasHistory, Node
from .result_names import result_name


class KerasTensor:
    """A tensor of a functional model: a shape and dtype, and where it comes from.

    TensorFlow's ops and operators on it become layers of the model. It has no values: `ValueError` or `TypeError` where some are
    asked for.
    """

    __array_priority__ = 100
    _is_keras_tensor = True
    _tf_storage = True
    __slots__ = (
        "_dtype", "_shape", "_name", "_keras_history", "_keras_mask", "_constant", "_guesses", "_ragged", "_splits", "_sparse", "_composite", "__weakref__",
    )  # fmt: skip

    def __init__(self, shape: Any, dtype: Any, name: str | None = None, constant: Any = None) -> None:
        self._shape = shape if isinstance(shape, TensorShape) else TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype)
        self._name = name
        self._keras_history = KerasHistory(None, 0, 0)
        self._keras_mask: Any = None
        #: the value where it is known already, e.g. of `tf.shape` parts
        self._constant = constant
        #: two storages of sizes of which some are known: those agree in them
        self._guesses: Any = None
        #: the number of ragged dimensions, and the dtype of their row splits
        self._ragged = 0
        self._splits = dtypes.int64
        self._sparse = False
        #: the spec of an extension type, for which this stands
        self._composite: Any = None

    @property
    def shape(self) -> TensorShape:
        return self._shape

    def get_shape(self) -> TensorShape:
        return self._shape

    def set_shape(self, shape: Any) -> None:
        self._shape = self._shape.merge_with(shape)

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def ndim(self) -> int | None:
        return self._shape.rank

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def is_tensor_like(self) -> bool:
        return True

    @property
    def node(self) -> Node:
        h = self._keras_history
        return h.layer._inbound[h.node_index]

    @property
    def type_spec(self) -> Any:
        from tf2compat import RaggedTensorSpec, SparseTensorSpec, TensorSpec

        if self._composite is not None:
            return self._composite
        if self._ragged:
            return RaggedTensorSpec(self._shape, self._dtype, self._ragged, self._splits)
        if self._sparse:
            return SparseTensorSpec(self._shape, self._dtype)
        return TensorSpec(shape=self._shape, dtype=self._dtype, name=self._name)

    _type_spec = type_spec

    # --- what ragged tensors have ---------------------------------------------------------------------------------------
    def _ragged_method(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if not self._ragged and not (self._sparse and name in ("indices", "values", "dense_shape")):
            raise AttributeError(f"'KerasTensor' object has no attribute '{name}': only ragged tensors have it")
        from .oplayers import MethodLambda

        return MethodLambda(name)(self, *args, **kwargs)

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Any:
        """The dense form of a ragged symbolic tensor."""
        return self._ragged_method("to_tensor", default_value=default_value, shape=shape)

    def to_sparse(self, name: str | None = None) -> Any:
        return self._ragged_method("to_sparse")

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        return self._ragged_method("row_lengths", axis=axis)

    def nrows(self, out_type: Any = None, name: str | None = None) -> Any:
        return self._ragged_method("nrows", out_type=out_type)

    def with_values(self, new_values: Any) -> Any:
        return self._ragged_method("with_values", new_values=new_values)

    def with_flat_values(self, new_values: Any) -> Any:
        return self._ragged_method("with_flat_values", new_values=new_values)

    def with_row_splits_dtype(self, dtype: Any) -> Any:
        return self._ragged_method("with_row_splits_dtype", dtype=dtype)

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        return self._ragged_method("merge_dims", outer_axis=outer_axis, inner_axis=inner_axis)

    def bounding_shape(self, axis: Any = None, name: str | None = None, out_type: Any = None) -> Any:
        return self._ragged_method("bounding_shape", axis=axis, out_type=out_type)

    def value_rowids(self, name: str | None = None) -> Any:
        return self._ragged_method("value_rowids")

    def nested_value_rowids(self, name: str | None = None) -> Any:
        return self._ragged_method("nested_value_rowids")

    def nested_row_lengths(self, name: str | None = None) -> Any:
        return self._ragged_method("nested_row_lengths")

    def row_starts(self, name: str | None = None) -> Any:
        return self._ragged_method("row_starts")

    def row_limits(self, name: str | None = None) -> Any:
        return self._ragged_method("row_limits")

    @property
    def nested_row_splits(self) -> Any:
        return self._ragged_method("nested_row_splits")

    @property
    def values(self) -> Any:
        return self._ragged_method("values")

    @property
    def indices(self) -> Any:
        return self._ragged_method("indices")

    @property
    def dense_shape(self) -> Any:
        return self._ragged_method("dense_shape")

    @property
    def flat_values(self) -> Any:
        return self._ragged_method("flat_values")

    @property
    def row_splits(self) -> Any:
        return self._ragged_method("row_splits")

    @property
    def ragged_rank(self) -> int:
        if not self._ragged:
            raise AttributeError("'KerasTensor' object has no attribute 'ragged_rank': only ragged tensors have it")
        return self._ragged

    def _as_tensor(self) -> KerasTensor:
        return self

    def ref(self) -> Any:
        from tf2compat._engine.tensor import Reference

        return Reference(self)

    def __hash__(self) -> int:
        raise TypeError(f"Tensors are unhashable (this tensor: {self}). Instead, use tensor.ref() as the key.")

    def __repr__(self) -> str:
        layer = self._keras_history.layer
        created = f" (created by layer '{layer.name}')" if layer is not None else ""
        value = f" inferred_value={np.ravel(self._constant).tolist()}" if self._constant is not None else ""
        if self._guesses is not None and self._shape.rank == 1:
            value = f" inferred_value={[a if a == b else None for a, b in zip(*(g.tolist() for g in self._guesses), strict=True)]}"
        name = f" name='{self._name}'" if layer is None and self._name else ""
        if self._ragged or self._sparse:
            return f"<KerasTensor: type_spec={self.type_spec!r}{name}{created}>"
        return f"<KerasTensor: shape={_shown(self._shape)} dtype={self._dtype.name}{value}{name}{created}>"

    def __str__(self) -> str:
        name = f", name='{self._name}'" if self._name else ""
        layer = self._keras_history.layer
        spec = self._name if layer is not None and not layer._inbound[self._keras_history.node_index].flat_inputs else None
        created = f", description=\"created by layer '{layer.name}'\"" if layer is not None else ""
        if self._ragged or self._sparse:
            return f"KerasTensor(type_spec={self.type_spec!r}{name}{created})"
        return f"KerasTensor(type_spec=TensorSpec(shape={_shown(self._shape)}, dtype=tf.{self._dtype.name}, name={spec!r}){name}{created})"

    def __len__(self) -> int:
        raise TypeError("Keras symbolic inputs/outputs do not implement `__len__`. You may be trying to pass Keras symbolic inputs/outputs "
                        "to a TF API that does not register dispatching, preventing Keras from automatically converting the API call to a "
                        "lambda layer in the Functional Model. This error will also get raised if you try asserting a symbolic "
                        "input/output directly.")  # fmt: skip

    def __bool__(self) -> bool:
        raise TypeError("You are passing a symbolic tensor where a Python `bool` is needed. A Keras symbolic input/output cannot be used "
                        "as a Python value: its value is known only when the model runs.")  # fmt: skip

    def __iter__(self) -> Any:
        if self._shape.rank is None:
            raise TypeError("Cannot iterate over a Tensor with unknown rank.")
        if not self._shape.rank:
            raise TypeError("Cannot iterate over a scalar.")
        if self._shape[0] is None:
            raise TypeError("Cannot iterate over a Tensor with unknown first dimension.")
        return (self[i] for i in range(self._shape[0]))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError(
            f"You are passing {self}, an intermediate TF-Keras symbolic input/output, to a TF API that does not allow registering custom "
            "dispatchers, such as `tf.cond`, `tf.function`, gradient tapes, or `tf.map_fn`. TF-Keras Functional model construction only "
            "supports TF API calls that *do* support dispatching, such as `tf.math.add` or `tf.reshape`. Other APIs cannot be called "
            "directly on symbolic TF-Kerasinputs/outputs. You can work around this limitation by putting the operation in a custom "
            "TF-Keras layer `call` and calling that layer on this symbolic input/output."
        )

    def _tf_op(self, op: Any, args: tuple[Any, ...]) -> Any:
        """A TensorFlow op on symbolic tensors: a layer that will perform it."""
        from .oplayers import call_op

        return call_op(op, args)

    @staticmethod
    def _function(path: str, *args: Any, **kwargs: Any) -> Any:
        """A public function that is made of ops as one layer."""
        from .oplayers import TFOpLambda

        return TFOpLambda(path)(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        from .oplayers import call_slice

        return call_slice(self, key)

    def _tf_index(self, tensor: Any, key: Any) -> Any:
        """`tensor[key]` with a symbol in the key."""
        from .oplayers import call_slice

        return call_slice(tensor, key)


def _shown(shape: TensorShape) -> str:
    return "<unknown>" if shape.rank is None else str(tuple(shape.as_list()))


def static_shape(x: Any) -> Any:
    """The shape of a symbolic tensor as a tuple."""
    shape = x.shape
    return None if shape.rank is None else tuple(shape.as_list())


def _operator(method: str, name: str) -> Any:
    def forward(self: KerasTensor, *others: Any) -> Any:
        from .oplayers import naming_as

        with naming_as(f"tf.{name}"):
            return getattr(_tensor_class(), method)(self, *others)

    forward.__name__ = method
    return forward


def _tensor_class() -> Any:
    from tf2compat import Tensor

    return Tensor


class _Operators(KerasTensor):
    """Binary and unary operators by the layers' names that Keras gives them."""

    __slots__ = ()
    __add__ = _operator("__add__", "__operators__.add")
    __radd__ = _operator("__radd__", "__operators__.add")
    __sub__ = _operator("__sub__", "math.subtract")
    __rsub__ = _operator("__rsub__", "math.subtract")
    __mul__ = _operator("__mul__", "math.multiply")
    __rmul__ = _operator("__rmul__", "math.multiply")
    __truediv__ = _operator("__truediv__", "math.truediv")
    __rtruediv__ = _operator("__rtruediv__", "math.truediv")
    __floordiv__ = _operator("__floordiv__", "compat.v1.floor_div")
    __rfloordiv__ = _operator("__rfloordiv__", "compat.v1.floor_div")
    __mod__ = _operator("__mod__", "math.floormod")
    __rmod__ = _operator("__rmod__", "math.floormod")
    __pow__ = _operator("__pow__", "math.pow")
    __rpow__ = _operator("__rpow__", "math.pow")
    __matmul__ = _operator("__matmul__", "linalg.matmul")
    __rmatmul__ = _operator("__rmatmul__", "linalg.matmul")
    __neg__ = _operator("__neg__", "math.negative")
    __abs__ = _operator("__abs__", "math.abs")
    __and__ = _operator("__and__", "math.logical_and")
    __rand__ = _operator("__rand__", "math.logical_and")
    __or__ = _operator("__or__", "math.logical_or")
    __ror__ = _operator("__ror__", "math.logical_or")
    __xor__ = _operator("__xor__", "math.logical_xor")
    __invert__ = _operator("__invert__", "math.logical_not")
    __lt__ = _operator("__lt__", "math.less")
    __le__ = _operator("__le__", "math.less_equal")
    __gt__ = _operator("__gt__", "math.greater")
    __ge__ = _operator("__ge__", "math.greater_equal")
    __eq__ = _operator("__eq__", "__operators__.eq")  # type: ignore[assignment]
    __ne__ = _operator("__ne__", "__operators__.ne")  # type: ignore[assignment]
    __hash__ = KerasTensor.__hash__


for _name, _method in list(vars(_Operators).items()):
    if _name.startswith("__") and getattr(_method, "__name__", None) == _name and _name not in ("__hash__",):
        setattr(KerasTensor, _name, _method)


def is_symbol(value: Any) -> bool:
    return hasattr(type(value), "_is_keras_tensor")


def construct(layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a layer on symbolic tensors: find out what comes out, and remember the call as a node."""
    from .inference import run_symbolically

    def as_value(x: Any) -> Any:
        return convert_to_tensor(x) if isinstance(x, (np.ndarray, np.generic)) else x

    inputs = nest.map_structure(as_value, inputs)
    outputs = run_symbolically(layer, (inputs, *args), kwargs)
    flat = nest.flatten(outputs)
    if not flat or any(x is None for x in flat) and all(x is None for x in flat):
        raise ValueError(
            f"A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: {layer.name})."
        )
    made = [as_symbol(x, layer) for x in flat]
    outputs = nest.pack_sequence_as(outputs, made)
    Node(layer, (inputs, *args), kwargs, outputs)
    return outputs


def _graph_name(x: Any, layer: Any) -> str:
    node = getattr(x, "_node", None)
    return f"{layer.name}/Identity:0" if node is None else result_name(x, layer)


def _keep_sizes(made: KerasTensor, x: Any) -> None:
    """What is known of sizes that a graph's tensor holds stays known in the model."""
    a, b = x._t, x._b
    if not isinstance(a, torch.Tensor) or a.device.type == "meta":
        return
    if b is None:
        made._constant = a.numpy()
    elif isinstance(b, torch.Tensor) and b.device.type != "meta" and a.shape == b.shape:
        made._guesses = (a, b)


def as_symbol(x: Any, layer: Any, name: str | None = None) -> Any:
    if not hasattr(x, "shape") and not hasattr(type(x), "_tf_extension_type_fields"):
        return x
    if hasattr(type(x), "_tf_extension_type_fields"):
        spec = x._type_spec
        composed = KerasTensor(getattr(spec, "shape", TensorShape(None)), getattr(spec, "dtype", "float32"), name=name or f"{layer.name}/Identity:0")
        composed._composite = spec
        return composed
    if hasattr(x, "row_splits"):
        made = KerasTensor(x.shape, x.dtype, name=name)
        made._ragged, made._splits = x.ragged_rank, x.row_splits.dtype
        return made
    if hasattr(x, "dense_shape"):
        made = KerasTensor(x.shape, x.dtype, name=name or f"{layer.name}/SparseTensor:0")
        made._sparse = True
        return made
    made = KerasTensor(x.shape, x.dtype, name=name or (getattr(x, "_label", None) or _graph_name(x, layer)))
    if isinstance(x, SymbolicTensor) and x.dtype in (dtypes.int32, dtypes.int64) and x.shape.rank is not None and x.shape.rank <= 1:
        _keep_sizes(made, x)
    mask = mask_of(x)
    if mask is not None:
        set_mask(made, KerasTensor(mask.shape, mask.dtype, name="mask"))
    return made


__all__ = ["KerasTensor", "as_symbol", "construct", "is_symbol", "static_shape"]
