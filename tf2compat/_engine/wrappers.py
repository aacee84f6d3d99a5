"""Lists, dicts and tuples as attributes of trackable objects: what they become, so that they are nodes of the tree.

`self.blocks = [...]` makes a `ListWrapper`, a dict a `_DictWrapper`, a tuple that holds something trackable a `_TupleWrapper`. Each stands for the
program's own container, which it changes and which it shows: one that the program goes on using under another name is still the same. A wrapper
knows which of its elements were given to it and which came past it, since only the former find their values in a checkpoint again.
"""

from __future__ import annotations

import copy
import operator
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .trackable import NoDependency, Trackable
from .variable import Variable

_ADVICE = "If you don't need this {kind} checkpointed, wrap it in {what}; it will be subsequently ignored."


def wrap(value: Any) -> Any:
    """What an attribute holds for an assigned value: a container's wrapper, the value of a `NoDependency`, or the value itself."""
    kind = type(value)
    if kind is list:
        return ListWrapper(value)
    if kind is dict or kind is OrderedDict:
        return _DictWrapper(value)
    if isinstance(value, NoDependency):
        return value.value
    if isinstance(value, tuple) and not isinstance(value, Trackable) and _worth_wrapping(value):
        return _TupleWrapper(value)
    return value


def _worth_wrapping(values: tuple[Any, ...]) -> bool:
    return any(
        isinstance(v, (Trackable, NoDependency)) or type(v) in (list, dict, OrderedDict) or (isinstance(v, tuple) and _worth_wrapping(v)) for v in values
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two elements are one, without asking tensors for a truth that they do not have."""
    if one is other:
        return True
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - whatever an element's own comparison raises
        return False


class TrackableDataStructure(Trackable):
    """What wrapped containers have in common: edges to their elements, and what their layers and variables amount to."""

    _self_trainable = True

    @property
    def _values(self) -> Iterable[Any]:
        raise NotImplementedError

    def _container(self) -> Any:
        """What the program assigned."""
        raise NotImplementedError

    def _track_value(self, value: Any, name: str) -> Any:
        """An element as it is stored; what can be tracked becomes a child."""
        tracked = not isinstance(value, NoDependency)
        value = wrap(value)
        if tracked and isinstance(value, Trackable):
            self._track_trackable(value, name, overwrite=True)
        return value

    def _lookup_dependency(self, name: str, cached_dependencies: Mapping[str, Any] | None = None) -> Any:
        return self._tracked().edges.get(name)

    # --- what layers and models ask their children --------------------------------------------------------------------
    @property
    def trainable(self) -> bool:
        return self._self_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._self_trainable = value

    @property
    def layers(self) -> list[Any]:
        """The layers inside, those of containers inside included, each once."""
        found: dict[int, Any] = {}
        for value in self._values:
            if isinstance(value, TrackableDataStructure):
                for layer in value.layers:
                    found.setdefault(id(layer), layer)
            elif getattr(value, "_is_layer", False) and not isinstance(value, type):
                found.setdefault(id(value), value)
        return list(found.values())

    def _of_children(self, attribute: str) -> list[Any]:
        found: list[Any] = []
        for value in self._values:
            if isinstance(value, Trackable):
                found += getattr(value, attribute, ())
        return found

    def _own(self, trainable: bool) -> list[Any]:
        return [v for v in self._stored() if isinstance(v, Variable) and v.trainable is trainable]

    def _stored(self) -> Iterable[Any]:
        """The elements in the order in which they came."""
        return self._values

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables of what is inside that training changes, those that are elements themselves last."""
        return self._of_children("trainable_variables") + self._own(True) if self._self_trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        rest = self._of_children("non_trainable_variables") + self._own(False)
        return rest if self._self_trainable else self._of_children("trainable_variables") + self._own(True) + rest

    @property
    def weights(self) -> list[Any]:
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self) -> list[Any]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        return self.non_trainable_weights

    @property
    def variables(self) -> list[Any]:
        return self.weights

    @property
    def losses(self) -> list[Any]:
        return [loss for layer in self.layers for loss in getattr(layer, "losses", ())]

    @property
    def updates(self) -> list[Any]:
        return [update for layer in self.layers for update in getattr(layer, "updates", ())]


