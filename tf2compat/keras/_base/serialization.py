"""Objects to configs and back, by registered name, custom scope, or public path."""

from __future__ import annotations

import importlib
import inspect
import threading
import types
import warnings
from typing import Any

import numpy as np

from tf2compat._engine import dtypes
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable

custom_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.stack: list[dict[str, Any]] = []
        self.trusted = False
        self.own = False
        self.partial = False


_scopes = _Scopes()


class TrustedScope:
    """Within the block, stored lambdas are loaded (`safe_mode=False`): loading one runs code of the file's."""

    def __enter__(self) -> None:
        self._saved, _scopes.trusted = _scopes.trusted, True

    def __exit__(self, *exc: object) -> None:
        _scopes.trusted = self._saved


class OwnFunctionsScope:
    """Within the block, descriptions of functions that this process has written itself are those functions: no code of a file is run."""

    def __enter__(self) -> None:
        self._saved, _scopes.own = _scopes.own, True

    def __exit__(self, *exc: object) -> None:
        _scopes.own = self._saved


#: in the place of a configuration that a layer of a SavedModel does not have: its saved functions are loaded then
UNDEFINED = "layer was saved without config"


class PartialScope:
    """Within the block, what has no configuration is described without one."""

    def __enter__(self) -> None:
        self._saved, _scopes.partial = _scopes.partial, True

    def __exit__(self, *exc: object) -> None:
        _scopes.partial = self._saved


def _config_of(obj: Any) -> dict[str, Any]:
    try:
        return obj.get_config()
    except NotImplementedError:
        if not _scopes.partial:
            raise
        return {UNDEFINED: True}


