"""The trackable tree: which objects own which, under which names, for everything that outlives the program.

Checkpoints, SavedModels, Keras' weight files and `tf.Module` walk this one tree. Its nodes are `Trackable` objects; its edges have TensorFlow's
names. The lists, dicts and tuples assigned to their attributes are nodes, too, since they are wrapped on the way (`wrappers.py`): so values of a
restored checkpoint reach elements that come later.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Restoration(Protocol):
    """A checkpoint being restored, to which objects that turn up later report."""

    def arrive(self, node: int, value: Any) -> None:
        """`value`, now a child of what is being restored, has taken the place of the checkpoint's node of this number."""


class _Tracking:
    """What a Trackable knows of its edges: the tracked values by name, and restorations waiting for names to come."""

    __slots__ = ("owner", "edges", "deferred")

    def __init__(self, owner: int, edges: dict[str, Any]) -> None:
        self.owner = owner
        self.edges = edges
        self.deferred: dict[str, list[tuple[Restoration, int]]] = {}

    def __reduce__(self) -> Any:
        return _Tracking, (0, self.edges)  # restorations hold open files: they do not travel


class NoDependency:
    """Assigned to an attribute, it stores `value` without making it part of the tree."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Trackable:
    """An object that can be saved and restored, and depends on others by name.

    A subclass says what it depends on through `_track_trackable`, or by overriding `_trackable_children`, and what tensors it
    holds itself through `_serialize_to_tensors` and `_restore_from_tensors`.
    """

    def _tracked(self) -> _Tracking:
        state = self.__dict__.get("_tracking")
        if state is None or state.owner != id(self):  # new, or a copy of another object
            state = _Tracking(id(self), {} if state is None else dict(state.edges))
            self.__dict__["_tracking"] = state
        return state

    def _track_trackable(self, trackable: Any, name: str, overwrite: bool = False) -> Any:
        """Makes `trackable` the child `name`. Raises ValueError if another has the name, unless `overwrite` is true."""
        if not is_node(trackable):
            raise TypeError(
                f"Trackable._track_trackable() can only be used to track objects of type Trackable. Got type {type(trackable)}."
            )
        state = self._tracked()
        if not overwrite and state.edges.get(name, trackable) is not trackable:
            raise ValueError(
                f"Called Trackable._track_trackable() with name='{name}', but a Trackable with this name is already declared as a "
                "dependency. Names must be unique (or overwrite=True)."
            )
        state.edges[name] = trackable
        self._handle_deferred_dependencies(name, trackable)
        return trackable

    def _handle_deferred_dependencies(self, name: str, trackable: Any) -> None:
        """Gives a newly tracked child the values that restored checkpoints hold for it."""
        state = self.__dict__.get("_tracking")
        if state is not None and state.owner == id(self):
            for restoration, node in state.deferred.pop(name, ()):
                restoration.arrive(node, trackable)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Mapping[str, Any]:
        """The children by name, in the order in which they were tracked."""
        state = self.__dict__.get("_tracking")
        return {} if state is None else dict(state.edges)

    def _lookup_dependency(self, name: str, cached_dependencies: Mapping[str, Any] | None = None) -> Any:
        """The child of this name, or None."""
        if cached_dependencies is not None:
            return cached_dependencies.get(name)
        return self._trackable_children().get(name)

    def _serialize_to_tensors(self) -> Mapping[str, Any]:
        """The tensors (or variables) that are this object's own state, by attribute name."""
        return {}

    def _restore_from_tensors(self, restored_tensors: Mapping[str, Any]) -> None:
        """Takes over tensors that `_serialize_to_tensors` returned when the checkpoint was saved."""
        raise NotImplementedError(f"{type(self).__name__} does not restore tensors of its own.")

    @staticmethod
    def _no_dependency(value: Any) -> Any:
        return NoDependency(value)


class AutoTrackable(Trackable):
    """A Trackable whose attributes are its children (`tf.__internal__.tracking.AutoTrackable`)."""

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(value)
        if kind in _NEVER_NODES:
            super().__setattr__(name, value)
            return
        if isinstance(value, NoDependency):
            super().__setattr__(name, value.value)
            return
        if getattr(self, "_self_setattr_tracking", True):
            if kind in _CONTAINERS or isinstance(value, tuple):
                from .wrappers import wrap

                value = wrap(value)
            if isinstance(value, Trackable) and self.__dict__.get(name) is not value:
                self._tracked().edges[name] = value
                super().__setattr__(name, value)
                self._handle_deferred_dependencies(name, value)
                return
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        state = self.__dict__.get("_tracking")
        if state is not None and name in state.edges:
            self._tracked().edges.pop(name)
        super().__delattr__(name)


def no_automatic_dependency_tracking(method: Callable[..., Any]) -> Callable[..., Any]:
    """Within the method, assigning attributes of `self` tracks nothing."""

    @functools.wraps(method)
    def untracked(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = getattr(self, "_self_setattr_tracking", True)
        object.__setattr__(self, "_self_setattr_tracking", False)
        try:
            return method(self, *args, **kwargs)
        finally:
            object.__setattr__(self, "_self_setattr_tracking", before)

    return untracked


_CONTAINERS = frozenset((list, dict, OrderedDict))
_NEVER_NODES = frozenset((int, float, bool, str, bytes, complex, type(None), type(lambda: None)))


def is_node(value: Any) -> bool:
    """Whether a value is part of the tree when something trackable holds it."""
    return isinstance(value, Trackable)


def children(node: Trackable, save_type: str = "checkpoint") -> Mapping[str, Any]:
    """The children of a node of the tree by the names of their edges, in TensorFlow's order. ValueError for a node that cannot be saved."""
    return {name: value for name, value in node._trackable_children(save_type).items() if isinstance(value, Trackable)}


def lookup(node: Trackable, name: str) -> Any:
    """The child of a node under a name, or None."""
    value = node._lookup_dependency(name)
    return value if isinstance(value, Trackable) else None


def await_child(node: Trackable, name: str, restoration: Restoration, number: int) -> None:
    """Makes `restoration` hear of it when `node` gets a child `name`."""
    node._tracked().deferred.setdefault(name, []).append((restoration, number))
