"""`tf.io`: files, records and the formats of their contents."""

from __future__ import annotations

from typing import Any

from .._names import module_getattr
from ..image.codecs import (
    decode_and_crop_jpeg,
    decode_bmp,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_webp,
    encode_jpeg,
    encode_png,
    extract_jpeg_shape,
    is_jpeg,
)
from . import gfile
from .csv import decode_csv
from .decoding import decode_base64, decode_compressed, decode_raw, encode_base64
from .files import matching_files, read_file, write_file
from .graphs import write_graph
from .records import TFRecordOptions, TFRecordWriter
from .tensors import parse_tensor, serialize_tensor

# Made of sparse and ragged tensors or of protocol messages, so they load when first asked for.
_LATER = {
    "FixedLenFeature": "features", "FixedLenSequenceFeature": "features", "RaggedFeature": "features", "SparseFeature": "features",
    "VarLenFeature": "features", "decode_json_example": "messages", "decode_proto": "messages", "deserialize_many_sparse": "sparse_tensors",
    "encode_proto": "messages", "match_filenames_once": "files", "parse_example": "parsing", "parse_sequence_example": "sequences",
    "parse_single_example": "parsing", "parse_single_sequence_example": "sequences", "serialize_many_sparse": "sparse_tensors",
    "serialize_sparse": "sparse_tensors", "write_graph": "messages",
}  # fmt: skip

__all__ = [
    "TFRecordOptions", "TFRecordWriter", "decode_and_crop_jpeg", "decode_base64", "decode_bmp", "decode_compressed", "decode_csv",
    "decode_gif", "decode_image", "decode_jpeg", "decode_png", "decode_raw", "decode_webp", "encode_base64", "encode_jpeg",
    "encode_png", "extract_jpeg_shape", "gfile", "is_jpeg", "matching_files", "parse_tensor", "read_file", "serialize_tensor",
    "write_file", "write_graph",
]  # fmt: skip

_missing = module_getattr("tf.io")


def __getattr__(name: str) -> Any:
    home = _LATER.get(name)
    if home is not None:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    return _missing(name)
