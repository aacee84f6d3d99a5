"""`tf.raw_ops` by TensorFlow's own signatures: the handlers of graph nodes, called with keywords."""

from __future__ import annotations

import collections
import inspect
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import tf2compat as tf
from tf2compat_adapters.tensorflow_functions.signatures import Argument, Signature, signature

from . import interpreter
from .registry import HANDLERS, Call

del interpreter  # it declares the handlers


def names() -> list[str]:
    """The ops there are."""
    return sorted(name for name in HANDLERS if not name.startswith("_") and signature(name) is not None)


@cache
def _renamed() -> dict[str, dict[str, str]]:
    """Op -> its arguments that Python calls otherwise (recorded by `tests/conformance/record_op_signatures.py`)."""
    rows = (line.split("|") for line in resources.files(__package__).joinpath("renamed.txt").read_text(encoding="ascii").splitlines())
    return {name: dict(pair.split("=") for pair in pairs.split(",")) for name, pairs in rows}


@cache
def find(name: str) -> Callable[..., Any] | None:
    """The op of this name as a function of its inputs and attributes by keyword, or None."""
    handler, known = HANDLERS.get(name), signature(name)
    if handler is None or known is None:
        return None
    inferred = {key for a in known.inputs for key in (a.type, a.number, a.types) if key}
    given = {key: item.kind for key, item in known.attributes.items() if key not in inferred}
    required = [key for key in given if not known.attributes[key].optional]
    optional = [key for key in given if known.attributes[key].optional]
    snake = re.sub("([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    python = _renamed().get(name, {})
    result = collections.namedtuple(name, [a.name for a in known.outputs]) if len(known.outputs) > 1 else None  # type: ignore[misc]

    def call(*args: Any, **kwargs: Any) -> Any:
        if args:
            keys = [*call.__signature__.parameters, "name"]  # type: ignore[attr-defined]
            raise TypeError(f"{snake} only takes keyword args (possible keys: {keys}). Please pass these args as kwargs instead.")
        kwargs.pop("name", None)
        bound = call.__signature__.bind(**kwargs).arguments  # type: ignore[attr-defined]
        attributes: dict[str, Any] = {key: _attribute(kind, bound[python.get(key, key)]) for key, kind in given.items() if python.get(key, key) in bound}
        inputs: list[Any] = []
        for argument in known.inputs:
            inputs += _input(argument, bound[python.get(argument.name, argument.name)], attributes)
        return _result(known, handler(Call(name, name, attributes, _no_functions), *inputs), result)

    keyword = inspect.Parameter.KEYWORD_ONLY
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The op {name} of TensorFlow's graphs."
    call.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        *[inspect.Parameter(python.get(key, key), keyword) for key in (*[a.name for a in known.inputs], *required)],
        *[inspect.Parameter(python.get(key, key), keyword, default=None) for key in optional],
    ])  # fmt: skip
    return call


def _no_functions(name: str, inputs: list[Any]) -> list[Any]:
    raise NotImplementedError("tf2compat's raw ops take no functions")


def _attribute(kind: str, value: Any) -> Any:
    """An attribute's value as nodes of graphs hold it."""
    if kind.startswith("list(") and value is not None:
        return [_attribute(kind[5:-1], item) for item in value]
    if kind == "string":
        return tf.compat.as_bytes(value)
    if kind == "type":
        return tf.as_dtype(value)
    if kind == "shape" and value is not None:
        shape = tf.TensorShape(value)
        return None if shape.rank is None else shape.as_list()
    return value


def _input(argument: Argument, value: Any, attributes: dict[str, Any]) -> list[Any]:
    """The tensors of one input, and what they say of attributes."""
    if argument.dtype == "resource":
        return [value]
    if argument.types is not None:
        items = [tf.convert_to_tensor(item) for item in value]
        attributes[argument.types] = [item.dtype for item in items]
        return items
    dtype = tf.as_dtype(argument.dtype) if argument.dtype is not None else attributes.get(str(argument.type))
    items = [tf.convert_to_tensor(item, dtype) for item in (value if argument.number is not None else [value])]
    if argument.number is not None:
        attributes[argument.number] = len(items)
    if argument.type is not None and items:
        attributes[argument.type] = items[0].dtype
    return items


def _result(known: Signature, found: Any, result: Any) -> Any:
    if not known.outputs:
        return None
    if isinstance(found, dict):
        found = [found.get(output.name) for output in known.outputs]
    if result is not None:
        return result(*found)
    listed = known.outputs[0].number is not None or known.outputs[0].types is not None
    return list(found) if listed else found[0] if isinstance(found, list) else found
