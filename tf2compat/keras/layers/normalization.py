"""Batch, layer, group and unit normalisation."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat._engine import dtypes, strategies
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import VARIABLE, op, tensor
from tf2compat._engine.shapes import TensorShape

from .._base.context import calling
from .._base.input_spec import InputSpec
from .._base.layer import Layer
from . import _batch_variants as variants
from ._chains import normalises
from ._common import WeightOptions

_T = tensor(FLOATS, group="X")
_P = tensor(FLOATS, group="P")


def _channels_second(x: Any, axis: int) -> Any:
    """x with `axis` at place 1; two dimensions when that costs nothing."""
    last = x.ndim - 1
    if axis == last and x.ndim == 3:
        return x.reshape(-1, x.shape[-1])
    if axis == last and x.ndim > 3:
        return x.permute(0, last, *range(1, last))
    return x if axis == 1 else x.movedim(axis, 1)


def _back(y: Any, x: Any, axis: int) -> Any:
    last = x.ndim - 1
    if axis == last and x.ndim == 3:
        return y.reshape(x.shape)
    if axis == last and x.ndim > 3:
        return y.permute(0, *range(2, x.ndim), 1)
    return y if axis == 1 else y.movedim(1, axis)


def _both(gamma: Any, beta: Any) -> tuple[Any, Any]:
    """Both parameters or none: torch's kernels are written for these."""
    if gamma is None and beta is not None:
        gamma = torch.ones_like(beta)
    elif beta is None and gamma is not None:
        beta = torch.zeros_like(gamma)
    return gamma, beta


def _shaped(p: Any, x: Any, axes: Any) -> Any:
    """Parameters [*axes] so that they broadcast with x."""
    return None if p is None else p.reshape([x.shape[i] if i in axes else 1 for i in range(x.ndim)])


_NARROW = frozenset((torch.float16, torch.bfloat16))


@op("BatchNormTraining", multi=True, x=_T, gamma=_P, beta=_P)
def _train(x: Any, axes: Any, eps: float, sample: bool, gamma: Any = None, beta: Any = None) -> Any:
    """Normalised x, its mean and its variance; `sample`: the variance with n - 1, for which n must exceed one."""
    count = 1
    for i, d in enumerate(x.shape):
        if i not in axes:
            count = count * d
    if len(axes) == 1 and count > 1 and x.device.type != "meta":
        channels = x.shape[axes[0]]
        kept = x.dtype if x.dtype not in _NARROW else torch.float32  # torch's kernels take narrow x beside float32
        mean, variance = torch.zeros((2, channels), dtype=kept, device=x.device)
        gamma, beta = _both(gamma, beta)
        y = torch.batch_norm(_channels_second(x, axes[0]), gamma, beta, mean, variance, True, 1.0, eps, False)
        y = _back(y, x, axes[0])
        if not sample:
            variance = variance * ((count - 1) / count)
        return y, mean, variance
    wide = x.float() if x.dtype in _NARROW else x
    over = tuple(i for i in range(x.ndim) if i not in axes)
    variance, mean = torch.var_mean(wide, over, correction=0, keepdim=True)
    y = (wide - mean) * torch.rsqrt(variance + eps)
    if gamma is not None:
        y = y * _shaped(gamma, x, axes)
    if beta is not None:
        y = y + _shaped(beta, x, axes)
    shape = [x.shape[a] for a in axes]
    mean, variance = mean.reshape(shape).detach(), variance.reshape(shape).detach()
    if sample and (x.device.type == "meta" or count > 1):
        variance = variance * (count / max(count - 1, 1) if x.device.type != "meta" else 1.0)
    return y.to(x.dtype), mean, variance


