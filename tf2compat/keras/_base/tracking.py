"""Attributes of layers: which of them are weights, which hold other layers, and how they are walked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.trackable import _NEVER_NODES, Trackable
from tf2compat._engine.variable import UnreadVariable, Variable
from tf2compat._engine.wrappers import TrackableDataStructure
from tf2compat.module import Module


def dedupe(values: Any) -> list[Any]:
    """The values, each object once, in the order of their first places."""
    out, seen = [], set()
    for v in values:
        if id(v) not in seen:
            seen.add(id(v))
            out.append(v)
    return out


def _holds(value: Any) -> bool:
    """Whether a container (or module) may hold layers or weights; what it holds is looked up when it is asked for."""
    if isinstance(value, (Tracked, TrackableDataStructure)):
        return True
    return isinstance(value, Trackable) and (hasattr(type(value), "_flatten") or hasattr(value, "trainable_variables"))


def elements(value: Any) -> Iterator[Any]:
    """Layers, modules and variables inside a tracked attribute, in order, a dict's in that of its keys."""
    if isinstance(value, dict):
        for v in nest.children(value):
            yield from elements(v)
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from elements(v)
    elif isinstance(value, (Trackable, Variable)):
        yield value


def _assigned(v: Any) -> bool:
    """Whether `v` is what an assignment returned, and no variable of its own."""
    return isinstance(v, UnreadVariable) and not hasattr(v, "_components")


