"""Normalization, Discretization, CategoryEncoding, Hashing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import tf2compat as tf
from tf2compat._engine.dtypes import REALS
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape

from .._base.config import settings
from .._base.layer import Layer
from ._adapting import PreprocessingLayer, check_mode, encode, encoded_shape, listed


class Normalization(PreprocessingLayer):
    """(inputs - mean) / sqrt(variance), of values given or found by `adapt` (`tf.keras.layers.Normalization`).

    `axis` are the axes that keep statistics of their own; `invert` undoes the normalisation.
    """

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        for word, value in (("mean", mean), ("variance", variance)):
            if isinstance(value, tf.Variable):
                raise ValueError(f"Normalization does not support passing a Variable for the `{word}` init arg.")
        if (mean is not None) != (variance is not None):
            raise ValueError(
                f"When setting values directly, both `mean` and `variance` must be set. Got mean: {mean} and variance: {variance}"
            )
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert

    def build(self, input_shape: Any) -> None:
        """Find out which axes are kept; make the statistics."""
        if isinstance(input_shape, (list, tuple)) and all(isinstance(s, TensorShape) for s in input_shape):
            raise ValueError(
                "Normalization only accepts a single input. If you are passing a python list or tuple as a single input, please convert "
                "to a numpy array or `tf.Tensor`."
            )
        super().build(input_shape)
        dims = TensorShape(input_shape).as_list()
        rank = len(dims)
        if any(a < -rank or a >= rank for a in self.axis):
            raise ValueError(f"All `axis` values must be in the range [-ndim, ndim). Found ndim: `{rank}`, axis: {self.axis}")
        self._keep_axis = sorted(a % rank for a in self.axis)
        for a in self._keep_axis:
            if dims[a] is None:
                raise ValueError(
                    f"All `axis` values to be kept must have known shape. Got axis: {self.axis}, input shape: {dims}, with unknown axis at "
                    f"index: {a}"
                )
        self._reduce_axis = [a for a in range(rank) if a not in self._keep_axis]
        self._broadcast_shape = [dims[a] if a in self._keep_axis else 1 for a in range(rank)]
        shape = tuple(dims[a] for a in self._keep_axis)
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(name="mean", shape=shape, dtype=self.compute_dtype, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight(
                name="variance", shape=shape, dtype=self.compute_dtype, initializer="ones", trainable=False
            )
            self.count = self.add_weight(name="count", shape=(), dtype=tf.int64, initializer="zeros", trainable=False)
            self.built = True
            self.finalize_state()
        else:
            self.mean = tf.cast(tf.reshape(self.input_mean * np.ones(shape), self._broadcast_shape), self.compute_dtype)
            self.variance = tf.cast(tf.reshape(self.input_variance * np.ones(shape), self._broadcast_shape), self.compute_dtype)
        self.built = True

    def _prepared(self, data: Any) -> Any:
        return tf.cast(super()._prepared(data), self.compute_dtype)

    def update_state(self, data: Any) -> None:
        """Merge the mean and variance of a batch with those so far."""
        if self.input_mean is not None:
            raise ValueError(
                "Cannot `adapt` a Normalization layer that is initialized with static `mean` and `variance`, you passed mean "
                f"{self.input_mean} and variance {self.input_variance}."
            )
        if not self.built:
            raise RuntimeError("`build` must be called before `update_state`.")
        data = self._prepared(data)
        mean, variance = tf.nn.moments(data, axes=self._reduce_axis)
        sizes = data.shape.as_list()
        n = int(np.prod([sizes[a] for a in self._reduce_axis])) if self._reduce_axis else 1
        total = n + int(self.count.numpy())
        share = n / total
        new_mean = self.adapt_mean * (1.0 - share) + mean * share
        new_variance = (self.adapt_variance + (self.adapt_mean - new_mean) ** 2) * (1.0 - share) + (
            variance + (mean - new_mean) ** 2
        ) * share
        self.adapt_mean.assign(new_mean)
        self.adapt_variance.assign(new_variance)
        self.count.assign(total)

    def reset_state(self) -> None:
        """Forget all data."""
        if self.input_mean is not None or not self.built:
            return
        self.adapt_mean.assign(tf.zeros_like(self.adapt_mean))
        self.adapt_variance.assign(tf.ones_like(self.adapt_variance))
        self.count.assign(tf.zeros_like(self.count))

    def finalize_state(self) -> None:
        """Take the statistics into use."""
        if self.input_mean is not None or not self.built:
            return
        self.mean = tf.cast(tf.reshape(self.adapt_mean, self._broadcast_shape), self.compute_dtype)
        self.variance = tf.cast(tf.reshape(self.adapt_variance, self._broadcast_shape), self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        inputs = self._prepared(inputs)
        spread = tf.maximum(tf.sqrt(self.variance), settings.epsilon)
        return self.mean + inputs * spread if self.invert else (inputs - self.mean) / spread

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def load_own_variables(self, store: Any) -> None:
        """Take the statistics from `store`."""
        super().load_own_variables(store)
        self.finalize_state()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "axis": self.axis, "invert": self.invert, "mean": listed(self.input_mean), "variance": listed(self.input_variance),
        })  # fmt: skip
        return config


def _output_dtype(kwargs: dict[str, Any], mode: str) -> None:
    """int64 for the mode "int", floats for the others, unless the caller said otherwise."""
    if kwargs.get("dtype") is None:
        kwargs["dtype"] = "int64" if mode == "int" else settings.floatx
    elif mode == "int" and not tf.as_dtype(kwargs["dtype"]).is_integer:
        kwargs["dtype"] = "int64"


def _no_sparse_int(sparse: bool, mode: str) -> None:
    if sparse and mode == "int":
        raise ValueError(
            '`sparse` may only be true if `output_mode` is `"one_hot"`, `"multi_hot"`, or `"count"`. '
            f"Received: sparse={sparse} and output_mode={mode}"
        )


@op("Bucketize", x=tensor(REALS))
def bucketize(x: Any, boundaries: Any) -> Any:
    edges = torch.tensor(boundaries, dtype=torch.float32, device=x.device)
    return torch.bucketize(x.to(torch.float32), edges, right=True)


def _compressed(summary: Any, epsilon: float) -> Any:
    """A summary (values in order, their weights) of no more than 1 / epsilon values: the values at those shares of the weight."""
    if summary.shape[1] * epsilon < 1:
        return summary.astype("float32")
    wanted = epsilon + np.arange(0.0, 1.0, epsilon)
    total = summary[1].cumsum()
    share = total / total[-1]
    at = np.interp(wanted, share, total)
    return np.stack([np.interp(wanted, share, summary[0]), np.diff(at, prepend=0.0)]).astype("float32")


def _by_values(fn: Any, inputs: Any) -> Any:
    """`fn` of a tensor's elements; of the values that are there for a sparse or ragged one."""
    if isinstance(inputs, tf.SparseTensor):
        return tf.SparseTensor(inputs.indices, fn(inputs.values), inputs.dense_shape)
    return tf.ragged.map_flat_values(fn, inputs) if isinstance(inputs, tf.RaggedTensor) else fn(inputs)


