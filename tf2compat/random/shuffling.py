"""Permutations of indices that are computed one index at a time."""

from __future__ import annotations

from typing import Any

import torch

from .._engine import dtypes, philox
from .._engine.convert import convert_to_tensor
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor

_INDEX = tensor(dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64, group="")


def random_index_shuffle(index: Any, seed: Any, max_index: Any, rounds: int = 4, name: str | None = None) -> Tensor:
    """Where `index` goes in a permutation of [0, max_index] that `seed`, three integers, decides (`tf.random_index_shuffle`).

    `rounds` is the number of mixing rounds, an even number of at least 4.
    """
    if rounds < 4 or rounds % 2:
        raise invalid(f"Rounds must be an even number of at least 4, but got {rounds} [Op:RandomIndexShuffle] name: ")
    return _shuffled(index, seed, max_index, rounds, name)


def index_shuffle(index: Any, seed: Any, max_index: Any) -> Tensor:
    """Where `index` goes in a permutation of [0, max_index] that `seed`, two integers, decides
    (`tf.random.experimental.index_shuffle`)."""
    from .._top.creation import zeros_like
    from .._top.joining import concat

    seed = convert_to_tensor(seed)
    return random_index_shuffle(index, concat([seed, zeros_like(seed)[..., :1]], -1), max_index)


@op("RandomIndexShuffle", index=_INDEX, seed=_INDEX, max_index=_INDEX)
def _shuffled(index: Any, seed: Any, max_index: Any, rounds: int, name: str | None = None) -> Any:
    tail = "[Op:RandomIndexShuffle] name: "
    if index.ndim > 1:
        raise invalid(f"Index must be a scalar or vector of indices but got {list(index.shape)}. {tail}")
    n = index.numel()
    if not (tuple(seed.shape) == (3,) or tuple(seed.shape) == (n, 3)):
        raise invalid(f"Seed must be a vector of size [3] or a matrix of size [{n}, 3] but got {list(seed.shape)}. {tail}")
    if max_index.ndim > 1 or (max_index.ndim and max_index.shape[0] not in (1, n)):
        raise invalid(f"Max index must be a scalar or vector of size [{n}] but got {list(max_index.shape)}. {tail}")
    if index.device.type == "meta":
        return torch.empty_like(index)
    seeds = seed.long().reshape(-1, 3).expand(n, 3).tolist()
    limits = max_index.long().reshape(-1).expand(n).tolist()
    out = []
    for i, s, limit in zip(index.long().reshape(-1).tolist(), seeds, limits, strict=True):
        if i < 0 or i > limit:
            raise invalid(f"Index must be within the valid range [0, {limit}], but got index={i} {tail}")
        out.append(_place(i, s, limit, rounds))
    return torch.tensor(out, dtype=torch.int64, device=index.device).to(index.dtype).reshape(index.shape)


def _place(index: int, seed: list[int], limit: int, rounds: int) -> int:
    """A balanced Feistel network on the smallest even number of bits, walked until it falls into the range."""
    half = max(1, (limit.bit_length() + 1) // 2)
    mask = (1 << half) - 1
    word = 0xFFFFFFFF
    key = [seed[0] & word, seed[1] & word]
    while True:
        left, right = index >> half, index & mask
        for r in range(rounds):
            mixed = philox._block(key, [right & word, right >> 32, r, seed[2] & word], 0)
            left, right = right, left ^ ((mixed[0] | mixed[1] << 32) & mask)
        index = left << half | right
        if index <= limit:
            return index
