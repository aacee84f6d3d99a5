"""The model-file adapter for SavedModel directories of Keras models: `model.save(dir)` and `load_model(dir)`.

Beside what every SavedModel has there is `keras_metadata.pb`, which describes the model; from it, TF-Keras' own SavedModels are rebuilt too.
"""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from google.protobuf.message import DecodeError

from tf2compat import errors
from tf2compat._files import write_atomic
from tf2compat.keras._files import compiling
from tf2compat.saved_model._loading import read_file
from tf2compat.saved_model._saving import save as save_object
from tf2compat.train.checkpoint import Checkpoint
from tf2compat_adapters.protos import SavedMetadata

_METADATA = "keras_metadata.pb"
#: vocabularies that `adapt` found, by the number of the layer
_VOCABULARIES = "tf2compat_vocabularies"
_log = logging.getLogger("tensorflow")


def _lookups(model: Any) -> list[tuple[int, Any]]:
    return [(number, layer) for number, layer in enumerate(model._flatten_layers()) if hasattr(layer, "adapted_vocabulary")]


def _restore_vocabularies(model: Any, found: Any, path: str) -> None:
    for number, layer in _lookups(model):
        if str(number) not in found:
            continue
        try:
            tokens, idf = found[str(number)]
            if idf is not None:
                layer.load_own_variables({"idf_weights": idf})
            layer.restore_vocabulary([str(t) for t in tokens])
        except (TypeError, ValueError) as error:
            raise errors.DataLossError(None, None, f"{path}: the vocabulary of layer '{layer.name}' is damaged: {error}") from error


def save(model: Any, path: str, include_optimizer: bool = True, signatures: Any = None, options: Any = None) -> None:
    """Writes a model: variables, traced call, and what it takes to rebuild it."""
    if not model.built and model.save_spec() is None:
        raise ValueError(
            f"Model {model} cannot be saved either because the input shape is not available or because the forward pass of the model is not "
            "defined.To define a forward pass, please override `Model.call()`. To specify an input shape, either call `build(input_shape)` "
            "directly, or call the model on actual data using `Model()`, `Model.fit()`, or `Model.predict()`. If you have a custom training "
            "step, please make sure to invoke the forward pass in train step through `Model.__call__`, i.e. `model(inputs)`, as opposed to "
            "`model.call()`."
        )
    metadata: dict[str, Any] = {"name": model.name, "class_name": type(model).__name__, "is_graph_network": bool(getattr(model, "_is_graph_network", False))}
    try:
        config = compiling.legacy({"class_name": type(model).__name__, "config": model.get_config()})
        metadata.update(config=config["config"], model_config=config)
    except NotImplementedError:
        config = None  # a subclassed model: only its variables and functions are saved
    training = compiling.training_config(model) if include_optimizer else None
    if training is not None:
        metadata["training_config"] = training
    from tf2compat.keras import __version__

    metadata.update(keras_version=__version__, backend="tensorflow")
    adapted = [(str(number), layer.adapted_vocabulary(), layer._idf) for number, layer in _lookups(model)]
    metadata[_VOCABULARIES] = {n: [tokens, None if idf is None else idf.tolist()] for n, tokens, idf in adapted if tokens is not None}

    def write(directory: str, tree: Any) -> None:
        saved = SavedMetadata()
        node = saved.nodes.add(node_id=0, node_path="root", identifier="_tf_keras_model")
        node.metadata = json.dumps(metadata, default=compiling.jsonable)
        node.version.producer = node.version.min_consumer = 1
        write_atomic(os.path.join(directory, _METADATA), saved.SerializeToString())

    optimizer = model.__dict__.get("optimizer")
    if optimizer is not None and not include_optimizer:
        edges = model._tracked().edges
        removed = edges.pop("optimizer", None)
        try:
            save_object(model, path, signatures, options, write)
        finally:
            if removed is not None:
                edges["optimizer"] = removed
        return
    save_object(model, path, signatures, options, write)


def export(model: Any, path: str) -> None:
    """Writes a model's forward pass, with the endpoint `serve`."""
    from tf2compat import Module, function

    archive = Module()
    archive.model = model
    spec = model.save_spec()
    if spec is None:
        raise ValueError("The model provided has not yet been called; call it on data or build it before exporting.")
    args, _ = spec
    serve = function(lambda inputs: model(inputs, training=False))
    serve.get_concrete_function(*args)
    archive.serve = serve
    save_object(archive, path, {"serving_default": serve.get_concrete_function(*args), "serve": serve.get_concrete_function(*args)})


def load(path: str, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    """Rebuilds a Keras model from a SavedModel. Without a description of the model, gives what `tf.saved_model.load` gives."""
    from tf2compat.saved_model import load as load_object

    described = os.path.join(path, _METADATA)
    if not os.path.isfile(os.path.join(path, "saved_model.pb")):
        raise OSError(f"SavedModel file does not exist at: {path}{os.sep}{{saved_model.pbtxt|saved_model.pb}}")
    if not os.path.isfile(described):
        return load_object(path)
    try:
        saved = SavedMetadata.FromString(read_file(described))
        root = next((node for node in saved.nodes if node.node_id == 0), None)
        metadata = compiling.decoded(json.loads(root.metadata)) if root is not None else {}
        if not isinstance(metadata, dict):
            raise ValueError("the metadata are not an object")
    except (DecodeError, ValueError, RecursionError) as error:
        raise errors.DataLossError(None, None, f"{described} is damaged: {error}") from error
    config = metadata.get("model_config")
    if config is None and isinstance(metadata.get("config"), dict) and metadata.get("class_name"):
        config = {"class_name": metadata["class_name"], "config": metadata["config"]}
    model = None
    if config is not None:
        try:
            model = compiling.model_from_legacy(config, custom_objects, safe_mode)
        except TypeError as error:
            if metadata.get("is_graph_network"):
                raise
            _log.warning("The class %s is not known here (%s); its saved functions are loaded instead.", metadata.get("class_name"), error)
    if model is None:
        return load_object(path)
    if isinstance(metadata.get(_VOCABULARIES), dict):
        _restore_vocabularies(model, metadata[_VOCABULARIES], path)
    training = metadata.get("training_config")
    if compile and training is not None:
        compiling.compile_from_training_config(model, training, custom_objects)
        if model.built:
            model.optimizer.build(model.trainable_variables)
    elif compile:
        _log.warning("No training configuration found in save file, so the model was *not* compiled. Compile it manually.")
    status = Checkpoint(model).read(os.path.join(path, "variables", "variables")).expect_partial()
    weights = {id(v) for v in model.weights} if model.built else set()
    missing = weights - {id(item) for item in status._restoration.objects.values()}
    if missing:
        raise ValueError(f"{path} has no values for {[v.name for v in model.weights if id(v) in missing]}.")
    return model