@op("BatchNormInference", x=_T, mean=_P, variance=_P, gamma=_P, beta=_P)
def _infer(x: Any, mean: Any, variance: Any, axes: Any, eps: float, gamma: Any = None, beta: Any = None) -> Any:
    narrow = x.dtype in _NARROW
    if len(axes) == 1:
        gamma, beta = _both(gamma, beta)
        y = torch.batch_norm(_channels_second(x, axes[0]), gamma, beta, mean, variance, False, 0.0, eps, False)
        y = _back(y, x, axes[0])
    else:
        wide = x.float() if narrow else x
        factor = torch.rsqrt(_shaped(variance, x, axes) + eps)
        if gamma is not None:
            factor = factor * _shaped(gamma, x, axes)
        y = wide * factor - _shaped(mean, x, axes) * factor
        if beta is not None:
            y = y + _shaped(beta, x, axes)
    return y.to(x.dtype) if narrow else y


normalises(_infer.op)


@_infer.infer
def _infer_shape(x: Any, *rest: Any) -> Any:
    # torch spells batch normalisation without values out in Python; of a network's construction that was a third
    return [(dtypes.of(x), tuple(x.shape))]


@op("BatchNormUpdate", stateful=True, mean=VARIABLE, variance=VARIABLE, new_mean=tensor(FLOATS), new_variance=tensor(FLOATS))
def _update(mean: Any, variance: Any, new_mean: Any, new_variance: Any, rate: float) -> None:
    """Move the moving statistics towards the batch's."""
    if new_mean.device.type == "meta":
        return
    for variable, value in ((mean, new_mean), (variance, new_variance)):
        own = variable._own()
        own.lerp_(value.detach().to(own.dtype), rate)


def _axis_list(axis: Any, rank: int, shape: Any) -> list[int]:
    axes = [axis] if isinstance(axis, int) else list(axis)
    found = []
    for a in axes:
        if not -rank <= a < rank:
            raise ValueError(f"Invalid value for `axis` argument. Expected 0 <= axis < inputs.rank (with inputs.rank={rank}). "
                             f"Received: axis={axis if not isinstance(axis, int) else (axis,)}")  # fmt: skip
        found.append(a % rank)
    if len(set(found)) != len(found):
        raise ValueError(f"Duplicate axis: {tuple(found)}")
    return found


