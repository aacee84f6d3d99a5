"""`tf.compat.v1`: of TensorFlow 1's names what works in eager code.

Names whose meaning did not change are TensorFlow 2's own. Sessions, placeholders, collections, queues and the other parts of
graph mode raise RuntimeError with the TensorFlow 2 way.
"""

from __future__ import annotations

import importlib
import types
from typing import Any

import tf2compat as tf
from tf2compat._engine import state

from . import dropped, logging, session, train
from .arguments import older
from .dimension import Dimension
from .dropped import *  # noqa: F403
from .graph_mode import GONE, GraphKeys, gone
from .placeholders import placeholder_with_default
from .scopes import VariableScope, get_variable_scope, name_scope, variable_scope
from .session import InteractiveSession, Session, get_default_graph, get_default_session
from .values import IndexedSlicesValue
from .variables import Variable

__all__ = [
    *dropped.__all__, "Dimension", "GraphKeys", "IndexedSlicesValue", "InteractiveSession", "Session", "Variable", "VariableScope", "get_default_graph", "get_default_session", "get_variable_scope", "logging", "name_scope", "placeholder_with_default",
    "session", "train", "variable_scope",
]  # fmt: skip

AUTO_REUSE = "auto_reuse"
VERSION = tf.__version__


# --- switches: this package is always in TensorFlow 2 mode -----------------------------------------------------------
def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> None:
    """Eager execution is on already. ValueError for settings that cannot be honoured."""
    if config is not None or device_policy is not None or execution_mode is not None:
        raise ValueError("tf2compat's eager execution has no config, device_policy or execution_mode")


def enable_v2_behavior() -> None:
    """TensorFlow 2's behaviour is on already."""


def enable_resource_variables() -> None:
    """Variables are resource variables already."""


def enable_v2_tensorshape() -> None:
    """TensorShapes are version 2 already."""


def enable_tensor_equality() -> None:
    """`==` compares tensors by value already."""


def enable_control_flow_v2() -> None:
    """Control flow is functional already."""


def executing_eagerly_outside_functions() -> bool:
    return True


def control_flow_v2_enabled() -> bool:
    return True


def resource_variables_enabled() -> bool:
    return True


def executing_eagerly() -> bool:
    return tf.executing_eagerly()


def reset_default_graph() -> None:
    """Nothing is in the default graph of an eager program. RuntimeError while a function is traced."""
    if state.local.graph is not None:
        raise RuntimeError("tf.compat.v1.reset_default_graph inside a tf.function is not supported")


# --- names that changed ----------------------------------------------------------------------------------------------
def set_random_seed(seed: int) -> None:
    """`tf.random.set_seed`."""
    tf.random.set_seed(seed)


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = tf.VariableSynchronization.AUTO,
    aggregation: Any = tf.VariableAggregation.NONE,
) -> Any:
    """A new variable: eager code has no variable store to share one from, and no collections that would keep it or its regularisation loss (as in TensorFlow)."""
    if partitioner is not None or custom_getter is not None:
        raise ValueError("tf.compat.v1.get_variable: partitioner and custom_getter are not supported in eager code")
    dtype = tf.float32 if dtype is None else tf.as_dtype(dtype)
    if initializer is None:
        initializer = tf.keras.initializers.GlorotUniform() if dtype.is_floating else tf.keras.initializers.Zeros()
    if callable(initializer):
        instance = initializer() if isinstance(initializer, type) else initializer
        value = (lambda: instance(shape, dtype=dtype)) if shape is not None else instance
    else:
        value = tf.convert_to_tensor(initializer, dtype)
    return tf.Variable(
        value, trainable=trainable, name=name, dtype=dtype, constraint=constraint, synchronization=synchronization,
        aggregation=aggregation, caching_device=caching_device, validate_shape=validate_shape,
    )  # fmt: skip


def assign(ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None, name: str | None = None) -> Any:
    return ref.assign(value)


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    return ref.assign_add(value)


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    return ref.assign_sub(value)


def to_float(x: Any, name: str = "ToFloat") -> Any:
    return tf.cast(x, tf.float32)


def to_double(x: Any, name: str = "ToDouble") -> Any:
    return tf.cast(x, tf.float64)


def to_int32(x: Any, name: str = "ToInt32") -> Any:
    return tf.cast(x, tf.int32)


def to_int64(x: Any, name: str = "ToInt64") -> Any:
    return tf.cast(x, tf.int64)


def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Any:
    return tf.cast(x, tf.bfloat16)


