"""Symbolic tensors: what ops give while a graph is traced. They know dtype and (static) shape, and no values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from . import dtypes, state
from .shapes import TensorShape
from .tensor import Tensor

__all__ = ["PROBES", "SymbolicTensor", "probe_storage"]

#: sizes that stand for an unknown dimension in the two runs of shape inference; what differs between them is unknown
PROBES = (2, 60)
_STRING_PROBES = (2, 3)

_HINT = (
    "You can attempt the following resolutions to the problem: If you are running in Graph mode, use Eager execution mode or decorate "
    "this function with @tf.function. If you are using AutoGraph, you can try decorating this function with @tf.function. If that does "
    "not work, then you may be using an unsupported feature or your source code may not be visible to AutoGraph. See "
    "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/python/autograph/g3doc/reference/limitations.md"
    "#access-to-source-code for more information."
)


def probe_storage(dtype: dtypes.DType, dims: tuple[int | None, ...] | None, which: int) -> Any:
    """A storage without values for a dtype and static shape, with a probe's size for unknown dimensions."""
    if dtype is dtypes.variant or dtype is dtypes.resource:  # carries what autograd connects, and nothing else
        return torch.empty((), dtype=torch.float32, device="meta")
    if dims is None:
        dims = (None, None)
    if dtype.torch is None:
        shape = tuple(_STRING_PROBES[which] if d is None else d for d in dims)
        dummy = np.empty((), dtype=object)
        dummy[()] = b"0"
        return np.broadcast_to(dummy, shape)
    shape = tuple(PROBES[which] if d is None else d for d in dims)
    return torch.empty(shape, dtype=dtype.torch, device="meta")


