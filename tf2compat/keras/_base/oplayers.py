"""Layers that TensorFlow's ops become when they are called on symbolic tensors of a functional model."""

from __future__ import annotations

import threading
from typing import Any

from tf2compat._engine import nest

from . import naming
from .inference import run_symbolically
from .layer import Layer


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


_ROOT = frozenset(
    ("reshape", "concat", "stack", "cast", "transpose", "expand_dims", "squeeze", "shape", "gather", "tile", "split", "where", "one_hot",
     "clip_by_value", "identity", "zeros_like", "ones_like", "unstack", "broadcast_to", "repeat", "pad", "slice", "range", "size")
)  # fmt: skip


def symbol_of(op: Any) -> str:
    """The public name of an op, as Keras names the layer: `tf.math.reduce_sum`."""
    if _hint.symbol is not None:
        return _hint.symbol
    parts = op.key.split(".")
    name = parts[-1].strip("_")
    if name in _ROOT or parts[1] in ("_top", "_engine"):
        return {"shape": "tf.compat.v1.shape", "gather": "tf.compat.v1.gather", "transpose": "tf.compat.v1.transpose"}.get(name, f"tf.{name}")
    return f"tf.{parts[1]}.{name}"


class TFOpLambda(Layer):
    """One op of TensorFlow as a layer of a functional model."""

    def __init__(self, function: Any, **kwargs: Any) -> None:
        symbol = None
        if isinstance(function, str):
            symbol = f"tf.{function}"
            function = _public(function)
        self.__dict__["function"] = function
        self.__dict__["symbol"] = symbol or symbol_of(function.op)
        name = kwargs.pop("name", None) or naming.unique(self.symbol)
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
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", "function": self.symbol[3:]}


class SlicingOpLambda(TFOpLambda):
    """`tensor[...]` as a layer of a functional model."""

    def __init__(self, function: Any = None, **kwargs: Any) -> None:
        from tf2compat._top.indexing import getitem

        self.__dict__["function"] = getitem
        self.__dict__["symbol"] = "tf.__operators__.getitem"
        name = kwargs.pop("name", None) or naming.unique(self.symbol)
        Layer.__init__(self, name=name, autocast=False, **kwargs)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", "function": "__operators__.getitem"}


class MethodLambda(TFOpLambda):
    """A method or property of a ragged tensor as a layer of a functional model."""

    def __init__(self, function: str, **kwargs: Any) -> None:
        self.__dict__["function"] = function
        self.__dict__["symbol"] = f"input.{function}"
        Layer.__init__(self, name=kwargs.pop("name", None) or naming.unique(self.symbol), autocast=False, **kwargs)
        self.built = True

    def call(self, tensor: Any, *args: Any, **kwargs: Any) -> Any:
        """What the tensor's method returns, or its property is."""
        found = getattr(tensor, self.function)
        return found(*args, **{k: v for k, v in kwargs.items() if v is not None}) if callable(found) else found

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", "function": self.function}


_OPERATORS = {"add": "math.add", "getitem": "_top.indexing.getitem"}


def _public(path: str) -> Any:
    """The function of a public path such as `nn.relu`; ValueError for what is no public function of TensorFlow."""
    import tf2compat

    if path.startswith("__operators__."):
        path = _OPERATORS.get(path[len("__operators__.") :], "?")
    if path.startswith("compat.v1."):
        path = path[len("compat.v1.") :]
    found: Any = tf2compat
    for part in path.split("."):
        if part.startswith("_") and part != "_top":
            raise ValueError(f"Unknown op in a model's config: {path!r}")
        found = getattr(found, part, None)
        if found is None:
            raise ValueError(f"Unknown op in a model's config: {path!r}")
    return found


def connect(layer: Any, args: Any, kwargs: Any) -> Any:
    """Perform a layer's `call` on symbols, and remember the call as a node."""
    from .connections import Node
    from .symbolic import as_symbol

    outputs = run_symbolically(layer.call, args, kwargs)
    outputs = nest.map_structure(lambda x: as_symbol(x, layer), outputs)
    Node(layer, args, kwargs, outputs)
    return outputs


def call_op(op: Any, args: tuple[Any, ...]) -> Any:
    """`op(*args)` as a layer. The arguments are in the op's order, its name last."""
    name = args[op.n] if op.has_name else None
    kwargs = {}
    for i in range(1, op.n):
        if args[i] is not op._default(i):
            kwargs[op.params[i]] = args[i]
    return TFOpLambda(op.public, name=_free(name))(args[0], **kwargs)


def call_slice(x: Any, key: Any) -> Any:
    """`x[key]` as a layer."""
    return SlicingOpLambda()(x, key)


def _free(name: Any) -> str | None:
    """A layer's name from an op's `name` argument."""
    return naming.unique(name) if isinstance(name, str) else None
