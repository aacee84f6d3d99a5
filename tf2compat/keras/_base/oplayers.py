"""Layers that TensorFlow's ops become when they are called on symbolic tensors of a functional model."""

from __future__ import annotations

import inspect
import operator
import re
import threading
from typing import Any

from tf2compat._engine import nest

from . import naming
from .inference import run_symbolically
from .layer import Layer
from .public_arguments import CALLS
from .public_calls import SYMBOLS, function_of, path_of


class _Hint(threading.local):
    symbol: str | None = None


_hint = _Hint()


class naming_as:  # noqa: N801 - a context manager used like a function
    """The next op layers are named after this symbol: an operator has another name than its op."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol

    def __enter__(self) -> None:
        self.saved, _hint.symbol = _hint.symbol, self.symbol

    def __exit__(self, *exc: object) -> None:
        _hint.symbol = self.saved


def symbol_of(op: Any) -> str:
    """The public name of an op, as Keras names the layer: `tf.math.reduce_sum`."""
    if _hint.symbol is not None:
        return _hint.symbol
    known = SYMBOLS.get(op.key)
    if known is not None:
        return known
    parts = op.key.split(".")
    name = parts[-1].strip("_")
    if parts[1] in ("_top", "_engine"):
        return f"tf.{name}"
    if parts[1] == "keras" and "losses" in parts:
        return f"tf.keras.losses.{name}"
    return f"tf.{parts[1]}.{name}"


class TFOpLambda(Layer):
    """One op of TensorFlow as a layer of a functional model."""

    def __init__(self, function: Any, **kwargs: Any) -> None:
        if isinstance(function, str):
            symbol = path = function
            if symbol.startswith("tf2compat>"):
                symbol = symbol_of(function_of(path).op)[3:]
            symbol, function = f"tf.{symbol}", function_of(path)
        else:
            symbol = symbol_of(function.op)
            path = path_of(symbol, function.op)
        self.__dict__["function"] = function
        self.__dict__["symbol"] = symbol
        self.__dict__["path"] = path
        name = kwargs.pop("name", None) or naming.unique(self.symbol, avoid_chosen=True)
        kwargs["autocast"] = False
        super().__init__(name=name, **kwargs)
        self.built = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = [x for x in nest.flatten((args, kwargs)) if hasattr(type(x), "_is_keras_tensor")]
        if found:
            return connect(self, args, kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The op itself."""
        return self.function(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", "function": self.path}


_RAGGED_GETITEM = "__operators__.ragged_getitem"


class SlicingOpLambda(TFOpLambda):
    """`tensor[...]` as a layer of a functional model."""

    def __init__(self, function: Any = "__operators__.getitem", **kwargs: Any) -> None:
        from tf2compat._top.indexing import getitem

        self.__dict__["function"] = operator.getitem if function == _RAGGED_GETITEM else getitem
        self.__dict__["symbol"] = f"tf.{_RAGGED_GETITEM if function == _RAGGED_GETITEM else '__operators__.getitem'}"
        name = kwargs.pop("name", None) or naming.unique(self.symbol, avoid_chosen=True)
        Layer.__init__(self, name=name, autocast=False, **kwargs)
        self.built = True

    def __call__(self, tensor: Any, key: Any) -> Any:
        return super().__call__(tensor, _in_structures(key))

    def call(self, tensor: Any, key: Any) -> Any:
        """tensor[key]."""
        return self.function(tensor, _as_index(key))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", "function": self.symbol[3:]}


#: constructors of ragged tensors that may be layers
_RAGGED_CONSTRUCTORS = frozenset((
    "from_row_lengths", "from_row_limits", "from_row_splits", "from_row_starts", "from_sparse", "from_tensor", "from_uniform_row_length",
    "from_value_rowids",
))  # fmt: skip


class ClassMethod(TFOpLambda):
    """A constructor of ragged tensors as a layer of a functional model. ValueError for another name than theirs."""

    def __init__(self, cls_symbol: str, method_name: str, **kwargs: Any) -> None:
        if cls_symbol != "RaggedTensor" or method_name not in _RAGGED_CONSTRUCTORS:
            raise ValueError(f"Unknown constructor in a model's config: {cls_symbol}.{method_name}")
        d = self.__dict__
        d["method_name"] = method_name
        d["symbol"] = f"tf.RaggedTensor.{method_name}"
        Layer.__init__(self, name=kwargs.pop("name", None) or naming.unique(self.symbol, avoid_chosen=True), autocast=False, **kwargs)
        self.built = True

    def __call__(self, first: Any, *args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(self._constructor()).bind(first, *args, **kwargs).arguments
        return super().__call__(first, **dict(list(given.items())[1:]))

    def _constructor(self) -> Any:
        from tf2compat import RaggedTensor

        return getattr(RaggedTensor, self.method_name)

    def call(self, first: Any, **kwargs: Any) -> Any:
        """The constructor itself."""
        return self._constructor()(first, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", "cls_symbol": "RaggedTensor", "method_name": self.method_name}


#: what of a ragged or sparse tensor may be a layer
_OF_RAGGED = frozenset((
    "dense_shape", "indices",
    "bounding_shape", "flat_values", "merge_dims", "nested_row_lengths", "nested_row_splits", "nested_value_rowids", "nrows", "row_lengths",
    "row_limits", "row_splits", "row_starts", "to_sparse", "to_tensor", "value_rowids", "values", "with_flat_values", "with_row_splits_dtype",
    "with_values",
))  # fmt: skip


class MethodLambda(TFOpLambda):
    """A method or property of a ragged or sparse tensor as a layer of a functional model. ValueError for another name than theirs."""

    def __init__(self, function: str, **kwargs: Any) -> None:
        if function not in _OF_RAGGED:
            raise ValueError(f"Unknown method of a ragged tensor in a model's config: {function!r}")
        self.__dict__["function"] = function
        self.__dict__["symbol"] = f"input.{function}"
        Layer.__init__(self, name=kwargs.pop("name", None) or naming.unique(self.symbol, avoid_chosen=True), autocast=False, **kwargs)
        self.built = True

    def call(self, tensor: Any, *args: Any, **kwargs: Any) -> Any:
        """What the tensor's method returns, or its property is."""
        found = getattr(tensor, self.function)
        return found(*args, **{k: v for k, v in kwargs.items() if v is not None}) if callable(found) else found

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", "function": self.function}


#: nodes of TensorFlow's functions by those of ours
_NODES = {
    "sub": "Sub", "mul": "Mul", "floordiv": "FloorDiv", "ZerosLike": "zeros_like", "OnesLike": "ones_like", "ClipByValue": "clip_by_value",
    "OneHot": "one_hot", "PadV2": "Pad", "L2Normalize": "l2_normalize", "ResizeImages": "resize/ResizeBilinear", "Silu": "IdentityN",
    "Dropout": "dropout/SelectV2", "Einsum": "einsum/Einsum", "random_normal/RandomStandardNormal": "random_normal", "Norm": "norm/Squeeze",
    "SequenceMask": "SequenceMask/Less", "BooleanMask": "boolean_mask/GatherV2", "DivNoNan": "div_no_nan",
}  # fmt: skip


_NODE = re.compile(r"\{\{node ([^}]+)\}\}")


def _tensor_name(x: Any, layer: Any) -> str | None:
    """A result's name: the layer's, and that of the node in it."""
    if getattr(x, "_node", None) is None:
        return None
    node, _, index = x.name.partition(":")
    return f"{_node_name(node, layer)}:{index}"


def _node_name(node: str, layer: Any) -> str:
    node = _NODES.get(node, node)
    if node == "add":
        node = "AddV2" if layer.symbol == "tf.__operators__.add" else "Add"
    return f"{layer.name}/{node}"


def _told(error: Exception, layer: Any, args: Any, kwargs: Any) -> Exception:
    """An error of an op on symbols, with the layer and its call: shapes that do not fit are a ValueError, as when a model is built in Keras."""
    from .call_errors import with_call

    if isinstance(error, ValueError) and error.args and isinstance(error.args[0], str):
        error.args = (_NODE.sub(lambda found: f"{{{{node {_node_name(found[1], layer)}}}}}", error.args[0]),)
    return with_call(error, layer, args, kwargs, True, layer.function)


def connect(layer: Any, args: Any, kwargs: Any) -> Any:
    """Perform a layer's `call` on symbols, and remember the call as a node."""
    from .connections import Node
    from .symbolic import as_symbol

    try:
        outputs = run_symbolically(layer.call, args, kwargs)
    except Exception as error:  # noqa: BLE001 - raised again, saying which layer it was
        raise _told(error, layer, args, kwargs) from None
    outputs = nest.map_structure(lambda x: as_symbol(x, layer, _tensor_name(x, layer)), outputs)
    Node(layer, args, kwargs, outputs)
    return outputs


def call_op(op: Any, args: tuple[Any, ...]) -> Any:
    """`op(*args)` as a layer. The arguments are in the op's order, its name last."""
    kwargs = {}
    for i in range(1, op.n):
        if args[i] is not op._default(i):
            kwargs[op.params[i]] = args[i]
    if op.key.startswith("tf2compat.keras.losses."):
        from .symbolic_losses import COMPOSITES

        composite = COMPOSITES.get(op.key)
        if composite is not None:
            return composite(args[0], **kwargs)
    translate = CALLS.get(op.key)
    if translate is not None:
        given, kwargs, *symbol = translate(**{op.params[0]: args[0]}, **kwargs)
        return TFOpLambda(symbol[0] if symbol else symbol_of(op)[3:])(*given, **kwargs)
    return TFOpLambda(op.public)(args[0], **kwargs)


def call_slice(x: Any, key: Any) -> Any:
    """`x[key]` as a layer."""
    return SlicingOpLambda(_RAGGED_GETITEM if getattr(x, "_ragged", 0) else "__operators__.getitem")(x, key)


def _in_structures(key: Any) -> Any:
    """An index with its slices as dictionaries where symbolic tensors are their bounds, so that the model's structures reach them."""
    if isinstance(key, (tuple, list)):
        return type(key)(_in_structures(k) for k in key)
    if isinstance(key, slice) and any(hasattr(type(v), "_is_keras_tensor") for v in (key.start, key.stop, key.step)):
        return {"start": key.start, "stop": key.stop, "step": key.step}
    return key


def _as_index(key: Any) -> Any:
    if isinstance(key, (tuple, list)):
        return type(key)(_as_index(k) for k in key)
    return slice(key["start"], key["stop"], key["step"]) if isinstance(key, dict) else key
