"""The adapters of this package, as the group `tf2compat.adapters` of its installed metadata lists them.

Used only when no metadata are installed, as in a source checkout on PYTHONPATH; a test compares it with pyproject.toml.
"""

ENTRY_POINTS = {
    "checkpoint.tensorflow": "tf2compat_adapters.tensorflow_bundle:TensorFlowBundle",
    "checkpoint.safetensors": "tf2compat_adapters.checkpoint_safetensors:Safetensors",
    "data_source.hugging_face": "tf2compat_adapters.hugging_face",
    "events.tensorboard": "tf2compat_adapters.tensorboard_events",
    "filesystem.fsspec": "tf2compat_adapters.fsspec_files",
    "graph_def.tensorflow": "tf2compat_adapters.graph_def",
    "image_warp.scipy": "tf2compat_adapters.scipy_warp",
    "images.jpeg": "tf2compat_adapters.jpeg_images",
    "images.pillow": "tf2compat_adapters.pillow_images",
    "model_file.hdf5": "tf2compat_adapters.keras_hdf5",
    "model_file.keras": "tf2compat_adapters.keras_archive",
    "model_file.saved_model": "tf2compat_adapters.keras_saved_model",
    "module_bridge.torch": "tf2compat_adapters.torch_modules",
    "object_graph.tensorflow": "tf2compat_adapters.object_graph:TrackableObjectGraph",
    "protos.tensorflow": "tf2compat_adapters.protos",
    "raw_ops.tensorflow": "tf2compat_adapters.tensorflow_graphs.raw_ops",
    "saved_model.tensorflow": "tf2compat_adapters.saved_model_proto",
    "structures.tensorflow": "tf2compat_adapters.structured_values",
}
