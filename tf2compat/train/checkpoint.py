"""`tf.train.Checkpoint` and `tf.train.CheckpointOptions`."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from tf2compat import errors
from tf2compat._engine import dtypes, state
from tf2compat._engine.trackable import AutoTrackable, Trackable, is_node
from tf2compat._engine.variable import Variable
from tf2compat._engine.wrappers import wrap
from tf2compat.train import _formats, _restoring
from tf2compat.train._saving import collect
from tf2compat.train._sharding import ShardingCallback, sharded
from tf2compat.train._status import CheckpointLoadStatus, InitializationOnlyStatus, NameBasedSaverStatus, variables_of
from tf2compat.train.checkpoint_state import update_checkpoint_state


class CheckpointOptions:
    """How a checkpoint is written and read (`tf.train.CheckpointOptions`).

    `experimental_format` (of tf2compat) is the format to write: 'safetensors' or 'tensorflow'; None takes the environment variable
    TF2COMPAT_CHECKPOINT_FORMAT, or else 'safetensors'. `experimental_sharding_callback` says which files of a bundle hold what; the format is
    then TensorFlow's. With `enable_async` (or its older name
    `experimental_enable_async_checkpoint`) `save` returns at once and writes in the background the values that there are now; a variable that
    changes meanwhile does so in other memory.
    """

    def __init__(
        self,
        experimental_io_device: str | None = None,
        experimental_enable_async_checkpoint: bool = False,
        experimental_write_callbacks: list[Callable[..., Any]] | None = None,
        enable_async: bool = False,
        experimental_skip_slot_variables: bool = False,
        experimental_sharding_callback: Any = None,
        experimental_format: str | None = None,
    ) -> None:
        if experimental_sharding_callback is not None:
            if not isinstance(experimental_sharding_callback, ShardingCallback):
                raise ValueError(
                    "The experimental_sharding_callback checkpoint option must be of type ShardingCallback. The option provided was of type "
                    f"{type(experimental_sharding_callback)}."
                )
            if experimental_format not in (None, "tensorflow"):
                raise ValueError("CheckpointOptions: only TensorFlow's format has shards; experimental_sharding_callback needs it.")
            experimental_format = "tensorflow"
        if experimental_io_device not in (None, "/job:localhost", "/cpu:0", "/device:CPU:0"):
            raise ValueError(f"CheckpointOptions: files can only be written by this host, not by {experimental_io_device!r}.")
        if experimental_format is not None:
            _formats.named(experimental_format)
        self.experimental_io_device = experimental_io_device
        self.enable_async = enable_async or experimental_enable_async_checkpoint
        self.experimental_enable_async_checkpoint = self.enable_async
        self.experimental_write_callbacks = experimental_write_callbacks
        self.experimental_skip_slot_variables = experimental_skip_slot_variables
        self.experimental_sharding_callback = experimental_sharding_callback
        self.experimental_format = experimental_format

    def __copy__(self) -> CheckpointOptions:
        other = CheckpointOptions.__new__(CheckpointOptions)
        other.__dict__.update(self.__dict__)
        if self.experimental_write_callbacks is not None:
            other.experimental_write_callbacks = list(self.experimental_write_callbacks)
        return other


class _Writer:
    """Writes in the background, one checkpoint at a time; a failure is raised by the next operation."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asks
                self._error = error

        self._thread = threading.Thread(target=run, name="checkpoint writer")  # not a daemon: the program's end waits for it
        self._thread.start()

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error


def _expect_trackable(value: Any, name: str) -> None:
    if not is_node(value):
        raise ValueError(
            f"`Checkpoint` was expecting {name} to be a trackable object (an object derived from `Trackable`), got {value}. If you "
            "believe this object should be trackable (i.e. it is part of the TensorFlow Python API and manages state), please open an "
            "issue."
        )


