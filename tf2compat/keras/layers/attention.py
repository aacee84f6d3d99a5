"""Attention and AdditiveAttention."""

from __future__ import annotations

from typing import Any

import torch

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.dtypes import bool as tf_bool
from tf2compat._engine.op import op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.math._few_classes import softmax
from tf2compat.nn.dropping import dropped

from .._base.layer import Layer
from .._base.random_numbers import OwnNumbers, kind_of, numbers_of
from .._base.seeds import next_stream


@op("AttentionWeights", scores=tensor(FLOATS), mask=tensor(tf_bool, group="B"))
def attention_weights(scores: Any, causal: bool, mask: Any = None) -> Any:
    """softmax of scores [..., Tq, Tv] over the values that `mask` keeps, and with `causal` over earlier ones only."""
    if causal:
        rows, columns = scores.shape[-2:]
        lower = torch.ones((rows, columns), dtype=torch.bool, device=scores.device).tril()
        mask = lower if mask is None else mask & lower
    if mask is not None:
        away = (~mask).to(scores.dtype)
        scores = scores - (65504.0 if scores.dtype is torch.float16 else 1.0e9) * away
    return softmax(scores, -1)


class _DenseAttention(OwnNumbers, Layer):
    """Attention over [query, value] or [query, value, key], with masks for query and value."""

    def __init__(self, dropout: float = 0.0, **kwargs: Any) -> None:
        causal, seed = kwargs.pop("causal", False), kwargs.pop("seed", None)
        kind = {k: kwargs.pop(k) for k in ("rng_type", "force_generator") if k in kwargs}
        super().__init__(**kwargs)
        self.__dict__["_next_seed"] = None if seed is None else int(seed)
        self.__dict__["_numbers"] = numbers_of(seed, **kind)
        self.causal = causal
        self.dropout = dropout
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        self.built = True

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        raise NotImplementedError

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, return_attention_scores: bool = False, use_causal_mask: bool = False
    ) -> Any:
        """The values, weighted for each query; with `return_attention_scores` the weights too."""
        self._checked(inputs, mask)
        q, v = inputs[0], inputs[1]
        k = inputs[2] if len(inputs) > 2 else v
        q_mask = mask[0] if mask else None
        v_mask = mask[1] if mask else None
        scores = self._calculate_scores(q, k)
        v_mask = None if v_mask is None else tf.expand_dims(tf.cast(v_mask, tf.bool), axis=-2)
        weights = attention_weights(scores, bool(self.causal or use_causal_mask), v_mask)
        if training and self.dropout > 0:
            numbers = self.__dict__["_numbers"]
            if numbers is not None:
                weights = numbers.dropout(weights, self.dropout)
            else:
                weights = dropped(weights, float(self.dropout), None, next_stream(self.__dict__, "uniform", weights.dtype))
        result = tf.matmul(weights, v)
        if q_mask is not None:
            result = result * tf.cast(tf.expand_dims(q_mask, axis=-1), result.dtype)
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        self._checked(inputs, mask)
        return mask[0] if mask else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """[batch, Tq, dim of the values]."""
        query = TensorShape(input_shape[0]).as_list()
        return TensorShape(query)

    def _checked(self, inputs: Any, mask: Any) -> None:
        name = type(self).__name__
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"{name} layer must be called on a list of inputs, namely [query, value] or [query, value, key]. "
                             f"Received: {inputs}.")  # fmt: skip
        if len(inputs) < 2 or len(inputs) > 3:
            raise ValueError(
                f"{name} layer accepts inputs list of length 2 or 3, namely [query, value] or [query, value, key]. Received length: "
                f"{len(inputs)}."
            )
        if mask:
            if not isinstance(mask, (list, tuple)):
                raise ValueError(f"{name} layer mask must be a list, namely [query_mask, value_mask]. Received: {mask}.")
            if len(mask) < 2 or len(mask) > len(inputs):
                raise ValueError(f"{name} layer mask must be a list of length 2, namely [query_mask, value_mask]. Received length: {len(mask)}.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config() | kind_of(self.__dict__["_numbers"])
        config["dropout"] = self.dropout
        return config


@op("ConcatScores", query=tensor(FLOATS), key=tensor(FLOATS), weight=tensor(FLOATS), scale=tensor(FLOATS))
def _concat_scores(query: Any, key: Any, weight: Any = None, scale: Any = None) -> Any:
    total = query.unsqueeze(-2) + key.unsqueeze(-3)
    if scale is not None and scale.ndim == 0:
        total = scale * total
    found = torch.tanh(total)
    if scale is not None and scale.ndim:
        found = scale * found
    found = found.sum(-1)
    return found if weight is None else weight * found


class Attention(_DenseAttention):
    """Dot-product attention, Luong style (`tf.keras.layers.Attention`); `score_mode` "dot" or "concat"."""

    def __init__(self, use_scale: bool = False, score_mode: str = "dot", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = score_mode
        if score_mode not in ["dot", "concat"]:
            raise ValueError(f"Received: score_mode={score_mode}. Acceptable values are: [\"dot\", \"concat\"]")

    def build(self, input_shape: Any) -> None:
        """Create the scale, and the weight of the concat mode."""
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones", dtype=self.dtype, trainable=True)
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones", dtype=self.dtype, trainable=True
            )
        self.built = True

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "concat":
            return _concat_scores(query, key, self.concat_score_weight, self.scale)
        scores = tf.matmul(query, key, transpose_b=True)
        return scores if self.scale is None else scores * self.scale

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"use_scale": self.use_scale, "score_mode": self.score_mode})
        return config


class AdditiveAttention(_DenseAttention):
    """Additive attention, Bahdanau style (`tf.keras.layers.AdditiveAttention`)."""

    def __init__(self, use_scale: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale

    def build(self, input_shape: Any) -> None:
        """Create the scale [dim]."""
        self.scale = None
        if self.use_scale:
            dim = TensorShape(input_shape[1])[-1]
            self.scale = self.add_weight(name="scale", shape=[dim], initializer="glorot_uniform", dtype=self.dtype, trainable=True)
        self.built = True

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        return _concat_scores(query, key, None, self.scale)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["use_scale"] = self.use_scale
        return config