class Discretization(PreprocessingLayer):
    """Numbers as the bins that they fall in, of given boundaries or of quantiles found by `adapt` (`tf.keras.layers.Discretization`)."""

    _adapts_by = 32  # what is kept of some batches depends on them

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        bins = kwargs.pop("bins", None)
        if isinstance(bins, int) and num_bins is None:
            num_bins = bins
        elif bins is not None and bin_boundaries is None:
            bin_boundaries = bins
        _output_dtype(kwargs, output_mode)
        super().__init__(**kwargs)
        check_mode(output_mode, ("int", "one_hot", "multi_hot", "count"), type(self).__name__)
        _no_sparse_int(sparse, output_mode)
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. You passed `num_bins={num_bins}`")
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                f"Both `num_bins` and `bin_boundaries` should not be set. You passed `num_bins={num_bins}` and "
                f"`bin_boundaries={bin_boundaries}`"
            )
        self.input_bin_boundaries = listed(bin_boundaries)
        self.__dict__["bin_boundaries"] = self.input_bin_boundaries or []
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode = output_mode
        self.sparse = sparse
        self.__dict__["_values"] = []

    def build(self, input_shape: Any) -> None:
        """Make the summary that is saved with the layer."""
        super().build(input_shape)
        if self.input_bin_boundaries is None:
            self.summary = self.add_weight(name="summary", shape=(2, 0), dtype=tf.float32, initializer="zeros", trainable=False)
            self.summary._shape = TensorShape([2, None])
        self.built = True

    def update_state(self, data: Any) -> None:
        """Take a batch of numbers into account."""
        if self.input_bin_boundaries is not None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` instead. You passed "
                f"`bin_boundaries={self.input_bin_boundaries}`."
            )
        if not self.built:
            raise RuntimeError("`build` must be called before `update_state`.")
        values = np.sort(np.asarray(tf.cast(data, tf.float32)).reshape(-1))
        start = int(np.float32(len(values)) / np.float32(1.0 / self.epsilon))
        step = max(start, 1)
        edges = values[start::step]
        new = np.stack([edges, np.full_like(edges, step)])
        merged = np.concatenate([new, self.summary.numpy()], axis=1)
        merged = merged[:, np.argsort(merged[0], kind="stable")]
        self.summary.assign(_compressed(merged, self.epsilon))

    def finalize_state(self) -> None:
        """Find the boundaries."""
        if self.input_bin_boundaries is not None or not self.built or self.num_bins is None:
            return
        edges, weights = self.summary.numpy()
        if not len(edges):
            self.__dict__["bin_boundaries"] = []
            return
        self.__dict__["bin_boundaries"] = _compressed(np.stack([edges, weights]), 1.0 / self.num_bins)[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget all data."""
        if self.input_bin_boundaries is None and self.built:
            self.summary.assign(np.zeros((2, 0), "float32"))

    def call(self, inputs: Any) -> Any:
        """The bins of inputs in the form that `output_mode` says."""
        inputs = self._prepared(inputs)
        found = _by_values(lambda values: bucketize(values, tuple(self.bin_boundaries)), inputs)
        return encode(found, self.output_mode, len(self.bin_boundaries) + 1, self.compute_dtype, self.sparse)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the encoded bins."""
        return encoded_shape(input_shape, self.output_mode, len(self.bin_boundaries) + 1)

    def load_own_variables(self, store: Any) -> None:
        """Take the summary from `store`."""
        super().load_own_variables(store)
        self.finalize_state()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "bin_boundaries": self.input_bin_boundaries, "num_bins": self.num_bins, "epsilon": self.epsilon,
            "output_mode": self.output_mode, "sparse": self.sparse,
        })  # fmt: skip
        return config


@op("CheckCategories", stateful=True, x=tensor(REALS))
def _check_range(x: Any, depth: int) -> Any:
    if x.device.type != "meta" and x.numel() and (int(x.max()) >= depth or int(x.min()) < 0):
        from tf2compat.errors import InvalidArgumentError

        raise InvalidArgumentError(
            None, None, f"Input values must be in the range 0 <= values < num_tokens with num_tokens={depth}"
        )
    return x


class CategoryEncoding(Layer):
    """Category numbers as one hot, multi hot or count vectors (`tf.keras.layers.CategoryEncoding`)."""

    def __init__(self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any) -> None:
        num_tokens = kwargs.pop("max_tokens", num_tokens)
        kwargs.setdefault("dtype", settings.floatx)
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        check_mode(output_mode, ("count", "one_hot", "multi_hot"), "CategoryEncoding")
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known beforehand, use the IntegerLookup layer "
                "instead."
            )
        if num_tokens < 1:
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        self.num_tokens = num_tokens
        self.output_mode = output_mode
        self.sparse = sparse

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """The encoded inputs; InvalidArgumentError for a number outside [0, num_tokens)."""
        inputs = inputs if hasattr(getattr(inputs, "shape", None), "rank") else tf.convert_to_tensor(inputs)
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    f"`count_weights` is not used when `output_mode` is not `'count'`. Received `count_weights={count_weights}`."
                )
            count_weights = tf.cast(count_weights, self.compute_dtype)
        if not inputs.dtype.is_integer:
            inputs = tf.cast(inputs, tf.int64)
        if hasattr(inputs, "row_splits") or hasattr(inputs, "dense_shape"):
            if self.output_mode != "one_hot":
                return self._of_composite(inputs, count_weights)
            inputs = inputs.with_values(_check_range(inputs.values, self.num_tokens))
        else:
            inputs = _check_range(inputs, self.num_tokens)
        return encode(
            inputs, self.output_mode, self.num_tokens, self.compute_dtype, self.sparse, count_weights
        )

    def _of_composite(self, inputs: Any, count_weights: Any) -> Any:
        depth = self.num_tokens
        inputs = inputs.with_values(_check_range(inputs.values, depth))
        binary = self.output_mode == "multi_hot"
        found = tf.sparse.bincount(inputs, count_weights, axis=-1, minlength=depth, maxlength=depth, binary_output=binary)
        found = tf.cast(tf.sparse.to_dense(found), self.compute_dtype)
        found.set_shape([inputs.shape[0], depth])
        return tf.sparse.from_dense(found) if self.sparse else found

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the encoded inputs."""
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"num_tokens": self.num_tokens, "output_mode": self.output_mode, "sparse": self.sparse})
        return config


class Hashing(Layer):
    """Integers and strings as one of `num_bins` hash bins (`tf.keras.layers.Hashing`); `mask_value` goes to bin 0."""

    def __init__(
        self, num_bins: int, mask_value: Any = None, salt: Any = None, output_mode: str = "int", sparse: bool = False, **kwargs: Any
    ) -> None:
        if num_bins is None or num_bins <= 0:
            raise ValueError(f"The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins={num_bins}.")
        _output_dtype(kwargs, output_mode)
        super().__init__(**kwargs)
        check_mode(output_mode, ("int", "one_hot", "multi_hot", "count"), type(self).__name__)
        _no_sparse_int(sparse, output_mode)
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.strong_hash = salt is not None
        self.output_mode = output_mode
        self.sparse = sparse
        self.salt = None
        if salt is not None:
            if isinstance(salt, (tuple, list)) and len(salt) == 2:
                self.salt = list(salt)
            elif isinstance(salt, int):
                self.salt = [salt, salt]
            else:
                raise ValueError(
                    f"The `salt` argument for `Hashing` can only be a tuple of size 2 integers, or a single integer. Received: salt={salt}."
                )

    def call(self, inputs: Any) -> Any:
        """The bins of inputs in the form that `output_mode` says."""
        inputs = inputs if hasattr(getattr(inputs, "shape", None), "rank") else tf.convert_to_tensor(inputs)
        return encode(_by_values(self._bins, inputs), self.output_mode, self.num_bins, self.compute_dtype, self.sparse)

    def _bins(self, values: Any) -> Any:
        bins = self.num_bins
        mask = None
        if self.mask_value is not None and bins > 1:
            bins -= 1
            mask = tf.equal(values, self.mask_value)
        text = tf.strings.as_string(values) if values.dtype.is_integer else values
        if self.strong_hash:
            found = tf.strings.to_hash_bucket_strong(text, bins, name="hash", key=self.salt)
        else:
            found = tf.strings.to_hash_bucket_fast(text, bins, name="hash")
        if mask is not None:
            found = tf.where(mask, tf.zeros_like(found), found + 1)
        return found

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the encoded bins."""
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "num_bins": self.num_bins, "salt": self.salt, "mask_value": self.mask_value, "output_mode": self.output_mode,
            "sparse": self.sparse,
        })  # fmt: skip
        return config
