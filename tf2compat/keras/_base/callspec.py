"""What a layer's `call` takes: found out once per class."""

from __future__ import annotations

import inspect
from typing import Any

from tf2compat._engine.tensor import Tensor

mask_slot = Tensor._keras_mask  # type: ignore[attr-defined]
_read_mask = mask_slot.__get__


class Masks:
    """Whether any tensor of this process has ever carried a mask: until then nobody needs to look for one."""

    used = False


def mask_of(value: Any) -> Any:
    """The mask that the layer which made a tensor attached to it, or None."""
    if isinstance(value, Tensor):
        try:
            return _read_mask(value)
        except AttributeError:
            return None
    return getattr(value, "_keras_mask", None)


def set_mask(value: Any, mask: Any) -> None:
    Masks.used = True
    try:
        value._keras_mask = mask
    except AttributeError:  # a value that takes no attributes carries no mask
        return


class CallSpec:
    """Names and defaults of the parameters of one class's `call`."""

    __slots__ = ("fn", "names", "first", "training", "training_at", "training_default", "mask", "mask_at", "var_kw", "required")

    def __init__(self, fn: Any, method: bool = False) -> None:
        self.fn = fn
        parameters = list(inspect.signature(fn).parameters.values())
        if parameters and (parameters[0].name == "self" or method and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL):
            parameters = parameters[1:]  # whatever a method's first parameter is called
        self.names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        keyword = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.var_kw = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.first = self.names[0] if self.names else None
        rest = self.names[1:]
        named = {p.name: p for p in parameters}
        #: parameters after the first that have to be given
        self.required = [n for n in rest if named[n].default is inspect.Parameter.empty]
        self.training = "training" in rest or "training" in keyword or self.var_kw
        self.training_at = rest.index("training") if "training" in rest else len(rest) + 99
        default = named["training"].default if "training" in named else None
        self.training_default = None if default is inspect.Parameter.empty else default
        self.mask = "mask" in rest or "mask" in keyword or self.var_kw
        self.mask_at = rest.index("mask") if "mask" in rest else len(rest) + 99


def spec_of(instance: Any) -> CallSpec:
    """The CallSpec of an object's `call`, kept on its class (on the object when `call` is its own attribute)."""
    own = instance.__dict__.get("call")
    if own is not None:
        return CallSpec(own)
    cls = type(instance)
    found = cls.__dict__.get("_tf_call_spec")
    fn = cls.call
    if found is None or found.fn is not fn:
        found = CallSpec(fn, method=not isinstance(inspect.getattr_static(cls, "call"), (staticmethod, classmethod)))
        cls._tf_call_spec = found
    return found
