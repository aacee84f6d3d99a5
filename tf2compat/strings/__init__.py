"""`tf.strings`: tensors of bytes. Text is UTF-8 unless a function says otherwise."""

from __future__ import annotations

from .._names import module_getattr
from .hashing import to_hash_bucket, to_hash_bucket_fast, to_hash_bucket_strong
from .joining import format, join, ngrams, reduce_join, unsorted_segment_join  # noqa: A004
from .numbers import as_string, to_number
from .regex import regex_full_match, regex_replace
from .slicing import bytes_split, length, lower, split, strip, substr, upper
from .unicode import (
    unicode_decode,
    unicode_decode_with_offsets,
    unicode_encode,
    unicode_script,
    unicode_split,
    unicode_split_with_offsets,
    unicode_transcode,
)

__all__ = [
    "as_string", "bytes_split", "format", "join", "length", "lower", "ngrams", "reduce_join", "regex_full_match",
    "regex_replace", "split", "strip", "substr", "to_hash_bucket", "to_hash_bucket_fast", "to_hash_bucket_strong", "to_number",
    "unicode_decode", "unicode_decode_with_offsets", "unicode_encode", "unicode_script", "unicode_split",
    "unicode_split_with_offsets", "unicode_transcode", "unsorted_segment_join", "upper",
]  # fmt: skip

__getattr__ = module_getattr("tf.strings")