def div(x: Any, y: Any, name: str | None = None) -> Any:
    """Python 2's division: floor for integers, true for floats."""
    x = tf.convert_to_tensor(x)
    return tf.math.floordiv(x, y) if x.dtype.is_integer else tf.math.truediv(x, y)


floor_div = tf.math.floordiv
mod = tf.math.floormod


def py_func(func: Any, inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    return tf.numpy_function(func, inp, Tout, stateful)


def dimension_value(dimension: Any) -> Any:
    return getattr(dimension, "value", dimension)


def dimension_at_index(shape: Any, index: int) -> Dimension:
    return Dimension(None) if shape.rank is None else Dimension(shape[index])


def global_variables_initializer() -> None:
    """None: variables of eager code are initialised when they are made."""


def local_variables_initializer() -> None:
    """None: variables of eager code are initialised when they are made."""


def variables_initializer(var_list: Any, name: str = "init") -> None:
    """Nothing: variables are initialised when they are made."""


def tables_initializer(name: str = "init_all_tables") -> None:
    """None: tables of eager code are initialised when they are made."""


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Elements of x where `condition` holds, of y elsewhere; of one shape, or whole rows for a vector `condition`."""
    if x is None and y is None:
        return tf.where(condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    condition, x, y = tf.convert_to_tensor(condition), tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    rank, whole = condition.shape.rank, x.shape.rank
    if rank == 1 and whole is not None and whole > 1:
        condition = tf.reshape(condition, tf.concat([tf.shape(condition), [1] * (whole - 1)], 0))
    elif rank and whole is not None and rank != whole:
        raise tf.errors.InvalidArgumentError(
            None, None, f"Inputs to operation Select of type Select must have the same size and shape. Input 0: {condition.shape} != input 1: {x.shape}"
        )
    return tf.where(condition, x, y, name)


def sparse_to_dense(
    sparse_indices: Any, output_shape: Any, sparse_values: Any, default_value: Any = 0, validate_indices: bool = True, name: str | None = None
) -> Any:
    """A dense tensor of `output_shape` with values at places."""
    values = tf.convert_to_tensor(sparse_values)
    indices = tf.cast(sparse_indices, tf.int64)
    rank = indices.shape.rank
    if rank is None or rank < 2:
        indices = tf.reshape(indices, [-1, 1])
    values = tf.broadcast_to(values, tf.shape(indices)[:1])
    sparse = tf.SparseTensor(indices, values, tf.cast(output_shape, tf.int64))
    return tf.sparse.to_dense(sparse, tf.cast(default_value, values.dtype), validate_indices)


def string_split(
    source: Any, sep: Any = None, skip_empty: bool = True, delimiter: Any = " ", result_type: str = "SparseTensor", name: str | None = None
) -> Any:
    """Strings [n] split at each of the delimiters' characters: a sparse tensor, or a ragged one."""
    sep = delimiter if sep is None else sep
    pattern = "".join("\\" + c if c in "\\]^-" else c for c in tf.compat.as_str(sep))
    spaced = tf.strings.regex_replace(source, f"[{pattern}]", "\x00") if pattern else source
    parts = tf.strings.split(spaced, "\x00") if pattern else tf.strings.bytes_split(source)
    if skip_empty:
        parts = tf.ragged.boolean_mask(parts, tf.strings.length(parts) > 0)
    return parts if result_type == "RaggedTensor" else parts.to_sparse()


def tf_record_iterator(path: Any, options: Any = None) -> Any:
    """The records of a TFRecord file, as bytes."""
    kind = getattr(options, "compression_type", options)
    return tf.data.TFRecordDataset(path, ("", "ZLIB", "GZIP")[kind] if isinstance(kind, int) else kind).as_numpy_iterator()


def is_variable_initialized(variable: Any) -> Any:
    return tf.constant(True)


def _scatter(method: str) -> Any:
    def scatter(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
        return getattr(ref, method)(tf.IndexedSlices(tf.convert_to_tensor(updates), tf.convert_to_tensor(indices)))

    scatter.__name__ = method
    scatter.__doc__ = f"`tf.Variable.{method}` of rows."
    return scatter


scatter_add, scatter_sub, scatter_update = _scatter("scatter_add"), _scatter("scatter_sub"), _scatter("scatter_update")
scatter_mul, scatter_div, scatter_min, scatter_max = _scatter("scatter_mul"), _scatter("scatter_div"), _scatter("scatter_min"), _scatter("scatter_max")


def wrap_function(fn: Any, signature: Any, name: str | None = None) -> Any:
    """TensorFlow 1 graphs as functions: not supported."""
    raise gone("wrap_function")


#: v1 name -> the TensorFlow 2 function of the same meaning
_RENAMED = {
    "arg_max": "math.argmax", "arg_min": "math.argmin", "angle": "math.angle", "accumulate_n": "math.accumulate_n",
    "batch_to_space_nd": "batch_to_space", "betainc": "math.betainc", "bincount": "math.bincount", "ceil": "math.ceil",
    "check_numerics": "debugging.check_numerics", "cholesky": "linalg.cholesky", "cholesky_solve": "linalg.cholesky_solve",
    "confusion_matrix": "math.confusion_matrix", "conj": "math.conj", "count_nonzero": "math.count_nonzero",
    "cross": "linalg.cross", "cumprod": "math.cumprod", "decode_base64": "io.decode_base64", "decode_csv": "io.decode_csv",
    "decode_raw": "io.decode_raw", "depth_to_space": "nn.depth_to_space", "diag": "linalg.tensor_diag",
    "diag_part": "linalg.tensor_diag_part", "digamma": "math.digamma", "div_no_nan": "math.divide_no_nan",
    "encode_base64": "io.encode_base64", "erf": "math.erf", "erfc": "math.erfc", "expm1": "math.expm1", "fft": "signal.fft",
    "fft2d": "signal.fft2d", "fft3d": "signal.fft3d", "ifft": "signal.ifft", "ifft2d": "signal.ifft2d", "ifft3d": "signal.ifft3d",
    "floordiv": "math.floordiv", "floormod": "math.floormod", "global_norm": "linalg.global_norm", "igamma": "math.igamma",
    "igammac": "math.igammac", "imag": "math.imag", "invert_permutation": "math.invert_permutation",
    "is_finite": "math.is_finite", "is_inf": "math.is_inf", "is_nan": "math.is_nan", "lbeta": "math.lbeta",
    "lgamma": "math.lgamma", "lin_space": "linspace", "log": "math.log", "log1p": "math.log1p", "log_sigmoid": "math.log_sigmoid",
    "logical_xor": "math.logical_xor", "matching_files": "io.matching_files", "matrix_band_part": "linalg.band_part",
    "matrix_determinant": "linalg.det", "matrix_diag": "linalg.diag", "matrix_diag_part": "linalg.diag_part",
    "matrix_inverse": "linalg.inv", "matrix_set_diag": "linalg.set_diag", "matrix_solve": "linalg.solve",
    "matrix_solve_ls": "linalg.lstsq", "matrix_transpose": "linalg.matrix_transpose",
    "matrix_triangular_solve": "linalg.triangular_solve", "parse_example": "io.parse_example",
    "parse_single_example": "io.parse_single_example", "parse_tensor": "io.parse_tensor", "polygamma": "math.polygamma",
    "qr": "linalg.qr", "random_crop": "image.random_crop", "random_gamma": "random.gamma", "random_normal": "random.normal",
    "random_poisson": "random.poisson", "random_shuffle": "random.shuffle", "random_uniform": "random.uniform",
    "read_file": "io.read_file", "real": "math.real", "reciprocal": "math.reciprocal", "regex_replace": "strings.regex_replace",
    "reverse_v2": "reverse", "rint": "math.rint", "rsqrt": "math.rsqrt", "segment_max": "math.segment_max",
    "segment_mean": "math.segment_mean", "segment_min": "math.segment_min", "segment_prod": "math.segment_prod",
    "segment_sum": "math.segment_sum", "self_adjoint_eig": "linalg.eigh", "self_adjoint_eigvals": "linalg.eigvalsh",
    "serialize_tensor": "io.serialize_tensor", "sparse_tensor_dense_matmul": "sparse.sparse_dense_matmul",
    "squared_difference": "math.squared_difference", "string_join": "strings.join", "string_strip": "strings.strip",
    "string_to_hash_bucket_fast": "strings.to_hash_bucket_fast", "string_to_number": "strings.to_number",
    "substr": "strings.substr", "svd": "linalg.svd", "tensor_scatter_add": "tensor_scatter_nd_add",
    "tensor_scatter_sub": "tensor_scatter_nd_sub", "tensor_scatter_update": "tensor_scatter_nd_update",
    "trace": "linalg.trace", "truncated_normal": "random.truncated_normal",
    "unsorted_segment_max": "math.unsorted_segment_max", "unsorted_segment_mean": "math.unsorted_segment_mean",
    "unsorted_segment_min": "math.unsorted_segment_min", "unsorted_segment_prod": "math.unsorted_segment_prod",
    "unsorted_segment_sqrt_n": "math.unsorted_segment_sqrt_n", "unsorted_segment_sum": "math.unsorted_segment_sum",
    "verify_tensor_all_finite": "debugging.assert_all_finite", "where_v2": "where", "write_file": "io.write_file",
    "zeta": "math.zeta",
    "FixedLenFeature": "io.FixedLenFeature", "VarLenFeature": "io.VarLenFeature", "SparseFeature": "io.SparseFeature",
    "FixedLenSequenceFeature": "io.FixedLenSequenceFeature",
    "glorot_normal_initializer": "keras.initializers.GlorotNormal", "glorot_uniform_initializer": "keras.initializers.GlorotUniform",
    "orthogonal_initializer": "keras.initializers.Orthogonal", "truncated_normal_initializer": "keras.initializers.TruncatedNormal",
    "variance_scaling_initializer": "keras.initializers.VarianceScaling",
}  # fmt: skip

#: TensorFlow's messages, which tensorboard carries, by the module they are in
_MESSAGES = {
    "AttrValue": "attr_value", "ConfigProto": "config", "GPUOptions": "config", "GraphOptions": "config", "OptimizerOptions": "config",
    "RunMetadata": "config", "RunOptions": "config", "Event": "event", "GraphDef": "graph", "HistogramProto": "summary", "MetaGraphDef": "meta_graph",
    "NodeDef": "node_def", "SessionLog": "event", "Summary": "summary", "SummaryDescription": "summary", "SummaryMetadata": "summary",
}  # fmt: skip

#: TensorFlow 2's names that mean something else in version 1, or are not in it
_NOT_THE_SAME = frozenset(("losses", "metrics", "optimizers", "layers", "train", "summary", "function"))


class _Overlay(types.ModuleType):
    """A namespace of `tf` whose functions take version 1's arguments where these differ."""

    def __getattr__(self, name: str) -> Any:
        namespace = self.__name__.rpartition(".")[2].replace("python_io", "io")
        if namespace == "io" and name == "tf_record_iterator":
            return tf_record_iterator
        if namespace == "saved_model" and name == "load_v2":
            return tf.saved_model.load
        return older(namespace, name) or getattr(getattr(tf, namespace), name)


_OVERLAID = frozenset(("math", "debugging", "linalg", "strings", "io", "sparse", "random", "python_io", "saved_model"))
_OWN = frozenset(("nn", "image", "losses", "data", "keras", "gfile", "ragged", "test"))


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return tf.__version__
    if name.startswith("__"):
        raise AttributeError(name)
    if name in ("GIT_VERSION", "COMPILER_VERSION"):
        return getattr(tf.version, name)
    if name == "summary":
        raise gone("summary.* writers of graph mode; use tf.summary")
    if name in GONE:
        return gone_object(name)
    if name == "app":
        return importlib.import_module("absl.app")
    if name == "flags":
        return importlib.import_module("absl.flags")
    if name in _OWN:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _OVERLAID:
        made = globals()[name] = _Overlay(f"{__name__}.{name}", f"`tf.{name}` with the arguments of version 1.")
        return made
    if name in _MESSAGES:
        return _message(name)
    changed = older("", name)
    if changed is not None:
        return changed
    target = _RENAMED.get(name)
    if target is not None:
        found: Any = tf
        for part in target.split("."):
            found = getattr(found, part)
        return found
    if name not in _NOT_THE_SAME:
        return getattr(tf, name)
    raise AttributeError(f"tf.compat.v1.{name} is not supported by tf2compat: use TensorFlow 2's tf.{name} or tf.keras.{name}.")


def _message(name: str) -> Any:
    """A class of TensorFlow's messages; ImportError without the package that carries them."""
    from tf2compat import _ports

    module = _ports.load("protos", "tensorflow").module(f"{_MESSAGES[name]}_pb2")
    if module is None:
        raise ImportError(f"tf.compat.v1.{name} takes the package tensorboard: pip install 'tf2compat[tensorboard]'")
    return getattr(module, name)


def gone_object(name: str) -> Any:
    """Something that imports, and says when it is used what to do instead."""

    class Gone:
        __doc__ = str(gone(name))

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise gone(name)

    Gone.__name__ = Gone.__qualname__ = name
    return Gone
