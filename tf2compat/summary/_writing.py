"""Summary writers, the default step, when to record, and `tf.summary.write`, on which every kind of summary stands."""

from __future__ import annotations

import abc
import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from tf2compat import _ports
from tf2compat._engine import dtypes, state
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.op import ANY, op, tensor
from tf2compat._engine.tensor import Tensor, numpy_of, wrap
from tf2compat._engine.trackable import Trackable
from tf2compat._engine.variable import Variable

_NO_STEP = "No step set. Please specify one either through the `step` argument or through tf.summary.experimental.set_step()"


class _State(threading.local):
    def __init__(self) -> None:
        self.writer: SummaryWriter | None = None
        self.step: Any = None
        self.recording: Any = True
        self.tracing: Any = None


current = _State()


def messages() -> Any:
    """The adapter that makes event messages."""
    return _ports.load("events", "tensorboard")


def truth(value: bool) -> Tensor:
    return wrap(torch.tensor(value))


class SummaryWriter(abc.ABC):
    """Where summaries go (`tf.summary.SummaryWriter`): made by `create_file_writer` or `create_noop_writer`."""

    def set_as_default(self, step: Any = None) -> None:
        """Makes this the default writer of the thread, and `step`, if given, the default step."""
        self.as_default(step).__enter__()

    def as_default(self, step: Any = None) -> Any:
        """A context in which this is the default writer, and `step`, if given, the default step."""
        return self._as_default(step)

    @contextlib.contextmanager
    def _as_default(self, step: Any) -> Iterator[SummaryWriter]:
        saved = current.writer, current.step
        current.writer = self
        if step is not None:
            current.step = step
        try:
            yield self
        finally:
            self.flush()
            current.writer = saved[0]
            if step is not None:
                current.step = saved[1]

    def init(self) -> None:
        """Does nothing: a writer is ready when it has been made."""

    @abc.abstractmethod
    def flush(self) -> None:
        """Writes what has been held back."""

    @abc.abstractmethod
    def close(self) -> None:
        """Flushes, and closes the file. The writer cannot be used afterwards."""

    def _emit(self, event: bytes) -> None:
        """Takes one serialized event."""


class _FileWriter(SummaryWriter, Trackable):
    """A writer to an event sink. An object of the trackable tree without state, so that modules can hold it."""

    def __init__(self, sink: Any) -> None:
        self._sink = sink
        self._closed = False

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"SummaryWriter {self!r} is already closed")

    def set_as_default(self, step: Any = None) -> None:
        self._check_open()
        # Not through the context manager: one that is never left would be closed by the garbage collector.
        current.writer = self
        if step is not None:
            current.step = step

    def as_default(self, step: Any = None) -> Any:
        self._check_open()
        return self._as_default(step)

    def init(self) -> None:
        self._check_open()

    def flush(self) -> None:
        if state.local.graph is not None:  # each time the graph runs
            _flushed(self._flush)
        else:
            self._flush()

    def _flush(self) -> None:
        if not self._closed:
            self._sink.flush()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._sink.close()

    def _emit(self, event: bytes) -> None:
        self._sink.write(event)


class _NoopWriter(SummaryWriter):
    """A writer that drops everything."""

    def set_as_default(self, step: Any = None) -> None:
        """Does nothing: what was the default writer stays it."""

    @contextlib.contextmanager
    def _as_default(self, step: Any) -> Iterator[SummaryWriter]:
        yield self  # as if it was not there

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


def _text(value: Any, name: str) -> str:
    if isinstance(value, (Tensor, Variable)):
        value = value.numpy()
    if isinstance(value, bytes):
        value = value.decode()
    if hasattr(value, "__fspath__"):
        value = value.__fspath__()
    if not isinstance(value, str):
        raise TypeError(f"Argument `{name}` must be a string, got {value!r}")
    return value


def create_file_writer(
    logdir: Any,
    max_queue: Any = None,
    flush_millis: Any = None,
    filename_suffix: Any = None,
    name: str | None = None,
    experimental_trackable: bool = False,
    experimental_mesh: Any = None,
) -> SummaryWriter:
    """A writer to a new event file in `logdir` (`tf.summary.create_file_writer`).

    At most `max_queue` events (10) are held back, for `flush_millis` (two minutes) at most; the file's name ends in `filename_suffix`
    (".v2"). Raises ValueError without a directory and an OpError when the file cannot be made.
    """
    if logdir is None:
        raise ValueError("Argument `logdir` cannot be None")
    if experimental_mesh is not None:
        raise ValueError("create_file_writer: experimental_mesh (DTensor) is not supported by tf2compat.")
    with state.outside():
        return _FileWriter(
            messages().open_sink(
                _text(logdir, "logdir"),
                10 if max_queue is None else int(max_queue),
                120_000 if flush_millis is None else int(flush_millis),
                ".v2" if filename_suffix is None else _text(filename_suffix, "filename_suffix"),
            )
        )


def create_noop_writer() -> SummaryWriter:
    """A writer that records nothing (`tf.summary.create_noop_writer`)."""
    return _NoopWriter()


def flush(writer: SummaryWriter | None = None, name: str | None = None) -> None:
    """Writes what a writer, or else the default one, has held back (`tf.summary.flush`)."""
    if writer is None:
        writer = current.writer
    if writer is None:
        return
    if not isinstance(writer, SummaryWriter):
        raise ValueError(f"Invalid argument to flush(): {writer!r}")
    writer.flush()


# --- when to record --------------------------------------------------------------------------------------------------
def _condition() -> Any:
    """True, False, or a bool tensor: whether the default writer takes summaries now."""
    if current.writer is None:
        return False
    value = current.recording
    return value() if callable(value) and not isinstance(value, (Tensor, Variable)) else value


