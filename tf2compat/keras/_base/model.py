"""`tf.keras.Model`: a layer of layers that can be trained, evaluated and summarised."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tf2compat._engine import dtypes, nest
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.trackable import children
from tf2compat._engine.variable import Variable
from tf2compat._engine.wrappers import TrackableDataStructure
from tf2compat.errors import InvalidArgumentError

from .layer import Layer, _converted
from .saving_methods import Saving
from .tracking import Tracked, dedupe
from .training import Training

_OPTIONS = frozenset(("trainable", "dtype", "dynamic", "name", "autocast", "inputs", "outputs"))


def _is_functional(args: Any, kwargs: dict[str, Any]) -> bool:
    return (
        len(args) == 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)
    )


class Model(Training, Saving, Layer):
    """Base of all models (`tf.keras.Model`): subclass it with `call`, or give `inputs` and `outputs`.

    TypeError for unknown keywords; RuntimeError when layers are assigned before `super().__init__()`.
    """

    _rebuilds_layers = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            from .functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from .functional import Functional

        if _is_functional(args, kwargs) and not isinstance(self, Functional):
            _inject(type(self))
            # classes after the functional one take part in `__init__` with what is theirs
            bases = type(self).__bases__
            after = bases[next((i for i, b in enumerate(bases) if issubclass(b, Functional)), len(bases)) + 1 :]
            others = [b for b in after if "__init__" in {k for c in b.__mro__[:-1] for k in c.__dict__}]
            theirs = {k: kwargs.pop(k) for k in list(kwargs) if k not in _OPTIONS}
            Functional.__init__(self, *args, **kwargs)
            if theirs and not others:
                raise TypeError(f"The following keyword arguments passed to `Model` aren't supported: {theirs}.")
            for base in others:
                base.__init__(self, **theirs)
            return
        wrong = [k for k in kwargs if k not in _OPTIONS]
        if wrong:
            raise TypeError("Keyword argument not understood:" if len(wrong) == 1 else "Keyword arguments not understood:", *wrong)
        kwargs.pop("inputs", None)
        kwargs.pop("outputs", None)
        self.__dict__["_base_model_initialized"] = True
        Layer.__init__(self, **kwargs)
        d = self.__dict__
        d["_is_graph_network"] = False
        d["inputs"] = None
        d["outputs"] = None
        d["input_names"] = None
        d["output_names"] = None
        d["_build_input_shape"] = None
        self._start_training()

    def __setattr__(self, name: str, value: Any) -> None:
        if "_base_model_initialized" not in self.__dict__ and self.__dict__.get("_self_setattr_tracking", True) and (
            isinstance(value, (Tracked, Variable))
            or (isinstance(value, (list, tuple, dict)) and value and all(isinstance(v, (Tracked, Variable)) for v in nest.flatten(value)))
        ):
            raise RuntimeError(
                "It looks like you are subclassing `Model` and you forgot to call `super().__init__()`. Always start with this line."
            )
        super().__setattr__(name, value)

    # --- weights: by layer, own ones last ----------------------------------------------------------------------------
    def _assert_weights_created(self) -> None:
        # of a class with its own way of being built nothing is known before; the layers of another are asked for theirs
        if "build" in type(self).__dict__ and type(self) is not Model and not self.built:
            raise ValueError(
                f"Weights for model '{self.name}' have not yet been created. Weights are created when the model is first called on inputs "
                "or `build()` is called with an `input_shape`."
            )

    def _any_weights(self) -> bool:
        return bool(self._held) or bool(self._trainable_weights) or bool(self._non_trainable_weights)

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in the layers' order, own ones last.

        ValueError before a model that creates its weights when called has been called.
        """
        self._assert_weights_created()
        if not self._trainable:
            return []
        return dedupe(self._of_groups("trainable_variables") + self._trainable_weights)

    @property
    def non_trainable_weights(self) -> list[Any]:
        self._assert_weights_created()
        found = self._of_groups("non_trainable_variables")
        if not self._trainable:
            return dedupe(self._of_groups("trainable_variables") + self._trainable_weights + found + self._non_trainable_weights)
        return dedupe(found + self._non_trainable_weights)

    @property
    def weights(self) -> list[Any]:
        """All variables, layer by layer."""
        self._assert_weights_created()
        return dedupe(self._of_groups("variables") + self._trainable_weights + self._non_trainable_weights)

    def _of_groups(self, attribute: str) -> list[Any]:
        return [v for group in self._weight_groups() for v in getattr(group, attribute)]

    def _weight_groups(self) -> Any:
        """Layers, and lists and dicts of layers, in the order in which their weights come."""
        return self._held.values()

    def get_weights(self) -> list[Any]:
        """The weights' values as NumPy arrays."""
        return super().get_weights()

    def get_weight_paths(self) -> dict[str, Any]:
        """Attribute paths of the variables, as `layer.kernel` → variable."""
        direct = {id(layer): layer for layer in self.layers} if self._is_graph_network or "layer-0" in children(self) else {}
        found: dict[str, Any] = {}
        waiting: list[tuple[str, Any]] = [("", self)]
        seen: set[int] = set()
        paths: dict[int, str] = {}
        while waiting:  # the nearest path counts
            path, item = waiting.pop(0)
            if id(item) in seen:
                continue
            seen.add(id(item))
            for name, child in children(item).items():
                name = direct[id(child)].name if item is self and id(child) in direct else name
                if isinstance(child, Variable):
                    paths.setdefault(id(child), f"{path}{name}")
                else:
                    waiting.append((f"{path}{name}.", child))
        for v in self.weights:
            if id(v) in paths:
                found[paths[id(v)]] = v
        return found

    # --- layers ------------------------------------------------------------------------------------------------------
    @property
    def layers(self) -> list[Any]:
        """The layers directly inside this model."""
        return [v for v in self._flatten_layers(recursive=False, include_self=False) if isinstance(v, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """A layer by name or index; ValueError when there is none."""
        if index is not None and name is not None:
            raise ValueError(f"Provide only a layer name or a layer index. Received: index={index}, name={name}.")
        if index is not None:
            if len(self.layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        if name is not None:
            for layer in self.layers:
                if layer.name == name:
                    return layer
            raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")
        raise ValueError("Provide either a layer name or layer index at `get_layer`.")

    @property
    def state_updates(self) -> list[Any]:
        return []

    def reset_states(self) -> None:
        """Reset the states of stateful layers."""
        for layer in self.layers:
            if hasattr(layer, "reset_states") and layer.__dict__.get("_stateful", False):
                layer.reset_states()

    # --- building ----------------------------------------------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Create the weights by calling the model on symbols of `input_shape` (None for open sizes).

        ValueError without a shape, or when the model cannot be called on floats of that shape.
        """
        if self._is_graph_network:
            self.built = True
            return
        if input_shape is None:
            raise ValueError(
                "Input shape must be defined when calling `build()` on a `Model` subclass."
            )
        if not isinstance(input_shape, (tuple, list, dict, TensorShape)):
            raise ValueError(
                "Specified input shape is not one of the valid types. Please specify a batch input shape of type tuple or list of input "
                f"shapes. User provided input type: {type(input_shape)}."
            )
        if input_shape and not self.inputs:
            from .inference import _map_shapes, run_symbolically
            from .symbolic import KerasTensor

            spec = self._call_spec
            if spec.first is None:
                raise ValueError("You can only call `build()` on a model if its `call()` method accepts an `inputs` argument.")
            if any(name != "training" for name in spec.required):
                raise ValueError(
                    "Currently, you cannot build your model if it has positional or keyword arguments that are not inputs to the model, but are "
                    "required for its `call()` method. Instead, in order to instantiate and build your model, `call()` your model on real tensor "
                    "data with all expected call arguments. The argument for `call()` can be a single list/tuple that contains multiple inputs."
                )
            at_rest = {"training": False} if spec.required else {}
            dtype = dtypes.as_dtype(self.compute_dtype or "float32")
            symbols = _map_shapes(lambda s: KerasTensor(TensorShape(s), dtype), input_shape)
            try:
                run_symbolically(lambda x: _converted(self)(x, **at_rest), (symbols,), {})
            except (TypeError, NotImplementedError, InvalidArgumentError) as error:
                if isinstance(error, NotImplementedError) and type(self).call is Model.call:
                    raise
                raise ValueError(
                    "You cannot build your model by calling `build` if your layers do not support float type inputs. Instead, in order to "
                    "instantiate and build your model, call your model on real tensor data (of the correct dtype).\n\nThe actual error "
                    f"from `call` is: {error}."
                ) from error
        shape = tuple(input_shape) if isinstance(input_shape, (list, TensorShape)) and not any(nest.is_nested(v) for v in input_shape) else input_shape
        self._build_input_shape = shape
        self.built = True

    build._tf_default = True  # type: ignore[attr-defined]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The computation of a subclassed model."""
        raise NotImplementedError(
            "Unimplemented `tf.keras.Model.call()`: if you intend to create a `Model` with the Functional API, please provide `inputs` "
            "and `outputs` arguments. Otherwise, subclass `Model` with an overridden `call()` method."
        )


    # --- description -------------------------------------------------------------------------------------------------
    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers, output shapes and numbers of parameters. ValueError before the model is built."""
        from .summary import print_summary

        if not self.built:
            raise ValueError(
                "This model has not yet been built. Build the model first by calling `build()` or by calling the model on a batch of data."
            )
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments of a subclassed model, where they are plain values."""
        config: dict[str, Any] = {}
        if type(self) is Model:
            return config
        if not getattr(type(self).get_config, "_tf_default", False):
            return config
        try:
            return Layer.get_config(self)
        except NotImplementedError:
            from tf2compat import get_logger

            get_logger().warning(
                "Model's `__init__()` arguments contain non-serializable objects. Please implement a `get_config()` method in the subclassed "
                "Model for proper saving and loading. Defaulting to empty config."
            )
        return {}

    get_config._tf_default = True  # type: ignore[attr-defined]

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The model of a config."""
        if {"name", "layers", "input_layers", "output_layers"} <= set(config):
            from .functional import Functional

            return Functional.from_config.__func__(cls, config, custom_objects)  # type: ignore[attr-defined]
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(
                "Unable to revive model from config. When overriding the `get_config()` method, make sure that the returned config contains "
                f"all items used as arguments in the  constructor to {cls}, which is the default behavior. You can override this default "
                "behavior by defining a `from_config(cls, config)` class method to specify how to create an instance of "
                f"{cls.__name__} from its config.\n\nReceived config={config}\n\nError encountered during deserialization: {error}"
            ) from error

    def _set_inputs(self, inputs: Any, outputs: Any = None, training: Any = None) -> None:
        """Say what the model is called on, without calling it: a former way of making a subclassed model ready to be saved."""
        self._set_save_spec(nest.map_structure(lambda x: convert_to_tensor(x) if isinstance(x, np.ndarray) else x, inputs))

    # --- pickles and copies ------------------------------------------------------------------------------------------
    def __reduce__(self) -> Any:
        if not self.built:
            return super().__reduce__()
        from .pickling import as_bytes, from_bytes, own_classes

        return from_bytes, (as_bytes(self), own_classes(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__() if self.built else super().__reduce_ex__(protocol)

    def __deepcopy__(self, memo: Any) -> Any:
        if not self.built:
            return super().__deepcopy__(memo)
        from .pickling import as_bytes, from_bytes, own_classes

        memo[id(self)] = new = from_bytes(as_bytes(self), own_classes(self))
        return new

    def __copy__(self) -> Any:
        return self.__deepcopy__({})

    def to_json(self, **kwargs: Any) -> str:
        """The model's architecture as JSON; `kwargs` go to `json.dumps`."""
        from .serialization import serialize_keras_object

        config = serialize_keras_object(self)
        config.pop("module", None)
        config.pop("registered_name", None)
        config.pop("build_config", None)
        from .. import __version__

        whole = {"class_name": type(self).__name__, "config": config["config"], "keras_version": __version__, "backend": "tensorflow"}
        return json.dumps(whole, default=_jsonable, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """RuntimeError, as in Keras: YAML can run code."""
        raise RuntimeError(
            "Method `model.to_yaml()` has been removed due to security risk of arbitrary code execution. Please use `model.to_json()` instead."
        )

    @property
    def distribute_strategy(self) -> Any:
        """The strategy in whose scope the model was made, else the current one."""
        from tf2compat import distribute

        return self._distribution_strategy or distribute.get_strategy()



def _jsonable(value: Any) -> Any:
    if isinstance(value, TensorShape):
        return value.as_list()
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, dtypes.DType):
        return value.name
    if isinstance(value, TrackableDataStructure):  # of a dict or tuple
        return value._container()
    raise TypeError(f"{value!r} is not JSON serializable")


def _inject(cls: type) -> None:
    """Make a subclass of Model that was given inputs and outputs a subclass of Functional, as Keras does."""
    from .functional import Functional

    if cls is Model or issubclass(cls, Functional):
        return
    bases = []
    for base in cls.__bases__:
        if base is Model:
            bases.append(Functional)
        else:
            if issubclass(base, Model):
                _inject(base)
            bases.append(base)
    cls.__bases__ = tuple(bases)
