"""The event-sink adapter: TensorBoard's event files, and the messages in them.

The messages are tensorboard's own. The file is written here: tensorboard's writer imports a TensorFlow if one is installed and
computes its checksums byte by byte in Python.
"""

from __future__ import annotations

import atexit
import io
import itertools
import os
import socket
import struct
import threading
import time
import wave
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import event_pb2, graph_pb2, summary_pb2, tensor_pb2
from tensorboard.plugins.audio import metadata as audio_metadata
from tensorboard.plugins.histogram import metadata as histogram_metadata
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.plugins.text import metadata as text_metadata

from tf2compat import errors
from tf2compat._engine import dtypes
from tf2compat._files import os_error
from tf2compat_adapters import crc32c

_serial = itertools.count()
_open: weakref.WeakSet[EventFile] = weakref.WeakSet()


class EventFile:
    """A file of events (see `tf2compat._ports.events.EventSink`).

    Events are held back until there are more than `max_queue`, or until `flush_millis` have passed when another comes.
    """

    def __init__(self, logdir: str, max_queue: int = 10, flush_millis: int = 120_000, suffix: str = ".v2") -> None:
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_serial)}{suffix}"
        self.path = os.path.join(logdir, name)
        self._queue: list[bytes] = []
        self._max_queue = max_queue
        self._flush_seconds = flush_millis / 1000.0
        self._flushed = time.monotonic()
        self._lock = threading.Lock()
        try:
            os.makedirs(logdir, exist_ok=True)
            self._file: BinaryIO | None = open(self.path, "xb")
        except OSError as error:
            raise os_error(error, logdir) from error
        first = event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2")
        first.source_metadata.writer = "tf2compat"
        self.write(first.SerializeToString())
        self.flush()
        _open.add(self)

    def write(self, event: bytes) -> None:
        with self._lock:
            if self._file is None:
                raise errors.FailedPreconditionError(None, None, f"The event file {self.path} is closed")
            self._queue.append(event)
            if len(self._queue) > self._max_queue or time.monotonic() - self._flushed > self._flush_seconds:
                self._flush()

    def _flush(self) -> None:
        queue, self._queue = self._queue, []
        self._flushed = time.monotonic()
        assert self._file is not None
        try:
            for event in queue:
                length = struct.pack("<Q", len(event))
                checks = (struct.pack("<I", crc32c.mask(crc32c.value(part))) for part in (length, event))
                self._file.write(length + next(checks) + event + next(checks))
            self._file.flush()
        except OSError as error:
            raise os_error(error, self.path) from error

    def flush(self) -> None:
        with self._lock:
            if self._file is not None:
                self._flush()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                try:
                    self._flush()
                finally:
                    file, self._file = self._file, None
                    file.close()


@atexit.register
def _close_all() -> None:
    for sink in list(_open):
        sink.close()


def open_sink(logdir: str, max_queue: int, flush_millis: int, suffix: str) -> EventFile:
    """A new event file in a directory, which is made if it is not there."""
    return EventFile(logdir, max_queue, flush_millis, suffix)


def tensor_proto(array: Any) -> Any:
    """A `TensorProto` of a NumPy array; an object array holds strings."""
    array = np.asarray(array)
    if array.dtype.kind in "OSU":
        proto = tensor_pb2.TensorProto(dtype=dtypes.string.as_datatype_enum)
        proto.string_val.extend(item.encode() if isinstance(item, str) else bytes(item) for item in array.reshape(-1))
    else:
        proto = tensor_pb2.TensorProto(dtype=dtypes.as_dtype(array.dtype).as_datatype_enum, tensor_content=array.tobytes())
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_shape.SetInParent()
    return proto


def summary_event(step: int, tag: str, array: Any, metadata: Any) -> bytes:
    """An event with one value. `metadata` is a SummaryMetadata message of any protobuf library, its bytes, or None."""
    event = event_pb2.Event(wall_time=time.time(), step=step)
    value = event.summary.value.add(tag=tag, tensor=tensor_proto(array))
    if metadata is not None:
        content = metadata if isinstance(metadata, bytes) else metadata.SerializeToString()
        value.metadata.CopyFrom(summary_pb2.SummaryMetadata.FromString(content))
    return event.SerializeToString()


def raw_event(step: int, summary: bytes) -> bytes:
    """An event with a serialized `Summary`. Raises DataLossError when it is not one."""
    event = event_pb2.Event(wall_time=time.time(), step=step)
    try:
        event.summary.CopyFrom(summary_pb2.Summary.FromString(summary))
    except Exception as error:
        raise errors.DataLossError(None, None, "Bad tf.compat.v1.Summary binary proto tensor string at index 0") from error
    return event.SerializeToString()


def graph_event(graph_def: bytes) -> bytes:
    """An event with a serialized `GraphDef`."""
    return event_pb2.Event(wall_time=time.time(), graph_def=graph_def).SerializeToString()


def is_graph_def(value: Any) -> bool:
    """Whether a value is a GraphDef message, of tensorboard's or of another library's."""
    return isinstance(value, graph_pb2.GraphDef) or (
        hasattr(value, "SerializeToString") and getattr(getattr(value, "DESCRIPTOR", None), "name", "") == "GraphDef"
    )


def read_events(records: Iterable[bytes], path: str) -> Iterator[Any]:
    """The `Event` messages of a file's records; DataLossError for what is none."""
    for record in records:
        try:
            yield event_pb2.Event.FromString(record)
        except DecodeError as error:
            raise errors.DataLossError(None, None, f"{path} is damaged: a record is no Event message") from error


def scalar(description: str | None) -> bytes:
    return scalar_metadata.create_summary_metadata(display_name=None, description=description).SerializeToString()


def histogram(description: str | None) -> bytes:
    return histogram_metadata.create_summary_metadata(display_name=None, description=description).SerializeToString()


def image(description: str | None) -> bytes:
    return image_metadata.create_summary_metadata(display_name=None, description=description).SerializeToString()


def text(description: str | None) -> bytes:
    return text_metadata.create_summary_metadata(display_name=None, description=description).SerializeToString()


def audio(description: str | None) -> bytes:
    return audio_metadata.create_summary_metadata(
        display_name=None, description=description, encoding=audio_metadata.Encoding.Value("WAV")
    ).SerializeToString()


def plugin(name: str, content: bytes = b"1", description: str | None = None) -> bytes:
    """The metadata of a plugin's own kind of summary."""
    return summary_pb2.SummaryMetadata(
        summary_description=description, plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=name, content=content)
    ).SerializeToString()


def encode_png(image: np.ndarray) -> bytes:
    """A PNG of a uint8 array (height, width, 1 to 4 channels)."""
    from PIL import Image

    channels = image.shape[-1]
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}.get(channels)
    if mode is None:
        raise errors.InvalidArgumentError(None, None, f"image must have 1, 2, 3, or 4 channels, got {channels} [Op:EncodePng]")
    out = io.BytesIO()
    Image.fromarray(image[..., 0] if channels == 1 else image, mode).save(out, "PNG")
    return out.getvalue()


def encode_wav(samples: np.ndarray, rate: int) -> bytes:
    """A 16-bit WAV of floats from -1 to 1 (frames, channels)."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes())
    return out.getvalue()
