"""The Embedding layer."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.shapes import TensorShape
from tf2compat.nn.embedding import gathered

from .. import regularizers
from .._base.layer import Layer
from ._common import WeightOptions


class Embedding(WeightOptions, Layer):
    """A vector for each integer below `input_dim` (`tf.keras.layers.Embedding`); with `mask_zero` 0 means padding."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs:
            kwargs["input_shape"] = (input_length,) if input_length else (None,)
        if input_dim <= 0 or output_dim <= 0:
            raise ValueError(
                f"Both `input_dim` and `output_dim` should be positive, Received input_dim = {input_dim} and output_dim = {output_dim}"
            )
        kwargs["autocast"] = False
        self._use_one_hot_matmul = kwargs.pop("use_one_hot_matmul", False)
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self._set_options(
            embeddings_initializer=embeddings_initializer, embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )  # fmt: skip
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.input_length = input_length
        if sparse and mask_zero:
            raise ValueError("`mask_zero` cannot be enabled when `tf.keras.layers.Embedding` is used with `tf.SparseTensor` input.")
        self.sparse = sparse

    def build(self, input_shape: Any = None) -> None:
        """Create embeddings [input_dim, output_dim]."""
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim), initializer=self.embeddings_initializer, name="embeddings",
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint, experimental_autocast=False,
        )  # fmt: skip
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """inputs != 0 with `mask_zero`, else None."""
        return tf.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The input's shape with `output_dim` at the end."""
        shape = TensorShape(input_shape).as_list()
        if self.input_length is None:
            return TensorShape([*shape, self.output_dim])
        lengths = list(self.input_length) if isinstance(self.input_length, (list, tuple)) else [self.input_length]
        wrong = f'"input_length" is {self.input_length}, but received input has shape {tuple(shape)}'
        if len(lengths) != len(shape) - 1:
            raise ValueError(wrong)
        for i, (one, two) in enumerate(zip(lengths, shape[1:], strict=True)):
            if one is not None and two is not None and one != two:
                raise ValueError(wrong)
            if one is None:
                lengths[i] = two
        return TensorShape([shape[0], *lengths, self.output_dim])

    def call(self, inputs: Any) -> Any:
        """The vectors of inputs."""
        kind = inputs.dtype
        if kind is not tf.int32 and kind is not tf.int64:
            inputs = tf.cast(inputs, "int32")
        if isinstance(inputs, tf.SparseTensor):
            out = self._of_sparse(inputs)
        elif self._use_one_hot_matmul:
            out = tf.matmul(tf.one_hot(inputs, self.input_dim, dtype=self.embeddings.dtype), self.embeddings)
        else:
            out = gathered(self.embeddings, inputs)
        if self.sparse and not isinstance(out, tf.SparseTensor):
            out = tf.sparse.from_dense(out)
        return out if self.compute_dtype == self.variable_dtype else tf.cast(out, self.compute_dtype)

    def _of_sparse(self, inputs: Any) -> Any:
        """The vectors of the values that are there; where there are none, the vector of 0 in a dense result."""
        if not self.sparse:
            ids = tf.sparse.to_dense(inputs)
            return gathered(self.embeddings, ids)
        width = self.output_dim
        within = tf.tile(tf.range(width, dtype=tf.int64), [tf.shape(inputs.indices)[0]])
        return tf.SparseTensor(
            tf.concat([tf.repeat(inputs.indices, width, axis=0), within[:, None]], 1),
            tf.reshape(gathered(self.embeddings, inputs.values), [-1]),
            tf.concat([inputs.dense_shape, tf.constant([width], tf.int64)], 0),
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"input_dim": self.input_dim, "output_dim": self.output_dim})
        config.update(self._option_config("embeddings_initializer", "embeddings_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.update(self._option_config("embeddings_constraint"))
        config.update({"mask_zero": self.mask_zero, "input_length": self.input_length})
        return config
