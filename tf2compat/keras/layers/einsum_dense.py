"""The EinsumDense layer."""

from __future__ import annotations

import re
from typing import Any

import torch
import torch.nn.functional as F

from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.narrow import in_single
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape

from .. import activations, regularizers
from .._base.layer import Layer
from ._common import WeightOptions


@op("EinsumDense", x=tensor(FLOATS), kernel=tensor(FLOATS), bias=tensor(FLOATS))
@in_single
def einsum_dense(x: Any, kernel: Any, equation: str, contracted: int, bias: Any = None) -> Any:
    """The einsum of x and kernel, plus bias. `contracted` > 0: x's last dimensions with kernel's first ones, as a matrix product."""
    if contracted:
        rows = 1
        for d in kernel.shape[:contracted]:
            rows *= d
        flat = kernel.reshape(rows, -1)
        x2 = x.flatten(x.ndim - contracted) if contracted > 1 else x
        whole = bias is not None and bias.shape == kernel.shape[contracted:]
        out = F.linear(x2, flat.t(), bias.reshape(-1) if whole else None)
        out = out.unflatten(-1, kernel.shape[contracted:]) if kernel.ndim - contracted != 1 else out
        return out if bias is None or whole else out + bias
    out = torch.einsum(equation, x, kernel)
    return out if bias is None else out + bias


def _as_product(inputs: str, weight: str, output: str) -> int:
    """How many dimensions a plain matrix product contracts; 0 when the equation is no plain one."""
    for n in range(1, len(weight)):
        if inputs.endswith(weight[:n]) and output == inputs[: len(inputs) - n] + weight[n:] and not set(weight[:n]) & set(output):
            return n
    return 0


def analyze(equation: str, bias_axes: Any, input_shape: Any, output_shape: Any) -> tuple[Any, Any, Any]:
    """Shapes of the kernel, of the bias (or None) and of the whole output; ValueError for an equation that cannot be used."""
    text = re.sub(r"(^|[,>])\.\.\.|\.\.\.(?=[,-]|$)", lambda m: m.group(1) or "", equation.replace(" ", ""))
    found = re.match(r"^([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)$", text)
    if found is None:
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], ...[X],[Y]->...[Z], or "
            "[X]...,[Y]->[Z]...."
        )
    source, weight, target = found.groups()
    left = equation.replace(" ", "").startswith("...")
    elided = len(input_shape) - len(source) if "..." in equation else 0
    shape = list(output_shape) if isinstance(output_shape, (list, tuple, TensorShape)) else [output_shape]
    shape = [input_shape[0], *shape]
    if elided > 0:
        if left:
            for i in range(1, elided):
                shape.insert(1, input_shape[i])
        else:
            shape = shape + [input_shape[i] for i in range(len(input_shape) - elided, len(input_shape))]
    if left:
        # positions counted from the end, for the dimensions that are left out stand in front
        places = {c: i - len(target) for i, c in enumerate(target)}
        origins = {c: i - len(source) for i, c in enumerate(source)}
    else:
        places = {c: i for i, c in enumerate(target)}
        origins = {c: i for i, c in enumerate(source)}
    for c in source:
        size = input_shape[origins[c]]
        if c in places and size is not None and shape[places[c]] is not None and shape[places[c]] != size:
            raise ValueError(
                f"Input shape and output shape do not match at shared dimension '{c}'. Input shape is {size}, and output shape is "
                f"{shape[places[c]]}."
            )
    for c in target:
        if c not in source and c not in weight:
            raise ValueError(
                f"Dimension '{c}' was specified in the output '{target}' but has no corresponding dim in the input spec '{source}' or "
                f"weight spec '{target}'"
            )
    sizes = []
    for c in weight:
        if c in origins:
            sizes.append(input_shape[origins[c]])
        elif c in places:
            sizes.append(shape[places[c]])
        else:
            raise ValueError(
                f"Weight dimension '{c}' did not have a match in either the input spec '{source}' or the output spec '{target}'. For this "
                "layer, the weight must be fully specified."
            )
    bias = None
    if bias_axes:
        offsets = {c: shape[places[c]] for c in target}
        for c in bias_axes:
            if c not in target:
                raise ValueError(f"Bias dimension '{c}' was requested, but is not part of the output spec '{target}'")
        first = min(target.index(c) for c in bias_axes)
        bias = [offsets[c] if c in bias_axes else 1 for c in target[first:]]
        if not left:
            bias += [1] * elided
    return sizes, bias, shape


class EinsumDense(WeightOptions, Layer):
    """A dense layer whose product an einsum equation says, such as "abc,cd->abd" (`tf.keras.layers.EinsumDense`)."""

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.equation = equation
        self.partial_output_shape = [output_shape] if isinstance(output_shape, int) else list(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self._set_options(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias of the shapes that the equation asks for."""
        shape = TensorShape(input_shape).as_list()
        kernel, bias, self.full_output_shape = analyze(self.equation, self.bias_axes, shape, self.partial_output_shape)
        self.kernel = self.add_weight(
            "kernel", shape=kernel, initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, dtype=self.dtype, trainable=True,
        )  # fmt: skip
        self.bias = None
        if bias is not None:
            self.bias = self.add_weight(
                "bias", shape=bias, initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, dtype=self.dtype, trainable=True,
            )  # fmt: skip
        plain = self.equation.replace(" ", "")
        source, rest = plain.split(",")
        weight, target = rest.split("->")
        self._contracted = _as_product(source, weight, target)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """activation(einsum(equation, inputs, kernel) + bias)."""
        d = self.__dict__
        out = einsum_dense(inputs, self.kernel, d["equation"], d["_contracted"], self.bias)
        activation = d["activation"]
        return out if activation is None or activation is activations.linear else activation(out)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape that the equation gives."""
        return TensorShape(analyze(self.equation, None, TensorShape(input_shape).as_list(), self.partial_output_shape)[2])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "output_shape": self.partial_output_shape, "equation": self.equation, "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
        })  # fmt: skip
        config.update(self._option_config("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.update(self._option_config("kernel_constraint", "bias_constraint"))
        return config
