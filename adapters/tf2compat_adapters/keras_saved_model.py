"""The model-file adapter for SavedModel directories of Keras models: `model.save(dir)` and `load_model(dir)`.

Beside what every SavedModel has there is `keras_metadata.pb`, which describes the model; from it, TF-Keras' own SavedModels are rebuilt too.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from tf2compat import errors
from tf2compat._engine import nest, trackable
from tf2compat._engine.logs import get_logger
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.wrappers import ListWrapper
from tf2compat._files import write_atomic
from tf2compat.keras import regularizers
from tf2compat.keras._base.serialization import (
    UNDEFINED,
    PartialScope,
    find_class,
    get_registered_name,
    get_registered_object,
    serialize_legacy,
)
from tf2compat.keras._files import compiling
from tf2compat.keras._files.revived import METRIC, Loading, additions, revived
from tf2compat.keras._files.served import _SignatureMap
from tf2compat.saved_model._loading import read_file
from tf2compat.saved_model._saving import save as save_object
from tf2compat.train._formats import open_reader
from tf2compat.train._restoring import read_object_graph
from tf2compat.train.checkpoint import Checkpoint, CheckpointOptions
from tf2compat_adapters.protos import SavedMetadata
from tf2compat_adapters.saved_model_proto import read_meta_graphs

_METADATA = "keras_metadata.pb"
#: vocabularies that `adapt` found, by the number of the layer
_VOCABULARIES = "tf2compat_vocabularies"
#: how many functions without arguments `add_loss` gave the model
_LOSSES = "tf2compat_losses"
_log = get_logger()


def _lookups(model: Any) -> list[tuple[int, Any]]:
    return [(number, layer) for number, layer in enumerate(model._flatten_layers()) if hasattr(layer, "adapted_vocabulary")]


def _restore_vocabularies(model: Any, found: Any, path: str) -> None:
    for number, layer in _lookups(model):
        if str(number) not in found:
            continue
        held = getattr(layer, "_lookup_layer", layer).__dict__
        held["input_vocabulary"] = held["input_idf_weights"] = None  # it was found, not given
        try:
            tokens, idf = found[str(number)]
            if idf is not None:
                layer.load_own_variables({"idf_weights": idf})
            layer.restore_vocabulary([str(t) for t in tokens])
        except (TypeError, ValueError) as error:
            raise errors.DataLossError(None, None, f"{path}: the vocabulary of layer '{layer.name}' is damaged: {error}") from error


@contextlib.contextmanager
def _vocabularies_given(model: Any) -> Iterator[None]:
    """Configurations hold the vocabularies that `adapt` found: TensorFlow rebuilds the layers from these alone."""
    held = []
    for _, layer in _lookups(model):
        inner = getattr(layer, "_lookup_layer", layer)
        if layer.adapted_vocabulary() is not None and inner.__dict__["input_vocabulary"] is None:
            tokens, idf = inner.get_vocabulary(), inner.__dict__["_idf"]
            inner.__dict__.update(input_vocabulary=tokens, input_idf_weights=None if idf is None else idf.tolist())
            held.append((inner, inner._tracked().edges.pop("token_counts", None)))
    try:
        yield
    finally:
        for inner, counts in held:
            inner.__dict__["input_vocabulary"] = inner.__dict__["input_idf_weights"] = None
            if counts is not None:
                inner._tracked().edges["token_counts"] = counts


def _found_in_tables(model: Any, path: str) -> None:
    """Vocabularies that `adapt` found, from the tables of a SavedModel of TensorFlow's: its configurations do not have them."""
    from tf2compat.saved_model import load as load_object

    empty = [layer for _, layer in _lookups(model) if getattr(layer, "_lookup_layer", layer)._table.index is None]
    if not empty:
        return
    seen: set[int] = set()
    waiting = [(model, load_object(path))]
    while waiting:
        layer, loaded = waiting.pop()
        if id(layer) in seen or not isinstance(loaded, AutoTrackable):
            continue
        seen.add(id(layer))
        table = loaded._tracked().edges.get("lookup_table")
        items = getattr(table, "_table_items", None)
        if items and hasattr(layer, "restore_vocabulary") and layer in empty:
            flat = dict(items)
            tokens = sorted(flat, key=flat.__getitem__) if not layer.invert else [flat[n] for n in sorted(flat)]
            layer.restore_vocabulary([t.decode() if isinstance(t, bytes) else str(t) for t in tokens])
        for name, child in trackable.children(layer).items():
            other = loaded._tracked().edges.get(name)
            if other is not None:
                waiting.append((child, other))


