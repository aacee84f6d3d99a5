"""Hash buckets, equal to TensorFlow's: farmhash's Fingerprint64, MurmurHash64A, and SipHash with a key."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import torch

from .._engine.dtypes import string
from .._engine.op import invalid, op, tensor
from .elementwise import numbers

_MASK = 2**64 - 1
_STRING = tensor(string)


def _buckets(num_buckets: int, name: str) -> None:
    if num_buckets < 1:
        raise invalid(f"Value for attr 'num_buckets' of {num_buckets} must be at least minimum 1 [Op:{name}] name: ")


def _farmhash() -> Any:
    try:
        import farmhash
    except ImportError:
        raise ImportError("hash buckets and fingerprints need the pyfarmhash package: pip install 'tf2compat[strings]'") from None
    return farmhash.fingerprint64


def fingerprint64(data: bytes) -> int:
    """farmhash's Fingerprint64 of a string, unsigned."""
    return _farmhash()(data)


def murmur64(data: bytes, seed: int = 0xDECAFCAFFE) -> int:
    """MurmurHash64A (Austin Appleby's public-domain hash), the one behind `tf.strings.to_hash_bucket`."""
    m, r = 0xC6A4A7935BD1E995, 47
    h = (seed ^ (len(data) * m)) & _MASK
    whole = len(data) // 8 * 8
    for (k,) in struct.iter_unpack("<Q", data[:whole]):
        k = (k * m) & _MASK
        k ^= k >> r
        h = ((h ^ ((k * m) & _MASK)) * m) & _MASK
    tail = data[whole:]
    if tail:
        h = ((h ^ int.from_bytes(tail, "little")) * m) & _MASK
    h ^= h >> r
    h = (h * m) & _MASK
    return h ^ (h >> r)


@op("StringToHashBucket", input=_STRING)
def to_hash_bucket(input: Any, num_buckets: int, name: str | None = None) -> Any:  # noqa: A002
    """Each string's bucket in [0, num_buckets), int64; not for untrusted input (`tf.strings.to_hash_bucket`)."""
    _buckets(num_buckets, "StringToHashBucket")
    return numbers(lambda s: murmur64(s) % num_buckets, input, torch.int64)


@op("StringToHashBucketFast", input=_STRING)
def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Any:  # noqa: A002
    """Each string's bucket in [0, num_buckets) by Fingerprint64, int64 (`tf.strings.to_hash_bucket_fast`)."""
    _buckets(num_buckets, "StringToHashBucketFast")
    prints = np.fromiter(map(_farmhash(), input.reshape(-1).tolist()), np.uint64, input.size)
    return torch.from_numpy((prints % np.uint64(num_buckets)).astype(np.int64).reshape(input.shape))


@op("StringToHashBucketStrong", input=_STRING)
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Any, name: str | None = None) -> Any:  # noqa: A002
    """Each string's bucket by a keyed hash, int64; `key` is two uint64s (`tf.strings.to_hash_bucket_strong`)."""
    _buckets(num_buckets, "StringToHashBucketStrong")
    if len(key) != 2:
        raise invalid(f"Key must have 2 elements, got {list(key)} [Op:StringToHashBucketStrong] name: ")
    try:
        import siphash24
    except ImportError:
        raise ImportError("to_hash_bucket_strong needs the siphash24 package: pip install 'tf2compat[strings]'") from None
    secret = struct.pack("<QQ", *[int(k) & _MASK for k in key])
    return numbers(lambda s: int.from_bytes(siphash24.siphash24(s, key=secret).digest(), "little") % num_buckets, input, torch.int64)


for _f in (to_hash_bucket, to_hash_bucket_fast, to_hash_bucket_strong):
    _f.strings(_f.op.fn)
