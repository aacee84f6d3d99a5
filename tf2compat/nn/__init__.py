"""`tf.nn`: convolutions, poolings, activations, losses, normalisation, embeddings."""

from __future__ import annotations

import importlib
from typing import Any

import tf2compat as tf

from .._engine.tensor import Tensor
from .._names import module_getattr
from ..math.ranking import approx_max_k, approx_min_k, in_top_k, top_k
from ..math.softmaxes import l2_normalize, log_softmax, softmax
from .activations import (
    bias_add,
    crelu,
    elu,
    gelu,
    l2_loss,
    leaky_relu,
    relu,
    relu6,
    selu,
    silu,
    softplus,
    softsign,
    swish,
)
from .blocks import depth_to_space, space_to_batch, space_to_depth, with_space_to_batch
from .convolution import atrous_conv2d, conv1d, conv2d, conv3d, convolution, depthwise_conv2d, separable_conv2d
from .ctc import collapse_repeated, ctc_beam_search_decoder, ctc_greedy_decoder, ctc_loss, ctc_unique_labels
from .dropping import dropout
from .embedding import embedding_lookup, embedding_lookup_sparse, safe_embedding_lookup_sparse
from .isotonic import isotonic_regression
from .losses import (
    compute_average_loss,
    log_poisson_loss,
    scale_regularization_loss,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from .morphology import dilation2d, erosion2d
from .normalization import (
    batch_norm_with_global_normalization,
    batch_normalization,
    local_response_normalization,
    lrn,
    moments,
    normalize_moments,
    sufficient_statistics,
    weighted_moments,
    zero_fraction,
)
from .pooling import (
    avg_pool,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    fractional_avg_pool,
    fractional_max_pool,
    max_pool,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_pool_with_argmax,
    pool,
)
from .sampling import (
    all_candidate_sampler,
    compute_accidental_hits,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    nce_loss,
    sampled_softmax_loss,
)
from .transposed import (
    atrous_conv2d_transpose,
    conv1d_transpose,
    conv2d_transpose,
    conv3d_transpose,
    conv_transpose,
    depthwise_conv2d_backprop_filter,
    depthwise_conv2d_backprop_input,
)


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """1 / (1 + exp(-x)), as `tf.math.sigmoid` (`tf.nn.sigmoid`)."""
    return tf.sigmoid(x, name)


def tanh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic tangent, as `tf.math.tanh` (`tf.nn.tanh`)."""
    return tf.tanh(x, name)


_missing = module_getattr("tf.nn")


def __getattr__(name: str) -> Any:
    if name == "experimental":
        return importlib.import_module(f"{__name__}.experimental")
    if name in ("RNNCellDeviceWrapper", "RNNCellDropoutWrapper", "RNNCellResidualWrapper"):
        from . import rnn_wrappers  # these stand on Keras, which loads when it is asked for

        return getattr(rnn_wrappers, name)
    return _missing(name)