def _identifier(layer: Any) -> str:
    """By which name TF-Keras knows the kind of a layer."""
    from tf2compat import keras

    if isinstance(layer, keras.Sequential):
        return "_tf_keras_sequential"
    if isinstance(layer, keras.Model):
        return "_tf_keras_network" if getattr(layer, "_is_graph_network", False) else "_tf_keras_model"
    if isinstance(layer, keras.layers.InputLayer):
        return "_tf_keras_input_layer"
    if isinstance(layer, keras.metrics.Metric):
        return METRIC
    return "_tf_keras_rnn_layer" if isinstance(layer, keras.layers.RNN) else "_tf_keras_layer"


def _common(layer: Any) -> dict[str, Any]:
    """What TF-Keras asks of every layer beside its configuration."""
    spec = getattr(layer, "_call_spec", None)
    return {
        "expects_training_arg": bool(getattr(spec, "training", True)), "dtype": _dtype(layer), "stateful": bool(getattr(layer, "stateful", False)),
        "must_restore_from_config": bool(getattr(layer, "_must_restore_from_config", False)), "preserve_input_structure_in_config": False,
        "autocast": bool(getattr(layer, "_autocast", True)), "batch_input_shape": None,
    }  # fmt: skip


def _dtype(layer: Any) -> Any:
    """The layer's dtype; a policy of more than one, by which calls of the saved functions are cast, whole."""
    policy = getattr(layer, "dtype_policy", None)
    if policy is None or policy.compute_dtype == policy.variable_dtype:
        return layer.dtype
    return {"class_name": "Policy", "config": policy.get_config()}


def _shape(value: Any) -> Any:
    """A shape, or a structure of shapes, as TF-Keras writes it."""
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and not all(size is None or isinstance(size, int) for size in value):
        return [_shape(part) for part in value]
    if value is None or getattr(value, "rank", 0) is None:
        return None
    return {"class_name": "TensorShape", "items": list(value)}


@contextlib.contextmanager
def _with_metrics(model: Any) -> Iterator[None]:
    """Metrics of `add_metric`, and the states of stateful layers, are part of the tree, under `keras_api` of their layers; so are the
    penalties of regularizers."""
    from tf2compat import function

    given = []
    for layer in model._flatten_layers():
        edges = layer._tracked().edges
        held = {id(child) for child in edges.values()}
        metrics = [m for m in layer.__dict__.get("_metrics", ()) if id(m) not in held]
        states = layer.__dict__.get("_states") if getattr(layer, "stateful", False) else None
        unknown = "_restored" in layer.__dict__ or not type(layer).__module__.startswith("tf2compat.")  # to another program
        penalties = layer.__dict__.get("_callable_losses") if layer is not model and unknown else None
        if (metrics or penalties or states is not None) and "keras_api" not in edges:
            edges["keras_api"] = api = AutoTrackable()
            if penalties:
                api.layer_regularization_losses = ListWrapper([function(fn) for fn in penalties])
                for penalty in api.layer_regularization_losses:
                    penalty.get_concrete_function()
            if metrics:
                api.metrics = metrics
            if states is not None:
                api.states = nest.flatten(states)
            given.append((edges, "keras_api"))
    edges = model._tracked().edges
    if "regularization_losses" not in edges:  # what programs that train a loaded model add to their loss
        losses = {fn: function(fn) for layer in model._flatten_layers() for fn in layer.__dict__.get("_callable_losses", ())}
        for loss in losses.values():
            loss.get_concrete_function()
        edges["regularization_losses"] = ListWrapper(list(losses.values()))
        given.append((edges, "regularization_losses"))
        if "keras_api" not in edges:
            edges["keras_api"] = AutoTrackable()
            given.append((edges, "keras_api"))
        # else TensorFlow adds the others to those that the layers have by their configurations
        edges["keras_api"].layer_regularization_losses = [losses[fn] for fn in model.__dict__.get("_callable_losses", ())]
    api, own = edges["keras_api"]._tracked().edges if "keras_api" in edges else {}, edges.get("keras_api")
    if isinstance(own, AutoTrackable) and "layers" not in api:
        for name in ("variables", "trainable_variables", "non_trainable_variables", "layers"):
            if name not in api:
                api[name] = ListWrapper(list(getattr(model, name, ())))
    for name in ("variables", "trainable_variables", "non_trainable_variables"):  # TensorFlow's loaded objects have what was saved, no more
        if name not in edges:
            edges[name] = ListWrapper(list(getattr(model, name)))
            given.append((edges, name))
    try:
        yield
    finally:
        for edges, name in given:
            del edges[name]


