"""Dense, Activation, Lambda, Masking, Identity and other plain layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat._engine import dtypes
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.narrow import slow, widely
from tf2compat._engine.op import invalid, op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.tensor import Tensor
from tf2compat.linalg.products import dims

from .. import activations, regularizers
from .._base.callspec import set_mask
from .._base.config import settings
from .._base.inference import _map_shapes
from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._common import WeightOptions


@op("Dense", x=tensor(FLOATS), kernel=tensor(FLOATS), bias=tensor(FLOATS))
def dense(x: Any, kernel: Any, bias: Any = None) -> Any:
    """x [..., in] times kernel [in, out] plus bias [out]."""
    if x.dtype is not torch.float32 and slow(x):
        return widely(dense.op.fn, x, kernel, bias)
    if bias is not None and x.ndim == 2:
        return torch.addmm(bias, x, kernel)
    if x.ndim < 2:  # of a rank that was not known while tracing
        raise invalid(f"In[0] ndims must be >= 2: {x.ndim}")
    return F.linear(x, kernel.t(), bias)


@dense.diagnose
def _(x: Any, kernel: Any, bias: Any) -> Any:
    if x.ndim < 2 or kernel.ndim != 2 or x.shape[-1] == kernel.shape[0]:
        return None
    return f"Matrix size-incompatible: In[0]: {dims((x.shape[:-1].numel(), x.shape[-1]))}, In[1]: {dims(kernel.shape)}"


class Dense(WeightOptions, Layer):
    """activation(inputs @ kernel + bias) over the last dimension (`tf.keras.layers.Dense`).

    ValueError when `units` is not positive or the inputs' last dimension is unknown.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units) if not isinstance(units, int) else units
        if self.units < 0:
            raise ValueError(f"Received an invalid value for `units`, expected a positive integer. Received: units={units}")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self._set_options(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Create kernel [in, units] and bias [units]."""
        dtype = dtypes.as_dtype(self.dtype or settings.floatx)
        if not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"A Dense layer can only be built with a floating-point dtype. Received: dtype={dtype!r}")
        shape = TensorShape(input_shape)
        last = shape[-1]
        if last is None:
            raise ValueError(
                f"The last dimension of the inputs to a Dense layer should be defined. Found None. Full input shape received: {shape}"
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: last})
        self.kernel = self.add_weight(
            "kernel", shape=[last, self.units], initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, dtype=self.dtype, trainable=True,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias", shape=[self.units], initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, dtype=self.dtype, trainable=True,
            )  # fmt: skip
        self.built = True

    def call(self, inputs: Any) -> Any:
        """activation(inputs @ kernel + bias)."""
        d = self.__dict__
        if type(inputs) is Tensor:
            if inputs._t.dtype is not d["_cast_to"] and d["_cast_to"] is not None:
                inputs = tf.cast(inputs, d["_compute"])
            found = dense(inputs, self.kernel, self.bias)
        elif hasattr(inputs, "dense_shape"):
            found = tf.sparse.sparse_dense_matmul(inputs, self.kernel)
            found = found if self.bias is None else tf.nn.bias_add(found, self.bias)
        elif hasattr(inputs, "row_splits"):
            if inputs.shape[-1] is None:
                raise ValueError(
                    f"Dense layer only supports RaggedTensors when the innermost dimension is non-ragged. Received: inputs.shape={inputs.shape}."
                )
            if inputs.flat_values.shape.rank > 1:
                return inputs.with_flat_values(self.call(inputs.flat_values))
            inner = inputs  # whose innermost rows are all of one length
            for _ in range(inputs.ragged_rank - 1):
                inner = inner.values
            found = self.call(inner.to_tensor())
            return found if inputs.ragged_rank == 1 else tf.RaggedTensor.from_nested_row_splits(found, inputs.nested_row_splits[:-1])
        elif not isinstance(inputs, (Tensor, tf.Variable)):  # a type of the program's own: by the functions that it may dispatch on
            found = tf.matmul(inputs, self.kernel) if len(inputs.shape) == 2 else tf.tensordot(inputs, self.kernel, [[len(inputs.shape) - 1], [0]])
            found = found if self.bias is None else tf.nn.bias_add(found, self.bias)
        else:
            if inputs.dtype is not d["_compute"]:
                inputs = tf.cast(inputs, d["_compute"])
            found = dense(inputs, self.kernel, self.bias)
        activation = d["activation"]
        return found if activation is None or activation is activations.linear else activation(found)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The input's shape with `units` at the end."""
        shape = TensorShape(input_shape).with_rank_at_least(2)
        if shape[-1] is None:
            raise ValueError(
                "The last dimension of the input shape of a Dense layer should be defined. Found None. Received: "
                f"input_shape={shape}"
            )
        return shape[:-1].concatenate(self.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"units": self.units, "activation": activations.serialize(self.activation), "use_bias": self.use_bias})
        config.update(self._option_config("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.update(self._option_config("kernel_constraint", "bias_constraint"))
        return config


class Activation(Layer):
    """An activation function as a layer (`tf.keras.layers.Activation`)."""

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """activation(inputs)."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["activation"] = activations.serialize(self.activation)
        return config


class Identity(Layer):
    """Its input (`tf.keras.layers.Identity`)."""

    def call(self, inputs: Any) -> Any:
        """inputs."""
        return tf.nest.map_structure(tf.identity, inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)


class ActivityRegularization(Layer):
    """Adds an L1 and L2 penalty of its input to the losses (`tf.keras.layers.ActivityRegularization`)."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"l1": self.l1, "l2": self.l2})
        return config


class Masking(Layer):
    """Masks the time steps in which every feature equals `mask_value` (`tf.keras.layers.Masking`)."""

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.mask_value = mask_value
        self._compute_output_and_mask_jointly = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """bool [batch, time]: whether any feature differs from `mask_value`."""
        return tf.reduce_any(tf.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """inputs, with zeros where the mask is False."""
        kept = tf.reduce_any(tf.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        outputs = inputs * tf.cast(kept, inputs.dtype)
        set_mask(outputs, tf.squeeze(kept, axis=-1))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["mask_value"] = self.mask_value
        return config


class Lambda(Layer):
    """A function as a layer (`tf.keras.layers.Lambda`).

    Variables made outside the layer are not tracked: a warning says so. Saving it needs a named function.
    """

    def __init__(
        self, function: Any, output_shape: Any = None, mask: Any = None, arguments: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.__dict__["arguments"] = arguments or {}  # as given: a Lambda tracks nothing
        self.function = function
        if mask is not None:
            self.supports_masking = True
        self.mask = mask
        self._output_shape = output_shape
        import inspect

        try:
            names = inspect.signature(function).parameters
        except (TypeError, ValueError):
            names = {}
        self._takes_training = "training" in names
        self._takes_mask = "mask" in names
        self._already_warned = self._checked = False

    def compute_output_shape(self, input_shape: Any) -> Any:
        """What `output_shape` says, or the shape that the function gives."""
        if self._output_shape is None:
            try:
                return super().compute_output_shape(input_shape)
            except NotImplementedError:
                raise NotImplementedError(
                    "We could not automatically infer the shape of the Lambda's output. Please specify `output_shape` for this Lambda."
                ) from None
        if callable(self._output_shape):
            return _map_shapes(TensorShape, self._output_shape(input_shape))
        shapes: list[TensorShape] = []
        _map_shapes(lambda s: shapes.append(TensorShape(s)), input_shape)
        batch = shapes[0][0] if shapes and shapes[0].rank else None
        return _map_shapes(lambda s: TensorShape([batch, *TensorShape(s).as_list()]), self._output_shape)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        """function(inputs, **arguments)."""
        kwargs = dict(self.arguments)
        if self._takes_mask:
            kwargs["mask"] = mask
        if self._takes_training:
            kwargs["training"] = training
        if self._checked:
            return self.function(inputs, **kwargs)
        made: list[Any] = []

        def creator(next_creator: Any, **options: Any) -> Any:
            made.append(next_creator(**options))
            return made[-1]

        with tf.GradientTape() as tape, tf.variable_creator_scope(creator):
            found = self.function(inputs, **kwargs)
        self._check_variables(made, tape.watched_variables())
        self.__dict__["_checked"] = True  # what a function uses is found out when it first runs; later calls need no tape
        return found

    def _check_variables(self, made: Any, read: Any) -> None:
        tracked = {id(v) for v in self.weights}
        lost = [v for v in made if id(v) not in tracked and "StateVar" not in v.name]
        if lost:
            lines = "\n".join(f"  {v}" for v in lost)
            raise ValueError(
                f"\nThe following Variables were created within a Lambda layer ({self.name})\nbut are not tracked by said layer:\n{lines}\n"
                "The layer cannot safely ensure proper Variable reuse across multiple\ncalls, and consequently this behavior is disallowed "
                "for safety. Lambda\nlayers are not well suited to stateful computation; instead, writing a\nsubclassed Layer is the "
                "recommend way to define layers with\nVariables."
            )
        captured = [v for v in read if id(v) not in tracked]
        if captured and not self._already_warned:
            lines = "\n".join(f"  {v}" for v in captured)
            self._warn(
                f"\nThe following Variables were used a Lambda layer's call ({self.name}), but\nare not present in its tracked objects:\n{lines}\n"
                "It is possible that this is intended behavior, but it is more likely\nan omission. This is a strong indication that this "
                "layer should be\nformulated as a subclassed Layer rather than a Lambda layer."
            )
            self.__dict__["_already_warned"] = True

    def _warn(self, msg: str) -> None:
        tf.get_logger().warning(msg)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What `mask` says: its value, or what it returns for (inputs, mask)."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values; a Python lambda is stored as its code."""
        import types

        from .._base.lambdas import remember
        from .._base.serialization import InMemory, serialize_keras_object

        def described(fn: Any) -> Any:
            if isinstance(fn, types.LambdaType) and fn.__name__ == "<lambda>":
                return InMemory(serialize_keras_object(fn), fn), "lambda"
            if callable(fn):
                described = serialize_keras_object(fn)
                remember(getattr(fn, "__name__", repr(fn)), fn)
                return InMemory(described, fn) if isinstance(described, dict) else described, "function"
            return fn, "raw"

        config = super().get_config()
        function, kind = described(self.function)
        shape, shape_kind = described(self._output_shape)
        config.update({
            "function": function, "function_type": kind,
            "module": getattr(self.function, "__module__", None), "output_shape": shape, "output_shape_type": shape_kind,
            "output_shape_module": getattr(self._output_shape, "__module__", None), "arguments": self.arguments,
        })  # fmt: skip
        if self.mask is not None:
            text, mask_kind = described(self.mask)
            config.update({"mask": text, "mask_type": mask_kind, "mask_module": getattr(self.mask, "__module__", None)})
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer made from what `get_config` returned. ValueError for a stored lambda unless its `safe_mode` is off."""
        from .._base.lambdas import known
        from .._base.serialization import deserialize_keras_object, find_function, get_registered_object, stored_lambda

        config = dict(config)

        def restored(name: str) -> Any:
            value = config.pop(name, None)
            kind = config.pop(f"{name}_type", None)
            config.pop("module" if name == "function" else f"{name}_module", None)
            if isinstance(value, dict):
                return deserialize_keras_object(value, custom_objects)
            if kind == "lambda" and isinstance(value, (list, tuple)):  # as HDF5 files have it
                return known(value) or stored_lambda(value)
            if kind == "function" and isinstance(value, str):
                found = get_registered_object(value, custom_objects) or known(value) or find_function(value)
                if found is None:
                    raise TypeError(f"Could not locate function '{value}'. Pass it in `custom_objects`.")
                return found
            return value

        function, shape, mask = restored("function"), restored("output_shape"), restored("mask")
        arguments = config.pop("arguments", None) or {}
        for key, value in arguments.items():
            if isinstance(value, dict) and value.get("type") == "ndarray":
                arguments[key] = np.array(value["value"])
            elif isinstance(value, dict) and value.get("class_name") == "__numpy__":
                arguments[key] = np.array(value["config"]["value"], dtype=value["config"]["dtype"])
        return cls(function, output_shape=shape, mask=mask, arguments=arguments, **config)