class ListWrapper(TrackableDataStructure, list):
    """A list as an attribute of a trackable object: the list that was assigned, whose elements are children by their places.

    Elements may be appended at any time. A list out of which trackable elements were taken, or in which they were moved, cannot be saved any
    more: ValueError, since the places are the names.
    """

    def __init__(self, wrapped_list: Any = ()) -> None:
        storage = wrapped_list if type(wrapped_list) is list else list(wrapped_list)
        self._storage: list[Any] = storage
        self._moved = False
        for place, value in enumerate(storage):
            storage[place] = self._track_value(value, str(place))
        self._snapshot: list[Any] | None = list(storage)

    @property
    def _values(self) -> Iterable[Any]:
        return self._storage

    def _container(self) -> Any:
        return self._storage

    # --- changes ------------------------------------------------------------------------------------------------------
    def _watch(self) -> None:
        """Notes what came past the wrapper before the list changes in more than what is appended."""
        kept = self._snapshot
        if kept is not None and not (len(kept) == len(self._storage) and all(map(_same, kept, self._storage))):
            self._snapshot = None

    def _settle(self) -> None:
        if self._snapshot is not None:
            self._snapshot = list(self._storage)

    def _move(self, *others: Any) -> None:
        self._watch()
        if not self._moved and any(isinstance(v, Trackable) for v in (*self._storage, *others)):
            self._moved = True

    def append(self, value: Any) -> None:
        value = self._track_value(value, str(len(self._storage)))
        self._storage.append(value)
        if self._snapshot is not None:
            self._snapshot.append(value)  # what came past the wrapper before is found when it is saved

    def extend(self, values: Iterable[Any]) -> None:
        for value in values:
            self.append(value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._watch()
        before = self._storage[key] if not isinstance(key, slice) else list(self._storage)
        if isinstance(key, slice):
            self._storage[key] = value
            for place, now in enumerate(self._storage):
                if place >= len(before) or now is not before[place]:
                    self._storage[place] = self._track_value(now, str(place))
            now = self._storage
            if any(isinstance(v, Trackable) and (place >= len(now) or now[place] is not v) for place, v in enumerate(before)):
                self._moved = True
        else:
            if isinstance(before, Trackable):
                self._moved = True
            place = operator.index(key)
            self._storage[key] = self._track_value(value, str(place if place >= 0 else place + len(self._storage)))
        self._settle()

    def __delitem__(self, key: Any) -> None:
        self._move()
        del self._storage[key]
        self._settle()

    def insert(self, index: Any, value: Any) -> None:
        self._move(value)
        self._storage.insert(index, wrap(value))
        self._settle()

    def pop(self, index: Any = -1) -> Any:
        value = self._storage[index] if self._storage else self._storage.pop(index)
        del self[index]
        return value

    def remove(self, value: Any) -> None:
        del self[self._storage.index(value)]

    def clear(self) -> None:
        if self._storage:
            del self[:]

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        self._move()
        self._storage.sort(key=key, reverse=reverse)
        self._settle()

    def reverse(self) -> None:
        self._move()
        self._storage.reverse()
        self._settle()

    def __iadd__(self, values: Any) -> ListWrapper:  # type: ignore[override, misc]
        self.extend(values)
        return self

    def __imul__(self, times: Any) -> ListWrapper:  # type: ignore[override, misc]
        if times <= 0:
            self.clear()
        else:
            self.extend(self._storage * (times - 1))
        return self

    def settled(self) -> None:
        """What it holds now is what it was made with."""
        self._moved = False
        self._settle()

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Mapping[str, Any]:
        self._watch()
        if self._moved:
            raise ValueError(
                f"Unable to save the object {self} (a list wrapper constructed to track trackable TensorFlow objects). A list element was "
                "replaced (__setitem__, __setslice__), deleted (__delitem__, __delslice__), or moved (sort). In order to support restoration on "
                f"object creation, tracking is exclusively for append-only data structures.\n\n{_ADVICE.format(kind='list', what='a non-trackable object')}"
            )
        if self._snapshot is None:
            raise ValueError(
                f"Unable to save the object {self} (a list wrapper constructed to track trackable TensorFlow objects). The wrapped list was "
                f"modified outside the wrapper (its final value was {self._storage}), which breaks restoration on object creation.\n\n"
                f"{_ADVICE.format(kind='list', what='a NoDependency object')}"
            )
        return super()._trackable_children(save_type, **kwargs)

    # --- reading ------------------------------------------------------------------------------------------------------
    def __getitem__(self, key: Any) -> Any:
        return self._storage[key]

    def __len__(self) -> int:
        return len(self._storage)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._storage)

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self._storage)

    def __contains__(self, value: Any) -> bool:
        return value in self._storage

    def count(self, value: Any) -> int:
        return self._storage.count(value)

    def index(self, value: Any, *bounds: Any) -> int:
        return self._storage.index(value, *bounds)

    def __add__(self, other: Any) -> Any:
        return self._storage + _plain(other)

    def __radd__(self, other: Any) -> Any:
        return other + self._storage

    def __mul__(self, times: Any) -> Any:
        return self._storage * times

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return self._storage == _plain(other)

    def __ne__(self, other: object) -> bool:
        return self._storage != _plain(other)

    def __lt__(self, other: Any) -> bool:
        return self._storage < _plain(other)

    def __le__(self, other: Any) -> bool:
        return self._storage <= _plain(other)

    def __gt__(self, other: Any) -> bool:
        return self._storage > _plain(other)

    def __ge__(self, other: Any) -> bool:
        return self._storage >= _plain(other)

    def __hash__(self) -> int:  # type: ignore[override]
        raise TypeError("unhashable type: 'ListWrapper'")

    def __repr__(self) -> str:
        return f"ListWrapper({self._storage!r})"

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self._storage.__sizeof__()

    # --- copies -------------------------------------------------------------------------------------------------------
    def _copied(self, storage: list[Any]) -> ListWrapper:
        made = ListWrapper(storage)
        made._moved = self._moved
        if self._snapshot is None:
            made._snapshot = None
        return made

    def copy(self) -> ListWrapper:
        return self._copied(list(self._storage))

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> ListWrapper:
        return self._copied(copy.deepcopy(self._storage, memo))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return ListWrapper, (self._storage,)

    @classmethod
    def _tf_like(cls, original: ListWrapper, elements: list[Any], rebuild: Callable[..., Any]) -> Any:
        return cls(elements)