def _layer_metadata(item: Any) -> dict[str, Any] | None:
    """The description of a layer within a model, or None for what is no layer or cannot be made from a configuration."""
    from tf2compat.keras.layers import Layer

    if not isinstance(item, Layer):
        return None
    try:
        with PartialScope():
            config = compiling.legacy({"class_name": get_registered_name(type(item)), "config": item.get_config()})
    except NotImplementedError:
        config = {"config": {UNDEFINED: True}}
    except (TypeError, ValueError):
        return None
    about = {"name": item.name, "trainable": item.trainable, "class_name": get_registered_name(type(item)), "config": config["config"], **_common(item)}
    shape = getattr(item, "_build_input_shape", None)
    if shape is None:
        try:
            shape = item.input_shape
        except (AttributeError, RuntimeError):
            shape = None  # it has no inputs of its own, or several
    if shape is not None:
        about["build_input_shape"] = _shape(shape)
    return about


def save(
    model: Any, path: str, include_optimizer: bool = True, signatures: Any = None, options: Any = None, save_traces: bool = True
) -> None:
    """Writes a model: variables, traced call, and what it takes to rebuild it."""
    if model.save_spec() is None:  # built, it may never have been called
        raise ValueError(
            f"Model {model} cannot be saved either because the input shape is not available or because the forward pass of the model is not "
            "defined.To define a forward pass, please override `Model.call()`. To specify an input shape, either call `build(input_shape)` "
            "directly, or call the model on actual data using `Model()`, `Model.fit()`, or `Model.predict()`. If you have a custom training "
            "step, please make sure to invoke the forward pass in train step through `Model.__call__`, i.e. `model(inputs)`, as opposed to "
            "`model.call()`."
        )
    adapted = [(str(number), layer.adapted_vocabulary(), layer._idf) for number, layer in _lookups(model)]
    losses = [(layer.__dict__, list(layer.__dict__["_call_losses"])) for layer in model._flatten_layers() if "_call_losses" in layer.__dict__]
    try:
        with _vocabularies_given(model):
            _save(model, path, include_optimizer, signatures, options, adapted, save_traces)
    finally:
        for held, found in losses:  # those of the latest call, which was none of the traces'
            held["_call_losses"] = found


def _save(model: Any, path: str, include_optimizer: bool, signatures: Any, options: Any, adapted: list[Any], save_traces: bool) -> None:
    metadata: dict[str, Any] = {
        "name": model.name, "trainable": model.trainable, "class_name": type(model).__name__,
        "is_graph_network": bool(getattr(model, "_is_graph_network", False)), **_common(model),
        "build_input_shape": _shape(model._build_input_shape),
    }  # fmt: skip
    try:
        with PartialScope():
            config = compiling.legacy({"class_name": type(model).__name__, "config": model.get_config()})
        metadata.update(config=config["config"], model_config=config)
    except NotImplementedError:
        config = None  # a subclassed model: only its variables and functions are saved
    if hasattr(model.activity_regularizer, "get_config"):
        metadata["activity_regularizer"] = serialize_legacy(model.activity_regularizer)
    metadata[_LOSSES] = len(model.__dict__.get("_callable_losses", ()))
    training = compiling.training_config(model) if include_optimizer else None
    if training is not None:
        metadata["training_config"] = training
        compiling.build_metrics(model)
    from tf2compat.keras import __version__

    metadata.update(keras_version=__version__, backend="tensorflow")
    metadata[_VOCABULARIES] = {n: [tokens, None if idf is None else idf.tolist()] for n, tokens, idf in adapted if tokens is not None}

    def write(directory: str, tree: Any) -> dict[int, str]:
        saved = SavedMetadata()
        identifiers = {}
        for number, (item, path_to) in enumerate(zip(tree.objects, tree.paths, strict=True)):
            described = metadata if number == 0 else _layer_metadata(item)
            if described is None:
                continue
            identifiers[number] = _identifier(item)
            node = saved.nodes.add(node_id=number, node_path=".".join(("root", *path_to)), identifier=identifiers[number])
            node.metadata = json.dumps(described, default=compiling.jsonable)
            node.version.producer, node.version.min_consumer = 2, 1
        write_atomic(os.path.join(directory, _METADATA), saved.SerializeToString())
        return identifiers

    edges = model._tracked().edges
    removed = None if include_optimizer else edges.pop("optimizer", None)
    try:
        with _with_metrics(model):
            save_object(model, path, signatures, options, write, save_traces)
    finally:
        if removed is not None:
            edges["optimizer"] = removed


