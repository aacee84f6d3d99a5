"""Python inside graphs, control of execution, and what eager code has no use for."""

# ruff: noqa: A001 - TensorFlow's public names
from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from tf2compat._engine.logs import get_logger

from .. import errors
from .._engine import dtypes, nest, state
from .._engine.convert import constant_value, convert_to_tensor, placed
from .._engine.custom_gradient import refuse_known_type
from .._engine.op import ANYS, op, wrap_here
from .._engine.tape import UnconnectedGradients
from .._engine.tensor import Tensor
from .._engine.variable import Variable, creators
from .printing import print

__all__ = [
    "AggregationMethod", "RegisterGradient", "control_dependencies", "executing_eagerly", "get_logger", "get_static_value",
    "gradients", "group", "hessians", "init_scope", "inside_function", "is_tensor", "load_library", "load_op_library",
    "make_ndarray", "make_tensor_proto", "no_op", "nondifferentiable_batch_function", "numpy_function", "print", "py_function",
    "timestamp", "tuple", "variable_creator_scope",
]  # fmt: skip


def executing_eagerly() -> bool:
    """Whether operations run at once: False while a `tf.function` is traced (`tf.executing_eagerly`)."""
    return state.local.graph is None


def inside_function() -> bool:
    """Whether a `tf.function` is being traced (`tf.inside_function`)."""
    return state.local.graph is not None


@contextmanager
def init_scope() -> Iterator[None]:
    """Lift a block out of the function being traced: it runs eagerly, once (`tf.init_scope`)."""
    with state.outside():
        yield


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, a variable, or a sparse, ragged or symbolic tensor; extension types are none (`tf.is_tensor`).

    Objects of libraries that have an attribute `is_tensor_like` are tensors, too.
    """
    if isinstance(x, (Tensor, Variable)) or (hasattr(type(x), "_tf_op") and getattr(type(x), "_tf_tensor_like", True)):
        return True
    return hasattr(x, "is_tensor_like")


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The NumPy value of `tensor` if it is known now, else None, as of every variable; what is no tensor as it is (`tf.get_static_value`)."""
    if isinstance(tensor, Tensor):
        value = constant_value(tensor)
        return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if hasattr(type(tensor), "_is_keras_tensor"):
        return constant_value(tensor)
    return None if is_tensor(tensor) else tensor


# --- Python functions as ops -----------------------------------------------------------------------------------------
_KINDS: tuple[tuple[type[BaseException], type[errors.OpError]], ...] = (
    (TypeError, errors.InvalidArgumentError),
    (ValueError, errors.InvalidArgumentError),
    (StopIteration, errors.OutOfRangeError),
    (MemoryError, errors.ResourceExhaustedError),
    (NotImplementedError, errors.UnimplementedError),
)


def _raised(error: Exception) -> Exception:
    if isinstance(error, errors.OpError):
        return error
    cls: type[errors.OpError] = errors.UnknownError
    for python, ours in _KINDS:
        if isinstance(error, python):
            cls = ours
            break
    return cls(None, None, f"{type(error).__name__}: {error}\n{traceback.format_exc()}")


def _types(tout: Any) -> tuple[list[dtypes.DType], list[Any]]:
    flat = nest.flatten(tout)
    specs = [t if isinstance(getattr(t, "dtype", None), dtypes.DType) else None for t in flat]
    return (
        [dtypes.as_dtype(t if s is None else s.dtype) for t, s in zip(flat, specs, strict=True)],
        [None if s is None else getattr(s, "shape", None) for s in specs],
    )


@op("EagerPyFunc", multi=True, stateful=True, tensors=ANYS)
def _py_func(tensors: Any, func: Any, types: Any) -> Any:
    graph, names = state.local.graph, state.local.names
    state.local.graph, state.local.names = None, []
    try:
        result = func(*[wrap_here(t) for t in tensors])
        if not types:
            return []
        flat = list(result) if isinstance(result, (list, builtin_tuple)) else [result]
        if len(flat) != len(types):
            raise ValueError(f"function returned {len(flat)} values for Tout of {len(types)}")
        return [convert_to_tensor(r, dtype=t)._t for r, t in zip(flat, types, strict=True)]
    except Exception as error:  # noqa: BLE001 - user code; every exception becomes the op's error
        raise _raised(error) from error
    finally:
        state.local.graph, state.local.names = graph, names


