"""Reading checkpoints without a program: `tf.train.load_checkpoint`, `list_variables`, `load_variable`, `CheckpointView`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tf2compat import errors
from tf2compat._engine import dtypes, trackable
from tf2compat.train import _formats
from tf2compat.train._restoring import read_object_graph
from tf2compat.train._saving import Tree
from tf2compat.train.checkpoint_state import get_checkpoint_state


class CheckpointReader:
    """An open checkpoint: names, dtypes, shapes and values (what `tf.train.load_checkpoint` returns)."""

    def __init__(self, prefix: str) -> None:
        self._reader = _formats.open_reader(prefix)
        self._prefix = prefix

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        return {name: list(info.shape) for name, info in self._reader.entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, dtypes.DType]:
        return {name: dtypes.as_dtype(info.dtype) for name, info in self._reader.entries.items()}

    def has_tensor(self, tensor_str: str) -> bool:
        return _formats.path_text(tensor_str) in self._reader.entries

    def get_tensor(self, tensor_str: str) -> Any:
        """The value as a NumPy array or scalar, `bytes` for a string. Raises NotFoundError, or DataLossError if it is damaged."""
        array = self._reader.read(_formats.path_text(tensor_str)).numpy()
        return array.copy() if array.ndim else array[()]

    def debug_string(self) -> bytes:
        """One line for each tensor: name, dtype, shape."""
        lines = []
        for name, info in sorted(self._reader.entries.items()):
            dtype = dtypes.as_dtype(info.dtype)
            lines.append(f"{name} (DT_{(dtype._cpp or dtype.name).upper()}) [{','.join(map(str, info.shape))}]")
        return "\n".join(lines).encode()


def _prefix_of(path: Any) -> str:
    text = _formats.path_text(path)
    if os.path.isdir(text) and not _formats.exists(text):
        state = get_checkpoint_state(text)
        if state is None:
            raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {text}")
        return state.model_checkpoint_path
    return text


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """A reader for a checkpoint, or for the latest one of a directory (`tf.train.load_checkpoint`).

    Raises ValueError for a directory without checkpoints, NotFoundError for a path without one, DataLossError for a damaged one.
    """
    return CheckpointReader(_prefix_of(ckpt_dir_or_file))


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """(name, shape) of everything in a checkpoint, sorted by name (`tf.train.list_variables`)."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """The value of one variable of a checkpoint as NumPy (`tf.train.load_variable`). Raises NotFoundError if it has none."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


class CheckpointView:
    """The tree of objects that a checkpoint describes (`tf.train.CheckpointView`). Objects are numbers; the root is 0."""

    def __init__(self, save_path: Any) -> None:
        prefix = _formats.path_text(save_path)
        reader = _formats.open_reader(prefix)
        nodes = read_object_graph(reader, prefix)
        if nodes is None:
            raise errors.NotFoundError(
                None, None,
                f"The specified checkpoint \"{prefix}\" does not appear to be object-based (saved with TF2) since it is missing the key "
                '"_CHECKPOINTABLE_OBJECT_GRAPH". Likely it was created with the TF1 name-based saver and does not contain an object '
                "dependency graph.",
            )  # fmt: skip
        self._nodes = nodes

    @property
    def root(self) -> int:
        return 0

    def children(self, node_id: int) -> dict[str, int]:
        """The children of an object by the names of their edges."""
        return dict(self._nodes[node_id].children)

    def descendants(self) -> list[int]:
        """Every object below the root and the root itself, breadth first."""
        found = [0]
        seen = {0}
        for number in found:
            for _, child in self._nodes[number].children:
                if child not in seen:
                    seen.add(child)
                    found.append(child)
        return found

    def match(self, obj: Any) -> dict[int, Any]:
        """Which object of the program below `obj` corresponds to which of the checkpoint."""
        root = obj._root if isinstance(obj, TrackableView) else obj
        found = {0: root}
        waiting = [0]
        for number in waiting:
            for name, child in self._nodes[number].children:
                value = trackable.lookup(found[number], name)
                if value is not None and child not in found:
                    found[child] = value
                    waiting.append(child)
        return found

    def diff(self, obj: Any) -> tuple[dict[int, Any], list[int], list[Any]]:
        """(what corresponds, objects only in the checkpoint, objects only in the program)."""
        matched = self.match(obj)
        known = {id(value) for value in matched.values()}
        only_here = [number for number in self.descendants() if number not in matched]
        root = obj._root if isinstance(obj, TrackableView) else obj
        return matched, only_here, [value for value in Tree(root).objects if id(value) not in known]


class TrackableView:
    """The tree of objects of a program (`tf.train.TrackableView`)."""

    def __init__(self, root: Any) -> None:
        self._root = root

    @property
    def root(self) -> Any:
        return self._root

    @classmethod
    def children(cls, obj: Any, save_type: str = "checkpoint", **kwargs: Any) -> Mapping[str, Any]:
        """The children of an object by the names of their edges."""
        return dict(trackable.children(obj, save_type))

    def descendants(self) -> list[Any]:
        """Every object below the root and the root itself, breadth first."""
        return Tree(self._root).objects
