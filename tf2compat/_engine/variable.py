"""`tf.Variable`: mutable state that reads as an immutable tensor.

A variable updates its memory in place when nobody else can see it, and replaces it (copy on write) when a tensor, a
recorded tape or a NumPy array still shares it. So every reader keeps the value it read, at no cost in the common case.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import torch

from . import dtypes, state
from .convert import convert_to_tensor, to_storage
from .devices import accelerated, current
from .left_memory import left, moving
from .shapes import TensorShape
from .slice_info import SaveSliceInfo
from .tensor import Reference, Tensor, wrap
from .trackable import Trackable


class VariableSynchronization(Enum):
    """When a distributed variable is synchronised (`tf.VariableSynchronization`)."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(Enum):
    """How updates of a distributed variable are combined (`tf.VariableAggregation`)."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3

    def __hash__(self) -> int:
        return hash(self.value)


# what TensorFlow calls the class; programs print it
VariableAggregation.__name__ = VariableAggregation.__qualname__ = "VariableAggregationV2"


class _Creators(threading.local):
    def __init__(self) -> None:
        self.stack: list[Callable[..., Any]] = []


creators = _Creators()


class VariableMeta(type):
    """Sends `tf.Variable(...)` through the creators of `tf.variable_creator_scope` and of functions being traced."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "assign" not in Variable.__dict__:
            _load_methods()
        if cls is Variable:  # as in TensorFlow, the instances are ResourceVariables
            cls = ResourceVariable
        if not creators.stack or cls is not ResourceVariable and "_created" not in cls.__dict__:
            return type.__call__(cls, *args, **kwargs)
        call = cls._bound(args, kwargs)
        stack = creators.stack

        def run(depth: int) -> Callable[..., Any]:
            if depth < 0:
                return lambda **kw: type.__call__(cls, **kw)
            return lambda **kw: stack[depth](run(depth - 1), **kw)

        return run(len(stack) - 1)(**call)

    def _bound(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """All arguments of a variable by name, as TensorFlow's creators are given them."""
        code = Variable.__init__.__code__
        names = code.co_varnames[1 : code.co_argcount]
        return dict(zip(names, Variable.__init__.__defaults__ or (), strict=True)) | dict(zip(names, args, strict=False)) | kwargs

    def __getattr__(cls, name: str) -> Any:
        """`tf.Variable.assign` and its kin come with the ops, which load with their first use."""
        if name.startswith(("assign", "scatter_", "batch_scatter", "count_up")) and "assign" not in Variable.__dict__:
            _load_methods()
            return getattr(cls, name)
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")


def _load_methods() -> None:
    from .lazy_operators import load

    load()


class Variable(Trackable, metaclass=VariableMeta):
    """A shared, mutable tensor with a fixed dtype and (static) shape (`tf.Variable`).

    `shape` may leave dimensions open (`tf.TensorShape(None)`). Values are assigned with `assign`, `assign_add`,
    `assign_sub` and the `scatter_*` methods.
    """

    SaveSliceInfo = SaveSliceInfo

    __array_priority__ = 100
    _tf_storage = True  # an operand with a dtype of its own; see convert.is_tensor_like
    _t: Any
    _tape = None
    #: whether assignments must reach others that share the memory (a torch module), rather than spare them
    _pinned = False
    #: what regions hold while they change it (`turns.turn_at`)
    _turn: Any = None
    #: the tf.distribute strategy in whose scope it was made, and what such a variable shows itself as
    _strategy: Any = None
    _distributed: str | None = None

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        if variable_def is not None or import_scope is not None:
            raise ValueError("Creating a tf.Variable with variable_def or import_scope is not supported when eager execution is enabled.")
        if caching_device is not None:
            raise ValueError("tf.Variable does not support caching_device in tf2compat")
        if initial_value is None:
            raise ValueError(
                "The `initial_value` arg to `tf.Variable` must be specified except when you are not providing a `variable_def`. "
                "You provided neither."
            )
        if constraint is not None and not callable(constraint):
            raise ValueError(f"Argument `constraint` must be None or a callable. a callable. Got a {type(constraint)}: {constraint}")
        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        try:
            synchronization = VariableSynchronization(getattr(synchronization, "value", synchronization))
        except ValueError:
            raise ValueError(f"Invalid variable synchronization mode: {synchronization} for variable: {name}") from None
        try:
            aggregation = VariableAggregation(getattr(aggregation, "value", aggregation))
        except ValueError:
            raise ValueError(f"Invalid variable aggregation mode: {aggregation} for variable: {name}") from None
        with state.outside():
            if callable(initial_value) and not isinstance(initial_value, Tensor):
                initial_value = initial_value()
            value = self._initial(initial_value, dtype)
        self._t = value
        self._dtype = dtypes.of(value)
        static = TensorShape._of(tuple(value.shape))
        if shape is not None:
            declared = TensorShape(shape)
            if not declared.is_compatible_with(static):
                raise ValueError(
                    f"In this `tf.Variable` creation, the initial value's shape ({static}) is not compatible with the explicitly "
                    f"supplied `shape` argument ({shape})."
                )
            static = declared
        elif not validate_shape:
            static = TensorShape(None)
        self._shape = static
        self._trainable = synchronization is not VariableSynchronization.ON_READ if trainable is None else bool(trainable)
        self._constraint = constraint
        self._synchronization = synchronization
        self._aggregation = aggregation
        scope = "/".join(state.local.names)
        base = name if name is not None else "Variable"
        if not isinstance(base, str):
            raise TypeError(f"The name of a tf.Variable must be a string, got {base!r}")
        self._name = f"{scope}/{base}:0" if scope else f"{base}:0"

    @staticmethod
    def _initial(value: Any, dtype: dtypes.DType | None) -> Any:
        storage = convert_to_tensor(value, dtype)._t if not _raw(value) else to_storage(value, dtype)
        if isinstance(storage, torch.Tensor):
            if accelerated() and storage.device != current() and storage.device.type != "meta":
                return storage.detach().to(current(), memory_format=torch.contiguous_format)
            return storage.detach().clone(memory_format=torch.contiguous_format)
        return storage.copy()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        from .wrapping import adopt

        adopt(cls)

    @classmethod
    def _OverloadAllOperators(cls) -> None:  # noqa: N802 - libraries call it for their own kinds of variables
        """Nothing to do: a subclass inherits the operators."""

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self._name

    @property
    def _shared_name(self) -> str:
        return self._name[: self._name.index(":")]

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        return self._shape

    def get_shape(self) -> TensorShape:
        return self._shape

    @property
    def ndim(self) -> int | None:
        return self._shape.rank

    @property
    def device(self) -> str:
        from .devices import full_name

        return full_name(self._t)

    @property
    def trainable(self) -> bool:
        return self._trainable

    @property
    def constraint(self) -> Callable[[Any], Any] | None:
        return self._constraint

    @property
    def synchronization(self) -> VariableSynchronization:
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        return self._aggregation

    @property
    def handle(self) -> Any:
        return self

    @property
    def op(self) -> Any:
        raise AttributeError("Tensor.op is undefined when eager execution is enabled.")

    @property
    def graph(self) -> Any:
        raise AttributeError("Tensor.graph is undefined when eager execution is enabled.")

    @property
    def initializer(self) -> None:
        """None: variables have their values from the start."""
        return None

    # --- reading -----------------------------------------------------------------------------------------------------
    def _read(self) -> Any:
        """The storage as the calling thread sees it: a leaf of the recording tapes, or the memory itself."""
        if state.local.tapes:
            from .tape import leaf_of

            return leaf_of(self)
        return self._t

    def _as_tensor(self) -> Tensor:
        graph = state.local.graph
        if graph is not None:
            return graph.read_variable(self)
        t = wrap(self._read())
        t._tape = state.token()
        return t

    def value(self) -> Tensor:
        """The current value, which later assignments do not change."""
        return self._as_tensor()

    def read_value(self) -> Tensor:
        return self._as_tensor()

    def _dense_var_to_tensor(self, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
        """The value, as libraries with variables of their own ask for it."""
        return convert_to_tensor(self, dtype)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        from tf2compat import gather

        return gather(self, indices, name=name)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        from tf2compat import gather_nd

        return gather_nd(self, indices, name=name)

    def initialized_value(self) -> Tensor:
        return self._as_tensor()

    def experimental_ref(self) -> Reference:
        """The older name of `ref`."""
        return self.ref()

    def eval(self, session: Any = None) -> Any:
        raise RuntimeError("This operation is not supported when eager execution is enabled.")

    def to_proto(self, export_scope: Any = None) -> Any:
        raise RuntimeError("This operation is not supported when eager execution is enabled.")

    @staticmethod
    def from_proto(variable_def: Any, import_scope: Any = None) -> Any:
        raise RuntimeError("This operation is not supported when eager execution is enabled.")

    @property
    def initial_value(self) -> Any:
        raise RuntimeError("This property is not supported when eager execution is enabled.")

    def load(self, value: Any, session: Any = None) -> None:
        """Assign `value` (an old name)."""
        self.assign(value)  # type: ignore[attr-defined]

    def is_initialized(self, name: str | None = None) -> Tensor:
        """A true tensor: variables are initialised when they are made."""
        return convert_to_tensor(True)

    def _numpy(self) -> np.ndarray:
        from .tensor import numpy_of

        return numpy_of(self._t)

    def numpy(self) -> Any:
        """A copy of the value as a NumPy array or scalar."""
        if state.local.graph is not None:
            raise NotImplementedError("numpy() is only available when eager execution is enabled.")
        array = self._numpy()
        return array[()] if array.ndim == 0 else array.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype=dtype)

    def torch(self) -> torch.Tensor:
        """The torch tensor that holds the value, sharing its memory."""
        return self._t

    @classmethod
    def __torch_function__(cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from .tensor import _to_torch_args

        def plain(v: Any) -> Any:
            if isinstance(v, Variable):
                return v._t
            if isinstance(v, (list, tuple)):
                return type(v)(plain(x) for x in v)
            return v

        return func(*_to_torch_args(plain(args)), **{k: _to_torch_args(plain(v)) for k, v in (kwargs or {}).items()})

    def _resolve(self) -> Variable:
        """The variable that an op is to change: of a distributed one, the replica's component."""
        return self

    def __bool__(self) -> bool:
        return bool(self._as_tensor())

    def __int__(self) -> int:
        return int(self.value())

    def __float__(self) -> float:
        return float(self.value())

    def __complex__(self) -> complex:
        return complex(self.numpy())

    def __iter__(self) -> Any:
        return iter(self._as_tensor())

    def __hash__(self) -> int:
        raise TypeError("Variable is unhashable. Instead, use variable.ref() as the key. (Variable: " + repr(self) + ")")

    def ref(self) -> Reference:
        return Reference(self)

    def _text(self) -> str:
        t = wrap(self._t)
        return f"shape={self.shape} dtype={self.dtype.name}, numpy={t._text(True)}"

    def __repr__(self) -> str:
        text = f"<tf.Variable '{self.name}' {self._text()}>"
        return text if self._distributed is None else f"{self._distributed}:{{\n  0: {text}\n}}"

    @property
    def values(self) -> tuple[Variable, ...]:
        """The replicas' variables of one that a strategy mirrors."""
        if self._distributed is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute 'values'")
        return (_Component(self),)

    @property
    def distribute_strategy(self) -> Any:
        """The strategy in whose scope the variable was made."""
        if self._strategy is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute 'distribute_strategy'")
        return self._strategy

    # --- copies ------------------------------------------------------------------------------------------------------
    def __deepcopy__(self, memo: Any) -> Variable:
        copied = Variable(
            wrap(self._t), trainable=self._trainable, name=self._shared_name, constraint=self._constraint,
            synchronization=self._synchronization, aggregation=self._aggregation, shape=self._shape,
        )  # fmt: skip
        copied._name = self._name
        memo[id(self)] = copied
        return copied

    def __reduce__(self) -> Any:
        return _rebuild, (self.numpy(), self._dtype.name, self._trainable, self._name, self._shape, self._constraint)

    def set_shape(self, shape: Any) -> None:
        """Narrow the static shape."""
        self._shape = self._shape.merge_with(shape)

    # --- writing: storage level (the ops in tf2compat._engine.assigning are the public way) --------------------------
    def _write(self, value: Any) -> None:
        """Take over a storage's values. The caller has checked dtype and shape."""
        if isinstance(self._t, np.ndarray):
            self._t = value.copy()
            return
        value = value.detach()
        # `_shared` counts references, so no local may hold the storage here.
        if self._t.shape == value.shape and self._t.device == value.device and not self._shared():
            self._t.copy_(value)
        else:
            moved = value.to(self._t.device, copy=True, memory_format=torch.contiguous_format)
            with moving:
                before, self._t = self._t, moved
                left(before)

    def _place(self) -> tuple[int, int] | None:
        """Address and size of the values in host memory, or None when they are elsewhere, or when others see the memory."""
        if isinstance(self._t, np.ndarray) or self._t.device.type != "cpu" or not self._t.is_contiguous() or self._shared():
            return None
        return self._t.data_ptr(), self._t.nbytes

    def _own(self) -> Any:
        """The storage, made ours alone: in-place torch functions may be used on it."""
        if not isinstance(self._t, np.ndarray) and self._shared():
            with moving:
                before = self._t
                self._t = before.detach().clone()
                left(before)
        return self._t

    def _shared(self) -> bool:
        """Whether anything but this variable can see its memory: a wrapper, a view, a tape's leaf, a NumPy array."""
        return not self._pinned and (
            _references(self._t) > _BASE_REFS
            or _uses_of(self._t.untyped_storage()._cdata) > _BASE_USES
            or self._t._use_count() > _BASE_TENSOR_USES
        )


class Kept:
    """A tensor that is kept for later, and whether somebody else sees its memory now."""

    __slots__ = ("_t",)
    _pinned = False

    def __init__(self, t: Any) -> None:
        self._t = t

    shared = Variable._shared


class ResourceVariable(Variable):
    """What `tf.Variable(...)` makes. Ops know exactly this class on their fast path."""


def _raw(value: Any) -> bool:
    return isinstance(value, (int, float, complex, str, bytes, np.ndarray))


_references = sys.getrefcount
_uses_of = torch._C._storage_Use_Count


def _storage_uses(t: torch.Tensor) -> int:
    return _uses_of(t.untyped_storage()._cdata)


def _rebuild(value: Any, dtype: str, trainable: bool, name: str, shape: Any, constraint: Any) -> Variable:
    v = Variable(value, dtype=dtypes.as_dtype(dtype), trainable=trainable, shape=shape, constraint=constraint)
    v._name = name
    return v


class _Probe:
    """Measures the reference counts of a tensor that one attribute holds, on this Python and torch."""

    def __init__(self) -> None:
        self._t = torch.zeros(1).clone()

    def refs(self) -> int:
        return sys.getrefcount(self._t)

    def uses(self) -> tuple[int, int]:
        return _storage_uses(self._t), self._t._use_count()


_BASE_REFS = _Probe().refs()
_BASE_USES, _BASE_TENSOR_USES = _Probe().uses()


def owned(variables: Any) -> list[Any]:
    """The storages of different variables, each made its variable's alone (see `Variable._own`)."""
    found = []
    for v in variables:
        if type(v) is ResourceVariable and type(v._t) is torch.Tensor and (
            v._pinned
            or (_references(v._t) <= _BASE_REFS and _uses_of(v._t.untyped_storage()._cdata) <= _BASE_USES and v._t._use_count() <= _BASE_TENSOR_USES)
        ):
            found.append(v._t)
        else:
            found.append(v._own())
    return found


class UnreadVariable(Variable):
    """What assignments return: the variable after the assignment, usable wherever the variable is."""

    def __init__(self, of: Variable) -> None:
        self._of = of

    def __getattr__(self, name: str) -> Any:
        if name == "_of":
            raise AttributeError(name)
        return getattr(self._of, name)

    def _read(self) -> Any:
        return self._of._read()

    def _as_tensor(self) -> Tensor:
        return self._of._as_tensor()

    def _write(self, value: Any) -> None:
        self._of._write(value)

    def _own(self) -> Any:
        return self._of._own()

    @property
    def _turn(self) -> Any:  # type: ignore[override]
        return self._of._turn

    @property
    def name(self) -> str:  # type: ignore[override]
        return "UnreadVariable"

    def ref(self) -> Reference:
        return Reference(self._of)


class _Component(UnreadVariable):
    """A replica's part of a mirrored variable: with one replica, the variable itself."""

    @property
    def name(self) -> str:  # type: ignore[override]
        return self._of.name