def should_record_summaries() -> Tensor:
    """A bool tensor: whether there is a default writer and `record_if` allows recording (`tf.summary.should_record_summaries`)."""
    value = _condition()
    return truth(value) if isinstance(value, bool) else convert_to_tensor(value, dtypes.bool)


@contextlib.contextmanager
def record_if(condition: Any) -> Iterator[None]:
    """A context in which summaries are recorded only if `condition`, a bool, a bool tensor or a callable, is true (`tf.summary.record_if`)."""
    saved = current.recording
    current.recording = condition
    try:
        yield
    finally:
        current.recording = saved


# --- the step --------------------------------------------------------------------------------------------------------
def get_step() -> Any:
    """The default step of the thread, or None (`tf.summary.experimental.get_step`)."""
    return current.step


def set_step(step: Any) -> None:
    """Sets the default step of the thread: an int, an int64 tensor or variable, or None (`tf.summary.experimental.set_step`)."""
    current.step = step


def _step_tensor(step: Any) -> Tensor:
    if isinstance(step, (bool, float, str, np.floating)):
        raise TypeError(f"Cannot convert {step!r} to EagerTensor of dtype int64")
    if isinstance(step, Variable) and step.dtype is not dtypes.int64:
        raise ValueError(f"Incompatible type conversion requested to type int64 for `tf.Variable of type {step.dtype.name}. (Variable: {step})")
    return convert_to_tensor(step, dtypes.int64)


# --- writing ---------------------------------------------------------------------------------------------------------
@op("WriteSummary", stateful=True, data=ANY, step=tensor(dtypes.int64, group="step"), should=tensor(dtypes.bool, group="should"))
def _record(data: Any, step: Any, should: Any, record: Callable[[np.ndarray, int], None]) -> torch.Tensor:
    do = bool(should)
    if do:
        record(numpy_of(data), int(step))
    return torch.tensor(do)


_record.infer(lambda *args: [(dtypes.bool, ())])
_record.strings(_record.op.fn)


@op("FlushSummaryWriter", stateful=True)
def _flushed(flush: Callable[[], None]) -> None:
    flush()


_flushed.infer(lambda *args: [])


def emit(data: Any, step: Any, make: Callable[[np.ndarray, int], bytes]) -> Tensor:
    """Sends the event that `make` makes of the data (as NumPy) and the step to the default writer, if it records.

    In a `tf.function` this happens each time the graph runs. Returns a bool tensor: whether it was recorded.
    """
    writer = current.writer
    if writer is None:
        return truth(False)
    should = _condition()
    if state.local.graph is None:
        if not (should if isinstance(should, bool) else bool(should)):
            return truth(False)
        step = current.step if step is None else step
        if step is None:
            raise ValueError(_NO_STEP)
        number = step if type(step) is int else int(_step_tensor(step).numpy())
        value = data() if callable(data) and not isinstance(data, (Tensor, Variable)) else data
        writer._emit(make(_array(value), number))
        return truth(True)
    if should is False:
        return truth(False)
    step = current.step if step is None else step
    if step is None:
        raise ValueError(_NO_STEP)
    value = data() if callable(data) and not isinstance(data, (Tensor, Variable)) else data
    should = truth(should) if isinstance(should, bool) else convert_to_tensor(should, dtypes.bool)
    return _record(value, _step_tensor(step), should, lambda array, number: writer._emit(make(array, number)))


def _array(value: Any) -> np.ndarray:
    if isinstance(value, (Tensor, Variable)):
        return numpy_of(value._t)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "USO":
        return value
    return numpy_of(convert_to_tensor(value)._t)


@contextlib.contextmanager
def summary_scope(name: str, default_name: str = "summary", values: Any = None) -> Iterator[tuple[str, str]]:
    """A context that gives (tag, name scope) for a summary of this name (`tf.summary.experimental.summary_scope`)."""
    from tf2compat import name_scope

    name = name or default_name
    tag = "/".join([*state.local.names, name])
    cleaned = re.sub(r"[^a-zA-Z0-9_./-]", "", name).lstrip("/_.-") or default_name
    with name_scope(cleaned) as scope:
        yield tag, scope


def tag_of(name: Any) -> str:
    """The tag of a summary of this name: with the name scopes around it."""
    if not isinstance(name, str):
        raise TypeError(f"Cannot convert {name!r} to EagerTensor of dtype string")
    names = state.local.names
    return "/".join([*names, name]) if names else name


def write(tag: Any, tensor: Any, step: Any = None, metadata: Any = None, name: str | None = None) -> Tensor:
    """Writes a tensor, or what a callable returns, under a tag exactly as given (`tf.summary.write`).

    `metadata` is a `SummaryMetadata` message, which says which plugin of TensorBoard shows it. Returns a bool tensor, whether it was
    recorded; raises ValueError when there is a writer but no step.
    """
    if isinstance(tag, (Tensor, Variable)):
        tag = tag.numpy()
    if isinstance(tag, bytes):
        tag = tag.decode()
    if not isinstance(tag, str):
        raise TypeError(f"Cannot convert {tag!r} to EagerTensor of dtype string")
    if isinstance(metadata, (Tensor, Variable)):
        metadata = metadata.numpy()
    content = metadata.SerializeToString() if hasattr(metadata, "SerializeToString") else metadata
    return emit(tensor, step, lambda array, number: messages().summary_event(number, tag, array, content))


def write_raw_pb(tensor: Any, step: Any = None, name: str | None = None) -> Tensor:
    """Writes a serialized `Summary` message, or several as one (`tf.summary.experimental.write_raw_pb`)."""
    return emit(tensor, step, lambda array, number: messages().raw_event(number, b"".join(array.reshape(-1).tolist())))