def _plain(value: Any) -> Any:
    return value._storage if type(value) is ListWrapper else value


class _Standing(TrackableDataStructure):
    """A wrapper that passes for the container it stands for: `isinstance` and what is no method of the wrapper ask the container.

    No subclass of dict or tuple: C code would look into memory that is empty here.
    """

    __wrapped__: Any

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return type(self.__dict__["__wrapped__"])

    def __getattr__(self, name: str) -> Any:
        try:
            wrapped = object.__getattribute__(self, "__dict__")["__wrapped__"]
        except KeyError:
            raise AttributeError(name) from None  # being made
        return getattr(wrapped, name)

    def _container(self) -> Any:
        return self.__wrapped__

    def __getitem__(self, key: Any) -> Any:
        return self.__wrapped__[key]

    def __len__(self) -> int:
        return len(self.__wrapped__)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__wrapped__)

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self.__wrapped__)

    def __contains__(self, value: Any) -> bool:
        return value in self.__wrapped__

    def __eq__(self, other: object) -> bool:
        return self.__wrapped__ == _inside(other)

    def __ne__(self, other: object) -> bool:
        return self.__wrapped__ != _inside(other)

    def __lt__(self, other: Any) -> bool:
        return self.__wrapped__ < _inside(other)

    def __le__(self, other: Any) -> bool:
        return self.__wrapped__ <= _inside(other)

    def __gt__(self, other: Any) -> bool:
        return self.__wrapped__ > _inside(other)

    def __ge__(self, other: Any) -> bool:
        return self.__wrapped__ >= _inside(other)

    def __str__(self) -> str:
        return str(self.__wrapped__)

    def __format__(self, specification: str) -> str:
        return format(self.__wrapped__, specification)

    def __dir__(self) -> list[str]:
        return dir(self.__wrapped__)

    def __reduce_ex__(self, protocol: Any) -> Any:  # what is read back is no attribute yet
        wrapped = self.__wrapped__
        return (type(wrapped), tuple(wrapped)) if hasattr(type(wrapped), "_fields") else (type(wrapped), (wrapped,))