class SymbolicTensor(Tensor):
    """A tensor of a graph that is being traced (`tf.Tensor` inside `tf.function`)."""

    # _t and _b: storages of the two probes (_b is None where no dimension is unknown); a real tensor carries values, and
    # `_const` says that these values are the tensor's own, not a probe's
    __slots__ = ("_graph", "_node", "_index", "_b", "_dims", "_dtype", "_const", "_label")

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        return TensorShape._of(self._dims)

    @property
    def ndim(self) -> Any:
        return None if self._dims is None else len(self._dims)

    @property
    def name(self) -> str:
        return self._label or f"{self._node.name}:{self._index}"

    @property
    def op(self) -> Any:
        return self._node.operation()

    @property
    def graph(self) -> Any:
        return self._graph

    @property
    def value_index(self) -> int:
        return self._index

    @property
    def device(self) -> str:
        return ""

    def consumers(self) -> list[Any]:
        return [n.operation() for n in self._graph.nodes if any(s._node is self._node and s._index == self._index for s in n.inputs())]

    def _shape_as_list(self) -> Any:
        return None if self._dims is None else list(self._dims)

    def set_shape(self, shape: Any) -> None:
        """Add what is known about the shape; ValueError when it contradicts what was known."""
        merged = self.shape.merge_with(shape)
        dims = None if merged.rank is None else tuple(merged.as_list())
        if dims == self._dims:
            return
        own = self._node.outputs[self._index]
        if own is not self and own._key() == self._key():
            own.set_shape(shape)
            self._dims, self._t, self._b = own._dims, own._t, own._b
            return
        self._dims = dims
        before = self._t
        if isinstance(before, torch.Tensor) and before.device.type != "meta":
            return
        self._t = probe_storage(self._dtype, dims, 0)
        self._b = probe_storage(self._dtype, dims, 1) if dims is None or None in dims else None
        if isinstance(before, torch.Tensor) and before.requires_grad:
            from .inference import linked

            self._t = linked(self._t, [before])
            self._b = None if self._b is None else linked(self._b, [before])

    # --- no values ---------------------------------------------------------------------------------------------------
    def _static_value(self) -> Any:
        """The NumPy value where it is known while tracing, else None."""
        if self._const and isinstance(self._t, torch.Tensor) and self._t.device.type != "meta":
            return self._t.detach().cpu().numpy()
        return None

    def _leaked(self) -> Exception | None:
        return TypeError(
            f"{self!r} is out of scope and cannot be used here. Use return values, explicit Python locals or TensorFlow collections to "
            "access it.\nPlease see https://www.tensorflow.org/guide/function#all_outputs_of_a_tffunction_must_be_return_values for more "
            "information."
        )

    def _not_allowed(self, use: str) -> Exception:
        from ..errors import OperatorNotAllowedInGraphError

        return OperatorNotAllowedInGraphError(f"{use} is not allowed. {_HINT}")

    def __bool__(self) -> bool:
        raise self._not_allowed("Using a symbolic `tf.Tensor` as a Python `bool`")

    def __iter__(self) -> Any:
        raise self._not_allowed("Iterating over a symbolic `tf.Tensor`")

    def __contains__(self, item: Any) -> bool:
        raise TypeError("argument of type 'SymbolicTensor' is not iterable")

    def __len__(self) -> int:
        raise TypeError(f"len is not well defined for a symbolic Tensor ({self.name}). Please call `x.shape` rather than `len(x)` for shape information.")

    def _numpy(self) -> np.ndarray:
        raise NotImplementedError(
            f"Cannot convert a symbolic tf.Tensor ({self.name}) to a numpy array. This error may indicate that you're trying to pass a "
            "Tensor to a NumPy call, which is not supported."
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._numpy()

    @property
    def numpy(self) -> Any:  # type: ignore[override]
        raise AttributeError("'SymbolicTensor' object has no attribute 'numpy'")

    def torch(self) -> Any:
        return self._numpy()

    def _scalar(self) -> Any:
        return self._numpy()

    def __int__(self) -> int:
        raise TypeError("int() argument must be a string, a bytes-like object or a real number, not 'SymbolicTensor'")

    def __float__(self) -> float:
        raise TypeError("float() argument must be a string or a real number, not 'SymbolicTensor'")

    def __complex__(self) -> complex:
        raise TypeError("complex() first argument must be a string or a number, not 'SymbolicTensor'")

    def __index__(self) -> int:
        raise TypeError("'SymbolicTensor' object cannot be interpreted as an integer")

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __reduce__(self) -> Any:
        raise TypeError("a symbolic tensor cannot be pickled")

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        raise ValueError("Cannot evaluate tensor using `eval()`: No default session is registered.")

    # --- text --------------------------------------------------------------------------------------------------------
    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self._dtype.name}>"

    def __str__(self) -> str:
        shape = "" if self._dims is None else f", shape={self.shape}"
        return f'Tensor("{self.name}"{shape}, dtype={self._dtype.name})'

    def __format__(self, spec: str) -> str:
        return str(self).__format__(spec)

    def __copy__(self) -> SymbolicTensor:
        return self

    # --- identity ----------------------------------------------------------------------------------------------------
    def _user(self) -> SymbolicTensor:
        """A wrapper of its own for the user's hands, which a tape may give another identity for a while."""
        t = object.__new__(SymbolicTensor)
        t._t, t._tape = self._t, state.token()
        t._graph, t._node, t._index, t._label = self._graph, self._node, self._index, self._label
        t._b, t._dims, t._dtype, t._const = self._b, self._dims, self._dtype, self._const
        return t

    def _key(self) -> tuple[int, int]:
        return id(self._node), self._index

    def _rebind(self, other: Tensor) -> None:
        """Become `other` (a tape gives a watched tensor a new identity)."""
        self._t, self._tape = other._t, other._tape
        if isinstance(other, SymbolicTensor):
            for slot in SymbolicTensor.__slots__:
                setattr(self, slot, getattr(other, slot))

    def __getattr__(self, name: str) -> Any:
        if name == "assign" and hasattr(self, "_sliced"):
            return self._slice_assign
        raise AttributeError(f"'SymbolicTensor' object has no attribute '{name}'")


SymbolicTensor.__module__ = "tensorflow.python.framework.ops"


def symbolic(graph: Any, node: Any, index: int, dtype: dtypes.DType, dims: Any, a: Any, b: Any, const: bool = False) -> SymbolicTensor:
    """A new symbolic tensor: output `index` of `node`."""
    t = object.__new__(SymbolicTensor)
    t._t, t._b, t._dims, t._dtype, t._const = a, b, dims, dtype, const
    t._graph, t._node, t._index, t._label = graph, node, index, None
    t._tape = state.token()
    return t