class Tracked(Module):
    """The part of a layer that knows its weights and sublayers."""

    _TF_MODULE_IGNORED_PROPERTIES = frozenset(
        (
            "_held", "_inbound", "_outbound", "_call_losses", "_symbolic_losses", "_callable_losses", "_init_args", "_metrics", "_saved_call", "_saved_arguments", "_plan", "_nodes",
            "_compiled_trainable", "_chain", "_train_counter", "_test_counter", "_predict_counter", "_steps_per_execution",
        )
    )

    _trainable: bool
    _trainable_weights: list[Any]
    _non_trainable_weights: list[Any]
    #: name → layer, module or container, in the order of assignment
    _held: dict[str, Any]
    _metrics: list[Any]

    def _start_tracking(self) -> None:
        d = self.__dict__
        d["_trainable"] = True
        d["_trainable_weights"] = []
        d["_non_trainable_weights"] = []
        d["_held"] = {}
        d["_metrics"] = []

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(value)
        if kind in _NEVER_NODES:
            d = self.__dict__
            if name in d and (name in d.get("_held", ()) or (isinstance(d[name], Variable) and "_held" in d)):
                self.__delattr__(name)
            object.__setattr__(self, name, value)
            return
        held = self.__dict__.get("_held")
        if held is not None and name in self.__dict__ and self.__dict__[name] is not value:
            if isinstance(value, Variable) and self._replace_variable(self.__dict__[name], value):
                self.__dict__[name] = value
                return
            self._forget(name)
        super().__setattr__(name, value)
        if held is None or not self.__dict__.get("_self_setattr_tracking", True):
            return
        if name not in self.__dict__:  # a property took the value
            return
        value = self.__dict__[name]
        if isinstance(value, Variable):
            self._track_variable(value)
        elif isinstance(value, Tracked) or _holds(value):
            held[name] = value
            if isinstance(value, TrackableDataStructure):
                self._track_elements(value)
            from ..metrics import Metric

            for v in elements(value):
                if isinstance(v, Metric):
                    self._metrics.append(v)

    def _replace_variable(self, old: Any, new: Any) -> bool:
        """Let a variable take another's place among the weights: their order is that of files. False when they are of different kinds."""
        if not isinstance(old, Variable) or old.trainable != new.trainable or _assigned(new):
            return False
        kept = self._trainable_weights if new.trainable else self._non_trainable_weights
        at = next((i for i, w in enumerate(kept) if w is old), None)
        if at is None or any(w is new for w in kept) or sum(v is old for v in self.__dict__.values()) > 1:
            return False
        kept[at] = new
        return True

    def __delattr__(self, name: str) -> None:
        self._forget(name)
        super().__delattr__(name)

    def _forget(self, name: str) -> None:
        """Take back what the attribute's former value contributed."""
        old = self.__dict__.get(name)
        held = self.__dict__.get("_held")
        if held is None:
            return
        held.pop(name, None)
        if old is None:
            return
        gone = list(elements(old)) if isinstance(old, TrackableDataStructure) else [old]
        others = [v for k, v in self.__dict__.items() if k != name and not k.startswith("_trainable_w") and isinstance(v, Variable)]
        for v in gone:
            if any(v is o for o in others):
                continue
            for kept in (self._trainable_weights, self._non_trainable_weights, self._metrics):
                for i, w in enumerate(kept):
                    if w is v:
                        del kept[i]
                        break

    def _track_variable(self, v: Any) -> None:
        if _assigned(v):
            return
        kept = self._trainable_weights if v.trainable else self._non_trainable_weights
        if not any(v is w for w in kept):
            kept.append(v)

    def _track_elements(self, container: Any) -> None:
        own = {id(v) for v in (*self._trainable_weights, *self._non_trainable_weights)}
        for v in nest.flatten(container):
            if isinstance(v, Variable) and id(v) not in own and not _assigned(v):
                own.add(id(v))
                (self._trainable_weights if v.trainable else self._non_trainable_weights).append(v)

    def _track_later(self) -> None:
        """Makes variables its own that lists and dicts were given since they were assigned."""
        for value in self._held.values():
            if isinstance(value, TrackableDataStructure):
                self._track_elements(value)

    # --- walking -----------------------------------------------------------------------------------------------------
    def _module_attributes(self) -> Iterable[tuple[str, Any]]:
        """A layer's sublayers are met in the order of their assignment, under the name that Keras keeps them by."""
        held = self.__dict__.get("_held")
        return (*super()._module_attributes(), *([("_self_tracked_trackables", list(held.values()))] if held else ()))

    def _tracked_values(self) -> Iterator[Any]:
        """Layers, modules and loose variables held by attributes, each once."""
        seen = set()
        for value in self._held.values():
            for v in (value,) if isinstance(value, Tracked) else elements(value):
                if id(v) not in seen:
                    seen.add(id(v))
                    yield v

    def _flatten_layers(self, recursive: bool = True, include_self: bool = True) -> Iterator[Any]:
        """This layer and its sublayers, depth first; each once. Metrics are no part of what a layer is made of."""
        from ..metrics import Metric

        seen: set[int] = set()
        stack: list[Any] = [self] if include_self else list(self._tracked_values())[::-1]
        first = include_self
        while stack:
            v = stack.pop()
            if id(v) in seen or (isinstance(v, Metric) and v is not self):
                continue
            seen.add(id(v))
            if isinstance(v, Tracked):
                yield v
                if recursive or first:
                    stack.extend(list(v._tracked_values())[::-1])
            elif isinstance(v, Trackable) and hasattr(type(v), "trainable_variables"):  # a plain tf.Module that may hold layers
                stack.extend([c for c in v._trackable_children().values() for c in elements(c)][::-1])
            first = False

    def _gather(self, attribute: str) -> list[Any]:
        """An attribute's values of everything held, e.g. `trainable_variables`; loose variables count as their kind says.

        Metrics of a layer keep theirs to themselves.
        """
        out: list[Any] = []
        for v in self._tracked_values():
            if isinstance(v, Variable):
                if attribute == "variables" or v.trainable is (attribute == "trainable_variables"):
                    out.append(v)
            elif not any(v is m for m in self._metrics):
                out.extend(getattr(v, attribute, ()))
        return out

    @property
    def trainable(self) -> bool:
        """Whether the weights are to be trained. Setting it sets it on all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer.__dict__["_trainable"] = bool(value)

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, own ones first."""
        if not self._trainable:
            return []
        self._track_later()
        return dedupe(self._trainable_weights + self._gather("trainable_variables")) if self._held else list(self._trainable_weights)

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The variables that training leaves alone."""
        self._track_later()
        if self._trainable:
            return dedupe(self._non_trainable_weights + self._gather("non_trainable_variables"))
        return dedupe(self._trainable_weights + self._non_trainable_weights + self._gather("variables"))

    @property
    def weights(self) -> list[Any]:
        """All variables: trainable ones first."""
        return dedupe(self.trainable_weights + self.non_trainable_weights)

    @property
    def variables(self) -> list[Any]:
        """Same as `weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Any]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        return self.non_trainable_weights
