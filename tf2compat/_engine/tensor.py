"""`tf.Tensor`: a thin, immutable wrapper of one torch tensor (or of a NumPy array of bytes for `tf.string`)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from . import dtypes, memory, state
from .shapes import TensorShape

memory.keep()

_VIEW_AS = {torch.bfloat16: torch.int16, torch.float8_e5m2: torch.uint8, torch.float8_e4m3fn: torch.uint8,
            torch.float8_e4m3fnuz: torch.uint8, torch.float8_e5m2fnuz: torch.uint8}  # fmt: skip


def numpy_of(storage: Any) -> np.ndarray:
    """A NumPy array over a torch tensor's memory (copied from the device when it is not the CPU's), or the strings."""
    if type(storage) is np.ndarray:
        return storage
    if not storage.requires_grad:
        try:
            return storage.numpy()
        except (RuntimeError, TypeError):
            pass  # a tensor of those below
    t = storage.detach().cpu()
    if t.is_conj():
        t = t.resolve_conj()
    if t.is_neg():
        t = t.resolve_neg()
    if t._is_zerotensor():  # autograd's stand-in for zeros, without memory
        t = torch.zeros_like(t)
    if t._is_zerotensor():  # the derivative of a step, for which torch keeps no memory
        t = torch.zeros_like(t)
    carrier = _VIEW_AS.get(t.dtype)
    if carrier is None:
        return t.numpy()
    return t.contiguous().view(carrier).numpy().view(dtypes.OF_STORAGE[t.dtype].as_numpy_dtype)


class Tensor:
    """A multi-dimensional array of one dtype whose contents never change (`tf.Tensor`)."""

    # `__dict__` holds what a program hangs on a tensor; it is made on demand and costs 1 % of an op
    __slots__ = ("_t", "_tape", "_keras_mask", "_keras_logits", "_sliced", "__weakref__", "__dict__")
    __array_priority__ = 100
    #: the operators that ops stand behind (`tf.Tensor.OVERLOADABLE_OPERATORS`)
    OVERLOADABLE_OPERATORS = frozenset((
        "__abs__", "__add__", "__and__", "__div__", "__eq__", "__floordiv__", "__ge__", "__getitem__", "__gt__", "__invert__", "__le__",
        "__lt__", "__matmul__", "__mod__", "__mul__", "__ne__", "__neg__", "__or__", "__pow__", "__radd__", "__rand__", "__rdiv__",
        "__rfloordiv__", "__rmatmul__", "__rmod__", "__rmul__", "__ror__", "__rpow__", "__rsub__", "__rtruediv__", "__rxor__", "__sub__",
        "__truediv__", "__xor__",
    ))  # fmt: skip
    #: torch.Tensor, or np.ndarray of bytes objects
    _t: Any
    #: the token (outermost tape) under which this was made; see `state.TOKEN`
    _tape: Any

    def __init__(self, op: Any = None, value_index: Any = None, dtype: Any = None) -> None:
        raise TypeError("tf.Tensor is not constructed directly: use tf.constant or tf.convert_to_tensor")

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        return dtypes.OF_STORAGE[self._t.dtype]

    @property
    def shape(self) -> TensorShape:
        return TensorShape._of(tuple(self._t.shape))

    @property
    def ndim(self) -> int:
        return self._t.ndim

    def _rank(self) -> int | None:
        """The rank, by the name that libraries of Keras' time call it by."""
        return self.shape.rank

    @property
    def device(self) -> str:
        from .devices import full_name

        return full_name(self._t)

    @property
    def backing_device(self) -> str:
        return self.device

    def get_shape(self) -> TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Check that the shape agrees with `shape`; ValueError otherwise."""
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Tensor's shape {self.shape} is not compatible with supplied shape {TensorShape(shape)}.")

    def _shape_as_list(self) -> list[int]:
        return list(self._t.shape)

    @property
    def name(self) -> str:
        raise AttributeError("Tensor.name is undefined when eager execution is enabled.")

    @property
    def op(self) -> Any:
        raise AttributeError("Tensor.op is undefined when eager execution is enabled.")

    @property
    def graph(self) -> Any:
        """The graph that is being traced, to which constants belong there; AttributeError in eager code."""
        if state.local.graph is None:
            raise AttributeError("Tensor.graph is undefined when eager execution is enabled.")
        return state.local.graph

    @property
    def value_index(self) -> int:
        raise AttributeError("Tensor.value_index is undefined when eager execution is enabled.")

    def consumers(self) -> Any:
        raise NotImplementedError("Tensor.consumers is undefined when eager execution is enabled.")

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        raise NotImplementedError("eval is not supported when eager execution is enabled, is .numpy() what you're looking for?")

    # --- values ------------------------------------------------------------------------------------------------------
    def _numpy(self) -> np.ndarray:
        """An array that shares memory with this tensor where the device allows it."""
        return numpy_of(self._t)

    def numpy(self) -> Any:
        """A copy of the values as a NumPy array; a NumPy scalar when the tensor is one."""
        array = self._numpy()
        return array[()] if array.ndim == 0 else array.copy()

    def torch(self) -> torch.Tensor:
        """The torch tensor behind this one, sharing its memory."""
        if type(self._t) is np.ndarray:
            raise TypeError("torch has no tensors of strings; use .numpy()")
        return self._t

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self._numpy()
        if dtype is not None and array.dtype != np.dtype(dtype):
            return array.astype(dtype)
        if copy:
            return array.copy()
        view = array.view()
        view.flags.writeable = False  # the tensor is immutable
        return view

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.torch().detach().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.torch().__dlpack_device__()

    @classmethod
    def __torch_function__(cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """`torch.fn(tf_tensor)` works on the torch tensor behind and gives a torch tensor."""
        return func(*_to_torch_args(args), **_to_torch_args(kwargs or {}))

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        from .convert import convert_to_tensor

        return convert_to_tensor(self, dtype)

    def _scalar(self) -> Any:
        if self._t.ndim != 0:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return self._t.item()

    def __bool__(self) -> bool:
        t = self._t
        if type(t) is not torch.Tensor or t.numel() != 1:
            return bool(self._numpy())
        return bool(t)

    __nonzero__ = __bool__  # as TensorFlow has it: libraries copy it to classes of theirs

    def _real(self) -> Any:
        value = self._scalar()
        return value.real if type(value) is complex else value  # as `int` and `float` of NumPy's complex numbers once were

    def __int__(self) -> int:
        return int(self._real())

    def __float__(self) -> float:
        return float(self._real())

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def __index__(self) -> int:
        array = self._numpy()
        return (array[()] if array.ndim == 0 else array).__index__()  # of a number that has none an AttributeError, as in TensorFlow

    def __buffer__(self, flags: int) -> memoryview:  # what `memoryview` asks, from Python 3.12 on
        return memoryview(self._numpy())

    def __len__(self) -> int:
        if not self._t.ndim:
            raise TypeError("Scalar tensor has no `len()`")
        return self._t.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self._t.ndim:
            raise TypeError("Cannot iterate over a scalar tensor.")  # at iter(x), which is how NumPy and matplotlib ask
        return self._rows()

    def _rows(self) -> Iterator[Tensor]:
        for i in range(self._t.shape[0]):
            yield self[i]

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def ref(self) -> Reference:
        """A hashable reference to this object (`tf.Tensor.ref`)."""
        return Reference(self)

    def experimental_ref(self) -> Reference:
        """The older name of `ref`."""
        return self.ref()

    # --- text --------------------------------------------------------------------------------------------------------
    def _text(self, is_repr: bool) -> str:
        if type(self._t) is not np.ndarray and not self.dtype.is_numpy_compatible:
            return "<unprintable>"
        array = self._numpy()
        if array.ndim == 0:
            value = array[()]
            text = repr(value) if isinstance(value, (bytes, str)) else repr(value.item()) if is_repr else str(value)
        else:
            text = repr(array) if is_repr else str(array)
        return "\n" + text if "\n" in text else text

    def __repr__(self) -> str:
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={self._text(True)}>"

    def __str__(self) -> str:
        return f"tf.Tensor({self._text(False)}, shape={self.shape}, dtype={self.dtype.name})"

    def __format__(self, spec: str) -> str:
        array = self._numpy()
        return (array[()] if array.ndim == 0 else array).__format__(spec)

    # --- copies, devices ---------------------------------------------------------------------------------------------
    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self

    def __reduce__(self) -> Any:
        return _unpickle, (self.dtype.name, self.shape.as_list(), self._numpy().copy())

    def cpu(self) -> Tensor:
        """This tensor on the CPU."""
        from .devices import copy_to

        return copy_to(self, "cpu")

    def gpu(self, gpu_index: int = 0) -> Tensor:
        """This tensor on a GPU; RuntimeError when there is none."""
        from .devices import copy_to

        return copy_to(self, f"cuda:{gpu_index}")

    def _slice_assign(self, value: Any, name: str | None = None) -> Any:
        """`variable[index].assign(value)`: write into the variable that this slice was read from."""
        from .._top.indexing import index_items
        from .assigning import slice_assign

        variable, key = self._sliced
        return slice_assign(variable, index_items(key), value)

    @property
    def _id(self) -> int:
        return id(self)

    def _rebind(self, other: Tensor) -> None:
        """Become `other` (a tape gives a watched tensor a new identity in the autograd graph)."""
        self._t = other._t
        self._tape = other._tape

    # --- operators: attached by tf2compat._engine.operators ----------------------------------------------------------
    if TYPE_CHECKING:

        def __getitem__(self, key: Any) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...

    def __getattr__(self, name: str) -> None:
        # only reached for names (and unset slots) that the class does not have
        if name == "assign" and hasattr(self, "_sliced"):
            return self._slice_assign  # type: ignore[return-value]
        if name in _NUMPY_ONLY:
            raise AttributeError(
                f"{type(self).__name__} object has no attribute '{name}'. If you are looking for numpy-related methods, please run "
                "the following:\ntf.experimental.numpy.experimental_enable_numpy_behavior()"
            )
        raise AttributeError(f"'tensorflow.python.framework.ops.EagerTensor' object has no attribute '{name}'")


_NUMPY_ONLY = frozenset(
    ("T", "astype", "ravel", "transpose", "reshape", "clip", "size", "tolist", "data", "mean", "sum", "max", "min")
)

# what TensorFlow calls the class of an eager tensor; programs print it
Tensor.__qualname__ = Tensor.__name__ = "EagerTensor"
Tensor.__module__ = "tensorflow.python.framework.ops"


class Reference:
    """A hashable reference to a tensor or variable, which themselves are compared by value."""

    __slots__ = ("_wrapped", "__weakref__")

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def deref(self) -> Any:
        return self._wrapped

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Reference) and self._wrapped is other._wrapped

    def __lt__(self, other: Any) -> bool:
        """By identity: an order for those who sort keys (TypeError against anything else)."""
        if not isinstance(other, Reference):
            raise TypeError(f"Cannot compare Reference with {type(other).__name__}")
        return id(self._wrapped) < id(other._wrapped)

    def __gt__(self, other: Any) -> bool:
        return other < self if isinstance(other, Reference) else NotImplemented

    def __hash__(self) -> int:
        return id(self._wrapped)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._wrapped!r}>"


class WeakReference(Reference):
    """As `Reference`, without keeping the object alive."""

    __slots__ = ()

    def __init__(self, wrapped: Any) -> None:
        super().__init__(weakref.ref(wrapped))

    def deref(self) -> Any:
        return self._wrapped()


_new = object.__new__


def wrap(storage: Any) -> Tensor:
    """A Tensor around a torch tensor or a NumPy array of bytes objects."""
    self = _new(Tensor)
    self._t = storage
    self._tape = state.TOKEN
    return self


def _to_torch_args(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._t
    if isinstance(value, (list, tuple)):
        return type(value)(_to_torch_args(v) for v in value)
    if isinstance(value, dict):
        return {k: _to_torch_args(v) for k, v in value.items()}
    return value


def _unpickle(dtype: str, shape: list[int], array: np.ndarray) -> Tensor:
    from .convert import convert_to_tensor

    return convert_to_tensor(np.asarray(array).reshape(shape), dtypes.as_dtype(dtype))
