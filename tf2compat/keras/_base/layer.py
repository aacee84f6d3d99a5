"""`tf.keras.layers.Layer`: weights, calls, masks, dtypes of Keras 2's layers."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from tf2compat._engine import dtypes, nest, state
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable, VariableAggregation, VariableSynchronization
from tf2compat.module import Module

from . import naming
from .callspec import Masks, mask_of, set_mask, spec_of
from .connections import Connections
from .context import calling
from .input_spec import InputSpec, assert_compatible
from .losing import Losing
from .tracking import Tracked, dedupe, elements

_ALLOWED = frozenset(
    ("input_dim", "input_shape", "batch_input_shape", "batch_size", "weights", "activity_regularizer", "autocast", "implementation")
)
_PLAIN_CONFIG = (str, int, float, bool, type(None))
_FLOATING = frozenset(d.torch for d in dtypes.FLOATS)
_WEIGHT_OPTIONS = frozenset(
    ("autocast", "collections", "experimental_autocast", "caching_device", "getter", "partitioner", "experimental_enable_variable_lifting")
)


def _tracked_shape(x: Any) -> Any:
    shape = getattr(x, "shape", None)
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


class Layer(Losing, Connections, Tracked):
    """The class that all layers inherit from (`tf.keras.layers.Layer`).

    Define `__init__`, `build(input_shape)` (which calls `add_weight`) and `call(inputs, ...)`. Calling the object builds
    it when first called, casts floating inputs to its compute dtype, passes on `training` and masks, and checks `input_spec`.
    """

    #: asked by containers and libraries that do not import this class
    _is_layer = True
    #: what the class adds to its name scope; models overrule it
    _autotrack_name_scope = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = object.__new__(cls)
        d = self.__dict__
        d["_init_args"] = (args, kwargs)
        self._start_tracking()
        return self

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, dynamic: bool = False, **kwargs: Any) -> None:
        if kwargs:
            wrong = [k for k in kwargs if k not in _ALLOWED]
            if wrong:
                raise TypeError("Keyword argument not understood:", wrong[0]) if len(wrong) == 1 else TypeError(
                    "Keyword arguments not understood:", wrong
                )
        if not (isinstance(trainable, (bool, np.bool_)) or (isinstance(trainable, (Tensor, Variable)) and trainable.dtype is dtypes.bool)):
            raise TypeError(
                "Expected `trainable` argument to be a boolean, but got: {}".format(trainable)
            )
        if not isinstance(dynamic, bool):
            raise TypeError(f"Expected `dynamic` argument to be a boolean, but got: {dynamic}")
        d = self.__dict__
        if "_held" not in d:
            self._start_tracking()
        d["_trainable"] = bool(trainable)
        self._set_name(name)
        d["built"] = d.get("built", False)
        d["_build_input_shape"] = None
        d["_input_spec"] = d.get("_input_spec")
        d["_stateful"] = False
        d["_supports_masking"] = self._makes_masks()  # whatever was said before
        d["_dynamic"] = dynamic
        self._start_losses(kwargs.get("activity_regularizer"))
        self._start_connections()
        d["_autocast"] = kwargs.get("autocast", True)
        self._set_dtype_policy(dtype)
        d["_initial_weights"] = kwargs.get("weights")
        d["_call_spec"] = spec_of(self)
        d["_saved_call"] = d["_saved_arguments"] = None
        if "input_dim" in kwargs and "input_shape" not in kwargs:
            kwargs["input_shape"] = (kwargs["input_dim"],)
        if "input_shape" in kwargs or "batch_input_shape" in kwargs:
            if "batch_input_shape" in kwargs:
                shape = tuple(kwargs["batch_input_shape"])
            else:
                shape = (kwargs.get("batch_size"), *tuple(kwargs["input_shape"]))
            d["_batch_input_shape"] = shape

    def _set_name(self, name: str | None, zero_based: bool = True) -> None:
        if name is None:
            base = type(self).__name__
            name = naming.unique("model" if base == "Functional" else naming.snake_case(base), zero_based)
        elif isinstance(name, str):
            naming.reserve(name)
        else:
            raise TypeError(f"Expected `name` argument to be a string, but got: {name}")
        self.__dict__["_name"] = name

    # --- to be overridden --------------------------------------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Create the weights; called once, before the first `call`, with the input's shape(s)."""
        self._build_input_shape = input_shape
        self.built = True

    build._tf_default = True  # type: ignore[attr-defined]

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The computation. The base class returns its input."""
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs: the input's where `supports_masking`, else None (TypeError when given one)."""
        if not self._supports_masking:
            if any(m is not None for m in nest.flatten(mask)):
                raise TypeError(f"Layer {self.name} does not support masking, but was passed an input_mask: {mask}")
            return None
        return mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's TensorShape for an input of `input_shape`, found by running `call` on symbols.

        NotImplementedError for a layer made with `dynamic=True`, whose `call` takes no symbols.
        """
        if self.__dict__["_dynamic"]:
            raise NotImplementedError(
                f"Please run in eager mode or implement the `compute_output_shape` method on your layer ({type(self).__name__})."
            )
        from .inference import infer_shapes

        return infer_shapes(self, input_shape)

    def compute_output_signature(self, input_signature: Any) -> Any:
        """TensorSpec(s) of the output for TensorSpec(s) of the input."""
        from tf2compat import TensorSpec

        def shape_of(s: Any) -> Any:
            if not isinstance(s, TensorSpec):
                raise TypeError(f"Only TensorSpec signature types are supported. Received: {s}.")
            return s.shape

        shapes = self.compute_output_shape(nest.map_structure(shape_of, input_signature))
        dtype = self.compute_dtype or nest.flatten(input_signature)[0].dtype
        if isinstance(shapes, (tuple, TensorShape)) and all(d is None or isinstance(d, int) for d in shapes):
            return TensorSpec(shape=shapes, dtype=dtype)
        return nest.map_structure(lambda s: TensorSpec(shape=s, dtype=dtype), shapes)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values.

        NotImplementedError when the class takes arguments of its own that are no plain values and overrides nothing.
        """
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        config["dtype"] = self._policy.config_value()
        if hasattr(self, "_batch_input_shape"):
            config["batch_input_shape"] = self._batch_input_shape
        if not getattr(type(self).get_config, "_tf_default", False):
            return config
        parameters = inspect.signature(type(self).__init__).parameters
        given = self._given_arguments()
        if not any(p.kind is p.VAR_KEYWORD and n == "kwargs" for n, p in parameters.items()):  # `__init__` would not take them
            config = {k: v for k, v in config.items() if k in parameters}
        return config | given

    get_config._tf_default = True  # type: ignore[attr-defined]

    def _given_arguments(self) -> dict[str, Any]:
        """What the constructor was called with; NotImplementedError for what is no plain value."""
        parameters = inspect.signature(type(self).__init__).parameters
        own = [n for n, p in parameters.items() if n != "self" and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        args, kwargs = self._init_args
        given = dict(zip(own, args, strict=False)) | kwargs
        if all(isinstance(v, _PLAIN_CONFIG) for v in nest.flatten(given)):
            return given
        raise NotImplementedError(
            f"\nLayer {type(self).__name__} was created by passing\nnon-serializable argument values in `__init__()`,\nand therefore "
            "the layer must override `get_config()` in\norder to be serializable. Please implement `get_config()`.\n\nExample:\n\n"
            "class CustomLayer(keras.layers.Layer):\n    def __init__(self, arg1, arg2, **kwargs):\n        super().__init__(**kwargs)\n"
            "        self.arg1 = arg1\n        self.arg2 = arg2\n\n    def get_config(self):\n        config = super().get_config()\n"
            '        config.update({\n            "arg1": self.arg1,\n            "arg2": self.arg2,\n        })\n        return config'
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` returned."""
        try:
            return cls(**config)
        except Exception as e:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using config={config}.\n\nException encountered: {e}"
            ) from e

    # --- weights -----------------------------------------------------------------------------------------------------
    def add_weight(
        self,
        name: str | None = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        **kwargs: Any,
    ) -> Any:
        """A new variable of this layer. The initializer defaults to Glorot uniform for floats and zeros for integers.

        `getter`, called with these arguments by name, gives a variable to take instead of a new one.
        `use_resource` changes nothing: variables are resource variables in TensorFlow 2. ValueError when
        there is no default initializer for the dtype; TypeError for an unknown keyword.
        """
        from .. import constraints, initializers, regularizers

        for k in kwargs:
            if k not in _WEIGHT_OPTIONS:
                raise TypeError("Unknown keyword argument:", k)
        if kwargs.get("caching_device") is not None or kwargs.get("collections") is not None:
            raise ValueError("add_weight does not support collections or caching_device in tf2compat")
        if shape is None:
            shape = ()
        dtype = dtypes.as_dtype(dtype or self.dtype or "float32")
        if self._policy.variable_dtype is None:
            self._set_dtype_policy(dtype.name)
        initializer = initializers.get(initializer)
        regularizer = regularizers.get(regularizer)
        constraint = constraints.get(constraint)
        if synchronization is VariableSynchronization.ON_READ:
            if trainable:
                raise ValueError(
                    "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables. You have "
                    "specified trainable=True and synchronization=VariableSynchronization.ON_READ."
                )
            trainable = False
        elif trainable is None:
            trainable = True
        if initializer is None:
            if dtype.is_floating:
                initializer = initializers.get("glorot_uniform")
            elif dtype.is_integer or dtype.is_bool or kwargs.get("getter") is not None:  # a getter may do without
                initializer = initializers.get("zeros")
            else:
                raise ValueError(
                    f"An initializer for variable {name} of type {dtype} is required for layer {self.name}. Received: {initializer}."
                )
        shape = TensorShape(shape)
        if not shape.is_fully_defined():
            raise ValueError(
                f"The shape of the weight '{name}' of layer {self.name} must be fully defined. Received: shape={tuple(shape.as_list())}"
                if shape.rank is not None
                else f"The shape of the weight '{name}' of layer {self.name} must be known."
            )
        sizes = tuple(shape.as_list())
        if isinstance(initializer, type):
            initializer = initializer()
        autocast = kwargs.get("autocast", kwargs.get("experimental_autocast", True))
        cls: Any = Variable
        if autocast and dtype.is_floating and self._policy.compute_dtype != self._policy.variable_dtype:
            from .autocast import AutoCastVariable as cls  # noqa: N813

        def made(**_: Any) -> Any:
            return cls(
                lambda: initializer(sizes, dtype=dtype), trainable=trainable, name=name, dtype=dtype, constraint=constraint,
                synchronization=synchronization, aggregation=aggregation,
            )  # fmt: skip

        variable = self._add_variable_with_custom_getter(
            name, shape=shape, dtype=dtype, initializer=initializer, getter=kwargs.get("getter") or made, overwrite=True,
            trainable=trainable, constraint=constraint, use_resource=use_resource, synchronization=synchronization, aggregation=aggregation,
        )  # fmt: skip
        if regularizer is not None:
            self._add_weight_loss(variable, regularizer)
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
        return variable

    def _add_variable_with_custom_getter(
        self, name: str | None, shape: Any = None, dtype: Any = None, initializer: Any = None, getter: Any = None, overwrite: bool = False, **kwargs: Any
    ) -> Any:
        """What `getter` gives, tracked under `name`. Libraries that wrap the variables of their layers override it."""
        variable = getter(name=name, shape=shape, dtype=dtype, initializer=initializer, **kwargs)
        if name is not None:
            self._track_trackable(variable, name, overwrite=overwrite)
        return variable

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """Old name of `add_weight`."""
        return self.add_weight(*args, **kwargs)

    def get_weights(self) -> list[Any]:
        """The weights' values as NumPy arrays, in the order of `weights`."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the weights from NumPy arrays in the order of `weights`; ValueError for a wrong number or shape."""
        params = self.weights
        weights = list(weights)
        if len(params) != len(weights):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a  weight list of length {len(weights)}, but the layer '
                f"was expecting {len(params)} weights. Provided weights: {str(weights)[:50]}..."
            )
        for p, w in zip(params, weights, strict=True):
            if not p.shape.is_compatible_with(np.shape(w)):
                raise ValueError(f"Layer {self.name} weight shape {p.shape} is not compatible with provided weight shape {np.shape(w)}.")
        for p, w in zip(params, weights, strict=True):
            p.assign(np.asarray(w, dtype=p.dtype.as_numpy_dtype) if not isinstance(w, (Tensor, Variable)) else w)
        for layer in self._flatten_layers():
            layer.finalize_state()

    def count_params(self) -> int:
        """The number of scalars in the weights; ValueError before the layer is built."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer {self.name}, but the layer isn't built. You can build it manually via: "
                f"`{self.name}.build(batch_input_shape)`."
            )
        return int(sum(int(np.prod(w.shape.as_list())) for w in dedupe(self.weights)))

    def finalize_state(self) -> None:
        """For layers whose state is computed after restoring; the base class has nothing to do."""

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self._name

    @property
    def dtype(self) -> Any:
        """Name of the weights' dtype."""
        return self._policy.variable_dtype

    @property
    def dtype_policy(self) -> Any:
        return self._policy

    @property
    def _dtype_policy(self) -> Any:  # the name that Keras' own layers, and those of libraries, read and set
        return self._policy

    @_dtype_policy.setter
    def _dtype_policy(self, value: Any) -> None:
        self._set_dtype_policy(value)

    @property
    def compute_dtype(self) -> Any:
        """Name of the dtype of the layer's computations."""
        return self._policy.compute_dtype

    @property
    def variable_dtype(self) -> Any:
        return self._policy.variable_dtype

    def _set_dtype_policy(self, dtype: Any) -> None:
        from ..mixed_precision import policy_of

        policy = policy_of(dtype)
        d = self.__dict__
        d["_policy"] = policy
        compute = policy.compute_dtype
        d["_compute_dtype"] = compute
        d["_compute"] = None if compute is None else dtypes.as_dtype(compute)
        #: torch dtype to which floating inputs are cast
        d["_cast_to"] = d["_compute"].torch if self._autocast and compute is not None and d["_compute"].is_floating else None

    @property
    def supports_masking(self) -> bool:
        return self._supports_masking

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self.__dict__["_supports_masking"] = value

    @property
    def stateful(self) -> bool:
        return any(layer.__dict__.get("_stateful", False) for layer in self._flatten_layers())

    @stateful.setter
    def stateful(self, value: bool) -> None:
        self.__dict__["_stateful"] = value

    @property
    def dynamic(self) -> bool:
        return any(layer.__dict__.get("_dynamic", False) for layer in self._flatten_layers())

    @property
    def input_spec(self) -> Any:
        """InputSpec(s) that the inputs are checked against before each call."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for v in nest.flatten(value):
            if v is not None and not isinstance(v, InputSpec):
                raise TypeError(f"Layer input_spec must be an instance of InputSpec. Got: {v}")
        d = self.__dict__
        d["_input_spec"] = value
        d["_simple_spec"] = value.simple if isinstance(value, InputSpec) else None

    @property
    def submodules(self) -> tuple[Any, ...]:
        """All layers, metrics and modules inside this one: those nearest first, metrics before layers."""
        seen = {id(self)}
        found: list[Any] = [self]
        for module in found:  # grows on the way
            inner = (*module._metrics, *module._tracked_values()) if isinstance(module, Tracked) else elements(list(module._trackable_children().values()))
            for v in inner:
                if id(v) not in seen and isinstance(v, Module):
                    seen.add(id(v))
                    found.append(v)
        return tuple(found[1:])

    @property
    def name_scope(self) -> Any:
        from tf2compat._top.names import CallableScope

        return CallableScope(self._name)

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """Decorator that runs a method inside the object's name scope."""
        import functools

        @functools.wraps(method)
        def scoped(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped

    def get_build_config(self) -> dict[str, Any] | None:
        """The input shape that `build` got, as plain values; None before."""
        if self._build_input_shape is None:
            return None

        def plain(s: Any) -> Any:
            if not isinstance(s, TensorShape):
                return s
            return None if s.rank is None else tuple(s.as_list())

        return {"input_shape": nest.map_structure(plain, self._build_input_shape)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        shape = config["input_shape"]
        if shape is not None:
            from .inference import _map_shapes

            self.build(_map_shapes(TensorShape, shape))

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own variables into `store` under the keys "0", "1", …"""
        for i, v in enumerate(self._trainable_weights + self._non_trainable_weights):
            store[f"{i}"] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own variables from `store`; ValueError when their number differs."""
        own = self._trainable_weights + self._non_trainable_weights
        if len(store.keys()) != len(own):
            if len(own) == 0 and not self.built:
                raise ValueError(
                    f"Layer '{self.name}' was never built and thus it doesn't have any variables. However the weights file lists "
                    f"{len(store.keys())} variables for this layer. In most cases, this indicates that you need to implement the "
                    "`def build_from_config(self, config)` method on the layer."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(own)} variables, but received {len(store.keys())} variables during loading. "
                f"Expected: {[v.name for v in own]}"
            )
        for i, v in enumerate(own):
            v.assign(store[f"{i}"])

    # --- calls -------------------------------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        d = self.__dict__
        try:
            spec = d["_call_spec"]
        except KeyError:
            raise RuntimeError("You must call `super().__init__()` in the layer constructor.") from None
        if args:
            inputs, args = args[0], args[1:]
        elif spec.first in kwargs:
            inputs = kwargs.pop(spec.first)
        else:
            raise ValueError("The first argument to `Layer.call` must always be passed.")
        kind = type(inputs)
        if kind is not Tensor:
            if _has_symbol(inputs) or ((args or kwargs) and _has_symbol((args, kwargs))):
                from .symbolic import construct

                return construct(self, inputs, args, kwargs)
            if not isinstance(inputs, Tensor):
                given = inputs
                inputs = nest.map_structure(_as_tensor, inputs) if nest.is_nested(inputs) else _as_tensor(inputs)
                kind = Variable if isinstance(given, Variable) else type(inputs)
        elif (args or kwargs) and _has_symbol((args, kwargs)):
            from .symbolic import construct

            return construct(self, inputs, args, kwargs)

        mask = None
        if Masks.used:
            if spec.mask and (spec.mask_at < len(args) and args[spec.mask_at] is not None or kwargs.get("mask") is not None):
                mask = kwargs["mask"] if kwargs.get("mask") is not None else args[spec.mask_at]
            else:
                mask = mask_of(inputs) if not nest.is_nested(inputs) else _masks(inputs)
                if mask is not None and spec.mask:
                    if spec.mask_at < len(args):
                        args = (*args[: spec.mask_at], mask, *args[spec.mask_at + 1 :])
                    else:
                        kwargs["mask"] = mask
        elif spec.mask and self._supports_masking:
            mask = kwargs.get("mask") if "mask" in kwargs else args[spec.mask_at] if spec.mask_at < len(args) else None

        c = calling.__dict__
        outer = c["training"]
        training = outer
        if spec.training:
            at = spec.training_at
            if at < len(args):
                given = args[at]
            else:
                given = kwargs.get("training")
            if given is not None:
                training = given if type(given) is bool else _phase(given)
            elif outer is None:
                training = c["phase"]
                if training is None:
                    training = spec.training_default
            if at < len(args):
                args = (*args[:at], training, *args[at + 1 :])
            else:
                kwargs["training"] = training  # None where nobody said
        elif "training" in kwargs:
            training = kwargs.pop("training")
            if training is None:
                training = outer

        if c["depth"] == 0 and c["lossy"] and not c["inferring"]:
            self._clear_losses()
        cast = c["autocast"]
        names = state.local.names
        names.append(d["_name"])
        c["depth"] += 1
        c["training"] = training
        c["autocast"] = d["_compute"]
        try:
            found = d["_input_spec"]
            if found is not None:
                simple = d.get("_simple_spec")
                if simple is None or kind is not Tensor or not _fits(simple, inputs._t.shape):
                    assert_compatible(self.input_spec, inputs, d["_name"])
            elif type(self).input_spec is not Layer.input_spec and not (c["connecting"] and c["depth"] == 1):
                assert_compatible(self.input_spec, inputs, d["_name"])  # called on an Input of another shape, a model's layers say whether it will do
            if not self.built:
                self._maybe_build(inputs)
                c["autocast"] = d["_compute"]
            want = d["_cast_to"]
            if want is not None:
                if kind is Tensor:
                    have = inputs._t.dtype
                    if have is not want and have in _FLOATING:
                        inputs = _cast(inputs, d["_compute"])
                elif kind is not Variable and have_floats(inputs, d["_compute"]):  # a variable keeps its dtype
                    inputs = nest.map_structure(lambda x: _cast_floating(x, d["_compute"]), inputs)
            call = self.call if state.local.graph is None else _converted(self)
            try:
                outputs = call(inputs, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - raised again, saying which layer it was
                from .call_errors import with_call

                raise with_call(error, self, (inputs, *args), kwargs, c["inferring"]) from None
            if d["_activity_regularizer"] is not None:
                self._add_activity_loss(inputs, outputs)
            if d["_supports_masking"] and (Masks.used or mask is not None or self._makes_masks()):
                self._attach_masks(inputs, outputs, mask)
            if d["_saved_call"] is None:
                d["_saved_call"] = self._signature_of(inputs, args, kwargs)
            return outputs
        finally:
            c["depth"] -= 1
            c["training"] = outer
            c["autocast"] = cast
            names.pop()

    def _makes_masks(self) -> bool:
        return type(self).compute_mask is not Layer.compute_mask

    def _attach_masks(self, inputs: Any, outputs: Any, mask: Any) -> None:
        flat = nest.flatten(outputs)
        if getattr(self, "_compute_output_and_mask_jointly", False) or all(mask_of(x) is not None for x in flat):
            return
        if not self._makes_masks() and mask is None:
            return
        masks = self.compute_mask(inputs, mask)
        if masks is None:
            return
        for x, m in zip(flat, nest.flatten(masks), strict=False):
            if m is not None and not (x is inputs and mask_of(x) is m):
                set_mask(x, m)

    def _signature_of(self, inputs: Any, args: Any, kwargs: Any) -> Any:
        """Shapes and dtypes of the first call's inputs, for those who save the layer."""
        from tf2compat._engine.specs import TensorSpec
        from tf2compat.ragged.ragged_tensor import RaggedTensor
        from tf2compat.sparse import SparseTensor

        def spec(x: Any) -> Any:
            if isinstance(x, (RaggedTensor, SparseTensor)):
                return x._type_spec
            return TensorSpec(x.shape, x.dtype) if hasattr(x, "shape") and hasattr(x, "dtype") else None

        named = {}
        for name, value in kwargs.items():
            found = nest.map_structure(spec, value)
            if name not in ("training", "mask") and all(s is not None for s in nest.flatten(found)):  # others are no tensors
                named[name] = found
        if args or named:
            self.__dict__["_saved_arguments"] = (nest.map_structure(spec, args), named)
        return nest.map_structure(spec, inputs)

    def _maybe_build(self, inputs: Any) -> None:
        """Build for these inputs; a layer without a dtype takes theirs."""
        flat = nest.flatten(inputs)
        if flat and self._policy.compute_dtype is None:
            found = next((x.dtype for x in flat if hasattr(x, "dtype")), None)
            if found is not None:
                self._set_dtype_policy(dtypes.as_dtype(found).name)
        shapes = None
        if all(hasattr(x, "shape") for x in flat):
            shapes = nest.map_structure(_tracked_shape, inputs)
        elif any(x is None for x in flat) and all(x is None or hasattr(x, "shape") for x in flat):  # an argument left out of a list
            shapes = nest.map_structure(lambda x: None if x is None else _tracked_shape(x), inputs)
        if not getattr(type(self).build, "_tf_default", False):
            names, device = list(state.local.names), state.local.device
            with state.outside():
                state.local.names = names
                if device is not None and device.type == "meta":  # weights are real even where outputs are only imagined
                    state.local.device = state.local.asked
                try:
                    self.build(shapes)
                finally:
                    state.local.device = device
        Layer.build(self, shapes)
        if self._initial_weights is not None:
            with state.outside():  # also where the layer is only being connected
                self.set_weights(self._initial_weights)
            self._initial_weights = None

    def __deepcopy__(self, memo: Any) -> Any:
        import copy

        new = object.__new__(type(self))
        memo[id(self)] = new
        for k, v in self.__dict__.items():
            new.__dict__[k] = [] if k in ("_call_losses", "_symbolic_losses") else copy.deepcopy(v, memo)  # the copy was not called
        return new


def _phase(given: Any) -> Any:
    if isinstance(given, (int, np.bool_)):
        return bool(given)
    if type(given) is Tensor and given._t.numel() == 1:
        return bool(given._t)
    return given


def _fits(simple: Any, shape: Any) -> bool:
    ndim, least, axes = simple
    n = len(shape)
    if (ndim is not None and n != ndim) or (least is not None and n < least):
        return False
    return not axes or all(shape[axis] == value for axis, value in axes)


def _masks(inputs: Any) -> Any:
    masks = nest.map_structure(mask_of, inputs)
    return None if all(m is None for m in nest.flatten(masks)) else masks


def _has_symbol(value: Any) -> bool:
    kind = type(value)
    if kind is Tensor or kind is bool or value is None:
        return False
    if kind is tuple or kind is list:
        return any(_has_symbol(v) for v in value)
    if kind is dict:
        return any(_has_symbol(v) for v in value.values())
    return hasattr(kind, "_is_keras_tensor") or (nest.is_nested(value) and any(hasattr(type(v), "_is_keras_tensor") for v in nest.flatten(value)))


def _as_tensor(x: Any) -> Any:
    if isinstance(x, (np.ndarray, float, int, np.generic)) or type(x).__module__ == "torch":
        return convert_to_tensor(x)
    return x


def _cast(x: Any, dtype: Any) -> Any:
    from tf2compat import cast

    return cast(x, dtype)


def have_floats(value: Any, dtype: Any) -> bool:
    return any(getattr(x, "dtype", None) is not dtype for x in nest.flatten(value))


def _cast_floating(x: Any, dtype: Any) -> Any:
    found = getattr(x, "dtype", None)
    if found is not None and found is not dtype and getattr(found, "is_floating", False):
        return _cast(x, dtype)
    return x


def _converted(layer: Any) -> Any:
    """The layer's `call` as AutoGraph rewrites it, for use in a function being traced."""
    if calling.inferring and layer.__dict__["_dynamic"]:
        from .inference import unseen

        return lambda inputs, *args, **kwargs: unseen(layer, inputs)
    if type(layer).__module__.startswith("tf2compat."):
        return layer.call
    from .tracing import converted

    return converted(layer.call)