class Checkpoint(AutoTrackable):
    """Saves and restores the trackable objects given by name, and everything they depend on (`tf.train.Checkpoint`).

    With `root`, the checkpoint is of that object (its own edges first, then those of the keyword arguments). Raises ValueError for an
    argument that is not trackable, or whose name the root uses for another object.
    """

    _attached: dict[str, Any]

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        self._save_counter: Variable | None = None
        self._writer = _Writer()
        # Set past the tracking: what belongs to the checkpoint is named by the caller.
        self.__dict__["_attached"] = {}
        for name, value in sorted(kwargs.items()):
            value = wrap(value)
            _expect_trackable(value, name)
            kwargs[name] = value
            setattr(self, name, value)
        if root is not None:
            if callable(root) and not is_node(root) and hasattr(root, "deref"):
                root = root.deref()  # a weak reference
            _expect_trackable(root, "root")
            for name, value in sorted(kwargs.items()):
                existing = root._lookup_dependency(name) if isinstance(root, Trackable) else None
                if existing is not None and existing is not value:
                    raise ValueError(f"Cannot create a Checkpoint with keyword argument {name} if root.{name} already exists.")
                self._attached[name] = value
            self._attached["root"] = root
            self.root = root

    # --- the tree ----------------------------------------------------------------------------------------------------
    @property
    def _root(self) -> Any:
        return self.__dict__.get("root", self) if "root" in self._attached else self

    def _maybe_create_save_counter(self) -> None:
        if self._save_counter is not None:
            return
        with state.outside():
            counter = Variable(0, dtype=dtypes.int64, name="save_counter", trainable=False)
        self.__dict__["_save_counter"] = counter
        if self._attached:
            self._attached["save_counter"] = counter
        else:
            self._tracked().edges["save_counter"] = counter
            self._handle_deferred_dependencies("save_counter", counter)

    @property
    def save_counter(self) -> Variable:
        """How often `save` has been called; an int64 variable that is part of the checkpoint."""
        self._maybe_create_save_counter()
        assert self._save_counter is not None
        return self._save_counter

    # --- writing -----------------------------------------------------------------------------------------------------
    def write(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Writes the checkpoint at exactly `file_prefix`, without numbering and without the `checkpoint` state file.

        Returns the prefix, for `read`. Raises an OpError when the files cannot be written; an older checkpoint at the prefix is then
        untouched.
        """
        if state.local.graph is not None:
            raise NotImplementedError("Calling tf.train.Checkpoint.write() from a tf.function is not supported by tf2compat.")
        return self._write(_formats.path_text(file_prefix), options, ())

    def _write(self, prefix: str, options: CheckpointOptions | None, after: tuple[Callable[[str], None], ...] = ()) -> str:
        options = options or CheckpointOptions()
        self._writer.wait()
        callbacks = (*after, *(options.experimental_write_callbacks or ()))
        tensors = collect(self._root, self._attached, lasting=options.enable_async)

        callback = options.experimental_sharding_callback
        shards = None if callback is None else sharded(tensors, callback, self._root)

        def work() -> None:
            _formats.write(prefix, tensors, options.experimental_format, shards)
            for callback in callbacks:
                # TensorFlow calls back with the path, or without arguments if the function takes none.
                code = getattr(callback, "__code__", None)
                takes_none = code is not None and code.co_argcount - (1 if hasattr(callback, "__self__") else 0) == 0
                callback() if takes_none and not code.co_flags & 4 else callback(prefix)

        if options.enable_async:
            self._writer.start(work)
        else:
            work()
        return prefix

    def save(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Writes the checkpoint `<file_prefix>-<save_counter>` and makes it the directory's latest. Returns its path."""
        if state.local.graph is not None:
            raise NotImplementedError(
                "Calling tf.train.Checkpoint.save() from a function is not supported, as save() modifies saving metadata in ways not "
                "supported by TensorFlow Operations. Consider using tf.train.Checkpoint.write(), a lower-level API which does not update "
                "metadata. tf.train.latest_checkpoint and related APIs will not see this checkpoint."
            )
        prefix = _formats.path_text(file_prefix)
        self._writer.wait()
        self.save_counter.assign_add(1)
        path = f"{prefix}-{int(self.save_counter.numpy())}"

        def record(written: str) -> None:
            update_checkpoint_state(os.path.dirname(written), written, [written])

        return self._write(path, options, (record,))

    # --- reading -----------------------------------------------------------------------------------------------------
    def read(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Restores what `write` wrote. Values for objects that do not exist yet arrive when they are created.

        Returns a status object for assertions. Raises NotFoundError, DataLossError, ValueError (a shape that does not fit) or
        InvalidArgumentError (a dtype that does not fit), each before anything has changed.
        """
        options = options or CheckpointOptions()
        self._writer.wait()
        if save_path is None:
            return InitializationOnlyStatus(self._root)
        prefix = _formats.path_text(save_path)
        reader = _formats.open_reader(prefix)
        nodes = _restoring.read_object_graph(reader, prefix)
        if nodes is None:
            missing = _restoring.restore_by_names(reader, variables_of(self._root, self._attached))
            return NameBasedSaverStatus(missing, [self._save_counter] if self._save_counter is not None else [])
        if not nodes:
            raise errors.DataLossError(None, None, f"{prefix}: the description of the checkpoint's objects is empty")
        restoration = _restoring.Restoration(reader, nodes, prefix, options.experimental_skip_slot_variables)
        try:
            restoration.arrive(0, self._root, attached=self._attached)
        except BaseException:
            restoration.leftover.silent = True
            raise
        return CheckpointLoadStatus(restoration, self._root, self._attached, options.experimental_skip_slot_variables)

    def restore(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Restores what `save` wrote, `save_counter` included; see `read`. `None` restores nothing.

        Also takes the directory of a SavedModel, whose variables it restores.
        """
        path = None if save_path is None else _formats.path_text(save_path)
        if path is not None and os.path.isdir(path) and os.path.isfile(os.path.join(path, "saved_model.pb")):
            path = os.path.join(path, "variables", "variables")
        try:
            if path is not None:
                # Before reading, so that it is among the objects to restore.
                self._maybe_create_save_counter()
            return self.read(path, options)
        except errors.NotFoundError as error:
            raise errors.NotFoundError(
                None, None,
                f"Error when restoring from checkpoint or SavedModel at {path}: {error.message}\nPlease double-check that the path is "
                "correct. You may be missing the checkpoint suffix (e.g. the '-1' in 'path/to/ckpt-1').",
            ) from error  # fmt: skip

    def sync(self) -> None:
        """Waits until a checkpoint being written in the background is on disk; raises its error if it failed."""
        self._writer.wait()

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Checkpoint:
        other = Checkpoint.__new__(Checkpoint)
        memo[id(self)] = other  # type: ignore[index]
        for name, value in self.__dict__.items():
            other.__dict__[name] = _Writer() if name == "_writer" else copy.deepcopy(value, memo)  # type: ignore[arg-type]
        return other
