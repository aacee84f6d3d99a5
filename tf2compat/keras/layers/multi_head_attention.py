"""MultiHeadAttention on torch's scaled dot product."""

from __future__ import annotations

import math
import string
from typing import Any

import torch
import torch.nn.functional as F

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.narrow import in_single
from tf2compat._engine.op import ANY, op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.math._few_classes import softmax

from .. import regularizers
from .._base.callspec import mask_of
from .._base.layer import Layer
from ._common import WeightOptions
from .activation import Softmax
from .einsum_dense import EinsumDense
from .regularization import Dropout


@op("MultiHeadAttention", query=tensor(FLOATS), key=tensor(FLOATS), value=tensor(FLOATS), mask=ANY)
@in_single
def _attend(query: Any, key: Any, value: Any, scale: float, causal: bool, mask: Any = None) -> Any:
    """[batch, Tq, heads, dim] for query, key and value [batch, T, heads, dim]; masked scores count -1e9, as Keras has it."""
    q, k, v = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale).transpose(1, 2)
    # rows without any valid position attend to all alike; torch's fused kernels have wrong gradients for such rows
    away = (1.0 - mask.to(query.dtype)) * (torch.finfo(query.dtype).min if query.dtype is torch.float16 else -1e9)
    scores = torch.matmul(q * scale, k.transpose(-2, -1)) + (away.unsqueeze(-3) if away.ndim == 3 else away)
    return torch.matmul(softmax(scores, -1), v).transpose(1, 2)


@op("CausalMask", query=ANY, value=ANY)
def _causal(query: Any, value: Any) -> Any:
    return torch.ones((1, query.shape[1], value.shape[1]), dtype=torch.bool, device=query.device).tril()


def _projection(free: int, bound: int, new: int) -> tuple[str, str, int]:
    """The equation that keeps `free` dimensions, contracts `bound` and makes `new` ones; its bias axes; the output's rank."""
    letters = string.ascii_lowercase
    kept, gone, made = letters[:free], letters[free : free + bound], letters[free + bound : free + bound + new]
    return f"{kept}{gone},{gone}{made}->{kept}{made}", made, free + new


def _attention_equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str, int]:
    """The einsums of scores and of the weighted sum for inputs [batch..., heads, dim] attending over `axes`."""
    letters = string.ascii_letters
    target = letters[:rank]
    batch = [i for i in range(rank) if i not in axes and i != rank - 1]
    at = rank
    source = ""
    for i in range(rank):
        if i in batch or i == rank - 1:
            source += target[i]
        else:
            source += letters[at]
            at += 1
    product = "".join([target[i] for i in batch] + [target[i] for i in axes] + [source[i] for i in axes])
    return f"{source},{target}->{product}", f"{product},{source}->{target}", len(product)


def _padded(query: Any, value: Any, key: Any) -> tuple[Any, Any, Any, Any]:
    """Dense tensors, key and value of one length; and the lengths of the query's rows, None for a dense query."""
    lengths = None
    if isinstance(query, tf.RaggedTensor):
        lengths, query = query.nested_row_lengths(), query.to_tensor()
    if isinstance(key, tf.RaggedTensor) and isinstance(value, tf.RaggedTensor):
        bounds = tf.maximum(key.bounding_shape(), value.bounding_shape())
        key, value = key.to_tensor(shape=bounds), value.to_tensor(shape=bounds)
    elif isinstance(key, tf.RaggedTensor):
        key = key.to_tensor(shape=tf.shape(value))
    elif isinstance(value, tf.RaggedTensor):
        value = value.to_tensor(shape=tf.shape(key))
    return query, value, key, lengths