class BatchNormalization(WeightOptions, Layer):
    """Normalises by the batch's mean and variance in training, by moving ones in inference (`tf.keras.layers.BatchNormalization`).

    With `trainable` False it stays in inference mode. `synchronized` makes no difference on one replica. Keywords may be those of Keras'
    older forms: `fused`, `renorm` with `renorm_clipping` and `renorm_momentum`, `virtual_batch_size`, `adjustment`.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        self.fused = self._fused_asked = kwargs.pop("fused", None)
        variants.read_options(self, kwargs)
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)):
            self.axis: Any = list(axis)
        elif isinstance(axis, int):
            self.axis = axis
        else:
            raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
        if synchronized and self._fused_asked:
            raise ValueError("`fused=True` is not supported when `synchronized=True`.")
        self.synchronized = synchronized
        if self._fused_asked:
            variants.check_fused(self)
        elif self._fused_asked is None and (synchronized or not variants.may_be_fused(self)):
            self.fused = False
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self._set_options(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer, moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer, beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.supports_masking = True

    @property
    def _param_dtype(self) -> Any:
        return "float32" if self.dtype in ("float16", "bfloat16") else self.dtype or "float32"

    def build(self, input_shape: Any) -> None:
        """Create gamma, beta and the moving statistics."""
        shape = TensorShape(input_shape)
        if not shape.rank:
            raise ValueError(f"Input has undefined rank. Received: input_shape={tuple(shape)}.")
        rank = shape.rank
        axes = _axis_list(self.axis, rank, shape)
        self.axis = axes
        if self.virtual_batch_size is not None:
            variants.check_virtual(self, axes)
        if self._fused_asked and rank not in (4, 5):
            raise ValueError(
                f"Batch normalization layers with `fused=True` only support 4D or 5D input tensors. Received tensor with shape: {tuple(shape)}"
            )
        sizes = {a: shape[a] for a in axes}
        if None in sizes.values():
            raise ValueError(f"Input has undefined `axis` dimension. Received input with shape {tuple(shape.as_list())} and axis={tuple(axes)}")
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        fused = self._fused_asked
        if fused is None:
            fused = rank in (4, 5) and self.compute_dtype != "float64" and not (self.synchronized or self._varies)
        self.fused = bool(fused) and axes in ([1], [rank - 1])
        if len(axes) == 1 and self.virtual_batch_size is None:
            weights_shape = [sizes[axes[0]]]
        else:
            weights_shape = [sizes.get(i, 1) for i in range(rank)]
            if self.virtual_batch_size is not None:
                weights_shape.insert(1, 1)
        self._axes = tuple(axes)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=weights_shape, dtype=self._param_dtype, initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint, trainable=True, experimental_autocast=False,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=weights_shape, dtype=self._param_dtype, initializer=self.beta_initializer,
                regularizer=self.beta_regularizer, constraint=self.beta_constraint, trainable=True, experimental_autocast=False,
            )  # fmt: skip
        options: dict[str, Any] = dict(
            shape=weights_shape, dtype=self._param_dtype, trainable=False, experimental_autocast=False,
            synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.MEAN,
        )  # fmt: skip
        self.moving_mean = self.add_weight(name="moving_mean", initializer=self.moving_mean_initializer, **options)
        self.moving_variance = self.add_weight(name="moving_variance", initializer=self.moving_variance_initializer, **options)
        if self.renorm:
            variants.add_renorm_weights(self, **options)
        self.built = True

    @property
    def _varies(self) -> bool:
        return self.renorm or self.virtual_batch_size is not None or self.adjustment is not None

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The normalised inputs; in training the moving statistics move."""
        d = self.__dict__
        if inputs.dtype is not d["_compute"]:  # whatever the layer's autocast says
            inputs = tf.cast(inputs, d["_compute"])
        if training is not False and training is not None:
            if not self.trainable:
                training = False
            elif training is not True and not isinstance(training, int):
                known = tf.get_static_value(training)
                if known is None:
                    return tf.cond(tf.cast(training, tf.bool), lambda: self._train_step(inputs, mask), lambda: self._at_rest(inputs))
                training = bool(known)
        if training:
            return self._train_step(inputs, mask)
        if d["virtual_batch_size"] is not None:
            return variants.at_rest(self, inputs)
        return _infer(inputs, self.moving_mean, self.moving_variance, d["_axes"], d["epsilon"], self.gamma, self.beta)

    def _at_rest(self, inputs: Any) -> Any:
        if self.virtual_batch_size is not None:
            return variants.at_rest(self, inputs)
        return _infer(inputs, self.moving_mean, self.moving_variance, self._axes, self.epsilon, self.gamma, self.beta)

    def _train_step(self, inputs: Any, mask: Any) -> Any:
        d = self.__dict__
        if d["renorm"] or d["virtual_batch_size"] is not None or d["adjustment"] is not None or d["synchronized"] and strategies.count() > 1:
            return variants.train_step(self, inputs, mask)
        if mask is not None and not self.fused:
            return self._masked_step(inputs, mask)
        out, mean, variance = _train(inputs, d["_axes"], d["epsilon"], d["fused"], self.gamma, self.beta)
        if not calling.inferring:
            _update(self.moving_mean, self.moving_variance, mean, variance, 1.0 - d["momentum"])
        return out

    def _masked_step(self, inputs: Any, mask: Any) -> Any:
        """Statistics of the steps that the mask keeps."""
        given = inputs.dtype
        inputs = tf.cast(inputs, self.moving_mean.dtype)
        weights = tf.cast(mask, inputs.dtype)
        for _ in range(len(inputs.shape) - len(mask.shape)):
            weights = tf.expand_dims(weights, -1)
        over = [i for i in range(len(inputs.shape)) if i not in self._axes]
        mean, variance = tf.nn.weighted_moments(inputs, over, weights, keepdims=True)
        shape = self.moving_mean.shape.as_list()
        mean1, variance1 = tf.reshape(mean, shape), tf.reshape(variance, shape)
        if not calling.inferring:
            _update(self.moving_mean, self.moving_variance, mean1, variance1, 1.0 - self.momentum)
        out = tf.nn.batch_normalization(
            inputs, mean, variance, self._broadcast(self.beta, inputs), self._broadcast(self.gamma, inputs), self.epsilon
        )
        return tf.cast(out, given)

    def _broadcast(self, p: Any, inputs: Any) -> Any:
        if p is None or len(self._axes) > 1:
            return p
        shape = [1] * len(inputs.shape)
        shape[self._axes[0]] = p.shape[0]
        return tf.reshape(p, shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "axis": self.axis, "momentum": self.momentum, "epsilon": self.epsilon, "center": self.center, "scale": self.scale,
        })  # fmt: skip
        config.update(self._option_config(
            "beta_initializer", "gamma_initializer", "moving_mean_initializer", "moving_variance_initializer", "beta_regularizer",
            "gamma_regularizer", "beta_constraint", "gamma_constraint",
        ))  # fmt: skip
        return config | variants.config_of(self)