def _inside(value: Any) -> Any:
    return value.__wrapped__ if isinstance(value, _Standing) else value


class _DictWrapper(_Standing):
    """A dict as an attribute of a trackable object: the dict that was assigned, whose values are children by their keys.

    A dict that has something to save under a key that is no string, or that was changed past the wrapper, cannot be saved: ValueError.
    """

    def __init__(self, wrapped_dict: Any = None) -> None:
        if wrapped_dict is None:
            wrapped_dict = {}
        elif not isinstance(wrapped_dict, Mapping):
            wrapped_dict = dict(wrapped_dict)
        d = self.__dict__
        d["__wrapped__"] = wrapped_dict = _inside(wrapped_dict)
        d["_self_non_string_key"] = False
        wrapped_dict.update([(key, self._kept(key, value)) for key, value in wrapped_dict.items()])
        d["_self_snapshot"] = dict(wrapped_dict)

    def _kept(self, key: Any, value: Any) -> Any:
        if isinstance(key, str):
            return self._track_value(value, key)
        tracked = not isinstance(value, NoDependency)
        value = wrap(value)
        if tracked and isinstance(value, Trackable):
            self.__dict__["_self_non_string_key"] = True
        return value

    @property
    def _values(self) -> Iterable[Any]:
        wrapped = self.__wrapped__
        return [wrapped[key] for key in sorted(wrapped)]

    def _stored(self) -> Iterable[Any]:
        return self.__wrapped__.values()

    def _watch(self) -> None:
        kept, now = self.__dict__["_self_snapshot"], self.__wrapped__
        if kept is not None and not (kept.keys() == now.keys() and all(_same(value, now[key]) for key, value in kept.items())):
            self.__dict__["_self_snapshot"] = None

    def __setitem__(self, key: Any, value: Any) -> None:
        value = self._kept(key, value)
        self.__wrapped__[key] = value
        if self.__dict__["_self_snapshot"] is not None:
            self.__dict__["_self_snapshot"][key] = value

    def __delitem__(self, key: Any) -> None:
        del self.__wrapped__[key]
        if self.__dict__["_self_snapshot"] is not None:
            self.__dict__["_self_snapshot"].pop(key, None)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __or__(self, other: Any) -> Any:
        return self.__wrapped__ | _inside(other)

    def __ror__(self, other: Any) -> Any:
        return other | self.__wrapped__

    def __ior__(self, other: Any) -> _DictWrapper:
        self.update(other)
        return self

    def __repr__(self) -> str:
        return f"DictWrapper({self.__wrapped__!r})"

    def __hash__(self) -> int:
        raise TypeError("unhashable type: 'DictWrapper'")

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Mapping[str, Any]:
        self._watch()
        start = f"Unable to save the object {self} (a dictionary wrapper constructed automatically on attribute assignment). The wrapped dictionary "
        advice = _ADVICE.format(kind="dictionary", what="a non-trackable object")
        if self._self_non_string_key:
            raise ValueError(f"{start}contains a non-string key which maps to a trackable object or mutable data structure.\n\n{advice}")
        if self.__dict__["_self_snapshot"] is None:
            raise ValueError(
                f"{start}was modified outside the wrapper (its final value was {self}), which breaks restoration on object creation.\n\n{advice}"
            )
        return super()._trackable_children(save_type, **kwargs)

    def _copied(self, wrapped: Any) -> _DictWrapper:
        made = _DictWrapper(wrapped)
        made.__dict__["_self_non_string_key"] = self.__dict__["_self_non_string_key"]
        if self.__dict__["_self_snapshot"] is None:
            made.__dict__["_self_snapshot"] = None
        return made

    def copy(self) -> _DictWrapper:
        return self._copied(copy.copy(self.__wrapped__))

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> _DictWrapper:
        return self._copied(copy.deepcopy(self.__wrapped__, memo))

    @classmethod
    def _tf_like(cls, original: _DictWrapper, elements: list[Any], rebuild: Callable[..., Any]) -> Any:
        return cls(rebuild(original.__wrapped__, elements))


