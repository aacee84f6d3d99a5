"""`tf.nn.embedding_lookup` and its sparse forms."""

from __future__ import annotations

from typing import Any

import torch

import tf2compat as tf

from .._engine import dtypes
from .._engine.bounds import clamp
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, int16, int32, int64
from .._engine.op import ANY, invalid, op, tensor
from .._engine.tensor import Tensor
from .._top.gathering import take_on_gpu


@op("EmbeddingLookup", rows=lambda params, ids: True, params=ANY, ids=tensor(int16, int32, int64, group="I"))
def gathered(params: Any, ids: Any) -> Any:
    """Rows of `params` for each id."""
    if params.ndim == 0:
        raise invalid("params must be at least 1 dimensional [Op:GatherV2] name: ")
    if params.is_cuda:
        return take_on_gpu(params, ids, 0)
    if params.ndim == 2:
        return torch.nn.functional.embedding(ids if ids.dtype is not torch.int16 else ids.int(), params)
    return params.index_select(0, ids.reshape(-1).long()).reshape(*ids.shape, *params.shape[1:])


@gathered.strings
def _(params: Any, ids: Any) -> Any:
    wrong = gathered.op.diagnose_fn(params, ids)
    if wrong is not None:
        raise invalid(f"{wrong} [Op:GatherV2] name: ")
    return params[ids.numpy()]


@gathered.diagnose
def _(params: Any, ids: Any) -> str | None:
    if ids.device.type == "meta" or not params.ndim:
        return None
    rows = params.shape[0]
    bad = ((ids < 0) | (ids >= rows)).nonzero()
    if not len(bad):
        return None
    at = bad[0].tolist()
    return f"indices[{','.join(map(str, at))}] = {int(ids[tuple(at)])} is not in [0, {rows})"


@op("ClipByNormRows", x=tensor(FLOATS))
def _clip_rows(x: Any, max_norm: float, row_dims: int) -> Any:
    over = tuple(range(x.ndim - row_dims, x.ndim))
    norm = torch.sqrt((x * x).sum(over, keepdim=True)) if over else x.abs()
    return x * max_norm / clamp(norm, min=max_norm)


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Tensor:
    """Rows of `params` [rows, …] for each of `ids`, clipped to a norm of `max_norm` (`tf.nn.embedding_lookup`).

    A list of `params` is one table cut in pieces, its rows dealt out in blocks. Ids outside raise InvalidArgumentError.
    """
    if params is None or (isinstance(params, (list, tuple)) and not params):
        raise ValueError("params must be specified")
    pieces = list(params) if isinstance(params, (list, tuple)) and hasattr(params[0], "shape") and len(params[0].shape) else None
    if pieces is not None:
        params = pieces[0] if len(pieces) == 1 else tf.concat(pieces, 0)
    if not hasattr(params, "dtype"):
        params = convert_to_tensor(params)
    found = gathered(params, ids)
    if max_norm is not None:
        row_dims = len(params.shape) - 1
        if isinstance(found, tf.RaggedTensor):
            return tf.ragged.map_flat_values(_clip_rows, found, float(max_norm), row_dims)
        found = _clip_rows(found, float(max_norm), row_dims)
    return found


@op("SparseSegmentCombine", embeddings=tensor(FLOATS), weights=tensor(FLOATS), segments=tensor(int32, int64, group="S"))
def _combine(embeddings: Any, weights: Any, segments: Any, combiner: str, rows: int | None) -> Any:
    index = segments.long()
    count = rows if rows is not None else (int(index[-1]) + 1 if index.numel() else 0)
    shape = (-1, *[1] * (embeddings.ndim - 1))
    weights = weights.to(embeddings.dtype)
    total = embeddings.new_zeros((count, *embeddings.shape[1:])).index_add(0, index, embeddings * weights.reshape(shape))
    if combiner == "sum":
        return total
    scale = weights if combiner == "mean" else weights * weights
    scale = weights.new_zeros(count).index_add(0, index, scale)
    if combiner == "sqrtn":
        scale = torch.sqrt(scale)
    return torch.where(scale.reshape(shape) == 0, torch.zeros_like(total), total / scale.reshape(shape))


@_combine.infer
def _combined_shape(embeddings: Any, weights: Any, segments: Any, combiner: str, rows: int | None) -> Any:
    """How many rows there are hangs on the segments where nothing else tells."""
    return [(dtypes.of(embeddings), (rows, *embeddings.shape[1:]))]


def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    combiner: str | None = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """Embeddings of each row's ids, combined by "sum", "mean" (default) or "sqrtn" (`tf.nn.embedding_lookup_sparse`).

    `sp_ids` and `sp_weights` (or None) are a SparseTensor or RaggedTensor of the same form.
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    if isinstance(sp_ids, tf.RaggedTensor):
        ids, segments = sp_ids.values, sp_ids.value_rowids()
        rows = sp_ids.nrows()
        weights = None if sp_weights is None else sp_weights.values
    elif isinstance(sp_ids, tf.SparseTensor):
        if sp_weights is not None and not isinstance(sp_weights, tf.SparseTensor):
            raise TypeError("sp_weights must be either None or SparseTensor")
        ids, segments = sp_ids.values, sp_ids.indices[:, 0]
        rows = None
        weights = None if sp_weights is None else sp_weights.values
    else:
        raise TypeError(f"sp_ids must be SparseTensor or RaggedTensor, got {type(sp_ids)}")
    embeddings = embedding_lookup(params, ids, max_norm)
    if weights is None:
        weights = tf.ones_like(ids, dtype=embeddings.dtype)
    elif weights.dtype != embeddings.dtype:
        weights = tf.cast(weights, embeddings.dtype)
    return _combine(embeddings, weights, segments, combiner, None if rows is None else int(rows))


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str = "mean",
    default_id: Any = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """`embedding_lookup_sparse` for ids that may be negative and rows that may be empty (`tf.nn.safe_embedding_lookup_sparse`).

    Negative ids, and ids without a positive weight unless "sum", are left out; an empty row gives the embedding of
    `default_id`, or zeros.
    """
    if embedding_weights is None or (isinstance(embedding_weights, (list, tuple)) and not embedding_weights):
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    shape = sparse_ids.dense_shape
    keep = sparse_ids.values >= 0
    if sparse_weights is not None and combiner != "sum":
        keep = tf.logical_and(keep, sparse_weights.values > 0)
    ids = tf.sparse.retain(sparse_ids, keep)
    weights = None if sparse_weights is None else tf.sparse.retain(sparse_weights, keep)
    lead = shape[:-1]
    flat = tf.stack([tf.reduce_prod(lead), shape[-1]])
    ids = tf.sparse.reshape(ids, flat)
    weights = None if weights is None else tf.sparse.reshape(weights, flat)
    ids, empty = tf.sparse.fill_empty_rows(ids, tf.cast(0 if default_id is None else default_id, ids.values.dtype))
    if weights is not None:
        weights, _ = tf.sparse.fill_empty_rows(weights, tf.cast(1, weights.values.dtype))
    found = embedding_lookup_sparse(embedding_weights, ids, weights, combiner, max_norm)
    if default_id is None:
        found = tf.where(tf.reshape(empty, [-1] + [1] * (len(found.shape) - 1)), tf.zeros_like(found), found)
    return tf.reshape(found, tf.concat([tf.cast(lead, tf.int32), tf.shape(found)[1:]], 0))
