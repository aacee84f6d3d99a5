"""`tf.keras.utils`: helpers for data, files, configs and drawings."""

from __future__ import annotations

from typing import Any

from .._base.data import pack as pack_x_y_sample_weight
from .._base.data import unpack as unpack_x_y_sample_weight
from .._base.progress import Progbar
from .._base.saying import interactive
from .._base.sequence import Sequence
from .._base.serialization import (
    CustomObjectScope,
    deserialize_keras_object,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from .._base.serialization import custom_objects as _custom_objects
from .arrays import (
    normalize,
    pad_sequences,
    set_random_seed,
    to_categorical,
    to_ordinal,
    warmstart_embedding_matrix,
)
from .files import get_file
from .images import array_to_img, img_to_array, load_img, save_img
from .plotting import model_to_dot, plot_model

custom_object_scope = CustomObjectScope

__all__ = [
    "CustomObjectScope", "Progbar", "Sequence", "array_to_img", "custom_object_scope", "deserialize_keras_object",
    "disable_interactive_logging", "enable_interactive_logging", "get_custom_objects", "get_file", "get_registered_name",
    "get_registered_object", "get_source_inputs", "img_to_array", "is_interactive_logging_enabled", "load_img", "model_to_dot",
    "normalize", "pack_x_y_sample_weight", "pad_sequences", "plot_model", "register_keras_serializable", "save_img",
    "serialize_keras_object", "set_random_seed", "to_categorical", "to_ordinal", "unpack_x_y_sample_weight",
    "warmstart_embedding_matrix",
]  # fmt: skip


def get_custom_objects() -> dict[str, Any]:
    """The dict of registered classes and functions (`tf.keras.utils.get_custom_objects`)."""
    return _custom_objects


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> list[Any]:
    """The `Input` tensors that a symbolic tensor depends on (`tf.keras.utils.get_source_inputs`)."""
    if not hasattr(tensor, "_keras_history"):
        return tensor
    from .._base.cloning import _inputs_of

    return _inputs_of([tensor])[::-1]


def enable_interactive_logging() -> None:
    """Progress goes to standard output (`tf.keras.utils.enable_interactive_logging`)."""
    interactive.on = True


def disable_interactive_logging() -> None:
    """Progress bars become one line per epoch (`tf.keras.utils.disable_interactive_logging`)."""
    interactive.on = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to standard output (`tf.keras.utils.is_interactive_logging_enabled`)."""
    return interactive.on


def __getattr__(name: str) -> Any:
    import importlib

    if name in _LATER:
        return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    if name in ("experimental", "legacy"):
        return importlib.import_module(f"{__name__}.{name}")
    from tf2compat._names import missing

    raise missing("tf.keras.utils", name)


_LATER = {
    "audio_dataset_from_directory": "directories",
    "image_dataset_from_directory": "directories", "text_dataset_from_directory": "directories",
    "FeatureSpace": "feature_space", "GeneratorEnqueuer": "enqueuing", "OrderedEnqueuer": "enqueuing", "SequenceEnqueuer": "enqueuing",
    "SidecarEvaluator": "evaluating", "StepsPerExecutionTuner": "step_tuning",
    "TimedThread": "timed_threads", "timeseries_dataset_from_array": "timeseries", "split_dataset": "splitting",
}  # fmt: skip
