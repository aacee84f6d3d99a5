"""Keras models of SavedModels, and their layers, whose classes are not known here: made of the functions that were saved with them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tf2compat._engine import trackable
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.specs import TensorSpec
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable
from tf2compat._top.calling import variable_creator_scope
from tf2compat.train._saving import Tree

from .. import metrics
from .._base import serialization
from .._base.layer import Layer
from .._base.model import Model
from ..metrics import Metric
from . import compiling

#: what a loaded model has beside its layers and variables: the model makes its own
_ELSEWHERE = frozenset(("optimizer", "keras_api", "keras_metrics", "signatures", "regularization_losses"))
#: what SavedModels call a metric
METRIC = "_tf_keras_metric"
_WITH_LOSSES = "call_and_return_all_conditional_losses"
#: in a configuration: the path of the loaded layer that stands in for one of an unknown class
_STANDS_IN = "tf2compat_stand_in"


class _Restored:
    """A layer whose call is a loaded function. `_restored` is the loaded object."""

    def call(self, inputs: Any, *args: Any, training: Any = None, **kwargs: Any) -> Any:
        functions = self.__dict__["_restored"].__dict__.get("_functions", {})
        function = functions.get(_WITH_LOSSES) or functions.get("__call__")
        if function is None:
            raise NotImplementedError(
                f"The class {type(self).__name__} of layer '{self.name}' is not known here, and the SavedModel has no function of that layer "  # type: ignore[attr-defined]
                "alone. Pass the class in `custom_objects`."
            )
        if "training" in function.__signature__.parameters:
            kwargs["training"] = bool(training)
        found = function(inputs, *args, **kwargs)
        if _WITH_LOSSES not in functions:
            return found
        outputs, losses = found
        for loss in losses:
            self.add_loss(loss)  # type: ignore[attr-defined]
        return outputs

    def get_config(self) -> dict[str, Any]:
        """The configuration that was saved; nothing where the class had none."""
        return dict(self.__dict__["_saved_config"])

    def _adopt(self, restored: AutoTrackable, path: str, described: Mapping[str, Any], loading: Loading) -> None:
        self.__dict__["_restored"] = restored
        begins = "InputLayer" if type(self).__name__ == "Sequential" else None  # a Sequential does not count it among its layers
        edges = restored._tracked().edges
        for name, child in edges.items():
            about = described.get(f"{path}.{name}") or {}
            fixed = getattr(type(self), name, None)
            if isinstance(fixed, property) and fixed.fset is None:
                continue  # such as `variables`, which are gathered
            if name not in _ELSEWHERE and (begins is None or about.get("class_name") != begins):
                setattr(self, name, loading.adopted(child, f"{path}.{name}"))
        recorded = edges.get("keras_api")
        kept = recorded._tracked().edges if isinstance(recorded, AutoTrackable) else {}
        measured = kept.get("metrics")
        for number, child in enumerate(measured if isinstance(measured, list) else ()):
            found = loading.adopted(child, f"{path}.keras_api.metrics.{number}")
            if isinstance(found, Metric) and all(m is not found for m in self._metrics):  # type: ignore[attr-defined]
                self._metrics.append(found)  # type: ignore[attr-defined]
        losses = kept.get("layer_regularization_losses")
        for loss in losses if isinstance(losses, list) else ():
            if callable(loss):
                self.add_loss(loss)  # type: ignore[attr-defined]


class _RestoredLayer(_Restored, Layer):
    pass


class _RestoredModel(_Restored, Model):
    pass


class Loading:
    """The layers of one loaded SavedModel. `described` has what it says of them, by their paths from "root"."""

    def __init__(self, loaded: Any, described: Mapping[str, Any], custom_objects: dict[str, Any] | None = None) -> None:
        self.loaded, self.described, self.custom_objects = loaded, described, custom_objects
        self.made: dict[int, Any] = {}

    def sharing(self) -> Any:
        """Within the block, layers are given the loaded variables."""
        return variable_creator_scope(_taking(self.loaded))

    def add_losses(self, model: Any) -> None:
        """Give a model the functions that it added to its losses."""
        recorded = self.loaded._tracked().edges.get("keras_api")
        kept = recorded._tracked().edges.get("layer_regularization_losses") if isinstance(recorded, AutoTrackable) else None
        for loss in kept or ():
            if callable(loss):
                model.add_loss(loss)

    # --- layers by their configurations ---------------------------------------------------------------------------------
    def known(self, name: Any, config: Any) -> bool:
        """Whether layers of this class can be made of their configurations."""
        if not isinstance(name, str) or not isinstance(config, dict) or serialization.UNDEFINED in config:
            return False
        plain = name.removeprefix("Custom>")
        return (self._registered(name) or serialization.find_class(plain)) is not None or plain in ("Model", "Functional")

    def _registered(self, name: str) -> Any:
        """The program's class of a name: what stands in for it is none."""
        found = serialization.get_registered_object(name, self.custom_objects)
        return found._known if isinstance(found, type) and issubclass(found, _StandIn) else found

    def with_stand_ins(self, config: Any, path: str = "root") -> tuple[Any, dict[str, Any]]:
        """A model's configuration in which unknown layers are named by their paths, and the custom objects that find them by that."""
        unknown: dict[str, Any] = {}

        def mark(value: Any, home: str, places: tuple[str, ...] = ()) -> Any:
            if isinstance(value, list):  # a Sequential that was not given its input's shape does not count its input layer
                begins = bool(value) and isinstance(value[0], dict) and value[0].get("class_name") == "InputLayer"
                return [mark(v, home, (f"{home}.layer-{n}", *((f"{home}.layer-{n - 1}",) if begins else ()))) for n, v in enumerate(value)]
            if not isinstance(value, dict):
                return value
            name, inner = value.get("class_name"), value.get("config")
            if isinstance(name, str) and isinstance(inner, dict):
                found = self._path_of(name, value.get("name") or inner.get("name"), home, places or (home,))
                if not self.known(name, inner) and found is not None:
                    unknown[name] = None
                    return {**value, "config": {_STANDS_IN: found}}
                home = found or home
            return {k: mark(v, home) for k, v in value.items()}

        marked = mark(copy.deepcopy(config), path)
        for name in unknown:
            unknown[name] = type(name, (_StandIn,), {"_loading": self, "_known": self._registered(name)})
        return marked, {**(self.custom_objects or {}), **unknown}

    def _path_of(self, class_name: str, name: Any, home: str, places: tuple[str, ...]) -> str | None:
        """Where a layer is: at its place among a model's layers, or by its name, in that model before others."""
        paths = [p for p, about in self.described.items() if about.get("class_name") == class_name and isinstance(self._at(p), AutoTrackable)]
        if name is not None:
            named = [p for p in paths if self.described[p].get("name") == name]
            paths = named or paths
        here = [found for found in map(self._at, places) if found is not None]
        for path in paths:
            if any(self._at(path) is found for found in here):
                return path
        inside = [p for p in paths if p.rpartition(".")[0] == home]
        return None if name is None else next(iter([*inside, *paths]), None)

    def _at(self, path: str) -> Any:
        found = self.loaded
        for part in path.split(".")[1:]:
            if isinstance(found, list):
                found = found[int(part)] if part.isdecimal() and int(part) < len(found) else None
            elif isinstance(found, dict):
                found = found.get(part)
            else:
                found = found._tracked().edges.get(part) if isinstance(found, AutoTrackable) else None
        return found

    # --- all of what was loaded -------------------------------------------------------------------------------------------
    def adopted(self, child: Any, path: str) -> Any:
        """A loaded object as a layer or metric, each once; what is neither as it is."""
        if isinstance(child, list):
            return [self.adopted(item, f"{path}.{number}") for number, item in enumerate(child)]
        if isinstance(child, dict):
            return {key: self.adopted(item, f"{path}.{key}") for key, item in child.items()}
        if not isinstance(child, AutoTrackable):
            return child
        if id(child) not in self.made:
            about = self.described.get(path) or {}
            found = _metric(child, about) if about.get("identifier") == METRIC else self._from_config(child, about, path)
            if found is not None:
                self.made[id(child)] = found
                return found
            self.made[id(child)] = layer = _made(_RestoredLayer, about)
            layer._adopt(child, path, self.described, self)
            _forget_losses(layer)
            layer.built = True
        return self.made[id(child)]

    def _from_config(self, restored: AutoTrackable, about: Mapping[str, Any], path: str) -> Any:
        """A layer of a class that is known, with the loaded variables, which loaded functions use too; None where they do not fit it."""
        name, config = about.get("class_name"), about.get("config")
        if not self.known(name, config):
            return None
        marked, custom_objects = self.with_stand_ins(config, path)
        try:
            with variable_creator_scope(_taking(restored)):
                layer = serialization.deserialize_keras_object(
                    {"class_name": name, "config": compiling.decoded(marked)}, custom_objects, module_objects=compiling._models()
                )
                if not isinstance(layer, Layer):
                    return None
                shape = about.get("build_input_shape")
                if not layer.built and shape is not None:
                    layer.build(TensorShape(compiling.decoded(shape)) if _is_shape(compiling.decoded(shape)) else compiling.decoded(shape))
                    layer.built = True
        except (TypeError, ValueError, KeyError, NotImplementedError):
            return None
        return layer if _same_variables(layer, restored) else None


