"""`tf.audio`: WAV files of 16-bit samples."""

from __future__ import annotations

import collections
import struct
from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.op import INT, invalid, op, tensor

__all__ = ["decode_wav", "encode_wav"]

DecodeWav = collections.namedtuple("DecodeWav", ("audio", "sample_rate"))
_SHORT = "Data too short when trying to read string"


@op("DecodeWav", multi=True, contents=tensor(dtypes.string), desired_channels=INT, desired_samples=INT)
def decode_wav(contents: Any, desired_channels: Any = -1, desired_samples: Any = -1, name: str | None = None) -> Any:
    """The samples of a WAV file in a string, float32 [samples, channels] in [-1, 1), and the rate, an int32 scalar (`tf.audio.decode_wav`).

    More channels than the file has repeat its last one; more samples are zeros. InvalidArgumentError for what is no WAV file of
    16-bit samples, or ends too early.
    """
    if contents.ndim:
        raise _wrong(f"contents must be scalar, got shape [{','.join(str(d) for d in contents.shape)}]")
    samples, rate = _parse(contents[()])
    channels = samples.shape[1]
    if desired_channels > 0:
        samples = samples[:, [min(i, channels - 1) for i in range(desired_channels)]]
    if desired_samples >= 0:
        samples = samples[:desired_samples]
        samples = np.pad(samples, ((0, desired_samples - len(samples)), (0, 0)))
    audio = torch.from_numpy(samples.astype(np.float32) * np.float32(1 / 32768))
    return DecodeWav(audio, torch.tensor(rate, dtype=torch.int32))


def _wrong(text: str) -> Exception:
    return invalid(f"{text} [Op:DecodeWav]")


def _parse(data: bytes) -> tuple[np.ndarray, int]:
    """The samples [n, channels] and the rate in a RIFF file, whose other chunks are skipped; sizes are checked before they are used."""
    if len(data) < 4:
        raise _wrong(_SHORT)
    if data[:4] != b"RIFF":
        raise _wrong(f"Header mismatch: Expected RIFF but found {data[:4].decode('latin-1')}")
    if len(data) < 12:
        raise _wrong(_SHORT)
    if data[8:12] != b"WAVE":
        raise _wrong(f"Header mismatch: Expected WAVE but found {data[8:12].decode('latin-1')}")
    at, channels, rate = 12, 0, 0
    while at < len(data):
        if len(data) < at + 8:
            raise _wrong(_SHORT)
        kind, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        at += 8
        if len(data) < at + size:
            raise _wrong(_SHORT)
        if kind == b"fmt ":
            channels, rate = _format(data, at, size)
        elif kind == b"data":
            if not channels:
                raise _wrong("Data chunk before the format chunk in WAV")
            count = size // (2 * channels)
            return np.frombuffer(data, "<i2", count * channels, at).reshape(count, channels), rate
        at += size
    raise _wrong(_SHORT)  # no chunk of samples before the end


def _format(data: bytes, at: int, size: int) -> tuple[int, int]:
    if size not in (16, 18):
        raise _wrong(f"Bad file size for WAV: Expected 16 or 18, but got{size}")
    kind, channels, rate, per_second, per_sample, bits = struct.unpack_from("<HHIIHH", data, at)
    if kind != 1:
        raise _wrong(f"Bad audio format for WAV: Expected 1 (PCM), but got{kind}")
    if channels < 1:
        raise _wrong(f"Bad number of channels for WAV: Expected at least 1, but got {channels}")
    if bits != 16:
        raise _wrong(f"Can only read 16-bit WAV files, but received {bits}")
    if per_sample != 2 * channels:
        raise _wrong(f"Bad bytes per sample in WAV header: Expected {2 * channels} but got {per_sample}")
    if per_second != per_sample * rate:
        raise _wrong(f"Bad bytes per second in WAV header: Expected {per_sample * rate} but got {per_second} (sample_rate={rate})")
    return channels, rate


def _known(contents: Any, desired_channels: Any, desired_samples: Any) -> Any:
    shape = (desired_samples if desired_samples >= 0 else None, desired_channels if desired_channels > 0 else None)
    return DecodeWav((dtypes.float32, shape), (dtypes.int32, ()))


decode_wav.strings(decode_wav.op.fn)
decode_wav.infer(_known)


@op("EncodeWav", audio=tensor(dtypes.float32), sample_rate=tensor(dtypes.int32, group="rate"))
def encode_wav(audio: Any, sample_rate: Any, name: str | None = None) -> Any:
    """A WAV file of 16-bit samples of float32 [samples, channels], clipped to [-1, 1), as a string (`tf.audio.encode_wav`).

    InvalidArgumentError for another rank, a rate that is no positive scalar, or no channels.
    """
    if audio.ndim != 2:
        raise invalid(f"audio must be 2-dimensional[{','.join(str(d) for d in audio.shape)}] [Op:EncodeWav] name: ")
    if sample_rate.ndim:
        shape = ",".join(str(d) for d in sample_rate.shape)
        raise invalid(f"Input sample_rate should be a scalar tensor, got [{shape}] instead. [Op:EncodeWav]")
    count, channels = audio.shape
    rate = int(sample_rate)
    if rate <= 0:
        raise invalid(f"sample_rate must be in (0, 2^32), got: {rate} [Op:EncodeWav] name: ")
    if not 0 < channels < 1 << 16:
        raise invalid(f"num_channels must be in (0, 2^16), got: {channels} [Op:EncodeWav] name: ")
    scaled = audio.detach().cpu().numpy() * np.float32(32768)
    # halves go away from zero, as roundf's
    whole = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).clip(-32768, 32767).astype("<i2")
    size = 2 * count * channels
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16, b"data", size)
    out = np.empty((), dtype=object)
    out[()] = head + whole.tobytes()
    return out


encode_wav.infer(lambda audio, sample_rate: [(dtypes.string, ())])