class _TupleWrapper(_Standing):
    """A tuple, or named tuple, that holds something trackable, as an attribute of a trackable object.

    Its elements are children by their places, and by the names of their fields. What a named tuple has goes before what a wrapper has.
    """

    def __init__(self, original_wrapped_tuple: Any = ()) -> None:
        original = _inside(original_wrapped_tuple)
        kind = type(original)
        fields = getattr(kind, "_fields", None)
        elements = [wrap(v) for v in original]
        d = self.__dict__
        d["_self_constructable"] = True
        if fields is None:
            d["__wrapped__"] = kind(elements)
        else:
            try:
                d["__wrapped__"] = kind(**dict(zip(fields, elements, strict=True)))
            except TypeError:  # its own __new__ takes other arguments
                d["__wrapped__"] = original
                d["_self_constructable"] = False
                return
        for names in (fields or (), map(str, range(len(elements)))):
            for name, given, value in zip(names, original, elements, strict=False):
                if not isinstance(given, NoDependency):
                    self._track_value(value, name)

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            wrapped = object.__getattribute__(self, "__dict__")["__wrapped__"]
            if hasattr(wrapped, name):
                return getattr(wrapped, name)
        return object.__getattribute__(self, name)

    @property
    def _values(self) -> Iterable[Any]:
        return self.__wrapped__

    def __add__(self, other: Any) -> Any:
        return self.__wrapped__ + _inside(other)

    def __radd__(self, other: Any) -> Any:
        return other + self.__wrapped__

    def __mul__(self, times: Any) -> Any:
        return self.__wrapped__ * times

    __rmul__ = __mul__

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return f"_TupleWrapper({self.__wrapped__!r})"

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Mapping[str, Any]:
        if not self.__dict__["_self_constructable"]:
            raise ValueError(
                f"Unable to save because the namedtuple {self.__wrapped__} is not constructable from its _fields (i.e. __new__ is overridden). "
                f"Expected keyword arguments {self.__wrapped__._fields}. If you do not need to save this object, consider wrapping it in a "
                "custom object that does not inherit from tuple."
            )
        return super()._trackable_children(save_type, **kwargs)

    def __copy__(self) -> _TupleWrapper:
        return _TupleWrapper(self.__wrapped__)

    def __deepcopy__(self, memo: Any) -> _TupleWrapper:
        return _TupleWrapper(copy.deepcopy(self.__wrapped__, memo))

    @classmethod
    def _tf_like(cls, original: _TupleWrapper, elements: list[Any], rebuild: Callable[..., Any]) -> Any:
        made = rebuild(original.__wrapped__, elements)
        return made if hasattr(type(made), "_fields") else cls(made)
