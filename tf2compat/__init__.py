"""TensorFlow 2's API on PyTorch: `import tf2compat as tf`.

Names load on first use. `_HOMES` says where each top-level name is defined; a public submodule is the module of its name.
"""

from __future__ import annotations

import importlib
from typing import Any

from ._engine import lazy_operators as _lazy_operators  # noqa: F401 - gives Tensor and Variable their operators
from ._engine.dtypes import (  # noqa: A004, F401
    DType,
    as_dtype,
    bfloat16,
    bool,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    qint8,
    qint16,
    qint32,
    quint8,
    quint16,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from ._engine.shapes import TensorShape  # noqa: F401
from ._engine.tape import GradientTape, UnconnectedGradients  # noqa: F401
from ._engine.tensor import Tensor  # noqa: F401
from ._engine.variable import Variable, VariableAggregation, VariableSynchronization  # noqa: F401

#: defining module -> the top-level names that live there
_HOMES: dict[str, str] = {
    "_alias": "install_as_tensorflow",
    "_bridge": "from_torch to_torch",
    "_engine.convert": "convert_to_tensor register_tensor_conversion_function",
    "_engine.custom_gradient": "custom_gradient grad_pass_through no_gradient recompute_grad stop_gradient",
    "_engine.specs": "IndexedSlicesSpec NoneTensorSpec OptionalSpec TensorArraySpec TensorSpec TypeSpec type_spec_from_value",
    "_engine.tiers": "compile_options",
    "_engine.profiling": "profile",
    "_engine.graph": "Graph Operation import_graph_def is_symbolic_tensor",
    "_top.asserting": "Assert assert_equal assert_greater assert_less assert_rank ensure_shape",
    "_top.arrays": "pad reverse reverse_sequence roll batch_to_space required_space_to_batch_paddings space_to_batch space_to_batch_nd "
    "extract_volume_patches unravel_index check_pinned",
    "_top.shaping": "broadcast_dynamic_shape broadcast_static_shape broadcast_to expand_dims guarantee_const identity identity_n rank "
    "reshape shape shape_n size squeeze transpose",
    "_top.joining": "concat meshgrid parallel_stack repeat split stack tile unstack",
    "_top.ordering": "argsort histogram_fixed_width histogram_fixed_width_bins searchsorted sort unique unique_with_counts",
    "_top.printing": "print",
    "_top.calling": "AggregationMethod RegisterGradient executing_eagerly get_logger gradients group hessians init_scope inside_function "
    "load_library load_op_library no_op nondifferentiable_batch_function numpy_function py_function timestamp tuple "
    "control_dependencies get_static_value variable_creator_scope make_ndarray make_tensor_proto is_tensor",
    "_top.control_flow": "CriticalSection TensorArray case cond foldl foldr map_fn scan switch_case vectorized_map while_loop",
    "_top.creation": "constant eye fill linspace ones ones_like one_hot range sequence_mask zeros zeros_like",
    "random.shuffling": "random_index_shuffle",
    "_top.devices": "DeviceSpec device",
    "_top.indexing": "slice strided_slice",
    "_top.gathering": "boolean_mask dynamic_partition gather gather_nd where",
    "_top.scattering": "dynamic_stitch scatter_nd tensor_scatter_nd_add tensor_scatter_nd_max tensor_scatter_nd_min "
    "tensor_scatter_nd_sub tensor_scatter_nd_update",
    "_top.names": "get_current_name_scope name_scope",
    "_top.initializing": "constant_initializer ones_initializer random_normal_initializer random_uniform_initializer zeros_initializer",
    "_top.convolution": "conv conv2d_backprop_filter_v2 conv2d_backprop_input_v2 approx_top_k",
    "math": "abs acos acosh add add_n argmax argmin asin asinh atan atan2 atanh cos cosh cumsum divide equal exp floor greater "
    "greater_equal less less_equal logical_and logical_not logical_or maximum minimum multiply negative not_equal pow "
    "reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum round scalar_mul "
    "sigmoid sign sin sinh sqrt square subtract tan tanh truediv",
    "_top.comparing": "edit_distance fingerprint",
    "_top.arithmetic": "bitcast cast complex realdiv saturate_cast truncatediv truncatemod "
    "clip_by_value clip_by_norm clip_by_global_norm",
    "linalg": "einsum eig eigvals matmul matrix_square_root norm tensordot",
    "strings": "as_string",
    "module": "Module",
    "_top.functions": "function",
    "signal": "fftnd ifftnd irfftnd rfftnd",
    "indexed_slices": "IndexedSlices",
    "sparse": "SparseTensor SparseTensorSpec",
    "ragged": "RaggedTensor RaggedTensorSpec ragged_fill_empty_rows ragged_fill_empty_rows_grad",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

#: public submodules, which load when they are first asked for
_MODULES = frozenset(
    "audio autodiff autograph bitwise compat config data debugging distribute dtypes errors experimental feature_column image "
    "initializers io keras linalg lite lookup losses math metrics mlir nest nn optimizers profiler quantization queue ragged "
    "random raw_ops saved_model sets signal sparse strings summary sysconfig test tpu train types version xla".split()
)

#: public namespaces that are another one under a second name
_SAME_AS = {
    "initializers": "keras.initializers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "optimizers": "keras.optimizers",
}

newaxis = None
#: the TensorFlow release whose behaviour this package follows; programs compare it
__version__ = "2.21.0"
__git_version__ = f"v{__version__}-tf2compat"
__compiler_version__ = "PyTorch"


def __getattr__(name: str) -> Any:
    if name == "__all__":
        from ._names import star_names

        return star_names("tf")
    if name == "__internal__":
        return importlib.import_module(f"{__name__}._private.internal")
    if name.startswith("_"):  # no public name, so perhaps a private submodule: the import system goes on to look for it
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    home = _HOME_OF.get(name)
    if home is not None:
        try:
            module = importlib.import_module(f"{__name__}.{home}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{home}":
                raise
            from ._names import missing

            raise missing("tf", name) from None
        try:
            value = vars(module)[name]
        except KeyError:
            from ._names import missing

            raise missing("tf", name) from None
        globals()[name] = value
        return value
    if name == "enable_v2_behavior":  # of tf.compat.v2, which is this module
        from .compat.v1 import enable_v2_behavior

        return enable_v2_behavior
    if name in _SAME_AS:
        return importlib.import_module(f"{__name__}.{_SAME_AS[name]}")
    if name in _MODULES:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    from ._names import missing

    raise missing("tf", name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME_OF) | _MODULES)