class CustomObjectScope:
    """`with custom_object_scope({...}):` names are found in these dicts first (`tf.keras.utils.custom_object_scope`)."""

    def __init__(self, *args: dict[str, Any]) -> None:
        self.custom_objects: dict[str, Any] = {}
        for given in args:
            self.custom_objects.update(given or {})

    def __enter__(self) -> CustomObjectScope:
        _scopes.stack.append(self.custom_objects)
        return self

    def __exit__(self, *exc: object) -> None:
        _scopes.stack.pop()


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Any:
    """Class decorator: configs name the class `package>name`, so that it is found without `custom_objects`.

    ValueError for a class without `get_config`, or a name that is taken.
    """

    def decorator(arg: Any) -> Any:
        registered = f"{package}>{name if name is not None else arg.__name__}"
        if inspect.isclass(arg) and not hasattr(arg, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        custom_objects[registered] = arg
        _names[arg] = registered
        return arg

    return decorator


#: modules of classes that Keras registers as a program would
_REGISTERED_BY_KERAS = frozenset(("tf2compat.keras.optimizers.adaptive", "tf2compat.keras.optimizers.others", "tf2compat.keras._base.sharpness"))


def get_registered_name(obj: Any) -> str:
    """The registered name of a class or function, else its own (`tf.keras.utils.get_registered_name`)."""
    try:
        return _names[obj]
    except (KeyError, TypeError):
        pass
    return f"Custom>{obj.__name__}" if getattr(obj, "__module__", None) in _REGISTERED_BY_KERAS else obj.__name__


def _registered() -> dict[str, Any]:
    return custom_objects


def get_registered_object(name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None) -> Any:
    """The class or function registered under a name, or None (`tf.keras.utils.get_registered_object`)."""
    for scope in reversed(_scopes.stack):
        if name in scope:
            return scope[name]
    if name in _registered():
        return _registered()[name]
    if custom_objects and name in custom_objects:
        return custom_objects[name]
    if module_objects and name in module_objects:
        return module_objects[name]
    if name.startswith("Custom>"):
        own = find_class(name.removeprefix("Custom>"), "keras.optimizers")
        return own if own is not None and get_registered_name(own) == name else None
    return None


def _public_module(obj: Any) -> str | None:
    module = getattr(obj, "__module__", None) or ""
    if not module.startswith("tf2compat."):
        return module
    parts = module.split(".")[1:]
    public = []
    for p in parts:
        if p.startswith("_"):
            break
        public.append(p)
    if getattr(obj, "__name__", None) in ("LinearModel", "WideDeepModel", "SequenceFeatures") and public[:1] == ["keras"]:
        return "keras.experimental"
    if public[:1] == ["keras"]:
        if parts[1:2] == ["_base"]:
            home = _BASE_HOMES.get(obj.__name__)
            return "keras" if home is None else home
        deep = public[1:2] == ["optimizers"] and public[2:3] in (["legacy"], ["schedules"])  # public modules of their own
        return ".".join(public[: 3 if deep else 2])
    return "builtins" if not public else ".".join(public)


_BASE_HOMES = {"Layer": "keras.layers", "InputLayer": "keras.layers", "Model": "keras", "Sequential": "keras", "Functional": "keras.src.engine.functional", "TFOpLambda": "tf_keras.src.layers.core.tf_op_layer", "SlicingOpLambda": "tf_keras.src.layers.core.tf_op_layer", "ClassMethod": "tf_keras.src.layers.core.tf_op_layer"}


class InMemory(dict[str, Any]):
    """The description of a function that the process still has: cloning a layer takes the function itself, and runs no code of the description.

    What is written to a file is the description alone.
    """

    def __init__(self, description: dict[str, Any], function: Any) -> None:
        super().__init__(description)
        self.function = function

    def __deepcopy__(self, memo: Any) -> InMemory:
        return InMemory(dict(self), self.function)

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _source_of(fn: Any) -> str:
    try:
        return inspect.getsource(fn)
    except (OSError, TypeError):  # typed in by hand
        return repr(fn)


def serialize_keras_object(obj: Any) -> Any:
    """A JSON-able description of an object, as the `.keras` format has it (`tf.keras.utils.serialize_keras_object`)."""
    if obj is None or isinstance(obj, (str, int, float, bool)):
        return obj
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, tuple):
        return tuple(serialize_keras_object(v) for v in obj)  # a list in JSON, as Keras 2 has it
    if isinstance(obj, list):
        return [serialize_keras_object(v) for v in obj]
    if isinstance(obj, InMemory):
        return obj
    if isinstance(obj, dict):
        return {k: serialize_keras_object(v) for k, v in obj.items()}
    if isinstance(obj, TensorShape):
        return obj.as_list() if obj.rank is not None else None
    if isinstance(obj, dtypes.DType):
        return obj.name
    if isinstance(obj, (Tensor, Variable)):
        return {"class_name": "__tensor__", "config": {"value": obj.numpy().tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray) and obj.ndim == 0:
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        from .lambdas import dump

        warnings.warn(
            "The object being serialized includes a `lambda`. This is unsafe. In order to reload the object, you will have to pass "
            "`safe_mode=False` to the loading function. Please avoid using `lambda` in the future, and use named Python functions instead. "
            f"This is the `lambda` being serialized: {_source_of(obj)}",
            stacklevel=2,
        )
        return {"class_name": "__lambda__", "config": {"value": dump(obj)}}
    if hasattr(obj, "_is_keras_tensor"):
        h = obj._keras_history
        return {"class_name": "__keras_tensor__", "config": {
            "shape": obj.shape.as_list(), "dtype": obj.dtype.name, "keras_history": [h.layer.name, h.node_index, h.tensor_index]}}  # fmt: skip
    if isinstance(obj, (types.FunctionType, types.BuiltinFunctionType)):
        return {"module": "builtins", "class_name": "function", "config": get_registered_name(obj), "registered_name": "function"}
    if not hasattr(obj, "get_config"):
        if hasattr(obj, "__name__"):
            return obj.__name__
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. To be serializable, a class must implement the `get_config()` method."
        )
    module = _public_module(type(obj))
    ours = type(obj).__module__.startswith("tf2compat.") and type(obj) not in _names
    if ours and type(obj).__name__ in _TF_INITIALIZERS:
        name = _TF_INITIALIZERS[type(obj).__name__]
        return {"module": "tensorflow.python.ops.init_ops_v2", "class_name": name, "config": obj.get_config(), "registered_name": name}
    filed = getattr(type(obj), "_module_in_files", None) if ours else None
    config = {
        "module": filed or (module if ours or type(obj) not in _names else None),
        "class_name": type(obj).__name__,
        "config": {k: serialize_keras_object(v) for k, v in _config_of(obj).items()},
        "registered_name": None if ours and filed is None else get_registered_name(type(obj)),
    }
    if not ours:
        config["module"] = None if type(obj) in _names or module == "__main__" else module
    build = obj.get_build_config() if hasattr(obj, "get_build_config") else None
    if build is not None:
        config["build_config"] = serialize_keras_object(build)
    return config