@op("PyFunc", multi=True, stateful=True, tensors=ANYS)
def _numpy_func(tensors: Any, func: Any, types: Any) -> Any:
    from .._engine.tensor import numpy_of

    graph = state.local.graph
    state.local.graph = None
    try:
        arrays = [numpy_of(t) for t in tensors]
        result = func(*[a[()] if a.ndim == 0 else a.copy() for a in arrays])
        if not types:
            return []
        flat = list(result) if isinstance(result, (list, builtin_tuple)) else [result]
        if len(flat) != len(types):
            raise ValueError(f"function returned {len(flat)} values for Tout of {len(types)}")
        out = []
        for i, (r, t) in enumerate(zip(flat, types, strict=True)):
            array = np.asarray(r)
            if array.dtype.type is t._np and array.flags.writeable:
                try:
                    out.append(placed(torch.from_numpy(array)))
                    continue
                except (TypeError, ValueError):
                    pass  # memory that torch does not take: negative steps, other types
            given = dtypes.string if array.dtype.kind in "SUO" else dtypes.as_dtype(array.dtype)
            if given is not t:
                raise errors.InvalidArgumentError(
                    None, None, f"{i}-th value returned by {getattr(func, '__name__', func)} is {given._cpp}, but expects {t._cpp}"
                )
            out.append(convert_to_tensor(array, t)._t)
        return out
    except Exception as error:  # noqa: BLE001
        raise _raised(error) from error
    finally:
        state.local.graph = graph


def _outputs(tensors: Any, func: Any, types: Any) -> Any:
    return [(t, None) for t in types]


for _f in (_py_func, _numpy_func):
    _f.infer(_outputs)
    _f.strings(_f.op.fn)

builtin_tuple = (()).__class__


def _no_tout(name: str) -> TypeError:
    return TypeError(
        f"Missing required argument: 'Tout'\n  If using tf.{name} as a decorator, set `Tout`\n  **by name** above the function:\n"
        f"  `@tf.{name}(Tout=tout)`"
    )


