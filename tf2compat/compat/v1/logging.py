"""`tf.compat.v1.logging`: TensorFlow 1's logging functions on Python's."""

from __future__ import annotations

import logging as _logging
from typing import Any

from tf2compat import get_logger as _get_logger

DEBUG = _logging.DEBUG
INFO = _logging.INFO
WARN = _logging.WARNING
ERROR = _logging.ERROR
FATAL = _logging.FATAL


def set_verbosity(v: int | str) -> None:
    """Let messages of this level and above through."""
    _get_logger().setLevel(v)


def get_verbosity() -> int:
    return _get_logger().getEffectiveLevel()


def log(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().log(level, msg, *args, **kwargs)


def debug(msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().debug(msg, *args, **kwargs)


def info(msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().info(msg, *args, **kwargs)


def warn(msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().warning(msg, *args, **kwargs)


def warning(msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().warning(msg, *args, **kwargs)


def error(msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().error(msg, *args, **kwargs)


def fatal(msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().fatal(msg, *args, **kwargs)


_counts: dict[str, int] = {}


def log_every_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Log once in `n` calls with this message."""
    count = _counts[msg] = _counts.get(msg, -1) + 1
    if count % n == 0:
        log(level, msg, *args)


def log_first_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Log the first `n` calls with this message."""
    count = _counts[msg] = _counts.get(msg, -1) + 1
    if count < n:
        log(level, msg, *args)


def flush() -> None:
    for handler in _get_logger().handlers:
        handler.flush()


def log_if(level: int, msg: str, condition: Any, *args: Any) -> None:
    """Log where a condition holds."""
    if condition:
        log(level, msg, *args)


def vlog(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    _get_logger().log(level, msg, *args, **kwargs)


def TaskLevelStatusMessage(msg: str) -> None:
    """An error message (an old name)."""
    error(msg)


# what tf.print calls the functions that it can print to
info._stream_name = "log(info)"  # type: ignore[attr-defined]
warn._stream_name = warning._stream_name = "log(warning)"  # type: ignore[attr-defined]
error._stream_name = "log(error)"  # type: ignore[attr-defined]
