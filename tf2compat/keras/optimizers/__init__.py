"""`tf.keras.optimizers`: the optimizers of Keras 2."""

from __future__ import annotations

from typing import Any

from . import schedules
from .adaptive import Adadelta, Adagrad, Adam, Adamax, AdamW, Nadam, RMSprop
from .optimizer import Optimizer
from .others import SGD, Adafactor, Ftrl, Lion

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "Optimizer", "RMSprop", "deserialize",
    "get", "schedules", "serialize",
]  # fmt: skip

_BY_LOWER_NAME = {
    "adadelta": Adadelta, "adafactor": Adafactor, "adagrad": Adagrad, "adam": Adam, "adamw": AdamW, "adamax": Adamax, "ftrl": Ftrl,
    "lion": Lion, "nadam": Nadam, "rmsprop": RMSprop, "sgd": SGD,
}  # fmt: skip


def serialize(optimizer: Any, use_legacy_format: bool = False) -> Any:
    """The config of an optimizer (`tf.keras.optimizers.serialize`)."""
    from .._base.serialization import serialize_keras_object, serialize_legacy

    return serialize_legacy(optimizer) if use_legacy_format else serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False, **kwargs: Any) -> Any:
    """The optimizer of a config (`tf.keras.optimizers.deserialize`); ValueError for an unknown one."""
    from .._base.serialization import from_module, get_registered_object

    use_legacy = kwargs.pop("use_legacy_optimizer", False)
    if kwargs:
        raise TypeError(f"Invalid keyword arguments: {list(kwargs)}")
    name = config.get("class_name", "")
    space: dict[str, Any] = dict(globals())
    config = dict(config)
    inner = dict(config.get("config") or {})
    if inner:  # configs of before 2.11, and those of legacy optimizers since, do not say which they are; Keras 3's have what legacy ones lack
        use_legacy = inner.get("is_legacy_optimizer", "use_ema" not in inner)
    if use_legacy or config.get("module") == "keras.optimizers.legacy":
        from . import legacy as old

        space |= {known.__name__: vars(old)[known.__name__] for known in _BY_LOWER_NAME.values() if known.__name__ in vars(old)}
    inner.pop("is_legacy_optimizer", None)
    config["config"] = inner
    own = get_registered_object(config.get("registered_name") or "", custom_objects)
    for known in _BY_LOWER_NAME.values():
        if own is None and name.lower() == known.__name__.lower():
            config["class_name"] = known.__name__
            config.pop("registered_name", None)
    if config["class_name"] in ("LossScaleOptimizer", "LossScaleOptimizerV1", "LossScaleOptimizerV3"):  # by the kind of the inner one, and of the past
        from .loss_scale import LossScaleOptimizer

        return LossScaleOptimizer.from_config(inner, custom_objects)
    return from_module(config, space, custom_objects, "optimizer")


def get(identifier: Any, **kwargs: Any) -> Any:
    """The optimizer that a name, config or object means (`tf.keras.optimizers.get`); ValueError otherwise."""
    use_legacy = kwargs.pop("use_legacy_optimizer", False)
    if kwargs:
        raise TypeError(f"Invalid keyword arguments: {list(kwargs)}")
    if isinstance(identifier, Optimizer) or getattr(identifier, "_is_keras_optimizer", False):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier, use_legacy_optimizer=use_legacy)
    if isinstance(identifier, str):
        found = _BY_LOWER_NAME.get(identifier.lower())
        if found is not None:
            if use_legacy:
                from . import legacy as old

                return getattr(old, found.__name__)()
            return found()
        from .._base.serialization import get_registered_object

        found = get_registered_object(identifier)
        if found is not None:
            return found()
        raise ValueError(
            f"Unknown optimizer: '{identifier}'. Please ensure you are using a `keras.utils.custom_object_scope` and that this object is "
            "included in the scope. See https://www.tensorflow.org/guide/keras/save_and_serialize#registering_the_custom_object for details."
        )
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


def __getattr__(name: str) -> Any:
    if name in ("legacy", "experimental"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"tf.keras.optimizers has no '{name}'")
