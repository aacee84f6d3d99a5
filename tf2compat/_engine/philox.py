"""The Philox 4x32-10 counter-based generator (Salmon et al., 2011) on torch tensors, and distributions made of its words.

Everything is arithmetic on int64 tensors that hold 32-bit words, so that it runs on any device, inside `torch.compile`
and under `torch.vmap`, and gives TensorFlow's numbers: word i of block n comes from counter + n.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from . import state
from .masks import places

__all__ = ["blocks", "key_and_counter", "normal", "truncated_normal", "uniform", "uniform_int", "words"]

_MASK = 0xFFFFFFFF
_ROUNDS = 10
#: blocks that are worked on at a time: as much as the cache holds
_CHUNK = 16384
_MULTIPLIERS = (0xCD9E8D57, 0xD2511F53)
_WEYL = (0x9E3779B9, 0xBB67AE85)


def _tensor(values: object, like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int64, device=like.device)


def _rounds(even: torch.Tensor, odd: torch.Tensor, key: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Words (0, 2) and (1, 3) of the blocks after ten rounds; all shaped [2, n], `key` [2, 1]."""
    multipliers = _tensor(_MULTIPLIERS, even).unsqueeze(1)
    weyl = _tensor(_WEYL, even).unsqueeze(1)
    for i in range(_ROUNDS):
        product = even.flip(0) * multipliers  # wraps in 64 bits, which the masks below undo
        even = ((product >> 32) & _MASK) ^ odd ^ ((key + i * weyl) & _MASK)
        odd = product & _MASK
    return even, odd


def _on_host(*tensors: torch.Tensor) -> bool:
    """Whether these are plain CPU tensors whose values may be looked at: NumPy is then several times faster."""
    return (
        all(type(t) is torch.Tensor and t.device.type == "cpu" and not torch._C._functorch.is_functorch_wrapped_tensor(t) for t in tensors)
        and not torch.compiler.is_compiling()
        and torch._C._len_torch_dispatch_stack() == 0
    )


def _block(key: list[int], counter: list[int], at: int) -> tuple[int, int, int, int]:
    """One block in plain Python, which for so little is faster than arrays."""
    whole = (counter[0] | counter[1] << 32 | counter[2] << 64 | counter[3] << 96) + at
    a, b, c, d = whole & _MASK, (whole >> 32) & _MASK, (whole >> 64) & _MASK, (whole >> 96) & _MASK
    k, l = key  # noqa: E741
    for _ in range(_ROUNDS):
        p, q = a * _MULTIPLIERS[1], c * _MULTIPLIERS[0]
        a, b, c, d = (q >> 32) ^ b ^ k, q & _MASK, (p >> 32) ^ d ^ l, p & _MASK
        k, l = (k + _WEYL[0]) & _MASK, (l + _WEYL[1]) & _MASK  # noqa: E741
    return a, b, c, d


def _blocks_on_host(key: np.ndarray, counter: np.ndarray, at: np.ndarray) -> np.ndarray:
    if at.shape[0] <= 4:
        return np.array([_block(key.tolist(), counter.tolist(), i) for i in at.tolist()], dtype=np.int64).reshape(-1, 4)
    key, counter, at = key.astype(np.uint64), counter.astype(np.uint64), at.astype(np.uint64)
    out = np.empty((at.shape[0], 4), dtype=np.int64)
    mask, half = np.uint64(_MASK), np.uint64(32)
    multipliers = np.array(_MULTIPLIERS, dtype=np.uint64).reshape(2, 1)
    keys = [(key + i * np.array(_WEYL, dtype=np.uint64) & mask).reshape(2, 1) for i in range(_ROUNDS)]
    size = min(at.shape[0], _CHUNK)
    even, odd, product = (np.empty((2, size), dtype=np.uint64) for _ in range(3))
    for start in range(0, at.shape[0], size):
        part = at[start : start + size]
        if len(part) < size:
            even, odd, product = even[:, : len(part)], odd[:, : len(part)], product[:, : len(part)]
        low = counter[0] + (part & mask)
        next_ = counter[1] + (part >> half) + (low >> half)
        third = counter[2] + (next_ >> half)
        even[0], even[1] = low & mask, third & mask
        odd[0], odd[1] = next_ & mask, (counter[3] + (third >> half)) & mask
        for k in keys:
            np.multiply(even[::-1], multipliers, out=product)
            np.right_shift(product, half, out=even)
            np.bitwise_xor(even, odd, out=even)
            np.bitwise_xor(even, k, out=even)
            np.bitwise_and(product, mask, out=odd)
        rows = out[start : start + size]
        rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] = even[0], odd[0], even[1], odd[1]
    return out