class MultiHeadAttention(WeightOptions, Layer):
    """Attention in `num_heads` projections of size `key_dim` (`tf.keras.layers.MultiHeadAttention`).

    Called with query, value and optionally key, `attention_mask` [batch, Tq, Tv], `use_causal_mask`; masks of the inputs count.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        softmax_robust_masking: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._num_heads = num_heads
        self._key_dim = key_dim
        self._value_dim = value_dim if value_dim else key_dim
        self._dropout = dropout
        self._use_bias = use_bias
        self._output_shape = output_shape
        self._set_options(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._softmax_robust_masking = softmax_robust_masking
        self._attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self._built_from_signature = False
        self._query_shape: Any = None
        self._key_shape: Any = None
        self._value_shape: Any = None

    # --- what subclasses of other libraries use and override: Keras' names ---------------------------------------------
    _kernel_initializer = property(lambda self: self.kernel_initializer)
    _bias_initializer = property(lambda self: self.bias_initializer)
    _kernel_regularizer = property(lambda self: self.kernel_regularizer)
    _bias_regularizer = property(lambda self: self.bias_regularizer)
    _kernel_constraint = property(lambda self: self.kernel_constraint)
    _bias_constraint = property(lambda self: self.bias_constraint)

    def _clone(self, initializer: Any) -> Any:
        return type(initializer).from_config(initializer.get_config()) if hasattr(initializer, "get_config") else initializer

    def _get_common_kwargs_for_sublayer(self) -> dict[str, Any]:
        """The options of each projection; initializers are copies, as one without a seed draws the same numbers again."""
        return {
            "kernel_initializer": self._clone(self.kernel_initializer), "bias_initializer": self._clone(self.bias_initializer),
            "kernel_regularizer": self.kernel_regularizer, "bias_regularizer": self.bias_regularizer,
            "activity_regularizer": self.activity_regularizer, "kernel_constraint": self.kernel_constraint,
            "bias_constraint": self.bias_constraint, "dtype": self._policy,
        }  # fmt: skip

    def _dense(self, equation: str, shape: list[Any], axes: str, name: str | None, options: dict[str, Any]) -> EinsumDense:
        return EinsumDense(equation, output_shape=shape, bias_axes=axes if self._use_bias else None, name=name, **options)

    def _build_from_signature(self, query: Any, value: Any, key: Any = None) -> None:
        self._built_from_signature = True
        self._query_shape = TensorShape(getattr(query, "shape", query))
        self._value_shape = TensorShape(getattr(value, "shape", value))
        self._key_shape = self._value_shape if key is None else TensorShape(getattr(key, "shape", key))
        rank = self._value_shape.rank + 1

        def projection(name: str, source: TensorShape, size: int) -> EinsumDense:
            equation, axes, out_rank = _projection(source.rank - 1, 1, 2)
            options = self._get_common_kwargs_for_sublayer()
            return self._dense(equation, [None] * (out_rank - 3) + [self._num_heads, size], axes, name, options)

        self._query_dense = projection("query", self._query_shape, self._key_dim)
        self._key_dense = projection("key", self._key_shape, self._key_dim)
        self._value_dense = projection("value", self._value_shape, self._value_dim)
        self._build_attention(rank)
        whole = (MultiHeadAttention._compute_attention, MultiHeadAttention._masked_softmax, MultiHeadAttention._build_attention)
        own = (type(self)._compute_attention, type(self)._masked_softmax, type(self)._build_attention) != whole
        self._plain = rank == 4 and self._attention_axes == (1,) and not self._softmax_robust_masking and not own
        self._output_dense = self._make_output_dense(
            self._query_shape.rank - 1, self._get_common_kwargs_for_sublayer(), "attention_output"
        )

    def _build_attention(self, rank: int) -> None:
        """The equations of scores and of their weighted sum, the softmax and the dropout, for projections of `rank`."""
        self._attention_axes = tuple(range(1, rank - 2)) if self._attention_axes is None else tuple(self._attention_axes)
        self._dot_product_equation, self._combine_equation, scores_rank = _attention_equations(rank, self._attention_axes)
        self._softmax = Softmax(
            axis=tuple(range(scores_rank - len(self._attention_axes), scores_rank)), robust_masking=self._softmax_robust_masking,
            dtype=self._policy,
        )  # fmt: skip
        self._dropout_layer = Dropout(rate=self._dropout, dtype=self._policy)

    def _make_output_dense(self, free_dims: int, common_kwargs: dict[str, Any], name: str | None = None) -> EinsumDense:
        """The projection of all heads to the output's size."""
        out = self._output_shape
        shape = [self._query_shape[-1]] if not out else [out] if isinstance(out, int) else list(out)
        equation, axes, out_rank = _projection(free_dims, 2, len(shape))
        return self._dense(equation, [None] * (out_rank - 1 - len(shape)) + shape, axes, name, common_kwargs)

    def _masked_softmax(self, attention_scores: Any, attention_mask: Any = None) -> Any:
        """The shares of the scores [batch, heads, ..., ...]; masked ones have none."""
        if attention_mask is not None:
            at = -len(self._attention_axes) * 2 - 1
            for _ in range(len(attention_scores.shape) - len(attention_mask.shape)):
                attention_mask = tf.expand_dims(attention_mask, axis=at)
        return self._softmax(attention_scores, attention_mask)

    def _compute_attention(self, query: Any, key: Any, value: Any, attention_mask: Any = None, training: Any = None) -> tuple[Any, Any]:
        """The attended values and the shares, from projections [batch, ..., heads, dim]."""
        query = tf.multiply(query, 1.0 / math.sqrt(float(self._key_dim)))
        scores = self._masked_softmax(tf.einsum(self._dot_product_equation, key, query), attention_mask)
        dropped = self._dropout_layer(scores, training=training)
        return tf.einsum(self._combine_equation, dropped, value), scores

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, projected to the query's size; with `return_attention_scores` the scores too."""
        if not self._built_from_signature:
            self._build_from_signature(query=query, value=value, key=key)
        key = value if key is None else key
        if any(isinstance(x, tf.RaggedTensor) for x in (query, value, key)):
            query, value, key, lengths = _padded(query, value, key)
            if lengths is not None:
                found = self.call(query, value, key, attention_mask, return_attention_scores, training, use_causal_mask)
                whole = found[0] if return_attention_scores else found
                whole = tf.RaggedTensor.from_tensor(whole, lengths)
                return (whole, found[1]) if return_attention_scores else whole
        drops = self._dropout > 0 and training is not False and training is not None
        plain = self._plain and not drops and not return_attention_scores
        mask = self._compute_attention_mask(query, value, key, attention_mask, False)
        if use_causal_mask and (mask is not None or not plain):
            mask = self._compute_attention_mask(query, value, key, attention_mask, True)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        if plain and (mask is None or len(mask.shape) in (3, 4)):
            return self._output_dense(_attend(q, k, v, 1.0 / math.sqrt(float(self._key_dim)), bool(use_causal_mask), mask))
        out, scores = self._compute_attention(q, k, v, mask, training)
        out = self._output_dense(out)
        return (out, scores) if return_attention_scores else out

    def _compute_attention_mask(self, query: Any, value: Any, key: Any = None, attention_mask: Any = None, use_causal_mask: bool = False) -> Any:
        """The masks of the inputs, of the causal order and of the caller in one; None where there is none."""
        found = None
        for source, axis in ((query, 2), (value, 1), (value if key is None else key, 1)):
            own = mask_of(source)
            if own is not None:
                own = tf.expand_dims(tf.cast(own, tf.bool), axis)
                found = own if found is None else tf.logical_and(found, own)
        if use_causal_mask:
            lower = self._compute_causal_mask(query, value)
            found = lower if found is None else tf.logical_and(found, lower)
        if found is None:
            return attention_mask
        return found if attention_mask is None else tf.logical_and(tf.cast(attention_mask, tf.bool), found)

    def _compute_causal_mask(self, query: Any, value: Any = None) -> Any:
        """True where a position of `value` is not after that of `query`: [1, Tq, Tv]."""
        return _causal(query, query if value is None else value)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> TensorShape:
        """The query's shape, its last dimension(s) `output_shape` when given."""
        query = TensorShape(query_shape)
        if value_shape is not None:
            value = TensorShape(value_shape)
            other = value if key_shape is None else TensorShape(key_shape)
            if query[-1] != value[-1]:
                raise ValueError(
                    f"The last dimension of `query_shape` and `value_shape` must be equal, but are {query[-1]}, {value[-1]}. Received: "
                    f"query_shape={query_shape}, value_shape={value_shape}"
                )
            if value[1:-1] != other[1:-1]:
                raise ValueError(f"All dimensions of `value` and `key`, except the last one, must be equal. Received {value} and {other}")
        return query[:-1].concatenate(self._output_shape) if self._output_shape else query

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, and the shapes that it was built for."""
        config = super().get_config()
        config.update({
            "num_heads": self._num_heads, "key_dim": self._key_dim, "value_dim": self._value_dim, "dropout": self._dropout,
            "use_bias": self._use_bias, "output_shape": self._output_shape, "attention_axes": self._attention_axes,
        })  # fmt: skip
        config.update(self._option_config("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        config.update(self._option_config("kernel_constraint", "bias_constraint"))
        config.update({
            "query_shape": self._query_shape, "key_shape": self._key_shape, "value_shape": self._value_shape,
            "softmax_robust_masking": self._softmax_robust_masking,
        })  # fmt: skip
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` returned, with weights when it had them."""
        config = dict(config)
        shapes = [config.pop(k, None) for k in ("query_shape", "value_shape", "key_shape")]
        layer = cls(**config)
        if all(s is not None for s in shapes):
            layer._build_from_signature(*(TensorShape(s) for s in shapes))
        return layer
