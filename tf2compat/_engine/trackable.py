"""The trackable tree: which objects own which, under which names, for everything that outlives the program.

Checkpoints, SavedModels, Keras' weight files and `tf.Module` walk this one tree. Its nodes are `Trackable` objects and, as they are,
the lists, dicts and tuples assigned to their attributes; its edges have TensorFlow's names. Lists and dicts stay ordinary Python
objects: what they hold is looked up when the tree is walked. Only where a restored checkpoint holds values for elements that
do not exist yet are they replaced by a kind that notices new elements, so that the values reach them on arrival.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol


class Restoration(Protocol):
    """A checkpoint being restored, to which objects that turn up later report."""

    def arrive(self, node: int, value: Any, holder: Any, edge: str) -> None:
        """`value`, now the child `edge` of `holder`, has taken the place of the checkpoint's node of this number."""


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
                restoration.arrive(node, trackable, self, name)

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
        if type(value) in _NEVER_NODES:
            super().__setattr__(name, value)
            return
        if isinstance(value, NoDependency):
            super().__setattr__(name, value.value)
            return
        if getattr(self, "_self_setattr_tracking", True) and is_node(value) and self.__dict__.get(name) is not value:
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


_NEVER_NODES = frozenset((int, float, bool, str, bytes, complex, type(None), type(lambda: None)))


class _Noticing:
    """Common to lists and dicts that await values of a restored checkpoint for children to come."""

    deferred: dict[str, list[tuple[Restoration, int]]]

    def _notice(self, name: str, value: Any) -> None:
        if name in self.deferred and is_node(value):
            for restoration, node in self.deferred.pop(name):
                restoration.arrive(node, value, self, name)


class ListWrapper(list, _Noticing):
    """A list with values waiting for elements it does not have yet."""

    def __init__(self, elements: Iterable[Any] = ()) -> None:
        super().__init__(elements)
        self.deferred = {}

    def append(self, value: Any) -> None:
        super().append(value)
        self._notice(str(len(self) - 1), value)

    def extend(self, values: Iterable[Any]) -> None:
        for value in values:
            self.append(value)

    def __iadd__(self, values: Iterable[Any]) -> ListWrapper:  # type: ignore[override, misc]
        self.extend(values)
        return self

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, value)
        for place, element in enumerate(self):
            self._notice(str(place), element)

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        for place, element in enumerate(self):
            self._notice(str(place), element)

    def __repr__(self) -> str:
        return f"ListWrapper({super().__repr__()})"

    def __reduce__(self) -> Any:
        return list, (list(self),)


class DictWrapper(dict, _Noticing):
    """A dict with values waiting for keys it does not have yet."""

    def __init__(self, items: Any = (), **kwargs: Any) -> None:
        super().__init__(items, **kwargs)
        self.deferred = {}

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        if isinstance(key, str):
            self._notice(key, value)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> DictWrapper:  # type: ignore[override, misc]
        self.update(other)
        return self

    def __repr__(self) -> str:
        return f"DictWrapper({super().__repr__()})"

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


_CONTAINERS = (list, dict, OrderedDict, ListWrapper, DictWrapper)


def is_node(value: Any) -> bool:
    """Whether a value is part of the tree when something trackable holds it."""
    if isinstance(value, Trackable):
        return True
    kind = type(value)
    if kind in _NEVER_NODES:
        return False
    return kind in _CONTAINERS or (isinstance(value, tuple) and any(is_node(element) for element in value))


def children(node: Any, save_type: str = "checkpoint") -> Mapping[str, Any]:
    """The children of a node of the tree by the names of their edges, in TensorFlow's order.

    Raises ValueError for a dict that has something to save under a key that is not a string.
    """
    if isinstance(node, Trackable):
        return {name: value for name, value in node._trackable_children(save_type).items() if is_node(value)}
    found: dict[str, Any] = {}
    if isinstance(node, dict):
        for key, value in node.items():
            if not is_node(value):
                continue
            if not isinstance(key, str):
                raise ValueError(
                    f"Unable to save the object {node} (a dictionary wrapper constructed automatically on attribute assignment). The "
                    "wrapped dictionary contains a non-string key which maps to a trackable object or mutable data structure.\n\n"
                    "If you don't need this dictionary checkpointed, wrap it in a non-trackable object; it will be subsequently "
                    "ignored."
                )
            found[key] = value
        return found
    names = getattr(node, "_fields", None)
    for index, value in enumerate(node):
        if is_node(value):
            if names is not None:
                found[names[index]] = value
            found[str(index)] = value
    return found


def lookup(node: Any, name: str) -> Any:
    """The child of a node under a name, or None."""
    if isinstance(node, Trackable):
        value = node._lookup_dependency(name)
        return value if value is not None and is_node(value) else None
    if isinstance(node, dict):
        value = node.get(name)
    elif name.isdecimal() and len(name) < 10:
        value = node[int(name)] if int(name) < len(node) else None
    else:
        value = getattr(node, name, None) if name in getattr(node, "_fields", ()) else None
    return value if value is not None and is_node(value) else None


def await_child(holder: Any, edge: str, node: Any, name: str, restoration: Restoration, number: int) -> Any:
    """Makes `restoration` hear of it when `node`, which is the child `edge` of `holder`, gets a child `name`.

    Returns the node, or what has replaced it: an ordinary list or dict cannot notice new elements.
    """
    if isinstance(node, Trackable):
        node._tracked().deferred.setdefault(name, []).append((restoration, number))
        return node
    if isinstance(node, tuple):
        return node  # it will never have other elements
    if not isinstance(node, _Noticing):
        noticing = ListWrapper(node) if isinstance(node, list) else None if type(node) is OrderedDict else DictWrapper(node)
        if noticing is None or not _replace(holder, edge, node, noticing):
            return node
        node = noticing
    node.deferred.setdefault(name, []).append((restoration, number))
    return node


def _replace(holder: Any, edge: str, old: Any, new: Any) -> bool:
    if isinstance(holder, Trackable):
        holder = holder.__dict__.get("_stands_for", holder)  # a wrapper whose children are another's
        if holder.__dict__.get(edge) is not old:
            return False
        holder.__dict__[edge] = new
        if holder._tracked().edges.get(edge) is old:
            holder._tracked().edges[edge] = new
        return True
    if isinstance(holder, dict):
        dict.__setitem__(holder, edge, new)
        return True
    if isinstance(holder, list):
        list.__setitem__(holder, int(edge), new)
        return True
    return False
