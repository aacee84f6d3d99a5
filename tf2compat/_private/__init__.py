"""`tensorflow.python.…`: the private modules of TensorFlow that programs and libraries import all the same.

Each is a module whose names are those public names (and a few helpers of `helpers.py`) that TensorFlow defines there. `exports.tsv` holds what
TensorFlow says of itself: which name of which module is public under which path (version 1's functions, for most short names of `array_ops`
and its like). `places.py` says where to look for the rest. A module that is not listed, or a name that is nowhere, is an import error that says so.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tf2compat._private.places import HELPERS, KERAS, PLACES, RENAMED

PREFIX = "tensorflow.python"


def find(name: str) -> types.ModuleType | None:
    """The module for a dotted name that begins with `tensorflow.python`, or None when it is not one of those known here."""
    inner = name[len(PREFIX) + 1 :]
    if inner == "keras" or inner.startswith("keras."):
        return keras(inner[len("keras.") :])
    if inner.split(".")[0] == "autograph":
        return _autograph(name)
    if inner in _modules() or f"{inner.rpartition('.')[0]}.*" in PLACES or (inner.startswith("ops.gen_") and inner.count(".") == 1):
        return _module(name, inner)
    return None


@functools.cache
def _exports() -> dict[str, dict[str, str]]:
    """Module below `tensorflow.python` -> its names -> their public paths, as TensorFlow exports them."""
    lines = (Path(__file__).parent / "exports.tsv").read_text(encoding="utf-8").splitlines()
    table = {}
    for line in lines:
        module, _, entries = line.partition("\t")
        table[module] = {(name or path.rpartition(".")[2]): path for name, _, path in (e.rpartition("=") for e in entries.split())}
    return table


@functools.cache
def _modules() -> frozenset[str]:
    """The known modules below `tensorflow.python`, and the packages on the way to them."""
    known = {*_exports(), *PLACES}
    return frozenset({".".join(parts[:i]) for parts in (k.split(".") for k in known) for i in range(len(parts) + 1)})


@functools.cache
def core(parts: Any) -> types.ModuleType | None:
    """`tensorflow.core.x.y_pb2`: the messages of TensorFlow's formats, or None; packages on the way there are empty modules."""
    if parts and parts[-1].endswith("_pb2"):
        from tf2compat import _ports

        return _ports.load("protos", "tensorflow").module(parts[-1])
    if parts in ((), ("example",), ("framework",), ("protobuf",), ("util",)):
        package = types.ModuleType(".".join(("tensorflow.core", *parts)), "Packages of generated messages.")
        package.__path__ = []
        return package
    return None


@functools.cache
def compiler(parts: Any) -> types.ModuleType | None:
    """`tensorflow.compiler.tf2xla.python.xla` and the packages on the way there, or None."""
    way = ("tf2xla", "python", "xla")
    if parts == way:
        return importlib.import_module("tf2compat._private.xla")
    if parts == way[: len(parts)]:
        package = types.ModuleType(".".join(("tensorflow.compiler", *parts)), "A package of TensorFlow's compiler.")
        package.__path__ = []
        return package
    return None


@functools.cache
def _module(name: str, inner: str) -> types.ModuleType:
    return _Private(name, inner, PLACES.get(inner) or PLACES.get(f"{inner.rpartition('.')[0]}.*", ""))


@functools.cache
def keras(inner: str) -> types.ModuleType | None:
    """A module of Keras as it once was inside TensorFlow, by its path below `keras`, or None."""
    places = KERAS.get(inner)
    if places is None:
        parts = inner.split(".")
        public = importlib.util.find_spec("tf2compat.keras." + parts[0])
        places = " ".join(([f"keras.{parts[0]}"] if public is not None else []) + [KERAS.get(parts[0], "")]).strip()
        inside = public is not None and public.submodule_search_locations is not None  # a package, not one file
        if inside and len(parts) > 1 and importlib.util.find_spec("tf2compat.keras." + ".".join(parts[:2])) is not None:
            places = f"keras.{'.'.join(parts[:2])} {places}"
    return _Private(f"{PREFIX}.keras.{inner}".rstrip("."), f"keras.{inner}".rstrip("."), places) if places or inner in KERAS else None