class _StandIn:
    """What a configuration finds in the place of a class that is not known."""

    _rebuilds_layers = True
    _loading: Loading
    _known: Any

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if _STANDS_IN in config:
            path = config[_STANDS_IN]
            return cls._loading.adopted(cls._loading._at(path), path)
        return cls._known.from_config(config)  # of another layer of this class, which has a configuration


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(d is None or isinstance(d, int) for d in value)


def _last(name: str) -> str:
    return name.split(":")[0].rpartition("/")[2]


def _same_variables(layer: Any, restored: AutoTrackable) -> bool:
    """Whether a layer has the loaded variables, each where it was."""
    waiting, seen = [(layer, restored)], set()
    while waiting:
        item, loaded = waiting.pop()
        if id(loaded) in seen or isinstance(item, _Restored):
            continue
        seen.add(id(loaded))
        own = trackable.children(item)
        edges: Any = enumerate(loaded) if isinstance(loaded, list) else loaded.items() if isinstance(loaded, dict) else loaded._tracked().edges.items()
        for name, child in edges:
            mine = own.get(str(name))
            if isinstance(child, Variable):
                if mine is not child and str(name) not in ("_variables",):
                    return False
            elif mine is not None and isinstance(child, (AutoTrackable, list, dict)):
                waiting.append((mine, child))
    return True