def export(model: Any, path: str) -> None:
    """Writes a model's forward pass, with the endpoint `serve`."""
    from tf2compat import Module, function

    archive = Module()
    archive.model = model
    spec = model.save_spec()
    if spec is None:
        raise ValueError("The layer provided has not yet been built. It must be built before export.")
    args, _ = spec
    serve = function(lambda inputs: model(inputs, training=False))
    serve.get_concrete_function(*args)
    archive.serve = serve
    save_object(archive, path, {"serving_default": serve.get_concrete_function(*args), "serve": serve.get_concrete_function(*args)})


def _described(node: Any) -> dict[str, Any]:
    try:
        found = json.loads(node.metadata)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _share(model: Any, path: str) -> None:
    """Layers that were one when they were saved, such as that of two wrappers, become one again: a configuration does not say so."""
    from tf2compat.keras.layers import Layer
    from tf2compat.keras.metrics import Metric

    prefix = os.path.join(path, "variables", "variables")
    nodes = read_object_graph(open_reader(prefix), prefix) or []
    if not nodes or not model.built:
        return
    found: dict[int, Any] = {0: model}
    queue = deque([(0, model)])
    while queue:
        number, item = queue.popleft()
        children = trackable.children(item)
        for name, child_number in nodes[number].children:
            child = children.get(name)
            if child is None:
                continue
            known = found.get(child_number)
            if known is None:
                found[child_number] = child
                queue.append((child_number, child))
            elif known is not child and type(known) is type(child) and isinstance(item, Layer) and _alike(known, child):
                if isinstance(child, Layer) and not isinstance(child, Metric) and item.__dict__.get(name) is child:
                    setattr(item, name, known)


def _alike(one: Any, other: Any) -> bool:
    return [v.shape.as_list() for v in getattr(one, "weights", ())] == [v.shape.as_list() for v in getattr(other, "weights", ())]


def _build(model: Any, shape: Any) -> None:
    """Makes the weights of a model whose configuration is a class' own, so that they have their values from the beginning."""
    from tf2compat.keras.models import Model

    if model.built or not shape or not isinstance(model, Model) or not getattr(type(model).build, "_tf_default", False):
        return
    try:
        model.build(shape)
    except (TypeError, ValueError, NotImplementedError):
        return  # its call takes more than one tensor of floats: the weights come with the first call, and find their values then


def _is_whole(config: Any) -> bool:
    """Whether every layer of a configuration has one."""
    if isinstance(config, list):
        return all(_is_whole(v) for v in config)
    return not isinstance(config, dict) or (UNDEFINED not in config and all(_is_whole(v) for v in config.values()))


def _may_be_added(path: str) -> bool:
    name = path.partition(".")[2]
    return name not in ("keras_api", "optimizer", "keras_metrics", "signatures") and not name.startswith(("layer-", "layer_with_weights-"))


def _must_be_known(about: Any, custom_objects: Any) -> None:
    """ValueError for a layer that is nothing without its class, such as a program's own preprocessing layer, where that is not known."""
    name = about.get("class_name")
    if about.get("must_restore_from_config") and isinstance(name, str):
        if get_registered_object(name, custom_objects) is None and find_class(name.removeprefix("Custom>")) is None:
            raise ValueError(
                f"Unknown layer: '{name}'. Please ensure you are using a `keras.utils.custom_object_scope` and that this object is included in the "
                "scope. See https://www.tensorflow.org/guide/keras/save_and_serialize#registering_the_custom_object for details."
            )


def _of_the_past(path: str) -> Any:
    """What TensorFlow before 2.5 wrote about layers into the graph of objects itself."""
    try:
        nodes = read_meta_graphs(read_file(os.path.join(path, "saved_model.pb")))[0].object_graph_def.nodes
    except ValueError:
        return SavedMetadata()  # who loads the graph says what is wrong
    saved, paths, queue = SavedMetadata(), {0: "root"}, deque([0] if len(nodes) else [])
    while queue:
        number = queue.popleft()
        about = nodes[number].user_object
        if about.identifier.startswith("_tf_keras") and about.metadata:
            saved.nodes.add(node_id=number, node_path=paths[number], identifier=about.identifier, metadata=about.metadata)
        for edge in nodes[number].children:
            if edge.node_id not in paths and 0 <= edge.node_id < len(nodes):
                paths[edge.node_id] = f"{paths[number]}.{edge.local_name}"
                queue.append(edge.node_id)
    return saved


