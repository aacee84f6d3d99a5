"""`tf.keras.Sequential`: layers one after the other."""

from __future__ import annotations

import copy
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.trackable import no_automatic_dependency_tracking

from .connections import never_called
from .data import inputs_of
from .functional import Functional
from .input_layer import Input, InputLayer
from .layer import Layer
from .model import Model
from .symbolic import KerasTensor, is_symbol


class Sequential(Functional):
    """A plain stack of layers (`tf.keras.Sequential`), built when its input's shape is known.

    TypeError for what is no layer; ValueError for a layer with several outputs, or a name used twice.
    """

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        Model.__init__(self, name=name)
        d = self.__dict__
        d["_supports_masking"] = True
        d["_self_layers"] = []
        d["_nodes"] = []
        d["_plan"] = None
        d["_depths"] = {}
        d["_has_explicit_input_shape"] = False
        d["_inferred_for"] = None
        #: the layers in the order of their calls, in which one may come again
        d["_chain"] = []
        if layers:
            for layer in layers if isinstance(layers, (list, tuple)) else [layers]:
                self.add(layer)

    @property
    def layers(self) -> list[Any]:
        found = self._self_layers
        return list(found[1:]) if found and isinstance(found[0], InputLayer) else list(found)

    @property
    def _layer_checkpoint_dependencies(self) -> Any:
        return self._trackable_children()

    def add(self, layer: Any) -> None:
        """Put a layer on top."""
        if is_symbol(layer):
            if isinstance(layer._keras_history.layer, InputLayer):
                layer = layer._keras_history.layer
        elif not isinstance(layer, (Layer, type)) and hasattr(layer, "trainable_variables"):
            from .wrapping import ModuleWrapper

            layer = ModuleWrapper(layer)
        if not isinstance(layer, Layer):
            raise TypeError(
                f"The added layer must be an instance of class Layer. Received: layer={layer} of type {type(layer)}."
            )
        if any(layer.name == other.name for other in self._self_layers if other is not layer):  # the same layer may come again
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name \"" + layer.name + "\" is already the name of a "
                "layer in this model. Update the `name` argument to pass a unique name."
            )
        d = self.__dict__
        d["built"] = False
        first = not self._self_layers
        if first and not isinstance(layer, InputLayer):
            shape, dtype = _first_shape(layer)
            if shape is not None:
                start = Input(batch_shape=shape, dtype=dtype, name=layer.name + "_input")
                self._append(start._keras_history.layer)
                d["_has_explicit_input_shape"] = True
                outputs = layer(start)
                self._append(layer)
                self._outputs_of(outputs)
                self._init_graph_network(start, outputs)
                self._restore_deferred()
                d["_build_graph"] = True
                return
        if first and isinstance(layer, InputLayer):
            self._append(layer)
            d["_has_explicit_input_shape"] = True
            tensor = layer._inbound[0].outputs
            d["_pending_input"] = tensor
            d["inputs"], d["outputs"] = [tensor], [tensor]
            self._init_graph_network(tensor, tensor)
            d["built"] = True
            return
        if d.get("outputs") is not None and d["_has_explicit_input_shape"]:
            outputs = layer(d["outputs"][0])
            self._append(layer)
            self._outputs_of(outputs)
            self._init_graph_network(d["inputs"][0], outputs)
            self._restore_deferred()
            return
        if d.get("_inferred_for") is not None and d.get("_is_graph_network"):  # of a shape that a call or `build` showed
            outputs = layer(d["outputs"][0])
            self._append(layer)
            self._outputs_of(outputs)
            layers = self._self_layers
            self._init_graph_network(d["inputs"][0], outputs)
            d["_self_layers"] = layers
            self._restore_deferred()
            return
        self._append(layer)
        if d.get("_inferred_for") is not None or d.get("_is_graph_network"):
            d["_is_graph_network"] = False
            d["_inferred_for"] = None
            d["inputs"] = d["outputs"] = None

    def _append(self, layer: Any) -> None:
        d = self.__dict__
        if not any(layer is known for known in self._self_layers):
            d["_self_layers"] = [*self._self_layers, layer]
        if not isinstance(layer, InputLayer):
            d["_chain"] = [*d["_chain"], layer]

    def _outputs_of(self, outputs: Any) -> None:
        if len(nest.flatten(outputs)) != 1:
            raise ValueError(
                "All layers in a Sequential model should have a single output tensor. For multi-output layers, use the functional API."
            )

    def pop(self) -> None:
        """Take the last layer off; TypeError when there is none."""
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        d = self.__dict__
        layers = list(self._self_layers)
        chain = d["_chain"][:-1]
        if d["_chain"] and any(d["_chain"][-1] is layer for layer in chain):  # it came again, and stays for the time before
            removed = d["_chain"][-1]
        else:
            removed = layers.pop()
        d["_self_layers"], d["_chain"] = layers, chain
        d["_plan"] = None
        if not self.layers:
            d["inputs"] = d["outputs"] = None
            d["built"] = False
            d["_inferred_for"] = None
            d["_has_explicit_input_shape"] = False
            d["_is_graph_network"] = False
        elif d["_is_graph_network"]:
            removed._inbound.pop() if removed._inbound else None
            output = (chain or layers)[-1]._inbound[-1].outputs
            self._init_graph_network(d["inputs"][0], output)
            if d["_inferred_for"] is not None:
                d["_self_layers"] = layers

    @no_automatic_dependency_tracking
    def _infer_graph(self, shape: tuple[int | None, ...], dtype: Any) -> None:
        """Connect the layers for an input shape seen for the first time; keep going without where they do not allow it."""
        d = self.__dict__
        if d["_has_explicit_input_shape"] or not self.layers:
            return
        known = d["_inferred_for"]
        if known is not None:
            if len(known) != len(shape):
                return
            merged = tuple(a if a == b else None for a, b in zip(known, shape, strict=True))
            if merged == known:
                return
            shape = merged
        built_before = [layer._inbound[:] for layer in self.layers]
        start = Input(batch_shape=shape, dtype=dtype, name=self.layers[0].name + "_input")
        x = start
        try:
            for layer in self.layers:
                for node in [n for n in layer._inbound if id(n) in d.get("_own_nodes", ())]:
                    layer._inbound.remove(node)
                x = layer(x)
                if len(nest.flatten(x)) != 1:
                    raise ValueError("All layers in a Sequential model should have a single output tensor.")
        except Exception:  # noqa: BLE001 - the call itself will show what is wrong
            # the layers that could be called go on knowing their shapes, until the next attempt
            d["_own_nodes"] = {id(n) for layer, nodes in zip(self.layers, built_before, strict=True) for n in layer._inbound[len(nodes) :]}
            d["_inferred_for"] = shape
            return
        d["_own_nodes"] = {id(layer._inbound[-1]) for layer in self.layers}
        layers = list(self._self_layers)
        self._init_graph_network(start, x)
        d["_self_layers"] = layers
        d["_inferred_for"] = shape

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for an input shape. ValueError when it is needed and not given."""
        d = self.__dict__
        if d["_is_graph_network"] and d.get("inputs") is not None and input_shape is None:
            d["built"] = True
            return
        if input_shape is None:
            raise ValueError("You must provide an `input_shape` argument.")
        if not isinstance(input_shape, TensorShape) and any(nest.is_nested(v) or isinstance(v, (str, TensorShape)) for v in input_shape):
            super().build(input_shape)  # of several inputs: a first layer that takes them together
            self._restore_deferred()
            return
        if not d["_is_graph_network"] or d["_inferred_for"] is not None:
            shape = tuple(TensorShape(input_shape).as_list())
            self._infer_graph(shape, None)
            if not d["_is_graph_network"]:
                x: Any = KerasTensor(TensorShape(shape), "float32")
                from .inference import run_symbolically

                run_symbolically(lambda v: self._run(v), (x,), {})
            d["_build_input_shape"] = shape
        d["built"] = True
        self._restore_deferred()

    build._tf_default = False  # type: ignore[attr-defined]

    def _maybe_build(self, inputs: Any) -> None:
        if type(self).call is not Sequential.call:  # which may do something else with the layers, or nothing
            if hasattr(inputs, "shape") and not nest.is_nested(inputs):
                self._set_policy_for(inputs)
            self.__dict__["built"] = True
            return
        self._connect(inputs)

    def _connect(self, inputs: Any) -> None:
        d = self.__dict__
        if not d["_has_explicit_input_shape"] and hasattr(inputs, "shape") and inputs.shape.rank:  # a scalar is no batch
            self._set_policy_for(inputs)
            dims = tuple(inputs.shape.as_list())
            self._infer_graph(dims, inputs.dtype)
            d["_build_input_shape"] = d["_inferred_for"]
        d["built"] = bool(self.layers)
        self._restore_deferred()

    def _build_for(self, batches: Any) -> None:
        d = self.__dict__
        if type(self) is not Sequential or d["built"] or d["_has_explicit_input_shape"] or not self.layers or self.run_eagerly:
            return
        x = inputs_of(batches)
        if x is None or nest.is_nested(x) or x.shape.rank is None or not x.shape.rank:
            return
        self._set_policy_for(x)
        self._infer_graph((None, *x.shape.as_list()[1:]), x.dtype)
        if d["_is_graph_network"]:
            d["_build_input_shape"] = d["_inferred_for"]
            d["built"] = True
            self._restore_deferred()

    def _set_policy_for(self, inputs: Any) -> None:
        if self._policy.compute_dtype is None:
            self._set_dtype_policy(inputs.dtype.name)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the layers one after the other."""
        d = self.__dict__
        if mask is not None:
            from .callspec import set_mask

            set_mask(inputs, mask)
        if d["_is_graph_network"]:
            if not d["built"]:
                d["built"] = True
            seen = d["_inferred_for"]
            if seen and seen[0] is not None and isinstance(inputs, Tensor) and _rows(inputs) != seen[0]:
                self._infer_graph((None, *seen[1:]), d["inputs"][0]._dtype)  # other sizes of the batch occur
            if type(inputs) is Tensor and len(inputs._t.shape) == len(d["inputs"][0]._shape) and d["inputs"][0]._dtype is inputs.dtype:
                return self._run(inputs)
            if nest.is_nested(inputs) or hasattr(type(inputs), "_tf_storage") or isinstance(inputs, Tensor):
                inputs = self._flat_inputs(inputs)[0]
            return self._run(inputs)
        if not d["_has_explicit_input_shape"] and hasattr(inputs, "shape") and not nest.is_nested(inputs):
            self._connect(inputs)
        return self._run(inputs)

    def _run(self, inputs: Any) -> Any:
        x = inputs
        if self.__dict__.get("_endpoints"):  # branches to losses and metrics
            return Functional.call(self, x)
        # TensorFlow calls a layer that comes again only once where the shape of the input was not given
        d = self.__dict__
        for layer in d["_chain"] if d["_has_explicit_input_shape"] else self.layers:
            x = layer(x)
        return x

    def _assert_weights_created(self) -> None:
        if not self.built and self.layers and not self._is_graph_network:
            raise ValueError(
                f"Weights for model '{self.name}' have not yet been created. Weights are created when the model is first called on inputs "
                "or `build()` is called with an `input_shape`."
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        from .callspec import mask_of

        return mask_of(self.call(inputs, mask=mask))

    def get_config(self) -> dict[str, Any]:
        """The layers' configs, and the shape that the model was built for."""
        from .serialization import serialize_keras_object

        members = list(self._self_layers)
        if self._is_graph_network and not isinstance(members[0], InputLayer):
            members.insert(0, self.inputs[0]._keras_history.layer)  # of the shape that the first call showed
        config: dict[str, Any] = {"name": self.name, "layers": [copy.deepcopy(serialize_keras_object(layer)) for layer in members]}
        if not self._is_graph_network and self._build_input_shape is not None:
            config["build_input_shape"] = self._build_input_shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """The model of a config that `get_config` returned."""
        from .serialization import deserialize_keras_object, unbuilt

        if isinstance(config, dict):
            name, shape, layers = config["name"], config.get("build_input_shape"), config["layers"]
        else:
            name, shape, layers = None, None, config
        model = cls(name=name)
        for entry in layers:
            model.add(deserialize_keras_object(unbuilt(entry), custom_objects))
        if not model.inputs and shape and isinstance(shape, (tuple, list)):
            model.build(tuple(shape))
        return model

    @property
    def input_spec(self) -> Any:
        if self.__dict__.get("_has_explicit_input_shape") and self.__dict__.get("inputs"):
            return Functional.input_spec.fget(self)  # type: ignore[attr-defined]
        return self.__dict__.get("_input_spec_given")  # without a given shape it is the first layer that checks its inputs

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self.__dict__["_input_spec_given"] = value

    @property
    def input(self) -> Any:
        if not self.__dict__.get("_is_graph_network"):
            raise AttributeError(f"Layer {self.name} is not connected, no input to return.")
        return self._nested_inputs

    @property
    def output(self) -> Any:
        if not self.__dict__.get("_is_graph_network"):
            raise AttributeError(f"Layer {self.name} has no inbound nodes.")
        return self._nested_outputs

    @property
    def input_shape(self) -> Any:
        if not self.__dict__.get("_is_graph_network"):
            raise never_called(self.name, "input")
        return Functional.input_shape.fget(self)  # type: ignore[attr-defined]

    @property
    def output_shape(self) -> Any:
        if not self.__dict__.get("_is_graph_network"):
            raise never_called(self.name, "output")
        return Functional.output_shape.fget(self)  # type: ignore[attr-defined]


def _rows(x: Any) -> int | None:
    """The static size of a batch."""
    if type(x) is Tensor:
        return x._t.shape[0] if len(x._t.shape) else None
    return x.shape[0] if x.shape.rank else None


def _first_shape(layer: Any) -> tuple[Any, Any]:
    """Shape and dtype of the input that a first layer says it wants, e.g. by `input_shape=`; of a model its own first layer is asked."""
    while isinstance(layer, Sequential) or layer.__dict__.get("_is_graph_network"):
        if not layer.layers:
            raise ValueError("An empty Model cannot be used as a Layer.")
        layer = layer.layers[0]
    shape = getattr(layer, "_batch_input_shape", None)
    return (shape, layer.dtype) if shape else (None, None)
