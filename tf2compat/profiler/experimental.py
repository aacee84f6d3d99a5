"""`tf.profiler.experimental`: profiles by torch's profiler, in the form that `torch_tb_profiler` and chrome://tracing show."""

from __future__ import annotations

import collections
import os
import socket
import threading
import time
from types import SimpleNamespace
from typing import Any

import torch

from .. import errors

__all__ = ["Profile", "ProfilerOptions", "Trace", "client", "server", "start", "stop"]

_Options = collections.namedtuple("ProfilerOptions", ("host_tracer_level", "python_tracer_level", "device_tracer_level", "delay_ms"))


class ProfilerOptions(_Options):
    """What is recorded (`tf.profiler.experimental.ProfilerOptions`): the host and the device where their level is not 0, and Python frames
    where `python_tracer_level` is not 0. A delay is not supported."""

    __slots__ = ()

    def __new__(cls, host_tracer_level: int = 2, python_tracer_level: int = 0, device_tracer_level: int = 1, delay_ms: int | None = None) -> Any:
        if delay_ms is not None:
            raise errors.UnimplementedError(None, None, f"tf2compat does not support delay_ms={delay_ms} of ProfilerOptions")
        return super().__new__(cls, host_tracer_level, python_tracer_level, device_tracer_level, delay_ms)


_lock = threading.Lock()
_running: list[tuple[Any, str]] = []


def begin(options: ProfilerOptions | None = None) -> Any:
    """A running torch profiler."""
    options = options or ProfilerOptions()
    kinds = [torch.profiler.ProfilerActivity.CPU] if options.host_tracer_level else []
    if options.device_tracer_level and torch.cuda.is_available():
        kinds.append(torch.profiler.ProfilerActivity.CUDA)
    running = torch.profiler.profile(activities=kinds or None, record_shapes=True, with_stack=bool(options.python_tracer_level))
    running.__enter__()
    return running


def write(profiler: Any, logdir: str) -> None:
    """What a profiler that has ended recorded, as a run of TensorBoard's profile plugin."""
    run = os.path.join(logdir, "plugins", "profile", time.strftime("%Y_%m_%d_%H_%M_%S"))
    os.makedirs(run, exist_ok=True)
    profiler.export_chrome_trace(os.path.join(run, f"{socket.gethostname()}.pt.trace.json"))


def start(logdir: Any, options: ProfilerOptions | None = None) -> None:
    """Begins to record (`tf.profiler.experimental.start`). AlreadyExistsError when a profiler runs."""
    with _lock:
        if _running:
            raise errors.AlreadyExistsError(None, None, "Another profiler is running.")
        _running.append((begin(options), os.fspath(logdir)))


def stop(save: bool = True) -> None:
    """Ends the recording, and writes it to `<logdir>/plugins/profile` (`tf.profiler.experimental.stop`). UnavailableError when none runs."""
    with _lock:
        if not _running:
            raise errors.UnavailableError(None, None, "Cannot export profiling results. No profiler is running.")
        profiler, logdir = _running.pop()
        profiler.__exit__(None, None, None)
        if save:
            write(profiler, logdir)


class Profile:
    """A profile of a block (`tf.profiler.experimental.Profile`)."""

    def __init__(self, logdir: Any, options: ProfilerOptions | None = None) -> None:
        self._logdir, self._options = logdir, options

    def __enter__(self) -> None:
        start(self._logdir, self._options)

    def __exit__(self, kind: Any, value: Any, tb: Any) -> None:
        stop()


class Trace:
    """A named span in profiles, with metadata such as `step_num` (`tf.profiler.experimental.Trace`)."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        self._name, self._metadata = name, dict(kwargs)
        self._span: Any = None

    def __enter__(self) -> Trace:
        self._span = torch.profiler.record_function(self._name, ", ".join(f"{k}={v}" for k, v in self._metadata.items()))
        self._span.__enter__()
        return self

    def set_metadata(self, **kwargs: Any) -> None:
        """Further metadata, for spans that begin after this."""
        self._metadata.update(kwargs)

    def __exit__(self, kind: Any, value: Any, tb: Any) -> None:
        self._span.__exit__(kind, value, tb)


def _refuse(name: str) -> Any:
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise errors.UnimplementedError(None, None, f"tf2compat does not support tf.profiler.experimental.{name}: profile with start and stop")

    return refused


client = SimpleNamespace(trace=_refuse("client.trace"), monitor=_refuse("client.monitor"))
server = SimpleNamespace(start=_refuse("server.start"))
