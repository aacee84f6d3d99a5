"""The `checkpoint` file of a directory, which says what its latest checkpoint is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tf2compat import _ports, errors
from tf2compat._engine.logs import get_logger
from tf2compat._files import os_error, write_atomic
from tf2compat.train import _formats

_MAX_STATE = 64 << 20
_log = get_logger()


def _messages() -> Any:
    return _ports.load("protos", "tensorflow")


def generate_checkpoint_state(
    directory: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> Any:
    """A `CheckpointState` message with paths relative to the directory, where they are not absolute elsewhere."""
    paths = list(all_model_checkpoint_paths or ())
    if model_checkpoint_path not in paths:
        paths.append(model_checkpoint_path)
    if all_model_checkpoint_timestamps and len(all_model_checkpoint_timestamps) != len(paths):
        raise ValueError("Checkpoint timestamps, if provided, must match checkpoint paths")

    def relative(path: str) -> str:
        return os.path.relpath(path, directory or ".") if os.path.isabs(path) == os.path.isabs(directory) else path

    state = _messages().CheckpointState(
        model_checkpoint_path=relative(model_checkpoint_path),
        all_model_checkpoint_paths=[relative(path) for path in paths],
        all_model_checkpoint_timestamps=all_model_checkpoint_timestamps or (),
    )
    if last_preserved_timestamp is not None:
        state.last_preserved_timestamp = last_preserved_timestamp
    return state


def update_checkpoint_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
    latest_filename: str | None = None,
) -> None:
    """Replaces the `checkpoint` file of a directory."""
    state = generate_checkpoint_state(
        save_dir, model_checkpoint_path, all_model_checkpoint_paths, all_model_checkpoint_timestamps, last_preserved_timestamp
    )
    write_atomic(os.path.join(save_dir, latest_filename or "checkpoint"), str(state).encode())


def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> Any:
    """The `CheckpointState` message of a directory, or None (`tf.train.get_checkpoint_state`).

    Its paths are absolute or relative to the working directory. A file that is not a CheckpointState is reported in the log and gives
    None, as in TensorFlow.
    """
    directory = _formats.path_text(checkpoint_dir)
    path = os.path.join(directory, latest_filename or "checkpoint")
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_STATE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise os_error(error, path) from error
    messages = _messages()
    try:
        if len(content) > _MAX_STATE:
            raise ValueError(f"it is longer than {_MAX_STATE} bytes")
        state = messages.parse_text(messages.CheckpointState, content.decode())
    except ValueError as error:
        _log.warning("%s: %s", type(error).__name__, error)
        _log.warning("%s: Checkpoint ignored", path)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {directory}")
    state.model_checkpoint_path = _absolute(directory, state.model_checkpoint_path)
    paths = [_absolute(directory, item) for item in state.all_model_checkpoint_paths]
    del state.all_model_checkpoint_paths[:]
    state.all_model_checkpoint_paths.extend(paths)
    return state


def _absolute(directory: str, path: str) -> str:
    return path if os.path.isabs(path) else os.path.join(directory, path)


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The path of a directory's latest checkpoint, or None if there is none (`tf.train.latest_checkpoint`)."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:
        return None
    if _formats.exists(state.model_checkpoint_path):
        return state.model_checkpoint_path
    _log.error("Couldn't match files for checkpoint %s", state.model_checkpoint_path)
    return None


def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Whether a checkpoint lies at a prefix, in any format."""
    return _formats.exists(_formats.path_text(checkpoint_prefix))


def remove_checkpoint(checkpoint_prefix: str) -> None:
    """Deletes a checkpoint's files."""
    try:
        _formats.delete(checkpoint_prefix)
    except errors.NotFoundError:
        return
