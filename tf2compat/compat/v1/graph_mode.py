"""What TensorFlow 1's graph mode had, and what to write instead."""

from __future__ import annotations

_SESSION = "call functions directly: eager code runs at once, and @tf.function makes it a graph"
_VARIABLES = "keep tf.Variables as attributes of a tf.Module or Keras model"
_QUEUE = "read data with tf.data.Dataset"
_LAYERS = "use tf.keras.layers"

#: name -> the TensorFlow 2 way
GONE: dict[str, str] = {
    "placeholder": "pass tensors as arguments of a function",
    "sparse_placeholder": "pass tensors as arguments of a function",
    "disable_eager_execution": "eager execution is always on; decorate with @tf.function where a graph is wanted",
    "disable_v2_behavior": "TensorFlow 2's behaviour is always on", "disable_resource_variables": "variables are always resource variables",
    "disable_v2_tensorshape": "TensorShapes are always version 2", "disable_tensor_equality": "use `is` to compare tensors by identity",
    "disable_control_flow_v2": "control flow is always functional", "variable_scope": _VARIABLES, "get_variable_scope": _VARIABLES,
    "VariableScope": _VARIABLES, "variable_op_scope": _VARIABLES,
    "get_local_variable": _VARIABLES, "make_template": _VARIABLES, "global_variables": _VARIABLES, "local_variables": _VARIABLES,
    "all_variables": _VARIABLES, "trainable_variables": "ask the model: model.trainable_variables", "model_variables": _VARIABLES,
    "moving_average_variables": _VARIABLES, "add_to_collection": "keep a Python list",
    "add_to_collections": "keep a Python list", "get_collection": "keep a Python list", "get_collection_ref": "keep a Python list",
    "initialize_all_variables": "variables are initialised when they are made",
    "report_uninitialized_variables": "variables are initialised when they are made",
    "FIFOQueue": _QUEUE, "PaddingFIFOQueue": _QUEUE, "RandomShuffleQueue": _QUEUE, "PriorityQueue": _QUEUE, "QueueBase": _QUEUE,
    "ReaderBase": _QUEUE, "TextLineReader": _QUEUE, "TFRecordReader": _QUEUE, "WholeFileReader": _QUEUE, "FixedLengthRecordReader": _QUEUE,
    "IdentityReader": _QUEUE, "ConditionalAccumulator": _QUEUE, "layers": _LAYERS, "colocate_with": "use tf.device",
    "container": _VARIABLES, "Print": "use tf.print",
    "distributions": "use the tensorflow_probability or torch.distributions package", "estimator": "use tf.keras",
    "fixed_size_partitioner": _VARIABLES, "min_max_variable_partitioner": _VARIABLES, "variable_axis_size_partitioner": _VARIABLES,
    "create_partitioned_variables": _VARIABLES, "graph_util": "use tf.saved_model", "get_session_handle": _SESSION,
    "get_session_tensor": _SESSION, "delete_session_tensor": _SESSION, "add_check_numerics_ops": "use tf.debugging.enable_check_numerics",
}  # fmt: skip


class GraphKeys:
    """The names of version 1's collections; eager code collects nothing."""

    GLOBAL_VARIABLES, TRAINABLE_VARIABLES, MODEL_VARIABLES = "variables", "trainable_variables", "model_variables"
    SUMMARIES, TABLE_INITIALIZERS, GLOBAL_STEP = "summaries", "table_initializer", "global_step"


for _name in (
    "LOCAL_VARIABLES METRIC_VARIABLES QUEUE_RUNNERS ASSET_FILEPATHS MOVING_AVERAGE_VARIABLES REGULARIZATION_LOSSES CONCATENATED_VARIABLES "
    "SAVERS WEIGHTS BIASES ACTIVATIONS UPDATE_OPS LOSSES SAVEABLE_OBJECTS RESOURCES LOCAL_RESOURCES TRAINABLE_RESOURCE_VARIABLES INIT_OP "
    "LOCAL_INIT_OP READY_OP READY_FOR_LOCAL_INIT_OP SUMMARY_OP EVAL_STEP TRAIN_OP COND_CONTEXT WHILE_CONTEXT"
).split():
    setattr(GraphKeys, _name, _name.lower())


def gone(name: str) -> RuntimeError:
    """The error for a name of graph mode."""
    way = GONE.get(name)
    if name == "placeholder":
        return RuntimeError(f"tf.placeholder() is not compatible with eager execution: {way}.")
    return RuntimeError(f"tf.compat.v1.{name} belongs to TensorFlow 1's graph mode, which tf2compat does not have" + (f": {way}." if way else "."))
