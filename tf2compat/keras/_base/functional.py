"""Functional models: a graph of layers between symbolic inputs and outputs."""

from __future__ import annotations

import copy
import inspect
import itertools
import warnings
from typing import Any

import tf2compat as tf
from tf2compat._engine import nest
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.trackable import no_automatic_dependency_tracking

from .input_layer import InputLayer
from .model import Model
from .node_order import order_nodes
from .symbolic import static_shape


class Functional(Model):
    """A model made of layers called on each other's outputs, from `Input`s (`tf.keras.Model(inputs, outputs)`).

    Any structure of tensors may be inputs and outputs. ValueError for inputs that are not `Input`s' tensors or outputs that do not
    depend on them.
    """

    _rebuilds_layers = True

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True, **kwargs: Any) -> None:
        kwargs.pop("skip_init", None)
        if kwargs:
            raise TypeError("Keyword argument not understood:" if len(kwargs) == 1 else "Keyword arguments not understood:", *kwargs)
        Model.__init__(self, name=name, trainable=trainable)
        self._init_graph_network(inputs, outputs)

    @no_automatic_dependency_tracking
    def _init_graph_network(self, inputs: Any, outputs: Any) -> None:
        d = self.__dict__
        if isinstance(inputs, list) and len(nest.flatten(inputs)) == 1:
            inputs = inputs[0]
        if isinstance(outputs, list) and len(nest.flatten(outputs)) == 1:
            outputs = outputs[0]
        flat_in, flat_out = nest.flatten(inputs), nest.flatten(outputs)
        if not flat_in:
            raise ValueError("A Functional model needs at least one input.")
        if any(not hasattr(type(x), "_is_keras_tensor") for x in flat_out):
            raise ValueError(
                "Output tensors of a Functional model must be the output of a TensorFlow `Layer` (thus holding past layer metadata). "
                f"Found: {next(x for x in flat_out if not hasattr(type(x), '_is_keras_tensor'))}"
            )
        for x in flat_in:
            if not hasattr(type(x), "_is_keras_tensor"):
                raise ValueError(
                    f"Input tensors to a {type(self).__name__} model must come from `tf.keras.Input`. Received: {x} (missing previous "
                    "layer metadata)."
                )
        if len({id(x) for x in flat_in}) != len(flat_in):
            raise ValueError(
                "The list of inputs passed to the model contains the same input multiple times. All inputs should only appear once."
                f" Received inputs={inputs}"
            )
        if any(not isinstance(x._keras_history.layer, InputLayer) for x in flat_in):
            inputs, outputs = _cut(inputs, outputs)
            flat_in, flat_out = nest.flatten(inputs), nest.flatten(outputs)
        nodes, layers, depths = order_nodes(flat_in, flat_out)
        _check_names(layers)
        d["_is_graph_network"] = True
        d["_nested_inputs"], d["_nested_outputs"] = inputs, outputs
        d["inputs"], d["outputs"] = flat_in, flat_out
        d["_nodes"] = nodes
        d["_self_layers"] = layers
        d["_depths"] = depths
        d["_input_layers"] = [x._keras_history.layer for x in flat_in]
        d["_output_layers"] = [x._keras_history.layer for x in flat_out]
        d["_output_coordinates"] = [tuple(x._keras_history) for x in flat_out]
        d["input_names"] = [layer.name for layer in d["_input_layers"]]
        d["output_names"] = _output_names(d["_output_layers"])
        d["built"] = True
        d["_build_input_shape"] = nest.map_structure(static_shape, inputs)
        d["_enable_dict_to_input_mapping"] = not nest.is_nested(inputs) or (
            isinstance(inputs, (list, tuple, dict)) and not any(nest.is_nested(v) for v in nest.children(inputs))
        )
        d["_supports_masking"] = any(layer._supports_masking for layer in layers)
        d["_plan"] = None
        d["_held"] = {f"layer-{i}": layer for i, layer in enumerate(layers)}
        if not self.__dict__.get("_made_call_spec"):
            from .callspec import spec_of

            d["_call_spec"] = spec_of(self)

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def input(self) -> Any:
        """The symbolic input(s) of the model."""
        return self._nested_inputs

    @property
    def output(self) -> Any:
        """The symbolic output(s) of the model."""
        return self._nested_outputs

    @property
    def input_shape(self) -> Any:
        return nest.map_structure(static_shape, self.input)

    @property
    def output_shape(self) -> Any:
        return nest.map_structure(static_shape, self.output)

    @property
    def input_spec(self) -> Any:
        from .input_spec import InputSpec

        if "_input_spec_given" in self.__dict__:
            return self.__dict__["_input_spec_given"]
        if isinstance(self._nested_inputs, (dict, list, tuple)) and len(self._nested_inputs) != len(self.inputs):
            return None
        if isinstance(self._nested_inputs, dict):
            names: Any = nest.sorted_keys(self._nested_inputs)
        else:
            names = [None] * len(self.inputs)
        specs = []
        for x, name in zip(self.inputs, names, strict=True):
            shape = static_shape(x)
            if shape is not None:
                shape = (None, *shape[1:])
            source = x._keras_history.layer
            optional = getattr(source, "optional", False)
            specs.append(InputSpec(shape=shape, allow_last_axis_squeeze=True, name=name or source.name, optional=optional))
        return specs if isinstance(self._nested_inputs, dict) or len(specs) > 1 or not specs else specs[0]

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self.__dict__["_input_spec_given"] = value

    def _tracked_values(self) -> Any:
        seen = set()
        for v in itertools.chain(self.__dict__.get("_self_layers", ()), super()._tracked_values()):
            if id(v) not in seen:
                seen.add(id(v))
                yield v

    def _weight_groups(self) -> Any:
        return [*self.__dict__.get("_self_layers", ()), *(v for v in self._held.values() if not any(v is x for x in self._self_layers))]

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Any:
        found: dict[str, Any] = {}
        with_weights = 0
        for i, layer in enumerate(self.layers):  # a Sequential does not count the layer of its input
            if layer.weights or any("token_counts" in inner._tracked().edges for inner in layer._flatten_layers()):
                found[f"layer_with_weights-{with_weights}"] = layer
                with_weights += 1
            found[f"layer-{i}"] = layer
        found.update(super()._trackable_children(save_type, **kwargs))
        return found

    def _restore_deferred(self) -> None:
        """Give layers that were added after a checkpoint was restored what it holds for them."""
        state = self.__dict__.get("_tracking")
        if state is not None and state.owner == id(self) and state.deferred:
            for name, layer in self._trackable_children().items():
                if name in state.deferred:
                    self._handle_deferred_dependencies(name, layer)

    def _lookup_dependency(self, name: str, cached_dependencies: Any = None) -> Any:
        return self._trackable_children().get(name)

    # --- calls -------------------------------------------------------------------------------------------------------
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the layers from the inputs to the outputs."""
        given = self._flat_inputs(inputs)
        if mask is not None:
            from .callspec import set_mask

            for x, m in zip(given, nest.flatten(mask), strict=False):
                if m is not None:
                    set_mask(x, m)
        plan = self.__dict__["_plan"]
        if plan is None:
            plan = self.__dict__["_plan"] = _Plan(self)
        return plan.run(given, training)

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        reference = self._nested_inputs
        kind = type(inputs)
        if kind is Tensor or not nest.is_nested(inputs):
            flat = [inputs]
        elif isinstance(inputs, dict):
            if isinstance(reference, dict) and any(nest.is_nested(v) for v in reference.values()):
                names = []
            elif isinstance(reference, dict):
                names = nest.sorted_keys(reference)
                extra = sorted(set(inputs) - set(names))
                if extra:
                    warnings.warn(f"Input dict contained keys {extra} which did not match any model input. They will be ignored by the "
                                  "model.", stacklevel=2)  # fmt: skip
            else:
                names = self.input_names
            try:
                flat = [inputs[n] for n in names] if names else nest.flatten(inputs)
            except KeyError:
                flat = nest.flatten(inputs)
        else:
            flat = nest.flatten(inputs)
        if len(flat) != len(self.inputs):
            raise ValueError(
                f"Layer \"{self.name}\" expects {len(self.inputs)} input(s), but it received {len(flat)} input tensors. Inputs received: {flat}"
            )
        return [_conform(x, ref) for x, ref in zip(flat, self.inputs, strict=True)]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        from .callspec import mask_of

        if mask is not None and all(m is None for m in nest.flatten(mask)):
            return nest.map_structure(lambda x: None, self._nested_outputs)
        return nest.map_structure(mask_of, self.call(inputs, mask=mask))

    def _makes_masks(self) -> bool:
        return False  # the layers inside attach masks to what they give

    def compute_output_shape(self, input_shape: Any) -> Any:
        from .inference import infer_shapes

        return infer_shapes(self, input_shape)

    # --- losses and metrics of symbolic tensors ----------------------------------------------------------------------
    def _add_symbolic_loss(self, loss: Any) -> None:
        from .endpoints import AddLoss

        self._append_endpoint(AddLoss(unconditional=False), loss)

    def _add_symbolic_metric(self, value: Any, name: str) -> None:
        from .endpoints import AddMetric

        self._append_endpoint(AddMetric("mean", name), value)

    def _append_endpoint(self, layer: Any, value: Any) -> None:
        """Connect what leads from the model's tensors to `value`, and then `layer`, to the model."""
        self._add_endpoint(layer(value))

    def _take_endpoints(self, layers: Any) -> None:
        """Keep the losses and metrics among `layers`, which no output depends on."""
        from .endpoints import AddLoss, AddMetric

        known = {id(layer) for layer in self._self_layers}
        for layer in layers:
            if isinstance(layer, (AddLoss, AddMetric)) and id(layer) not in known:
                for node in layer._inbound:
                    self._add_endpoint(node.outputs)

    def _add_endpoint(self, out: Any) -> None:
        d = self.__dict__
        nodes, layers, depths = order_nodes(d["inputs"], [*d["outputs"], *d.get("_endpoints", ()), out])
        d.setdefault("_endpoints", []).append(out)
        known = {id(x) for x in d["_self_layers"]}
        d["_nodes"] = nodes
        d["_self_layers"] = d["_self_layers"] + [x for x in layers if id(x) not in known]
        d["_depths"] = depths
        d["_plan"] = None

    # --- configs -----------------------------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """The layers, their configs and connections, as plain values; the arguments of a class that makes its layers from its own."""
        from .network_config import config_of

        parameters = inspect.signature(type(self).__init__).parameters
        kinds = {p.kind for p in parameters.values()}
        if "inputs" in parameters or {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds:
            return copy.deepcopy(config_of(self))
        given = self._given_arguments() if type(self).get_config is Functional.get_config else {}
        config = {"name": self.name, "trainable": self.trainable}
        return {k: v for k, v in config.items() if k in parameters or "kwargs" in parameters} | given

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The model of a config that `get_config` returned."""
        from .network_config import rebuild

        if "layers" not in config:  # the arguments of a class that makes its layers
            return Model.from_config.__func__(cls, config, custom_objects)  # type: ignore[attr-defined]
        inputs, outputs, layers = rebuild(config, custom_objects)
        model = cls(inputs=inputs, outputs=outputs, name=config.get("name"))
        model._take_endpoints(layers.values())
        return model


def _output_names(layers: list[Any]) -> list[str]:
    names: list[str] = []
    count: dict[str, int] = {}
    for layer in layers:
        n = count.get(layer.name, 0)
        count[layer.name] = n + 1
        names.append(layer.name if not n else f"{layer.name}_{n}")
    return names


def _check_names(layers: list[Any]) -> None:
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) != 1:
            raise ValueError(f'The name "{name}" is used {names.count(name)} times in the model. All layer names should be unique.')


def _cut(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Inputs in the middle of a graph become new `Input`s, from which the layers are called again."""
    from .cloning import recompute

    return recompute(inputs, outputs)


def _conform(x: Any, reference: Any) -> Any:
    if type(x) is not Tensor and not isinstance(x, Tensor):
        if not hasattr(x, "shape") or not hasattr(x, "dtype"):
            return x
        if not hasattr(type(x), "_tf_storage"):
            if isinstance(x, (tf.RaggedTensor, tf.SparseTensor)) and x.dtype is not reference._dtype:
                return tf.cast(x, reference._dtype)
            return x
    if reference._sparse:  # such as a matrix of scipy's
        return tf.sparse.from_dense(tf.cast(x, reference._dtype))
    rank, wanted = x.shape.rank, reference._shape.rank
    if rank is not None and wanted is not None and rank != wanted:
        from tf2compat import expand_dims, squeeze

        if rank == wanted + 1 and x.shape[-1] == 1:
            x = squeeze(x, -1)
        elif rank == wanted - 1 and reference._shape[-1] == 1:
            x = expand_dims(x, -1)
    if x.dtype is not reference._dtype:
        from tf2compat import cast

        x = cast(x, reference._dtype)
    return x


class _Plan:
    """The order of calls of a functional model, with each tensor in a numbered place."""

    def __init__(self, model: Functional) -> None:
        places: dict[int, int] = {}

        def place(x: Any) -> int:
            return places.setdefault(id(x), len(places))

        self.inputs = [place(x) for x in model.inputs]
        self.steps: list[tuple[Any, Any, Any, Any, Any]] = []
        for node in model._nodes:
            if node.is_input:
                continue
            simple = len(node.args) == 1 and not node.kwargs and hasattr(type(node.args[0]), "_is_keras_tensor")
            source: Any = place(node.args[0]) if simple else None
            target: Any = [place(x) for x in node.flat_outputs]
            if len(target) == 1 and not nest.is_nested(node.outputs):
                target = target[0]
            self.steps.append((node.layer, source, target, node, node.layer._call_spec.training))
        self.outputs = [places[id(x)] for x in model.outputs]
        self.single = self.outputs[0] if not nest.is_nested(model._nested_outputs) else None
        self.structure = model._nested_outputs
        self.places = places
        last: dict[int, int] = {}
        for i, (_, source, _, node, _) in enumerate(self.steps):
            for p in [source] if source is not None else [places[id(x)] for x in node.flat_inputs]:
                last[p] = i
        kept = set(self.outputs)
        self.free: list[list[int]] = [[] for _ in self.steps]
        for p, i in last.items():
            if p not in kept:
                self.free[i].append(p)

    def run(self, given: list[Any], training: Any) -> Any:
        values: list[Any] = [None] * len(self.places)
        for p, x in zip(self.inputs, given, strict=True):
            values[p] = x
        for (layer, source, target, node, expects), free in zip(self.steps, self.free, strict=True):
            if source is not None:
                x = values[source]
                if x is None:
                    raise TypeError(f"Inputs to a layer should be tensors. Got 'None' (of type {type(None)}) as input for layer '{layer.name}'.")
                out = layer(x)
            else:
                args, kwargs = nest.map_structure(lambda x: self._value(x, values), (node.args, node.kwargs))
                out = layer(*args, **kwargs)
            if type(target) is int:
                values[target] = out
            else:
                for p, x in zip(target, nest.flatten(out), strict=True):
                    values[p] = x
            for p in free:
                values[p] = None
        if self.single is not None:
            return values[self.single]
        return nest.pack_sequence_as(self.structure, [values[p] for p in self.outputs])

    def _value(self, x: Any, values: list[Any]) -> Any:
        return values[self.places[id(x)]] if hasattr(type(x), "_is_keras_tensor") else x