def blocks(key: torch.Tensor, counter: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """The four words of block `counter + at`, for each of a vector `at`: shape [n, 4]. `key` is [2], `counter` [4] words."""
    if _on_host(key, counter, at):
        return torch.from_numpy(_blocks_on_host(key.numpy(), counter.numpy(), at.numpy()))
    low = counter[0] + (at & _MASK)
    next_ = counter[1] + ((at >> 32) & _MASK) + (low >> 32)
    third = counter[2] + (next_ >> 32)
    last = counter[3] + (third >> 32)
    even = torch.stack([low & _MASK, third & _MASK])
    odd = torch.stack([next_ & _MASK, last & _MASK])
    even, odd = _rounds(even, odd, key.unsqueeze(1))
    return torch.stack([even[0], odd[0], even[1], odd[1]], 1)


def key_and_counter(seed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """TensorFlow's scrambling of a stateless op's seed [2]: words of the key [2] and of the counter [4]."""
    if seed.device.type == "meta" or _shapes_only():
        return torch.empty(2, dtype=torch.int64, device="meta"), torch.empty(4, dtype=torch.int64, device="meta")
    if _on_host(seed):
        a, b = seed.tolist()
        mixed = _block([0x3EC8F720, 0x02461E29], [a & _MASK, (a >> 32) & _MASK, b & _MASK, (b >> 32) & _MASK], 0)
        return torch.tensor(mixed[:2]), torch.tensor([0, 0, *mixed[2:]])
    seed = seed.to(torch.int64)
    counter = torch.stack([seed[0] & _MASK, (seed[0] >> 32) & _MASK, seed[1] & _MASK, (seed[1] >> 32) & _MASK])
    words = blocks(_tensor((0x3EC8F720, 0x02461E29), seed), counter, _tensor((0,), seed))[0]
    return words[:2], torch.cat([torch.zeros_like(words[:2]), words[2:]])


def _shapes_only() -> bool:
    """Whether a traced op runs to tell its result's shape: no numbers are drawn for that, even if its seed is known."""
    device = state.local.device
    return device is not None and device.type == "meta"


def split_words(numbers: torch.Tensor) -> torch.Tensor:
    """64-bit integers [n] as 32-bit words [2n], the low one first."""
    numbers = numbers.to(torch.int64)
    return torch.stack([numbers & _MASK, (numbers >> 32) & _MASK], 1).reshape(-1)


def words(key: torch.Tensor, counter: torch.Tensor, count: int) -> torch.Tensor:
    """The first `count` 32-bit words, int64 in [0, 2**32)."""
    n = -(-count // 4)
    return blocks(key, counter, torch.arange(n, device=key.device)).reshape(-1)[:count]


def _pairs(key: torch.Tensor, counter: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    both = words(key, counter, 2 * count).reshape(-1, 2)
    return both[:, 0], both[:, 1]


# --- numbers of [0, 1) -----------------------------------------------------------------------------------------------
def _unit32(x: torch.Tensor) -> torch.Tensor:
    return (x & 0x7FFFFF).to(torch.float32) * 2.0**-23


def _unit64(high: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
    return (((high & 0xFFFFF) << 32) | low).to(torch.float64) * 2.0**-52


def uniform(key: torch.Tensor, counter: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    """`count` floats of [0, 1)."""
    if _shapes_only():
        return torch.empty(count, dtype=dtype, device="meta")
    if dtype is torch.float64:
        return _unit64(*_pairs(key, counter, count))
    x = words(key, counter, count)
    if dtype is torch.float16:
        return ((x & 0x3FF).to(torch.float32) * 2.0**-10).to(dtype)
    if dtype is torch.bfloat16:
        return ((x & 0x7F).to(torch.float32) * 2.0**-7).to(dtype)
    return _unit32(x)


# --- integers --------------------------------------------------------------------------------------------------------
def full_int(key: torch.Tensor, counter: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    """`count` integers of all values of a 32 or 64 bit dtype."""
    if _shapes_only():
        return torch.empty(count, dtype=dtype, device="meta")
    if dtype in (torch.int64, torch.uint64):
        low, high = _pairs(key, counter, count)
        both = low | (high << 32)
        return both if dtype is torch.int64 else both.view(torch.uint64)
    x = words(key, counter, count)
    if dtype is torch.uint32:
        return x.to(torch.uint32)
    return torch.where(x >= 2**31, x - 2**32, x).to(torch.int32)


def _unsigned_remainder(x: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
    """x mod n for 64-bit words read as unsigned; n is positive as int64."""
    half = (x >> 1) & 0x7FFFFFFFFFFFFFFF
    r = torch.remainder(half, n)
    # x = 2 * half + bit; the double of r can pass 2**63, so subtract before adding
    r = torch.where(r >= n - r, r - (n - r), r + r)
    bit = x & 1
    return torch.where(r + bit >= n, r + bit - n, r + bit)


def uniform_int(key: torch.Tensor, counter: torch.Tensor, count: int, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """`count` integers of [low, high) in their dtype."""
    if _shapes_only():
        return torch.empty(count, dtype=low.dtype, device="meta")
    span = high.to(torch.int64) - low.to(torch.int64)
    if low.dtype is torch.int64:
        first, second = _pairs(key, counter, count)
        x = _unsigned_remainder(first | (second << 32), span)
    else:
        x = torch.remainder(words(key, counter, count), span)
    return (x + low.to(torch.int64)).to(low.dtype)


# --- normal numbers --------------------------------------------------------------------------------------------------
def _box_muller(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    radius = torch.sqrt(-2.0 * torch.log(u.clamp(min=1.0e-7)))
    angle = 2.0 * math.pi * v
    return torch.stack([torch.sin(angle) * radius, torch.cos(angle) * radius], -1)


def _normal_pairs(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Normal numbers of words [..., 2 * k] (float64: 4 * k for 2 * k numbers): shape [..., 2 * k]."""
    if dtype is torch.float64:
        four = x.reshape(*x.shape[:-1], -1, 4)
        z = _box_muller(_unit64(four[..., 0], four[..., 1]), _unit64(four[..., 2], four[..., 3]))
    else:
        two = x.reshape(*x.shape[:-1], -1, 2)
        z = _box_muller(_unit32(two[..., 0]), _unit32(two[..., 1]))
    return z.reshape(*x.shape[:-1], -1)


def normal(key: torch.Tensor, counter: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    """`count` normal numbers of mean 0 and deviation 1."""
    if _shapes_only():
        return torch.empty(count, dtype=dtype, device="meta")
    per_number = 2 if dtype is torch.float64 else 1
    total = -(-count * per_number // 4) * 4
    if not total:
        return torch.empty(0, dtype=dtype, device=key.device)
    return _normal_pairs(words(key, counter, total), dtype)[:count].to(dtype)


def truncated_normal(key: torch.Tensor, counter: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    """`count` normal numbers, those beyond 2 drawn again.

    Each group of numbers has a stretch of the stream to itself, of which the first numbers within the bounds are taken.
    """
    if _shapes_only():
        return torch.empty(count, dtype=dtype, device="meta")
    group = 2 if dtype is torch.float64 else 4
    n = -(-count // group)
    if not n:
        return torch.empty(0, dtype=dtype, device=key.device)
    starts = torch.arange(n, device=key.device) * (group * 256 // 4)
    if not _on_host(key, counter):
        out, _ = _first_inside(key, counter, starts, group, _TRIES, dtype)
        return out.reshape(-1)[:count].to(dtype)
    # of five groups four have their numbers in their first block
    out = _normal_pairs(blocks(key, counter, starts), dtype)[:, :group].contiguous()
    short = places((out.abs() >= 2.0).any(1))
    for tries in (3, _TRIES):
        if not len(short):
            break
        out[short], enough = _first_inside(key, counter, starts[short], group, tries, dtype)
        short = short[places(~enough)]
    return out.reshape(-1)[:count].to(dtype)


#: blocks for a group of truncated normals; that fewer numbers than the group needs are within the bounds does not happen
_TRIES = 8


def _first_inside(
    key: torch.Tensor, counter: torch.Tensor, starts: torch.Tensor, group: int, tries: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first `group` numbers within the bounds of those in `tries` blocks from each start, and whether there were as many."""
    n = starts.shape[0]
    at = starts.unsqueeze(1) + torch.arange(tries, device=starts.device)
    z = _normal_pairs(blocks(key, counter, at.reshape(-1)).reshape(n, tries * 4), dtype)
    outside = z.abs() >= 2.0
    kept = torch.sort(outside.to(torch.int8), dim=1, stable=True)[1][:, :group]
    return torch.gather(z, 1, kept), (~outside).sum(1) >= group