class _Affine(WeightOptions, Layer):
    """What layer and group normalisation share: gamma and beta."""

    def _start(self, epsilon: Any, center: bool, scale: bool, **options: Any) -> None:
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self._set_options(**options)
        self.supports_masking = True

    def _add_affine(self, shape: Any, **options: Any) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=shape, initializer=self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, trainable=True, **options,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=shape, initializer=self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint, trainable=True, **options,
            )  # fmt: skip

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def _affine_config(self) -> dict[str, Any]:
        return self._option_config(
            "beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint"
        )


@op("LayerNorm", x=_T, gamma=_P, beta=_P)
def _layer_norm(x: Any, axes: Any, eps: float, gamma: Any = None, beta: Any = None) -> Any:
    narrow = x.dtype in (torch.float16, torch.bfloat16)
    wide = x.float() if narrow else x
    if axes == tuple(range(x.ndim - len(axes), x.ndim)):
        gamma, beta = _both(gamma, beta)
        if gamma is not None and gamma.dtype is not wide.dtype:
            gamma, beta = gamma.to(wide.dtype), beta.to(wide.dtype)
        y = F.layer_norm(wide, [x.shape[a] for a in axes], gamma, beta, eps)
    else:
        variance, mean = torch.var_mean(wide, axes, correction=0, keepdim=True)
        y = (wide - mean) * torch.rsqrt(variance + eps)
        if gamma is not None:
            y = y * _shaped(gamma, x, axes)
        if beta is not None:
            y = y + _shaped(beta, x, axes)
    return y.to(x.dtype) if narrow else y


