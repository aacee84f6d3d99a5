"""Bytes in strings as numbers and other strings."""

from __future__ import annotations

import base64
import re
import zlib
from typing import Any

import numpy as np

from .. import errors
from .._engine import dtypes
from .._engine.convert import numpy_storage
from .._engine.dtypes import as_dtype, string
from .._engine.op import DTYPE, invalid, op, tensor
from ..strings.elementwise import each

_TEXT = tensor(string)
_BASE64 = re.compile(rb"[A-Za-z0-9_-]*={0,2}")


@op("DecodeRaw", input_bytes=_TEXT, out_type=DTYPE)
def _decode_raw(input_bytes: Any, out_type: Any, little_endian: bool, fixed_length: int | None) -> Any:
    kind = np.dtype(out_type.as_numpy_dtype)
    size = kind.itemsize
    flat = input_bytes.reshape(-1).tolist()
    if fixed_length is None:
        length = len(flat[0]) if flat else 0
        for i, s in enumerate(flat):
            if len(s) != length:
                raise invalid(
                    f"DecodeRaw requires input strings to all be the same size, but element {i} has size {length} != {len(s)} [Op:DecodeRaw] name: "
                )
        if length % size:
            raise invalid(f"Input to DecodeRaw has length {length} that is not a multiple of {size}, the size of {out_type._cpp} [Op:DecodeRaw] name: ")
        data = b"".join(flat)
    else:
        length = fixed_length
        if length <= 0:
            raise invalid(f"`fixed_length` must be greater than 0, but got {length} [Op:DecodePaddedRaw] name: ")
        if length % size:
            raise invalid(f"fixed_length ({length}) must be a multiple of the size of out_type ({size}) [Op:DecodePaddedRaw] name: ")
        data = b"".join(s[:length].ljust(length, b"\0") for s in flat)
    array = np.frombuffer(bytearray(data), dtype=kind if size == 1 else kind.newbyteorder("<") if kind.kind != "V" else kind)
    if not little_endian and size > 1:
        array = array.byteswap()
    if size > 1 and kind.kind != "V":
        array = array.astype(kind, copy=False)
    return numpy_storage(array.reshape(*input_bytes.shape, length // size), out_type)


_decode_raw.strings(_decode_raw.op.fn)
_decode_raw.infer(
    lambda input_bytes, out_type, little_endian, fixed_length: [
        (out_type, (*input_bytes.shape, None if fixed_length is None else fixed_length // np.dtype(out_type.as_numpy_dtype).itemsize))
    ]
)
_RAW = (
    dtypes.float16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.uint16, dtypes.uint8, dtypes.int16, dtypes.int8, dtypes.int64,
    dtypes.complex64, dtypes.complex128, dtypes.bool, dtypes.bfloat16, dtypes.uint32, dtypes.uint64,
)  # fmt: skip


def decode_raw(input_bytes: Any, out_type: Any, little_endian: bool = True, fixed_length: Any = None, name: str | None = None) -> Any:
    """The bytes of strings [...] as numbers [..., n] (`tf.io.decode_raw`); with `fixed_length` cut or zero-padded to so many bytes.

    InvalidArgumentError for strings of different sizes or sizes that are no multiple of the dtype's.
    """
    kind = as_dtype(out_type)
    if kind not in _RAW:
        raise TypeError(f"Value passed to parameter 'out_type' has DataType {kind.name} not in list of allowed values: {', '.join(d.name for d in _RAW)}")
    return _decode_raw(input_bytes, kind, little_endian, None if fixed_length is None else int(fixed_length))


@op("DecodeBase64", input=_TEXT)
def decode_base64(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """Strings from their web-safe base64 form, padded or not (`tf.io.decode_base64`)."""

    def one(s: bytes) -> bytes:
        plain = s.rstrip(b"=")
        if len(plain) % 4 == 1:
            raise invalid("Base64 string length cannot be 1 modulo 4. [Op:DecodeBase64] name: ")
        if not _BASE64.fullmatch(s):
            raise invalid("Invalid character found in base64. [Op:DecodeBase64] name: ")
        if len(s) != len(plain) and len(s) % 4:
            raise invalid("Invalid character found in base64. [Op:DecodeBase64] name: ")
        return base64.urlsafe_b64decode(plain + b"=" * (-len(plain) % 4))

    return each(one, input)


@op("EncodeBase64", input=_TEXT)
def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Any:  # noqa: A002
    """Strings in web-safe base64 (`tf.io.encode_base64`); `pad` adds the = signs."""
    return each(lambda s: base64.urlsafe_b64encode(s) if pad else base64.urlsafe_b64encode(s).rstrip(b"="), input)


@op("DecodeCompressed", bytes=_TEXT)
def decode_compressed(bytes: Any, compression_type: str = "", name: str | None = None) -> Any:  # noqa: A002
    """Strings without their ZLIB or GZIP compression (`tf.io.decode_compressed`); DataLossError for other contents."""
    if compression_type not in ("", "ZLIB", "GZIP"):
        raise invalid(f"tf2compat decodes compression_type 'ZLIB', 'GZIP' or '', got {compression_type!r} [Op:DecodeCompressed] name: ")
    if not compression_type:
        return bytes

    def one(s: Any) -> Any:
        try:
            return zlib.decompress(s, 31 if compression_type == "GZIP" else 15)
        except zlib.error as error:
            raise errors.DataLossError(None, None, f"inflate() failed: {error} [Op:DecodeCompressed] name: ") from error

    return each(one, bytes)


for _f in (decode_base64, encode_base64, decode_compressed):
    _f.strings(_f.op.fn)