def py_function(func: Callable[..., Any] | None = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:  # noqa: N803
    """Call a Python function on eager tensors, in graphs too; gradients flow through it (`tf.py_function`).

    `Tout`: dtype(s) or `tf.TensorSpec`s of the results. What `func` raises arrives as a `tf.errors.OpError`.
    """
    if func is None:
        return lambda f: _as_op(f, Tout, py_function, name)
    if Tout is None:
        raise _no_tout("py_function")
    return _call(_py_func, func, inp, Tout)


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Any = None,
    Tout: Any = None,  # noqa: N803
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Call a Python function on NumPy arrays, in graphs too (`tf.numpy_function`).

    A function that is not `stateful` may be called less often; here every call is made.
    """
    if func is None:
        return lambda f: _as_op(f, Tout, numpy_function, name)
    if Tout is None:
        raise _no_tout("numpy_function")
    return _call(_numpy_func, func, inp, Tout)


def _as_op(f: Callable[..., Any], tout: Any, caller: Callable[..., Any], name: str | None) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        return caller(f, inp=args, Tout=tout, name=name)

    return call


def _call(caller: Any, func: Callable[..., Any], inp: Any, tout: Any) -> Any:
    if not callable(func):
        raise ValueError(f"Expected func to be callable, got: {func!r}")
    types, shapes = _types(tout)
    inp = [convert_to_tensor(v) for v in (inp if isinstance(inp, (list, builtin_tuple)) else [inp])]
    if caller is _numpy_func and state.local.graph is None:
        # Eagerly, TensorFlow just calls the function: what it raises passes, and Tout is for graphs.
        results = [r if r is None else convert_to_tensor(r) for r in nest.flatten(func(*[np.array(t) for t in inp]))]
        return results[0] if len(results) == 1 else results
    out = caller(inp, func, types)
    for t, shape in zip(out or [], shapes, strict=False):
        if shape is not None:
            t.set_shape(shape)
    if isinstance(tout, (list, builtin_tuple)):
        if not types:
            return [] if caller is _py_func else None
        return nest.pack_sequence_as(list(tout) if isinstance(tout, builtin_tuple) else tout, list(out))
    return out[0] if tout is not None and not nest.is_nested(tout) else nest.pack_sequence_as(tout, list(out))


# --- execution -------------------------------------------------------------------------------------------------------
_NO_CONTEXT: AbstractContextManager[None] = nullcontext()


def control_dependencies(control_inputs: Any) -> AbstractContextManager[None]:
    """Run a block after `control_inputs` (`tf.control_dependencies`). Everything runs in program order here.

    Outside of functions the inputs are walked through at once, and those that can be called are called.
    """
    if callable(control_inputs):
        control_inputs()
    elif state.local.graph is None:
        for control in control_inputs or ():
            if callable(control):
                control()
    elif control_inputs is not None and (is_tensor(control_inputs) or isinstance(control_inputs, str) or not isinstance(control_inputs, Iterable)):
        raise TypeError(f"Control input must be an iterable of operations or tensors, got {type(control_inputs)}: {control_inputs}")
    elif isinstance(control_inputs, Iterator):
        builtin_tuple(control_inputs)  # what a generator computes is part of the graph
    return _NO_CONTEXT


def group(*inputs: Any, **kwargs: Any) -> None:
    """Nothing, once all `inputs` have run, which program order has seen to (`tf.group`)."""
    kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"Unknown keyword arguments: {', '.join(kwargs)}")


def tuple(tensors: Any, control_inputs: Any = None, name: str | None = None) -> Any:
    """`tensors`, after all of them and `control_inputs` were computed (`tf.tuple`)."""
    if state.local.graph is None:
        return tensors
    if not isinstance(tensors, (list, builtin_tuple)) or not any(t is not None for t in tensors):
        raise ValueError(f"`tensors` must have at least one Tensor. Received: {tensors}.")
    return [t if t is None or is_tensor(t) or hasattr(type(t), "_tf_components") else convert_to_tensor(t) for t in tensors]


def no_op(name: str | None = None) -> None:
    """Does nothing, for control dependencies (`tf.no_op`)."""


@op("Timestamp", stateful=True)
def timestamp(name: str | None = None) -> Any:
    """Seconds since the epoch, float64, at the time of execution (`tf.timestamp`)."""
    return torch.tensor(time.time(), dtype=torch.float64)


@contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Iterator[None]:
    """Let `variable_creator(next_creator, **kwargs)` make the variables of a block (`tf.variable_creator_scope`)."""
    creators.stack.append(variable_creator)
    try:
        yield
    finally:
        creators.stack.remove(variable_creator)


# --- gradients of graphs ---------------------------------------------------------------------------------------------
class AggregationMethod:
    """Ways to add up gradients in TensorFlow's graphs; torch autograd has its own (`tf.AggregationMethod`)."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: UnconnectedGradients = UnconnectedGradients.NONE,
) -> Any:
    """Gradients inside a traced function (`tf.gradients`). RuntimeError in eager code, as in TensorFlow."""
    graph = state.local.graph
    if graph is None:
        raise RuntimeError("tf.gradients is not supported when eager execution is enabled. Use tf.GradientTape instead.")
    return graph.gradients(ys, xs, grad_ys, stop_gradients, unconnected_gradients)


def hessians(ys: Any, xs: Any, gate_gradients: bool = False, aggregation_method: int | None = None, name: str = "hessians") -> Any:
    """For each of `xs` the second derivatives of the sum of `ys`, of shape `x.shape + x.shape` (`tf.hessians`).

    Inside a traced function only; RuntimeError in eager code, as in TensorFlow.
    """
    graph = state.local.graph
    if graph is None:
        raise RuntimeError("tf.gradients is not supported when eager execution is enabled. Use tf.GradientTape instead.")
    return graph.hessians(ys, xs)