@functools.cache
def _autograph(name: str) -> types.ModuleType:
    """The machinery of TensorFlow's AutoGraph, which libraries import to extend it: it is there, and an error when it is used."""
    return _Unsupported(name)


class _Unsupported(types.ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name, "Parts of TensorFlow's AutoGraph, which are not supported.")
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if not name[0].isupper():  # perhaps a module, which the import system goes on to look for
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        whole = f"{self.__name__}.{name}"

        def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
            raise NotImplementedError(f"{whole} is private to TensorFlow's AutoGraph; tf2compat has an AutoGraph of its own")

        made = type(name, (), {"__init__": refuse, "__module__": self.__name__})
        setattr(self, name, made)
        return made


class _Private(types.ModuleType):
    """A private module. Its names are looked up in public ones when they are asked for."""

    def __init__(self, name: str, inner: str, places: str) -> None:
        super().__init__(name, "Names that TensorFlow defines here and tf2compat has elsewhere.")
        self.__path__: list[str] = []
        self.__inner = inner
        self.__places = places.split()

    def __getattr__(self, name: str) -> Any:
        if name == "__all__" and self.__places:
            from tf2compat._names import star_names

            return star_names("tf" if self.__places[0] == "tf" else f"tf.{self.__places[0]}")
        if name == "__all__":
            return [last for module, _, last in (key.rpartition(".") for key in HELPERS) if module == self.__inner and last.isidentifier()]
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = self.__find(name)
        setattr(self, name, value)
        return value

    def __find(self, name: str) -> Any:
        helper = HELPERS.get(f"{self.__inner}.{name}") or HELPERS.get(f"{self.__inner}.*")
        if helper is not None:
            module, _, attribute = helper.rpartition(":")
            home = importlib.import_module(module or "tf2compat._private.helpers")
            if hasattr(home, attribute.replace("*", name)):
                return getattr(home, attribute.replace("*", name))
        found = _public(_exports().get(self.__inner, {}).get(name, ""))
        if found is None and f"{self.__inner}.{name}".lstrip(".") in _modules():  # a module here, whatever has its name elsewhere
            return find(f"{self.__name__}.{name}")
        if found is None:
            found = self.__public(name)
        if found is None and self.__inner.startswith("ops."):
            found = _raw(name, self.__inner.startswith("ops.gen_"))
        if found is None and name.islower():
            found = find(f"{self.__name__}.{name}")
        ends = ("_v1", "_v2", "V2", "_op", "_with_dispatch", "_eager_fallback")
        for other in (*RENAMED.get(name, "").split(), *[name.removesuffix(end) for end in ends if name.endswith(end)]):
            if found is None:
                found = self.__public(other)
        if found is not None:
            return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}: it is private to TensorFlow, and tf2compat has no public name for it")

    def __public(self, name: str) -> Any:
        return next((found for place in self.__places if (found := _public(f"{place}.{name}")) is not None), None)


def _public(path: str) -> Any:
    """What `tf.path` is (a leading "tf." may be there), or None."""
    module, _, name = path.removeprefix("tf.").rpartition(".")
    try:
        return getattr(importlib.import_module(f"tf2compat.{module}".rstrip(".")), name) if name else None
    except (AttributeError, ModuleNotFoundError, RuntimeError):  # RuntimeError: a name of TensorFlow 1's graph mode
        return None


@functools.cache
def _raw(name: str, generated: bool) -> Callable[..., Any] | None:
    """The raw op of that name (`MatMul`), or that a generated function (`mat_mul`) calls, which takes its arguments by position too."""
    from tf2compat import raw_ops

    if name[0].isupper():
        return getattr(raw_ops, name, None)
    wanted = name.removesuffix("_eager_fallback").replace("_", "")
    op = next((getattr(raw_ops, known) for known in dir(raw_ops) if known.lower() == wanted), None) if generated else None
    if op is None:
        return None
    parameters = tuple(inspect.signature(op).parameters)

    @functools.wraps(op)
    def call(*args: Any, **kwargs: Any) -> Any:
        return op(**dict(zip(parameters, args, strict=False)), **kwargs)

    return call