def serialize_legacy(obj: Any) -> Any:
    """The old form: {"class_name", "config"}, or a function's name."""
    if obj is None:
        return None
    if hasattr(obj, "get_config"):
        name = getattr(obj, "_legacy_name", None) or get_registered_name(type(obj))
        return {"class_name": _TF_INITIALIZERS.get(name, name), "config": obj.get_config()}
    if hasattr(obj, "__name__"):
        return get_registered_name(obj)
    raise ValueError(f"Cannot serialize {obj} because it doesn't implement `get_config()`.")


_SPECIAL = {
    "__tuple__": lambda c, rec: tuple(rec(v) for v in c["value"]),
    "__bytes__": lambda c, rec: c["value"].encode(),
    "__numpy__": lambda c, rec: np.array(c["value"], dtype=c["dtype"]),
}
#: `tf.constant_initializer` and the like in configs: Keras has a class of the same name for each
_TF_INITIALIZERS = {
    "constant_initializer": "Constant", "ones_initializer": "Ones", "random_normal_initializer": "RandomNormal",
    "random_uniform_initializer": "RandomUniform", "zeros_initializer": "Zeros",
}  # fmt: skip
#: where classes are looked for by bare name; each holds public names only
_SEARCHED = ("layers", "models", "losses", "metrics", "optimizers", "optimizers.schedules", "initializers", "regularizers", "constraints")


def find_class(name: str, module: str | None = None) -> Any:
    """A public class or function of tf.keras by name, or None; only names of public modules are looked up."""
    where = list(_SEARCHED)
    if module and module.startswith("keras."):
        inner = module[len("keras.") :]
        if inner in _SEARCHED or inner == "optimizers.legacy":
            where = [inner, *where]
    for home in where:
        try:
            space = importlib.import_module(f"tf2compat.keras.{home}")
        except ModuleNotFoundError:
            continue
        found = getattr(space, name, None) if not name.startswith("_") else None
        if found is not None:
            return found
    if name == "Policy":
        from ..mixed_precision import Policy

        return Policy
    if name == "Functional":
        from .functional import Functional

        return Functional
    if name in ("TFOpLambda", "SlicingOpLambda", "MethodLambda", "ClassMethod"):
        from . import oplayers

        return getattr(oplayers, name)
    if module == "tensorflow.python.keras.layers.rnn_cell_wrapper_v2" and name in ("ResidualWrapper", "DropoutWrapper", "DeviceWrapper"):
        return getattr(importlib.import_module("tf2compat.nn.rnn_wrappers"), name)
    if name in ("LossScaleOptimizer", "LossScaleOptimizerV3"):  # one makes the other, by the optimizer inside
        return importlib.import_module("tf2compat.keras.optimizers.loss_scale").LossScaleOptimizer
    if module == "keras.utils" and name in ("FeatureSpace", "Feature", "Cross"):
        from ..utils import feature_space

        return getattr(feature_space, name)
    if module == "keras.experimental" and name in ("LinearModel", "WideDeepModel", "SequenceFeatures"):
        return getattr(importlib.import_module("tf2compat.keras.experimental"), name)
    if name in ("AddLoss", "AddMetric"):
        from . import endpoints

        return endpoints.AddLoss if name == "AddLoss" else endpoints.AddMetric
    return None