def _taking(restored: AutoTrackable) -> Any:
    """A creator of variables that takes loaded ones, of the same name, shape and dtype, in their order."""
    free = [item for item in Tree(restored).objects if isinstance(item, Variable)]

    def creator(following: Any, **options: Any) -> Any:
        made = following(**options)
        for at, old in enumerate(free):
            if old.dtype is made.dtype and old.shape == made.shape and old.trainable is made.trainable and _last(old.name) == _last(made.name):
                return free.pop(at)
        return made

    return creator


def _metric(restored: AutoTrackable, about: Mapping[str, Any]) -> Any:
    """A metric with the loaded variables, which the loaded functions update; None for one of an unknown class."""
    try:
        with variable_creator_scope(_taking(restored)):
            found = metrics.deserialize({"class_name": about.get("class_name"), "config": dict(about.get("config") or {})}, use_legacy_format=True)
    except (TypeError, ValueError):
        return None
    for name, value in restored._tracked().edges.items():
        own = found.__dict__.get(name)
        if isinstance(value, Variable) and isinstance(own, Variable) and own.shape == value.shape:
            setattr(found, name, value)
    return found


def _made(base: type, about: Mapping[str, Any]) -> Any:
    name = about.get("class_name")
    cls = type(name if isinstance(name, str) and name else "Restored", (base,), {"__module__": __name__})
    dtype = about.get("dtype")
    policy = _plain(dtype) if isinstance(dtype, Mapping) else dtype if isinstance(dtype, str) else None
    made = cls(
        name=about.get("name") if isinstance(about.get("name"), str) else None, trainable=bool(about.get("trainable", True)), dtype=policy,
        autocast=bool(about.get("autocast", True)),
    )  # fmt: skip
    config = about.get("config")
    made.__dict__["_saved_config"] = {k: v for k, v in config.items() if k != serialization.UNDEFINED} if isinstance(config, dict) else {}
    return made


def _plain(policy: Mapping[str, Any]) -> str | None:
    """The name of a dtype policy that a file describes."""
    name = (policy.get("config") or {}).get("name")
    return name if isinstance(name, str) else None


def revived(loading: Loading) -> Model:
    """A model that predicts, evaluates and trains by the functions of a loaded SavedModel.

    Its layers have the variables and, where they were saved, functions of their own; those of known classes are made of their configurations.
    """
    loaded = loading.loaded
    model = _made(_RestoredModel, loading.described.get("root") or {})
    loading.made[id(loaded)] = model
    model._adopt(loaded, "root", loading.described, loading)
    functions = loaded.__dict__.get("_functions", {})
    if "__call__" in functions:
        given = functions["__call__"].concrete_functions[0].structured_input_signature[0]
        if given and _specs_alone(given[0]):
            model._set_save_spec(given[0])
    _forget_losses(model)
    model.built = True
    return model


def _forget_losses(model: Any) -> None:
    """What connecting the models in it added is what its own function returns with each call."""
    for layer in model._flatten_layers():
        layer.__dict__["_symbolic_losses"], layer.__dict__["_call_losses"] = [], []


def additions(model: Any, loading: Loading) -> Iterator[tuple[str, Any]]:
    """Layers and metrics that were attributes of a saved model beside what its configuration makes."""
    own = trackable.children(model)
    for name, child in loading.loaded._tracked().edges.items():
        if name in own or name in _ELSEWHERE or not isinstance(child, AutoTrackable) or f"root.{name}" not in loading.described:
            continue
        if not any(child is other for key, other in loading.loaded._tracked().edges.items() if key != name and key in own):
            yield name, loading.adopted(child, f"root.{name}")


def _specs_alone(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_specs_alone(v) for v in value.values())
    if isinstance(value, (list, tuple)):
        return all(_specs_alone(v) for v in value)
    return isinstance(value, TensorSpec)