class RegisterGradient:
    """Decorates the gradient of an op type (`tf.RegisterGradient`): of types that TensorFlow does not have, as libraries of kernels register them.

    Such ops cannot be loaded here, so the function is never called. UnimplementedError for the types there are: torch autograd
    differentiates them, and has no registry by type.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        refuse_known_type("tf.RegisterGradient", op_type, "use tf.custom_gradient.")

    def __call__(self, f: Any) -> Any:
        return f


# --- foreign code ----------------------------------------------------------------------------------------------------
def load_op_library(library_filename: str) -> Any:
    """TensorFlow's custom C++ kernels cannot run on torch: always NotFoundError (`tf.load_op_library`)."""
    raise errors.NotFoundError(
        None, None, f"{library_filename}: kernels built for TensorFlow cannot run on PyTorch; write it as a custom operator of PyTorch."
    )


def load_library(library_location: str) -> None:
    """As `load_op_library` (`tf.load_library`)."""
    load_op_library(library_location)


def nondifferentiable_batch_function(
    num_batch_threads: int,
    max_batch_size: int,
    batch_timeout_micros: int,
    allowed_batch_sizes: Any = None,
    max_enqueued_batches: int = 10,
    autograph: bool = True,
    enable_large_batch_splitting: bool = True,
) -> Any:
    """Batching of concurrent calls for serving: not supported, and says so (`tf.nondifferentiable_batch_function`)."""
    raise errors.UnimplementedError(None, None, "tf.nondifferentiable_batch_function is a serving feature that tf2compat does not have.")


def make_tensor_proto(values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False, allow_broadcast: bool = False) -> Any:
    """A TensorProto with `values` (`tf.make_tensor_proto`)."""
    from tensorboard.util.tensor_util import make_tensor_proto as make

    if allow_broadcast:
        raise ValueError("make_tensor_proto of tf2compat does not support allow_broadcast")
    array = np.asarray(values if dtype is None else convert_to_tensor(values, dtypes.as_dtype(dtype)).numpy())
    if shape is not None:
        if verify_shape and builtin_tuple(array.shape) != builtin_tuple(shape):
            raise TypeError(f"Expected Tensor's shape: {builtin_tuple(shape)}, got {array.shape}.")
        size = int(np.prod(shape, dtype=np.int64))
        if array.size > size:
            raise ValueError(f"Too many elements provided. Takes at most {size}, but got {array.size}.")
        if 0 < array.size < size:  # the last value fills the rest
            array = np.concatenate([array.reshape(-1), np.repeat(array.reshape(-1)[-1:], size - array.size)])
        array = array.reshape(shape)
    if array.dtype == np.int64 and not isinstance(values, (np.ndarray, np.generic, Tensor)) and dtype is None:
        array = array.astype(np.int32)
    if array.dtype == np.float64 and not isinstance(values, (np.ndarray, np.generic, Tensor)) and dtype is None:
        array = array.astype(np.float32)
    if array.dtype.type.__module__ != "ml_dtypes":
        return make(array)
    # bfloat16 and its like, which tensorboard does not know: as their bytes
    made = make(np.zeros(array.shape, np.uint8))
    made.ClearField("int_val")
    made.dtype, made.tensor_content = dtypes.as_dtype(array.dtype).as_datatype_enum, np.ascontiguousarray(array).tobytes()
    return made


def make_ndarray(tensor: Any) -> np.ndarray:
    """The NumPy array of a TensorProto (`tf.make_ndarray`)."""
    from tensorboard.util.tensor_util import make_ndarray as make

    kind = np.dtype(dtypes.as_dtype(tensor.dtype).as_numpy_dtype)
    if kind.type.__module__ != "ml_dtypes":
        return make(tensor)
    shape = [d.size for d in tensor.tensor_shape.dim]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, kind).reshape(shape).copy()
    bits = np.frombuffer(tensor.float8_val, np.uint8) if kind.itemsize == 1 else np.asarray(tensor.half_val, np.uint16)
    count = int(np.prod(shape, dtype=np.int64))
    if count and not bits.size:
        bits = np.zeros(1, bits.dtype)
    return np.concatenate([bits[:count], np.repeat(bits[-1:], max(0, count - bits.size))]).view(kind).reshape(shape)