def unbuilt(config: Any) -> Any:
    """The config of a model's layer: Keras' own are built when the model is put together, where their weights get the layer's name."""
    if isinstance(config, dict) and "build_config" in config and str(config.get("module")).startswith("keras."):
        return {key: value for key, value in config.items() if key != "build_config"}
    return config


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object of a description made by `serialize_keras_object` (`tf.keras.utils.deserialize_keras_object`).

    TypeError for a class that is not known; ValueError for a lambda while `safe_mode` is on.
    """
    module_objects = kwargs.pop("module_objects", None)
    what = kwargs.pop("printable_module_name", None) or "layer"
    if kwargs:
        raise TypeError(f"Unknown keyword arguments: {list(kwargs)}")
    if config is None:
        return None

    def again(value: Any) -> Any:
        return deserialize_keras_object(value, custom_objects, safe_mode, module_objects=module_objects)

    if isinstance(config, str):
        found = get_registered_object(config, custom_objects, module_objects)
        return config if found is None else found
    if isinstance(config, (int, float, bool)):
        return config
    if isinstance(config, (list, tuple)):
        return [again(v) for v in config]
    if not isinstance(config, dict):
        raise TypeError(f"Could not parse config: {config}")
    if "class_name" not in config or "config" not in config:
        return {k: again(v) for k, v in config.items()}
    if isinstance(config, InMemory):
        return config.function
    name, inner = config["class_name"], config["config"] or {}
    if name in _SPECIAL:
        return _SPECIAL[name](inner, again)
    if name == "__tensor__":
        from tf2compat import constant

        return constant(inner["value"], dtype=inner["dtype"])
    if name == "__lambda__":
        return stored_lambda(inner["value"], safe_mode)
    if name == "function":
        found = get_registered_object(config.get("registered_name") or "", custom_objects)
        found = found or get_registered_object(inner, custom_objects, module_objects) or find_function(inner)
        if found is None and _scopes.own:
            from .lambdas import known

            found = known(inner)
        if found is None:
            raise TypeError(f"Could not locate function '{inner}'. Make sure custom functions are decorated with "
                            "`@keras.saving.register_keras_serializable()`.")  # fmt: skip
        return found
    cls = None
    for key in (config.get("registered_name"), name):
        if key:
            cls = get_registered_object(key, custom_objects, module_objects)
            if cls is not None:
                break
    if cls is None:
        cls = find_class(name, config.get("module"))
    if cls is None and "module" not in config:  # as formats before .keras have it
        raise _unknown(name, what)
    if cls is None:
        raise TypeError(
            f"Cannot deserialize object of type `{name}`. If `{name}` is a custom class, please register it using the "
            f"`@keras.saving.register_keras_serializable()` decorator. Full object config: {config}"
        )
    with CustomObjectScope(custom_objects or {}):
        instance = _build(cls, inner, again)
    build = config.get("build_config")
    if build and hasattr(instance, "build_from_config") and not getattr(instance, "built", False):
        instance.build_from_config(again(build))
    return instance


def stored_lambda(value: Any, safe_mode: bool = True) -> Any:
    """The function of a stored lambda; ValueError unless the caller of the loading function trusts the file."""
    from .lambdas import known, load

    found = known(value) if _scopes.own else None
    if found is not None:
        return found
    if safe_mode and not _scopes.trusted:
        raise ValueError(
            "Requested the deserialization of a `lambda` object. This carries a potential risk of arbitrary code execution and thus it is "
            "disallowed by default. If you trust the source of the saved model, you can pass `safe_mode=False` to the loading function in "
            "order to allow `lambda` loading."
        )
    return load(value)


#: public bases whose `from_config` calls the constructor with the config as it is
_GIVEN_CONFIGS = frozenset(("tf2compat.keras._base.layer.Layer", "tf2compat.keras._base.model.Model"))


def _next_own(cls: Any) -> str:
    """The first class of this package that a program's class inherits from."""
    return next((f"{c.__module__}.{c.__name__}" for c in cls.__mro__ if c.__module__.startswith("tf2compat.")), "")