def load(path: str, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    """Rebuilds a Keras model from a SavedModel. Without a description of the model, gives what `tf.saved_model.load` gives."""
    from tf2compat.saved_model import load as load_object

    described = os.path.join(path, _METADATA)
    if not os.path.isfile(os.path.join(path, "saved_model.pb")):
        raise OSError(f"SavedModel file does not exist at: {path}{os.sep}{{saved_model.pbtxt|saved_model.pb}}")
    try:
        saved = SavedMetadata.FromString(read_file(described)) if os.path.isfile(described) else _of_the_past(path)
        if not os.path.isfile(described) and all(node.node_id for node in saved.nodes):
            return load_object(path)
        root = next((node for node in saved.nodes if node.node_id == 0), None)
        metadata = compiling.decoded(json.loads(root.metadata)) if root is not None else {}
        if not isinstance(metadata, dict):
            raise ValueError("the metadata are not an object")
    except (DecodeError, ValueError, RecursionError) as error:
        raise errors.DataLossError(None, None, f"{described} is damaged: {error}") from error
    config = metadata.get("model_config")
    if config is None and isinstance(metadata.get("config"), dict) and metadata.get("class_name"):
        config = {"class_name": metadata["class_name"], "config": metadata["config"]}
    described_nodes = {node.node_path: {**_described(node), "identifier": node.identifier} for node in saved.nodes}
    for about in described_nodes.values():
        _must_be_known(about, custom_objects)
    model = loading = None
    if config is not None:
        try:
            if _is_whole(config) and metadata.get(_LOSSES):  # the loaded functions and the model work with the same variables
                loading = Loading(load_object(path), described_nodes, custom_objects)
                with loading.sharing():
                    model = compiling.model_from_legacy(config, custom_objects, safe_mode)
                loading.add_losses(model)
            elif _is_whole(config):
                model = compiling.model_from_legacy(config, custom_objects, safe_mode)
        except (TypeError, ValueError) as error:
            _log.debug("The model '%s' cannot be made from its configuration alone: %s", metadata.get("name"), error)
        if model is None and config.get("class_name") in ("Sequential", "Functional", "Model"):
            loading = Loading(load_object(path), described_nodes, custom_objects)
            marked, found = loading.with_stand_ins(config)
            try:
                model = compiling.model_from_legacy(marked, found, safe_mode)
            except (TypeError, ValueError, NotImplementedError) as error:
                _log.warning("The model '%s' cannot be made from its configuration (%s); its saved functions are loaded instead.", metadata.get("name"), error)
    made = model is not None
    if not made:
        loading = Loading(load_object(path), described_nodes, custom_objects)
        if "__call__" not in loading.loaded.__dict__.get("_functions", {}):
            return loading.loaded
        model = revived(loading)
    if made and isinstance(metadata.get("activity_regularizer"), dict) and model.activity_regularizer is None:
        model.activity_regularizer = regularizers.deserialize(metadata["activity_regularizer"], custom_objects)
    model.__dict__["signatures"] = _SignatureMap(path, model)
    if made:
        _build(model, metadata.get("build_input_shape"))
        _share(model, path)
        more = [p for p in described_nodes if p.count(".") == 1 and p.partition(".")[2] not in trackable.children(model) and _may_be_added(p)]
        if more:
            for name, item in additions(model, loading or Loading(load_object(path), described_nodes, custom_objects)):
                setattr(model, name, item)
    if isinstance(metadata.get(_VOCABULARIES), dict):
        _restore_vocabularies(model, metadata[_VOCABULARIES], path)
    elif made:
        _found_in_tables(model, path)
    training = metadata.get("training_config")
    if compile and training is not None:
        compiling.compile_from_training_config(model, training, custom_objects)
        if model.built:
            compiling.built(model.optimizer, model.trainable_variables)
    elif compile:
        _log.warning("No training configuration found in save file, so the model was *not* compiled. Compile it manually.")
    skip = CheckpointOptions(experimental_skip_slot_variables=not hasattr(model.optimizer, "add_slot"))  # such as a legacy optimizer has
    status = Checkpoint(model).read(os.path.join(path, "variables", "variables"), skip).expect_partial()
    weights = {id(v) for v in model.weights} if model.built and made else set()  # loaded ones have their values
    missing = weights - {id(item) for item in status._restoration.objects.values()}
    if missing:
        raise ValueError(f"{path} has no values for {[v.name for v in model.weights if id(v) in missing]}.")
    return model
