"""LocallyConnected1D, LocallyConnected2D: convolutions without shared weights."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch

from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape

from .. import activations, regularizers
from .._base.input_spec import InputSpec
from .._base.layer import Layer
from ._common import WeightOptions, conv_output_length, normalize_data_format, normalize_padding, normalize_tuple


@op("LocalPatches", x=tensor(FLOATS), kernel=tensor(FLOATS))
def _by_patches(x: Any, kernel: Any, window: Any, strides: Any, sizes: Any, first: bool) -> Any:
    """Each output position with its own kernel [positions, window * in, out]."""
    n = len(window)
    y = x if first else x.movedim(-1, 1)
    for i, (k, s) in enumerate(zip(window, strides, strict=True)):
        y = y.unfold(2 + i, k, s)
    # [batch, in, *positions, *window]
    batch = y.shape[0]
    positions, inner = list(range(2, 2 + n)), list(range(2 + n, 2 + 2 * n))
    order = [0, *positions, 1, *inner] if first else [0, *positions, *inner, 1]
    flat = y.permute(order).reshape(batch, kernel.shape[0], -1)
    out = torch.einsum("bpk,pko->bpo", flat, kernel).reshape(batch, *sizes, kernel.shape[2])
    return out.movedim(-1, 1) if first else out


@op("LocalMatrix", x=tensor(FLOATS), matrix=tensor(FLOATS))
def _by_matrix(x: Any, matrix: Any, shape: Any) -> Any:
    return (x.flatten(1) @ matrix).reshape(x.shape[0], *shape)


@op("LocalSparse", x=tensor(FLOATS), kernel=tensor(FLOATS))
def _by_entries(x: Any, kernel: Any, rows: Any, columns: Any, size: int, shape: Any) -> Any:
    flat = x.flatten(1)
    rows_t = torch.as_tensor(rows, device=x.device)
    columns_t = torch.as_tensor(columns, device=x.device)
    out = flat.new_zeros((flat.shape[0], size)).index_add(1, rows_t, flat[:, columns_t] * kernel)
    return out.reshape(x.shape[0], *shape)


class _LocallyConnected(WeightOptions, Layer):
    _n: int

    def _start(self, arguments: dict[str, Any], options: dict[str, Any], regular: Any) -> None:
        n = self._n
        self.filters = arguments["filters"]
        self.kernel_size = normalize_tuple(arguments["kernel_size"], n, "kernel_size")
        self.strides = normalize_tuple(arguments["strides"], n, "strides", allow_zero=True)
        padding = arguments["padding"]
        self.padding = normalize_padding(padding)
        self.implementation = arguments["implementation"]
        if self.padding != "valid" and self.implementation == 1:
            raise ValueError(
                f"Invalid border mode for LocallyConnected{n}D (only \"valid\" is supported if implementation is 1): {padding}"
            )
        self.data_format = normalize_data_format(arguments["data_format"])
        self.activation = activations.get(arguments["activation"])
        self.use_bias = arguments["use_bias"]
        self._set_options(**options)
        self.activity_regularizer = regularizers.get(regular)
        self.input_spec = InputSpec(ndim=n + 2)

    def _sizes(self, spatial: Any) -> list[Any]:
        return [conv_output_length(d, k, self.padding, s) for d, k, s in zip(spatial, self.kernel_size, self.strides, strict=True)]

    def _links(self, spatial: Any) -> list[tuple[int, int]]:
        """Pairs (output position, input position) that are connected."""
        pairs = []
        before = [k // 2 if self.padding == "same" else 0 for k in self.kernel_size]
        for out in itertools.product(*(range(o) for o in self._out)):
            spans = [
                range(max(p * s - b, 0), min(p * s - b + k, d))
                for p, s, b, k, d in zip(out, self.strides, before, self.kernel_size, spatial, strict=True)
            ]
            place = int(np.ravel_multi_index(out, self._out))
            pairs += [(place, int(np.ravel_multi_index(at, spatial))) for at in itertools.product(*spans)]
        return pairs

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        dims = TensorShape(input_shape).as_list()
        first = self.data_format == "channels_first"
        spatial, channels = (dims[2:], dims[1]) if first else (dims[1:-1], dims[-1])
        if None in spatial:
            raise ValueError(
                f"The spatial dimensions of the inputs to  a LocallyConnected{self._n}D layer should be fully-defined, but layer received "
                f"the inputs shape {tuple(dims)}"
                if self._n == 2
                else f"Axis 1 of input should be fully-defined. Found shape: {tuple(dims)}"
            )
        self._out = tuple(self._sizes(spatial))
        if min(self._out) <= 0:
            raise ValueError(
                f"One of the dimensions in the output is <= 0 due to downsampling in {self.name}. Consider increasing the input size. "
                f"Received input shape {tuple(dims)} which would produce output shape with a zero or negative value in a dimension."
            )
        positions, k = int(np.prod(self._out)), int(np.prod(self.kernel_size))
        self._first = first
        if self.implementation == 1:
            shape: tuple[int, ...] = (positions, k * channels, self.filters)
        elif self.implementation == 2:
            shape = (channels, *spatial, self.filters, *self._out) if first else (*spatial, channels, *self._out, self.filters)
            mask = np.zeros((int(np.prod(spatial)), positions), "float32")
            for out, at in self._links(spatial):
                mask[at, out] = 1
            one, two = (1, *spatial, 1, *self._out), (*spatial, 1, *self._out, 1)
            self.kernel_mask = mask.reshape(one if first else two)
        elif self.implementation == 3:
            size, wide = positions, int(np.prod(spatial))
            entries = []
            for out, at in self._links(spatial):
                for f, c in itertools.product(range(self.filters), range(channels)):
                    entries.append((f * size + out, c * wide + at) if first else (out * self.filters + f, at * channels + c))
            entries.sort()
            self._rows, self._columns = np.array([e[0] for e in entries]), np.array([e[1] for e in entries])
            shape = (len(entries),)
        else:
            raise ValueError(f"Unrecognized implementation mode: {self.implementation}.")
        self.kernel = self.add_weight(
            shape=shape, initializer=self.kernel_initializer, name="kernel", regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(*self._out, self.filters), initializer=self.bias_initializer, name="bias", regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=self._n + 2, axes={1 if first else -1: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        """activation(local products of inputs + bias)."""
        import tf2compat as tf

        first = self._first
        shape = (self.filters, *self._out) if first else (*self._out, self.filters)
        if self.implementation == 1:
            out = _by_patches(inputs, self.kernel, self.kernel_size, self.strides, self._out, first)
        elif self.implementation == 2:
            rows = int(np.prod(self.kernel.shape.as_list()[: self._n + 1]))
            matrix = tf.reshape(self.kernel * self.kernel_mask, [rows, -1])
            out = _by_matrix(inputs, matrix, shape)
        else:
            out = _by_entries(inputs, self.kernel, self._rows, self._columns, int(np.prod(shape)), shape)
        if self.bias is not None:
            out = out + (tf.transpose(self.bias, [self._n, *range(self._n)]) if first else self.bias)
        return self.activation(out)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the result."""
        dims = TensorShape(input_shape).as_list()
        if self.data_format == "channels_first":
            return TensorShape([dims[0], self.filters, *self._sizes(dims[2:])])
        return TensorShape([dims[0], *self._sizes(dims[1:-1]), self.filters])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "filters": self.filters, "kernel_size": self.kernel_size, "strides": self.strides, "padding": self.padding,
            "data_format": self.data_format, "activation": activations.serialize(self.activation), "use_bias": self.use_bias,
        })  # fmt: skip
        config.update(self._option_config("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.update(self._option_config("kernel_constraint", "bias_constraint"))
        config["implementation"] = self.implementation
        return config




class LocallyConnected1D(_LocallyConnected):
    """A 1-D convolution whose weights differ from place to place (`tf.keras.layers.LocallyConnected1D`)."""

    _n = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._start(dict(
            filters=filters, kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format, activation=activation,
            use_bias=use_bias, implementation=implementation,
        ), dict(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        ), activity_regularizer)  # fmt: skip


class LocallyConnected2D(_LocallyConnected):
    """A 2-D convolution whose weights differ from place to place (`tf.keras.layers.LocallyConnected2D`)."""

    _n = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._start(dict(
            filters=filters, kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format, activation=activation,
            use_bias=use_bias, implementation=implementation,
        ), dict(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        ), activity_regularizer)  # fmt: skip