def _build(cls: Any, inner: Any, again: Any) -> Any:
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{cls.__name__}' because the class is missing a `from_config()` method. Full object "
            f"config: {inner}"
        )
    if isinstance(inner, list):
        return cls.from_config(inner)
    if not isinstance(inner, dict):
        return cls(inner)
    own = getattr(getattr(cls.from_config, "__func__", cls.from_config), "__module__", None) or ""
    if getattr(cls, "_rebuilds_layers", False) or not own.startswith("tf2compat."):
        return cls.from_config(inner)  # which makes the objects in it
    mine = cls.__module__.startswith("tf2compat.")  # a program's class is given what formats before .keras hold as it is
    if not mine and _next_own(cls) in _GIVEN_CONFIGS:  # and a layer or model all of it, which it deserialises
        return cls.from_config(inner)
    try:
        made = {
            k: again(v) if isinstance(v, dict) and "class_name" in v and "config" in v and (mine or "module" in v) else v for k, v in inner.items()
        }
    except (TypeError, ValueError) as error:
        from .layer import Layer

        if getattr(cls.from_config, "__func__", None) is not Layer.from_config.__func__:  # type: ignore[attr-defined]
            raise
        raise TypeError(f"Error when deserializing class '{cls.__name__}' using config={inner}.\n\nException encountered: {error}") from error
    return cls.from_config(made)


def find_function(name: str) -> Any:
    for home in ("activations", "losses", "metrics", "initializers"):
        try:
            space = importlib.import_module(f"tf2compat.keras.{home}")
        except ModuleNotFoundError:
            continue
        found = getattr(space, name, None) if not name.startswith("_") else None
        if callable(found):
            return found
    return None


def from_module(identifier: Any, space: dict[str, Any], custom: dict[str, Any] | None, what: str, legacy: bool = False) -> Any:
    """An object of one public module, by name or config, as its `deserialize` and `get` return it.

    What is no name or config is returned as it is, and so is a name that means nothing. In the `legacy` form both are a ValueError.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        found = get_registered_object(identifier, custom)
        if found is None and not identifier.startswith("_"):
            found = space.get(identifier)
        if found is None or inspect.ismodule(found):
            if not legacy:
                return identifier
            raise _unknown(identifier, what)
        return found() if inspect.isclass(found) else found
    if isinstance(identifier, dict):
        return _of_config(identifier, space, custom, what, legacy)
    if not legacy:
        if isinstance(identifier, (list, tuple)):
            return [deserialize_keras_object(v, custom) for v in identifier]
        return identifier
    if inspect.isfunction(identifier):
        return identifier
    raise ValueError(f"Could not interpret serialized {what}: {identifier}")


def _of_config(identifier: dict[str, Any], space: dict[str, Any], custom: dict[str, Any] | None, what: str, legacy: bool) -> Any:
    name = identifier.get("class_name")
    if "class_name" not in identifier and not isinstance(identifier, InMemory):
        if legacy:
            raise ValueError(f"Improper config format for {identifier}. Expecting python dict contains `class_name` and `config` as keys")
        raise ValueError(f"Unknown `config` as a `dict`, config={identifier}")
    cls = get_registered_object(identifier.get("registered_name") or "", custom) or get_registered_object(name or "", custom)
    if cls is None and name and not name.startswith("_"):
        cls = space.get(name)
    if cls is not None and name != "function":
        config = identifier.get("config") or {}
        with CustomObjectScope(custom or {}):
            return _build(cls, config, lambda v: deserialize_keras_object(v, custom))
    return deserialize_keras_object(identifier, custom, printable_module_name=what)


def _unknown(name: str, what: str) -> ValueError:
    return ValueError(
        f"Unknown {what}: '{name}'. Please ensure you are using a `keras.utils.custom_object_scope` and that this object is included in the "
        "scope. See https://www.tensorflow.org/guide/keras/save_and_serialize#registering_the_custom_object for details."
    )
