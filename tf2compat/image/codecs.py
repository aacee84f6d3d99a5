"""Files of images: decoding and encoding, through the image port."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import _ports
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import as_dtype
from .._engine.op import DTYPE, INT, INTS, invalid, op, tensor
from .._engine.tensor import Tensor

_TEXT = tensor(dtypes.string, group="contents")
_STARTS = ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"GIF8", "GIF"), (b"BM", "BMP"))


def _codec() -> Any:
    return _ports.load("images", "pillow")


def _jpeg() -> Any:
    return _ports.load("images", "jpeg")


def _kind(data: bytes) -> str | None:
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    return "WebP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _tail(op_name: str) -> str:
    return f"[Op:{op_name}] name: "


def _scalar(contents: Any, op_name: str) -> bytes:
    if contents.ndim:
        shape = "[" + ",".join(str(d) for d in contents.shape) + "]"
        raise invalid(f"`contents` must be scalar but got shape{shape} {_tail(op_name)}")
    data = contents[()]
    if not data:
        raise invalid(f"Input is empty. {_tail(op_name)}")
    return data


def _decoded(
    contents: Any, op_name: str, channels: int, dtype: Any, ratio: int = 1, animated: bool = False, bmp: bool = False, **jpeg: bool
) -> np.ndarray:
    data = _scalar(contents, op_name)
    kind = _kind(data)
    if kind is None:
        raise invalid(f"Unknown image file format. One of JPEG, JPEG XL, PNG, GIF, BMP, WebP required. {_tail(op_name)}")
    if channels not in (0, 1, 3, 4):
        raise invalid(f"`channels` must be 0, 1, 3 or 4 but got {channels} {_tail(op_name)}")
    if kind == "JPEG" and channels == 4:
        raise invalid(f"JPEG does not support 4 channels {_tail(op_name)}")
    if bmp != (kind == "BMP") and (bmp or op_name != "DecodeImage"):
        wanted = f"decode_{kind.lower()}"
        raise invalid(f"Trying to decode {kind} format using {op_name} op. Use `{wanted}` or `decode_image` instead. {_tail(op_name)}")
    wide = dtype is dtypes.uint16
    frames = kind == "GIF" and animated
    if frames and channels not in (0, 3):
        raise invalid(f"channels must be 0 or 3 for GIF, got {channels} {_tail(op_name)}")
    try:
        if kind == "JPEG":
            out = _jpeg().decode(data, channels, ratio, **jpeg)
            return out.astype(np.uint16) * 257 if wide else out
        return _codec().decode(data, 3 if kind == "GIF" and not channels else channels, wide, ratio, frames)
    except ValueError as error:
        said = "jpeg::Uncompress failed. Invalid JPEG data or crop window." if kind == "JPEG" else f"Invalid {kind} data, size {len(data)}:"
        raise invalid(f"{said} {error} {_tail(op_name)}") from None


def _unknown(channels: Any, dtype: Any) -> Any:
    return [(dtype, (None, None, channels or None))]


# --- decoding --------------------------------------------------------------------------------------------------------
@op("DecodePng", contents=_TEXT, channels=INT, dtype=DTYPE)
def decode_png(contents: Any, channels: Any = 0, dtype: Any = dtypes.uint8, name: str | None = None) -> Any:
    """The image of a PNG file in a string (JPEG, non-animated GIF and WebP too), [rows, columns, channels] (`tf.image.decode_png`).

    `channels` is 1, 3, 4 or 0 for the file's own; `dtype` uint8 or uint16. Colours of 16 bits are read with 8.
    """
    if dtype not in (dtypes.uint8, dtypes.uint16):
        raise invalid(f"Value for attr 'dtype' of {dtype._cpp} is not in the list of allowed values: uint8, uint16 {_tail('DecodePng')}")
    return torch.from_numpy(_decoded(contents, "DecodePng", channels, dtype))


@op("DecodeWebP", contents=_TEXT, channels=INT, dtype=DTYPE)
def decode_webp(contents: Any, channels: Any = 0, dtype: Any = dtypes.uint8, name: str | None = None) -> Any:
    """The frames of a WebP file in a string, [frames, rows, columns, channels] (`tf.image.decode_webp`)."""
    data = _scalar(contents, "DecodeWebP")
    try:
        return torch.from_numpy(_codec().decode(data, channels or 4, False, 1, True))
    except ValueError as error:
        raise invalid(f"Invalid WebP data, size {len(data)}: {error} {_tail('DecodeWebP')}") from None


@op("DecodeJpeg", contents=_TEXT, channels=INT, ratio=INT)
def _decode_jpeg(
    contents: Any, channels: Any, ratio: Any, fancy_upscaling: bool = True, dct_method: str = "", name: str | None = None
) -> Any:
    if dct_method not in ("", "INTEGER_FAST", "INTEGER_ACCURATE"):
        raise invalid(f"dct_method must be one of {{'', 'INTEGER_FAST', 'INTEGER_ACCURATE'}} {_tail('DecodeJpeg')}")
    if ratio not in (1, 2, 4, 8):
        raise invalid(f"ratio must be 1, 2, 4, or 8, got {ratio} {_tail('DecodeJpeg')}")
    fast = dct_method != "INTEGER_ACCURATE"
    return torch.from_numpy(_decoded(contents, "DecodeJpeg", channels, dtypes.uint8, ratio, fast=fast, smooth=fancy_upscaling))


def _only_defaults(function: str, **given: tuple[Any, Any]) -> None:
    for what, (value, default) in given.items():
        if value != default:
            raise NotImplementedError(f"tf.image.{function} of tf2compat does not support {what}={value!r}.")


def decode_jpeg(
    contents: Any,
    channels: Any = 0,
    ratio: Any = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """The image of a JPEG file in a string (PNG, non-animated GIF and WebP too), uint8 [rows, columns, channels]
    (`tf.image.decode_jpeg`). `ratio` 2, 4 or 8 reads it smaller; `dct_method` is "INTEGER_FAST", which "" means too, or "INTEGER_ACCURATE"."""
    _only_defaults("decode_jpeg", try_recover_truncated=(try_recover_truncated, False))
    return _decode_jpeg(contents, channels, ratio, bool(fancy_upscaling), dct_method, name)


def decode_and_crop_jpeg(
    contents: Any,
    crop_window: Any,
    channels: Any = 0,
    ratio: Any = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """A window, [top, left, rows, columns], of the image of a JPEG file (`tf.image.decode_and_crop_jpeg`)."""
    whole = decode_jpeg(contents, channels, ratio, fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method)
    return _window(whole, crop_window, name)


@op("DecodeAndCropJpeg", image=tensor(dtypes.uint8, group=""), window=INTS)
def _window(image: Any, window: Any, name: str | None = None) -> Any:
    if len(window) != 4:
        raise invalid(f"crop_window must have four values, got {len(window)} {_tail('DecodeAndCropJpeg')}")
    top, left, rows, columns = window
    if image.device.type != "meta" and (
        min(top, left) < 0 or min(rows, columns) <= 0 or top + rows > image.shape[0] or left + columns > image.shape[1]
    ):
        raise invalid(f"jpeg::Uncompress failed. Invalid JPEG data or crop window. {_tail('DecodeAndCropJpeg')}")
    return image[top : top + rows, left : left + columns]


@op("DecodeGif", contents=_TEXT)
def decode_gif(contents: Any, name: str | None = None) -> Any:
    """The frames of a GIF file in a string, uint8 [frames, rows, columns, 3] (`tf.image.decode_gif`)."""
    out = _decoded(contents, "DecodeGif", 3, dtypes.uint8, animated=True)
    return torch.from_numpy(out if out.ndim == 4 else out[None])


@op("DecodeBmp", contents=_TEXT, channels=INT)
def decode_bmp(contents: Any, channels: Any = 0, name: str | None = None) -> Any:
    """The image of a BMP file in a string, uint8 [rows, columns, channels] (`tf.image.decode_bmp`)."""
    return torch.from_numpy(_decoded(contents, "DecodeBmp", channels, dtypes.uint8, bmp=True))


@op("DecodeImage", contents=_TEXT, channels=INT, dtype=DTYPE)
def _decode_image(contents: Any, channels: Any, dtype: Any, animated: bool, name: str | None = None) -> Any:
    bmp = not contents.ndim and _kind(contents[()]) == "BMP"
    out = torch.from_numpy(_decoded(contents, "DecodeImage", channels, dtype, animated=animated, bmp=bmp))
    return out.float() / 255 if dtype is dtypes.float32 else out


def decode_image(
    contents: Any, channels: Any = None, dtype: Any = dtypes.uint8, name: str | None = None, expand_animations: bool = True
) -> Tensor:
    """The image of a file of any known format in a string (`tf.image.decode_image`).

    [rows, columns, channels], for a GIF [frames, rows, columns, 3] unless `expand_animations` is False; `dtype` is uint8,
    uint16, or float32 for values in [0, 1].
    """
    dtype = as_dtype(dtype)
    if dtype not in (dtypes.uint8, dtypes.uint16, dtypes.float32):
        raise invalid(
            f"Value for attr 'dtype' of {dtype._cpp} is not in the list of allowed values: uint8, uint16, float {_tail('DecodeImage')}"
        )
    return _decode_image(contents, 0 if channels is None else channels, dtype, bool(expand_animations), name)


decode_png.strings(decode_png.op.fn)
decode_webp.strings(decode_webp.op.fn)
_decode_jpeg.strings(_decode_jpeg.op.fn)
decode_gif.strings(decode_gif.op.fn)
decode_bmp.strings(decode_bmp.op.fn)
_decode_image.strings(_decode_image.op.fn)
decode_png.infer(lambda contents, channels, dtype: _unknown(channels, dtype))
decode_webp.infer(lambda contents, channels, dtype: [(dtype, (None, None, None, channels or None))])
_decode_jpeg.infer(lambda contents, channels, ratio, fancy_upscaling, dct_method: _unknown(channels, dtypes.uint8))
decode_gif.infer(lambda contents: [(dtypes.uint8, (None, None, None, 3))])
decode_bmp.infer(lambda contents, channels: _unknown(channels, dtypes.uint8))
_decode_image.infer(lambda contents, channels, dtype, animated: [(dtype, None)] if animated else _unknown(channels, dtype))


@op("IsJpeg", contents=_TEXT)
def is_jpeg(contents: Any, name: str | None = None) -> Any:
    """Whether a string begins as a JPEG file (`tf.image.is_jpeg`)."""
    return torch.tensor(contents[()][:3] == b"\xff\xd8\xff")


@op("ExtractJpegShape", contents=_TEXT, output_type=DTYPE)
def extract_jpeg_shape(contents: Any, output_type: Any = dtypes.int32, name: str | None = None) -> Any:
    """Rows, columns and channels of a JPEG file in a string, without decoding it (`tf.image.extract_jpeg_shape`)."""
    data = _scalar(contents, "ExtractJpegShape")
    if _kind(data) != "JPEG":
        raise invalid(f"Invalid JPEG data, size {len(data)} {_tail('ExtractJpegShape')}")
    try:
        return torch.tensor(_codec().shape(data), dtype=output_type.torch)
    except ValueError as error:
        raise invalid(f"Invalid JPEG data, size {len(data)}: {error} {_tail('ExtractJpegShape')}") from None


is_jpeg.strings(is_jpeg.op.fn)
extract_jpeg_shape.strings(extract_jpeg_shape.op.fn)
is_jpeg.infer(lambda contents: [(dtypes.bool, ())])
extract_jpeg_shape.infer(lambda contents, output_type: [(output_type, (3,))])


# --- encoding --------------------------------------------------------------------------------------------------------
def _text(data: bytes) -> np.ndarray:
    out = np.empty((), dtype=object)
    out[()] = data
    return out


def _brackets(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


@op("EncodePng", image=tensor(dtypes.uint8, dtypes.uint16), compression=INT)
def encode_png(image: Any, compression: Any = -1, name: str | None = None) -> Any:
    """PNG files of images [..., rows, columns, 1 to 4], uint8, or uint16 with one channel (`tf.image.encode_png`)."""
    tail = _tail("EncodePng")
    if image.ndim < 3:
        raise invalid(f"images must be at least rank 3{_brackets(image.shape)} {tail}")
    if not 1 <= image.shape[-1] <= 4:
        raise invalid(f"image must have 1, 2, 3, or 4 channels, got {image.shape[-1]} {tail}")
    if not -1 <= compression <= 9:
        raise invalid(f"compression should be in [-1,9], got {compression} {tail}")
    if image.dtype is torch.uint16 and image.shape[-1] != 1:
        from ..errors import UnimplementedError

        raise UnimplementedError(None, None, f"PNG files of 16 bits have one channel here, not {image.shape[-1]} {tail}")
    arrays = image.cpu().numpy()
    out = np.empty(arrays.shape[:-3], dtype=object)
    codec = _codec()
    for place in np.ndindex(out.shape):
        out[place] = codec.encode_png(arrays[place], compression)
    return out


encode_png.infer(lambda image, compression: [(dtypes.string, tuple(image.shape[:-3]))])


def encode_jpeg(
    image: Any,
    format: str = "",  # noqa: A002 - TensorFlow's name
    quality: Any = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
    name: str | None = None,
) -> Tensor:
    """A JPEG file of a uint8 image [rows, columns, 1 or 3] (`tf.image.encode_jpeg`)."""
    if format not in ("", "grayscale", "rgb"):
        raise invalid(f"Value for attr 'format' of \"{format}\" is not in the list of allowed values: \"\", \"grayscale\", \"rgb\" {_tail('EncodeJpeg')}")
    if density_unit not in ("in", "cm"):
        raise invalid(f"Value for attr 'density_unit' of \"{density_unit}\" is not in the list of allowed values: \"in\", \"cm\" {_tail('EncodeJpeg')}")
    image = convert_to_tensor(image)
    if image.dtype is not dtypes.uint8:
        raise invalid(
            f"cannot compute EncodeJpeg as input #0(zero-based) was expected to be a uint8 tensor but is a {image.dtype._cpp} tensor "
            f"{_tail('EncodeJpeg')}"
        )
    scale = 2.54 if density_unit == "cm" else 1.0
    density = (round(x_density * scale), round(y_density * scale))
    xmp = xmp_metadata.encode() if isinstance(xmp_metadata, str) else xmp_metadata
    return _encode_jpeg(image, quality, (format, bool(progressive), bool(optimize_size), bool(chroma_downsampling), density, xmp), name)


@op("EncodeJpeg", image=tensor(dtypes.uint8), quality=INT)
def _encode_jpeg(image: Any, quality: Any, options: Any, name: str | None = None) -> Any:
    tail = _tail("EncodeJpeg")
    layout, progressive, optimize, subsample, density, xmp = options
    if image.ndim != 3:
        raise invalid(f"image must be 3-dimensional{_brackets(image.shape)} {tail}")
    wanted = {"grayscale": (1,), "rgb": (3,)}.get(layout, (1, 3))
    if image.shape[-1] not in wanted:
        raise invalid(f"image must have {' or '.join(str(w) for w in wanted)} channels, got {_brackets(image.shape)} {tail}")
    if not 0 <= quality <= 100:
        raise invalid(f"quality must be in [0,100], got {quality} {tail}")
    return _text(_codec().encode_jpeg(image.cpu().numpy(), quality, progressive, optimize, subsample, density, xmp))


_encode_jpeg.infer(lambda image, quality, options: [(dtypes.string, ())])


# --- quality ---------------------------------------------------------------------------------------------------------
def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None) -> Tensor:
    """`image` as it is after a JPEG file of the given quality (`tf.image.adjust_jpeg_quality`)."""
    from .color import convert_image_dtype

    image = convert_to_tensor(image)
    small = convert_image_dtype(image, dtypes.uint8, saturate=True)
    decoded = _decode_jpeg(_encode_jpeg(small, jpeg_quality, ("", False, False, True, (300, 300), b"")), image.shape[-1] or 0, 1, True, dct_method)
    return convert_image_dtype(decoded, image.dtype, saturate=True)


def _check_range(low: Any, high: Any) -> None:
    if low < 0 or high < 0 or low > 100 or high > 100:
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if low >= high:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")


def random_jpeg_quality(image: Any, min_jpeg_quality: Any, max_jpeg_quality: Any, seed: Any = None) -> Tensor:
    """`image` after a JPEG file of random quality (`tf.image.random_jpeg_quality`)."""
    from ..random import uniform

    _check_range(min_jpeg_quality, max_jpeg_quality)
    return adjust_jpeg_quality(image, uniform([], min_jpeg_quality, max_jpeg_quality, seed=seed, dtype=dtypes.int32))


def stateless_random_jpeg_quality(image: Any, min_jpeg_quality: Any, max_jpeg_quality: Any, seed: Any) -> Tensor:
    """`image` after a JPEG file whose quality `seed` decides (`tf.image.stateless_random_jpeg_quality`)."""
    from ..random import stateless_uniform

    _check_range(min_jpeg_quality, max_jpeg_quality)
    return adjust_jpeg_quality(image, stateless_uniform([], seed, min_jpeg_quality, max_jpeg_quality, dtype=dtypes.int32))