class LayerNormalization(_Affine):
    """Normalises each sample over `axis` (`tf.keras.layers.LayerNormalization`)."""

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)):
            self.axis: Any = list(axis)
        elif isinstance(axis, int):
            self.axis = axis
        else:
            raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
        self._start(
            epsilon, center, scale, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Create gamma and beta of the shape of the normalised axes."""
        shape = TensorShape(input_shape)
        rank = shape.rank
        axes = _axis_list(self.axis, rank, shape)
        self.axis = axes
        sizes = [shape[a] for a in axes]
        if None in sizes:
            raise ValueError(f"Axis {axes} of input tensor should have a defined dimension but the layer received an input with shape {shape}.")
        self._add_affine(sizes, experimental_autocast=False)
        self._axes = tuple(sorted(axes))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        d = self.__dict__
        if isinstance(inputs, tf.RaggedTensor):
            return tf.RaggedTensor.from_tensor(self.call(inputs.to_tensor()), inputs.nested_row_lengths())
        return _layer_norm(inputs, d["_axes"], d["epsilon"], self.gamma, self.beta)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"axis": self.axis, "epsilon": self.epsilon, "center": self.center, "scale": self.scale})
        config.update(self._affine_config())
        return config


@op("GroupNorm", x=_T, gamma=_P, beta=_P)
def _group_norm(x: Any, groups: int, axis: int, eps: float, gamma: Any = None, beta: Any = None) -> Any:
    # contiguous: torch's backward pass on the CPU reads out of bounds for channels-last strides
    y = x if axis == 1 else x.movedim(axis, 1)
    gamma, beta = _both(gamma, beta)
    y = F.group_norm(y.contiguous(), groups, gamma, beta, eps)
    return y if axis == 1 else y.movedim(1, axis)


class GroupNormalization(_Affine):
    """Normalises each sample over groups of channels (`tf.keras.layers.GroupNormalization`); -1 groups: one a channel."""

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.groups = groups
        self.axis = axis
        self._start(
            epsilon, center, scale, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Create gamma and beta [channels]."""
        shape = TensorShape(input_shape)
        _axis_list(self.axis, shape.rank, shape)
        channels = shape[self.axis]
        if channels is None:
            raise ValueError(f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an input with shape {shape}.")
        if self.groups == -1:
            self.groups = channels
        if channels < self.groups:
            raise ValueError(f"Number of groups ({self.groups}) cannot be more than the number of channels ({channels}).")
        if channels % self.groups != 0:
            raise ValueError(f"Number of groups ({self.groups}) must be a multiple of the number of channels ({channels}).")
        self.input_spec = InputSpec(ndim=shape.rank, axes={self.axis: channels})
        self._add_affine((channels,))
        self._place = self.axis % shape.rank
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The normalised inputs."""
        if mask is None:
            return _group_norm(inputs, self.groups, self._place, self.epsilon, self.gamma, self.beta)
        weights = tf.cast(mask, inputs.dtype)
        for _ in range(len(inputs.shape) - len(mask.shape)):
            weights = tf.expand_dims(weights, -1)
        return self._masked(inputs, weights + tf.zeros_like(inputs))

    def _masked(self, inputs: Any, weights: Any) -> Any:
        rank, place = len(inputs.shape), self._place
        order = [0, place] + [i for i in range(1, rank) if i != place]
        x, w = tf.transpose(inputs, order), tf.transpose(weights, order)
        whole = tf.shape(x)
        flat = tf.stack([whole[0], self.groups, -1])
        xs, ws = tf.reshape(x, flat), tf.reshape(w, flat)
        total = tf.reduce_sum(ws, axis=2, keepdims=True)
        mean = tf.math.divide_no_nan(tf.reduce_sum(xs * ws, axis=2, keepdims=True), total)
        variance = tf.math.divide_no_nan(tf.reduce_sum(ws * tf.square(xs - mean), axis=2, keepdims=True), total)
        y = tf.reshape((xs - mean) * tf.math.rsqrt(variance + self.epsilon), whole)
        y = tf.transpose(y, [order.index(i) for i in range(rank)])
        shape = [1] * rank
        shape[place] = -1
        if self.gamma is not None:
            y = y * tf.reshape(self.gamma, shape)
        if self.beta is not None:
            y = y + tf.reshape(self.beta, shape)
        return y

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "groups": self.groups, "axis": self.axis, "epsilon": self.epsilon, "center": self.center, "scale": self.scale,
        })  # fmt: skip
        config.update(self._affine_config())
        return config


class UnitNormalization(Layer):
    """Scales each sample so that its norm over `axis` is one (`tf.keras.layers.UnitNormalization`)."""

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)):
            self.axis: Any = list(axis)
        elif isinstance(axis, int):
            self.axis = axis
        else:
            raise TypeError(
                f"Invalid value for `axis` argument: expected an int or a list/tuple of ints. Received: axis={axis}"
            )
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check the axis."""
        shape = TensorShape(input_shape)
        self._axes = _axis_list(self.axis, shape.rank, shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """inputs divided by their norm."""
        return tf.math.l2_normalize(inputs, axis=self._axes, epsilon=1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["axis"] = self.axis
        return config


