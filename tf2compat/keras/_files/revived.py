"""Keras models of SavedModels whose classes are not known here, made of the functions that were saved with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tf2compat._engine.specs import TensorSpec
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable

from .. import metrics
from .._base.layer import Layer
from .._base.model import Model
from ..metrics import Metric

#: what a loaded model has beside its layers and variables: the model makes its own
_ELSEWHERE = frozenset(("optimizer", "keras_api", "keras_metrics", "signatures", "regularization_losses"))
#: what SavedModels call a metric
METRIC = "_tf_keras_metric"
_WITH_LOSSES = "call_and_return_all_conditional_losses"


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
        raise NotImplementedError(f"The class {type(self).__name__} is not known here: a layer made of saved functions has no configuration.")

    def _adopt(self, restored: AutoTrackable, path: str, described: Mapping[str, Any], made: dict[int, Any]) -> None:
        self.__dict__["_restored"] = restored
        begins = "InputLayer" if type(self).__name__ == "Sequential" else None  # a Sequential does not count it among its layers
        for name, child in restored._tracked().edges.items():
            about = described.get(f"{path}.{name}") or {}
            fixed = getattr(type(self), name, None)
            if isinstance(fixed, property) and fixed.fset is None:
                continue  # such as `variables`, which are gathered
            if name not in _ELSEWHERE and (begins is None or about.get("class_name") != begins):
                setattr(self, name, _adopted(child, f"{path}.{name}", described, made))
        recorded = restored._tracked().edges.get("keras_api")
        measured = recorded._tracked().edges.get("metrics") if isinstance(recorded, AutoTrackable) else None
        for number, child in enumerate(measured if isinstance(measured, list) else ()):
            found = _adopted(child, f"{path}.keras_api.metrics.{number}", described, made)
            if isinstance(found, Metric) and all(m is not found for m in self._metrics):  # type: ignore[attr-defined]
                self._metrics.append(found)  # type: ignore[attr-defined]


class _RestoredLayer(_Restored, Layer):
    pass


class _RestoredModel(_Restored, Model):
    pass


def _adopted(child: Any, path: str, described: Mapping[str, Any], made: dict[int, Any]) -> Any:
    if isinstance(child, list):
        return [_adopted(item, f"{path}.{number}", described, made) for number, item in enumerate(child)]
    if isinstance(child, dict):
        return {key: _adopted(item, f"{path}.{key}", described, made) for key, item in child.items()}
    if not isinstance(child, AutoTrackable):
        return child
    if id(child) not in made:
        about = described.get(path) or {}
        metric = _metric(child, about) if about.get("identifier") == METRIC else None
        if metric is not None:
            made[id(child)] = metric
            return metric
        made[id(child)] = layer = _made(_RestoredLayer, about)
        layer._adopt(child, path, described, made)
        layer.built = True
    return made[id(child)]


def _metric(restored: AutoTrackable, about: Mapping[str, Any]) -> Any:
    """A metric with the loaded variables, which the loaded functions update; None for one of an unknown class."""
    try:
        found = metrics.deserialize({"class_name": about.get("class_name"), "config": dict(about.get("config") or {})})
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
    return cls(
        name=about.get("name") if isinstance(about.get("name"), str) else None, trainable=bool(about.get("trainable", True)), dtype=policy,
        autocast=bool(about.get("autocast", True)),
    )  # fmt: skip


def _plain(policy: Mapping[str, Any]) -> str | None:
    """The name of a dtype policy that a file describes."""
    name = (policy.get("config") or {}).get("name")
    return name if isinstance(name, str) else None


def revived(loaded: Any, described: Mapping[str, Any]) -> Model:
    """A model that predicts, evaluates and trains by the functions of a loaded SavedModel.

    `described` has what the SavedModel says of its layers, by their paths from "root". Its layers have the variables and, where they were
    saved, functions of their own.
    """
    model = _made(_RestoredModel, described.get("root") or {})
    made: dict[int, Any] = {id(loaded): model}
    model._adopt(loaded, "root", described, made)
    functions = loaded.__dict__.get("_functions", {})
    if "__call__" in functions:
        given = functions["__call__"].concrete_functions[0].structured_input_signature[0]
        if given and _specs_alone(given[0]):
            model._set_save_spec(given[0])
    model.built = True
    return model


def _specs_alone(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_specs_alone(v) for v in value.values())
    if isinstance(value, (list, tuple)):
        return all(_specs_alone(v) for v in value)
    return isinstance(value, TensorSpec)
