"""Small functions of TensorFlow's private modules that have no public name."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import itertools
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import tf2compat as tf
from tf2compat._engine import state

contextmanager = contextlib.contextmanager
_numbers = itertools.count()


def uid() -> int:
    """A number that was not given out before."""
    return next(_numbers)


def as_it_is(fn: Any = None, *args: Any, **kwargs: Any) -> Any:
    """A decorator, with or without arguments, that changes nothing."""
    return fn if callable(fn) else lambda decorated: decorated


def export(*names: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """TensorFlow's decorator that puts a symbol into its API: the symbol stays where it is."""
    return lambda symbol: symbol


def deprecated(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """TensorFlow's decorator that warns of a deprecated function or argument: no warning here."""
    return lambda fn: fn


def deprecated_alias(deprecated_name: str, name: str, func_or_class: Any, warn_once: bool = True) -> Any:
    return func_or_class


@contextlib.contextmanager
def silence() -> Any:
    """No deprecation warnings in a block."""
    yield


PRINT_DEPRECATION_WARNINGS = False


def remove_undocumented(*args: Any, **kwargs: Any) -> None:
    """TensorFlow hides names of a module from its documentation with this; they stay."""


class Decoration:
    """What `make_decorator` says of a function that it made: what is inside, and the arguments where they are others."""

    def __init__(self, decorator_name: str, target: Any, decorator_doc: str = "", decorator_argspec: Any = None) -> None:
        self.decorator_name, self.decorator_doc, self.decorator_argspec = decorator_name, decorator_doc, decorator_argspec
        self.decorated_target = target

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.decorated_target(*args, **kwargs)


def make_decorator(
    target: Any, decorator_func: Any, decorator_name: str | None = None, decorator_doc: str = "", decorator_argspec: Any = None
) -> Any:
    """`decorator_func` with the name, documentation and signature of `target`."""
    found = functools.wraps(target)(decorator_func)
    with contextlib.suppress(TypeError, ValueError):
        found.__signature__ = inspect.signature(target)
    found._tf_decorator = Decoration(decorator_name or decorator_func.__name__, target, decorator_doc, decorator_argspec)
    return found


def unwrap(maybe_decorator: Any) -> tuple[list[Any], Any]:
    """The decorators of TensorFlow's making around a function, and the function: what `functools.wraps` alone made is none of them."""
    found: list[Decoration] = []
    while True:
        decoration = getattr(maybe_decorator, "_tf_decorator", None)
        if decoration is None and type(maybe_decorator).__module__.startswith("tf2compat.") and hasattr(maybe_decorator, "__wrapped__"):
            decoration = Decoration(type(maybe_decorator).__name__, maybe_decorator.__wrapped__)
        if decoration is None:
            return found, maybe_decorator
        found.append(decoration)
        maybe_decorator = decoration.decorated_target


class LazyLoader(types.ModuleType):
    """A module that is imported when its first name is asked for."""

    def __init__(self, local_name: str, parent_module_globals: dict[str, Any], name: str) -> None:
        super().__init__(name)
        self._local_name, self._globals = local_name, parent_module_globals

    def __getattr__(self, item: str) -> Any:
        module = importlib.import_module(self.__name__)
        self._globals[self._local_name] = module
        return getattr(module, item)


def fn_args(fn: Any) -> tuple[str, ...]:
    """The names of a function's parameters."""
    from .inspecting import getfullargspec

    return tuple(a for a in getfullargspec(fn).args if a not in ("self", "cls"))


ENABLE_CONTROL_FLOW_V2 = True


def always(*args: Any) -> bool:
    return True


def never(*args: Any) -> bool:
    """The answer to questions about XLA's contexts, which there are none of."""
    return False


# --- tensors and shapes ----------------------------------------------------------------------------------------------
def constant_value(tensor: Any, partial: bool = False) -> Any:
    """A tensor's value where it is known, else None."""
    return tf.get_static_value(tensor, partial) if tf.is_tensor(tensor) else tensor


def case_of(cond_fn: Any, pred_fn_pairs: Any, default: Any, exclusive: bool, name: Any, allow_python_preds: bool = False, **cond_kwargs: Any) -> Any:
    """`tf.case` by conditions of a library's own."""
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    for _, action in pairs:
        if not callable(action):
            raise TypeError(f"'pred_fn_pairs' contains non-callable entry: {action}")
    if default is None:
        (last, default), pairs = pairs[-1], pairs[:-1]
        if not exclusive:
            tf.debugging.Assert(tf.reduce_any(tf.stack([last, *[pred for pred, _ in pairs]])), ["None of the conditions evaluated as True."])
    if exclusive and pairs:
        holding = tf.reduce_sum(tf.stack([tf.cast(pred, tf.int32) for pred, _ in pairs]))
        tf.debugging.assert_less_equal(holding, 1, message="Input error: exclusive=True")
    fn = default
    for pred, action in reversed(pairs):
        fn = functools.partial(cond_fn, pred, true_fn=action, false_fn=fn, **cond_kwargs)
    return fn()


def constant_value_as_shape(tensor: Any) -> Any:
    """The TensorShape that a tensor holds, unknown where its value is."""
    value = constant_value(tensor)
    return tf.TensorShape(None if value is None else [None if d < 0 else int(d) for d in value])


def read_file_to_string(filename: Any, binary_mode: bool = False) -> Any:
    """All of a file, as text or bytes."""
    with tf.io.gfile.GFile(filename, "rb" if binary_mode else "r") as file:
        return file.read()


def write_string_to_file(filename: Any, file_content: Any) -> None:
    """Write text to a file."""
    with tf.io.gfile.GFile(filename, "w") as file:
        file.write(file_content)


def get_load_options() -> Any:
    """The options of a load of a Keras model that is going on: none here, as nothing is loaded from within one."""
    return None


def smart_cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """`tf.cond`, decided at once where the predicate is known."""
    known = constant_value(pred)
    if known is None:
        return tf.cond(pred, true_fn, false_fn, name=name)
    return true_fn() if known else false_fn()


def is_dense_tensor_like(t: Any) -> bool:
    return isinstance(t, (tf.Tensor, tf.Variable))


def is_sparse(x: Any) -> bool:
    return isinstance(x, (tf.SparseTensor, tf.compat.v1.SparseTensorValue))


def is_variable(var: Any) -> bool:
    return isinstance(var, tf.Variable)


def unknown_shape(rank: Any = None, **kwargs: Any) -> Any:
    return tf.TensorShape(None if rank is None else [None] * rank)


def scalar_shape() -> Any:
    return tf.TensorShape([])


def to_float(x: Any, name: str | None = None) -> Any:
    return tf.cast(x, tf.float32)


def to_int32(x: Any, name: str | None = None) -> Any:
    return tf.cast(x, tf.int32)


def to_int64(x: Any, name: str | None = None) -> Any:
    return tf.cast(x, tf.int64)


def prevent_gradient(input: Any, message: str = "", name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's name
    """The tensor, whose gradient is a LookupError."""

    @tf.custom_gradient
    def guarded(x: Any) -> Any:
        def grad(upstream: Any) -> Any:
            raise LookupError(f"Gradient explicitly disabled. Reason: {message}")

        return tf.identity(x), grad

    return guarded(input)


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """The tensor; what it depends on has run, or is recorded, already."""
    return output_tensor


def pfor(loop_fn: Callable[[Any], Any], iters: Any, fallback_to_while_loop: bool = True, parallel_iterations: Any = None) -> Any:
    """`loop_fn` on 0 … iters-1, the results stacked."""
    return tf.vectorized_map(loop_fn, tf.range(iters))


def assign_moving_average(variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None) -> Any:
    """Move a variable towards a value by 1 - decay. NotImplementedError with `zero_debias`, which TensorFlow 2 has not."""
    if zero_debias:
        raise NotImplementedError("assign_moving_average with zero_debias=True is not supported")
    return variable.assign_sub((variable - value) * (1 - tf.cast(decay, variable.dtype)))


def broadcast_weights(weights: Any, values: Any) -> Any:
    """`weights` in the shape of `values`: a number, or of the same rank with dimensions that are one or the same; ValueError else."""
    values = tf.convert_to_tensor(values)
    weights = tf.convert_to_tensor(weights, values.dtype)
    ours, theirs = weights.shape, values.shape
    if ours.rank not in (None, 0) and theirs.rank is not None:
        told = ""
        if ours.rank != theirs.rank:
            told = f"values.rank={theirs.rank}. weights.rank={ours.rank}. values.shape={theirs}. weights.shape={ours}."
        else:
            bad = [i for i, (w, v) in enumerate(zip(ours, theirs, strict=True)) if None not in (w, v) and w not in (1, v)]
            if bad:
                told = f"Mismatch at dim {bad[0]}. values.shape={theirs}, weights.shape={ours}."
        if told:
            raise ValueError(f"weights can not be broadcast to values. {told} Received weights={weights}, values={values}")
    return weights if ours == theirs and ours.is_fully_defined() else tf.multiply(weights, tf.ones_like(values))


def get_name_scope() -> str:
    """The name scopes around, joined by slashes, as `tf.name_scope` nests them."""
    return "/".join(state.local.names)


def maybe_merge_call(fn: Callable[..., Any], strategy: Any, *args: Any, **kwargs: Any) -> Any:
    """`fn(strategy, …)`, which strategies of this package need no meeting of replicas for."""
    return fn(strategy, *args, **kwargs)


def parameterized_truncated_normal(
    shape: Any, means: Any = 0.0, stddevs: Any = 1.0, minvals: Any = -2.0, maxvals: Any = 2.0, dtype: Any = tf.float32, seed: Any = None, name: Any = None
) -> Any:  # fmt: skip
    """Normal numbers between bounds of each element, by the inverse of the distribution function."""
    means, stddevs, minvals, maxvals = (tf.convert_to_tensor(v, dtype) for v in (means, stddevs, minvals, maxvals))
    low, high = tf.math.erf((minvals - means) / stddevs / 2**0.5), tf.math.erf((maxvals - means) / stddevs / 2**0.5)
    u = tf.random.uniform(shape, dtype=dtype, seed=seed)
    return tf.clip_by_value(means + stddevs * 2**0.5 * tf.math.erfinv(low + u * (high - low)), minvals, maxvals)


# --- the eager context -----------------------------------------------------------------------------------------------
class _Context:
    """What `context.context()` gives, as far as libraries ask it."""

    @property
    def device_name(self) -> str:
        from tf2compat._engine import devices, state

        named = state.local.device
        return "" if named is None else devices.full_name(torch.empty(0, device=named))

    @property
    def device_spec(self) -> Any:
        """What `with tf.device(...)` asks for here; nothing outside of one."""
        return tf.DeviceSpec.from_string(self.device_name)

    def executing_eagerly(self) -> bool:
        return tf.executing_eagerly()

    def num_gpus(self) -> int:
        return num_gpus()

    def ensure_initialized(self) -> None:
        pass


_context = _Context()


def eager_context() -> _Context:
    return _context


def num_gpus() -> int:
    return len(tf.config.list_physical_devices("GPU"))


@contextlib.contextmanager
def eager_mode() -> Any:
    """A block of eager code, which code outside of functions is anyway."""
    with tf.init_scope():
        yield


class _DeviceAttributes:
    def __init__(self, name: str, device_type: str, memory_limit: int) -> None:
        self.name, self.device_type, self.memory_limit, self.physical_device_desc = name, device_type, memory_limit, ""

    def __repr__(self) -> str:
        return f'name: "{self.name}"\ndevice_type: "{self.device_type}"\nmemory_limit: {self.memory_limit}\n'


def list_local_devices(session_config: Any = None) -> list[_DeviceAttributes]:
    """The CPU and the GPUs of this machine."""
    import torch

    found = [_DeviceAttributes("/device:CPU:0", "CPU", 268435456)]
    for i in range(num_gpus()):
        found.append(_DeviceAttributes(f"/device:GPU:{i}", "GPU", torch.cuda.get_device_properties(i).total_memory))
    return found


def add_operators(operators: Any, operator_tiers: Any = None, graph_parents: Any = None, name: str | None = None) -> list[Any]:
    """Linear operators whose sum is that of `operators`: one of a full matrix, or the only one there is."""
    if len(operators) < 2:
        return list(operators)
    return [tf.linalg.LinearOperatorFullMatrix(tf.add_n([operator.to_dense() for operator in operators]))]


def sticky_attribute_assignment(trackable: Any, name: str, value: Any) -> Any:
    """Makes a value that can be tracked a child of `trackable` under an attribute's name, and gives it."""
    from tf2compat._engine.trackable import NoDependency, is_node
    from tf2compat._engine.wrappers import wrap

    tracked = not isinstance(value, NoDependency)
    value = wrap(value)
    if tracked and is_node(value):
        trackable._track_trackable(value, name=name, overwrite=True)
    return value


def get_json_type(obj: Any) -> Any:
    """What `json.dumps(default=…)` writes for objects of configurations. TypeError for what no configuration holds."""
    if hasattr(obj, "get_config"):
        return {"class_name": type(obj).__name__, "config": obj.get_config()}
    if isinstance(obj, (np.ndarray, np.generic)):
        return obj.tolist()
    if isinstance(obj, tf.TensorShape):
        return obj.as_list()
    if isinstance(obj, tf.DType):
        return obj.name
    if callable(obj):
        return obj.__name__
    raise TypeError(
        f"Object {obj} is not JSON-serializable. You may implement a `get_config()` method on the class (returning a JSON-serializable "
        "dictionary) to make it serializable."
    )


def convert_variables_to_constants_v2(func: Any, *args: Any, **kwargs: Any) -> Any:
    """TensorFlow's frozen functions. NotImplementedError: save a model with `tf.saved_model.save`, which keeps its variables."""
    raise NotImplementedError("Functions whose variables are constants are not supported; tf.saved_model.save writes a function with its variables.")


def joined_sizes(prefix: Any, suffix: Any, static: bool = False) -> Any:
    """Two shapes, sizes or vectors of sizes after one another: as a TensorShape where `static`, else as a vector (`rnn_cell_impl._concat`)."""

    def known(part: Any) -> Any:
        if isinstance(part, tf.Tensor):
            value = tf.get_static_value(part)
            return tf.TensorShape(None) if value is None else tf.TensorShape(value.reshape(-1).tolist())
        return tf.TensorShape([part] if isinstance(part, int) else part)

    def vector(part: Any) -> Any:
        if isinstance(part, tf.Tensor):
            if part.shape.rank not in (None, 0, 1):
                raise ValueError(f"prefix and suffix tensors must be either a scalar or vector, but saw tensor: {part}")
            return tf.reshape(part, [-1])
        shape = known(part)
        if not shape.is_fully_defined():
            raise ValueError(f"Provided a prefix or suffix of None: {prefix} and {suffix}")
        return tf.constant(shape.as_list(), tf.int32)

    if static:
        return known(prefix).concatenate(known(suffix))
    return tf.concat([vector(prefix), vector(suffix)], 0)
